"""A whole run with OpenTofu: checked in one job, applied in another; the repository's files alone say so."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from encrypted import ENCRYPTION, RESOURCE
from scratch import Result, Scratch

ORIGIN = "https://example.org/scratch.git"
KEYS = {"TFPIPELINE_DIGEST_KEY": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}
SECRET = "correct horse battery staple"  # noqa: S105
ROOTS = """match = "infra/a"
apply = true
vars = { passphrase = "${PASSPHRASE}" }

[[root]]
match = "infra/*"
apply = true
"""


def apply_job(scratch: Scratch, place: Path, claim: Path, env: dict[str, str]) -> Result:
    """In a fresh clone, with an empty home."""
    clone, home = place / "repository", place / "home"
    home.mkdir(parents=True)
    subprocess.run(["git", "clone", "--quiet", str(scratch.path), str(clone)], check=True, capture_output=True)
    subprocess.run(["git", "remote", "set-url", "origin", ORIGIN], cwd=clone, check=True)
    done = subprocess.run(
        [sys.executable, "-I", "-m", "pytest_tfpipeline", "apply", "staging", "--evidence", str(claim)],
        cwd=clone,
        env={"PATH": os.environ["PATH"], "HOME": str(home), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def test_checked_in_one_job_and_applied_in_another(tmp_path: Path, tofu_environ: dict[str, str]) -> None:
    scratch = Scratch(tmp_path)
    scratch.without_checkov()
    scratch.write("infra/a/main.tf", 'resource "terraform_data" "hidden" {\n}\n')
    backend = f'backend "local" {{\n    path = "{scratch.states / "a.tfstate"}"\n  }}'
    encrypted = ENCRYPTION.replace('backend "local" {}', backend)
    scratch.write("infra/a/main.tofu", f"{encrypted}\n{RESOURCE}")
    scratch.root("b")
    scratch.configure('isolation = "jobs"\n', roots=ROOTS)
    scratch.commit()
    scratch.git("remote", "add", "origin", ORIGIN)
    env = {**KEYS, **tofu_environ, "PASSPHRASE": SECRET}

    checked = scratch.run("--tf-plan", "staging", "-n", "2", env=env)
    assert checked.code == 0, checked.text
    assert "OpenTofu runs every root, as infra/a/main.tofu says" in checked.text
    evidence = scratch.evidence()
    assert evidence["tools"].keys() & {"terraform", "tofu"} == {"tofu"}
    claimed = {plan["root"]: plan["digest"] for plan in scratch.environment()["plans"]}

    claim = tmp_path / "claim.json"
    shutil.copyfile(scratch.output / "evidence.json", claim)
    applied = apply_job(scratch, tmp_path / "job", claim, env)
    assert applied.code == 0, applied.text
    found = json.loads((tmp_path / "job/repository/.tfpipeline/evidence.json").read_bytes())
    (staging,) = found["environments"]
    assert {plan["root"]: plan["digest"] for plan in staging["plans"]} == claimed
    assert {one["root"]: one["outcome"] for one in staging["applied"]} == {"infra/a": "applied", "infra/b": "applied"}
    assert "encrypted_data" in json.loads((scratch.states / "a.tfstate").read_bytes())
    assert scratch.value("b") == "hello"
    assert all(SECRET not in each.text for each in (checked, applied))
    assert SECRET not in claim.read_text() + json.dumps(found)
