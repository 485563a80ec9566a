"""From staging to production, with somebody at a terminal who is asked."""

from __future__ import annotations

import getpass
from collections.abc import Callable

from promoted import PROMOTE, Promotion, Terminal

PROMPT = "To apply this, type production"

Start = Callable[..., Terminal]


def test_the_name_of_the_environment_applies_it(promotion: Promotion, terminal: Start) -> None:
    shown = terminal(promotion, *PROMOTE, "-n", "2")
    shown.until(PROMPT)
    assert promotion.live("staging") == "staging one"
    assert promotion.live("production") is None
    assert "create   infra/a//terraform_data.it" in shown.shown
    shown.press("production\n")

    assert shown.end() == 0

    assert promotion.live("production") == "production one"
    approval = promotion.scratch.environment("production")["approval"]
    assert approval["by"] == [f"{getpass.getuser()}, on the terminal"]
    assert promotion.evidence().run.exit_code == 0


def test_mistyped_twice_it_waits(promotion: Promotion, terminal: Start) -> None:
    shown = terminal(promotion, *PROMOTE, "-n", "0")
    shown.until(PROMPT)
    shown.press("staging\n")
    shown.until("That is not production. Type production to apply this (last try): ")
    shown.press("prod\n")

    assert shown.end() == 10
    assert shown.shown.count("production waits for an approval") == 1
    assert f"--approve {promotion.digest()}" in shown.shown
    assert "### Approval" in promotion.summary()

    assert promotion.states().keys() == {"a-staging"}
    assert promotion.reasons() == {"approval-missing": "the apply to production was not agreed to"}
    assert promotion.evidence().run.exit_code == 10
    assert promotion.digest() in promotion.summary()


def test_ctrl_c_at_the_question_ends_the_run_and_the_evidence_has_what_was_done(
    promotion: Promotion, terminal: Start
) -> None:
    shown = terminal(promotion, *PROMOTE, "-n", "0")
    shown.until(PROMPT)
    shown.press("\x03")

    assert shown.end() == 2

    assert "Traceback" not in shown.shown
    assert promotion.states().keys() == {"a-staging"}
    evidence = promotion.evidence()
    assert evidence.run.exit_code == 2
    staging, production = evidence.environments
    assert [(one.root, one.outcome) for one in staging.applied] == [("infra/a", "applied")]
    assert production.applied == ()
    assert "interrupted" in promotion.reasons()
