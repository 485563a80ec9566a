"""Which AWS profiles the Terraform asks for: an emulated cloud must know them by name, since nobody has them there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pytest_tfpipeline.model import Run

_SUFFIXES = (".tf", ".tofu", ".tfvars", ".tfbackend", ".tf.json", ".tofu.json", ".tfvars.json")
#: `profile = "NAME"` of a provider or a backend, and the same of variables (`aws_profile`, `hub_profile`).
_ASSIGNED = re.compile(r'(?<![\w-])"?[\w-]*profile[\w-]*"?\s*[=:]\s*"([^"\r\n$%{}\\\]]+)"', re.IGNORECASE)
_DEFAULT = re.compile(r'variable\s+"[\w-]*profile[\w-]*"\s*\{[^{}]*?default\s*=\s*"([^"\r\n$%{}\\\]]+)"', re.IGNORECASE)

_NAME = re.compile(r"[^\r\n\]]+")


def profiles_of(run: Run) -> tuple[str, ...]:
    """Names that may be those of profiles, sorted; one too many does no harm."""
    return tuple(sorted({*_written(run), *_given(run)}))


def _written(run: Run) -> Iterator[str]:
    files: dict[str, str] = json.loads(Path(run.files_path).read_bytes()) if run.files_path else {}
    given = {name for target in run.targets for name in (*target.var_files, *target.backend_config)}
    for name in files.keys() | given:
        if name.endswith(_SUFFIXES) or name in given:
            yield from _named(Path(run.repository.path) / name)
    for pair in (pair for target in run.targets for pair in target.backend_config if pair.startswith("profile=")):
        yield pair.partition("=")[2].strip()


def _named(path: Path) -> Iterator[str]:
    with suppress(OSError):  # a pair of a backend is no file, and a file may be absent
        text = path.read_text("utf-8", "replace")
        if "rofile" in text or "ROFILE" in text:
            yield from _ASSIGNED.findall(text)
            yield from _DEFAULT.findall(text)


def _given(run: Run) -> Iterator[str]:
    """Profiles among the variables and the environment variables that the configuration sets."""
    for target in run.targets:
        for name, value in (*target.vars.items(), *target.plan_env.items(), *target.apply_env.items()):
            if "profile" in name.lower() and isinstance(value, str) and _NAME.fullmatch(value):
                yield value
