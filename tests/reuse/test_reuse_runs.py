"""Whole runs: what is reused, what is not, and that nothing is started for it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from scratch import Result, Scratch

STATIC = "tf_fmt or tf_lint or tf_validate or tf_policy"
REUSED = "{} of {} static checks reused: nothing that they depend on has changed"


class Kept(Scratch):
    """A repository whose results are kept beside it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.cache = path / "cache"
        self.env |= {"TFPIPELINE_CACHE": str(self.cache), "XDG_DATA_HOME": str(path / "data")}
        self.env["TFPIPELINE_TOOLS_DIR"] = str(_tools())
        self.without_checkov()
        self.root("a", 'module "inner" {\n  source = "../../modules/inner"\n}')
        self.write("modules/inner/main.tf", 'resource "terraform_data" "it" {\n  input = 1 + 1\n}\n')
        self.commit()

    def static(self, *args: str, mark: str = STATIC, code: int = 0) -> Result:
        """A run of the static checks."""
        result = self.run("-m", mark, *args, timeout=600)
        assert result.code == code, result.text
        return result

    def reused(self) -> dict[str, bool]:
        """Of each check of the last run, whether its result is an earlier one."""
        return {check["id"]: check["reused"] for check in self.evidence()["checks"]}

    def work(self) -> Path:
        """The last run's own directory."""
        return max((self.output / "runs").iterdir(), key=lambda path: path.stat().st_mtime)


def _tools() -> Path:
    from os import environ

    from pytest_tfpipeline.tools.places import tool_directory

    return tool_directory(environ)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """One root that calls a module, and a checkov of which nobody knows what it starts."""
    return Kept(tmp_path)


MADE = {
    **{f"infra/a/main.tf::{kind}": True for kind in ("fmt", "lint", "validate")},
    **{f"modules/inner/main.tf::{kind}": True for kind in ("fmt", "lint")},
    "infra/a/main.tf::policy": False,
    "modules/inner/main.tf::policy": False,
}


@pytest.mark.parametrize("args", [(), ("-n", "2")], ids=["one process", "workers"])
def test_nothing_that_has_not_changed_is_checked_again(kept: Kept, args: tuple[str, ...]) -> None:
    first = kept.static(*args)
    assert "reused" not in first.text
    before = kept.evidence()["checks"]
    again = kept.static(*args)
    assert REUSED.format(5, 7) in again.text
    assert kept.reused() == MADE
    after = [{**check, "reused": False} for check in kept.evidence()["checks"] if check["reused"]]
    assert all(check in before for check in after), "a reused result is the one that was made"


def test_for_what_is_reused_nothing_is_started_and_nothing_copied(kept: Kept) -> None:
    mark = "tf_fmt or tf_lint or tf_validate"
    kept.static(mark=mark)
    assert (kept.work() / "tree").is_dir()
    kept.static(mark=mark)
    assert not (kept.work() / "tree").exists()
    assert not [path for path in (kept.work() / "store").iterdir() if path.name.startswith(("init", "fmt"))]


def test_a_change_is_seen_wherever_it_reaches(kept: Kept) -> None:
    kept.static()
    kept.write("modules/inner/main.tf", 'resource "terraform_data" "it" {\n  input = nothing.at.all\n}\n')
    result = kept.static(code=1)
    assert "nothing" in result.text
    assert kept.reused() == dict.fromkeys(MADE, False) | {"infra/a/main.tf::fmt": True}
    assert kept.outcomes()["infra/a/main.tf::validate"] == "failed"
    kept.git("checkout", "modules")
    kept.static()
    assert kept.reused() == MADE, "the results of what was there before are still kept"


def test_another_branch_and_another_clone_take_them_too(kept: Kept, tmp_path: Path) -> None:
    kept.static()
    shutil.copytree(kept.path, tmp_path / "clone", ignore=shutil.ignore_patterns(".tfpipeline"))
    shutil.rmtree(kept.path)
    (tmp_path / "clone").rename(kept.path)
    kept.git("checkout", "--quiet", "-b", "other")
    kept.static()
    assert kept.reused() == MADE


