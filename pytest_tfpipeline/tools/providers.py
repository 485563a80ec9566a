"""Where terraform gets providers from in this run: one CLI configuration file for all of its processes.

The user's own configuration comes first; then mirrors that are there; what no mirror has comes from the registry.
Nothing is ever written to a mirror, and the shared plugin cache is off: parallel inits corrupt it
(hashicorp/terraform#31964).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from pytest_tfpipeline.errors import ProviderError
from pytest_tfpipeline.tools.mirrors import ADD_ON_PREFIXES, find_mirrors, lend_packages, providers_in

#: For the environment of terraform: a module or provider that cannot be had is said in seconds.
REGISTRY_LIMITS: Mapping[str, str] = {
    "TF_REGISTRY_DISCOVERY_RETRY": "1",
    "TF_REGISTRY_CLIENT_TIMEOUT": "10",
    "TF_PROVIDER_DOWNLOAD_RETRY": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=10 -o ServerAliveCountMax=2",
    "GIT_HTTP_LOW_SPEED_LIMIT": "1",
    "GIT_HTTP_LOW_SPEED_TIME": "10",
}
#: Hashes that lock files hold, by provider and version.
Locked = Mapping[str, Mapping[str, Collection[str]]]
_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|#[^\n]*|//[^\n]*|/\*.*?\*/', re.DOTALL)
_INSTALLATION = re.compile(r"^\s*provider_installation\s*\{", re.MULTILINE)
_REPLACED = re.compile(
    r"^[ \t]*(plugin_cache_dir|plugin_cache_may_break_dependency_lock_file|disable_checkpoint)[ \t]*=[^\n]*$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class CliConfig:
    """The configuration file (for `TF_CLI_CONFIG_FILE`), the mirrors that it names, strongest first, and what to
    tell the user once."""

    path: Path
    mirrors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def cli_config(
    environ: Mapping[str, str],
    out_dir: Path,
    home: Path | None,
    system_prefixes: Iterable[str] = ADD_ON_PREFIXES,
    *,
    top: Path | None = None,
    allowed: Iterable[str] | None = None,
    tofu: Locked | None = None,
) -> CliConfig:
    """Write the run's CLI configuration into `out_dir` (mode 0600: it may hold the user's credentials).

    `top` is the repository's. With `allowed` (`registry.terraform.io/hashicorp/*`), terraform installs no other
    providers, whoever asks for them: a downloaded module, a generated file, a state. Raises ProviderError where
    `TFPIPELINE_PROVIDER_MIRROR` names no directory, or where the user's own file says how providers are installed and
    so cannot be held to that list.

    With `tofu` it is OpenTofu's: from its own files, and with the mirrors' packages under the name of its registry
    too, as far as these locks agree (see `lend_packages`).
    """
    files, notes = _own_files(environ, home, tofu=tofu is not None)
    text = "\n".join(_REPLACED.sub("", file.read_text("utf-8", "replace")) for file in files)
    own = text.lstrip().startswith("{") or _INSTALLATION.search(_without_comments(text)) is not None
    if own and allowed is not None:
        raise ProviderError(
            "says how providers are installed, and the operator's `providers` could not be held against that",
            where=str(files[0]),
            mend="take `provider_installation` out of it, and name a mirror with TFPIPELINE_PROVIDER_MIRROR",
        )
    if text.lstrip().startswith("{"):
        note = f"{files[0]} is JSON and is used as it is; a plugin_cache_dir in it is not safe with parallel inits."
        return CliConfig(files[0], (), (*notes, note))
    mirrors: tuple[Path, ...] = ()
    if not own:
        mirrors = find_mirrors(environ, home, top, system_prefixes)
        if tofu is not None:
            mirrors = (*mirrors, lend_packages(mirrors, out_dir / "lent-providers", tofu))
        text = f"{text}\n{_installation(mirrors, allowed)}"
    path = out_dir / ("terraform.tfrc" if tofu is None else "tofu.tfrc")
    _write(path, f"disable_checkpoint = true\n{text}")
    return CliConfig(path, tuple(map(str, mirrors)), notes)


def _own_files(environ: Mapping[str, str], home: Path | None, *, tofu: bool) -> tuple[list[Path], tuple[str, ...]]:
    """The user's CLI configuration: the file that the environment names, else the ones in the home directory. OpenTofu
    reads the first that is there of `.tofurc`, `.terraformrc` and its file below XDG_CONFIG_HOME."""
    named = environ.get("TF_CLI_CONFIG_FILE") or environ.get("TERRAFORM_CONFIG")
    notes: tuple[str, ...] = ()
    if named:
        if Path(named).is_file():
            return [Path(named).absolute()], ()
        notes = (f"TF_CLI_CONFIG_FILE names {named}, which is not there; it is ignored.",)
    if home is None:
        return [], notes
    first = [home / ".terraformrc"]
    if tofu:
        below = environ.get("XDG_CONFIG_HOME")
        first = [home / ".tofurc", *first, *([Path(below) / "opentofu/tofurc"] if below else [])]
    chosen = [path for path in first if path.is_file()][:1]
    return [*chosen, *(path for path in sorted((home / ".terraform.d").glob("*.tfrc")) if path.is_file())], notes


def _without_comments(text: str) -> str:
    return _COMMENT.sub(lambda found: found[0] if found[0].startswith('"') else " ", text)


def _installation(mirrors: Iterable[Path], allowed: Iterable[str] | None) -> str:
    """The `provider_installation` block. As in terraform's own default, a provider that a mirror has is not asked
    for at its registry; without that, an offline init would fail on the attempt."""
    blocks, mirrored = [], set[str]()
    wanted = None if allowed is None else sorted(allowed)
    for mirror in mirrors:
        include = [name for name in providers_in(mirror) if wanted is None or is_one_of(name, wanted)]
        if include:
            mirrored.update(include)
            blocks.append(
                f"  filesystem_mirror {{\n    path    = {_quoted(str(mirror))}\n    include = {_list(include)}\n  }}\n"
            )
    only = "" if wanted is None else f"    include = {_list(wanted)}\n"
    if wanted is None or wanted:  # an empty `include` would mean every provider
        blocks.append(f"  direct {{\n{only}    exclude = {_list(sorted(mirrored))}\n  }}\n")
    return f"provider_installation {{\n{''.join(blocks)}}}\n"


def is_one_of(name: str, patterns: Iterable[str]) -> bool:
    """Whether a provider is meant by one of the patterns, in which `*` is any one component (as terraform has them)."""
    parts = name.split("/")
    return any(len(parts) == len(one) and all(map(fnmatchcase, parts, one)) for one in (p.split("/") for p in patterns))


def _list(values: Iterable[str]) -> str:
    return "[" + ", ".join(map(_quoted, values)) + "]"


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    partial.replace(path)
