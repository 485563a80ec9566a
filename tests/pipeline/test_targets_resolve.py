"""Which root runs in which environment, and with what."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_tfpipeline.config import load_config
from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.errors import UsageError
from pytest_tfpipeline.model import Kind, Repository, Root, Target, Variable
from pytest_tfpipeline.pipeline.targets import (
    belongs,
    check_environments,
    resolve_targets,
)

PLACE = {"bucket": "states", "key": "core"}
CORE = Root(
    *("terraform/core", "core", "terraform/core/main.tf"),
    backend="s3",
    backend_config=PLACE,
    after=("terraform/networking",),
)
NETWORKING = Root(
    "terraform/networking", "networking", "terraform/networking/main.tf", backend="s3", backend_config=PLACE
)
EXAMPLE = Root("examples/simple", "simple", "examples/simple/main.tf", kind=Kind.EXAMPLE)


def config(top: Path, text: str = "") -> Config:
    (top / "tfpipeline.toml").write_text(text)
    return load_config(top)


def repository(top: Path, *roots: Root) -> Repository:
    return Repository(str(top), roots=roots or (CORE,), environments=("staging", "production"))


def files(top: Path, *names: str) -> None:
    for name in names:
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def resolve(top: Path, text: str, root: Root = CORE, environ: dict[str, str] | None = None) -> Target:
    (target,) = resolve_targets(repository(top, root), config(top, text), ["staging"], environ or {})
    return target


def test_everything_an_entry_says_reaches_the_target(tmp_path: Path) -> None:
    files(tmp_path, "terraform/config/staging.tfvars", "terraform/backends/staging.tfbackend")
    text = """
