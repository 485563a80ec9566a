"""`to_approval`: what was asked for against what was given, by table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tfpipeline.gate.approval import (
    Approval,
    Claim,
    Request,
    Typed,
    different_people,
    meant_for,
    to_approval,
)
from pytest_tfpipeline.gate.reasons import Code
from pytest_tfpipeline.proof.approval import MAX_AHEAD, SignedApproval, Statement
from pytest_tfpipeline.proof.ssh import Signature

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
COMMIT = "c" * 40
MANUAL = Request("example/platform", "production", COMMIT, DIGEST)
SIGNED = replace(MANUAL, kind="signed", signatures=2)
HOLDS = Statement("example/platform", "production", COMMIT, DIGEST, NOW + timedelta(hours=24))
ANN, BOB, CEM = Signature("ann", "SHA256:1"), Signature("bob", "SHA256:2"), Signature("cem", "SHA256:3")


def signed(*signers: Signature, source: str = "approval.json", **changes: Any) -> SignedApproval:
    return SignedApproval(source, replace(HOLDS, **changes), signers)


def codes(request: Request, *claims: Claim) -> list[Code]:
    approval, reasons = to_approval(request, claims, NOW)
    assert (approval is None) == bool(reasons)
    return [reason.code for reason in reasons]


def text(request: Request, *claims: Claim) -> str:
    return "\n".join(reason.text for reason in to_approval(request, claims, NOW)[1])


def test_the_whole_digest_approves() -> None:
    approval, reasons = to_approval(MANUAL, [Typed(DIGEST)], NOW)
    assert approval == Approval("manual", DIGEST, ("--approve",), "2026-03-01T12:00:00Z", None)
    assert reasons == ()


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "a" * 64,
        DIGEST[:-1],
        DIGEST[:14],
        DIGEST.upper(),
        f" {DIGEST}",
        f"{DIGEST}\n",
        f"{DIGEST}a",
        "production",
        "*",
    ],
)
def test_less_or_more_than_the_digest_does_not(typed: str) -> None:
    assert codes(MANUAL, Typed(typed)) == [Code.APPROVAL_INVALID]
    assert "is not a digest" in text(MANUAL, Typed(typed))


def test_another_digest_is_named_beside_the_one_that_waits() -> None:
    assert codes(MANUAL, Typed(OTHER)) == [Code.APPROVAL_INVALID]
    assert OTHER in text(MANUAL, Typed(OTHER))
    assert DIGEST in text(MANUAL, Typed(OTHER))


def test_a_request_without_a_digest_cannot_be_approved_by_an_equal_one() -> None:
    for nothing in ("", "unchanged", "sha256:"):
        assert codes(replace(MANUAL, digest=nothing), Typed(nothing)) == [Code.APPROVAL_INVALID]


@pytest.mark.parametrize("request_", [MANUAL, SIGNED], ids=["manual", "signed"])
def test_nothing_given_is_missing(request_: Request) -> None:
    assert codes(request_) == [Code.APPROVAL_MISSING]
    assert DIGEST in text(request_)


def test_one_of_several_that_were_typed_is_enough() -> None:
    assert codes(MANUAL, Typed(OTHER), Typed(DIGEST)) == []


def test_who_answered_on_a_terminal_is_kept() -> None:
    approval, _ = to_approval(MANUAL, [Typed(DIGEST, by="terminal: ann")], NOW)
    assert approval is not None
    assert approval.by == ("terminal: ann",)


def test_an_approval_of_the_other_kind_does_not_count() -> None:
    assert codes(MANUAL, signed(ANN, BOB)) == [Code.APPROVAL_INVALID]
    assert codes(SIGNED, Typed(DIGEST)) == [Code.APPROVAL_INVALID]
    assert "--approval FILE" in text(SIGNED, Typed(DIGEST))


@pytest.mark.parametrize("kind", ["none", "", "Manual", "SIGNED", "auto"])
def test_a_kind_that_is_none_approves_nothing(kind: str) -> None:
    assert codes(replace(MANUAL, kind=kind), Typed(DIGEST), signed(ANN, BOB)) == [Code.APPROVAL_INVALID]


def test_two_of_two_people() -> None:
    approval, _ = to_approval(SIGNED, [signed(BOB, ANN)], NOW)
    assert approval == Approval(
        "signed", DIGEST, ("ann (SHA256:1)", "bob (SHA256:2)"), "2026-03-01T12:00:00Z", "2026-03-02T12:00:00Z"
    )


def test_each_may_sign_a_statement_of_their_own_and_the_first_expiry_counts() -> None:
    early = signed(BOB, source="b.json", expires=NOW + timedelta(hours=1))
    approval, _ = to_approval(SIGNED, [signed(ANN, source="a.json"), early], NOW)
    assert approval is not None
    assert approval.expires == "2026-03-01T13:00:00Z"


@pytest.mark.parametrize(
    ("signers", "count"),
    [
        ((), 0),
        ((ANN,), 1),
        ((ANN, ANN), 1),
        ((ANN, Signature("ann", "SHA256:9")), 1),
        ((ANN, Signature("ANN", "SHA256:9")), 1),
        ((ANN, Signature("bob", "SHA256:1")), 1),
    ],
)
def test_fewer_than_two_people_with_two_keys(signers: tuple[Signature, ...], count: int) -> None:
    assert codes(SIGNED, signed(*signers)) == [Code.APPROVAL_MISSING]
    assert f"{count} of 2 signatures" in text(SIGNED, signed(*signers))


@pytest.mark.parametrize("request_", [replace(SIGNED, signatures=0), replace(SIGNED, signatures=-1)])
def test_no_number_of_signatures_makes_none_enough(request_: Request) -> None:
    assert codes(request_, signed()) == [Code.APPROVAL_MISSING]


def test_names_in_capitals_are_people_too() -> None:
    assert codes(SIGNED, signed(Signature("Ann@Example.org", "SHA256:1"), Signature("BOB", "SHA256:2"))) == []


def test_one_signature_where_one_is_wanted() -> None:
    assert codes(replace(SIGNED, signatures=1), signed(ANN)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"environment": "staging"}, "staging"),
        ({"environment": "Production"}, "Production"),
        ({"repository": "example/fork"}, "example/fork"),
        ({"commit": "d" * 40}, "d" * 40),
        ({"plan_set_digest": OTHER}, OTHER),
        ({"expires": None}, "no expiry"),
        ({"expires": NOW}, "expired at 2026-03-01T12:00:00Z"),
        ({"expires": NOW - timedelta(seconds=1)}, "expired"),
        ({"expires": NOW + MAX_AHEAD + timedelta(seconds=1)}, "7 days at most"),
    ],
)
def test_a_statement_of_something_else_does_not_count(change: dict[str, Any], said: str) -> None:
    claim = signed(ANN, BOB, **change)
    assert set(codes(SIGNED, claim)) == {Code.APPROVAL_INVALID}
    assert f"approval.json: it {'approves' if 'exp' not in next(iter(change)) else ''}".strip() in text(SIGNED, claim)
    assert said in text(SIGNED, claim)


@pytest.mark.parametrize("left", [timedelta(seconds=1), MAX_AHEAD])
def test_the_bounds_of_the_expiry_hold(left: timedelta) -> None:
    assert codes(SIGNED, signed(ANN, BOB, expires=NOW + left)) == []


def test_without_a_commit_nothing_is_approved_by_a_statement() -> None:
    assert Code.APPROVAL_INVALID in codes(replace(SIGNED, commit=""), signed(ANN, BOB, commit=""))


def test_signatures_of_a_statement_that_does_not_hold_do_not_count_for_one_that_does() -> None:
    stale = signed(ANN, source="old.json", plan_set_digest=OTHER)
    assert "1 of 2 signatures" in text(SIGNED, stale, signed(BOB))


def test_a_digest_beside_too_few_signatures_is_no_waiting() -> None:
    assert set(codes(SIGNED, signed(ANN), Typed(DIGEST))) == {Code.APPROVAL_INVALID}


def test_what_could_not_be_read_is_named() -> None:
    broken = SignedApproval("a.json", None, (), ("is empty",))
    assert "a.json: is empty" in text(SIGNED, broken)


def test_a_signature_that_does_not_hold_harms_nothing_where_enough_do() -> None:
    assert codes(SIGNED, replace(signed(ANN, BOB), problems=("a.json.x.sig: is not an SSH signature",))) == []


def test_what_is_for_another_environment_of_the_run_is_left_out() -> None:
    other = signed(ANN, environment="staging")
    claims = (Typed(OTHER), Typed(DIGEST), other, signed(BOB))
    assert meant_for(MANUAL, claims, {"staging": OTHER}) == (Typed(DIGEST), signed(BOB))
    assert meant_for(MANUAL, claims, {"staging": None}) == (Typed(OTHER), Typed(DIGEST), signed(BOB))
    assert meant_for(MANUAL, claims, {}) == claims


def test_what_is_for_this_environment_is_never_left_out() -> None:
    claims = (Typed(DIGEST), signed(ANN))
    assert meant_for(MANUAL, claims, {"production": OTHER, "staging": DIGEST}) == claims


_people = st.builds(Signature, st.sampled_from("abcde"), st.sampled_from("12345"))


@given(st.lists(_people, max_size=8))
@settings(deadline=None)
def test_as_many_different_people_as_there_are(signers: list[Signature]) -> None:
    found = different_people(signers)
    assert len({one.principal for one in found}) == len({one.key for one in found}) == len(found)
    assert set(found) <= set(signers)
    assert len(found) == best(list(dict.fromkeys(signers)))


def best(signers: list[Signature]) -> int:
    """The same by trying everything: the people in each order, each taking a free key."""
    keys = {name: [one.key for one in signers if one.principal == name] for name in {one.principal for one in signers}}

    def search(names: tuple[str, ...], used: frozenset[str]) -> int:
        if not names:
            return 0
        taken = (1 + search(names[1:], used | {key}) for key in keys[names[0]] if key not in used)
        return max(search(names[1:], used), *taken, 0)

    return search(tuple(keys), frozenset())


def test_the_order_of_signatures_never_matters() -> None:
    shared = (Signature("ann", "1"), Signature("bob", "1"), Signature("ann", "2"))
    assert {len(different_people(order)) for order in permutations(shared)} == {2}


_claims = st.lists(
    st.one_of(
        st.builds(Typed, st.sampled_from([OTHER, DIGEST[:-1], "", "sha256:"])),
        st.builds(
            lambda signers, change: signed(*signers, **change),
            st.lists(st.sampled_from([ANN, BOB, CEM])),
            st.sampled_from(
                [
                    {"plan_set_digest": OTHER},
                    {"environment": "x"},
                    {"commit": "d"},
                    {"expires": NOW},
                    {"repository": "x"},
                ]
            ),
        ),
    ),
    max_size=5,
)


@given(_claims, st.sampled_from([MANUAL, SIGNED, replace(SIGNED, signatures=1)]))
@settings(deadline=None)
def test_claims_for_other_things_never_add_up(claims: list[Claim], request_: Request) -> None:
    approval, reasons = to_approval(request_, claims, NOW)
    assert approval is None
    assert reasons


def test_what_it_says_word_by_word() -> None:
    assert text(replace(MANUAL, kind="loud")) == "`approval` of production is 'loud', which nobody can give"
    wrong = "does not count: production is approved with"
    assert text(MANUAL, signed(ANN)) == f"approval.json {wrong} --approve DIGEST, or an answer on a terminal"
    by_hand = text(SIGNED, Typed(DIGEST, "ann, on the terminal"))
    assert by_hand == f"ann, on the terminal {wrong} --approval FILE"
    rule = "of 2 signatures by different people with different keys that production wants"
    assert text(SIGNED, signed(ANN)) == f"1 {rule} (ann)"
    assert text(SIGNED, signed()) == f"0 {rule}"
    assert text(replace(SIGNED, signatures=3), signed(ANN, BOB)).endswith("production wants (ann, bob)")
    assert text(replace(SIGNED, signatures=1), signed()) == "0 of 1 signature that production wants"
    said = f"approval.json: it approves environment staging, and this is production\n0 {rule}"
    assert text(SIGNED, signed(ANN, environment="staging")) == said
    for name, what, value, wanted in (
        ("repository", "repository", "x/y", "example/platform"),
        ("commit", "commit", "d" * 40, COMMIT),
        ("plan_set_digest", "plans", OTHER, DIGEST),
    ):
        assert f"it approves {what} {value}, and this is {wanted}\n" in text(SIGNED, signed(ANN, **{name: value}))
    nowhere = replace(SIGNED, commit="")
    assert f"it approves commit {COMMIT}, and this is without one\n" in text(nowhere, signed(ANN))
    assert f"it approves commit {'e' * 100}, and" in text(SIGNED, signed(ANN, commit="e" * 100))
    assert f"it approves commit {'e' * 100}..., and" in text(SIGNED, signed(ANN, commit="e" * 101))


def test_every_file_says_what_is_wrong_with_it() -> None:
    both = text(SIGNED, signed(ANN, source="a", environment="x"), signed(BOB, source="b", environment="x"))
    assert [line.partition(":")[0] for line in both.splitlines()][:2] == ["a", "b"]
