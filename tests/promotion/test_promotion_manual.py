"""From staging to production with an approval: none yet, a wrong one, the right one, and nothing to do."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

from promoted import KEY, MANUAL, NONE, OTHER, PROMOTE, Promotion


def test_it_waits_takes_the_digest_that_it_named_and_asks_for_nothing_where_nothing_changes(
    promotion: Promotion,
) -> None:
    first = promotion.run(10, *PROMOTE, workers="2")

    digest = promotion.digest()
    assert promotion.live("staging") == "staging one"
    assert promotion.live("production") is None
    assert promotion.reasons().keys() == {"approval-missing"}
    assert digest in promotion.reasons()["approval-missing"]
    statement = json.loads((promotion.scratch.output / "approval-production.json").read_bytes())
    assert (statement["environment"], statement["plan_set_digest"]) == ("production", digest)
    assert statement["commit"] == promotion.evidence().run.commit
    going_on = f"pytest {' '.join(PROMOTE)} -n 2 --approve {digest}"
    assert going_on in first.stdout
    assert going_on in promotion.summary()
    for told in (first.stdout, promotion.summary()):
        assert "production: waits for an approval, nothing was applied" in told
        assert "1 change and 1 output as in staging, and no others" in told
        assert "1       -        -        -" in told
    assert "FAILURES" not in first.stdout

    wrong = promotion.run(1, *PROMOTE, "--approve", OTHER)

    assert promotion.reasons().keys() == {"approval-invalid"}
    assert f"--approve {OTHER} is for other plans than those of production, {digest}" in wrong.stdout
    assert "production waits for an approval: what was given does not suffice" in wrong.stdout
    assert promotion.live("production") is None

    promotion.run(0, *PROMOTE, "--approve", digest)

    assert promotion.live("production") == "production one"
    approval = promotion.scratch.environment("production")["approval"]
    assert (approval["kind"], approval["digest"], approval["by"]) == ("manual", digest, ["--approve"])
    assert f"approved with --approve (manual), digest {digest}" in promotion.summary()

    last = promotion.run(0, *PROMOTE)

    assert "approval" not in last.stdout
    assert [one.outcome for env in promotion.evidence().environments for one in env.applied] == ["unchanged"] * 2
    assert promotion.scratch.environment("production").get("approval") is None


def test_an_approval_without_a_key_that_both_runs_know_is_refused_with_the_command_that_makes_one(
    promotion: Promotion,
) -> None:
    name = next(iter(KEY))
    without = {name: ""}

    refused = promotion.scratch.run(*PROMOTE, "--approve", OTHER, env=without)

    assert refused.code == 4, refused.text
    command = re.search(rf"make one with `(.+)` and give it to both as {name}", refused.text)
    assert command is not None
    made = subprocess.run(
        shlex.split(command[1]), check=True, capture_output=True, text=True, timeout=60
    ).stdout.strip()
    assert "--approve" in refused.text
    assert promotion.states() == {}
    assert promotion.evidence().run.exit_code == 4

    waits = promotion.run(10, *PROMOTE, env=without)

    assert f"since {name} is not set" in waits.stdout
    assert "--approve sha256" not in waits.stdout

    promotion.run(10, *PROMOTE, env={name: made})
    promotion.run(0, *PROMOTE, "--approve", promotion.digest(), env={name: made})

    assert promotion.live("production") == "production one"


def test_without_approvals_a_chain_of_three_flows_through_in_its_order(tmp_path: Path) -> None:
    third = '[environment.live]\nafter = "production"\napproval = "none"\n'
    promotion = Promotion(tmp_path, NONE + third, environments=("staging", "production", "live"))
    promotion.scratch.write("tests/test_order.py", _ORDER.format(folder=str(tmp_path)))
    promotion.commit()

    promotion.run(0, *PROMOTE, "--promote-to", "live")

    assert [promotion.live(name) for name in ("staging", "production", "live")] == [
        *("staging one", "production one", "live one")
    ]
    assert (tmp_path / "order").read_text().split() == ["staging", "1", "production", "2", "live", "3"]


_ORDER = """
from pathlib import Path

def test_order(tf_outputs):
    folder = Path({folder!r})
    with (folder / "order").open("a") as file:
        print(tf_outputs.environment, len(list((folder / "states").glob("*.tfstate"))), file=file)
"""


def test_an_order_that_after_does_not_allow_is_refused(promotion: Promotion) -> None:
    backwards = promotion.run(1, "--apply-env", "production", "--promote-to", "staging")

    assert "prior-missing" in promotion.reasons()
    assert "give it with --tf-prior=FILE" in backwards.stdout
    assert promotion.states() == {}


def test_an_approval_of_production_is_left_for_its_turn_while_staging_waits_for_its_own(tmp_path: Path) -> None:
    promotion = Promotion(tmp_path, MANUAL + '[environment.staging]\napproval = "manual"\n')
    (promotion.scratch.path / "tests/test_outputs.py").unlink()
    promotion.commit()
    promotion.run(10, *PROMOTE)
    staging = promotion.digest("staging")
    promotion.run(10, *PROMOTE, "--approve", staging)
    production = promotion.digest()
    (promotion.scratch.states / "a-staging.tfstate").unlink()  # so that staging waits once more

    result = promotion.run(10, *PROMOTE, "--approve", production)

    assert promotion.reasons("staging").keys() == {"approval-missing"}
    assert promotion.digest("staging") == staging
    assert f"--approve {staging}" in result.stdout
    assert promotion.states() == {}

    promotion.run(0, *PROMOTE, "--approve", production, "--approve", staging)

    assert [promotion.live(name) for name in ("staging", "production")] == ["staging one", "production one"]
