"""The documentation's table of all keys, made from the models.

`python -m pytest_tfpipeline.config.reference` prints it; with `--write` it renews the generated parts of
`docs/configuration.md` and `schema.json`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pytest_tfpipeline.config.describe import Key, keys
from pytest_tfpipeline.config.location import ANY
from pytest_tfpipeline.config.protect import DEFAULT_PROTECT
from pytest_tfpipeline.config.schema import SCHEMA_PATH, schema_text

BEGIN = "<!-- generated: python -m pytest_tfpipeline.config.reference --write -->"
END = "<!-- end of generated -->"
_DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"


def keys_table() -> str:
    """Markdown: every key with type, default and meaning, a section for each table, and the protected types."""
    sections = [_section("At the top", (), "")]
    sections += [_section(_heading(key), key.path, key.meaning) for key in keys() if _is_table(key)]
    protected = "\n".join(f"- `{name}`" for name in DEFAULT_PROTECT)
    return "\n\n".join([*sections, f"### Protected by default\n\n{protected}"]) + "\n"


def document(text: str) -> str:
    """A document with what stands between its markers renewed; ValueError where it has none."""
    before, rest = text.split(BEGIN, 1)
    return f"{before}{BEGIN}\n\n{keys_table()}\n{END}{rest.split(END, 1)[1]}"


def main(arguments: list[str]) -> int:
    """Print the table, or write it to where it belongs (`--write`)."""
    if arguments == ["--write"] and not _DOCUMENT.is_file():
        sys.stderr.write(f"{_DOCUMENT} is not there: --write works in a checkout only\n")
        return 1
    if arguments == ["--write"]:
        _DOCUMENT.write_text(document(_DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
        SCHEMA_PATH.write_text(schema_text(), encoding="utf-8")
    else:
        sys.stdout.write(keys_table())
    return 0


def _is_table(key: Key) -> bool:
    """Whether it has keys of its own (`environment` itself has names, which have)."""
    return any(other.path[:-1] == key.path and other.path[-1] != ANY for other in keys())


def _heading(key: Key) -> str:
    dotted = ".".join(key.path)
    return f"`[[{dotted}]]`" if key.array else f"`{dotted}`" if len(key.path) > 2 else f"`[{dotted}]`"


def _section(heading: str, table: tuple[str, ...], meaning: str) -> str:
    rows = [_row(key) for key in keys() if key.path[:-1] == table and key.path[-1] != ANY]
    head = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    intro = [meaning, ""] if meaning else []
    return "\n".join([f"### {heading}", "", *intro, *head, *rows])


def _row(key: Key) -> str:
    return f"| `{key.path[-1]}` | {key.type} | {key.default} | {key.meaning} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
