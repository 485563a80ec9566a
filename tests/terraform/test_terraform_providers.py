"""Roots of other clouds than AWS go the same way: several providers, aliases, functions, ephemeral resources; with
terraform, then with OpenTofu on the same state."""

from __future__ import annotations

from pathlib import Path

import pytest
from packages import TOFU_HOST, lock_file, provider_mirror
from scratch import Scratch

MODULE = """terraform {
  required_providers {
    time = {
      source                = "hashicorp/time"
      configuration_aliases = [time.other]
    }
  }
}

resource "time_static" "start" {
  provider = time.other
  rfc3339  = "2024-01-01T00:00:00Z"
}

output "year" {
  value = time_static.start.year
}
"""
ROOT = """terraform {
  backend "local" {
    path = "PLACE/states/app.tfstate"
  }
  required_providers {
    local = {
      source  = "hashicorp/local"
      version = "2.6.0"
    }
    time = {
      source = "hashicorp/time"
    }
  }
}

provider "time" {}

provider "time" {
  alias = "second"
}

module "clock" {
  source = "../../modules/clock"
  providers = {
    time.other = time.second
  }
}

ephemeral "local_command" "token" {
  command   = "cat"
  arguments = ["PLACE/token"]
}

resource "local_sensitive_file" "it" {
  filename = "PLACE/made.txt"
  content  = "${provider::time::duration_parse("1h").seconds} s in ${module.clock.year}"
}

resource "terraform_data" "told" {
  provisioner "local-exec" {
    command = "printf %s \\"$TOKEN\\" >PLACE/told.txt"
    environment = {
      TOKEN = ephemeral.local_command.token.stdout
    }
  }
}
"""
KEYS = {"TFPIPELINE_DIGEST_KEY": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}
POLICY_TEST = """def test_what_is_planned(tf_plan):
    kinds = {each.type for each in tf_plan.resources()}
    assert kinds == {"local_sensitive_file", "terraform_data", "time_static"}
    (file,) = tf_plan.resources("local_*")
    assert file.after["filename"].endswith("made.txt")
"""


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    scratch = Scratch(tmp_path)
    scratch.without_checkov()
    mirror = provider_mirror(tmp_path / "mirror")
    scratch.env["TFPIPELINE_PROVIDER_MIRROR"] = str(mirror)
    scratch.write("modules/clock/main.tf", MODULE)
    scratch.write("infra/app/main.tf", ROOT.replace("PLACE", str(tmp_path)))
    scratch.write("infra/app/.terraform.lock.hcl", lock_file(mirror))
    scratch.write("tests/test_plans.py", POLICY_TEST)
    (tmp_path / "token").write_text("the-ephemeral-token")
    scratch.commit()
    return scratch


def outcome(scratch: Scratch) -> str:
    (applied,) = scratch.environment()["applied"]
    return str(applied["outcome"])


def test_applied_by_terraform_and_then_nothing_to_do_for_opentofu(
    scratch: Scratch, tmp_path: Path, tofu_environ: dict[str, str]
) -> None:
    first = scratch.run("--apply-env", "staging", "-n", "0")
    assert first.code == 0, first.text
    assert outcome(scratch) == "applied"
    assert (tmp_path / "made.txt").read_text() == "3600 s in 2024"
    assert (tmp_path / "told.txt").read_text() == "the-ephemeral-token"
    kept = [path for path in (*scratch.output.rglob("*"), *scratch.states.rglob("*")) if path.is_file()]
    assert not [path for path in kept if b"the-ephemeral-token" in path.read_bytes()]
    assert "the-ephemeral-token" not in first.text

    scratch.write("infra/app/.terraform.lock.hcl", lock_file(tmp_path / "mirror", TOFU_HOST))
    scratch.commit()
    second = scratch.run("--apply-env", "staging", "-n", "0", env=tofu_environ)
    assert second.code == 0, second.text
    assert "OpenTofu runs every root, as infra/app/.terraform.lock.hcl says" in second.text
    assert outcome(scratch) == "unchanged"
    assert scratch.evidence()["tools"].keys() & {"terraform", "tofu"} == {"tofu"}


def test_a_plan_without_installing_has_the_digest_of_one_that_installs(scratch: Scratch) -> None:
    """What a review saw is what the apply shows, down to the packages."""
    found = []
    for option in ("--tf-plan", "--apply-env"):
        scratch.run(option, "staging", "-n", "0", env=KEYS)
        (plan,) = scratch.environment()["plans"]
        found.append(plan["digest"])
    assert found[0] == found[1]


def test_another_package_than_the_locked_one_is_never_run(scratch: Scratch) -> None:
    lock = scratch.path / "infra/app/.terraform.lock.hcl"
    lock.write_text(lock.read_text().replace("h1:", "h1:AAAA"))
    scratch.commit()
    done = scratch.run("--tf-plan", "staging", "-n", "0", "-m", "tf_plan")
    assert done.code == 1
    assert scratch.outcomes()["infra/app/main.tf::plan[staging]"] == "failed"
    (check,) = [one for one in scratch.evidence()["checks"] if one["id"].endswith("plan[staging]")]
    assert {one["rule"] for one in check["findings"]} == {"lock-file"}
