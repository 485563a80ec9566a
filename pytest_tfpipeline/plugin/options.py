"""The command-line options, as data: pytest's parser, the documentation and the gate read the same table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True, slots=True)
class Option:
    """One option: `dest` is its name in `config.option`, `extra` what argparse needs besides."""

    flag: str
    metavar: str
    help: str
    extra: dict[str, Any]

    @property
    def dest(self) -> str:
        """`--tf-plan` is `config.option.tf_plan`."""
        return self.flag.lstrip("-").replace("-", "_")


#: An environment that is not named is refused by us, who can say what to write.
_MAY_LACK_VALUE: dict[str, Any] = {"nargs": "?", "const": ""}

OPTIONS = (
    Option(
        "--tf-plan",
        "ENV[,ENV]",
        "plan every root of these environments, with policies on the plans; nothing is applied",
        {"action": "append", **_MAY_LACK_VALUE},
    ),
    Option(
        "--apply-env",
        "ENV",
        "check and plan as --tf-plan does, then apply exactly those plans, only if everything passed",
        _MAY_LACK_VALUE,
    ),
    Option(
        "--allow-destroy",
        "ROOT//ADDRESS",
        "let the plan delete or replace this protected resource; may be repeated; counts only when typed",
        {"action": "append"},
    ),
    Option(
        "--tf-list",
        "FORMAT",
        "show every directory with Terraform or a Python suite and what it was taken for, then exit (or: json)",
        {"nargs": "?", "const": "table", "choices": ["table", "json"]},
    ),
    Option("--tf-config", "FILE", "read the configuration from this TOML file", {}),
    Option("--tf-output", "DIR", "where evidence and private copies go (default: .tfpipeline)", {}),
)

#: Options that apply or that loosen the gate: they count only when they were typed on the command line.
TYPED_ONLY = ("--apply-env", "--allow-destroy")


def add_options(parser: pytest.Parser) -> None:
    """Put all of them into one group of `pytest --help`."""
    group = parser.getgroup("tfpipeline", "Terraform pipeline")
    for option in OPTIONS:
        shown = {} if option.extra.get("choices") else {"metavar": option.metavar}
        group.addoption(option.flag, dest=option.dest, default=None, help=option.help, **shown, **option.extra)


def options_table() -> str:
    """The options as a Markdown table."""
    rows = [f"| `{option.flag}` | `{option.metavar}` | {option.help} |" for option in OPTIONS]
    return "\n".join(["| option | value | what it does |", "|---|---|---|", *rows])
