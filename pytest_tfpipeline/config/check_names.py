"""Hold what the configuration says of environments and groups against the repository and against itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from pytest_tfpipeline.config.chain import circle
from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.config.match import known_environments
from pytest_tfpipeline.config.patterns import matches
from pytest_tfpipeline.config.problems import Problem
from pytest_tfpipeline.config.suggest import did_you_mean
from pytest_tfpipeline.model import Repository


def chains(config: Config, repository: Repository, names: Sequence[str] | None = None) -> Iterator[Problem]:
    """An `after` that names no environment, and a circle of them, each circle once and in full; of those `names`, or
    of every table."""
    known = known_environments(config, repository.environments)
    told: set[frozenset[str]] = set()
    for name in config.environment if names is None else names:
        location = ("environment", name, "after")
        after = config.environment[name].after
        if after is not None and after not in known:
            yield Problem(location, unknown_environment(after, known))
        around = circle(config, name)
        if around and frozenset(around) not in told:
            told.add(frozenset(around))
            yield Problem(location, f"these environments come after each other: {' after '.join(around)}")


def aliases(config: Config, repository: Repository) -> Iterator[Problem]:
    """A lender that is unknown, and a pattern that means an environment which has rules of its own."""
    known = known_environments(config, repository.environments)
    for pattern, lender in config.env_alias.items():
        location = ("env_alias", pattern)
        if lender not in known:
            yield Problem(location, unknown_environment(lender, known))
        own = [name for name in known if fnmatchcase(name, pattern)]
        if own:
            yield Problem(location, f"`{pattern}` also means `{own[0]}`, which is an environment of its own")


def groups(config: Config, repository: Repository) -> Iterator[Problem]:
    """A name that is there twice, and a pattern that matches no root or no suite."""
    names = [group.name for group in config.group]
    kinds = (("roots", [root.dir for root in repository.roots]), ("suites", [one.dir for one in repository.suites]))
    for index, group in enumerate(config.group):
        if group.name in names[:index]:
            yield Problem(("group", index, "name"), f"there is a group called `{group.name}` already")
        for key, directories in kinds:
            for place, pattern in enumerate(getattr(group, key) or ()):
                if not any(matches(pattern, directory) for directory in directories):
                    hint = did_you_mean(pattern, directories)
                    yield Problem(("group", index, key, place), f"`{pattern}` matches no {key[:-1]}{hint}")


def unknown_environment(name: str, known: Sequence[str]) -> str:
    return f"unknown environment `{name}`{did_you_mean(name, known)} (known: {', '.join(known) or 'none'})"
