"""Approval by two of three people, with the real ssh-keygen."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from promoted import OTHER, PROMOTE, SIGNED, Promotion, allowed, make_keys, sign

from pytest_tfpipeline.errors import ConfigurationError
from pytest_tfpipeline.pipeline.build import Wish, describe
from pytest_tfpipeline.process import Runner


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, Path]:
    return make_keys(tmp_path / "keys", "ann", "bob", "cem", "eve")


@pytest.fixture
def signed(tmp_path: Path, keys: dict[str, Path]) -> Promotion:
    """Ann, Bob and Cem may approve; two of them must."""
    promotion = Promotion(tmp_path, 'signers = "allowed_signers"\n' + SIGNED)
    promotion.scratch.write("allowed_signers", allowed(keys, "ann", "bob", "cem"))
    promotion.commit()
    return promotion


@pytest.mark.parametrize(
    ("lines", "there"),
    [("", "nobody"), ("bob ssh-ed25519 AAAA\n*@example.org {key}\n", "nobody"), ("ann {key}\n", "ann")],
)
def test_a_list_that_names_too_few_is_refused_before_anything_is_planned(
    signed: Promotion, keys: dict[str, Path], lines: str, there: str
) -> None:
    signed.scratch.write("allowed_signers", lines.format(key=keys["ann"].with_suffix(".pub").read_text().strip()))
    signed.commit()
    refused = signed.run(4, *PROMOTE)
    assert f"2 signatures by different people, and this names {there}" in refused.stdout + refused.stderr
    assert signed.states().keys() == set()


def test_signatures_of_nobody_are_not_waited_for(tmp_path: Path, keys: dict[str, Path]) -> None:
    promotion = Promotion(tmp_path, SIGNED)
    promotion.commit()
    refused = promotion.run(4, *PROMOTE)
    assert "tfpipeline.toml: environment.production.approval: production wants signatures" in refused.text
    assert "with the key `signers`" in refused.text
    assert promotion.states() == {}

    promotion.run(0, "--tf-plan", "production")
    claim = (promotion.scratch.output / "evidence.json").rename(tmp_path / "check.json")
    job = promotion.apply_job("production", claim)
    assert job.code == 4, job.text
    assert "tfpipeline.toml: environment.production.approval: production wants signatures" in job.stderr


@pytest.mark.parametrize("names", [False, True])
def test_who_wants_signatures_says_whose(tmp_path: Path, keys: dict[str, Path], names: bool) -> None:
    """What the operator's file says of production is also about what borrows its rules."""
    promotion = Promotion(tmp_path, 'env_alias = { "pr-*" = "production" }\n')
    promotion.commit()
    (tmp_path / "allowed").write_text(allowed(keys, "ann", "bob"))
    operator = tmp_path / "operator.toml"
    listed = 'signers = "allowed"\n' if names else ""
    operator.write_text(f'{listed}[environment.production]\napproval = "signed"\n')
    operator.chmod(0o600)
    wish = Wish("apply", ("pr-7",), operator=operator)

    if names:
        assert describe(promotion.scratch.path, wish, Runner()).config.signers == str(tmp_path / "allowed")
        return
    with pytest.raises(ConfigurationError, match="pr-7 wants signatures") as refused:
        describe(promotion.scratch.path, wish, Runner())
    assert refused.value.where == f"{operator}: environment.production.approval"


def test_two_of_three_sign_what_waits(signed: Promotion, keys: dict[str, Path]) -> None:
    statement = signed.scratch.output / "approval-production.json"
    approval = ("--approval", str(statement))

    waits = signed.run(10, *PROMOTE)

    assert signed.states().keys() == {"a-staging"}
    assert "2 different people" in waits.stdout
    shown = statement.relative_to(signed.scratch.path)
    assert f"< {shown}" in waits.stdout
    assert f"--approval={shown}" in signed.summary()
    assert json.loads(statement.read_bytes())["plan_set_digest"] == signed.digest()

    sign(statement, keys["ann"])
    too_few = signed.run(10, *PROMOTE, *approval)

    assert signed.states().keys() == {"a-staging"}
    assert "1 of 2 signatures" in signed.reasons()["approval-missing"]
    assert (
        "So far:\n  1 of 2 signatures by different people with different keys that production wants (ann)"
        in too_few.stdout
    )
    assert "1 change and 1 output as in staging (unsigned), and no others" in too_few.stdout
    assert f"{statement.name}.ann.sig" in {path.name for path in statement.parent.iterdir()}

    sign(statement, keys["eve"])
    stranger = signed.run(10, *PROMOTE, *approval)

    assert signed.states().keys() == {"a-staging"}
    assert "approval-production.json.eve.sig: is by a key that is not in" in " ".join(stranger.stdout.split())

    sign(statement, keys["cem"])
    applied = signed.run(0, *PROMOTE, *approval)

    assert signed.live("production") == "production one"
    line = f"approved by ann, cem (signed), digest {signed.digest()}"
    assert (line in applied.stdout, line in signed.summary()) == (True, True)
    found = signed.scratch.environment("production")["approval"]
    assert found["kind"] == "signed"
    assert [one.split()[0] for one in found["by"]] == ["ann", "cem"]


def test_an_approval_that_has_expired_or_is_for_other_plans_closes(signed: Promotion, keys: dict[str, Path]) -> None:
    signed.run(10, *PROMOTE)
    written = json.loads((signed.scratch.output / "approval-production.json").read_bytes())
    past = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    changes = {"expired": {"expires": past}, "other": {"plan_set_digest": OTHER}, "commit": {"commit": "c" * 40}}
    given = []
    for name, change in changes.items():
        file = signed.path / f"{name}.json"
        file.write_text(json.dumps(written | change))
        for person in ("ann", "bob"):
            sign(file, keys[person])
        given.append(f"--approval={file}")

    signed.run(1, *PROMOTE, *given)

    texts = [one["text"] for one in signed.scratch.environment("production")["verdict"]["reasons"]]
    assert any(f"expired.json: it expired at {past}" in text for text in texts)
    assert any("other.json: it approves plans sha256:0000" in text for text in texts)
    assert any("commit.json: it approves commit cccc" in text for text in texts)
    assert signed.states().keys() == {"a-staging"}


def test_a_digest_does_not_stand_in_for_signatures(signed: Promotion) -> None:
    signed.run(10, *PROMOTE)

    signed.run(1, *PROMOTE, "--approve", signed.digest())

    assert "is approved with --approval FILE" in signed.reasons()["approval-invalid"]
    assert signed.states().keys() == {"a-staging"}
