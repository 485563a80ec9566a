"""What pytest itself would say too late, or not at all: an option with which a run that plans or applies cannot end as
its exit code promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfpipeline.plugin.wishes import CHECK_MODE, asked_for

#: (option, its value in `config.option`): pytest lists something, runs nothing, and ends with 0.
_LISTS = (("--fixtures", "showfixtures"), ("--fixtures-per-test", "show_fixtures_per_test"))


def refuse_listing(config: pytest.Config) -> None:
    """Raise pytest.UsageError where something is to be planned or applied, and pytest would only list fixtures."""
    for flag, dest in _LISTS:
        if getattr(config.option, dest, False) and asked_for(config) != CHECK_MODE:
            raise pytest.UsageError(f"{flag} only lists, and runs nothing: give it neither --tf-plan nor --apply-env")


def refuse_unwritable(config: pytest.Config) -> None:
    """Raise pytest.UsageError where `--junitxml` cannot be written: pytest finds out last, after an apply."""
    named = getattr(config.option, "xmlpath", None)
    if not named:
        return
    path = Path(str(named)).expanduser().absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()
    except OSError as error:
        why = error.strerror or str(error)
        raise pytest.UsageError(f"--junitxml={named} cannot be written: {why}\n  -> name another file") from None


def excess_of_warnings(config: pytest.Config) -> str | None:
    """What `--max-warnings` (or the ini key) objects to so far; pytest itself counts after the last hook of the run."""
    limit, reporter = _limit(config), config.pluginmanager.getplugin("terminalreporter")
    count = len(reporter.stats.get("warnings", ())) if reporter is not None else 0
    if limit is None or count <= limit:
        return None
    return f"{count} warning{'' if count == 1 else 's'}, and --max-warnings allows {limit}"


def _limit(config: pytest.Config) -> int | None:
    typed = getattr(config.option, "max_warnings", None)
    try:
        value = config.getini("max_warnings") if typed is None else typed
    except (KeyError, ValueError):  # a pytest that does not know it
        return None
    return None if value is None else int(value)
