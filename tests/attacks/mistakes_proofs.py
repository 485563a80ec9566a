"""Evidence of an earlier environment, approvals, and both in a promotion: for something else than what is at hand."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attack import Attack, Scene, Trial
from scratch import Result

from pytest_tfpipeline.proof.checksum import checksum
from pytest_tfpipeline.proof.statement import statement

KEY = {"TFPIPELINE_DIGEST_KEY": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}
ROOT = """terraform {{
  backend "local" {{}}
}}

variable "environment" {{
  type = string
}}
{data}
resource "terraform_data" "it" {{
  input = {value}
}}

output "value" {{
  value = terraform_data.it.output
}}
"""
READS = """
data "terraform_remote_state" "a" {{
  backend = "local"
  config = {{
    path = "{states}/a-${{var.environment}}.tfstate"
  }}
}}
"""
EACH = (
    'match = "infra/*"\napply = true\nbackend = ["path={states}/{{name}}-{{env}}.tfstate"]\n'
    'vars = {{ environment = "{{env}}" }}\n'
)


def environments(text: str, *, value: str = "one", second: bool = False) -> Callable[[Scene], None]:
    """Staging and production, each with states of its own; with `second`, a root that reads what `a` made."""

    def act(scene: Scene) -> None:
        scene.scratch.environments = ("staging", "production")
        scene.scratch.configure(text, roots=EACH.format(states=scene.scratch.states))
        scene.scratch.write("infra/a/main.tf", ROOT.format(value=f'"{value}"', data=""))
        if second:
            data = READS.format(states=scene.scratch.states)
            read = "data.terraform_remote_state.a.outputs.value"
            scene.scratch.write("infra/b/main.tf", ROOT.format(value=read, data=data))

    return act


def wants(scene: Scene, *args: str, code: int, env: Mapping[str, str] = KEY) -> dict[str, Any]:
    """A run that belongs to the story; what its evidence says of its last environment."""
    scene.scratch.commit()
    done = scene.scratch.run(*args, "-n", "0", env=env)
    assert done.code == code, done.text
    found: dict[str, Any] = scene.scratch.evidence()["environments"][-1]
    return found


def make_key(path: Path, principal: str) -> str:
    """A key, and its line in a list of signers."""
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", principal, "-f", str(path)]
    subprocess.run(argv, check=True, capture_output=True)
    kind, key, _ = path.with_suffix(".pub").read_text().split()
    return f'{principal} namespaces="tfpipeline-evidence,tfpipeline-approval" {kind} {key}\n'


def sign(path: Path, key: Path, namespace: str) -> None:
    """`ssh-keygen -Y sign`, beside it."""
    argv = ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", namespace, str(path)]
    subprocess.run(argv, check=True, capture_output=True)


AFTER = 'signers = "signers"\n[environment.production]\nafter = "staging"\n'


def signed(scene: Scene) -> None:
    """Staging was applied from a commit, and its evidence is signed."""
    environments(AFTER)(scene)
    scene.scratch.write("signers", make_key(scene.path / "key", "ci@example.org"))
    wants(scene, "--apply-env", "staging", code=0, env={"TFPIPELINE_SIGNING_KEY": str(scene.path / "key")})


def proof(scene: Scene, name: str, change: Callable[[dict[str, Any]], object], *, signature: bool = True) -> Path:
    """The evidence of staging, changed, as a signed statement of that name."""
    document = scene.scratch.evidence()
    change(document)
    path = scene.path / f"{name}.json"
    path.write_text(json.dumps(statement({**document, "digest": checksum(document)})))
    if signature:
        sign(path, scene.path / "key", "tfpipeline-evidence")
    return path


def of_run(**changes: Any) -> Callable[[dict[str, Any]], object]:
    """Another run."""
    return lambda document: document["run"].update(changes)


def emulated(document: dict[str, Any]) -> None:
    """Another cloud."""
    document["environments"][0]["emulated"] = True


def on_another_branch(scene: Scene) -> str:
    """A commit that only that branch has."""
    scene.scratch.git("checkout", "--quiet", "-b", "feature")
    scene.scratch.commit("On a branch")
    commit = scene.scratch.git("rev-parse", "HEAD").strip()
    scene.scratch.git("checkout", "--quiet", "main")
    return commit


def with_proofs(scene: Scene) -> Result:
    """Apply production with every kind of evidence of staging that does not count."""
    edited = proof(scene, "edited", lambda document: None)
    document = json.loads(edited.read_bytes())["predicate"]
    document["run"]["command"] = ["pytest", "--apply-env", "staging", "-n", "1"]
    edited.write_text(json.dumps(statement({**document, "digest": checksum(document)})))
    before = scene.scratch.git("rev-parse", "HEAD~1").strip()
    files = [
        edited,
        proof(scene, "unsigned", lambda document: None, signature=False),
        proof(scene, "emulated", emulated),
        proof(scene, "commit", of_run(commit=before)),
        proof(scene, "branch", of_run(commit=on_another_branch(scene), ref="feature")),
        proof(scene, "repository", of_run(repository="https://example.org/other.git")),
        proof(scene, "superseded", lambda document: None),
        proof(scene, "later", of_run(commit=before, started="2099-01-01T00:00:00+00:00", id="later")),
    ]
    given = [f"--tf-prior={file}" for file in files]
    return scene.scratch.run("--apply-env", "production", "-n", "0", *given)


PROOFS = Trial(
    (
        Attack("staging's evidence, unsigned", "shows it without a signature", "unsigned.json does not count"),
        Attack("staging's evidence, edited", "changes it, with a new checksum", "edited.json.sig"),
        Attack("staging's evidence, of an emulated run", "tried it in no real cloud", "made in an emulated cloud"),
        Attack("staging's evidence, of another commit", "applied something else there", "commit.json does not count"),
        Attack("staging's evidence, of another branch", "applied a branch there", "branch.json does not count"),
        Attack("staging's evidence, of another repository", "applied another one", "it is of another repository"),
        Attack("staging's evidence, superseded", "has applied another commit since", "superseded.json does not count"),
    ),
    codes=frozenset({"prior-invalid"}),
    before=signed,
    act=with_proofs,
)


def damaged(scene: Scene) -> Result:
    """Apply production with evidence that was edited and nothing else."""
    path = scene.path / "edited.json"
    path.write_text((scene.scratch.output / "evidence.json").read_text().replace("staging", "stagin"))
    return scene.scratch.run("--apply-env", "production", "-n", "0", f"--tf-prior={path}")


ORDER = (
    PROOFS,
    Trial(
        (Attack("staging's evidence, damaged", "changes it by hand", "its checksum does not match"),),
        codes=None,
        exit=4,
        before=signed,
        act=damaged,
    ),
    Trial(
        (Attack("no evidence of staging", "begins with production", "there is no evidence of staging"),),
        codes=frozenset({"prior-missing"}),
        setup=environments('[environment.production]\nafter = "staging"\n'),
        act=lambda scene: scene.scratch.run("--apply-env", "production", "-n", "0"),
    ),
    Trial(
        (Attack("`-x` in a promotion", "stops at the first failure", "-x/--maxfail was given"),),
        codes=frozenset({"narrowed", "prior-missing"}),
        setup=environments('[environment.production]\nafter = "staging"\n'),
        act=lambda scene: scene.scratch.run("--apply-env", "staging", "--promote-to", "production", "-n", "0", "-x"),
    ),
)

MANUAL = '[environment.production]\napproval = "manual"\n'
PRODUCTION = ("--apply-env", "production")


def approved_otherwise(scene: Scene) -> None:
    """Approvals of staging's plans, of the first of two waves, and of the second before its plan changed."""
    scene.given["staging"] = wants(scene, "--tf-plan", "staging", code=0)["plan_set_digest"]
    scene.given["wave"] = first = wants(scene, *PRODUCTION, code=10)["plan_set_digest"]
    wants(scene, *PRODUCTION, "--approve", first, code=10)
    scene.given["older"] = wants(scene, *PRODUCTION, code=10)["plan_set_digest"]
    assert len(set(scene.given.values())) == len(scene.given)
    environments(MANUAL, value="two", second=True)(scene)
    scene.scratch.commit()


