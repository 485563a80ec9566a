"""One root is broken: its checks say what, where and what to do; everything else goes on."""

from __future__ import annotations

import getpass
import os
import select
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import Bench


def test_a_missing_var_file(bench: Bench) -> None:
    bench.scratch.configure(roots='match = "infra/a"\nvar_files = ["config/{env}.tfvars"]\n')
    result = bench.plan()
    assert result.code == 1
    assert "`config/staging.tfvars`, of `var_files`, is not there" in result.text
    assert "config/staging.tfvars?" in result.text
    assert bench.outcome("plan[staging]") == "failed"
    assert bench.outcome("validate") == "passed"
    assert bench.others_passed()


def test_required_variables_without_a_value(bench: Bench) -> None:
    bench.scratch.root(
        "a", 'variable "size" {\n  type        = number\n  description = "how big"\n}\nvariable "who" {}'
    )
    result = bench.plan()
    assert result.code == 1
    assert "infra/a/main.tf:15: error [missing-variable] No value for required variables:" in result.text
    assert "size (number): how big" in result.text
    assert 'vars = { size = 0, who = "..." }' in result.text
    assert bench.others_passed()


def test_a_syntax_error_in_one_file(bench: Bench) -> None:
    bench.scratch.write("infra/a/extra.tf", 'resource "terraform_data" "x" {\n  input =\n}\n')
    result = bench.plan()
    assert result.code == 1
    assert "infra/a/extra.tf:2: error [terraform-init] Invalid expression" in result.text
    assert {bench.outcome(kind) for kind in ("fmt", "lint", "validate", "plan[staging]")} == {"failed"}
    assert bench.others_passed()


def test_a_file_that_is_not_utf8(bench: Bench) -> None:
    path = bench.scratch.path / "infra/a/extra.tf"
    path.write_bytes(b'locals {\n  x = "caf\xe9"\n}\n')
    result = bench.plan()
    assert result.code == 1
    assert "infra/a/extra.tf:2: error [terraform-init] Invalid character encoding" in result.text
    assert "UTF-8" in result.text
    assert bench.others_passed()


def test_links_in_a_circle_and_to_nothing(bench: Bench) -> None:
    top = bench.scratch.path
    (top / "infra/a/self").symlink_to(".")
    (top / "infra/up").symlink_to("..")
    (top / "infra/x.tf").symlink_to("y.tf")
    (top / "infra/y.tf").symlink_to("x.tf")
    result = bench.plan()
    assert result.code == 0
    assert "infra/x.tf: The file cannot be read: Too many levels of symbolic links" in result.text
    assert bench.others_passed()
    assert bench.outcome("plan[staging]") == "passed"
    (top / "infra/a/loop.tf").symlink_to("loop.tf")
    broken = bench.plan()
    assert broken.code == 1
    assert "infra/a/loop.tf" in broken.text
    assert bench.outcome("plan[staging]") == "failed"
    assert bench.others_passed()


def test_a_link_out_of_the_repository(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "outer.tf").write_text("locals {\n  secret = 1\n}\n")
    (bench.scratch.path / "infra/a/outer.tf").symlink_to(tmp_path / "outer.tf")
    result = bench.plan()
    assert result.code == 1
    assert "infra/a/outer.tf: error [outer-symlink] is a symlink that leads out of the repository" in result.text
    assert "let git ignore it" in result.text
    assert bench.outcome("plan[staging]") == "failed"
    assert bench.others_passed()


def test_names_with_spaces_quotes_and_other_letters(bench: Bench) -> None:
    name = 'it\'s a "röot" 日本'
    shutil.copytree(bench.scratch.path / "infra/b", bench.scratch.path / "infra" / name)
    result = bench.plan("-v")
    assert result.code == 0
    assert f"infra/{name}/main.tf::plan[staging] PASSED" in result.text
    assert bench.outcome("validate", name) == "passed"
    assert bench.scratch.clean()
    again = bench.run(f"infra/{name}/main.tf::validate", "-n0")
    assert "1 passed" in again.text