def test_a_failure_that_has_not_changed_fails_again_in_the_same_words(kept: Kept) -> None:
    kept.write("infra/a/x.tf", 'variable "x" {\ntype = string\n}\noutput "y" {\n  value = nothing.at.all\n}\n')
    first = kept.static(code=1)
    again = kept.static(code=1)
    assert [check["outcome"] for check in kept.evidence()["checks"] if check["reused"]].count("failed") == 2
    for said in ("Not formatted as terraform fmt does", 'managed resource "nothing" "at" has not been declared'):
        assert said in first.text
        assert said in again.text


def test_an_error_is_not_kept(kept: Kept) -> None:
    kept.write("infra/a/x.tf", 'module "x" {\n  source = "./nowhere"\n}\n')
    kept.static(code=1)
    kept.static(code=1)
    assert not kept.reused()["infra/a/main.tf::validate"]


def test_what_another_check_shows_in_full_is_not_kept_shortened(kept: Kept) -> None:
    kept.write("infra/a/x.tf", "output {\n")
    kept.static(code=1)
    result = kept.static("-v", mark="tf_validate", code=1)
    assert "shown in full by" not in result.text


@pytest.mark.parametrize("off", ["reuse = false", "shortcuts = false"])
def test_a_switch_turns_it_off(kept: Kept, off: str) -> None:
    kept.configure(f"{off}\n")
    kept.static()
    kept.static()
    assert not any(kept.reused().values())
    assert not kept.cache.exists()


def test_a_run_that_can_apply_reuses_nothing_and_keeps_nothing(kept: Kept) -> None:
    kept.static()
    names = sorted(path.name for path in (kept.cache / "results").iterdir())
    assert kept.run("--apply-env", "staging", timeout=600).code == 0
    assert not any(kept.reused().values())
    kept.write("infra/a/more.tf", "# more\n")
    kept.commit()
    assert kept.run("--apply-env", "staging", timeout=600).code == 0
    assert sorted(path.name for path in (kept.cache / "results").iterdir()) == names


def test_a_plan_is_made_anew(kept: Kept) -> None:
    kept.static()
    assert kept.run("--tf-plan", "staging", timeout=600).code == 0
    assert kept.reused() == MADE | {f"infra/a/main.tf::{kind}[staging]": False for kind in ("plan", "policy")}


@pytest.mark.parametrize("spoil", ["truncate", "forge", "garbage"])
def test_an_entry_that_was_tampered_with_is_made_anew(kept: Kept, spoil: str) -> None:
    """A pass in place of a failure, as somebody would write it who can write to the cache and has not the secret."""
    kept.write("infra/a/x.tf", 'output "y" {\n  value = nothing.at.all\n}\n')
    kept.static(code=1)
    for path in (kept.cache / "results").iterdir():
        raw = path.read_bytes()
        forged = raw.replace(b'"outcome":"failed"', b'"outcome":"passed"')
        path.write_bytes({"truncate": raw[:-9], "forge": forged, "garbage": b"{}"}[spoil])
    kept.static(code=1)
    spoilt = kept.reused()
    assert not spoilt["infra/a/main.tf::validate"]
    assert kept.outcomes()["infra/a/main.tf::validate"] == "failed"


def test_an_entry_of_another_user_is_not_believed(kept: Kept, tmp_path: Path) -> None:
    kept.static()
    kept.env["XDG_DATA_HOME"] = str(tmp_path / "another")
    kept.static()
    assert not any(kept.reused().values())


def test_jobs_that_share_a_secret_share_results(kept: Kept, tmp_path: Path) -> None:
    kept.env["TFPIPELINE_CACHE_KEY"] = "k" * 64
    kept.static()
    kept.env["XDG_DATA_HOME"] = str(tmp_path / "another")
    kept.static()
    assert kept.reused() == MADE


