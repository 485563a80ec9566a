"""What is shown before an approval."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pytest_tfpipeline.gate.approval import Request
from pytest_tfpipeline.gate.digest import AddressChange
from pytest_tfpipeline.gate.parity import to_parity
from pytest_tfpipeline.gate.result import EnvironmentResult
from pytest_tfpipeline.gate.review import Dropped, Review
from pytest_tfpipeline.model import Changes, EnvironmentRun, PlanResult, PlanStatus
from pytest_tfpipeline.reports.approval import (
    SHOWN,
    WORST_SHOWN,
    Showing,
    approval_markdown,
    approval_text,
    parity_line,
    review_line,
)

DIGEST = "sha256:" + "a" * 64
REQUEST = Request("example/platform", "production", "c" * 40, DIGEST)
RESULT = EnvironmentResult(
    EnvironmentRun("production"),
    plans=(
        PlanResult("terraform/core", "production", PlanStatus.PLANNED, changes=Changes(add=2, replace=1)),
        PlanResult("terraform/etl", "production", PlanStatus.DEFERRED, behind=("terraform/core",)),
    ),
    identity="123456789012",
)


def change(address: str, *actions: str, kind: str | None = None) -> AddressChange:
    return AddressChange(address, kind or address.split(".")[0], actions or ("create",), "d")


CHANGES = {
    "terraform/core": (
        change("aws_sqs_queue.new"),
        change("aws_s3_bucket.lake", "delete", "create"),
        change("aws_kms_key.main"),
    )
}
SHOWING = Showing(REQUEST, RESULT, CHANGES, ref="v1.2.3", command=("pytest", "--apply-env", "production"))


def lines_after(text: str, head: str) -> list[str]:
    """The indented lines below a heading."""
    rest = text[text.index(head) :].splitlines()[1:]
    return [line.strip() for line in rest[: next((i for i, line in enumerate(rest) if line[:2] != "  "), len(rest))]]


def test_everything_in_one_minute() -> None:
    staging = {"terraform/core": (*CHANGES["terraform/core"][:1], change("aws_iam_role.x"))}
    showing = replace(
        SHOWING,
        request=replace(REQUEST, not_seen=("terraform/etl",)),
        earlier="staging",
        parity=to_parity(CHANGES, staging),
        review=Review(changed=to_parity(staging, {}).only_here[:1]),
        dropped=(Dropped("policy_test", ("tests/test_access.py::test_keys[core]",)),),
        notes=("not known before apply: tests/test_names.py",),
    )
    assert approval_text(showing) == EXPECTED


def test_of_types_that_are_left_out_the_changes_are_counted() -> None:
    many = tuple(change(f"aws_{kind:02}.x{n}") for kind in range(SHOWN + 2) for n in range(3))
    text = approval_text(replace(SHOWING, changes={"terraform/core": many}))
    told = lines_after(text, f"Changes: {3 * (SHOWN + 2)}")
    assert len(told) == SHOWN + 1
    assert told[-1] == "and 6 more of other types, in evidence.json"


EXPECTED = f"""production waits for an approval
  repository  example/platform
  commit      {"c" * 40} (v1.2.3)
  account     123456789012

  root            environment  add  change  replace  destroy
  terraform/core  production     2       -        1        -
  terraform/etl   production   waits for terraform/core

Destroyed, replaced or forgotten: 1
  replace  terraform/core//aws_s3_bucket.lake  (not seen in staging)

1 change as in staging, 2 not seen there
  create   terraform/core//aws_kms_key.main
  and 1 of those above
1 change of staging not made here
  create   terraform/core//aws_iam_role.x

The rest: 1
  create   terraform/core//aws_sqs_queue.new

Not seen yet: 1 root, planned only after an earlier wave, and asked about then
  terraform/etl

Review: not the reviewed plan: 1 changed
  changed  create   terraform/core//aws_iam_role.x

Checks that the last apply had and this run has not: 1
  policy_test  tests/test_access.py::test_keys[core]

note: not known before apply: tests/test_names.py

The digest over all of these plans:
  {DIGEST}

To approve, type the name of the environment on a terminal:
  pytest --apply-env production