def test_a_module_that_cannot_be_had(bench: Bench) -> None:
    """It ends by itself: the timeout of the run is that of this test's own process."""
    bench.scratch.root(
        "a",
        'module "near" {\n  source = "./nowhere"\n}\n\nmodule "far" {\n  source = "git::https://127.0.0.1:9/x.git"\n}',
    )
    result = bench.plan()
    assert result.code == 1
    assert "infra/a/main.tf:15: error [no-module]" in result.text
    assert "infra/a/main.tf:19: error [no-module] Failed to download module" in result.text
    assert "Check the module's `source`" in result.text
    assert bench.others_passed()


def test_a_provider_that_cannot_be_had(bench: Bench) -> None:
    needed = 'terraform {\n  required_providers {\n    x = {\n      source = "127.0.0.1:9/acme/nowhere"\n    }\n  }\n}'
    bench.scratch.root("a", needed + '\n\nresource "x_y" "z" {}')
    result = bench.plan()
    assert result.code == 1
    assert "infra/a/main.tf: error [no-provider]" in result.text
    assert "acme/nowhere" in result.text
    assert "TFPIPELINE_PROVIDER_MIRROR" in result.text
    assert bench.others_passed()


def test_a_backend_that_is_not_there(bench: Bench) -> None:
    path = bench.scratch.path / "infra/a/main.tf"
    backend = 'backend "http" {\n    address = "http://127.0.0.1:9/a"\n    retry_max = 0\n  }'
    text = path.read_text()
    path.write_text(backend.join(["terraform {\n  ", text[text.index("\n}") :]]))
    result = bench.plan("-k", "plan")
    assert result.code == 1
    assert "infra/a/main.tf: error [backend-unreachable]" in result.text
    assert "connection refused" in result.text
    assert "Check the backend's address" in result.text
    assert bench.outcome("plan[staging]", "b") == "passed"


def test_a_state_lock_held_by_someone_else(bench: Bench, tmp_path: Path) -> None:
    with _real_apply(bench.scratch.path / "infra/a", tmp_path):
        result = bench.run("--apply-env", "staging", "-n0", "-k", "not policy")
    assert result.code == 1
    assert "infra/a/main.tf: error [state-locked] Error acquiring the state lock" in result.text
    assert f"locked by {getpass.getuser()}@{socket.gethostname()}, for apply, since " in result.text
    assert "ago)" in result.text
    assert "terraform force-unlock" in result.text
    assert bench.outcome("plan[staging]") == "failed"
    assert bench.others_passed()
    assert not bench.scratch.applied("b")


@contextmanager
def _real_apply(root: Path, tmp_path: Path) -> Iterator[None]:
    """A real `terraform apply` of the same state, kept in the middle by a provisioner until the end of the block."""
    place = tmp_path / "elsewhere"
    shutil.copytree(root, place)
    told = tmp_path / "told"
    os.mkfifo(told)
    reader = os.open(told, os.O_RDWR)
    wait = f'provisioner "local-exec" {{\n    command = "echo locked > {told}; exec sleep 600"\n  }}'
    text = (place / "main.tf").read_text()
    (place / "main.tf").write_text(text.replace('input = "hello"', f'input = "hello"\n  {wait}'))
    env = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    subprocess.run(["terraform", "init"], cwd=place, env=env, check=True, capture_output=True, timeout=60)
    argv = ["terraform", "apply", "-auto-approve"]
    with subprocess.Popen(argv, cwd=place, env=env, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            assert select.select([reader], [], [], 60)[0], "terraform did not get to the provisioner"
            yield
        finally:
            os.killpg(process.pid, signal.SIGINT)
            os.close(reader)


def test_a_pointer_of_git_lfs_in_the_place_of_a_file(bench: Bench) -> None:
    bench.scratch.write("infra/a/big.tf", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
    run = bench.run("-m", "tf_fmt or tf_validate")
    assert "infra/a/big.tf:1: error [git-lfs-pointer] The file itself is not here" in run.text, run.text
    assert "-> git lfs pull" in run.text
    assert "Invalid block definition" not in run.text, "what a parser says of it does not help"
    assert "2 failed" in run.text, "the other root goes on"
