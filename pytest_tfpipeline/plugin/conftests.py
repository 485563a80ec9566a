"""A conftest.py that cannot be loaded: an error of its own, with the tests it is for. Terraform below it is none of its
business, and goes on. Not in a run that can apply."""

from __future__ import annotations

import traceback
from collections.abc import Collection, Generator
from pathlib import Path
from types import ModuleType

import pytest

from pytest_tfpipeline.plugin.nativetests import TEST_FILES
from pytest_tfpipeline.plugin.state import State
from pytest_tfpipeline.redact import clean

#: What cannot be loaded, by file, as it was found before there was anything to collect.
BROKEN: pytest.StashKey[dict[Path, str]] = pytest.StashKey()


def culprit(manager: pytest.PytestPluginManager, error: BaseException) -> Path | None:
    """The conftest.py that the error comes from: one that raised, or one that names plugins that cannot be had."""
    path = _path_of(error)
    if path is not None:
        return path
    loaded = ((name, plugin) for name, plugin in manager.list_name_plugin() if Path(name).name == "conftest.py")
    return next((Path(name) for name, plugin in loaded if not _has_its_plugins(manager, plugin)), None)


def remember(config: pytest.Config, path: Path, error: BaseException) -> None:
    """Note it, and let pytest take it for loaded: it would give up the whole directory else."""
    config.stash.setdefault(BROKEN, {})[path] = _said(config, error, "the tests below it were")
    _replace(config.pluginmanager, path)


def watch_conftests(config: pytest.Config, state: State) -> None:
    """In this process, where nothing can be applied."""
    if not state.run.can_apply:
        config.pluginmanager.register(BrokenConftests(config, state.anchors), "tfpipeline-conftests")


class BrokenConftests:
    """Registered wherever something is collected; `anchors` are files whose checks need no conftest.py."""

    def __init__(self, config: pytest.Config, anchors: Collection[Path]) -> None:
        self._config = config
        self._kept = {*anchors, *(parent for anchor in anchors for parent in anchor.parents)}
        self._waiting = config.stash.setdefault(BROKEN, {})
        self._closed = {path.parent for path in self._waiting}

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave out what would run without its conftest.py."""
        below = self._closed.intersection(collection_path.parents)
        kept = collection_path in self._kept or collection_path.name.endswith(TEST_FILES)
        return True if below and not kept else None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Report the error as one of its own, and collect the directory all the same. Of a test file that lacks a
        module, its name is enough."""
        report = yield
        error = getattr(getattr(report.__dict__.get("call"), "excinfo", None), "value", None)
        if not isinstance(collector, pytest.Directory):
            if error is not None and isinstance(error.__cause__, ModuleNotFoundError):
                report.longrepr = _said(self._config, error, "its tests were")
            return report
        broken = self._broken(collector, error)
        if broken is not None and error is not None:
            self._closed.add(broken.parent)
            remember(self._config, broken, error)
            report = collector.ihook.pytest_make_collect_report(collector=collector)
        for path in list(self._waiting):
            found = _failed(self._config, path, self._waiting.pop(path))
            collector.ihook.pytest_collectreport(report=found)
        return report

    def _broken(self, collector: pytest.Directory, error: BaseException | None) -> Path | None:
        own, manager = collector.path / "conftest.py", self._config.pluginmanager
        refused = error is not None and own.is_file() and not manager.has_plugin(str(own))
        return _path_of(error) or (own if refused else None)


def _path_of(error: BaseException | None) -> Path | None:
    """pytest's own error for a conftest.py that raises is not public."""
    path = getattr(error, "path", None)
    return path if type(error).__name__ == "ConftestImportFailure" and isinstance(path, Path) else None


def _has_its_plugins(manager: pytest.PytestPluginManager, conftest: object) -> bool:
    named = getattr(conftest, "pytest_plugins", ())
    return all(manager.has_plugin(name) for name in ([named] if isinstance(named, str) else named or ()))


def _replace(manager: pytest.PytestPluginManager, path: Path) -> None:
    """pytest imports a conftest.py unless a plugin goes by its path."""
    if manager.has_plugin(str(path)):
        manager.unregister(name=str(path))
    manager.register(ModuleType("conftest"), str(path))


def _failed(config: pytest.Config, path: Path, text: str) -> pytest.CollectReport:
    name = path.relative_to(config.rootpath) if path.is_relative_to(config.rootpath) else path
    return pytest.CollectReport(name.as_posix(), "failed", text, [])


def _said(config: pytest.Config, error: BaseException, which: str) -> str:
    """What was raised, and where in the repository; `which` tests were left out."""
    cause = getattr(error, "cause", None) or error.__cause__ or error
    frames = traceback.extract_tb(cause.__traceback__)
    places = [(Path(one.filename), one.lineno) for one in frames if Path(one.filename).is_relative_to(config.rootpath)]
    where = f"{places[-1][0].relative_to(config.rootpath).as_posix()}:{places[-1][1]}: " if places else ""
    return clean(
        f"{where}{type(cause).__name__}: {cause}\n"
        f"-> Install what it needs, or mend it: {which} left out, everything else was not."
    )
