"""Marks, hooks and workers: tests that are not run, are run twice, or say something else than what they found."""

from __future__ import annotations

from typing import Any

from attack import Attack, Scene, Trial

ALONE = ("-n", "0")
WORKERS = ("-n", "2")
FAILED = frozenset({"check-failed"})
SKIPPED = frozenset({"check-skipped"})
MISSING = frozenset({"check-missing"})

FAILS = "def test_rule(tf_plan):\n    assert not tf_plan.resources()\n"


def one(
    name: str, tries: str, says: str, codes: frozenset[str] | None, test: str = "", conftest: str = "", **more: Any
) -> Trial:
    """A trial with one attack, which is a test module, a conftest.py, or both."""

    def setup(scene: Scene) -> None:
        if test:
            scene.test(test)
        if conftest:
            scene.conftest(conftest)

    return Trial((Attack(name, tries, says),), codes=codes, setup=setup, **more)


MARKS = (
    one("`skip`", "skips a policy test", "test_rule", SKIPPED, "import pytest\n\n@pytest.mark.skip\n" + FAILS),
    one(
        "`skipif`",
        "skips every test of a module",
        "test_rule",
        SKIPPED,
        "import pytest\n\npytestmark = pytest.mark.skipif('True', reason='not now')\n\n" + FAILS,
    ),
    one(
        "`xfail`",
        "expects a policy test to fail",
        "test_rule",
        SKIPPED,
        "import pytest\n\n@pytest.mark.xfail\n" + FAILS,
    ),
    one(
        "`xfail(run=False)`",
        "does not even run it",
        "test_rule",
        SKIPPED,
        "import pytest\n\n@pytest.mark.xfail(run=False)\n" + FAILS,
    ),
    one(
        "an empty `parametrize`",
        "gives a policy test nothing to run with",
        "test_rule",
        SKIPPED,
        "import pytest\n\n@pytest.mark.parametrize('one', [])\ndef test_rule(tf_plan, one):\n    assert False\n",
    ),
)

DROP = "def pytest_collection_modifyitems(items):\n    items[:] = [item for item in items if '{}' not in item.nodeid]\n"

FORGES = """
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    report.outcome = "passed"
    return report
"""
UNFORMATTED = 'resource "terraform_data" "more" {\n    input="x"\n}'

HOOKS = (
    one("a hook that drops a check", "leaves `fmt` out", "main.tf::fmt", MISSING, conftest=DROP.format("fmt")),
    one(
        "a hook that drops a policy test",
        "leaves one of the repository's own out",
        "test_small",
        MISSING,
        conftest=DROP.format("test_small"),
        args=WORKERS,
    ),
    one(
        "a hook that drops an ordinary test",
        "leaves a test out that asks for no plan",
        "test_plain",
        MISSING,
        conftest=DROP.format("test_plain"),
    ),
    one(
        "a hook that drops everything",
        "leaves nothing to run",
        "nothing was collected",
        frozenset({"check-missing", "nothing-to-check"}),
        conftest="def pytest_collection_modifyitems(items):\n    items.clear()\n",
    ),
    one(
        "a hook that reorders",
        "runs everything backwards, with a test that fails",
        "test_rule",
        FAILED,
        FAILS,
        "def pytest_collection_modifyitems(items):\n    items.reverse()\n",
        args=WORKERS,
    ),
    one(
        "a hook that runs nothing",
        "takes the place of pytest's own protocol for one check",
        "main.tf::validate",
        MISSING,
        conftest="def pytest_runtest_protocol(item):\n    return item.name == 'validate' or None\n",
    ),
    one(
        "a hook that turns failures into passes",
        "changes the outcome of each report of a check",
        "main.tf::fmt",
        FAILED,
        conftest=FORGES,
        before=lambda scene: (scene.root("a", UNFORMATTED), scene.scratch.commit()),
    ),
    one(
        "`session.shouldstop`",
        "ends the run after its first test",
        "no result",
        frozenset({"check-missing", "interrupted"}),
        conftest="def pytest_runtest_teardown(item):\n    item.session.shouldstop = 'enough'\n",
    ),
    one(
        "`session.shouldfail`",
        "ends the run as a failure",
        "no result",
        frozenset({"check-missing"}),
        conftest="def pytest_runtest_teardown(item):\n    item.session.shouldfail = 'enough'\n",
    ),
    one(
        "`pytest.exit(returncode=0)`",
        "ends the run as a success",
        "no result",
        frozenset({"check-missing", "interrupted"}),
        "import pytest\n\ndef test_ends():\n    pytest.exit('enough', returncode=0)\n",
    ),
    one(
        "`KeyboardInterrupt`",
        "is raised by a test",
        "interrupted",
        frozenset({"check-missing", "interrupted"}),
        "def test_stops():\n    raise KeyboardInterrupt\n",
        exit=2,
    ),
    one(
        "`KeyboardInterrupt` in a worker",
        "is raised by a test, and looks like a crash",
        "interrupt",
        frozenset({"check-error", "interrupted", "worker-crashed"}),
        "def test_stops():\n    raise KeyboardInterrupt\n",
        args=WORKERS,
        exit=2,
    ),
    one("`SystemExit`", "is raised by a test", "test_leaves", FAILED, "def test_leaves():\n    raise SystemExit(0)\n"),
    one(
        "a test module that cannot be imported",
        "hides its tests",
        "test_attack.py",
        frozenset({"check-missing", "collection-error"}),
        "import nothing_of_that_name\n\n" + FAILS,
    ),
    one(
        "a conftest.py that cannot be imported",
        "hides its hooks",
        "nothing_of_that_name",
        None,
        conftest="import nothing_of_that_name\n",
        exit=4,
    ),
)

