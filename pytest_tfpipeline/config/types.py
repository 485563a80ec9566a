"""The types of configuration values: what TOML gives, checked strictly, with errors that say what was expected."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, WithJsonSchema

from pytest_tfpipeline.config.durations import DURATION_PATTERN, seconds
from pytest_tfpipeline.config.placeholders import check_template
from pytest_tfpipeline.process import denied

T = TypeVar("T")

_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
_VERSION = r"^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$"
_RESOURCE_TYPE = r"^[a-z][a-z0-9_-]*$"
#: It starts with something literal: a lone `*` would make an environment of every typing error.
_ALIAS = r"^[A-Za-z0-9][A-Za-z0-9._*?-]*$"
_PROVIDER = r"^[a-z0-9][a-z0-9.:-]*/(\*/\*|[a-z0-9][a-z0-9_-]*/(\*|[a-z0-9][a-z0-9_-]*))$"
_PYTHON = r"^[0-9]+\.[0-9]+(\.[0-9]+)?$"
_ACCOUNT = r"^[0-9]{12}$"
_PAIR = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*=")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CALLABLE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def is_environment_name(name: str) -> bool:
    """Whether an environment may be called that; it becomes part of paths and of states' keys."""
    return re.fullmatch(_NAME, name) is not None


def _shape(pattern: str, expected: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"expected {expected}")
        return value

    return check


def _duration(value: str) -> str:
    seconds(value)
    return value


def _positive_duration(value: str) -> str:
    if seconds(value) <= 0:
        raise ValueError("expected more than nothing: a check that may take no time never passes")
    return value


def _regular_expression(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"expected a regular expression: {error}") from error
    return value


def _glob(value: str) -> str:
    parts = value.split("/")
    if not value or value.startswith("/") or ".." in parts:
        raise ValueError("expected a pattern below the repository's top, such as `terraform/*` or `**/stacks/*`")
    return value


def _patterns(value: object) -> object:
    if isinstance(value, str):
        return (_glob(value),)
    if not isinstance(value, list | tuple):
        raise ValueError("expected a pattern, or an array of patterns")
    return tuple(value)


