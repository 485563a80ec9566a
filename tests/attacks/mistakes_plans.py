"""Plans, and what they were made of: changed, swapped or replaced between check and apply."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from shutil import which

from attack import Attack, Scene, Trial
from scratch import Result

PLAN_CHANGED = frozenset({"plan-changed"})
STALE = "The saved plan is not the one that was recorded"
EDITED = "Files that the plan could read have changed since it was made"


def tested(body: str) -> Callable[[Scene], None]:
    """A policy test that does this once the plans are there."""
    return lambda scene: scene.test(f"def test_meddles(tf_plan):\n    {body}\n")


def judged(body: str) -> Callable[[Scene], None]:
    """A hook on the controller that does this once the verdict is announced."""
    text = f"def pytest_runtest_logreport(report):\n    if '::gate[' in report.nodeid:\n        {body}\n"
    return lambda scene: scene.conftest(text)


def finalized(body: str) -> Callable[[Scene], None]:
    """A fixture of the session that does this after the last test."""
    text = f"import pytest\n\n@pytest.fixture(scope='session', autouse=True)\ndef late():\n    yield\n    {body}\n"
    return lambda scene: scene.conftest(text)


def both(*setups: Callable[[Scene], object]) -> Callable[[Scene], None]:
    """One after the other."""

    def act(scene: Scene) -> None:
        for setup in setups:
            setup(scene)

    return act


APART = 'match = "infra/*"\napply = true\nbackend = ["path={states}/{{name}}-{{env}}.tfstate"]\n'


def planned(environment: str) -> Callable[[Scene], None]:
    """There is a plan of an earlier run."""

    def act(scene: Scene) -> None:
        if environment != "staging":
            scene.scratch.environments = ("staging", environment)
            scene.scratch.configure(roots=APART.format(states=scene.scratch.states))
            scene.scratch.commit()
        done = scene.scratch.run("--tf-plan", environment, "-n", "0")
        assert done.code == 0, done.text
        (path,) = scene.scratch.output.glob(f"runs/*/plans/{environment}/*.tfplan")
        (scene.path / "other.tfplan").write_bytes(path.read_bytes())

    return act


OWN = "(plan,) = newest('plans/staging/*a.tfplan')"
OTHER = "(TOP.parent / 'other.tfplan').read_bytes()"
REPLACE = f"{OWN}; plan.write_bytes({OTHER})"
#: The test is run for each root; the plans of both are there in the second.
SWAP = """found = newest('plans/staging/*.tfplan')
    if len(found) == 2 and not (OUTPUT / 'swapped').exists():
        (OUTPUT / 'swapped').touch()
        texts = [path.read_bytes() for path in reversed(found)]
        [path.write_bytes(text) for path, text in zip(found, texts)]"""


def applied_plan(scene: Scene) -> None:
    """The plan of a run that was applied."""
    scene.apply()
    (path,) = scene.scratch.output.glob("runs/*/plans/staging/*.tfplan")
    (scene.path / "other.tfplan").write_bytes(path.read_bytes())


def by_hand(scene: Scene) -> Result:
    """`terraform apply` of the saved plan of the last run, in its private copy."""
    (plan,) = scene.scratch.output.glob("runs/*/plans/staging/*.tfplan")
    (copy,) = scene.scratch.output.glob("runs/*/tree/staging/infra/a")
    done = subprocess.run(["terraform", "apply", str(plan)], cwd=copy, capture_output=True, text=True)
    return Result(done.returncode, done.stdout, done.stderr)


def targeted(scene: Scene) -> None:
    """A wrapper that stands in terraform's place and plans a part."""
    program = scene.path / "bin" / "terraform"
    program.write_text(WRAPPER.format(terraform=which("terraform")))
    program.chmod(0o755)
    scene.scratch.env["TFPIPELINE_TERRAFORM"] = str(program)


WRAPPER = """#!/bin/sh
case "$1" in
plan) shift; exec {terraform} plan -target=terraform_data.it "$@" ;;
*) exec {terraform} "$@" ;;
esac
"""


def plan(name: str, tries: str, setup: Callable[[Scene], object], **more: object) -> Trial:
    """A trial whose plan is found out."""
    given = {"codes": PLAN_CHANGED, **more}
    return Trial((Attack(name, tries, str(given.pop("says", "main.tf::plan[staging]"))),), setup=setup, **given)  # type: ignore[arg-type]


