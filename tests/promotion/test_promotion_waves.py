"""A second wave that nobody could see when the approval was given."""

from __future__ import annotations

from pathlib import Path

import pytest
from promoted import PROMOTE, Promotion

#: Takes its value from the other root; without that root's state there is nothing to plan.
READS = """
data "terraform_remote_state" "a" {
  backend = "local"
  config = {
    path = "STATES/a-${var.environment}.tfstate"
  }
}

resource "terraform_data" "second" {
  input = data.terraform_remote_state.a.outputs.value
}
"""


@pytest.fixture
def two_waves(tmp_path: Path) -> Promotion:
    """`b` reads what `a` puts into its state."""
    promotion = Promotion(tmp_path)
    promotion.root("b", READS.replace("STATES", str(promotion.scratch.states)))
    promotion.commit()
    return promotion


def test_a_root_that_was_deferred_wants_an_approval_of_its_own_for_what_the_next_run_plans(
    two_waves: Promotion,
) -> None:
    first = two_waves.run(10, *PROMOTE)
    digest = two_waves.digest()
    assert "Not seen yet: 1 root" in first.stdout
    assert two_waves.states().keys() == {"a-staging", "b-staging"}

    second = two_waves.run(10, *PROMOTE, "--approve", digest)

    assert two_waves.states().keys() == {"a-staging", "b-staging", "a-production"}
    assert "production: applied in part, the rest waits for an approval" in second.stdout
    shown = second.stdout.partition("production waits for an approval")[2]
    wanted = shown.partition("--approve ")[2].split()[0]
    assert wanted.startswith("sha256:")
    assert wanted != digest
    assert "infra/b//terraform_data.second" in shown
    assert "infra/a//terraform_data.it" not in shown.partition("The digest")[0].partition("The rest")[2]
    assert wanted in (two_waves.scratch.output / "approval-production.json").read_text()
    left = two_waves.scratch.environment("production")["left"]
    assert [one["root"] for one in left] == ["infra/b"]

    third = two_waves.run(10, *PROMOTE)

    assert two_waves.digest() == wanted
    assert wanted in third.stdout

    two_waves.run(0, *PROMOTE, "--approve", wanted)

    assert two_waves.live("production", "b") == "production one"


def test_both_approvals_may_be_given_at_once(two_waves: Promotion) -> None:
    """The digest of the second wave as an earlier run has named it: not asked for again."""
    two_waves.run(10, *PROMOTE)
    first = two_waves.digest()
    two_waves.run(10, *PROMOTE, "--approve", first)
    shown = two_waves.summary()
    second = shown.rpartition("--approve ")[2].split()[0]

    two_waves.run(0, *PROMOTE, "--approve", second, "--approve", first)

    assert two_waves.live("production", "b") == "production one"


def test_a_plan_that_is_made_again_keeps_its_approval_unless_it_says_something_new(two_waves: Promotion) -> None:
    """`b` reads `a`, and so is planned again when `a` was applied: first to the same end, then to another."""
    two_waves.run(10, *PROMOTE)
    two_waves.run(10, *PROMOTE, "--approve", two_waves.digest())
    two_waves.run(10, *PROMOTE)
    two_waves.run(0, *PROMOTE, "--approve", two_waves.digest())
    body = READS.replace("STATES", str(two_waves.scratch.states))
    two_waves.root("a", 'resource "terraform_data" "more" {}\n')
    two_waves.root("b", body, value="two")
    two_waves.commit()
    two_waves.run(10, *PROMOTE)

    same = two_waves.run(0, *PROMOTE, "--approve", two_waves.digest())

    assert two_waves.live("production", "b") == "production two"
    assert "waits for an approval" not in same.stdout
    assert {one.wave for one in two_waves.evidence().environments[1].applied} == {1, 2}

    two_waves.root("a", value="three")
    two_waves.root("b", body, value="three")
    two_waves.commit()
    two_waves.run(10, *PROMOTE)

    two_waves.run(10, *PROMOTE, "--approve", two_waves.digest())

    assert two_waves.live("production") == "production three"
    assert two_waves.live("production", "b") == "production two"


#: Runs a script of its directory whenever its value changes.
RUNS = """
resource "terraform_data" "runs" {
  triggers_replace = var.environment == "" ? "" : "VALUE"

  provisioner "local-exec" {
    command = "sh run.sh"
  }
}
"""
#: Another hand: while `a` is applied, the state of `b` and a script of `c` come to be others.
MEDDLES = r"""
resource "terraform_data" "meddles" {
  provisioner "local-exec" {
    command = "sed -i 's/\"serial\": 1,/\"serial\": 9,/' 'STATES/b-staging.tfstate'; echo 'touch RAN' > ../c/run.sh"
  }
}
"""


def test_an_approval_ends_where_another_hand_moves_a_state_or_a_file_before_a_later_wave(tmp_path: Path) -> None:
    """`b` and `c` read `a`, and come to the same changes when they are planned again."""
    promotion = Promotion(tmp_path, "", environments=("staging",))
    states, ran = promotion.scratch.states, tmp_path / "ran"
    (promotion.scratch.path / "tests/test_outputs.py").unlink()
    reads = READS.replace("STATES", str(states))

    def write(value: str) -> None:
        promotion.root("b", reads, value=value)
        promotion.root("c", reads + RUNS.replace("VALUE", value), value=value)
        promotion.commit()

    promotion.scratch.write("infra/c/run.sh", "true\n")
    write("one")
    promotion.run(0, "--apply-env", "staging")
    promotion.configure('[environment.staging]\napproval = "manual"\n')
    promotion.root("a", MEDDLES.replace("STATES", str(states)).replace("RAN", str(ran)))
    write("two")
    promotion.run(10, "--apply-env", "staging")
    digest = promotion.digest("staging")

    before = promotion.states()
    result = promotion.scratch.run("--apply-env", "staging", "-n", "0", "--approve", digest)

    assert result.code == 10, result.text
    left = promotion.scratch.environment("staging")["left"]
    assert [one["root"] for one in left] == ["infra/b", "infra/c"], result.text
    assert all("waits for an approval" in one["why"] for one in left)
    assert promotion.states()["c-staging"] == before["c-staging"]
    assert promotion.live("staging", "b") == "staging one"
    assert not ran.exists()
