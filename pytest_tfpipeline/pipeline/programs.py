"""Which terraform and which OpenTofu a run uses, for which roots, and where they get their providers from."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_tfpipeline.config.keys import ToolsConfig
from pytest_tfpipeline.discover.engines import CONFIGURED
from pytest_tfpipeline.model import Repository, Root, Target
from pytest_tfpipeline.tools.lockfile import LOCK_FILE, providers_of_lock
from pytest_tfpipeline.tools.providers import CliConfig, Locked, cli_config
from pytest_tfpipeline.tools.wanted import Versions, preferred_versions

#: Reasons that a note names; there may be hundreds.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Programs:
    """As `Run` has it: exact versions from the configuration, versions that files ask for, those of single roots, and
    the CLI configurations (`tofu_config` is "" where nothing is run by OpenTofu) with the mirrors that they name by
    program, none where only some providers are allowed; and what to tell the user once."""

    exact: dict[str, str]
    preferred: dict[str, str]
    by_root: dict[str, str]
    cli_config: str
    tofu_config: str
    mirrors: dict[str, tuple[str, ...]]
    notes: tuple[str, ...]


def choose_programs(
    top: Path,
    repository: Repository,
    targets: Sequence[Target],
    tools: ToolsConfig,
    work: Path,
    *,
    tree: Path | None,
    allowed: Collection[str] | None,
) -> Programs:
    """The programs of a run in `work`. Providers that lie in the tree count where `tree` names it; with `allowed`, no
    others are installed. Raises ProviderError."""
    exact = {name: version for name, version in tools.model_dump().items() if version not in (None, "tofu")}
    asked = _versions(top, repository, targets, exact)
    cli, tofu = _cli_configs(top, repository, work, tree, allowed)
    return Programs(
        exact=exact,
        preferred={name: one.preferred for name, one in asked.items() if one.preferred},
        by_root={directory: version for one in asked.values() for directory, version in one.by_root.items()},
        cli_config=str(cli.path),
        tofu_config="" if tofu is None else str(tofu.path),
        mirrors={} if allowed is not None else {"terraform": cli.mirrors, "tofu": tofu.mirrors if tofu else ()},
        notes=(*cli.notes, *(note for note in (tofu.notes if tofu else ()) if note not in cli.notes)),
    )


def tofu_notes(repository: Repository) -> Iterator[str]:
    """What OpenTofu runs, and what said so."""
    roots = [root.dir for root in repository.roots if root.dir in repository.tofu]
    if not roots:
        return
    every = len(roots) == len(repository.roots)
    reasons = Counter(repository.tofu[directory] for directory in roots).most_common()
    named = ", ".join(reason for reason, _ in reasons[:_NAMED])
    more = f" and {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else ""
    what = "every root" if every else f"{len(roots)} of {len(repository.roots)} roots"
    open_still = "" if set(repository.tofu.values()) == {CONFIGURED} else "; `terraform` of [tools] settles it"
    yield f"OpenTofu runs {what}, as {named}{more} says{open_still}"


def _versions(
    top: Path, repository: Repository, targets: Sequence[Target], exact: Mapping[str, str]
) -> dict[str, Versions]:
    """What the files of the roots ask for, by program; nothing of one whose version the configuration says."""
    planned = {target.root for target in targets}
    by_program: defaultdict[str, list[Root]] = defaultdict(list)
    for root in repository.roots:
        by_program["tofu" if root.dir in repository.tofu else "terraform"].append(root)
    return {
        name: preferred_versions(top, roots, planned, name) for name, roots in by_program.items() if name not in exact
    }


def _cli_configs(
    top: Path, repository: Repository, work: Path, tree: Path | None, allowed: Collection[str] | None
) -> tuple[CliConfig, CliConfig | None]:
    home = home_of(os.environ)
    cli = cli_config(os.environ, work, home, top=tree, allowed=allowed)
    if not repository.tofu:
        return cli, None
    return cli, cli_config(os.environ, work, home, top=tree, allowed=allowed, tofu=_locked(top, repository))


def _locked(top: Path, repository: Repository) -> Locked:
    """The hashes that lock files of OpenTofu's roots hold, by provider and version."""
    found: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for directory in repository.tofu:
        path = top / directory / LOCK_FILE
        text = path.read_text("utf-8", "replace") if path.is_file() else ""
        for source, (version, hashes) in providers_of_lock(text):
            found[source][version] |= set(hashes)
    return found


def home_of(environ: Mapping[str, str]) -> Path | None:
    """The user's home directory, if the environment names one."""
    home = environ.get("HOME", "")
    return Path(home) if Path(home).is_absolute() else None
