"""Which checks a run must have: a pure function, since the gate holds the records against it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.config.match import known_environments, native_test_config
from pytest_tfpipeline.discover.nativetests import item_name
from pytest_tfpipeline.model import Check, CheckKind, Module, Repository, Root, Suite, Target

_ROOT = (CheckKind.FMT, CheckKind.LINT, CheckKind.VALIDATE, CheckKind.POLICY)
_MODULE = (CheckKind.FMT, CheckKind.LINT, CheckKind.POLICY)
_SUITE = (CheckKind.LINT, CheckKind.UNIT)
_TARGET = (CheckKind.PLAN, CheckKind.POLICY)


def expected_checks(repository: Repository, targets: Sequence[Target], config: Config) -> tuple[Check, ...]:
    """Every check of the run: roots with their targets, then modules, then suites.

    The order is that of the repository and of its environments, whatever order the targets are in. An id is
    `ANCHOR::validate`, `ANCHOR::test[tests/basic.tftest.hcl]`, or `ANCHOR::plan[staging]` for a target.
    """
    order = {name: index for index, name in enumerate(known_environments(config, repository.environments))}
    by_root: defaultdict[str, list[Target]] = defaultdict(list)
    for target in sorted(targets, key=lambda target: (order.get(target.environment, len(order)), target.environment)):
        by_root[target.root].append(target)
    return (
        *(check for root in repository.roots for check in _root_checks(root, by_root[root.dir], config)),
        *(check for module in repository.modules for check in (*_static(module, _MODULE), *_tests(module, config))),
        *(check for suite in repository.suites for check in _static(suite, _SUITE)),
    )


def plan_check_id(repository: Repository, root_dir: str, environment: str) -> str:
    """The id of that root's plan in that environment; KeyError where there is no such root."""
    for root in repository.roots:
        if root.dir == root_dir:
            return _target_id(root, CheckKind.PLAN, environment)
    raise KeyError(root_dir)


def _root_checks(root: Root, targets: Sequence[Target], config: Config) -> Iterator[Check]:
    yield from _static(root, _ROOT)
    yield from _tests(root, config)
    for target in targets:
        for kind in _TARGET:
            yield Check(_target_id(root, kind, target.environment), kind, root.dir, target.environment)


def _target_id(root: Root, kind: CheckKind, environment: str) -> str:
    return f"{root.anchor}::{kind}[{environment}]"


def _static(directory: Root | Module | Suite, kinds: Sequence[CheckKind]) -> Iterator[Check]:
    return (Check(f"{directory.anchor}::{kind}", kind, directory.dir) for kind in kinds)


def _tests(directory: Root | Module, config: Config) -> Iterator[Check]:
    """Native tests belong to the configuration, and so to every environment; those left out are no checks."""
    for file in directory.tests:
        if native_test_config(config, file).run:
            name = item_name(file, directory.dir)
            yield Check(f"{directory.anchor}::{name}", CheckKind.TFTEST, directory.dir)
