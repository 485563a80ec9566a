"""What a plan is bound to, from real plans: the same again on another machine, another for each change."""

from __future__ import annotations

import base64
import json
import secrets
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfpipeline.context import Context, open_context
from pytest_tfpipeline.errors import PlanReadError, UsageError
from pytest_tfpipeline.gate.digest import Bound, address_changes, plan_digest
from pytest_tfpipeline.model import PlanResult, PlanStatus, Repository, Root, Run, Target
from pytest_tfpipeline.terraform import bound as bound_module
from pytest_tfpipeline.terraform.applying import apply_plan
from pytest_tfpipeline.terraform.bound import bound_of, digest_key
from pytest_tfpipeline.terraform.diagnostics import render_findings
from pytest_tfpipeline.terraform.plan import read_plan
from pytest_tfpipeline.terraform.planning import ensure_plan
from pytest_tfpipeline.tools.lockfile import providers_of_lock
from pytest_tfpipeline.workspace import prepare_output

KEY = bytes(range(32))
BASE = """
variable "secret" {
  type      = string
  sensitive = true
  default   = "hunter2"
}

locals {
  prefix = "echo one"
}

resource "terraform_data" "made" {
  input = {
    place  = abspath("${path.module}/x")
    script = file("../shared/run.sh")
    secret = var.secret
    number = 0.1234567890123456789012345678
  }

  provisioner "local-exec" {
    command = "${local.prefix} ${path.cwd}"
  }

  lifecycle {
    ignore_changes = [input]
  }
}

resource "terraform_data" "kept" {
  input = 1
}

output "it" {
  value = 1
}
"""


class Machine:
    """A checkout somewhere, and the runs on it; state is kept outside of it, as a backend would."""

    def __init__(self, path: Path, states: Path) -> None:
        self.path, self.states, self.runs = path, states, 0
        self.target = Target("core", "staging", apply=True, backend_config=(f"path={states}/core.tfstate",))
        self.write("core/main.tf", f'terraform {{\n  backend "local" {{}}\n}}\n{BASE}')
        self.write("shared/run.sh", "echo hello\n")

    def write(self, name: str, text: str) -> None:
        path = self.path / "checkout" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.path / "checkout" / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def open(self, backend: str | None = "local") -> Context:
        self.runs += 1
        output = prepare_output(self.path / "output")
        work = output / "runs" / f"run-{self.path.name}-{self.runs}"
        work.mkdir(parents=True)
        checkout = self.path / "checkout"
        names = [path.relative_to(checkout).as_posix() for path in checkout.rglob("*") if path.is_file()]
        (work / "files.json").write_text(json.dumps(dict.fromkeys(names, "")))
        repository = Repository(str(checkout), roots=(Root("core", "core", "core/main.tf", backend=backend),))
        files = str(work / "files.json")
        run = Run(work.name, "apply", repository, str(output), str(work), targets=(self.target,), files_path=files)
        return open_context(run)

    def plan(self, ctx: Context) -> PlanResult:
        result = ensure_plan(ctx, self.target)
        assert result.status is PlanStatus.PLANNED, render_findings(result.findings)
        return result

    def bound(self, backend: str | None = "local") -> tuple[PlanResult, Bound]:
        ctx = self.open(backend)
        result = self.plan(ctx)
        return result, bound_of(ctx, self.target, result, "1234", "acme/platform")

    def digest(self, *, files: bool = True) -> str:
        """Without `files`, as if the edited file itself did not count."""
        result, bound = self.bound()
        bound = bound if files else replace(bound, files={})
        return plan_digest(read_plan(str(result.json_path)), bound, KEY)

    def changes(self) -> dict[str, str]:
        result, bound = self.bound()
        found = address_changes(read_plan(str(result.json_path)), bound.tree, KEY)
        return {each.address: each.digest for each in found}

    def apply(self) -> None:
        ctx = self.open()
        assert apply_plan(ctx, self.target, self.plan(ctx)).ok


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Machine]:
    """`machine(name)`: one of several that share the backend and nothing else."""
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    return lambda name: Machine(tmp_path / f"{name}'s «place»", tmp_path / "states")


def test_a_plan_made_again_elsewhere_has_the_same_digest(machine: Callable[[str], Machine]) -> None:
    one, two = machine("one"), machine("another")
    assert one.digest() == one.digest() == two.digest()
    one.apply()
    assert one.changes() == {}
    for each in (one, two):
        each.edit("core/main.tf", "input = 1", "input = 2")
    assert one.digest() == two.digest()
    assert list(one.changes()) == ["terraform_data.kept"]
    assert one.changes() == two.changes()


