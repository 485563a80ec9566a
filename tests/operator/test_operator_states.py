"""No two environments have the same state, and no two roots of one environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.errors import ConfigurationError
from pytest_tfpipeline.model import Repository, Root
from pytest_tfpipeline.pipeline.states import check_states, shared_by_roots
from pytest_tfpipeline.pipeline.targets import check_environments, resolve_targets

NAMES = ("staging", "production")


def check(
    tmp_path: Path,
    backend: str | None,
    settings: dict[str, str],
    entry: dict[str, Any],
    *,
    asked: tuple[str, ...] = ("staging",),
    **keys: Any,
) -> None:
    root = Root("tf/core", "core", "tf/core/main.tf", backend=backend, backend_config=settings)
    repository = Repository(str(tmp_path), roots=(root,), environments=NAMES)
    config = Config.model_validate({"root": [{"match": "tf/core", **entry}], **keys})
    check_environments(asked, repository, config)
    check_states(repository, config, asked, resolve_targets(repository, config, (*NAMES, *asked), {}))


BUCKET = {"bucket": "b", "key": "k"}
PLAN_ENV = {name: {"plan_env": {"PGDATABASE": name}} for name in NAMES}


@pytest.mark.parametrize(
    ("backend", "settings", "entry", "keys"),
    [
        ("s3", BUCKET, {}, {}),
        ("s3", {"bucket": "b"}, {"backend": ["key={name}.tfstate"]}, {}),
        ("s3", BUCKET, {"workspace": "{name}"}, {}),
        ("gcs", {"bucket": "b", "prefix": "p"}, {}, {}),
        ("local", {"path": "/var/states/a.tfstate"}, {}, {}),
        ("local", {"path": "/var/states/../states/a.tfstate"}, {}, {}),
        ("local", {}, {"backend": ["path=/states/{env}/../a.tfstate"]}, {}),
        ("cloud", {"organization": "o", "workspaces.name": "w"}, {}, {}),
        ("http", {"address": "https://x"}, {}, {}),
        ("s3", BUCKET, {}, {"environment": PLAN_ENV}),
    ],
)
def test_a_shared_state_is_refused_whichever_environment_is_asked_for(
    tmp_path: Path, backend: str, settings: dict[str, str], entry: dict[str, Any], keys: dict[str, Any]
) -> None:
    for asked, other in (NAMES, NAMES[::-1]):
        with pytest.raises(ConfigurationError, match=f"tf/core in {asked} would have the state of {other}"):
            check(tmp_path, backend, settings, entry, asked=(asked,), **keys)


@pytest.mark.parametrize(
    ("backend", "settings", "entry", "keys"),
    [
        (None, {}, {}, {}),
        ("s3", BUCKET, {"backend": "local"}, {}),
        ("s3", {"bucket": "b"}, {"backend": ["key={env}/x"]}, {}),
        ("s3", BUCKET, {"backend": ["bucket={env}"]}, {}),
        ("s3", BUCKET, {"workspace": "{env}"}, {}),
        ("s3", BUCKET, {"environments": ["staging"]}, {}),
        ("s3", BUCKET, {}, {"environment": {name: {"emulator": "aws"} for name in NAMES}}),
        ("s3", BUCKET, {}, {"environment": {"staging": {"emulator": "aws"}}}),
        ("local", {"path": "a.tfstate"}, {}, {}),
        ("local", {}, {"backend": ["path=/states/{env}"]}, {}),
        ("cloud", {"organization": "o"}, {}, {}),
        ("pg", {"schema_name": "s"}, {}, {"environment": PLAN_ENV}),
    ],
)
def test_a_state_of_its_own_is_let_be(
    tmp_path: Path, backend: str | None, settings: dict[str, str], entry: dict[str, Any], keys: dict[str, Any]
) -> None:
    check(tmp_path, backend, settings, entry, **keys)


ALIAS = {"env_alias": {"pr-*": "staging"}}


def test_an_alias_may_not_share_but_may_differ(tmp_path: Path) -> None:
    own = {"backend": ["key={env}/x"]}
    check(tmp_path, "s3", BUCKET, own, asked=("pr-1", "pr-2"), **ALIAS)
    with pytest.raises(ConfigurationError, match=r"in pr-1 \(which borrows from staging\) would have the state of"):
        check(tmp_path, "s3", BUCKET, {"backend": ["key=production/x"]}, asked=("pr-1",), **ALIAS)
    (tmp_path / "staging.tfbackend").write_text('key = "staging/x"\n')
    with pytest.raises(ConfigurationError, match="would have the state of staging: `staging/x`"):
        check(tmp_path, "s3", BUCKET, {"backend": ["{env}.tfbackend?"]}, asked=("pr-1",), **ALIAS)


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([{"match": "tf/*", "backend": ["key={env}/x"]}], "`staging/x`, workspace `default`"),
        ([{"match": "tf/*", "backend": ["key=x"], "workspace": "{env}"}], "`x`, workspace `staging`"),
        ([{"match": "tf/*", "backend": ["key={name}/{env}"]}], None),
        ([{"match": "tf/*", "backend": ["key=x-{env}"], "workspace": "{name}"}], None),
        ([{"match": "tf/a", "apply": False, "backend": ["key=x"]}, {"match": "tf/*", "backend": ["key=x"]}], None),
        ([{"match": "tf/a", "environments": ["production"]}, {"match": "tf/*"}], None),
    ],
)
@pytest.mark.parametrize("emulator", [None, "aws"])
def test_two_roots_of_an_environment_may_not_have_one_state(
    tmp_path: Path, entries: list[dict[str, Any]], told: str | None, emulator: str | None
) -> None:
    """Each would destroy what the other has made; one that is not applied makes nothing."""
    roots = tuple(
        Root(f"tf/{name}", name, f"tf/{name}/main.tf", backend="s3", backend_config=BUCKET) for name in ("a", "b")
    )
    repository = Repository(str(tmp_path), roots=roots, environments=NAMES)
    config = Config.model_validate({"root": entries, "environment": {"staging": {"emulator": emulator}}})
    targets = resolve_targets(repository, config, ("staging",), {})
    if told is None:
        check_states(repository, config, ("staging",), targets)
    else:
        with pytest.raises(ConfigurationError, match=f"tf/a and tf/b would have one state in staging: {told}"):
            check_states(repository, config, ("staging",), targets)
    assert list(shared_by_roots(repository, ("production",), targets)) == []


def test_the_mend_is_in_the_words_of_the_backend(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r'backend = \["prefix=\{name\}/\{env\}.tfstate"\]'):
        check(tmp_path, "gcs", {"bucket": "b", "prefix": "p"}, {})


@pytest.mark.parametrize("name", ["pr-../x", "pr-a b", "pr-/", "qa-1"])
def test_a_name_that_no_environment_may_have_is_not_made_one_by_an_alias(tmp_path: Path, name: str) -> None:
    with pytest.raises(Exception, match="unknown environment"):
        check(tmp_path, None, {}, {}, asked=(name,), **ALIAS)