PLANS = (
    plan("a plan cut short", "truncates the saved plan", tested(f"{OWN}; plan.write_bytes(plan.read_bytes()[:-100])")),
    plan("a plan deleted", "removes the saved plan", tested(f"{OWN}; plan.unlink()")),
    plan("a plan emptied", "leaves an empty file", tested(f"{OWN}; plan.write_bytes(b'')")),
    plan(
        "plans swapped between roots",
        "gives each root the other's",
        both(lambda scene: scene.root("b", value="other"), tested(SWAP)),
    ),
    plan(
        "plans swapped between environments",
        "gives staging what was planned for production",
        tested(REPLACE),
        earlier=planned("production"),
    ),
    plan(
        "an older plan, from a test",
        "puts the plan of an earlier run in place",
        tested(REPLACE),
        earlier=planned("staging"),
    ),
    plan(
        "an older plan, after the last test",
        "does so in a fixture's finalizer, in a worker",
        finalized(f"{OWN}; plan.write_bytes({OTHER})"),
        earlier=planned("staging"),
        args=("-n", "1"),
    ),
    plan(
        "an older plan, after the verdict",
        "does so between gate and apply",
        judged(REPLACE),
        earlier=planned("staging"),
        codes=frozenset(),
        exit=11,
        says=STALE,
        answer="the apply is refused",
    ),
    plan("an applied plan", "brings the plan of the last apply back", tested(REPLACE), earlier=applied_plan),
    Trial(
        (Attack("an applied plan, by hand", "applies the saved plan once more with terraform", "Saved plan is stale"),),
        codes=None,
        before=lambda scene: scene.apply(),
        act=by_hand,
        answer="terraform refuses",
    ),
    plan(
        "a plan of a part",
        "has a wrapper around terraform add `-target`",
        targeted,
        codes=frozenset({"check-failed", "plan-incomplete"}),
    ),
)

INPUTS = """
module "m" {
  source = "../../modules/m"
}

variable "size" {
  default = "none"
}

resource "terraform_data" "inputs" {
  input = [var.size, filebase64sha256("payload.zip")]

  provisioner "local-exec" {
    command = "sh ${path.module}/script.sh"
  }
}
"""
MODULE = 'resource "terraform_data" "inner" {\n  input = "inner"\n}\n'
FILES = ("infra/a/staging.tfvars", "infra/a/script.sh", "infra/a/payload.zip", "modules/m/main.tf")


def with_inputs(scene: Scene) -> None:
    """A root that reads a var file, a script, a zip file and a module."""
    scene.root("a", INPUTS)
    scene.scratch.write("modules/m/main.tf", MODULE)
    scene.scratch.write("infra/a/staging.tfvars", 'size = "small"\n')
    scene.scratch.write("infra/a/script.sh", "exit 0\n")
    scene.scratch.write("infra/a/payload.zip", "not much of a zip file\n")


def edits(how: str, code: str = "") -> tuple[Attack, ...]:
    """A row for each kind of file."""
    kinds = {"tfvars": "var file", "sh": "script", "zip": "zip file", "tf": "module"}
    return tuple(Attack(f"a {kinds[name.rpartition('.')[2]]} {how}", "changes it", name, code) for name in FILES)


def append(top: str) -> str:
    """Adds a comment to each of them."""
    names = ", ".join(repr(name) for name in FILES)
    return f"for name in ({names}):\n            ({top} / name).open('a').write('\\n# changed')"


COPY = "newest('tree/staging')[0]"

EDITS = (
    Trial(
        edits("edited by a test", "tree-changed"),
        codes=frozenset({"check-error", "tree-changed", "tree-dirty"}),
        setup=both(with_inputs, tested(append("TOP").replace("            ", "        "))),
    ),
    Trial(
        edits("edited in the private copy"),
        codes=frozenset({"tree-changed"}),
        setup=both(with_inputs, tested(append(COPY).replace("            ", "        "))),
    ),
    Trial(
        edits("edited after the verdict"),
        codes=frozenset(),
        exit=11,
        setup=both(with_inputs, judged(append(COPY))),
        answer="the apply is refused",
    ),
)


def uncommitted(scene: Scene) -> None:
    """A file that was changed by hand and not committed."""
    scene.root("a", value="never committed")


def overlooked(flag: str) -> Callable[[Scene], None]:
    """The same, and git was told to say nothing."""

    def act(scene: Scene) -> None:
        scene.scratch.git("update-index", flag, "infra/a/main.tf")
        uncommitted(scene)

    return act


COMMITS = """
import subprocess

def test_pulls():
    path = TOP / "infra" / "new" / "main.tf"
    path.parent.mkdir()
    path.write_text("resource {}")
    user = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "add", "--all", "infra"], cwd=TOP, check=True)
    subprocess.run(["git", *user, "commit", "--quiet", "--message", "New"], cwd=TOP, check=True)
"""
IGNORED = {
    "infra/a/local.auto.tfvars": "a git-ignored `auto.tfvars`",
    "infra/a/terraform.tfvars": "a git-ignored `terraform.tfvars`",
    "infra/a/override.tf": "a git-ignored `override.tf`",
    "infra/a/more_override.tf.json": "a git-ignored `_override.tf.json`",
}