[environment.staging]
plan_env = { AWS_PROFILE = "read" }
apply_env = { AWS_PROFILE = "write" }
[[root]]
match = "terraform/*"
var_files = ["terraform/config/common.tfvars?", "terraform/config/{env}.tfvars"]
vars = { environment = "{env}", url = "${URL}/{name}", list = ["{parts[0]}", 1] }
backend = ["terraform/backends/{env}.tfbackend?", "key={name}/{env}.tfstate"]
workspace = "{env}-{parts[-1]}"
env = { AWS_REGION = "eu-{env}" }
prepare = [["make", "{name}"]]
after_apply = [["run", "{env}"]]
parallelism = 3
lock_timeout = "5m"
timeout = { plan = "20m", apply = "1h30m" }
"""
    target = resolve(tmp_path, text, environ={"URL": "https://x"})
    assert target == Target(
        root="terraform/core",
        environment="staging",
        var_files=("terraform/config/staging.tfvars",),
        vars={"environment": "staging", "url": "https://x/core", "list": ["terraform", 1]},
        backend_config=("terraform/backends/staging.tfbackend", "key=core/staging.tfstate"),
        workspace="staging-core",
        env={"AWS_REGION": "eu-staging"},
        plan_env={"AWS_PROFILE": "read"},
        apply_env={"AWS_PROFILE": "write"},
        prepare=(("make", "core"),),
        after_apply=(("run", "staging"),),
        parallelism=3,
        lock_timeout="5m",
        timeouts={
            "init": 600.0,
            "validate": 300.0,
            "plan": 1200.0,
            "show": 300.0,
            "apply": 5400.0,
            "prepare": 600.0,
            "after_apply": 600.0,
        },
        after=("terraform/networking",),
        apply=True,
    )


def test_the_first_matching_entry_is_the_only_one(tmp_path: Path) -> None:
    first = '[[root]]\nmatch = "terraform/core"\nparallelism = 1\n'
    text = first + '[[root]]\nmatch = "**"\nparallelism = 2\nworkspace = "w"\n'
    target = resolve(tmp_path, text)
    assert (target.parallelism, target.workspace) == (1, None)


def test_targets_come_by_environment_then_in_the_repositorys_order(tmp_path: Path) -> None:
    targets = resolve_targets(repository(tmp_path, NETWORKING, CORE), config(tmp_path), ["production", "staging"], {})
    assert [(target.environment, target.root) for target in targets] == [
        ("production", "terraform/networking"),
        ("production", "terraform/core"),
        ("staging", "terraform/networking"),
        ("staging", "terraform/core"),
    ]


def test_a_missing_var_file_is_a_finding_with_what_was_meant(tmp_path: Path) -> None:
    files(tmp_path, "terraform/core/staging.tfvars")
    (finding,) = resolve(tmp_path, '[[root]]\nmatch = "**"\nvar_files = ["terraform/core/{env}.tfvar"]').problems
    assert finding.rule == "missing-var-file"
    assert finding.file == "tfpipeline.toml"
    assert "`terraform/core/staging.tfvar`, of `var_files`, is not there" in finding.text
    assert "did you mean `terraform/core/staging.tfvars`?" in finding.text


def test_a_var_file_named_relative_to_the_root_is_recognised(tmp_path: Path) -> None:
    files(tmp_path, "terraform/core/env/staging.tfvars")
    (finding,) = resolve(tmp_path, '[[root]]\nmatch = "**"\nvar_files = ["env/{env}.tfvars"]').problems
    assert "did you mean `terraform/core/env/staging.tfvars`?" in finding.text


def test_a_file_that_may_be_absent_is_left_out_without_a_word(tmp_path: Path) -> None:
    target = resolve(tmp_path, '[[root]]\nmatch = "**"\nvar_files = ["a.tfvars?"]\nbackend = ["b.tfbackend?"]')
    assert (target.var_files, target.backend_config, target.problems) == ((), (), ())


def test_a_file_that_prepare_makes_is_not_missing_yet(tmp_path: Path) -> None:
    target = resolve(tmp_path, '[[root]]\nmatch = "**"\nvar_files = ["made.tfvars"]\nprepare = [["make"]]')
    assert (target.var_files, target.problems) == (("made.tfvars",), ())


def test_a_missing_backend_file_is_a_finding(tmp_path: Path) -> None:
    (finding,) = resolve(tmp_path, '[[root]]\nmatch = "**"\nbackend = ["{env}.tfbackend", "key=a/b=c"]').problems
    assert (finding.rule, "`staging.tfbackend`, of `backend`" in finding.text) == ("missing-backend-file", True)


def test_what_a_root_does_not_declare_is_not_passed_and_needs_no_value(tmp_path: Path) -> None:
    text = '[[root]]\nmatch = "**"\nvars = { region = "x", other = "${NOT_SET}" }'
    root = replace(CORE, variables=(Variable("region", required=True),))
    target = resolve(tmp_path, text, root)
    assert (target.vars, target.problems) == ({"region": "x"}, ())


def test_each_missing_environment_variable_is_a_finding_naming_variable_and_key(tmp_path: Path) -> None:
    text = '[[root]]\nmatch = "**"\nvars = { url = "${A}${B}", list = ["${A}"], plain = "x", empty = "${E}" }'
    root = replace(CORE, variables=tuple(Variable(name, required=True) for name in ("url", "list", "plain", "empty")))
    target = resolve(tmp_path, text, root, environ={"E": ""})
    assert target.vars == {"plain": "x", "empty": ""}
    assert [finding.rule for finding in target.problems] == ["missing-environment-variable"] * 3
    assert [finding.text.split()[3].rstrip(",") for finding in target.problems] == ["`A`", "`B`", "`A`"]
    assert "`vars.list`" in target.problems[2].text
    assert "set A where this run is started" in target.problems[2].text


def test_an_empty_list_of_var_files_turns_the_default_off(tmp_path: Path) -> None:
    found = replace(CORE, var_files={"staging": ("staging.tfvars",), "production": ("production.tfvars",)})
    assert resolve(tmp_path, "", found).var_files == ("staging.tfvars",)
    assert resolve(tmp_path, '[[root]]\nmatch = "**"', found).var_files == ("staging.tfvars",)
    assert resolve(tmp_path, '[[root]]\nmatch = "**"\nvar_files = []', found).var_files == ()


EMULATED = '[environment.staging]\nemulator = "aws"\n'


@pytest.mark.parametrize(
    ("root", "text", "expected"),
    [
        (CORE, "", True),
        (replace(CORE, backend=None), "", False),
        (replace(CORE, backend="local"), "", False),
        (replace(CORE, backend=None), EMULATED, True),
        (CORE, '[[root]]\nmatch = "**"\nbackend = "local"', False),
        (CORE, '[[root]]\nmatch = "**"\napply = false', False),
        (CORE, EMULATED + '[[root]]\nmatch = "**"\napply = false', False),
        (replace(CORE, backend=None), '[[root]]\nmatch = "**"\napply = true', True),
        (EXAMPLE, EMULATED, False),
        (replace(EXAMPLE, backend="s3"), EMULATED, False),
        (EXAMPLE, EMULATED + '[[root]]\nmatch = "**"\napply = true', True),
        (EXAMPLE, '[[root]]\nmatch = "**"\nenvironments = ["staging"]', False),
    ],
)
def test_what_may_be_applied_unless_configured(tmp_path: Path, root: Root, text: str, expected: bool) -> None:
    assert resolve(tmp_path, text, root).apply is expected


def test_the_target_knows_that_it_is_emulated_or_local(tmp_path: Path) -> None:
    assert resolve(tmp_path, EMULATED).emulated
    target = resolve(tmp_path, '[[root]]\nmatch = "**"\nbackend = "local"')
    assert (target.emulated, target.backend_local, target.backend_config) == (False, True, ())


def test_a_root_among_environments_belongs_to_none_unless_configured(tmp_path: Path) -> None:
    mgmt = replace(CORE, beside=True)
    assert not belongs(mgmt, config(tmp_path, ""), "staging")
    assert belongs(replace(mgmt, environments=("staging",)), config(tmp_path, ""), "staging")
    repository = Repository(str(tmp_path), roots=(mgmt, NETWORKING), environments=("staging",))
    targets = resolve_targets(repository, config(tmp_path, ""), ["staging"], {})
    assert [target.root for target in targets] == [NETWORKING.dir]


@pytest.mark.parametrize(
    ("root", "text", "expected"),
    [
        (CORE, "", True),
        (replace(CORE, environments=("staging",)), "", True),
        (replace(CORE, environments=("production",)), "", False),
        (replace(CORE, environments=("production",)), '[[root]]\nmatch = "**"\nenvironments = ["staging"]', True),
        (CORE, '[[root]]\nmatch = "**"\nenvironments = []', False),
        (EXAMPLE, "", False),
        (EXAMPLE, '[[root]]\nmatch = "**"\nworkspace = "x"', False),
        (EXAMPLE, EMULATED, True),
        (EXAMPLE, '[[root]]\nmatch = "examples/*"\nenvironments = ["staging"]', True),
        (EXAMPLE, '[[root]]\nmatch = "examples/*"\napply = false', True),
        (EXAMPLE, EMULATED + '[[root]]\nmatch = "examples/*"\nenvironments = []', False),
    ],
)
def test_where_a_root_belongs(tmp_path: Path, root: Root, text: str, expected: bool) -> None:
    assert belongs(root, config(tmp_path, text), "staging") is expected


def test_an_unknown_environment_is_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        check_environments(["stagng"], repository(tmp_path), config(tmp_path))
    assert str(caught.value) == (
        "unknown environment `stagng`; did you mean `staging`?\n  -> known environments: staging, production"
    )


def test_where_no_environment_is_known_the_line_that_names_them_is_given(tmp_path: Path) -> None:
    for asked, named in (("live-2", "live-2"), ("..", "staging")):
        with pytest.raises(UsageError, match=rf'`pytest --tf-list` .*, in tfpipeline.toml, .* = \["{named}"\]'):
            check_environments([asked], Repository(str(tmp_path), roots=(CORE,)), config(tmp_path))


def test_an_environment_that_only_has_a_table_is_known(tmp_path: Path) -> None:
    check_environments(["sandbox"], repository(tmp_path), config(tmp_path, "[environment.sandbox]"))


def test_an_environment_without_a_root_is_a_usage_error(tmp_path: Path) -> None:
    only = replace(CORE, environments=("production",))
    with pytest.raises(UsageError, match="no root belongs to the environment `staging`"):
        check_environments(["production", "staging"], repository(tmp_path, only), config(tmp_path))


def test_no_terraform_at_all_is_a_usage_error(tmp_path: Path) -> None:
    empty = Repository(str(tmp_path), environments=("staging",))
    with pytest.raises(UsageError, match="no Terraform root was found"):
        check_environments(["staging"], empty, config(tmp_path))
