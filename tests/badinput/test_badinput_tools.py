"""terraform is missing, too old, a wrapper, or hangs; the disk is full; the terminal is narrow."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bench import Bench

from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.tools import find_tool

#: Ways to a file system of one's own, for root and for others; the first that works is taken.
_NAMESPACES = (("unshare", "-m"), ("unshare", "-r", "-m"), ("sudo", "-n", "-E", "unshare", "-m"))


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A directory that is the whole PATH: git, a shell and tflint, and no terraform."""
    place = tmp_path / "bin"
    place.mkdir()
    for name in ("git", "sh", "sleep"):
        found = shutil.which(name)
        assert found is not None, name
        (place / name).symlink_to(found)
    (place / "tflint").symlink_to(find_tool("tflint", version=None, runner=Runner()).path)
    return place


def _terraform(programs: Path, text: str) -> None:
    (programs / "terraform").write_text(text)
    (programs / "terraform").chmod(0o755)


def _environ(programs: Path) -> dict[str, str]:
    """No other terraform can be found, nor downloaded."""
    nothing = programs.parent / "nothing"
    nothing.mkdir(exist_ok=True)
    tools = str(programs.parent / "tools")
    return {"PATH": str(programs), "TFPIPELINE_TOOLS_DIR": tools, "TFPIPELINE_RELEASES_MIRROR": str(nothing)}


def test_terraform_is_missing(bench: Bench, programs: Path) -> None:
    result = bench.plan(env=_environ(programs))
    assert result.code == 4
    assert "terraform 1." in result.text
    assert "is missing" in result.text
    assert "TFPIPELINE_TERRAFORM=/path/to/terraform" in result.text
    assert bench.refusal()


def test_without_terraform_everything_else_goes_on(bench: Bench, programs: Path) -> None:
    result = bench.run("-n0", "-k", "not policy", env=_environ(programs))
    assert result.code == 1
    assert "is missing" in result.text
    assert [bench.outcome(kind) for kind in ("fmt", "validate", "lint")] == ["error", "error", "passed"]


def test_terraform_is_too_old(bench: Bench, programs: Path) -> None:
    _terraform(programs, '#!/bin/sh\necho \'{"terraform_version": "0.12.31"}\'\n')
    result = bench.plan(env=_environ(programs))
    assert result.code == 4
    assert f"{programs}/terraform: terraform 0.12.31 is too old: " in result.text
    assert "or newer is needed" in result.text
    assert "-> Install it" in result.text


def test_terraform_is_the_wrapper_of_setup_terraform(bench: Bench, programs: Path) -> None:
    _terraform(programs, "#!/usr/bin/env node\nrequire('./index.js')\n")
    result = bench.plan(env=_environ(programs))
    assert result.code == 4
    assert "the wrapper of hashicorp/setup-terraform" in result.text
    assert "terraform_wrapper: false" in result.text


def test_terraform_is_no_program(bench: Bench, programs: Path) -> None:
    _terraform(programs, "#!/nonexistent/interpreter\n")
    result = bench.plan(env=_environ(programs))
    assert result.code == 4
    assert f"{programs}/terraform: it does not say its version" in result.text


def test_the_terraform_that_was_named_is_not_there(bench: Bench) -> None:
    result = bench.plan(env={"TFPIPELINE_TERRAFORM": "/nonexistent/terraform"})
    assert result.code == 4
    assert "/nonexistent/terraform: No such file or directory" in result.text


def test_terraform_hangs(bench: Bench, programs: Path) -> None:
    """It is stopped after the time that it was given, and the message says how long that was."""
    real = shutil.which("terraform")
    _terraform(
        programs, f'#!/bin/sh\ncase " $* " in *" plan "*a.tf*|*" plan "*__a*) exec sleep 600;; esac\nexec {real} "$@"\n'
    )
    bench.scratch.configure(roots='match = "infra/*"\ntimeout = { plan = "2s" }\n')
    result = bench.plan(env={"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"})
    assert result.code == 1
    assert "infra/a/main.tf: error [timeout] terraform plan was stopped" in result.text
    assert "it had not ended after 2 seconds" in result.text
    assert 'timeout = { plan = "1h" }' in result.text
    assert bench.outcome("plan[staging]") == "failed"
    assert bench.others_passed()


