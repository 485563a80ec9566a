"""For each thing that a static check depends on: where it changes, no earlier result is taken."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from world import LOCK, World

from pytest_tfpipeline.pipeline.build import Wish
from pytest_tfpipeline.reuse import inputs, own
from pytest_tfpipeline.reuse.tree import Unknowable

FMT, LINT, VALIDATE, POLICY = (f"infra/a/main.tf::{kind}" for kind in ("fmt", "lint", "validate", "policy"))
RUFF = "lambdas/one/requirements.txt::lint"
TERRAFORM = (FMT, LINT, VALIDATE, POLICY)

Change = Callable[[World], Mapping[str, str] | None]


def appends(name: str, text: str = "# more\n") -> Change:
    return lambda world: world.append(name, text)


def sets(**env: str) -> Change:
    return lambda world: env


def reads_a_file(world: World) -> None:
    world.append("infra/a/main.tf", 'locals {\n  text = file("${path.module}/../../shared/text.json")\n}\n')


def uses_a_provider(world: World) -> None:
    world.append("infra/a/main.tf", 'resource "aws_sqs_queue" "it" {}\n')
    world.write("infra/a/.terraform.lock.hcl", LOCK)


def names_var_files(world: World) -> None:
    world.write(".tflint.hcl", 'config {\n  varfile = ["x"]\n}\n')


def has_tests(world: World) -> None:
    world.write("infra/a/tests/main.tftest.hcl", 'run "it" {\n  module {\n    source = "./tests/setup"\n  }\n}\n')
    world.write("infra/a/tests/setup/main.tf", 'output "x" {\n  value = 1\n}\n')


def has_a_waiver(world: World) -> None:
    world.append("tfpipeline.toml", 'waivers = "waivers.toml"\n')
    world.write("waivers.toml", WAIVER)


WAIVER = """[[waiver]]
rule = "CKV_AWS_18"
address = "aws_s3_bucket.*"
owner = "me"
reason = "because"
expires = 2999-01-01
"""
BASELINE = """{{"version": 1, "findings": [{{"check": "{}", "dir": "{}", "rule": "x", "content": ["{}"]}}]}}"""


def nothing(world: World) -> None:
    """A change of nothing."""


def counts(check: str, change: Change, before: Change = nothing, *, name: str) -> object:
    return pytest.param(check, before, change, id=f"{name}: {check.partition('::')[2]}")


CHANGES = [
    *(counts(check, appends("infra/a/main.tf"), name="its own file") for check in TERRAFORM),
    *(counts(check, appends("infra/a/other.tf"), name="another file beside it") for check in TERRAFORM),
    *(counts(check, lambda w: (w.path / "infra/a/x.tf").unlink(), appends("infra/a/x.tf"), name="a file less")
      for check in TERRAFORM),
    *(counts(check, appends("modules/outer/main.tf"), name="a module") for check in TERRAFORM[1:]),
    *(counts(check, appends("modules/inner/main.tf"), name="a module's module") for check in TERRAFORM[1:]),
    *(counts(check, appends("shared/text.json", "\n"), reads_a_file, name="what is read") for check in TERRAFORM[1:]),
    *(counts(check, appends("infra/a/tests/setup/main.tf"), has_tests, name="tests") for check in TERRAFORM[1:]),
    *(counts(check, appends("infra/a/terraform.tfvars", "x = 1\n"), name="variables") for check in TERRAFORM),
    counts(LINT, appends(".tflint.hcl", 'config {\n  disabled_by_default = true\n}\n'), name="tflint above"),
    counts(LINT, appends("infra/.tflint.hcl"), appends(".tflint.hcl"), name="tflint nearer"),
    counts(LINT, appends(".tflint.hcl", "# other\n"), appends(".tflint.hcl"), name="tflint's text"),
    counts(LINT, appends("shared/text.json", "\n"), names_var_files, name="var files"),
    counts(LINT, appends("tfpipeline.toml", 'lint_severity = "error"\n'), name="severity"),
    counts(LINT, sets(TFLINT_X="1"), name="TFLINT_"),
    counts(LINT, sets(TF_VAR_x="1"), name="TF_VAR_"),
    counts(POLICY, appends("infra/a/.checkov.yaml", "skip-check: CKV_AWS_18\n"), name="checkov here"),
    counts(POLICY, appends(".checkov.yml", "skip-check: CKV_AWS_18\n"), name="checkov at the top"),
    counts(POLICY, appends("infra/a/below/x.txt"), name="a directory below"),
    counts(POLICY, has_a_waiver, name="waivers"),
    counts(VALIDATE, appends("infra/a/.terraform.lock.hcl"), uses_a_provider, name="lock file"),
    counts(VALIDATE, sets(AWS_REGION="eu-west-2"), uses_a_provider, name="a provider's variable"),
    counts(VALIDATE, lambda _: {"AWS_SESSION_TOKEN": "x"}, uses_a_provider, name="a provider's credential"),
    counts(VALIDATE, sets(TF_ENCRYPTION="x"), name="TF_"),
    counts(RUFF, appends("lambdas/one/one.py"), name="code"),
    counts(RUFF, appends("lambdas/one/nested/tests/test_two.py"), name="code below"),
    counts(RUFF, appends("other/more.py"), name="modules of the repository"),
    counts(RUFF, appends("ruff.toml", "line-length = 20\n"), name="ruff above"),
    counts(RUFF, appends("lambdas/one/tests/.ruff.toml", "line-length = 20\n"), name="ruff below"),
    counts(RUFF, appends("lambdas/pyproject.toml", "[tool.ruff]\nline-length = 20\n"), name="pyproject"),
    counts(RUFF, appends("shared/text.json", "\n"), appends("ruff.toml", 'extend = "shared/r.toml"\n'), name="extend"),
    counts(RUFF, lambda w: (w.path / "lambdas/one/nested/requirements.txt").unlink(), name="inner suites"),
    counts(RUFF, sets(RUFF_LINE_LENGTH="20"), name="RUFF_"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "before", "change"), CHANGES)
def test_a_change_of_what_counts_is_seen(world: World, check: str, before: Change, change: Change) -> None:
    before(world)
    described = world.describe(check)
    assert world.describe(check) == described, "nothing has changed yet"
    env = change(world)
    assert world.describe(check, env) != described


@pytest.mark.parametrize(
    ("check", "name"),
    [(FMT, "fmt"), (LINT, "lint"), (POLICY, "policy"), (RUFF, "ruff")],
)
def test_what_the_baseline_says_of_the_check_counts(world: World, check: str, name: str) -> None:
    directory = "lambdas/one" if name == "ruff" else "infra/a"
    world.write(".tfpipeline-baseline.json", BASELINE.format(name, directory, "0" * 16))
    described = world.describe(check)
    world.write(".tfpipeline-baseline.json", BASELINE.format(name, directory, "1" * 16))
    assert world.describe(check) != described
    (world.path / ".tfpipeline-baseline.json").unlink()
    assert world.describe(check) != described


@pytest.mark.parametrize("check", [*TERRAFORM, RUFF])
def test_what_does_not_count_changes_nothing(world: World, check: str) -> None:
    described = world.describe(check)
    world.append("README.md", "More.\n")
    world.append("infra/b/main.tf", "# more\n")
    assert world.describe(check, {"HOME_OF_MINE": "x"}) == described


@pytest.mark.parametrize("check", [*TERRAFORM, RUFF])
def test_the_version_of_this_plugin_counts(world: World, check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    described = world.describe(check)
    monkeypatch.setattr(inputs, "own_code", lambda: "another")
    assert world.describe(check) != described


def test_a_change_of_this_plugins_code_changes_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = Path(own.__file__).parent.parent
    copy = shutil.copytree(package, tmp_path / "package", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(own, "__file__", str(copy / "reuse/own.py"))
    same = own.own_code.__wrapped__()
    assert same == own.own_code()
    with (copy / "checks/fmt.py").open("a", encoding="utf-8") as file:
        file.write("# more\n")
    assert own.own_code.__wrapped__() != same


@pytest.mark.parametrize(
    ("check", "name"), [(FMT, "terraform"), (VALIDATE, "terraform"), (LINT, "tflint"), (RUFF, "ruff")]
)
def test_the_program_counts(world: World, tmp_path: Path, check: str, name: str) -> None:
    """The same version with another byte at its end."""
    described = world.describe(check)
    tool = world.context().tool(name)
    other = Path(shutil.copy2(tool.path, tmp_path / name))
    with other.open("ab") as file:
        file.write(b"\0")
    assert world.describe(check, {f"TFPIPELINE_{name.upper()}": str(other)}) != described


def test_what_is_installed_beside_checkov_counts(world: World, tmp_path: Path) -> None:
    program = Path(world.context().tool("checkov").path)
    environment = program.resolve().parent.parent
    copy = tmp_path / environment.name
    packages = next(environment.glob("lib/python*/site-packages"))
    below = copy / packages.relative_to(environment)
    below.mkdir(parents=True)
    (copy / "bin").mkdir()
    shutil.copy2(environment / "pyvenv.cfg", copy)
    for name in ("checkov", "python"):
        shutil.copy2(environment / "bin" / name, copy / "bin", follow_symlinks=False)
    for metadata in packages.glob("*.dist-info"):
        (below / metadata.name).mkdir()
    env = {"TFPIPELINE_CHECKOV": str(copy / "bin/checkov")}
    described = world.describe(POLICY, env)
    (below / "another-1.0.dist-info").mkdir()
    assert world.describe(POLICY, env) != described


def test_an_expiring_waiver_counts_by_the_day(world: World) -> None:
    assert '"today": null' in world.describe(POLICY)
    has_a_waiver(world)
    assert f'"today": "{world.context().run.today}"' in world.describe(POLICY)


def test_a_credentials_value_does_not_count(world: World) -> None:
    """It is another one in every job, and nothing is asked with it."""
    uses_a_provider(world)
    one, other = ({"AWS_SESSION_TOKEN": value} for value in "12")
    assert world.describe(VALIDATE, one) == world.describe(VALIDATE, other)


def test_the_variables_of_the_planned_target_count(world: World) -> None:
    uses_a_provider(world)
    plan, root = Wish("plan", ("staging",)), '[[root]]\nmatch = "infra/*"\n'
    world.append("tfpipeline.toml", root)
    described = world.describe(VALIDATE, wish=plan)
    assert described == world.describe(VALIDATE), "a plan of the same root has the same answer to validate"
    world.append("tfpipeline.toml", 'env = { AWS_REGION = "eu-west-2" }\n')
    assert world.describe(VALIDATE, wish=plan) != described


def remote(world: World) -> None:
    world.append("infra/a/main.tf", 'module "far" {\n  providers = {\n  }\n\n  source = "example/far/aws"\n}\n')


def with_prepare(world: World) -> None:
    world.append("tfpipeline.toml", '[[root]]\nmatch = "infra/b"\nprepare = [["true"]]\n')


def linked(world: World) -> None:
    (world.path / "modules/link").symlink_to("inner")
    world.append("infra/a/main.tf", 'module "link" {\n  source = "../../modules/link"\n}\n')


def outside(world: World) -> None:
    (world.path / "infra/a/passwd.tf").symlink_to("/etc/passwd")


UNKNOWABLE = [
    (VALIDATE, remote, "not in the repository"),
    (VALIDATE, with_prepare, "`prepare` makes files"),
    (VALIDATE, appends("infra/a/main.tf", 'resource "aws_sqs_queue" "it" {}\n'), "which packages of providers"),
    (VALIDATE, appends("infra/a/main.tf", 'provider "aws" {}\n'), "which packages of providers"),
    *((check, linked, "is a link to a directory") for check in TERRAFORM[1:]),
    *((check, outside, "leads to no file of the repository") for check in TERRAFORM),
    *(
        (check, appends("infra/a/main.tf", text), said)
        for check in TERRAFORM[1:]
        for text, said in (
            ('module "x" {\n  source = var.place\n}\n', "a module whose place is computed"),
            ('module "x" {\n  source = "../${var.place}"\n}\n', "a module whose place is computed"),
            ("locals {\n  x = provider::local::direxists(path.cwd)\n}\n", "calls functions of a provider"),
            ('locals {\n  x = file("/etc/passwd")\n}\n', "/etc/passwd"),
            ('locals {\n  x = file("/etc/${var.x}")\n}\n', "/etc"),
        )
    ),
    (LINT, appends(".tflint.hcl", 'plugin "opa" {\n  enabled = true\n}\n'), "a ruleset that may read more"),
    (LINT, appends(".tflint.hcl", 'plugin "aws" {\n  enabled = true\n  deep_check = true\n  version = "1"\n'
     '  source = "github.com/terraform-linters/tflint-ruleset-aws"\n}\n'), "ask the cloud"),
    (POLICY, appends(".checkov.yaml", "external-checks-dir: [checks]\n"), "may read more"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "change", "said"), UNKNOWABLE)
def test_what_cannot_be_named_is_not_reused(world: World, check: str, change: Change, said: str) -> None:
    change(world)
    with pytest.raises(Unknowable, match=said):
        world.describe(check, wish=Wish("plan", ("staging",)))


def test_providers_in_place_of_those_that_are_locked_are_not_known(world: World, tmp_path: Path) -> None:
    uses_a_provider(world)
    ctx = world.context()
    with Path(ctx.run.cli_config_path).open("a", encoding="utf-8") as file:
        file.write('provider_installation {\n  dev_overrides {\n    "hashicorp/aws" = "/x"\n  }\n}\n')
    described = inputs.Inputs(ctx, inputs.Tree(world.path, ["infra/a/main.tf", "infra/a/.terraform.lock.hcl"]))
    check = next(check for check in ctx.run.checks if check.id == VALIDATE)
    with pytest.raises(Unknowable, match="dev_overrides"):
        described.describe(check)


@pytest.mark.parametrize(("check", "name"), [(FMT, "terraform"), (LINT, "tflint"), (POLICY, "checkov")])
def test_a_program_that_starts_another_is_not_known(world: World, tmp_path: Path, check: str, name: str) -> None:
    script = tmp_path / name
    script.write_text(f'#!/bin/sh\nexec {world.context().tool(name).path} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    with pytest.raises(Unknowable, match="program"):
        world.describe(check, {f"TFPIPELINE_{name.upper()}": str(script)})
