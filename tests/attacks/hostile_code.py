"""Code of the repository that runs where it should not, or where the credential that may apply is."""

from __future__ import annotations

from pathlib import Path

from hostile_claims import passing
from raid import CREDENTIAL, Field, Raid, Threat, stolen

import pytest_tfpipeline

PACKAGE = str(Path(pytest_tfpipeline.__file__).parent)

#: Every environment that this user may look into.
LOOKS = """
def test_looks():
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            found.append(path.read_bytes().decode(errors="replace"))
        except OSError:
            pass
    Path({loot!r}).write_text("".join(each for each in found if {credential!r} in each))
"""
#: In the place of this package, and then this package after all.
SHADOW = """{steals}
__path__[:] = [{package!r}]
exec(open({package!r} + "/__init__.py").read())
"""


def in_the_checkout(scene: Field) -> None:
    """Python that something imports by itself."""
    scene.conftest(scene.steals_in_python("conftest"))
    scene.test(LOOKS.format(loot=str(scene.loot / "process"), credential=CREDENTIAL))
    scene.scratch.write("sitecustomize.py", f"{scene.steals_in_python('sitecustomize')}\n")
    scene.scratch.write("usercustomize.py", f"{scene.steals_in_python('usercustomize')}\n")
    shadow = SHADOW.format(steals=scene.steals_in_python("package"), package=PACKAGE)
    scene.scratch.write("pytest_tfpipeline/__init__.py", shadow)


IMPORTED = Raid(
    (
        Threat("a conftest.py", "reads the environment", stolen("conftest")),
        Threat("a test that reads the process table", "looks into every process's environment", stolen("process")),
        Threat(
            "`sitecustomize.py` and `usercustomize.py`",
            "`PYTHONPATH` names the checkout",
            lambda scene: max(scene.stolen("sitecustomize"), scene.stolen("usercustomize")),
        ),
        Threat("a directory `pytest_tfpipeline/`", "stands in this package's place", stolen("package")),
    ),
    exit=0,
    setup=in_the_checkout,
    ambient=lambda scene: {"PYTHONPATH": str(scene.scratch.path)},
    args=("-n", "1"),
    answer="what is right is applied",
)


def commanded(scene: Field) -> None:
    """Commands in the configuration, one of which changes another root."""
    scene.root("b", value="decent")
    evil = f"{scene.steals('prepare')}; sed s/decent/evil/ infra/b/main.tf > x && cat x > infra/b/main.tf; rm x"
    scene.scratch.configure(
        "[environment.staging]\nidentity = { command = ["
        f"\"sh\", \"-c\", '''{scene.steals('identity')}; echo 1'''], expect = \"1\" }}\n",
        roots=f"match = \"infra/a\"\napply = true\nprepare = [[\"sh\", \"-c\", '''{evil}''']]\n"
        f"after_apply = [[\"sh\", \"-c\", '''{scene.steals('after')}''']]\n"
        '[[root]]\nmatch = "infra/b"\napply = true\n',
    )


COMMANDS = Raid(
    (
        Threat("`prepare`", "is a command of the configuration", stolen("prepare")),
        Threat(
            "a `prepare` that writes into another root",
            "changes in the private copy what is applied",
            lambda scene: int(scene.scratch.value("b") == "evil"),
        ),
        Threat("`after_apply`", "is a command of the configuration", stolen("after")),
        Threat("`identity.command`", "is a command of the configuration", stolen("identity")),
    ),
    exit=1,
    says="runs no code of the tree",
    setup=commanded,
    forge=passing,
    answer="`isolation`",
)


def seeded(scene: Field) -> None:
    """An environment that is tried in an emulated cloud, which commands and a function of the branch's fill."""
    scene.scratch.write("evil.py", f"def fill():\n    {scene.steals_in_python('function')}\n")
    steals = f"[\"sh\", \"-c\", '''{scene.steals('command')}''']"
    scene.scratch.configure(f'[environment.staging]\nemulator = "aws"\nseed = [{steals}, "evil:fill"]\n')


SEEDED = Raid(
    (
        Threat("a command of a `seed`", "fills the emulated cloud", stolen("command"), alone=0),
        Threat("a function of a `seed`", "is Python of the branch's", stolen("function"), alone=0),
    ),
    exit=1,
    says="runs no code of the tree",
    setup=seeded,
    forge=passing,
    answer="`isolation`",
)

#: Applies the root in a copy of its own, while nothing that is right could be applied.
APPLIES = """
import shutil, subprocess

def pytest_sessionstart(session):
    copy = TOP.parent / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(TOP / "infra/a", copy)
    subprocess.run(["terraform", "init"], cwd=copy, capture_output=True)
    subprocess.run(["terraform", "apply", "-auto-approve"], cwd=copy, capture_output=True)
"""
CALLS = Raid(
    (
        Threat(
            "a conftest.py that runs terraform",
            "applies by itself, although a policy test fails",
            lambda scene: int(scene.scratch.applied("a")),
        ),
    ),
    exit=1,
    says="the check job",
    setup=lambda scene: (
        scene.conftest(APPLIES),
        scene.test("def test_rule(tf_plan):\n    assert not tf_plan.resources()\n"),
    ),
    answer="`isolation`, `check-failed`",
)

RAIDS = (IMPORTED, COMMANDS, SEEDED, CALLS)
