"""Why an environment could not be made, and what can be done about it: pure, from what uv said."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pytest_tfpipeline.process import Outcome

_SHOWN_LINES = 15

_COMPILER = (
    "a package has no wheel for this Python and this machine, and cannot be compiled here: pin a version that has one, "
    "set `python` in its [[suite]], or install the compiler and the headers that it asks for"
)
_PYTHON = "install that Python, or name another with `python` in its [[suite]]"
_INDEX = (
    "the package index could not be reached (uv's own settings, UV_INDEX_URL and UV_FIND_LINKS, count); once it is "
    "built, the environment is kept and no connection is needed"
)
_REQUIREMENTS = (
    "correct the requirements, or name others with `requirements` in its [[suite]]; once it is built, the "
    "environment is kept and no connection is needed"
)
_NO_PYTHON = "No interpreter found|[Nn]o download found"
_NO_NETWORK = "Failed to fetch|dns error|error sending request|network|offline"
#: What can be done, by what uv said; the first that is found counts.
_MENDS = (
    (r"error: [Cc]ommand '\[?'?[^ ]*(?:cc|clang|\+\+)'|[Nn]o such file or directory: '[^ ]*(?:cc|clang)'", _COMPILER),
    (r"Unable to find .*compiler|pg_config|fatal error: .*\.h|Rust (?:compiler|toolchain)|\bcargo\b", _COMPILER),
    (_NO_PYTHON, _PYTHON),
    (_NO_NETWORK, _INDEX),
    (r"", _REQUIREMENTS),
)


def explain_python(outcome: Outcome, files: Sequence[str], wanted: str) -> str:
    """The same for `uv venv`, which needs nothing but the Python that is `wanted`."""
    if not re.search(f"{_NO_PYTHON}|{_NO_NETWORK}", outcome.stderr):
        return explain(outcome, files, "venv")
    where = f" ({', '.join(files)})" if files else ""
    last = [line.strip() for line in outcome.stderr.splitlines() if line.strip()][-1:]
    said = "".join(f"\n  {line}" for line in last)
    return (
        f"environment not prepared: Python {wanted}{where} is not on this machine, and uv could not download it"
        f"{said}\n-> {_PYTHON}"
    )


def explain(outcome: Outcome, files: Sequence[str], step: str) -> str:
    """What it was to be built from, what `uv STEP` said last, and what can be done."""
    built_from = ", ".join(files) or "pytest alone: the suite names no requirements"
    why = f"no answer within {outcome.seconds:.0f} s" if outcome.timed_out else outcome.error
    lines = [line.rstrip() for line in outcome.stderr.splitlines() if line.strip()][-_SHOWN_LINES:]
    said = "\n".join(f"  {line}" for line in (*lines, *([why] if why else [])))
    mend = next(mend for pattern, mend in _MENDS if re.search(pattern, outcome.stderr))
    return f"environment not prepared: uv {step} failed ({built_from})\n{said}\n-> {mend}"