DIE = "import os\nimport signal\n\ndef test_dies():\n    os.kill(os.getpid(), signal.SIGKILL)\n"
FLAKY = """
import os

def test_differs(tf_plan):
    assert os.environ["PYTEST_XDIST_WORKER"] == "gw0"
"""

DIES_LATE = """
import os

def pytest_sessionfinish():
    if "PYTEST_XDIST_WORKER" in os.environ:
        os._exit(1)
"""

DEAD = (
    one(
        "a worker that dies while it collects",
        "takes its half of the tests with it",
        "worker",
        frozenset({"worker-crashed"}),
        "import os\n\nif os.environ.get('PYTEST_XDIST_WORKER') == 'gw1':\n    os._exit(3)\n",
        args=WORKERS,
    ),
    one(
        "all workers die while they collect",
        "leaves nothing",
        "worker",
        frozenset({"check-missing", "nothing-to-check", "worker-crashed"}),
        "import os\n\nif os.environ.get('PYTEST_XDIST_WORKER'):\n    os._exit(3)\n",
        args=WORKERS,
    ),
    one(
        "a worker that is killed in a test",
        "leaves no report",
        "test_dies",
        frozenset({"check-error", "worker-crashed"}),
        DIE,
        args=WORKERS,
    ),
    one(
        "a worker that ends as a success in a test",
        "leaves no report",
        "test_ends",
        frozenset({"check-error", "worker-crashed"}),
        "import os\n\ndef test_ends():\n    os._exit(0)\n",
        args=WORKERS,
    ),
    one(
        "a worker that may not be replaced",
        "dies with `--max-worker-restart=0`",
        "test_dies",
        frozenset({"check-error", "worker-crashed"}),
        DIE,
        args=(*WORKERS, "--max-worker-restart=0"),
    ),
    one(
        "a worker that dies after its last test",
        "has reported every test as passed",
        "worker",
        frozenset({"worker-crashed"}),
        conftest=DIES_LATE,
        args=WORKERS,
    ),
    one(
        "workers that collect different tests",
        "are told apart by a name",
        "no result",
        frozenset({"check-missing", "collection-error"}),
        "import os\n\ndef rule(tf_plan):\n    pass\n\n"
        "globals()['test_' + os.environ.get('PYTEST_XDIST_WORKER', '')] = rule\n",
        args=WORKERS,
    ),
    one(
        "`--dist each`",
        "runs every test in every worker, and one passes in one of them",
        "test_differs",
        frozenset({"check-failed", "records-disagree"}),
        FLAKY,
        args=("--dist", "each", "--tx", "2*popen"),
    ),
)

DISTRIBUTED = tuple(
    one(f"`--dist {how}`", "hands tests out in another way, one of which fails", "test_rule", FAILED, FAILS, args=args)
    for how, args in (
        ("no", ("--dist", "no", "--tx", "popen")),
        *((how, ("-n", "2", "--dist", how)) for how in ("load", "loadscope", "loadfile", "loadgroup", "worksteal")),
    )
)

SUCCEEDS = """
import pytest

@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    session.exitstatus = 0
"""

#: Not caught yet: nobody sees that a module had policy tests, and the last hook has the last word on the exit code.
QUIET = (
    one(
        "`importorskip`",
        "skips a module of policy tests for what is not installed",
        "test_attack.py",
        SKIPPED,
        "import pytest\n\npytest.importorskip('nothing_of_that_name')\n\n" + FAILS,
    ),
    one(
        "`skip(allow_module_level=True)`",
        "skips a module of policy tests while it is read",
        "test_attack.py",
        SKIPPED,
        "import pytest\n\npytest.skip('not now', allow_module_level=True)\n\n" + FAILS,
        args=WORKERS,
    ),
    one("`session.exitstatus = 0`", "calls a failed run a success", "test_rule", FAILED, FAILS, SUCCEEDS),
    one(
        "`-p no:terminal`",
        "switches off what prints",
        "-p no:terminal was given",
        frozenset({"narrowed"}),
        args=(*ALONE, "-p", "no:terminal"),
    ),
)

TRIALS = (*MARKS, *HOOKS, *QUIET, *DEAD, *DISTRIBUTED)
