"""What a configuration file becomes, and what is said of a wrong one."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_tfpipeline.config import load_config
from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.config.load import _Table, _validated
from pytest_tfpipeline.config.protect import DEFAULT_PROTECT
from pytest_tfpipeline.errors import ConfigurationError, UsageError

EXAMPLE = """
[tool.tfpipeline]
environments = ["staging", "production"]
retry = ["connection reset", "TLS handshake timeout"]

[tool.tfpipeline.environment.staging]
emulator = "aws"

[tool.tfpipeline.environment.production]
approval = "none"
protect = ["aws_s3_bucket"]
identity = { aws_account = "123456789012" }
plan_env = { AWS_PROFILE = "production-read" }
apply_env = { AWS_PROFILE = "production-write" }

[[tool.tfpipeline.root]]
match = "terraform/*"
name = "{parts[-1]}"
var_files = ["terraform/config/common.tfvars?", "terraform/config/{env}.tfvars"]
vars = { environment = "{env}", url = "${AUTOMATION_URL}", sizes = [1, 2.5], on = true, deep = { a = "{name}" } }
backend = ["terraform/backends/{env}.tfbackend?", "key={name}/{env}.tfstate"]
workspace = "{env}"
env = { AWS_REGION = "eu-west-2" }
environments = ["staging"]
apply = true
after = ["networking"]
prepare = [["make", "package-helpers"]]
after_apply = [["python", "scripts/configure.py"]]
copy_in = ["build/*.jar"]
parallelism = 10
lock_timeout = "5m"
timeout = { plan = "20m", validate = "1m" }

[[tool.tfpipeline.suite]]
match = "lambdas/*"
command = ["pytest", "-q"]
python = "3.12"

