"""Variables without a value: known before terraform is asked, and all at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from pytest_tfpipeline.config.entries import Home, literal, root_entry
from pytest_tfpipeline.discover.assigned import assigned
from pytest_tfpipeline.model import Root, Variable
from pytest_tfpipeline.redact import looks_secret

#: What terraform reads in a root's directory without being told.
_BY_ITSELF = ("terraform.tfvars", "terraform.tfvars.json", "*.auto.tfvars", "*.auto.tfvars.json")
_PLAIN = {"number": 0, "bool": False}


def unfilled(
    root: Root, top: Path, var_files: Iterable[str], given: Iterable[str], environ: Collection[str]
) -> tuple[Variable, ...]:
    """The root's required variables that nothing gives a value to; `top` is the tree in which the files are.

    `given` are names that have one, `environ` those of environment variables. Where a file cannot be read, or a part of
    the configuration could not, it is terraform's to say what is missing: ().
    """
    required = [variable for variable in root.variables if variable.required]
    if not required or any(problem.rule != "unreadable-file" for problem in root.problems):
        return ()
    known = {*given, *(name.removeprefix("TF_VAR_") for name in environ if name.startswith("TF_VAR_"))}
    for path in _files(root, top, var_files):
        names = assigned(path)
        if names is None:
            return ()
        known |= names
    return tuple(variable for variable in required if variable.name not in known)


def fill_lines(home: Home, root_dir: str, variables: Iterable[Variable]) -> tuple[str, ...]:
    """The entry of the configuration that gives them values."""
    return root_entry(home, literal(root_dir), {"vars": {one.name: example(one) for one in variables}})


def example(variable: Variable) -> object:
    """A value of the variable's type to be replaced; a secret is read from the environment."""
    kind = variable.type
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind.startswith(("list", "set", "tuple")):
        return []
    if kind.startswith(("map", "object")):
        return {}
    return f"${{{variable.name.upper()}}}" if variable.sensitive or looks_secret(variable.name) else "..."


def _files(root: Root, top: Path, var_files: Iterable[str]) -> Iterator[Path]:
    for pattern in _BY_ITSELF:
        yield from sorted((top / root.dir).glob(pattern))
    yield from (top / name for name in var_files)
