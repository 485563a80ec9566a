"""What the operator fixes: the repository may only be stricter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.config.operator import Operator, overruled, read_operator, tighten
from pytest_tfpipeline.errors import ConfigurationError

RANK = {"none": 0, "manual": 1, "signed": 2}


def config(**production: Any) -> Config:
    return Config.model_validate({"environment": {"production": production}})


def operator(**production: Any) -> Operator:
    return Operator.model_validate({"environment": {"production": production}})


@pytest.mark.parametrize("own", [None, "none", "manual", "signed"])
@pytest.mark.parametrize("fixed", [None, "none", "manual", "signed"])
def test_the_stricter_approval_counts_and_a_looser_one_is_noted(own: str | None, fixed: str | None) -> None:
    said = config(**({"approval": own} if own else {}))
    ruled = operator(**({"approval": fixed} if fixed else {}))
    counts = tighten(said, ruled).environment_config("production").approval
    assert RANK[counts] == max(RANK[own or "none"], RANK[fixed or "none"])
    assert bool(overruled(said, ruled)) == (own is not None and RANK[own] < RANK[fixed or "none"])


@pytest.mark.parametrize(
    ("own", "fixed", "counts", "noted"),
    [
        ({"protect": []}, {"protect": ["aws_s3_bucket"]}, {"protect": ("aws_s3_bucket",)}, True),
        ({"protect": ["aws_vpc"]}, {"protect": ["aws_s3_bucket"]}, {"protect": ("aws_s3_bucket", "aws_vpc")}, True),
        ({"protect": ["b", "a"]}, {"protect": ["a"]}, {"protect": ("a", "b")}, False),
        ({"signatures": 1}, {"signatures": 3}, {"signatures": 3}, True),
        ({"signatures": 4}, {"signatures": 3}, {"signatures": 4}, False),
        ({}, {"signatures": 1}, {"signatures": 1}, False),
        ({"after": "dev"}, {"after": "staging"}, {"after": "staging"}, True),
        ({"after": "staging"}, {}, {"after": "staging"}, False),
        ({}, {"emulator": "aws"}, {"emulator": "aws"}, False),
    ],
)
def test_what_counts_of_each_key(
    own: dict[str, Any], fixed: dict[str, Any], counts: dict[str, Any], noted: bool
) -> None:
    made = tighten(config(**own), operator(**fixed)).environment_config("production")
    assert {key: getattr(made, key) for key in counts} == counts
    assert bool(overruled(config(**own), operator(**fixed))) == noted


def test_the_operators_account_is_the_one_that_is_asked_for() -> None:
    own, fixed = config(identity={"aws_account": "1" * 12}), operator(identity={"aws_account": "2" * 12})
    identity = tighten(own, fixed).environment_config("production").identity
    assert identity is not None
    assert identity.aws_account == "2" * 12
    assert "`environment.production.identity`" in overruled(own, fixed)[0]


def test_a_table_that_the_branch_took_out_still_counts() -> None:
    made = tighten(Config(), operator(approval="signed", after="staging"))
    assert made.environment_config("production").approval == "signed"
    assert made.environment_config("production").after == "staging"


def test_no_alias_leads_past_the_operators_rules() -> None:
    own = Config.model_validate({"environments": ["staging"], "env_alias": {"prod*": "staging"}})
    made = tighten(own, operator(approval="signed"))
    assert own.environment_config("production").approval == "none"
    assert made.lender("production") is None
    assert made.environment_config("production").approval == "signed"


def test_an_emulator_for_a_real_environment_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="the operator file says that production is real"):
        tighten(config(emulator="aws"), operator(approval="none"))
    assert tighten(config(emulator="aws"), operator(emulator="aws")).environment_config("production").emulator == "aws"
    assert tighten(config(emulator="aws"), Operator()).environment_config("production").emulator == "aws"


def test_files_tools_and_isolation_are_the_operators() -> None:
    own = Config.model_validate(
        {
            "signers": "mine",
            "waivers": "w.toml",
            "allow_destroy": "a.toml",
            "isolation": "process",
            "tools": {"tflint": "0.1.0", "terraform": "1.11.4"},
        }
    )
    fixed = Operator.model_validate(
        {"signers": "/etc/s", "waivers": False, "isolation": "jobs", "tools": {"tflint": "0.2.0"}}
    )
    made = tighten(own, fixed)
    assert (made.signers, made.waivers, made.allow_destroy, made.isolation) == ("/etc/s", None, "a.toml", "jobs")
    assert (made.tools.tflint, made.tools.terraform) == ("0.2.0", "1.11.4")
    assert [note.split("`")[1] for note in overruled(own, fixed)] == ["signers", "waivers", "isolation", "tools.tflint"]
    assert tighten(Config.model_validate({"isolation": "jobs"}), Operator(isolation="process")).isolation == "jobs"


def test_without_an_operator_nothing_changes() -> None:
    own = config(approval="manual", protect=[])
    assert tighten(own, Operator()) == own
    assert overruled(own, Operator()) == ()


levels = st.sampled_from(["none", "manual", "signed"])
types = st.lists(st.sampled_from(["a", "b", "c"]), unique=True)
rules = st.fixed_dictionaries({}, optional={"approval": levels, "protect": types, "signatures": st.integers(1, 5)})


@given(rules, rules)
@settings(deadline=None)
def test_nothing_is_looser_than_the_operator_says(own: dict[str, Any], fixed: dict[str, Any]) -> None:
    made = tighten(config(**own), operator(**fixed)).environment_config("production")
    assert RANK[made.approval] >= RANK[fixed.get("approval", "none")]
    assert set(made.protect) >= set(fixed.get("protect", ()))
    assert made.signatures >= fixed.get("signatures", 1)
    assert tighten(tighten(config(**own), operator(**fixed)), operator(**fixed)) == tighten(
        config(**own), operator(**fixed)
    )


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "operator.toml"
    path.write_text('signers = "keys"\n[environment.production]\napproval = "signed"\n')
    path.chmod(0o600)
    (tmp_path / "checkout").mkdir()
    return path


def test_files_that_it_names_are_beside_it(outside: Path) -> None:
    found = read_operator(outside, outside.parent / "checkout")
    assert found.signers == str(outside.parent / "keys")
    assert found.waivers is None


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_refused(outside: Path, mode: int) -> None:
    outside.chmod(mode)
    with pytest.raises(ConfigurationError, match="can be written by others"):
        read_operator(outside, outside.parent / "checkout")


def test_a_file_in_the_checkout_is_refused_through_a_link_too(outside: Path) -> None:
    checkout = outside.parent / "checkout"
    inside = checkout / "operator.toml"
    inside.write_bytes(outside.read_bytes())
    inside.chmod(0o600)
    link = outside.parent / "link.toml"
    link.symlink_to(inside)
    back = checkout / "back.toml"
    back.symlink_to(outside)
    for path in (inside, link, back):
        with pytest.raises(ConfigurationError, match="is in the checkout"):
            read_operator(path, checkout)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("[environment.production]\napprovl = 1\n", "did you mean `approval`?"),
        ('[environment.production]\nplan_env = { A = "b" }\n', "environment.production.plan_env: unknown key"),
        ("waivers = true\n", "expected a file, relative to the operator's own, or false"),
        ('[environment.production]\napproval = "off"\n', 'expected "none" or "manual" or "signed"'),
        ("[environment.production]\nsignatures = 0\n", "expected at least 1"),
        ("[environment.production\n", "is not valid TOML"),
        ("[tools]\ntflint = 1\n", "tools.tflint: expected a string"),
        ('providers = ["aws"]\n', "a provider with its registry"),
        ('providers = ["registry.terraform.io/hashicorp/a*"]\n', "a provider with its registry"),
    ],
)
def test_a_bad_file_is_refused_by_name(outside: Path, text: str, said: str) -> None:
    outside.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_operator(outside, outside.parent / "checkout")
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(outside)) or "problems" in str(caught.value)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no\.toml: cannot be read: no such file"):
        read_operator(tmp_path / "no.toml", tmp_path / "checkout")
