"""What was found and never configured: planned with, asked for, and never applied with to a real cloud."""

from __future__ import annotations

from pathlib import Path

import pytest
from shapes import PARTIAL, PLAIN, WHOLE

from pytest_tfpipeline.config import Config, load_config
from pytest_tfpipeline.discover import discover
from pytest_tfpipeline.errors import ConfigurationError
from pytest_tfpipeline.model import Repository, Target
from pytest_tfpipeline.pipeline.assumed import check_assumed, question_note
from pytest_tfpipeline.pipeline.build import Wish, build_run, describe
from pytest_tfpipeline.pipeline.needs import wanting
from pytest_tfpipeline.pipeline.states import check_states, with_shared_states
from pytest_tfpipeline.pipeline.targets import resolve_targets
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.reports.listing import listing_table

BACKENDS = {
    "core/main.tf": PARTIAL,
    "core/backends/dev.tfbackend": 'key = "d"',
    "core/backends/prod.tfbackend": 'key = "p"',
}
WORKSPACES = {
    "core/main.tf": WHOLE + "locals {\n  n = terraform.workspace\n}\n",
    "core/dev.tfvars": "",
    "core/prod.tfvars": "",
}


class Seen:
    """A repository of these files, with its targets in dev and prod."""

    def __init__(self, top: Path, files: dict[str, str], text: str = "") -> None:
        for name, content in {**files, "tfpipeline.toml": text}.items():
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_text(content)
        self.top = top
        self.config: Config = load_config(top)
        self.repository: Repository = discover(top, self.config, None, Runner())
        self.targets: tuple[Target, ...] = resolve_targets(self.repository, self.config, ("dev", "prod"), {})

    def target(self, root: str, environment: str) -> Target:
        return next(one for one in self.targets if (one.root, one.environment) == (root, environment))


def test_backend_files_and_workspaces_that_were_found_are_planned_with(tmp_path: Path) -> None:
    found = Seen(tmp_path / "a", BACKENDS)
    assert found.target("core", "dev").backend_config == ("core/backends/dev.tfbackend",)
    assert found.target("core", "dev").problems == ()
    assert Seen(tmp_path / "b", WORKSPACES).target("core", "prod").workspace == "prod"


@pytest.mark.parametrize(
    ("files", "said", "what"),
    [
        (BACKENDS, 'backend = ["core/backends/{env}.tfbackend"]', "backend core/backends/dev.tfbackend"),
        (WORKSPACES, 'workspace = "{env}"', "workspace dev"),
    ],
    ids=["backend files", "workspaces"],
)
def test_but_nothing_is_applied_with_them_until_they_are_configured(
    tmp_path: Path, files: dict[str, str], said: str, what: str
) -> None:
    found = Seen(tmp_path, files)
    with pytest.raises(ConfigurationError, match=rf"core in dev \({what}\).*\n.*init --write"):
        check_assumed(tmp_path, found.repository, found.config, found.targets)
    for text in (f'[[root]]\nmatch = "core"\n{said}\n', '[environment]\ndev.emulator = "aws"\nprod.emulator = "aws"\n'):
        said_now = Seen(tmp_path, files, text)
        assert said_now.target("core", "dev").apply
        check_assumed(tmp_path, said_now.repository, said_now.config, said_now.targets)


def test_an_environment_that_borrows_gets_a_workspace_of_its_own(tmp_path: Path) -> None:
    found = Seen(tmp_path, WORKSPACES, 'env_alias = { "pr-*" = "dev" }\n')
    (target,) = resolve_targets(found.repository, found.config, ("pr-1",), {})
    assert (target.workspace, target.var_files) == ("pr-1", ("core/dev.tfvars",))


def test_half_a_backend_is_a_problem_of_the_plan_with_the_lines_that_mend_it(tmp_path: Path) -> None:
    found = Seen(tmp_path, {"core/main.tf": PARTIAL, "core/dev.tfvars": ""})
    (problem,) = found.target("core", "dev").problems
    assert problem.rule == "incomplete-backend"
    assert '[[root]]\n     match = "core"\n     backend = ["key={name}/{env}.tfstate"]' in problem.text
    assert Seen(tmp_path, {}, '[environment.dev]\nbackend = "local"\n').target("core", "dev").problems == ()


def test_half_a_backend_that_a_wrapper_says_is_mended_with_that(tmp_path: Path) -> None:
    make = "init:\n\tterraform init -backend-config=key=state.$(ENV).json\n"
    found = Seen(tmp_path, {"main.tf": PARTIAL, "dev.tfvars": "", "Makefile": make})
    (problem,) = found.target(".", "dev").problems
    assert "-> Makefile:2 seems to say it" in problem.text
    assert 'backend = ["key=state.{env}.json"]' in problem.text
    assert "{name}" not in problem.text


def test_half_a_backend_that_a_wrapper_computes_is_mended_with_all_that_it_passes(tmp_path: Path) -> None:
    make = "init:\n\tterraform init -backend-config=bucket=b -backend-config=key=$(PREFIX)/x\n"
    found = Seen(tmp_path, {"main.tf": PARTIAL, "dev.tfvars": "", "Makefile": make})
    (problem,) = found.target(".", "dev").problems
    assert "-> Makefile:2 seems to say it. If it is run like that, write into" in problem.text
    assert "with what it computes for ... (or" in problem.text
    assert 'backend = ["bucket=b", "key=..."]' in problem.text