def ignored(scene: Scene) -> None:
    """Files that this checkout alone ignores."""
    (scene.scratch.path / ".git/info/exclude").write_text("*.tfvars\n*override.tf*\n")
    for name in IGNORED:
        scene.scratch.write(name, "{}" if name.endswith("json") else "")


WAIVER = """
[[waiver]]
rule = "X"
address = "*"
owner = "me"
reason = "so it passes"
expires = 2099-01-01
environment = "production"
"""
ALLOWED = """
[[allow]]
root = "infra/a"
address = "terraform_data.it"
environment = "staging"
reason = "so it passes"
expires = 2099-01-01
"""
#: What each of them is, and what it says.
RULES = {
    "tfpipeline.toml": ("configuration", None),
    "pytest.ini": ("`pytest.ini`", None),
    "conftest.py": ("`conftest.py`", "def pytest_configure():\n    pass\n"),
    "waivers.toml": ("file of waivers", WAIVER),
    "allowed.toml": ("file of allowed deletions", ALLOWED),
    "signers": ("file of signers", "# nobody yet\n"),
    ".tfpipeline-baseline.json": ("baseline", '{"version": 1, "findings": []}'),
}


def ignored_rules(scene: Scene) -> None:
    """Files that decide, each of which this checkout alone ignores and none of which is committed."""
    (scene.scratch.path / ".git/info/exclude").write_text("\n".join(RULES))
    scene.scratch.environments = ("staging", "production")
    named = 'waivers = "waivers.toml"\nallow_destroy = "allowed.toml"\nsigners = "signers"\n'
    scene.scratch.configure(named, roots=APART.format(states=scene.scratch.states))
    for name, (_, text) in RULES.items():
        if text is not None:
            scene.scratch.write(name, text.lstrip())
    scene.scratch.git("rm", "--quiet", "--cached", "tfpipeline.toml", "pytest.ini")


def elsewhere(scene: Scene) -> Result:
    """A configuration that lies beside the repository."""
    place = scene.path / "mine.toml"
    (scene.scratch.path / "tfpipeline.toml").rename(place)
    scene.scratch.commit()
    return scene.scratch.run("--apply-env", "staging", f"--tf-config={place}", "-n", "0")


def linked_rules(scene: Scene) -> None:
    """The configuration that is committed is a link to one that is not."""
    (scene.scratch.path / ".git/info/exclude").write_text("mine.toml\n")
    (scene.scratch.path / "tfpipeline.toml").rename(scene.scratch.path / "mine.toml")
    (scene.scratch.path / "tfpipeline.toml").symlink_to("mine.toml")


def replaced_terraform(scene: Scene) -> None:
    """A test that replaces the program."""
    program = scene.path / "bin" / "terraform"
    program.write_text(f'#!/bin/sh\nexec {which("terraform")} "$@"\n')
    program.chmod(0o755)
    scene.scratch.env["TFPIPELINE_TERRAFORM"] = str(program)
    scene.test(f"def test_updates(tf_plan):\n    open({str(program)!r}, 'a').write('# newer')\n")


TREE = (
    Trial(
        (Attack("a file edited by hand", "is not committed", "infra/a/main.tf"),),
        codes=frozenset({"tree-dirty"}),
        before=uncommitted,
    ),
    *(
        Trial(
            (Attack(f"`git update-index {flag}`", "hides an edited file from git", "infra/a/main.tf"),),
            codes=frozenset({"tree-dirty"}),
            before=overlooked(flag),
        )
        for flag in ("--assume-unchanged", "--skip-worktree")
    ),
    Trial(
        (Attack("a commit during the run", "brings a root that nobody has checked", "HEAD is"),),
        codes=frozenset({"tree-changed"}),
        setup=lambda scene: scene.test(COMMITS),
    ),
    Trial(
        tuple(Attack(name, "is read by terraform and not in the commit", path) for path, name in IGNORED.items()),
        codes=frozenset({"ignored-input"}),
        before=ignored,
    ),
    Trial(
        tuple(
            Attack(f"a git-ignored {what}", "decides, and is not in the commit", path)
            for path, (what, _) in RULES.items()
        ),
        codes=frozenset({"ignored-input"}),
        setup=ignored_rules,
    ),
    Trial(
        (Attack("a configuration elsewhere", "is named by `--tf-config`, and in no commit", "mine.toml, which conf"),),
        codes=frozenset({"ignored-input"}),
        act=elsewhere,
    ),
    Trial(
        (Attack("a committed link", "leads to a configuration that git ignores", "tfpipeline.toml, which configures"),),
        codes=frozenset({"ignored-input"}),
        setup=linked_rules,
    ),
    Trial(
        (Attack("terraform replaced", "is another program after the plan", "terraform at"),),
        codes=frozenset({"tool-changed"}),
        setup=replaced_terraform,
    ),
)

TRIALS = (*PLANS, *EDITS, *TREE)
