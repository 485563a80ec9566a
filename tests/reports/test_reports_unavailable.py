"""What cannot be had is named once, and what fails alike in many directories is shown once."""

from __future__ import annotations

import pytest

from pytest_tfpipeline.model import CheckKind, Finding, Outcome, Record, Severity
from pytest_tfpipeline.reports.folding import SHOWN as SHOWN_IN_FULL
from pytest_tfpipeline.reports.folding import folded
from pytest_tfpipeline.reports.unavailable import SHOWN, unavailable

_NEWEST = "Could not retrieve the list of available versions for provider x/aws: no available releases match the given "


def _record(dir_: str, text: str, rule: str = "no-provider") -> Record:
    finding = Finding(rule, Severity.ERROR, text)
    return Record(f"{dir_}/main.tf::validate", CheckKind.VALIDATE, Outcome.FAILED, dir_, findings=(finding,))


@pytest.mark.parametrize(
    ("rule", "text", "name"),
    [
        ("no-provider", f"Failed to query\n{_NEWEST}constraints >= 6.28.0", "provider x/aws >= 6.28.0"),
        (
            "no-provider",
            "Failed to resolve\nCould not resolve provider x/aws: the previously-selected version 5.64.0 is gone",
            "provider x/aws 5.64.0",
        ),
        ("no-provider", "Could not resolve provider x/tls: could not connect to registry.test: no", "provider x/tls"),
        (
            "no-module",
            'Could not download module "m" (a/m.tf:4) source code from "git::https://x.test/y.git?ref=1": error',
            "module git::https://x.test/y.git?ref=1",
        ),
        (
            "no-module",
            'Failed to retrieve available versions for module "s3" (main.tf:1) from registry.test: failed to request',
            'module "s3" of registry.test',
        ),
        ("terraform-version", "terraform >= 1.13.0 is asked for, and this run uses 1.11.4.", "terraform >= 1.13.0"),
    ],
)
def test_each_kind_by_its_name(rule: str, text: str, name: str) -> None:
    assert unavailable([_record("a", text, rule)]) == [f"cannot be had here: {name}, wanted by a"]


def test_one_line_however_many_want_it_and_nothing_of_what_is_wrong() -> None:
    records = [_record(f"r{index}", f"{_NEWEST}constraints 6.0") for index in range(5)]
    records += [records[0], _record("x", "provider x/y: invalid", rule="terraform")]
    assert unavailable(records) == ["cannot be had here: provider x/aws 6.0, wanted by r0, r1, r2 and 2 more"]


def test_what_is_not_shown_is_counted() -> None:
    records = [_record("a", f"for provider x/p{index}: no") for index in range(SHOWN + 2)]
    assert unavailable(records)[SHOWN:] == ["2 more cannot be had here; evidence.json names them"]


def test_the_same_of_another_directory_is_a_line() -> None:
    failures = [
        ("a::x", "a", "a/main.tf: bad\n  ask a man\n  -> mend a/x.tf"),
        ("b::x", "b", "b/main.tf: bad\n  ask b man\n  -> mend b/x.tf"),
        ("c::x", "c", "c/main.tf: worse\n  ask c man\n  -> mend c/x.tf"),
        ("d::x", "d", "d/main.tf: bad\n  ask d man\n  -> mend it"),
        ("e::x", "e", "short\nand"),
        ("f::x", "f", "short\nand"),
    ]
    first, second, *others = folded(failures)
    assert first == failures[0][2]
    assert second == "b/main.tf: bad\n  and on as above, of a::x"
    assert others == [text for _, _, text in failures[2:]]


def test_of_a_thousand_that_differ_only_some_are_shown_in_full() -> None:
    failures = [(f"r{n}::fmt", f"r{n}", f"not formatted\n-  x = {n}\n+ x = {n}") for n in range(SHOWN_IN_FULL + 3)]
    *full, first, second, third = folded([("a::lint", "a", "short"), *failures])
    assert full == ["short", *(text for _, _, text in failures[:-3])]
    assert first.startswith("not formatted\n  and more: from here on, only the first line of each; -v shows all")
    assert [second, third] == ["not formatted"] * 2