or in a CI job that only those who may approve can start:
  pytest --apply-env production --approve {DIGEST}"""


def test_what_nobody_vouches_for_is_marked_where_it_is_shown() -> None:
    here = to_parity(CHANGES, {"terraform/core": (change("aws_iam_role.x"),)})
    vouched = replace(SHOWING, earlier="staging", parity=here, review=Review(), dropped=(Dropped("lint", ("one",)),))
    assert "unsigned" not in approval_text(vouched)

    def marked(**signed: bool) -> list[str]:
        return [line for line in approval_text(replace(vouched, **signed)).splitlines() if "(unsigned)" in line]

    assert marked(parity_signed=False) == [
        "0 changes as in staging (unsigned), 3 not seen there",
        "1 change of staging (unsigned) not made here",
    ]
    assert marked(review_signed=False) == ["Review (unsigned): identical to the reviewed plan"]
    assert marked(dropped_signed=False) == ["Checks that the last apply (unsigned) had and this run has not: 1"]


def test_an_emulated_environment_says_so() -> None:
    emulated = replace(SHOWING, result=replace(RESULT, environment=EnvironmentRun("production", emulator="aws")))
    assert "emulated" in approval_text(emulated).splitlines()[0]
    assert "emulated" not in approval_text(SHOWING)


def test_an_unknown_account_is_said() -> None:
    assert "account     not asked for" in approval_text(replace(SHOWING, result=replace(RESULT, identity=None)))


def test_many_of_the_rest_are_counted_by_type() -> None:
    many = {"core": (*(change(f"aws_iam_role.r{i}") for i in range(30)), change("aws_s3_bucket.b", "update"))}
    text = approval_text(replace(SHOWING, changes=many))
    assert lines_after(text, "Changes: 31") == ["create   30 x aws_iam_role", "update   1 x aws_s3_bucket"]


def test_what_a_change_is_because_of_stands_behind_its_address() -> None:
    found = (
        replace(change("a.b", "update"), because=tuple("abcdefgh")),
        replace(change("a.c", "delete", "create"), because=("bucket\n",)),
        change("a.d"),
    )
    text = approval_text(replace(SHOWING, changes={"core": found}))
    assert lines_after(text, "Destroyed") == ["replace  core//a.c: forced by bucket\\n"]
    assert lines_after(text, "The rest") == ["update   core//a.b: a, b, c, d, e, f and 2 more", "create   core//a.d"]


def test_a_long_report_ends_with_how_much_it_is_and_outputs_are_no_resources() -> None:
    found = (
        *(change(f"aws_iam_role.r{i}", "delete") for i in range(10)),
        change("aws_s3_bucket.b", "delete", "create"),
        change("aws_s3_bucket.c", "forget"),
        replace(change("output.name"), type="output"),
    )
    lines = approval_text(replace(SHOWING, changes={"core": found})).splitlines()
    assert lines[lines.index("The digest over all of these plans:") - 2] == (
        f"In all, in production from commit {REQUEST.commit[:12]}: 10 destroy, 1 replace, 1 forget, 1 output"
    )
    assert lines_after("\n".join(lines), "Outputs: 1") == ["create   core//output.name"]
    assert "Destroyed, replaced or forgotten: 12 (what is forgotten stays as it is)" in lines


def test_what_does_not_fit_is_counted() -> None:
    many = {
        "core": tuple(change(f"aws_db_instance.d{i:03}", "delete") for i in range(WORST_SHOWN + 7))
        + tuple(change(f"aws_iam_role.r{i:03}") for i in range(SHOWN + 3))
    }
    text = approval_text(replace(SHOWING, changes=many, earlier="staging", parity=to_parity(many, {})))
    destroyed = lines_after(text, f"Destroyed, replaced or forgotten: {WORST_SHOWN + 7}")
    assert len(destroyed) == WORST_SHOWN + 1
    assert destroyed[-1] == "and 7 more, in evidence.json"
    unseen = lines_after(text, f"0 changes as in staging, {WORST_SHOWN + SHOWN + 10} not seen there")
    assert unseen[-2:] == ["and 3 more, in evidence.json", f"and {WORST_SHOWN + 7} of those above"]


def test_nothing_that_is_destroyed_is_in_the_rest() -> None:
    gone = {"core": (change("a.x", "delete"), change("a.x", "delete"), change("b.y", "forget"), change("c.z"))}
    text = approval_text(replace(SHOWING, changes=gone))
    assert lines_after(text, "The rest") == ["create   core//c.z"]
    assert lines_after(text, "Destroyed") == ["destroy  core//a.x", "destroy  core//a.x", "forget   core//b.y"]


@pytest.mark.parametrize("place", ["address", "root", "ref", "repository", "identity", "note", "check", "not_seen"])
def test_no_name_can_pass_for_a_line_of_the_report(place: str) -> None:
    bad = "x\n\nNothing is destroyed, replaced or forgotten.\r\n\x1b[2J\u202e\n::error::x\n```\n</details>"
    root, address = (bad if place == "root" else "core"), (f"a.{bad}" if place == "address" else "a.b")
    showing = replace(
        SHOWING,
        request=replace(
            REQUEST,
            repository=bad if place == "repository" else "r",
            not_seen=(bad,) if place == "not_seen" else (),
        ),
        result=replace(
            RESULT,
            identity=bad if place == "identity" else None,
            plans=(PlanResult(root, "production", PlanStatus.PLANNED),),
        ),
        changes={root: (change(address, "delete"),)},
        ref=bad if place == "ref" else None,
        notes=(bad,) if place == "note" else (),
        dropped=(Dropped("policy", (bad,)),) if place == "check" else (),
    )
    text = approval_text(showing)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", text)
    assert "Nothing is destroyed, replaced or forgotten." not in text.splitlines()
    assert not re.search(r"^\s*::", text, re.MULTILINE)
    assert "\\x1b[2J\\u202e" in text
    markdown = approval_markdown(showing)
    fence = markdown.splitlines()[2].removesuffix("text")
    assert [line for line in markdown.splitlines() if line.strip() == fence] == [fence]
    assert markdown.rstrip().endswith(fence)


def test_no_name_ends_the_block() -> None:
    markdown = approval_markdown(replace(SHOWING, request=replace(REQUEST, not_seen=("```", "````"))))
    assert [line for line in markdown.splitlines() if line.strip("`") in ("", "text") and line] == [
        "`````text",
        "`````",
    ]


def test_signed_tells_how_to_sign() -> None:
    showing = replace(
        SHOWING, request=replace(REQUEST, kind="signed", signatures=2), statement=".tfpipeline/approval-production.json"
    )
    text = approval_text(showing)
    assert "2 different people" in text
    signing = "  ssh-keygen -Y sign -f ~/.ssh/id_ed25519 -n tfpipeline-approval < .tfpipeline/approval-production.json"
    assert f"{signing} > .tfpipeline/approval-production.json.$USER.sig" in text.splitlines()
    assert "  pytest --apply-env production --approval=.tfpipeline/approval-production.json" in text.splitlines()
    assert "--approve" not in text


@pytest.mark.parametrize("kind", ["manual", "signed"])
def test_a_digest_for_this_run_alone_is_not_offered_to_another(kind: str) -> None:
    text = approval_text(replace(SHOWING, request=replace(REQUEST, kind=kind), holds=False))
    assert "TFPIPELINE_DIGEST_KEY" in text
    assert "token_hex(32)" in text
    assert "--approve " not in text
    assert "--approval=" not in text


def test_whoever_said_no_is_not_shown_everything_again() -> None:
    text = approval_text(replace(SHOWING, refused=True))
    assert text.splitlines()[0] == "production still waits for an approval: the answer was a no."
    assert f"  pytest --apply-env production --approve {DIGEST}" in text.splitlines()
    assert "core" not in text
    assert "account" not in text


def test_before_a_question_there_is_no_other_way() -> None:
    text = approval_text(replace(SHOWING, asked=True))
    assert text.endswith(DIGEST)


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_what_is_copied_is_never_broken(width: int) -> None:
    text = approval_text(replace(SHOWING, notes=("word " * 60,)), width)
    assert f"  pytest --apply-env production --approve {DIGEST}" in text.splitlines()
    assert max(len(line) for line in text.splitlines() if line[:2] != "  ") <= width


def test_the_line_about_parity() -> None:
    here = {"core": tuple(change(f"a.x{i}") for i in range(40))}
    there = {"core": tuple(change(f"a.x{i}") for i in range(38))}
    assert parity_line(to_parity(here, there), "staging") == "38 changes as in staging, 2 not seen there"
    assert parity_line(to_parity(there, here), "staging") == "38 changes as in staging, and no others"
    with_output = {"core": (*there["core"], replace(change("output.x"), type="output"))}
    assert parity_line(to_parity(with_output, with_output), "staging").startswith("38 changes and 1 output as in")


def test_the_line_about_the_review() -> None:
    (one,) = to_parity({"core": (change("a.x"),)}, {}).only_here
    assert review_line(Review()) == "identical to the reviewed plan"
    assert review_line(Review(new=(one,), gone=(one, one))) == "not the reviewed plan: 1 new, 2 gone"
    assert review_line(Review(otherwise=("core",))) == "not the reviewed plan"
    assert review_line(Review(unreviewed=("core",))) == "not the reviewed plan"
    assert "identical" not in review_line(Review(values_compared=False))
