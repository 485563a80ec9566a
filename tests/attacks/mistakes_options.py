"""Options, ini keys and variables of pytest that deselect, reorder, stop early, run again or change the exit code."""

from __future__ import annotations

import json
from collections.abc import Callable

from attack import Attack, Scene, Trial
from scratch import Result

FAILS = "def test_rule(tf_plan):\n    assert not tf_plan.resources()\n"
FIRST = "import os\n\n\ndef test_first():\n    assert os.path.exists({flag!r})\n"
NARROWED = frozenset({"narrowed"})
MISSING = frozenset({"narrowed", "check-missing"})


def given(flag: str, tries: str, code: str = "narrowed") -> Attack:
    """An option that is named as it was typed."""
    return Attack(f"`{flag}`", tries, f"{flag} was given", code)


def failing(scene: Scene) -> None:
    """A policy test that fails."""
    scene.test(FAILS, "test_strict.py")


def failed_once(*args: str) -> Callable[[Scene], None]:
    """An ordinary test failed in the run before, with these options, and passes now."""

    def act(scene: Scene) -> None:
        flag = scene.path / "mended"
        scene.scratch.write("tests/test_zz_first.py", FIRST.format(flag=str(flag)))
        scene.scratch.write("other.ini", ini(""))
        scene.scratch.commit()
        assert scene.scratch.run("-n", "0", *args).code in (1, 2)
        flag.touch()

    return act


def ini(addopts: str) -> str:
    """A pytest.ini with these options."""
    return f"[pytest]\ntestpaths = tests\naddopts = {addopts}\n"


def committed(addopts: str) -> Callable[[Scene], object]:
    """Put options into the committed ini file."""
    return lambda scene: scene.scratch.write("pytest.ini", ini(addopts))


def remembered(scene: Scene) -> None:
    """Every check of the root failed in the last run, as pytest's cache has it."""
    names = ("fmt", "lint", "validate", "policy", "plan[staging]", "policy[staging]")
    cache = {f"infra/a/main.tf::{name}": True for name in names}
    scene.scratch.write(".pytest_cache/v/cache/lastfailed", json.dumps(cache))


CHANGED = tuple(
    Trial(
        (
            Attack(
                f"`--tf-changed`{where}", "leaves out what no change can affect", "it cannot be given with --apply-env"
            ),
        ),
        exit=4,
        codes=None,
        setup=setup,
        args=("-n", "0", *args),
        env=env,
    )
    for where, setup, args, env in (
        ("", lambda scene: None, ("--tf-changed=HEAD",), {}),
        (" in `addopts`", lambda scene: scene.scratch.write("pytest.ini", ini("--tf-changed=HEAD")), (), {}),
        (" in `PYTEST_ADDOPTS`", lambda scene: None, (), {"PYTEST_ADDOPTS": "--tf-changed=HEAD"}),
    )
)

TOGETHER = Trial(
    (
        given("-k", "leaves checks out by name"),
        given("-m", "leaves checks out by marker"),
        given("--deselect", "leaves one check out"),
        given("--ignore", "leaves a directory of tests out"),
        given("--ignore-glob", "leaves tests out by pattern"),
        given("--ff", "runs what failed first"),
        given("--nf", "runs new files first"),
        given("-x/--maxfail", "stops after some failures"),
        given("--runxfail", "takes xfail marks for nothing"),
        given("--pyargs", "takes arguments for packages"),
        given("--noconftest", "reads no conftest.py"),
        given("--confcutdir", "reads only some conftest.py"),
        given("--continue-on-collection-errors", "runs in spite of files that cannot be read"),
        given("-o python_functions=none_*", "overrides an ini key"),
        given("-p no:doctest", "switches a plugin off"),
    ),
    codes=MISSING,
    args=(
        *("-n", "0", "-k", "not fmt", "-m", "not tf_lint", "--deselect", "infra/a/main.tf::validate"),
        *("--ignore", "tests/none", "--ignore-glob", "none_*", "--ff", "--nf", "--maxfail=30", "--runxfail"),
        *("--pyargs", "--noconftest", "--confcutdir=tests", "--continue-on-collection-errors"),
        *("-o", "python_functions=none_*", "-p", "no:doctest"),
    ),
)

ALONE = tuple(
    Trial((given(flag, tries, code=""),), codes=codes, args=("-n", "0", *args), before=failed_once(*before))
    for flag, args, tries, codes, before in (
        ("--lf", ("--lf",), "runs again only what failed, and that passes now", MISSING, ()),
        ("--sw", ("--sw",), "goes on where the last run stopped", NARROWED, ("--sw",)),
        ("--setup-only", ("--setup-only",), "sets tests up without running them", MISSING, ()),
        ("--setup-plan", ("--setup-plan",), "shows what would be set up", MISSING, ()),
        ("a path argument (tests)", ("tests",), "names a part of the repository", MISSING, ()),
        ("-c", ("-c", "other.ini"), "takes another ini file", NARROWED, ()),
    )
)

