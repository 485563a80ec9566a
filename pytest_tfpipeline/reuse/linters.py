"""What the configuration of tflint, checkov and ruff makes their answers depend on."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from pytest_tfpipeline.checks.checkov import CONFIGURATIONS
from pytest_tfpipeline.checks.tflint import CONFIGURATION
from pytest_tfpipeline.reuse.tree import Tree, Unknowable

_COMMENT = re.compile(r"^\s*(?:#|//).*$", re.MULTILINE)
_PLUGIN = re.compile(r'^\s*plugin\s+"([^"]*)"\s*\{([^}]*)', re.MULTILINE)
_PINNED = re.compile(r'^\s*version\s*=\s*"', re.MULTILINE)
_RULESET = re.compile(r'^\s*source\s*=\s*"github\.com/terraform-linters/tflint-ruleset-(\w+)"', re.MULTILINE)
#: Rulesets that are known to judge by the configuration and nothing else, as long as `deep_check` is off.
_RULESETS = frozenset({"terraform", "aws", "google", "azurerm"})
_DEEP = re.compile(r"^\s*deep_check\s*=\s*(?!false\b)", re.MULTILINE)
_CALLED_MODULES = re.compile(r'^\s*(?:call_module_type\s*=\s*"all"|module\s*=\s*true)', re.MULTILINE)
_VAR_FILES = re.compile(r"^\s*varfile\s*=", re.MULTILINE)
#: Settings of checkov that choose among its own rules; any other may read anything.
_PLAIN = frozenset(
    {"check", "skip-check", "soft-fail", "soft-fail-on", "hard-fail-on", "compact", "quiet", "framework"}
)
_TOP_LEVEL = re.compile(r"^([A-Za-z][\w-]*)\s*:(?:\s|$)")
_RUFF_FILES = ("pyproject.toml", "ruff.toml", ".ruff.toml")
_EXTENDS = re.compile(r'^\s*"?extend"?\s*=|\bextend\s*=\s*"|\$|"[/~]', re.MULTILINE)


def upwards(directory: str) -> Iterator[str]:
    """The directory and those above it, up to the top."""
    while directory != ".":
        yield directory
        directory = posixpath.dirname(directory) or "."
    yield "."


def of_tflint(tree: Tree, directory: str, *, remote: bool) -> dict[str, str]:
    """What counts for tflint in that directory, `remote` if it calls modules that are not in the tree. Raises
    Unknowable."""
    name = next((path for path in _named(tree, upwards(directory), (CONFIGURATION,))), None)
    if name is None:
        return {}
    text = _COMMENT.sub("", tree.content(name).decode("utf-8", "replace"))
    if not all(_is_known(plugin, body) for plugin, body in _PLUGIN.findall(text)):
        raise Unknowable(f"{name} names a ruleset that may read more than the configuration")
    if _DEEP.search(text):
        raise Unknowable(f"{name} has tflint ask the cloud")
    if remote and _CALLED_MODULES.search(text):
        raise Unknowable(f"{name} has tflint look into modules that are not in the repository")
    return {name: tree.digest(name)} | ({"*": tree.whole} if _VAR_FILES.search(text) else {})


def _is_known(plugin: str, body: str) -> bool:
    source = _RULESET.search(body)
    if source is None:
        return plugin == "terraform" and "source" not in body
    return source[1] in _RULESETS and _PINNED.search(body) is not None


def of_checkov(tree: Tree, directory: str) -> dict[str, str]:
    """The same for checkov."""
    name = next((path for path in _named(tree, (directory, "."), CONFIGURATIONS)), None)
    if name is None:
        return {}
    for line in tree.content(name).decode("utf-8", "replace").splitlines():
        found = _TOP_LEVEL.match(line)
        plain = not line.strip() or line.startswith((" ", "#", "-")) or line.strip() == "---"
        if not (plain or (found and found[1] in _PLAIN)):
            raise Unknowable(f"{name} has settings by which checkov may read more than the configuration")
    return {name: tree.digest(name)}


def of_ruff(tree: Tree, directory: str) -> dict[str, str]:
    """The same for ruff, which takes the nearest configuration of each file, and what that one extends."""
    inside = {posixpath.dirname(name) or "." for name in tree.below(directory)}
    places = dict.fromkeys((*sorted(inside), *upwards(directory)))
    names = list(_named(tree, places, _RUFF_FILES))
    extends = any(_EXTENDS.search(tree.content(name).decode("utf-8", "replace")) for name in names)
    return tree.digests(names) | ({"*": tree.whole} if extends else {})


def _named(
    tree: Tree, places: Iterator[str] | dict[str, None] | tuple[str, ...], names: tuple[str, ...]
) -> Iterator[str]:
    for place in places:
        for name in names:
            path = posixpath.normpath(posixpath.join(place, name))
            if path in tree.names:
                yield path