[tool.tfpipeline.tools]
tflint = "0.62.0"
"""


def own(tmp_path: Path, text: str) -> Config:
    (tmp_path / "tfpipeline.toml").write_text(text, encoding="utf-8")
    return load_config(tmp_path)


def refused(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        own(tmp_path, text)
    return str(caught.value)


def test_every_supported_key_of_the_documented_example_is_read(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(EXAMPLE)
    config = load_config(tmp_path)
    root = config.root[0]
    assert config.source == "pyproject.toml"
    assert config.environments == ("staging", "production")
    assert config.environment["staging"].emulator == "aws"
    assert config.environment["production"].protect == ("aws_s3_bucket",)
    assert config.environment["staging"].protect == DEFAULT_PROTECT
    assert root.vars["sizes"] == [1, 2.5]
    assert root.backend == ("terraform/backends/{env}.tfbackend?", "key={name}/{env}.tfstate")
    assert root.prepare == (("make", "package-helpers"),)
    assert root.timeout.limits() == {
        "init": "10m",
        "validate": "1m",
        "plan": "20m",
        "show": "5m",
        "apply": "2h",
        "prepare": "10m",
        "after_apply": "10m",
    }
    assert config.suite[0].command == ("pytest", "-q")
    assert config.tools.tflint == "0.62.0"


def test_no_file_means_every_default_and_no_source(tmp_path: Path) -> None:
    config = load_config(tmp_path)
    assert config == Config()
    assert (config.source, config.skips, config.lint_severity, config.unknown) == ("", "report", "warning", "report")


def test_a_pyproject_of_another_project_is_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n[tool.ruff]\nline-length = 88\n')
    assert load_config(tmp_path).source == ""


def test_both_places_at_once_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.tfpipeline]\n")
    assert "pyproject.toml too" in refused(tmp_path, "")


def test_an_own_file_beside_a_pyproject_without_the_table_is_used(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\n")
    assert own(tmp_path, 'environments = ["dev"]').environments == ("dev",)


def test_a_table_pasted_from_pyproject_works_in_an_own_file(tmp_path: Path) -> None:
    assert own(tmp_path, '[tool.tfpipeline]\nenvironments = ["dev"]').environments == ("dev",)


def test_the_explicit_file_replaces_the_repositorys_own(tmp_path: Path) -> None:
    (tmp_path / "tfpipeline.toml").write_text("this is not TOML")
    other = tmp_path / "ci" / "other.toml"
    other.parent.mkdir()
    other.write_text('environments = ["ci"]')
    config = load_config(tmp_path, other)
    assert (config.environments, config.source) == (("ci",), "ci/other.toml")


def test_an_explicit_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.toml: cannot be read: no such file"):
        load_config(tmp_path, tmp_path / "nowhere.toml")


def test_an_explicit_pyproject_needs_the_table(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\n")
    with pytest.raises(ConfigurationError, match=r"has no \[tool.tfpipeline\] table"):
        load_config(tmp_path, tmp_path / "pyproject.toml")


@pytest.mark.parametrize("beside", ["", "[tool.tfpipeline.environment.staging]\n"])
@pytest.mark.parametrize("name", ["tfpipline", "tf-pipeline", "tfpipelines"])
def test_a_misspelt_table_is_not_silently_ignored(tmp_path: Path, name: str, beside: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.{name}]\n{beside}")
    with pytest.raises(ConfigurationError, match=r"did you mean `\[tool.tfpipeline\]`"):
        load_config(tmp_path)


def test_a_syntax_error_names_file_and_line(tmp_path: Path) -> None:
    assert refused(tmp_path, 'skips = "fail"\nretry = \n').startswith("tfpipeline.toml:2: is not valid TOML")


def test_a_syntax_error_that_is_often_made_says_what_to_write(tmp_path: Path) -> None:
    assert "`[[root]]`" in refused(tmp_path, '[root]\nmatch = "a"\n[[root]]\nmatch = "b"\n')
    assert 'put text into quotes: `"..."`' in refused(tmp_path, "isolation = jobs\n")


def test_a_syntax_error_at_the_end_names_the_last_line(tmp_path: Path) -> None:
    assert refused(tmp_path, 'retry = [\n"a",\n').startswith("tfpipeline.toml:3: is not valid TOML")


def test_a_file_in_another_encoding_names_the_line_of_the_byte(tmp_path: Path) -> None:
    (tmp_path / "tfpipeline.toml").write_bytes(b"# one\n# caf\xe9\n")
    with pytest.raises(ConfigurationError, match=r"tfpipeline.toml:2: is not UTF-8: byte 0xe9"):
        load_config(tmp_path)


def test_absurd_nesting_is_an_error_and_no_traceback(tmp_path: Path) -> None:
    assert "tfpipeline.toml" in refused(tmp_path, "retry = " + "[" * 5000 + "]" * 5000)


@pytest.mark.parametrize("number", ["1" * 5000, "0x" + "f" * 5000])
def test_an_absurd_number_is_an_error_and_no_traceback(tmp_path: Path, number: str) -> None:
    assert "tfpipeline.toml" in refused(tmp_path, f"retry = {number}")


def test_a_table_that_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool]\ntfpipeline = 3\n")
    with pytest.raises(ConfigurationError, match=r"tool.tfpipeline: expected a table, found 3 \(an integer\)"):
        load_config(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rooot = 1", "tfpipeline.toml: rooot: unknown key; did you mean `root`?"),
        ('skips = "reprt"', 'skips: expected "report" or "fail", found "reprt" (a string); did you mean `report`?'),
        ("retry = 3", "retry: expected an array, found 3 (an integer)"),
        ('retry = ["("]', "retry[0]: expected a regular expression: missing ), unterminated subpattern"),
        ('environments = ["a", "a"]', "environments: `a` is there twice"),
        ('environments = ["../x"]', "environments[0]: expected a name of letters"),
        ('[root]\nmatch = "x"', "root: expected an array of tables, `[[root]]` with two brackets, found a table"),
        ("[[root]]", "root[0].match: is required and not there"),
        ('[[root]]\nmatch = "/abs"', 'root[0] (match = "/abs").match: expected a pattern below the repository'),
        ('[[root]]\nmatch = ["a", "../b"]', "match[1]: expected a pattern below the repository's top"),
        ("[[root]]\nmatch = []", "root[0] (match = []).match: expected at least one pattern"),
        ("[[root]]\nmatch = 3", "match: expected a pattern, or an array of patterns, found 3"),
        ('[[root]]\nmatch = ["a", 3]', "match[1]: expected a string, found 3 (an integer)"),
        ('[[root]]\nmatch = "a"\nbackend = "s3"', 'backend: expected "local", or an array of files and `key=value`'),
        ('[[root]]\nmatch = "a"\nparallelism = true', "parallelism: expected an integer, found true (a boolean)"),
        ('[[root]]\nmatch = "a"\nparallelism = 0', "parallelism: expected at least 1, found 0"),
        ('[[root]]\nmatch = "a"\ntimeout = { plan = "20" }', 'timeout.plan: expected a duration such as "90s"'),
        ('[[root]]\nmatch = "a"\ntimeout = { plan = "0s" }', "timeout.plan: expected more than nothing"),
        ('[[root]]\nmatch = "a"\ntimeout = { plann = "1m" }', "timeout.plann: unknown key; did you mean `plan`?"),
        (
            '[[root]]\nmatch = "a"\nlock_timeout = 5',
            'lock_timeout: expected a string, found 5 (an integer); did you mean "5',
        ),
        ('[[root]]\nmatch = "a"\nvars = { when = 2026-01-01 }', "vars.when: expected a string, number, boolean, array"),
        ('[[root]]\nmatch = "a"\nvars = { x = nan }', "vars.x: expected a number that JSON can hold"),
        (
            '[[root]]\nmatch = "a"\nvars = { x = ["{evn}"] }',
            "vars.x: unknown placeholder `{evn}`; did you mean `{env}`?",
        ),
        ('[[root]]\nmatch = "a"\nvars = { x = "${1}" }', "vars.x: `${1}` does not name an environment variable"),
        (
            '[[root]]\nmatch = "a"\nworkspace = "${WS}"',
            "workspace: `${WS}` reads the environment, which only `vars` can",
        ),
        ('[[root]]\nmatch = "a"\nworkspace = "{env"', "workspace: a single `{`"),
        ('[[root]]\nmatch = "a"\nname = "{env}"', "name: unknown placeholder `{env}`"),
        ('[[root]]\nmatch = "a"\nvar_files = ["../x.tfvars"]', "var_files[0]: expected a file below the repository"),
        ('[[root]]\nmatch = "a"\nprepare = ["make"]', "prepare[0]: expected an array, found"),
        ('[[root]]\nmatch = "a"\nprepare = [[]]', "prepare[0]: expected a program and its arguments"),
        ('[[root]]\nmatch = "a"\nenv = { TF_CLI_ARGS = "x" }', "env: `TF_CLI_ARGS` changes terraform behind"),
        (
            '[environment.a]\nemulator = "asw"',
            'environment.a.emulator: expected "aws", found "asw" (a string); did you mean',
        ),
        ("[environment.a.identity]", "environment.a.identity: expected `aws_account`, or `command` and `expect`"),
        ('[environment.a.identity]\ncommand = ["x"]', "`command` and `expect` belong together"),
        ("[environment.a.identity]\naws_account = 123456789012", 'did you mean "123456789012", in quotes?'),
        ('[environment."a b"]', 'environment."a b": expected a name of letters'),
        ('[environment.a]\nprotect = ["AWS*"]', 'protect[0]: expected a resource type such as "aws_s3_bucket"'),
        (
            '[tools]\nterraform = "1.11"',
            'tools.terraform: expected an exact version such as "1.11.4", or "tofu", found "1.11"',
        ),
        ('[tools]\nterraform = "latest"', 'tools.terraform: expected an exact version such as "1.11.4", or "tofu"'),
    ],
)
def test_a_wrong_value_says_where_what_was_expected_and_what_was_meant(
    tmp_path: Path, text: str, expected: str
) -> None:
    assert expected in refused(tmp_path, text)


def test_all_problems_are_named_at_once_each_on_its_line(tmp_path: Path) -> None:
    text = 'rooot = 1\nskips = "x"\nwaivers = "/w"\n[[root]]\nmatch = "a"\napply = "yes"\n[tools]\ntflint = 1\n'
    said = refused(tmp_path, text)
    lines = [line.strip() for line in said.splitlines()]
    assert lines[0] == "5 problems in the configuration"
    assert {line.split(": ")[1] for line in lines[1:6]} == {
        "rooot",
        "skips",
        "waivers",
        'root[0] (match = "a").apply',
        "tools.tflint",
    }


def test_keys_in_pyproject_are_named_with_their_table(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.tfpipeline.environment.staging]\nemulatr = 'aws'\n")
    with pytest.raises(ConfigurationError) as caught:
        load_config(tmp_path)
    assert str(caught.value).startswith("pyproject.toml: tool.tfpipeline.environment.staging.emulatr: unknown key;")


@pytest.mark.parametrize(
    ("seed", "said"),
    [
        ('["make seed"]', "seed[0]: expected `module:function`, or a command as an array of its own"),
        ("[[]]", "seed[0]: expected a program and its arguments"),
        ("[[1]]", "seed[0]: expected a command as an array of strings"),
        ('["a-b:c"]', "seed[0]: expected `module:function`"),
        ('"a:b"', "seed: expected an array, found"),
    ],
)
def test_a_seed_is_commands_and_functions(tmp_path: Path, seed: str, said: str) -> None:
    text = f'[environment.staging]\nemulator = "aws"\nseed = {seed}'
    assert refused(tmp_path, text).startswith(f"tfpipeline.toml: environment.staging.{said}")


def test_a_seed_is_for_an_emulated_environment_only(tmp_path: Path) -> None:
    said = refused(tmp_path, '[environment.staging]\nseed = [["x"]]')
    assert said.startswith("tfpipeline.toml: environment.staging: `seed` fills an emulated cloud, and this is none")
    given = own(tmp_path, '[environment.staging]\nemulator = "aws"\nseed = [["x", "y"], "a.b:c"]')
    assert given.environment["staging"].seed == (("x", "y"), "a.b:c")


@pytest.mark.parametrize("name", ["skips", "environments"])
def test_a_configuration_cannot_be_changed(tmp_path: Path, name: str) -> None:
    config = own(tmp_path, "")
    with pytest.raises(ValueError, match="frozen"):
        setattr(config, name, "fail")


scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=8)
keys = st.sampled_from(
    ["root", "suite", "environment", "match", "vars", "timeout", "plan", "retry", "tools", "x", "identity"]
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(table=st.dictionaries(keys, values, max_size=5))
def test_any_table_is_a_configuration_or_a_configuration_error(table: dict[str, object]) -> None:
    with suppress(ConfigurationError):
        assert isinstance(_validated(_Table("f.toml", "", table)), Config)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.binary(max_size=60))
def test_any_bytes_are_a_configuration_or_a_configuration_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    top = tmp_path_factory.mktemp("any")
    (top / "tfpipeline.toml").write_bytes(data)
    try:
        load_config(top)
    except ConfigurationError:
        return
    tomllib.loads(data.decode("utf-8-sig"))
