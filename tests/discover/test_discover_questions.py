"""What is ambiguous is asked for by name, and the lines that come with the question settle it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

import pytest
from shapes import PARTIAL, PLAIN, WHOLE

from pytest_tfpipeline.config import Config, check_against
from pytest_tfpipeline.model import Question

_READS = "locals {\n  n = terraform.workspace\n}\n"
_MAKE = """ENV ?= dev

plan:
\tcd infra && terraform init -backend-config="key=infra/$(ENV).tfstate" \\
\t  -backend-config=region=eu-west-1
\tcd infra && terraform workspace select $(ENV)
\tcd infra && terraform plan -var-file=../settings/$(ENV)/net.tfvars
"""
QUESTIONS: dict[str, tuple[dict[str, str], str, list[str]]] = {
    "no environments": (
        {"core/main.tf": PLAIN},
        "Which environments are there?",
        ['environments = ["staging", "production"]'],
    ),
    "the others of one directory": (
        {"a/stage/main.tf": PLAIN, "net/main.tf": PLAIN},
        "Which environments are there? One is found, and only a/stage is called like an environment.",
        ['environments = ["stage", "..."]'],
    ),
    "the others of one workspace": (
        {"core/main.tf": PLAIN + 'locals {\n  live = terraform.workspace == "prod"\n}\n'},
        "Which environments are there? One is found, and core holds terraform.workspace against prod alone.",
        ['environments = ["prod", "..."]'],
    ),
    "environments of several tenants": (
        {
            "tf/core/main.tf": PLAIN,
            **{f"tf/backends/{name}.s3.tfbackend": "" for name in ("shop-dev", "bank-dev", "x")},
        },
        "Which environments are there?",
        ['environments = ["bank-dev", "shop-dev"]'],
    ),
    "var files of tenants": (
        {"tf/aws/main.tf": PLAIN, **{f"tf/aws/projects/{name}.tfvars": "" for name in ("acme", "bank", "common")}},
        "Is each of the 2 var files in tf/aws/projects an environment of tf/aws?",
        [
            *("[[root]]", 'match = "tf/aws"', 'environments = ["acme", "bank"]'),
            'var_files = ["tf/aws/projects/{env}.tfvars"]',
        ],
    ),
    "var files of tenants with one backend": (
        {"tf/aws/main.tf": WHOLE, **{f"tf/aws/projects/{name}.tfvars": "" for name in ("acme", "bank")}},
        "Is each of the 2 var files in tf/aws/projects an environment of tf/aws?",
        [
            *("[[root]]", 'match = "tf/aws"', 'environments = ["acme", "bank"]'),
            *('var_files = ["tf/aws/projects/{env}.tfvars"]', 'workspace = "{env}"'),
        ],
    ),
    "among environments": (
        {"dev/main.tf": PLAIN, "prod/main.tf": PLAIN, "shared/main.tf": PLAIN},
        "Which environments does shared belong to?",
        ["[[root]]", 'match = "shared"', 'environments = ["..."]'],
    ),
    "one state": (
        {"core/main.tf": WHOLE, "app/main.tf": PLAIN, "app/dev.tfvars": "", "app/prod.tfvars": ""},
        "core has one state (KEY) and would be planned in dev, prod.",
        [
            "[[root]]",
            'match = "core"',
            'environments = ["prod"]',
            '# or: workspace = "{env}"   or: backend = ["key={name}/{env}.tfstate"]',
        ],
    ),
    "one state, and a name that says an environment": (
        {"tf/prod-net/main.tf": WHOLE, "tf/a-dev/x/main.tf": WHOLE, "app/dev.tfvars": "", "app/prod.tfvars": ""}
        | {"app/main.tf": PLAIN},
        "tf/a-dev/x has one state (KEY) and would be planned in dev, prod.",
        [
            "[[root]]",
            'match = "tf/a-dev/x"',
            'environments = ["dev"]',
            '# or: workspace = "{env}"   or: backend = ["key={name}/{env}.tfstate"]',
        ],
    ),
    "half a backend": (
        {"tf/core/main.tf": PARTIAL, "tf/net/main.tf": PARTIAL, "tf/dev.tfvars": ""},
        "Where is the state of tf/core, tf/net? The s3 backend lacks key",
        [
            *("[[root]]", 'match = "tf/*"', 'backend = ["key={name}/{env}.tfstate"]'),
            '# or, for plans without the remote state: backend = "local"',
        ],
    ),
    "roots of the same name": (
        {"a/core/main.tf": PARTIAL, "b/core/main.tf": PARTIAL, "dev.tfvars": ""},
        "Where is the state of a/core, b/core?",
        [
            *("[[root]]", 'match = "*/core"', 'backend = ["key={parts[0]}/{parts[1]}/{env}.tfstate"]'),
            '# or, for plans without the remote state: backend = "local"',
        ],
    ),
    "two files for one environment": (
        {"core/main.tf": PLAIN, "core/dev.tfvars": "", "config/dev.tfvars": ""},
        "Which var files are those of core? core/{env}.tfvars is the nearest and is taken; config/{env}.tfvars is",
        ["[[root]]", 'match = "core"', 'var_files = ["config/{env}.tfvars?", "core/{env}.tfvars?"]'],
    ),
    "a workspace": (
        {"core/main.tf": PLAIN.replace('"local"', '"pg"') + _READS, "app/main.tf": PLAIN, "app/dev.tfvars": ""},
        "Which workspace is it? core reads terraform.workspace",
        ["[[root]]", 'match = "core"', 'workspace = "{env}"'],
    ),
    "a guess": (
        {"core/main.tf": PLAIN, "what/main.tf": 'resource "terraform_data" "x" {}\n', "core/dev.tfvars": ""},
        "Is terraform run in what? That was guessed.",
        ['include = ["what"]'],
    ),
    "a wrapper": (
        {"infra/main.tf": PARTIAL, "settings/dev/net.tfvars": "", "Makefile": _MAKE, "dev.tfvars": ""},
        "Is infra run as Makefile:4 (backend), Makefile:6 (workspace) and Makefile:7 (var_files) do it? Then say what",
        [
            *("[[root]]", 'match = "infra"', 'var_files = ["settings/{env}/net.tfvars"]'),
            *('backend = ["key=infra/{env}.tfstate", "region=eu-west-1"]', 'workspace = "{env}"'),
        ],
    ),
}


@pytest.mark.parametrize(("files", "text", "lines"), QUESTIONS.values(), ids=QUESTIONS.keys())
def test_a_question_and_the_lines_that_settle_it(
    describe: Callable[..., Any], files: dict[str, str], text: str, lines: list[str]
) -> None:
    asked = _asked(describe(files).repository.questions, text)
    assert asked is not None
    assert list(asked.lines) == lines

    pasted = tomllib.loads("\n".join(asked.lines).replace("...", "qa"))
    again = describe({}, pasted)
    check_against(Config.model_validate(pasted), again.repository)
    assert _asked(again.repository.questions, text) is None


def test_two_wrappers_are_two_questions_and_what_one_computes_is_said(describe: Callable[..., Any]) -> None:
    init = 'terraform init -backend-config=bucket=b -backend-config="key=${PREFIX}/x"\n'
    make = "new:\n\tterraform workspace new ${WORKSPACE}\n"
    files = {"core/main.tf": WHOLE, "core/Makefile": make, "core/move.sh": init, "dev.tfvars": "", "prod.tfvars": ""}
    moved, made = describe(files).repository.questions
    assert moved.text == (
        "Is core run as core/move.sh:1 does it? Then say what it passes. key is computed there: fill in what it is."
    )
    assert moved.lines[2:] == ('backend = ["bucket=b", "key=..."]',)
    assert made.text == "Is core run as core/Makefile:2 does it? Then say what it passes."
    assert made.lines[1:] == ('workspace = "{env}"',)


def test_nothing_is_asked_where_everything_is_plain(describe: Callable[..., Any]) -> None:
    files = {"core/main.tf": PLAIN, "core/dev.tfvars": "", "envs/dev/main.tf": PLAIN, "envs/prod/main.tf": PLAIN}
    assert describe(files).repository.questions == ()


def test_var_files_below_a_root_are_one_question(describe: Callable[..., Any]) -> None:
    files = {"tf/aws/main.tf": PLAIN, "tf/aws/projects/acme.tfvars": "", "tf/aws/projects/bank.tfvars": ""}
    (asked,) = describe(files).repository.questions
    assert asked.text.startswith("Is each of the 2 var files")
    again = describe({}, tomllib.loads("\n".join(asked.lines))).repository
    assert again.environments == ("acme", "bank")


def test_a_backend_is_not_asked_for_before_the_environments(describe: Callable[..., Any]) -> None:
    files = {"tf/core/main.tf": PARTIAL, "tf/backends/shop-dev.s3.tfbackend": "key = 1"}
    (asked,) = describe(files).repository.questions
    assert asked.text == "Which environments are there? Files are called like these. Keep those that count:"


def test_a_file_ties_a_root_to_an_environment(describe: Callable[..., Any]) -> None:
    files = {"tf/core/main.tf": PARTIAL, "tf/backends/shop-dev.s3.tfbackend": "key = 1"}
    (root,) = describe(files, {"environments": ["shop-dev"]}).repository.roots
    assert root.grounds == ("there is tf/backends/{env}.s3.tfbackend",)


def test_lines_for_pyproject_have_its_prefix(describe: Callable[..., Any]) -> None:
    files = {"pyproject.toml": "", "dev/main.tf": PLAIN, "prod/main.tf": PLAIN, "shared/main.tf": PLAIN}
    (asked,) = describe(files).repository.questions
    assert asked.lines[0] == "[[tool.tfpipeline.root]]"


def test_a_second_answer_for_a_root_goes_into_its_entry(describe: Callable[..., Any]) -> None:
    files = {"core/main.tf": PARTIAL, "core/dev.tfvars": "", "config/dev.tfvars": ""}
    first, second = describe(files).repository.questions
    assert first.lines[0] == "[[root]]"
    assert second.lines[0] == "# in the entry that core has already:"


def test_the_top_directory_is_not_a_full_stop_in_a_sentence(describe: Callable[..., Any]) -> None:
    asked = _asked(describe({"main.tf": PARTIAL, "dev.tfvars": ""}).repository.questions, "Where is the state of")
    assert asked is not None
    assert asked.text.startswith("Where is the state of the top directory? ")
    assert 'match = "."' in asked.lines


def test_many_roots_are_not_many_lines(describe: Callable[..., Any]) -> None:
    files = {f"a{index}/{'x/' * (index % 2)}main.tf": PARTIAL for index in range(40)}
    files |= {"b/main.tf": PLAIN, "b/x/main.tf": PLAIN, "c.tfvars": "", "dev.tfvars": ""}
    asked = _asked(describe(files).repository.questions, "Where is the state of")
    assert asked is not None
    assert len(asked.lines) < 20


def test_states_that_are_kept_here_are_not_asked_for(describe: Callable[..., Any]) -> None:
    files = {"core/main.tf": PARTIAL, "core/dev.tfvars": ""}
    assert describe(files, {"environment": {"dev": {"backend": "local"}}}).repository.questions == ()


def _asked(questions: tuple[Question, ...], text: str) -> Question | None:
    return next((one for one in questions if one.text.startswith(text)), None)


def test_an_answer_for_some_of_an_entrys_roots_goes_above_it(describe: Callable[..., Any]) -> None:
    files = {"core/main.tf": PARTIAL, "net/main.tf": PLAIN, "dev.tfvars": ""}
    (asked,) = describe(files, {"root": [{"match": "**"}]}).repository.questions
    assert asked.lines[0] == "# for core alone, in an entry above the one that matches more:"
