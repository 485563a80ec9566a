"""What a check job says, held against what an apply job knows for itself. Pure.

The check job runs the repository's own code, so that everything it says is a claim: without it nothing is applied, and
nothing is applied because of it. Where it says less than was expected, the gate is closed like after any other run.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator
from fnmatch import fnmatchcase

from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.gate.verdict import missing
from pytest_tfpipeline.model import Check, EnvironmentRun, Finding, Record, Run, Target
from pytest_tfpipeline.proof.complete import narrowed, uncommitted
from pytest_tfpipeline.proof.document import EnvironmentPart, Evidence, FindingPart

_NOT_HERE = "and an apply in a job of its own runs no code of the tree"
#: Variables that make a program load or start something else: the dynamic linker and its libraries, shells and
#: interpreters, whoever looks for a program, git and ssh, terraform (overrides of providers, credential helpers), and
#: the files in which clouds and clusters name a program that logs in (`credential_process`, `exec`).
_LOADS_CODE = (
    *("LD_*", "DYLD_*", "GCONV_PATH", "OPENSSL_*"),
    *("PATH", "SHELL", "ENV", "BASH_ENV", "BASH_FUNC_*", "ZDOTDIR"),
    *("PYTHON*", "PERL5*", "RUBY*", "NODE_*", "JAVA_TOOL_OPTIONS"),
    *("HOME", "USERPROFILE", "XDG_CONFIG_*", "GIT_*", "SSH_ASKPASS*"),
    *("TERRAFORM_CONFIG", "TF_CLI_*", "TF_DATA_DIR", "TF_PLUGIN_*", "TF_REATTACH_PROVIDERS"),
    *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AZURE_CONFIG_DIR", "AZURE_EXTENSION_*"),
    *("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_EXTERNAL_ACCOUNT_*", "CLOUDSDK_*"),
    *("KUBECONFIG", "KUBE_CONFIG_*", "HELM_*", "DOCKER_CONFIG"),
)


def to_claim(
    evidence: Evidence, environment: EnvironmentRun, commit: str | None, repository: str, baseline: str | None = None
) -> Iterator[Reason]:
    """What stands against an apply in evidence of the check job. `baseline` is the digest of the one that counts."""
    for cause in _causes(evidence, environment, commit, repository):
        yield Reason(Code.ISOLATION, f"the check job's evidence does not count: {cause}")
    part = evidence.environment(environment.name)
    if part is not None and part.verdict is not None and part.verdict.known:
        yield from _to_known(evidence, part.verdict.known, baseline)
    for each in part.verdict.reasons if part is not None and part.verdict is not None else ():
        said = f"the check job says {each.code}: {each.text}"
        yield Reason(Code.ISOLATION, said, each.check)


def to_unsaid(expected: Iterable[Check], claimed: Iterable[Record], environment: str) -> Iterator[Reason]:
    """Expected checks of that environment of which the check job gives no result: the apply job makes some of the same
    name for itself, which say less, and must not stand in for what was left out."""
    absent = missing((check for check in expected if check.environment in (None, environment)), claimed)
    if absent:
        more = f" and {len(absent) - 1:,} more" if len(absent) > 1 else ""
        text = f"the check job's evidence does not count: it has no result of {absent[0]}{more}"
        yield Reason(Code.ISOLATION, text)


def to_code(run: Run, environment: EnvironmentRun, vouched: Collection[str]) -> Iterator[Reason]:
    """Code that the repository's configuration would have run here: an apply in a job of its own runs none of it.

    `vouched` are the environments whose `identity` the operator's file says, and not the tree.
    """
    command = environment.identity.get("command")
    if command and (environment.lent_by or environment.name) not in vouched:
        text = f"the `identity` of {environment.name} is a command, {shlex.join(command)}, which only the operator file"
        yield Reason(Code.ISOLATION, f"{text} can name for an apply in a job of its own")
    if environment.seed:
        yield Reason(Code.ISOLATION, f"{environment.name} has a `seed`, {_NOT_HERE}")
    for target in run.targets:
        if target.environment == environment.name:
            yield from (Reason(Code.ISOLATION, f"{target.root} {what}, {_NOT_HERE}") for what in code_of(target))


def code_of(target: Target) -> Iterator[str]:
    """What of a target's configuration would run code of the tree, each a clause."""
    for name, commands in (("prepare", target.prepare), ("after_apply", target.after_apply)):
        if commands:
            yield f"has `{name}` commands"
    for name in sorted(target.env | target.plan_env | target.apply_env):
        if any(fnmatchcase(name.upper(), pattern) for pattern in _LOADS_CODE):
            yield f"sets {name}, with which a program loads or starts other code"