def test_runs_at_once_do_not_disturb_each_other(kept: Kept) -> None:
    runs = [kept.start("-m", STATIC) for _ in range(3)]
    for process in runs:
        said, _ = process.communicate(timeout=600)
        assert process.returncode == 0, said
    kept.static()
    assert kept.reused() == MADE


def test_a_file_that_changes_while_the_run_goes_on_spoils_nothing(kept: Kept) -> None:
    """A conftest that changes a root after the results were looked up and before the tree is copied."""
    kept.write(
        "conftest.py",
        "import pytest, pathlib\n"
        "@pytest.hookimpl(trylast=True)\n"
        "def pytest_collection_finish(session):\n"
        "    root = pathlib.Path('infra/a/main.tf')\n"
        "    root.write_text(root.read_text() + 'output \"y\" {\\n  value = nothing.at.all\\n}\\n')\n",
    )
    text = (kept.path / "infra/a/main.tf").read_text()
    kept.static(code=1)
    (kept.path / "conftest.py").unlink()
    (kept.path / "infra/a/main.tf").write_text(text)
    kept.static()
    assert not kept.reused()["infra/a/main.tf::validate"]


def test_what_the_baseline_has_and_nobody_finds_is_still_said(kept: Kept) -> None:
    kept.write("infra/a/x.tf", 'variable "x" {\ntype = string\n}\n')
    assert kept.run("--tf-baseline", "-m", "tf_fmt").code == 0
    assert not kept.cache.joinpath("results").exists() or not list((kept.cache / "results").iterdir())
    kept.write("infra/a/x.tf", 'variable "x" {\n  type = string\n}\n')
    first = kept.static(mark="tf_fmt")
    again = kept.static(mark="tf_fmt")
    assert all(reused for check, reused in kept.reused().items() if check.endswith("::fmt"))
    notes = [line for line in first.stdout.splitlines() if line.startswith("note:")]
    assert notes
    assert notes == [line for line in again.stdout.splitlines() if line.startswith("note:")]


def test_the_secret_is_not_given_to_what_is_run(kept: Kept) -> None:
    kept.env["TFPIPELINE_CACHE_KEY"] = "k" * 64
    kept.configure(roots='match = "infra/*"\nprepare = [["sh", "-c", "env > env.txt"]]\n')
    kept.run("--tf-plan", "staging", "-m", "tf_plan")
    seen = (kept.work() / "tree/staging/env.txt").read_text()
    assert "TFPIPELINE_CACHE=" in seen
    assert "TFPIPELINE_CACHE_KEY" not in seen
    assert json.loads((kept.output / "evidence.json").read_text())


NO_CHECK = "\ntfpipeline: where another job is to apply with this run's evidence, check with TFPIPELINE_CACHE=off:"


def test_a_check_job_reuses_nothing_and_what_may_be_one_says_what_it_reused(kept: Kept) -> None:
    plan = ("--tf-plan", "staging", "-n0")
    assert kept.run(*plan).code == 0
    again = kept.run(*plan)
    assert (again.code, kept.reused()["infra/a/main.tf::fmt"]) == (0, True)
    assert NO_CHECK in again.text
    assert NO_CHECK not in kept.static().text

    kept.configure('isolation = "jobs"\n')
    kept.commit()
    key = {"TFPIPELINE_DIGEST_KEY": "00112233445566778899aabbccddeeff" * 2}
    for _ in range(2):
        job = kept.run(*plan, env=key)
        assert (job.code, "reused" in job.text) == (0, False), job.text
        assert not any(kept.reused().values())
    assert "static checks reused" in kept.static().text, "what nobody can apply by may be reused"


def test_the_operators_word_makes_it_a_check_job_too(kept: Kept) -> None:
    operator = kept.path.parent / "operator.toml"
    operator.write_text('isolation = "jobs"\n')
    operator.chmod(0o600)
    kept.static()
    assert kept.run("--tf-plan", "staging", "-n0", f"--tf-operator={operator}").code == 0
    assert not any(kept.reused().values())