def test_an_environment_may_keep_all_states_in_files(tmp_path: Path) -> None:
    own = '[[root]]\nmatch = "app"\nbackend = ["key=x"]\n'
    text = f'environments = ["dev", "prod"]\nenvironment.dev.backend = "local"\n{own}'
    found = Seen(tmp_path, {"core/main.tf": WHOLE, "app/main.tf": PARTIAL}, text)
    assert (found.target("core", "dev").backend_local, found.target("core", "dev").apply) == (True, False)
    assert not found.target("core", "prod").backend_local
    assert not found.target("app", "dev").backend_local


def test_one_state_for_several_environments_stops_a_plan_of_that_root_alone(tmp_path: Path) -> None:
    files = {"core/main.tf": WHOLE, "app/main.tf": PLAIN, "app/dev.tfvars": "", "app/prod.tfvars": ""}
    found = Seen(tmp_path, files)
    targets = with_shared_states(found.repository, found.config, ("dev",), found.targets)
    problems = {(one.root, one.environment): [each.rule for each in one.problems] for one in targets}
    assert problems[("core", "dev")] == ["shared-state"]
    assert [key for key, rules in problems.items() if rules] == [("core", "dev")]
    with pytest.raises(ConfigurationError, match="would have the state of prod"):
        check_states(found.repository, found.config, ("dev",), found.targets)


def test_so_does_one_state_for_several_roots(tmp_path: Path) -> None:
    files = {"core/main.tf": WHOLE, "app/main.tf": WHOLE, "app/dev.tfvars": "", "core/prod.tfvars": ""}
    found = Seen(tmp_path, files)
    targets = with_shared_states(found.repository, found.config, ("dev",), found.targets)
    assert {one.root: [each.rule for each in one.problems] for one in targets} == {"app": ["shared-state"], "core": []}


def test_of_a_configured_root_it_is_an_error(tmp_path: Path) -> None:
    found = Seen(tmp_path, {"core/main.tf": WHOLE}, 'environments = ["dev", "prod"]\n[[root]]\nmatch = "core"\n')
    with pytest.raises(ConfigurationError, match="would have the state of prod"):
        with_shared_states(found.repository, found.config, ("dev",), found.targets)


def test_variables_without_a_value_are_named_in_the_listing(tmp_path: Path) -> None:
    text = 'variable "a" {\n  type = string\n}\nvariable "b" {}\nvariable "c" {\n  default = 1\n}\n'
    files = {
        "core/main.tf": PLAIN + text,
        "core/dev.tfvars": "b = <<EOT\nx = 1\nEOT\n",
        "core/prod.tfvars": 'a = { "q" = 1 }',
        "core/x.auto.tfvars": "",
    }
    found = Seen(tmp_path, files)
    missing = wanting(found.repository, found.config, {"TF_VAR_c": "1"})
    assert {one.environments: [each.name for each in one.variables] for one in missing} == {
        ("dev",): ["a"],
        ("prod",): ["b"],
    }
    assert "no value in dev: a (string)" in listing_table(found.repository, missing)
    assert wanting(found.repository, found.config, {"TF_VAR_a": "1", "TF_VAR_b": "1"}) == ()
    (tmp_path / "core/dev.tfvars").write_text("nonsense here\n")
    assert {one.environments for one in wanting(found.repository, found.config, {})} == {("prod",)}


def test_a_root_of_no_environment_has_its_variables_named_too(tmp_path: Path) -> None:
    found = Seen(tmp_path, {"core/main.tf": PLAIN + 'variable "a" {\n  type = string\n}\n'})
    missing = wanting(found.repository, found.config, {})
    assert [(one.root, one.environments) for one in missing] == [("core", ())]
    assert "no value: a (string)" in listing_table(found.repository, missing)


def test_open_questions_are_one_note_of_a_run(tmp_path: Path) -> None:
    questions = Seen(tmp_path, {"core/main.tf": PARTIAL, "core/dev.tfvars": ""}).repository.questions
    (note,) = question_note(questions)
    assert note.startswith("One question about this repository: `pytest --tf-list` asks")
    assert question_note(()) == ()


def test_a_run_that_cannot_apply_goes_on_and_one_that_can_ends(tmp_path: Path) -> None:
    Seen(tmp_path, {**BACKENDS, "dns/main.tf": WHOLE})
    plan, apply = (Wish(mode, ("dev",), output=tmp_path / "out") for mode in ("plan", "apply"))
    run, notes = build_run(tmp_path, plan, describe(tmp_path, plan, Runner()), Runner())
    assert {one.root: [each.rule for each in one.problems] for one in run.targets} == {
        "core": [],
        "dns": ["shared-state"],
    }
    assert any(note.startswith("One question about this repository") for note in notes)
    with pytest.raises(ConfigurationError, match="dns in dev would have the state of prod"):
        build_run(tmp_path, apply, describe(tmp_path, apply, Runner()), Runner())

    Seen(tmp_path, {}, '[[root]]\nmatch = "dns"\nenvironments = ["prod"]\n')
    with pytest.raises(ConfigurationError, match="found and not configured"):
        build_run(tmp_path, apply, describe(tmp_path, apply, Runner()), Runner())
