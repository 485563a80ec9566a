"""The client's side: providers of a root that is initialised, as terraform is told to use them."""

from __future__ import annotations

import json
import os
import re
import socket
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pytest_tfpipeline.warm.messages import receive, send

#: The variable by which terraform takes providers that run already.
VARIABLE = "TF_REATTACH_PROVIDERS"
#: Seconds until the providers must be there.
_LIMIT = 60.0
_CONFIGURATION = (".tf", ".tf.json", ".tofu", ".tofu.json")
#: Parts of a plan file that name types which the configuration does not have any more.
_STATES = ("tfstate", "tfstate-prev")
_LOCKED = re.compile(r'^provider\s+"([^"]+)"\s*\{[^}]*?^\s*version\s*=\s*"([^"]+)"([^}]*)', re.MULTILINE)
#: A hash that init can hold against an unpacked package; terraform refuses to start one that was held against none.
_HELD = '"h1:'
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@contextmanager
def reattached(
    address: str,
    cwd: Path,
    env: Mapping[str, str],
    *,
    shared: bool,
    plan: Path | None = None,
    lacking: Collection[str] = (),
    tell: Callable[[str], object] = str,
) -> Iterator[dict[str, str] | None]:
    """The variable for a terraform in `cwd`, for as long as the block runs; None where there is nothing to be had.

    `env` is what a provider of its own inherits. With `shared`, one that others use, and that must not be configured,
    will do: for `validate` and `show`. `plan` is the plan file that is to be shown, `lacking` are names beside those of
    the configuration. `tell` hears why there is nothing to be had, where that is no matter of the root.
    """
    programs = locked_programs(cwd)
    if not programs:
        yield None
        return
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_LIMIT)
        try:
            connection.connect(address)
            names = sorted({*names_in(cwd, plan), *lacking})
            request = {"programs": programs, "shared": shared, "names": names, "cwd": str(cwd)}
            send(connection, {**request, "env": {} if shared else dict(env)})
            answer = receive(connection)
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            answer = {"problem": str(error)}
        if "problem" in answer:
            tell(str(answer["problem"]))
        if "reattach" not in answer:
            yield None
            return
        yield {VARIABLE: json.dumps(answer["reattach"])}
        problem = _problem_meanwhile(connection)
        if problem:
            tell(problem)


def _problem_meanwhile(connection: socket.socket) -> str:
    """What a provider that was to be started later said; "" for nothing, and where the service has ended."""
    try:
        connection.shutdown(socket.SHUT_WR)
        return str(receive(connection).get("problem", ""))
    except (OSError, ValueError):
        return ""


def locked_programs(cwd: Path) -> dict[str, str]:
    """The program of each provider that init has put in place and held against the lock file; {} if one of them is not
    there, or was held against nothing."""
    try:
        locked = _LOCKED.findall((cwd / ".terraform.lock.hcl").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    found = {}
    for address, version, hashes in locked:
        installed = (cwd / ".terraform" / "providers" / address / version).glob("*/terraform-provider-*")
        programs = sorted(path for path in installed if path.is_file())
        if len(programs) != 1 or _HELD not in hashes:
            return {}
        found[address] = str(programs[0].resolve())
    return found


def names_in(cwd: Path, plan: Path | None = None) -> set[str]:
    """Every word of the configuration of the root and of all modules that it calls: more than the types in it.

    Raises OSError, ValueError or BadZipFile for what cannot be read.
    """
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in configuration_files(cwd)]
    if plan is not None:
        with zipfile.ZipFile(plan) as parts:
            texts += [parts.read(name).decode("utf-8", "replace") for name in _STATES if name in parts.namelist()]
    return words_of(texts)


def configuration_files(cwd: Path) -> Iterator[Path]:
    """Those of the initialised root and of all modules that it calls. Raises OSError or ValueError."""
    for directory in _module_directories(cwd):
        yield from (path for path in directory.iterdir() if path.name.endswith(_CONFIGURATION) and path.is_file())


def unreached(addresses: Iterable[str]) -> dict[str, str]:
    """The variable for an init, which talks to no provider: that somebody runs these, and that nobody listens."""
    nobody = {"Network": "unix", "String": os.devnull}
    entry = {"Protocol": "grpc", "ProtocolVersion": 5, "Pid": os.getpid(), "Test": True, "Addr": nobody}
    return {VARIABLE: json.dumps(dict.fromkeys(addresses, entry))}


def _module_directories(cwd: Path) -> set[Path]:
    listed = cwd / ".terraform" / "modules" / "modules.json"
    if not listed.is_file():
        return {cwd}
    modules = json.loads(listed.read_bytes()).get("Modules", [])
    return {cwd, *((cwd / one["Dir"]).resolve() for one in modules)}


def words_of(texts: Iterable[str]) -> set[str]:
    """Whatever may be the name of a type."""
    return {word for text in texts for word in _WORD.findall(text)}