def to_plans(
    environment: str, part: EnvironmentPart | None, digest: str, *, lasting: bool, idle: bool = False
) -> Iterator[Reason]:
    """The plans that were made here, held against those that the check job saw. `idle`: they would change nothing, so
    that there is nothing to hold; as after an apply of what the check job saw."""
    if not lasting:
        text = "digests of two jobs can only be compared with a key that both know: set TFPIPELINE_DIGEST_KEY in both"
        yield Reason(Code.PLANS_DIFFER, text)
    elif not idle and differ(part, digest):
        text = f"the plans made here for {environment} have the digest {digest}, and the check job saw {_claimed(part)}"
        why = "something moved meanwhile, the jobs have different TFPIPELINE_DIGEST_KEYs, or its word was wrong"
        yield Reason(Code.PLANS_DIFFER, f"{text}: {why}; check again")


def differ(part: EnvironmentPart | None, digest: str) -> bool:
    """Whether these are not the plans that the check job saw."""
    return _claimed(part) != digest


def _claimed(part: EnvironmentPart | None) -> str | None:
    return part.plan_set_digest if part is not None else None


def claimed_records(evidence: Evidence, environment: str) -> tuple[Record, ...]:
    """The check job's records about that environment, and those that belong to every one; marked as taken over, so that
    no evidence of this job says that it has made them. Of their findings, they have those that were let through."""
    return tuple(
        Record(
            check.id,
            check.check,
            check.outcome,
            check.root,
            check.environment,
            check.seconds,
            reused=True,
            findings=tuple(map(_known, (finding for finding in check.findings if finding.known))),
        )
        for check in evidence.checks
        if check.check is not None and check.environment in (None, environment)
    )


def _known(part: FindingPart) -> Finding:
    return Finding(part.rule, part.severity, part.text, part.address, part.file, part.line, known=True)


def _to_known(evidence: Evidence, known: int, baseline: str | None) -> Iterator[Reason]:
    """What the check job let through must be what may be let through here."""
    theirs = None if evidence.baseline is None else evidence.baseline.digest
    if baseline is None or theirs != baseline:
        here = "none counts here" if baseline is None else "another one counts here"
        count = f"{known:,} known finding{'' if known == 1 else 's'}"
        text = f"the check job let {count} through by its baseline, and {here}"
        yield Reason(Code.ISOLATION, f"{text}: give both jobs the same operator file")


def _causes(evidence: Evidence, environment: EnvironmentRun, commit: str | None, repository: str) -> Iterator[str]:
    part = evidence.environment(environment.name)
    emulated = environment.emulator is not None
    if evidence.run.repository != repository:
        yield f"it is of another repository ({evidence.run.repository}; this is {repository})"
    if evidence.run.commit != commit:
        yield f"it is of another commit ({evidence.run.commit}; this is {commit})"
    if not emulated:
        yield from uncommitted(evidence)
    if evidence.run.exit_code != 0:
        yield f"its run ended with exit code {evidence.run.exit_code}"
    yield from narrowed(evidence)
    if part is None:
        yield f"it says nothing about {environment.name}"
    elif part.emulated != emulated:
        yield f"there {environment.name} was {'emulated' if part.emulated else 'real'}, and here it is not"
    elif any(check.reused for check in evidence.checks):
        yield "some of its results are those of earlier runs: give the check job TFPIPELINE_CACHE=off"
    elif part.verdict is None or not part.verdict.open:
        yield "not every check passed"