def approve_all(scene: Scene) -> Result:
    """Apply with all of them."""
    given = [word for digest in scene.given.values() for word in ("--approve", digest)]
    return scene.scratch.run(*PRODUCTION, "-n", "0", *given, env=KEY)


def reverted(scene: Scene) -> None:
    """A change was approved and applied, and reverted; now it comes again."""
    wants(scene, *PRODUCTION, code=0)
    environments(MANUAL, value="two")(scene)
    scene.given["applied"] = digest = wants(scene, *PRODUCTION, code=10)["plan_set_digest"]
    wants(scene, *PRODUCTION, "--approve", digest, code=0)
    environments("")(scene)
    wants(scene, *PRODUCTION, code=0)
    environments(MANUAL, value="two")(scene)
    scene.scratch.commit()


OTHER = "--approve <{}> is for other plans"
APPROVALS = (
    Trial(
        (
            Attack("an approval for another environment", "agreed to staging's plans", OTHER.format("staging")),
            Attack("an approval for another wave", "agreed to the wave before", OTHER.format("wave")),
            Attack("an approval for an older digest", "agreed before a commit", OTHER.format("older")),
        ),
        codes=frozenset({"approval-invalid"}),
        setup=environments(MANUAL, second=True),
        before=approved_otherwise,
        act=approve_all,
    ),
    Trial(
        (Attack("an approval after apply and revert", "agreed to it the first time", OTHER.format("applied")),),
        codes=frozenset({"approval-invalid"}),
        setup=environments(""),
        before=reverted,
        act=approve_all,
    ),
    Trial(
        (Attack("`addopts = --approve`", "agrees in the ini file", "--approve counts only"),),
        exit=4,
        codes=None,
        setup=lambda scene: (
            environments(MANUAL)(scene),
            scene.scratch.write("pytest.ini", f"[pytest]\ntestpaths = tests\naddopts = --approve sha256:{'0' * 64}\n"),
        ),
        act=lambda scene: scene.scratch.run(*PRODUCTION, "-n", "0", env=KEY),
    ),
)


def against_operator(scene: Scene) -> Result:
    """Apply in one process, although the operator wants two jobs."""
    path = scene.path / "operator.toml"
    path.write_text('isolation = "jobs"\n[environment.staging]\n')
    return scene.scratch.run("--apply-env", "staging", "-n", "0", f"--tf-operator={path}")


ISOLATED = Trial(
    (
        Attack(
            '`isolation = "process"` against the operator',
            "applies where the tests run, although the operator file says `jobs`",
            'what checks may not apply here: `isolation = "jobs"`',
        ),
    ),
    exit=4,
    codes=None,
    setup=lambda scene: scene.scratch.configure('isolation = "process"\n'),
    act=against_operator,
)

TRIALS = (*ORDER, *APPROVALS, ISOLATED)
