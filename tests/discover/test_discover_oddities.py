"""What is wrong in a repository is said in a line each, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from shapes import PLAIN, WHOLE

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
_CALL = 'module "m" {\n  source = "../vendor/vpc"\n}\n'
ODD: dict[str, tuple[dict[str, str], str]] = {
    "a root that is called as a module": (
        {"all/main.tf": WHOLE + 'module "core" {\n  source = "../core"\n}\n'},
        "core has a backend and is called as a module too, by all",
    ),
    "a backend with variables": (
        {"odd/main.tf": WHOLE.replace('"states"', "var.bucket")},
        "odd/main.tf:2: the backend block computes bucket. Terraform takes no variables there (OpenTofu 1.8 does)",
    ),
    "a backend with a template": (
        {"odd/main.tf": WHOLE.replace('"states"', '"x-${local.account}"')},
        "odd/main.tf:2: the backend block computes bucket.",
    ),
    "a submodule that is not checked out": (
        {".gitmodules": '[submodule "v"]\n\tpath = vendor\n\turl = x\n', "app/main.tf": WHOLE + _CALL},
        "The submodule vendor is not checked out; app calls modules in there: run `git submodule update --init vendor",
    ),
    "several submodules": (
        {
            ".gitmodules": '[submodule "v"]\n\tpath = vendor\n[submodule "w"]\n\tpath = w\n',
            "app/main.tf": WHOLE + _CALL,
        },
        "The submodules vendor, w are not checked out; app calls modules in there: run `git submodule update --init`.",
    ),
    "native tests of nothing": (
        {f"docs/{name}.tftest.hcl": 'run "x" {}\n' for name in "abcde"},
        "docs/a.tftest.hcl, docs/b.tftest.hcl, docs/c.tftest.hcl and 2 more are not run:",
    ),
    "two roots with one state": (
        {
            "a/main.tf": WHOLE,
            "b/main.tf": WHOLE,
            "c/main.tf": WHOLE.replace("KEY", "c"),
            "d/main.tf": WHOLE.replace("key ", 'workspace_key_prefix = "d"\n    key '),
        },
        "a, b have the same state by their backend blocks (s3 states KEY): give each its own, or the `workspace`",
    ),
    "terragrunt that calls": (
        {"live/dev/terragrunt.hcl": 'terraform {\n  source = "../../mod"\n}\n', "mod/main.tf": PLAIN},
        "1 directory has a terragrunt.hcl (live/dev), and Terragrunt is not run here: what they call is checked as mod",
    ),
    "terragrunt that calls what is elsewhere": (
        {f"live/{name}/terragrunt.hcl": 'terraform {\n  source = "git::x//y"\n}\n' for name in "abcd"},
        "4 directories have a terragrunt.hcl (live/a, live/b, live/c and 1 more), and Terragrunt is not run here: what",
    ),
    "terragrunt beside the configuration": (
        {"app/main.tf": WHOLE, "app/terragrunt.hcl": "inputs = {}\n"},
        "1 directory has a terragrunt.hcl (app), and Terragrunt is not run here: what it would generate for them is",
    ),
    "nothing but pointers": (
        {"big/main.tf": POINTER, "big/backend.tf": POINTER},
        "big: every Terraform file there is a Git LFS pointer",
    ),
    "a file for one environment that is read in all": (
        {"app/main.tf": PLAIN, "app/dev.auto.tfvars": "", "app/prod.tfvars": "", "app/dev.tfvars": ""},
        "app/dev.auto.tfvars: terraform reads it in every environment of app, not in dev alone, because of its name",
    ),
    "a pointer among others": (
        {"big/main.tf": PLAIN, "big/data.tf": POINTER},
        "big/data.tf is a Git LFS pointer, so that what is in there is not known: run `git lfs pull`.",
    ),
}


def test_states_that_are_computed_may_be_different_ones(describe: Callable[..., Any]) -> None:
    computed = WHOLE.replace('"KEY"', '"services/${local.service}"')
    found = describe({f"{name}/main.tofu": computed for name in "ab"})
    assert not [each for each in found.repository.notes if "the same state" in each]


def test_states_that_the_configuration_tells_apart_are_no_oddity(describe: Callable[..., Any]) -> None:
    files = {f"{name}/main.tf": WHOLE for name in "ab"}

    def noted(**said: Any) -> list[str]:
        found = describe(files, {"environments": ["dev", "prod"], **said}).repository.notes
        return [each for each in found if "the same state" in each]

    one = {"match": "a", "backend": ["key={name}/{env}.tfstate"]}
    assert noted(root=[one]) == []
    assert noted(root=[{"match": "a", "workspace": "{env}"}]) == []
    assert noted(root=[{"match": "a", "backend": "local"}]) == []
    assert noted(environment={name: {"backend": "local"} for name in ("dev", "prod")}) == []
    assert noted(root=[{"match": "*", "backend": ["key={name}/{env}.tfstate"]}]) == []
    (both,) = noted(root=[{"match": "*", "workspace": "{env}"}])
    assert both.startswith("a, b have the same state by their backend blocks and the configuration (s3 states KEY dev)")
    assert len(noted(root=[{"match": "a", "apply": False}])) == 1


@pytest.mark.parametrize(("files", "note"), ODD.values(), ids=ODD.keys())
def test_an_oddity_is_one_note(describe: Callable[..., Any], files: dict[str, str], note: str) -> None:
    found = describe({"core/main.tf": PLAIN, "core/dev.tfvars": "", **files})
    assert [each for each in found.repository.notes if each.startswith(note)]
    assert len(found.repository.notes) == 1
    assert found.roots["core"].environments == ("dev",)


def test_var_files_of_environments_that_nobody_declared(describe: Callable[..., Any]) -> None:
    files = {"core/main.tf": PLAIN, "core/dev.tfvars": "", "core/prod.tfvars": "", "core/pr-1.tfvars": ""}
    found = describe(files, {"environments": ["dev"], "env_alias": {"pr-*": "dev"}})
    (note,) = found.repository.notes
    assert note.startswith("Nobody declared prod,")
    assert found.roots["core"].environments == ("dev",)


def test_an_exclude_that_leaves_nothing_out_is_said(describe: Callable[..., Any]) -> None:
    files = {"core/main.tf": PLAIN, "core/dev.tfvars": "", "tests/unit/x/main.tf": WHOLE}
    left_out = {"exclude": ["test", "tests/unit", "**/x"]}
    assert describe(files, left_out).repository.notes == (
        "`exclude`: `test` matches no directory; did you mean `tests`?",
    )


def test_variables_in_a_backend_are_no_oddity_for_opentofu(describe: Callable[..., Any]) -> None:
    text = WHOLE.replace('"states"', "var.bucket")
    assert describe({"core/main.tf": text, "core/.opentofu-version": "1.9.0\n"}).repository.notes == ()


def test_three_hundred_suites_and_those_of_other_people(describe: Callable[..., Any]) -> None:
    files = {f"lambdas/f{index}/{name}": "" for index in range(300) for name in ("requirements.txt", "test_it.py")}
    files |= {"node_modules/x/tests/test_x.py": "", "node_modules/x/main.tf": WHOLE, "core/main.tf": PLAIN}
    found = describe(files)
    assert len(found.repository.suites) == 300
    assert set(found.roots) == {"core"}
    assert found.repository.notes == ()


def test_a_variable_that_an_override_declares_again_keeps_its_default(describe: Callable[..., Any]) -> None:
    text = 'variable "a" {\n  default = 1\n}\nvariable "b" {\n  type      = string\n  sensitive = true\n}\n'
    files = {"core/main.tf": PLAIN + text, "core/x_override.tf": 'variable "a" {\n  type = number\n}\n'}
    a, b = describe(files).roots["core"].variables
    assert (a.required, b.required, b.sensitive, b.file, b.line) == (False, True, True, "core/main.tf", 8)
