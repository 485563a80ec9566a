"""The configuration against the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfpipeline.config import check_against, load_config
from pytest_tfpipeline.errors import ConfigurationError
from pytest_tfpipeline.model import Directory, Kind, Repository, Root, Suite

REPOSITORY = Repository(
    path="/nowhere",
    directories=(
        Directory("terraform/core", Kind.ROOT, "backend"),
        Directory("terraform/modules/bucket", Kind.MODULE, "called by terraform/core"),
    ),
    roots=(
        Root("terraform/core", "core", "terraform/core/main.tf"),
        Root("terraform/networking", "networking", "terraform/networking/main.tf"),
    ),
    suites=(Suite("lambdas/ingest", "ingest", "lambdas/ingest/pyproject.toml"),),
    environments=("staging", "production"),
)


def check(tmp_path: Path, text: str, repository: Repository = REPOSITORY) -> None:
    (tmp_path / "tfpipeline.toml").write_text(text)
    check_against(load_config(tmp_path), repository)


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[[root]]\nmatch = "terraform/*"\nafter = []\nenvironments = ["staging"]',
        '[[root]]\nmatch = "terraform/core"\nafter = ["networking"]\n[[root]]\nmatch = "**"',
        '[[root]]\nmatch = "terraform/core"\nafter = ["{parts[0]}/networking"]',
        '[[root]]\nmatch = ["terraform/core", "terraform/networking"]\n[[suite]]\nmatch = ["lambdas/*"]',
        '[[suite]]\nmatch = "lambdas/*"',
        'include = ["terraform/core"]\nexclude = ["never/seen"]',
        '[environment.sandbox]\nemulator = "aws"\n[[root]]\nmatch = "**"\nenvironments = ["sandbox"]',
        'env_alias = { "pr-*" = "staging" }',
    ],
)
def test_what_the_repository_has_is_taken(tmp_path: Path, text: str) -> None:
    check(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[[root]]\nmatch = "terraform/cor"', "matches no root; did you mean `terraform/core`?"),
        (
            '[[root]]\nmatch = "x"',
            'root[0] (match = "x").match: matches no root; `pytest --tf-list` shows',
        ),
        (
            '[[root]]\nmatch = ["terraform/core", "terraform/cor"]',
            'root[0] (match = ["terraform/core", "terraform/cor"]).match[1]: `terraform/cor` matches no root; did you',
        ),
        (
            '[[root]]\nmatch = "**"\n[[root]]\nmatch = ["terraform/core", "terraform/networking"]',
            'root[1] (match = ["terraform/core", "terraform/networking"]).match: an earlier entry already takes all 2',
        ),
        ('[[suite]]\nmatch = ["lambdas/*", "x"]', "match[1]: `x` matches no Python suite"),
        ('[[test]]\nmatch = ["x", "y"]', 'test[0] (match = ["x", "y"]).match[1]: `y` matches no file of native tests'),
        ('[[root]]\nmatch = "terraform/modules/*"', "`terraform/modules/bucket` was taken for a module (called by"),
        (
            '[[root]]\nmatch = "**"\n[[root]]\nmatch = "terraform/*"',
            'root[1] (match = "terraform/*").match: an earlier entry already takes all 2 roots that it matches',
        ),
        ('[[suite]]\nmatch = "lambda/ingest"', "matches no Python suite; did you mean `lambdas/ingest`?"),
        ('include = ["stacks/*"]', "include[0]: `stacks/*` matches no directory with Terraform files"),
        (
            '[[root]]\nmatch = "**"\nenvironments = ["stagng"]',
            'root[0] (match = "**").environments[0]: unknown environment `stagng`; did you mean `staging`?',
        ),
        ("[environment.stagin]", "environment.stagin: unknown environment `stagin`; did you mean `staging`?"),
        ('environments = ["dev"]\n[environment.staging]', "environment.staging: unknown environment `staging`"),
        ('[[root]]\nmatch = "terraform/core"\nafter = ["netwrking"]', "no root is called `netwrking`; did you mean"),
        ('[[root]]\nmatch = "terraform/core"\nafter = ["core"]', "`terraform/core` cannot come after itself"),
        (
            '[[root]]\nmatch = "**"\nworkspace = "{parts[2]}"',
            "workspace: `{parts[2]}`: `terraform/core` has 2 parts",
        ),
    ],
)
def test_what_it_does_not_have_is_an_error_with_what_was_meant(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check(tmp_path, text)
    assert expected in str(caught.value)
    assert "tfpipeline.toml" in str(caught.value)


def test_all_of_them_at_once(tmp_path: Path) -> None:
    text = 'include = ["a"]\n[[root]]\nmatch = "x"\n[[suite]]\nmatch = "y"\n'
    with pytest.raises(ConfigurationError, match="3 problems"):
        check(tmp_path, text)


def test_the_second_of_two_equal_entries_is_the_hidden_one(tmp_path: Path) -> None:
    text = '[[root]]\nmatch = "terraform/core"\n[[root]]\nmatch = "terraform/core"\n'
    with pytest.raises(ConfigurationError, match=r"root\[1\].*an earlier entry already takes `terraform/core`"):
        check(tmp_path, text)
