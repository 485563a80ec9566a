"""The profiles that an emulated cloud must know by name."""

from __future__ import annotations

import json
from pathlib import Path

from pytest_tfpipeline.model import Repository, Run, Target
from pytest_tfpipeline.pipeline.profiles import profiles_of

MAIN = """
terraform {
  backend "s3" {
    profile = "state"
  }
}
provider "aws" {
  profile = "deployer"
}
provider "aws" {
  alias   = "hub"
  profile = var.hub_profile
}
provider "aws" {
  alias   = "other"
  profile = "${var.team}-admin"
}
variable "hub_profile" {
  type    = string
  default = "hub"
}
"""


def test_they_are_read_from_all_that_terraform_reads(tmp_path: Path) -> None:
    files = {
        "infra/main.tf": MAIN,
        "infra/vars.tf.json": '{"provider": {"aws": {"profile": "json"}}}',
        "etc/staging.tfvars": 'aws_profile = "vars"\n',
        "backends/staging.conf": 'profile="conf"\n',
        "notes.md": 'profile = "not-this"\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "files.json").write_text(json.dumps(dict.fromkeys(files, "")))
    target = Target(
        "infra",
        "staging",
        vars={"profile": "given", "broken_profile": "a]\nb", "other": "no"},
        plan_env={"AWS_PROFILE": "reader"},
        backend_config=("backends/staging.conf", "profile=pair", "absent.conf"),
    )
    run = Run(
        "r", "plan", Repository(str(tmp_path)), "", "", targets=(target,), files_path=str(tmp_path / "files.json")
    )
    expected = {"state", "deployer", "hub", "json", "vars", "conf", "given", "reader", "pair"}
    assert set(profiles_of(run)) == expected
