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
        "--promote-to",
        "ENV",
        "with --apply-env: then this environment, once the one before was applied; may be repeated",
        {"action": "append"},
    ),
    Option(
        "--approve",
        "DIGEST",
        "approve exactly the plans with this digest, which a waiting run names; counts only when typed",
        {"action": "append"},
    ),
    Option(
        "--approval",
        "FILE",
        "an approval statement with signatures beside it (FILE.sig, FILE.NAME.sig); may be repeated",
        {"action": "append"},
    ),
    Option(
        "--tf-prior",
        "EVIDENCE",
        "what an earlier environment or the review proved: evidence.json, or evidence.statement.json with its "
        "signature; may be repeated",
        {"action": "append"},
    ),
    Option(
        "--tf-rollback",
        "",
        "let a commit be applied that does not contain the one applied last",
        {"action": "store_true"},
    ),
    Option(
        "--allow-destroy",
        "ROOT//ADDRESS",
        "let the plan delete or replace this protected resource; may be repeated; counts only when typed",
        {"action": "append"},
    ),
    Option("--tf-group", "NAME", "restrict the run to this group's roots, modules, suites and policy tests", {}),
    Option(
        "--tf-baseline",
        "",
        "record what fmt, lint and policy checks find, so that only new findings fail from then on; applies nothing",
        {"action": "store_true"},
    ),
    Option(
        "--tf-list",
        "FORMAT",
        "show every directory with Terraform or a Python suite and what it was taken for, then exit (or: json)",
        {"nargs": "?", "const": "table", "choices": ["table", "json"]},
    ),
    Option(
        "--tf-changed",
        "REF",
        "check only what a change since REF can affect (default: since this branch left the default branch; what is "
        "not committed counts too); never with --apply-env",
        {"nargs": "?", "const": True},
    ),
    Option("--tf-config", "FILE", "read the configuration from this TOML file", {}),
    Option(
        "--tf-operator",
        "FILE",
        "let this TOML file, which lives outside of the checkout, fix rules that the repository may only tighten",
        {},
    ),
    Option("--tf-output", "DIR", "where evidence and private copies go (default: .tfpipeline)", {}),
)

#: Options that apply or that loosen the gate: they count only when they were typed on the command line.
TYPED_ONLY = (
    "--apply-env",
    "--promote-to",
    "--approve",
    "--approval",
    "--tf-prior",
    "--tf-rollback",
    "--allow-destroy",
    "--tf-group",
    "--tf-baseline",
    "--tf-operator",
)


def add_options(parser: pytest.Parser) -> None:
    """Put all of them into one group of `pytest --help`."""
    group = parser.getgroup("tfpipeline", "Terraform pipeline")
    for option in OPTIONS:
        plain = option.extra.get("choices") or option.extra.get("action") == "store_true"
        shown = {} if plain else {"metavar": option.metavar}
        group.addoption(option.flag, dest=option.dest, default=None, help=option.help, **shown, **option.extra)


def options_table() -> str:
    """The options as a Markdown table."""
    rows = [
        f"| `{option.flag}` | {f'`{option.metavar}`' if option.metavar else ''} | {option.help} |" for option in OPTIONS
    ]
    return "\n".join(["| option | value | what it does |", "|---|---|---|", *rows])