def test_a_command_before_the_plan_hangs(bench: Bench) -> None:
    bench.scratch.configure(roots='match = "infra/a"\nprepare = [["sleep", "600"]]\ntimeout = { prepare = "1s" }\n')
    result = bench.plan()
    assert result.code == 1
    assert "sleep 600" in result.text
    assert "had not ended after 1 seconds" in result.text
    assert bench.outcome("plan[staging]") == "failed"
    assert bench.others_passed()


def test_the_disk_is_full_while_it_runs(bench: Bench, tmp_path: Path) -> None:
    bench.scratch.write("data.bin", "x" * 500_000)
    bench.scratch.commit()
    done = _with_small_disk(tmp_path, bench.scratch.path, "-n0", "-k", "not policy", "--tf-plan", "staging")
    assert done.returncode == 1, done.stdout
    assert "the disk is full" in done.stdout
    assert "--tf-output DIR" in done.stdout
    assert "Traceback" not in done.stdout
    evidence = json.loads((tmp_path / "evidence.json").read_bytes())
    outcomes = {check["id"]: check["outcome"] for check in evidence["checks"]}
    assert outcomes["infra/a/main.tf::plan[staging]"] == "error"
    assert outcomes["tests/test_plain.py::test_plain"] == "passed"


def test_the_disk_is_full_from_the_start(bench: Bench, tmp_path: Path) -> None:
    bench.scratch.commit()
    done = _with_small_disk(tmp_path, bench.scratch.path, "--tf-plan", "staging", fill=True)
    assert done.returncode == 4, done.stdout
    assert "the disk is full (0.0 MiB free)" in done.stdout
    assert "--tf-output DIR" in done.stdout


def _with_small_disk(
    tmp_path: Path, repository: Path, *args: str, fill: bool = False
) -> subprocess.CompletedProcess[str]:
    """pytest with its output on a real file system of 256 KiB, which is full from the start with `fill`."""
    place = tmp_path / "small"
    place.mkdir()
    more = f"dd if=/dev/zero of={place}/zeros bs=4k 2>/dev/null;" if fill else ""
    script = f'mount -t tmpfs -o size=256k,mode=0755 none {place} && {{ {more} "$@"; }}; code=$?; '
    script += f"cp {place}/out/evidence.json {tmp_path} 2>/dev/null; exit $code"
    pytest_argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *args, "--tf-output", f"{place}/out"]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "TF_"))}
    env["TFPIPELINE_CACHE"] = "off"
    argv = [*_namespace(tmp_path), "sh", "-c", script, "sh", *pytest_argv]
    return subprocess.run(
        argv,
        cwd=repository,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )


def _namespace(tmp_path: Path) -> tuple[str, ...]:
    for way in _NAMESPACES:
        if shutil.which(way[0]) is None:
            continue
        trial = [*way, "mount", "-t", "tmpfs", "none", str(tmp_path / "small")]
        if subprocess.run(trial, capture_output=True, timeout=30).returncode == 0:
            return way
    pytest.fail("a small file system of one's own needs root, user namespaces, or sudo")


def test_a_terminal_of_60_columns(bench: Bench) -> None:
    bench.scratch.root("a", 'variable "who" {}')
    result = bench.plan(env={"COLUMNS": "60"})
    assert result.code == 1
    lines = result.text.splitlines()
    table = next(index for index, line in enumerate(lines) if line.startswith("root "))
    assert [line for line in lines[table : table + 3] if len(line) > 60] == []
    assert "could not be planned" in lines[table + 1]
    assert max(len(line) for line in lines if line.startswith(("=", "_"))) <= 60
    assert any(line.startswith("FAILED infra/a/main.tf::plan[staging]") for line in lines)
