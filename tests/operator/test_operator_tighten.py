"""What the operator fixes: the repository may only be stricter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.config.operator import Operator, check_order, overruled, read_operator, tighten
from pytest_tfpipeline.errors import ConfigurationError
from pytest_tfpipeline.model import Repository

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


def order(*names: str, **after: str) -> tuple[Config, Operator, Repository]:
    """What counts where the operator says these `after`, in a repository that says none."""
    own = Config.model_validate({"environments": names})
    fixed = Operator.model_validate({"environment": {name: {"after": before} for name, before in after.items()}})
    return tighten(own, fixed), fixed, Repository("/repository")


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ({"production": "stagin"}, "unknown environment `stagin`; did you mean `staging`?"),
        ({"production": "production"}, "production after production"),
        ({"production": "staging", "staging": "production"}, "production after staging after production"),
    ],
)
def test_an_order_that_cannot_be_is_refused(after: dict[str, str], said: str) -> None:
    config, fixed, repository = order("staging", "production", **after)
    with pytest.raises(ConfigurationError) as caught:
        check_order(fixed, config, repository, ("production",))
    assert said in str(caught.value)
    assert "environment.production.after" in str(caught.value)


def test_what_is_said_of_environments_that_are_not_here_is_for_other_repositories() -> None:
    config, fixed, repository = order("dev", dev="dev2", production="staging")
    with pytest.raises(ConfigurationError, match="unknown environment `dev2`"):
        check_order(fixed, config, repository, ("dev",))
    config, fixed, repository = order("dev", production="staging")
    check_order(fixed, config, repository, ("dev",))
    with pytest.raises(ConfigurationError, match="unknown environment `staging`"):
        check_order(fixed, config, repository, ("production",))


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


def test_a_path_that_leads_back_out_of_the_checkout_is_outside_and_said_as_it_is(
    outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = outside.parent / "checkout"
    (checkout / "sub").mkdir()
    monkeypatch.chdir(checkout / "sub")
    for path in (Path("../../operator.toml"), checkout / "../operator.toml", checkout / "sub/../../operator.toml"):
        assert read_operator(path, checkout).signers == str(outside.parent / "keys")
    outside.chmod(0o666)
    with pytest.raises(ConfigurationError) as caught:
        read_operator(Path("../../operator.toml"), checkout)
    assert str(caught.value).startswith(f"{outside}: ")
    assert f"chmod go-w {outside}" in str(caught.value)


def test_a_way_through_any_link_of_the_checkout_is_refused(outside: Path) -> None:
    """Wherever it ends now, a branch can let it end elsewhere."""
    base, checkout = outside.parent, outside.parent / "checkout"
    (base / "ci" / "deep").mkdir(parents=True)
    (checkout / "ci").symlink_to(base / "ci")
    (base / "ci" / "operator.toml").symlink_to(outside)
    (base / "hop").symlink_to(checkout / "ci")
    ways = (checkout / "ci/operator.toml", checkout / "ci/../operator.toml", base / "hop/deep/../operator.toml")
    for path in (*ways, checkout / "ci/deep/../../operator.toml"):
        assert path.samefile(outside)
        with pytest.raises(ConfigurationError, match="is in the checkout"):
            read_operator(path, checkout)
    (base / "plain").symlink_to(base / "ci")
    assert read_operator(base / "plain/operator.toml", checkout).signers == str(base / "plain/keys")


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