EDITS: dict[str, tuple[str, str, str]] = {
    "a provisioner's command": ("core/main.tf", 'prefix = "echo one"', 'prefix = "echo two"'),
    "a script that the plan reads": ("shared/run.sh", "hello", "bye"),
    "a secret variable": ("core/main.tf", "hunter2", "hunter3"),
    "the last digit of a number": ("core/main.tf", "5678\n", "5679\n"),
    "an output": ("core/main.tf", "value = 1", "value = 2"),
    "an import": ("core/main.tf", "output", 'import {\n  to = terraform_data.kept\n  id = "x"\n}\noutput'),
}
#: A plan's JSON form has only the references of a template.
ONLY_IN_FILES = ("a provisioner's command",)


@pytest.mark.parametrize("files", [True, False])
def test_each_change_of_a_first_plan_changes_the_digest(machine: Callable[[str], Machine], files: bool) -> None:
    seen = {machine("one").digest(files=files): "nothing"}
    for index, (what, edit) in enumerate(EDITS.items()):
        if files or what not in ONLY_IN_FILES:
            other = machine(f"edited {index}")
            other.edit(*edit)
            digest = other.digest(files=files)
            assert digest not in seen, f"{what} has the digest of {seen[digest]}"
            seen[digest] = what


def test_state_workspace_move_and_forget_change_the_digest(machine: Callable[[str], Machine]) -> None:
    one = machine("one")
    first = one.digest(files=False)
    one.apply()
    applied = one.digest(files=False)
    one.edit("core/main.tf", '"terraform_data" "kept"', '"terraform_data" "renamed"')
    renamed = one.digest(files=False)
    one.write("core/moved.tf", "moved {\n  from = terraform_data.kept\n  to   = terraform_data.renamed\n}\n")
    moved = one.digest(files=False)
    assert list(one.changes()) == ["terraform_data.renamed"]
    one.write("core/moved.tf", "")
    one.edit("core/main.tf", 'resource "terraform_data" "renamed" {\n  input = 1\n}', "")
    gone = one.digest(files=False)
    one.write("core/moved.tf", "removed {\n  from = terraform_data.kept\n  lifecycle {\n    destroy = false\n  }\n}\n")
    forgotten = one.digest(files=False)
    one.target = replace(one.target, workspace="blue")
    assert len({first, applied, renamed, moved, gone, forgotten, one.digest(files=False)}) == 7


def test_after_apply_and_destroy_a_first_plan_has_another_digest(machine: Callable[[str], Machine]) -> None:
    """An approval of the first plan must not be good for the same again."""
    one = machine("one")
    first = one.digest()
    one.apply()
    kept = (one.path / "checkout/core/main.tf").read_text()
    one.write("core/main.tf", 'terraform {\n  backend "local" {}\n}\n')
    one.apply()
    one.write("core/main.tf", kept)
    assert one.digest() != first


def test_what_is_read_from_the_saved_plan_and_the_copy(machine: Callable[[str], Machine]) -> None:
    one = machine("one")
    _, bound = one.bound()
    assert (bound.backend_type, bound.workspace, bound.lineage, bound.serial) == ("local", "default", "", 0)
    assert (bound.repository, bound.environment, bound.account) == ("acme/platform", "staging", "1234")
    assert bound.terraform == one.open().tool("terraform").version
    assert bound.backend["path"] == f"{one.states}/core.tfstate"
    assert set(bound.files) >= {"core/main.tf", "shared/run.sh"}
    one.apply()
    _, bound = one.bound()
    state = json.loads((one.states / "core.tfstate").read_text())
    assert (bound.lineage, bound.serial) == (state["lineage"], state["serial"])
    one.target = replace(one.target, workspace="blue")
    _, bound = one.bound()
    assert (bound.workspace, bound.lineage, bound.serial) == ("blue", "", 0)


def test_a_state_below_the_output_directory_is_named_without_the_machine(machine: Callable[[str], Machine]) -> None:
    found = []
    for name in ("one", "another"):
        each = machine(name)
        each.target = replace(each.target, backend_local=True, backend_config=())
        _, bound = each.bound()
        assert str(bound.backend["path"]).startswith("${output}/state/staging/")
        found.append(replace(bound, tree=""))
    assert found[0] == found[1]


def test_downloaded_modules_count(machine: Callable[[str], Machine], tmp_path: Path) -> None:
    source = tmp_path / "module.zip"
    digests = set()
    for index, text in enumerate("121"):
        (tmp_path / "module" / ".git").mkdir(parents=True, exist_ok=True)
        (tmp_path / "module" / ".git" / "index").write_text(str(index))
        (tmp_path / "module" / "main.tf").write_text('locals {\n  x = "x"\n}\n')
        (tmp_path / "module" / "run.sh").write_text(text)
        shutil.make_archive(str(source.with_suffix("")), "zip", tmp_path / "module")
        one = machine(f"number {index}")
        one.write("core/module.tf", f'module "far" {{\n  source = "{source}"\n}}\n')
        _, bound = one.bound()
        assert "core/.terraform/modules/far/run.sh" in bound.files
        digests.add(one.digest())
    assert len(digests) == 2