def _template(*allowed: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        check_template(value, allowed)
        return value

    return check


def _path(value: str) -> str:
    if not value.strip("?") or value.startswith("/") or ".." in value.split("/"):
        raise ValueError("expected a file below the repository's top, relative to it")
    return _template("env", "name", "parts")(value)


def _repository_file(value: str) -> str:
    if not value or value.startswith("/") or ".." in value.split("/"):
        raise ValueError("expected a file below the repository's top, relative to it")
    return value


def is_pair(entry: str) -> bool:
    """Whether an entry of `backend` is `key=value` and not a file."""
    return _PAIR.match(entry) is not None


def _backend(value: object) -> object:
    if value == "local":
        return value
    if not isinstance(value, list | tuple) or not all(isinstance(entry, str) for entry in value):
        raise ValueError('expected "local", or an array of files and `key=value` pairs')
    return tuple(_template("env", "name", "parts")(entry) if is_pair(entry) else _path(entry) for entry in value)


def _argv(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value or not value[0]:
        raise ValueError("expected a program and its arguments, none of them through a shell")
    return value


def _seed_step(value: object) -> object:
    if isinstance(value, str) and not _CALLABLE.fullmatch(value):
        raise ValueError('expected `module:function`, or a command as an array of its own, `[["make", "seed"]]`')
    if isinstance(value, str):
        return value
    if not isinstance(value, list | tuple) or not all(isinstance(word, str) for word in value):
        raise ValueError('expected a command as an array of strings, or "module:function"')
    return _argv(tuple(value))


def _variable(value: object) -> object:
    if isinstance(value, str):
        check_template(value, ("env", "name", "parts"), variables=True)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("expected a number that JSON can hold")
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            _variable(item)
    return value


def _environment_variables(value: dict[str, str]) -> dict[str, str]:
    for name in value:
        if not _VARIABLE.fullmatch(name):
            raise ValueError(f"`{name}` is not a name for an environment variable")
    refused = denied(value)
    if refused:
        raise ValueError(f"`{refused[0]}` changes terraform behind the pipeline's back; use a key of the configuration")
    return value


def _some(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise ValueError("expected at least one pattern")
    return value


def _distinct(value: tuple[str, ...]) -> tuple[str, ...]:
    twice = next((item for index, item in enumerate(value) if item in value[:index]), None)
    if twice is not None:
        raise ValueError(f"`{twice}` is there twice")
    return value


#: A TOML array of T, kept as a tuple.
Items = Annotated[tuple[T, ...], BeforeValidator(_as_tuple)]

EnvironmentName = Annotated[
    str,
    AfterValidator(_shape(_NAME, "a name of letters, digits, `.`, `_` and `-`")),
    Field(json_schema_extra={"pattern": _NAME}),
]
EnvironmentNames = Annotated[Items[EnvironmentName], AfterValidator(_distinct)]
AliasPattern = Annotated[
    str,
    AfterValidator(_shape(_ALIAS, "a pattern of names that starts with a letter or digit, such as `pr-*`")),
    Field(json_schema_extra={"pattern": _ALIAS}),
]
Version = Annotated[
    str,
    AfterValidator(_shape(_VERSION, 'an exact version such as "1.11.4"')),
    Field(json_schema_extra={"pattern": _VERSION}),
]
#: Or OpenTofu in terraform's place.
TerraformVersion = Annotated[
    str,
    AfterValidator(_shape(f"{_VERSION}|^tofu$", 'an exact version such as "1.11.4", or "tofu"')),
    Field(json_schema_extra={"pattern": f"{_VERSION}|^tofu$"}),
]
PythonVersion = Annotated[
    str,
    AfterValidator(_shape(_PYTHON, 'a Python version such as "3.12"')),
    Field(json_schema_extra={"pattern": _PYTHON}),
]
ResourceType = Annotated[
    str,
    AfterValidator(_shape(_RESOURCE_TYPE, 'a resource type such as "aws_s3_bucket"')),
    Field(json_schema_extra={"pattern": _RESOURCE_TYPE}),
]
ProviderPattern = Annotated[
    str,
    AfterValidator(_shape(_PROVIDER, 'a provider with its registry, such as "registry.terraform.io/hashicorp/aws"')),
    Field(json_schema_extra={"pattern": _PROVIDER}),
]
Account = Annotated[
    str,
    AfterValidator(_shape(_ACCOUNT, "the 12 digits of an AWS account, as a string")),
    Field(json_schema_extra={"pattern": _ACCOUNT}),
]
Duration = Annotated[str, AfterValidator(_duration), Field(json_schema_extra={"pattern": DURATION_PATTERN})]
Limit = Annotated[str, AfterValidator(_positive_duration), Field(json_schema_extra={"pattern": DURATION_PATTERN})]
RegularExpression = Annotated[str, AfterValidator(_regular_expression), Field(json_schema_extra={"format": "regex"})]
#: A pattern over directories: `*` and `?` stay within one component, `**` spans any number of them.
Glob = Annotated[str, AfterValidator(_glob)]
#: At least one of them.
Globs = Annotated[Items[Glob], AfterValidator(_some)]
#: One of them, or an array; kept as a tuple.
Patterns = Annotated[
    tuple[Glob, ...],
    BeforeValidator(_patterns),
    AfterValidator(_some),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
#: A text in which `{env}`, `{name}` and `{parts[-1]}` are replaced.
Template = Annotated[str, AfterValidator(_template("env", "name", "parts"))]
#: The same where no environment is meant: `{name}` and `{parts[-1]}`.
RootTemplate = Annotated[str, AfterValidator(_template("name", "parts"))]
#: The same where the name itself is made: `{parts[-1]}` alone.
NameTemplate = Annotated[str, AfterValidator(_template("parts"))]
Argv = Annotated[Items[str], AfterValidator(_argv)]
#: A command (argv), or a function of the repository as `module:function`.
SeedStep = Annotated[tuple[str, ...] | str, BeforeValidator(_seed_step)]
TemplateArgv = Annotated[Items[Template], AfterValidator(_argv)]
#: A template of a file's path; a trailing `?` says that it may be absent.
PathTemplate = Annotated[str, AfterValidator(_path)]
#: A file of the repository, by its path; no placeholders.
RepositoryFile = Annotated[str, AfterValidator(_repository_file)]
Backend = Annotated[Literal["local"] | tuple[str, ...], BeforeValidator(_backend)]
Variables = dict[str, Annotated[JsonValue, BeforeValidator(_variable)]]
EnvironmentVariables = Annotated[dict[str, str], AfterValidator(_environment_variables)]
TemplateVariables = Annotated[dict[str, Template], AfterValidator(_environment_variables)]