STOPPED = (
    Trial(
        (Attack("`-x`, a test fails", "stops at the first failure", "-x/--maxfail was given"),),
        codes=frozenset({"narrowed", "check-failed", "check-missing"}),
        args=("-n", "0", "-x"),
        setup=lambda scene: scene.test("def test_first():\n    assert False", "test_a.py"),
    ),
    Trial(
        (Attack("`addopts = -x`, a test fails", "the same, committed", "no result"),),
        codes=frozenset({"check-failed", "check-missing"}),
        setup=lambda scene: (committed("-x")(scene), scene.test("def test_first():\n    assert False", "test_a.py")),
    ),
    Trial(
        (Attack("`addopts = -k`", "deselects a check in the committed ini file", "no result"),),
        codes=frozenset({"check-missing"}),
        setup=committed("-k 'not fmt'"),
    ),
    Trial(
        (Attack("`addopts = --lf`", "runs what failed last, as committed", "--lf was given"),),
        codes=NARROWED,
        setup=lambda scene: (committed("--lf")(scene), failing(scene)),
        before=remembered,
    ),
    Trial(
        (Attack("`--co`", "collects and runs nothing"),),
        codes=None,
        args=("--collect-only",),
        answer="nothing is run",
    ),
    Trial(
        (Attack("`addopts = --co`", "the same, committed"),),
        codes=None,
        setup=committed("--co"),
        answer="nothing is run",
    ),
    Trial(
        (Attack("`--looponfail`", "runs again at each change", "--looponfail runs for ever"),),
        exit=4,
        codes=None,
        args=("--looponfail",),
    ),
    Trial(
        (Attack("`-p no:tfpipeline`", "switches the plugin off", "unrecognized arguments: --apply-env"),),
        exit=4,
        codes=None,
        args=("-p", "no:tfpipeline"),
    ),
    Trial(
        (Attack("`addopts = -p no:tfpipeline`", "the same, committed", "unrecognized arguments: --apply-env"),),
        exit=4,
        codes=None,
        setup=committed("-p no:tfpipeline"),
    ),
    Trial(
        (Attack("`addopts = --allow-destroy`", "allows a deletion in the ini file", "--allow-destroy counts only"),),
        exit=4,
        setup=committed("--allow-destroy infra/a//terraform_data.it"),
    ),
    Trial(
        (Attack("`addopts = --apply-env`", "applies without being asked", "--apply-env counts only"),),
        exit=4,
        setup=committed("--apply-env staging"),
        act=lambda scene: scene.scratch.run("-n", "0"),
    ),
    Trial(
        (Attack("`PYTEST_ADDOPTS=--apply-env`", "the same, from a variable", "--apply-env counts only"),),
        exit=4,
        act=lambda scene: scene.scratch.run("-n", "0", env={"PYTEST_ADDOPTS": "--apply-env=staging"}),
    ),
    Trial(
        (Attack("`PYTEST_ADDOPTS=-k`", "deselects through a variable", "-k was given"),),
        codes=MISSING,
        env={"PYTEST_ADDOPTS": "-k 'not fmt'"},
    ),
    Trial(
        (Attack("`PYTEST_ADDOPTS=--co`", "collects only, through a variable"),),
        codes=None,
        env={"PYTEST_ADDOPTS": "--co"},
        answer="nothing is run",
    ),
    Trial(
        (Attack("`PYTEST_DISABLE_PLUGIN_AUTOLOAD`", "keeps plugins from being found", "--apply-env"),),
        exit=4,
        codes=None,
        args=(),
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    ),
    Trial(
        (Attack("the same, with `-p`", "loads this plugin and no other", "PYTEST_DISABLE_PLUGIN_AUTOLOAD was given"),),
        codes=NARROWED,
        args=("-p", "pytest_tfpipeline.plugin"),
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    ),
    Trial(
        (Attack("`PYTHONOPTIMIZE`, `--assert=plain`", "takes away every `assert`", "takes away asserts"),),
        codes=frozenset({"narrowed"}),
        args=("-n", "0", "--assert=plain"),
        env={"PYTHONOPTIMIZE": "1"},
        setup=failing,
    ),
    Trial(
        (Attack("`PYTHONOPTIMIZE`", "takes `assert` from what tests import", "takes away asserts"),),
        codes=frozenset({"narrowed"}),
        env={"PYTHONOPTIMIZE": "1"},
    ),
)

WARNS = "import warnings\n\n\ndef test_warns():\n    warnings.warn('old')\n"


