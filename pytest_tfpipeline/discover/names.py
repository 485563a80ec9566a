"""Names of environments as they are written: plain, numbered, with a region or colour, or beside a root's own name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from pytest_tfpipeline.discover.places import USUAL_NAMES

#: What may stand beside an environment in a file's name without meaning anything.
FILLERS = frozenset(
    {"config", "configuration", "env", "environment", "inputs", "settings", "terraform", "tf", "tfvars", "values"}
    | {"var", "variables", "vars"}
)
#: The same for files of `-backend-config`; one of them there makes a file such a one.
BACKEND_WORDS = frozenset({"backend", "backends", "s3", "gcs", "azurerm", "remote", "state", "tfbackend"})

_QUALIFIERS = frozenset(
    {"a", "africa", "amer", "americas", "ap", "apac", "asia", "b", "blue", "c", "ca", "central", "east", "emea", "eu"}
    | {"europe", "external", "global", "green", "internal", "me", "north", "sa", "south", "uk", "us", "west"}
)
_NUMBERED = re.compile(r"([a-z][a-z-]*?)[-_]?(\d{1,3})")
_REGION = re.compile(
    r"(?:us|eu|ap|sa|ca|me|af|il|mx|cn)(?:-gov|-iso[a-z]?)?-(?:north|south|east|west|central)(?:east|west)?-\d"  # AWS
    r"|(?:africa|asia|australia|europe|me|northamerica|southamerica|us)-(?:north|south|east|west|central)"
    r"(?:east|west)?\d{1,2}"  # Google
)
_AZURE = frozenset(
    {"northeurope", "westeurope", "uksouth", "ukwest", "eastus", "eastus2", "westus", "westus2", "westus3", "centralus"}
    | {"northcentralus", "southcentralus", "francecentral", "germanywestcentral", "norwayeast", "swedencentral"}
    | {"switzerlandnorth", "australiaeast", "southeastasia", "eastasia", "japaneast", "canadacentral", "brazilsouth"}
    | {"centralindia", "koreacentral", "southafricanorth", "uaenorth"}
)
_ACCOUNT = re.compile(r"\d{12}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_BACKEND_WORD = re.compile(rf"(?:^|[._-])(?:{'|'.join(sorted(BACKEND_WORDS))})(?=[._-]|$)", re.IGNORECASE)
_SEPARATOR = re.compile(r"[._-]")


@cache
def is_usual(name: str) -> bool:
    """Whether that is a name that environments usually have, in any case: `prod`, `Dev2`, `prod-eu-west-1`."""
    lower = name.lower()
    if lower in USUAL_NAMES:
        return True
    numbered = _NUMBERED.fullmatch(lower)
    if numbered and numbered[1] in USUAL_NAMES:
        return True
    return any(
        usual in USUAL_NAMES and (is_place(rest) or all(part in _QUALIFIERS for part in _SEPARATOR.split(rest)))
        for usual, rest in splits(lower)
    )


def says_environment(name: str) -> bool:
    """Whether an environment's name is a part of it: `ab-dev`."""
    return is_usual(parts_of(name)[1])


@cache
def is_place(name: str) -> bool:
    """Whether that is a region of a cloud, or the number of an account: an environment where nothing else is one."""
    lower = name.lower()
    return lower in _AZURE or bool(_REGION.fullmatch(lower) or _ACCOUNT.fullmatch(lower))


def splits(name: str) -> Iterator[tuple[str, str]]:
    """Each way to cut a name in two at a separator, either part first: `a-b-c` is (a, b-c), (b-c, a), (a-b, c), ..."""
    for cut in _SEPARATOR.finditer(name):
        before, after = name[: cut.start()], name[cut.end() :]
        if before and after:
            yield before, after
            yield after, before


@cache
def parts_of(stem: str) -> tuple[str | None, str]:
    """(what else it says, the environment) of a file's stem; (None, the stem) where it is nothing but a name.

    `staging` is (None, "staging"), `vars-staging` is ("", "staging"), `core.staging` ("core", "staging"), and
    `dev.123456789012`, with the number of its account, ("", "dev").
    """
    if "." not in stem and (is_usual(stem) or is_place(stem)):
        return None, stem
    found = [(rest, name) for name, rest in splits(stem) if is_usual(name) or is_place(name)]
    if not found:
        return None, stem
    numbered = next((name for rest, name in found if is_usual(name) and _ACCOUNT.fullmatch(rest)), None)
    if numbered:
        return "", numbered
    rest, name = max(found, key=lambda pair: len(pair[1]))
    return ("" if _only(rest, FILLERS) else rest), name


def backend_parts(stem: str) -> tuple[str | None, str]:
    """The same for a file of `-backend-config`, whose words for a backend mean nothing either."""
    rest, name = parts_of(without_backend(stem))
    return rest or None, name


def without_backend(stem: str) -> str:
    """The stem without its words for a backend: `ab-dev` of `ab-dev.s3`."""
    return _BACKEND_WORD.sub("", stem).strip("._-")


def _only(text: str, words: frozenset[str]) -> bool:
    return all(part in words for part in _SEPARATOR.split(text.lower()))
