"""Hold the configuration against the repository: a pattern, a name or an environment that means nothing is an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pytest_tfpipeline.config import check_names
from pytest_tfpipeline.config.check_names import unknown_environment
from pytest_tfpipeline.config.keys import Config, RootConfig, SuiteConfig, TestConfig
from pytest_tfpipeline.config.location import Location
from pytest_tfpipeline.config.match import known_environments, root_config
from pytest_tfpipeline.config.patterns import matches, matches_any
from pytest_tfpipeline.config.placeholders import Place, PlaceholderError, expand, expand_all
from pytest_tfpipeline.config.problems import Problem, key, raise_problems
from pytest_tfpipeline.config.suggest import closest, did_you_mean
from pytest_tfpipeline.model import Kind, Repository, Root

_TEMPLATES = ("name", "after", "var_files", "backend", "workspace", "env", "prepare", "after_apply")
_Entry = RootConfig | SuiteConfig | TestConfig
#: How long the location of a pattern is that stands there by itself, and in no array.
_ALONE = 3


def check_against(config: Config, repository: Repository) -> None:
    """Raise one ConfigurationError that names everything in the configuration that this repository does not have.

    A `match` or `include` without a root, suite or test file, an entry that an earlier one hides, an `after` or
    environment that is unknown, a `{parts[3]}` that a root's directory does not have.
    """
    rules = (
        *(_unmatched_roots, _unmatched_suites, _unmatched_tests, _unmatched_includes, _unknown_after, _placeholders),
        *(_environments, check_names.chains, check_names.aliases, check_names.groups),
    )
    problems = [problem for rule in rules for problem in rule(config, repository)]
    raise_problems(config.source, config.prefix, problems, _table(config))


def entry_key(config: Config, location: Location) -> str:
    """File and key of a value, as errors name them: `tfpipeline.toml: root[0] (match = "infra/*").vars.x`."""
    return f"{config.source}: {config.prefix}{key(location, _table(config))}"


def _table(config: Config) -> dict[str, list[dict[str, object]]]:
    """As much of the configuration as names the entries of its arrays."""
    entries: dict[str, Sequence[_Entry]] = {"root": config.root, "suite": config.suite, "test": config.test}
    return {name: [{"match": _as_written(entry)} for entry in some] for name, some in entries.items()}


def _as_written(entry: _Entry) -> str | list[str]:
    return entry.match[0] if len(entry.match) == 1 else list(entry.match)


def _patterns(table: str, entries: Sequence[_Entry]) -> Iterator[tuple[Location, str]]:
    """Every pattern of some entries, and where it stands."""
    for index, entry in enumerate(entries):
        for place, pattern in enumerate(entry.match):
            yield (table, index, "match", *([place] if len(entry.match) > 1 else [])), pattern


def _unmatched_roots(config: Config, repository: Repository) -> Iterator[Problem]:
    directories = [root.dir for root in repository.roots]
    for location, pattern in _patterns("root", config.root):
        if not any(matches(pattern, directory) for directory in directories):
            which = f"`{pattern}` " if len(location) > _ALONE else ""
            yield Problem(location, f"{which}matches no root{_other_kind(pattern, repository, directories)}")
    for index, entry in enumerate(config.root):
        matched = [directory for directory in directories if matches_any(entry.match, directory)]
        first = [root_config(config, directory) for directory in matched]
        if matched and not any(found is entry for found in first):
            hidden = f"`{matched[0]}`" if len(matched) == 1 else f"all {len(matched)} roots that it matches"
            yield Problem(("root", index, "match"), f"an earlier entry already takes {hidden}; the first match wins")


def _other_kind(pattern: str, repository: Repository, directories: Sequence[str]) -> str:
    """Why it matches none: the directory was taken for something else, or another one was meant."""
    for directory in repository.directories:
        if matches(pattern, directory.dir) and directory.kind not in (Kind.ROOT, Kind.EXAMPLE, Kind.SUITE):
            taken = f"`{directory.dir}` was taken for a {directory.kind} ({directory.rule})"
            return f"; {taken}: `include` makes it a root"
    return did_you_mean(pattern, directories) or "; `pytest --tf-list` shows every directory"


def _unmatched_suites(config: Config, repository: Repository) -> Iterator[Problem]:
    directories = [suite.dir for suite in repository.suites]
    for location, pattern in _patterns("suite", config.suite):
        if not any(matches(pattern, directory) for directory in directories):
            hint = did_you_mean(pattern, directories) or "; `pytest --tf-list` shows every suite"
            yield Problem(location, f"`{pattern}` matches no Python suite{hint}")


def _unmatched_tests(config: Config, repository: Repository) -> Iterator[Problem]:
    files = [file for owned in repository.tests.values() for file in owned]
    for location, pattern in _patterns("test", config.test):
        if not any(matches(pattern, file) for file in files):
            yield Problem(location, f"`{pattern}` matches no file of native tests{did_you_mean(pattern, files)}")


def _unmatched_includes(config: Config, repository: Repository) -> Iterator[Problem]:
    for index, pattern in enumerate(config.include):
        if not any(matches(pattern, root.dir) for root in repository.roots):
            yield Problem(("include", index), f"`{pattern}` matches no directory with Terraform files")


def _environments(config: Config, repository: Repository) -> Iterator[Problem]:
    known = known_environments(config, repository.environments)
    for name in config.environment:
        if problem := _environment_table(name, config, repository):
            yield Problem(("environment", name), problem)
    for index, entry in enumerate(config.root):
        for place, name in enumerate(entry.environments or ()):
            if name not in known:
                yield Problem(("root", index, "environments", place), unknown_environment(name, known))


def _environment_table(name: str, config: Config, repository: Repository) -> str | None:
    """Without a list of `environments` a table may declare one, unless it looks like another one misspelt."""
    if config.environments:
        return None if name in config.environments else unknown_environment(name, config.environments)
    if name in repository.environments or closest(name, repository.environments, 0.8) is None:
        return None
    mend = "; if it is one of its own, list every environment in `environments`"
    return unknown_environment(name, repository.environments) + mend


def _unknown_after(config: Config, repository: Repository) -> Iterator[Problem]:
    known = sorted({text for root in repository.roots for text in (root.dir, root.name)})
    for root in repository.roots:
        entry = root_config(config, root.dir)
        if entry is None:
            continue
        for place, text in enumerate(entry.after):
            location = ("root", config.root.index(entry), "after", place)
            if problem := _after_problem(text, root, known):
                yield Problem(location, problem)


def _after_problem(text: str, root: Root, known: Sequence[str]) -> str | None:
    reference = _try(lambda: expand(text, Place(root.dir, root.name)))
    if reference is None or (reference in known and reference not in (root.dir, root.name)):
        return None
    if reference in known:
        return f"`{root.dir}` cannot come after itself"
    return f"no root is called `{reference}`{did_you_mean(reference, known)}"


def _placeholders(config: Config, repository: Repository) -> Iterator[Problem]:
    """One problem for each key whose `{parts[...]}` some root's directory does not have."""
    seen = set()
    for root in repository.roots:
        entry = root_config(config, root.dir)
        for name in () if entry is None else _TEMPLATES:
            location = ("root", config.root.index(entry), name) if entry else ()
            problem = _placeholder_problem(getattr(entry, name), root)
            if problem and location not in seen:
                seen.add(location)
                yield Problem(location, problem)


def _placeholder_problem(value: object, root: Root) -> str | None:
    try:
        expand_all(value, Place(root.dir, root.name, "env"))
    except PlaceholderError as error:
        return str(error)
    return None


def _try(make: Callable[[], str]) -> str | None:
    try:
        return make()
    except PlaceholderError:
        return None