def elsewhere(scene: Scene) -> Result:
    """Another repository's root, from this one."""
    other = Scene(scene.path / "elsewhere")
    other.scratch.commit()
    return scene.scratch.run("--apply-env", "staging", "-n", "0", f"--rootdir={other.scratch.path}")


def with_elsewhere(scene: Scene) -> int:
    """In either repository."""
    states = [*(scene.path / "elsewhere/states").glob("*"), *(scene.path / "elsewhere").glob("*.log")]
    return scene.applied() + len(states)


SELDOM = (
    Trial(
        (Attack("`--trace`, a test fails", "has the debugger run the tests, without a terminal", "--trace was given"),),
        codes=NARROWED,
        args=("-n", "0", "--trace"),
        setup=failing,
    ),
    Trial(
        (Attack("`addopts = --trace`, a test fails", "the same, committed", "--trace was given"),),
        codes=NARROWED,
        setup=lambda scene: (committed("--trace")(scene), failing(scene)),
    ),
    Trial(
        (Attack("`--pdb`, a test fails", "stops in a debugger, without a terminal", "the run was interrupted"),),
        exit=2,
        codes=frozenset({"check-failed", "check-missing", "interrupted"}),
        args=("-n", "0", "--pdb"),
        setup=lambda scene: scene.test("def test_first():\n    assert False", "test_a.py"),
    ),
    Trial(
        (Attack("`--max-warnings=0`, a test warns", "fails for too many warnings", "--max-warnings allows 0"),),
        codes=frozenset({"check-failed"}),
        args=("-n", "0", "--max-warnings=0"),
        setup=lambda scene: scene.scratch.write("tests/test_warns.py", WARNS),
    ),
    *(
        Trial(
            (Attack(f"`{flag}`", tries, f"{flag} only lists"),),
            exit=4,
            codes=None,
            args=args,
        )
        for flag, tries, args in (
            ("--fixtures", "lists what tests may use", ("--fixtures",)),
            ("--fixtures-per-test", "lists what each test uses", ("-n", "0", "--fixtures-per-test")),
        )
    ),
    Trial(
        (Attack("`--junitxml` where no file can be", "breaks pytest after the apply", "cannot be written"),),
        exit=4,
        codes=None,
        args=("-n", "0", "--junitxml=pytest.ini/junit.xml"),
    ),
    Trial(
        (Attack("`--rootdir` of another repository", "checks something else than is here", "to start in (and not"),),
        codes=None,
        act=elsewhere,
        count=with_elsewhere,
        answer="`narrowed`",
    ),
)

AGAIN = (
    Trial(
        (Attack("pytest-rerunfailures", "runs a failed policy test again until it passes", "test_flaky"),),
        codes=frozenset({"check-failed", "records-disagree"}),
        args=("-n", "0", "--reruns", "3"),
        package="pytest-rerunfailures",
        setup=lambda scene: scene.test(
            "import os\n\ndef test_flaky(tf_plan):\n"
            "    first = not (OUTPUT / 'once').exists()\n    (OUTPUT / 'once').touch()\n    assert not first"
        ),
    ),
    Trial(
        (Attack("pytest-randomly", "shuffles the tests, one of which fails", "test_rule"),),
        codes=frozenset({"check-failed"}),
        args=("-n", "0", "-p", "randomly"),
        package="pytest-randomly",
        setup=failing,
    ),
    Trial(
        (Attack("pytest-repeat", "runs every test twice, one of which fails", "test_rule"),),
        codes=frozenset({"check-failed"}),
        args=("-n", "0", "--count", "2"),
        package="pytest-repeat",
        setup=failing,
    ),
    Trial(
        (Attack("pytest-timeout, `signal`", "stops a policy test that hangs", "test_hangs"),),
        codes=frozenset({"check-failed"}),
        args=("-n", "0", "--timeout=2"),
        package="pytest-timeout",
        setup=lambda scene: scene.test("import threading\n\ndef test_hangs(tf_plan):\n    threading.Event().wait()"),
    ),
    Trial(
        (Attack("pytest-timeout, `thread`", "ends the process of a test that hangs"),),
        codes=None,
        args=("-n", "0", "--timeout=2", "--timeout-method=thread"),
        package="pytest-timeout",
        setup=lambda scene: scene.test("import threading\n\ndef test_hangs(tf_plan):\n    threading.Event().wait()"),
        answer="the process ends",
    ),
    Trial(
        (Attack("pytest-timeout, `--session-timeout`", "stops the run after a time", "no result"),),
        codes=frozenset({"check-missing"}),
        args=("-n", "0", "--session-timeout=0.001"),
        package="pytest-timeout",
    ),
)

TRIALS = (TOGETHER, *ALONE, *STOPPED, *SELDOM, *AGAIN, *CHANGED)