def test_a_plan_file_that_is_none_is_refused(machine: Callable[[str], Machine], tmp_path: Path) -> None:
    one = machine("one")
    ctx = one.open()
    result = one.plan(ctx)
    (tmp_path / "broken.tfplan").write_bytes(b"PK\3\4")
    with pytest.raises(PlanReadError, match="plan again"):
        bound_of(ctx, one.target, replace(result, plan_path=str(tmp_path / "broken.tfplan")), None, "r")
    (Path(str(result.plan_path)).parents[2] / "tree/staging/core/.terraform/terraform.tfstate").write_text("[]")
    with pytest.raises(PlanReadError, match="which backend"):
        bound_of(ctx, one.target, result, None, "r")


@pytest.mark.parametrize(
    ("serial", "before", "expected"),
    [
        (2, {"resources": [{}]}, ("l", 2)),
        (1, {"resources": [{}]}, ("l", 1)),
        (1, {"outputs": {"a": {}}}, ("l", 1)),
        (2, {"resources": [], "outputs": {}}, ("l", 2)),
        (1, {"resources": [], "outputs": {}}, ("", 0)),
        (0, {}, ("", 0)),
    ],
)
def test_a_state_counts_from_its_first_apply_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serial: int, before: dict[str, Any], expected: tuple[str, int]
) -> None:
    """Emptied again it still counts: what was approved for the first plan is used up. Providers are the plan's own."""
    path = tmp_path / "a.tfplan"
    lock = 'provider "example.com/acme/thing" {\n  version = "1.0.0"\n  hashes = ["zh:bb"]\n}\n'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tfstate", json.dumps({"lineage": "l", "serial": serial, "outputs": {"planned": {}}}))
        archive.writestr("tfstate-prev", json.dumps(before))
        archive.writestr(".terraform.lock.hcl", lock)
    files, ours = ["core/main.tf", "core/x_override.tf.json"], "core/tfpipeline_backend_override.tf.json"
    tool = SimpleNamespace(name="terraform", version="1.11.4")
    directory = SimpleNamespace(ctx=None, cwd=tmp_path, copy=tmp_path, terraform=tool)
    monkeypatch.setattr(bound_module, "directory_of", lambda *_: directory)
    monkeypatch.setattr(bound_module, "planned_inputs", lambda *_: dict.fromkeys([*files, ours], "0"))
    ctx: Any = None
    plan = PlanResult("core", "staging", PlanStatus.PLANNED, plan_path=str(path))
    found = bound_of(ctx, Target("core", "staging"), plan, "1234", "acme")
    assert (found.lineage, found.serial) == expected
    assert found.providers == {"example.com/acme/thing": ("1.0.0", ("zh:bb",))}
    assert (found.account, found.terraform, list(found.files)) == ("1234", "1.11.4", files)


def test_providers_of_a_lock_file() -> None:
    text = """# comment
provider "registry.terraform.io/hashicorp/aws" {
  version     = "5.100.0"
  constraints = ">= 5.0.0, != 5.1.0"
  hashes = [
    "zh:bb",
    # "h1:commented out",
    "h1:a}a+/=",
  ]
}

provider "example.com/acme/thing" {
  version = "1.0.0-rc1"
}
"""
    assert dict(providers_of_lock(text)) == {
        "registry.terraform.io/hashicorp/aws": ("5.100.0", ("h1:a}a+/=", "zh:bb")),
        "example.com/acme/thing": ("1.0.0-rc1", ()),
    }
    assert dict(providers_of_lock("# nothing\n")) == {}


def test_a_key_is_hex_or_base64() -> None:
    key = secrets.token_bytes(32)
    urlsafe = base64.urlsafe_b64encode(key).decode()
    for text in (
        key.hex(),
        key.hex().upper(),
        base64.b64encode(key).decode(),
        urlsafe,
        urlsafe.rstrip("="),
        f" {key.hex()}\n",
    ):
        assert digest_key({"TFPIPELINE_DIGEST_KEY": text}) == (key, True)


@pytest.mark.parametrize("environ", [{}, {"TFPIPELINE_DIGEST_KEY": ""}, {"TFPIPELINE_DIGEST_KEY": " \n"}])
def test_without_a_key_each_run_has_its_own(environ: dict[str, str]) -> None:
    (one, kept), (other, _) = digest_key(environ), digest_key(environ)
    assert not kept
    assert len(one) == len(other) == 32
    assert one != other


@pytest.mark.parametrize(
    "text",
    [
        "0123456789abcdef" * 3 + "0123456789abcd",
        "correct horse battery staple",
        "0" * 64,
        "ab" * 40,
        "A" * 60,
        "ü" * 64,
        "\udcff" * 40,
    ],
)
def test_a_key_that_is_none_is_refused_with_the_command_that_makes_one(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        digest_key({"TFPIPELINE_DIGEST_KEY": text})
    assert "python -c 'import secrets; print(secrets.token_hex(32))'" in str(caught.value)
    assert "TFPIPELINE_DIGEST_KEY: is not hex or base64 of at least 32" in str(caught.value)
    assert text not in str(caught.value)
