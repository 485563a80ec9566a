"""What to do about terraform's well-known errors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pytest_tfpipeline.config.entries import home_at
from pytest_tfpipeline.discover.unfilled import fill_lines
from pytest_tfpipeline.model import Finding, Severity, Variable


@dataclass(frozen=True, slots=True)
class Mend:
    """A kind of error: the rule's name for findings, and what to do about it."""

    rule: str
    pattern: re.Pattern[str]
    advice: str


def _mend(rule: str, pattern: str, advice: str) -> Mend:
    return Mend(rule, re.compile(pattern, re.DOTALL | re.IGNORECASE), advice)


#: The first pattern found in "summary\ndetail" counts.
MENDS: tuple[Mend, ...] = (
    _mend(
        "not-emulated",
        r"the emulated cloud cannot do",
        "The emulated cloud lacks that action: leave the resource out in this environment (`count`, by a variable), or "
        "try it against a real account.",
    ),
    _mend(
        "missing-variable-file",
        r"Failed to read variables file",
        "Create the file, or mark it with a trailing `?` in `var_files` if it may be absent.",
    ),
    _mend(
        "terraform-version",
        r"Unsupported (Terraform|OpenTofu) Core version",
        "Install a terraform that `required_version` allows, or name it under [tool.tfpipeline.tools].",
    ),
    _mend(
        "stale-plan",
        r"Saved plan is stale",
        "Somebody changed the state since this plan was made: run again, so that it is planned on the new state.",
    ),
    _mend(
        "lock-file",
        r"Inconsistent dependency lock file|(does not|doesn't)\s+match\s+any\s+of\s+the\s+checksums|"
        r"checksum list has no|lock file .{0,40}read-?only|Provider dependency changes detected",
        "Run `terraform init -upgrade` or `terraform providers lock` for this platform, and "
        "commit .terraform.lock.hcl.",
    ),
    _mend(
        "no-provider",
        r"Failed to (query available|resolve) provider packages|Failed to install provider|"
        r"Could not (load|retrieve) .{0,40}provider|"
        r"Missing required provider|Required plugins are not installed",
        "Check the provider's source and version; where the registry cannot be reached, name a mirror in "
        "TFPIPELINE_PROVIDER_MIRROR.",
    ),
    _mend(
        "no-module",
        r"Failed to download module|Unreadable module directory|Module not (found|installed)|"
        r"Error accessing remote module|"
        r"Could not download module|Failed to resolve .{0,20}module",
        "Check the module's `source`: that the directory is committed (in a submodule: that this is checked out, "
        "`git submodule update --init`), or that this machine may read the repository or registry it names.",
    ),
    _mend(
        "no-bucket",
        r"NoSuchBucket|S3 bucket .{0,200}does not exist|bucket does not exist|storage: bucket doesn't exist|"
        r"ContainerNotFound",
        "Create the bucket for the state first, or correct `bucket` in the backend's configuration.",
    ),
    _mend(
        "no-credentials",
        r"No valid credential sources|could not find default credentials|no EC2 IMDS role|ExpiredToken|"
        r"InvalidClientTokenId|"
        r"retrieving caller identity from STS|failed to (retrieve|refresh cached) credentials|"
        r"failed to get shared config profile|unable to build authorizer",
        "Give this process credentials (for example AWS_PROFILE, or `plan_env` and `apply_env` of the environment), or "
        'set `emulator = "aws"` on it.',
    ),
    _mend("no-region", r"Missing region value", "Set AWS_REGION in `env`, or `region` in the backend's configuration."),
    _mend(
        "no-state",
        r"Unable to find remote state|No stored state was found",
        "Apply the root that this state belongs to first, or name it in `after` so that it is planned behind it.",
    ),
    _mend(
        "backend-unreachable",
        r"Failed to get state|Error refreshing state|Error loading (the )?(backend|state)|"
        r"Failed to (load|request|read) .{0,40}(state|backend)|Error inspecting states in the",
        "Check the backend's address, and that this machine can reach it: the state is asked for there.",
    ),
    _mend(
        "access-denied",
        r"AccessDenied|not authorized to perform|\b403\b.{0,40}Forbidden",
        "Give these credentials the right that is named above.",
    ),
    _mend(
        "disk-full",
        r"no space left on device",
        "Free some space, or put the output elsewhere with --tf-output DIR.",
    ),
    _mend(
        "no-configuration", r"No configuration files", "Put the directory on the exclude list, or add its .tf files."
    ),
)


def mend_for(text: str) -> Mend | None:
    """The well-known error that this text is, if it is one."""
    return next((mend for mend in MENDS if mend.pattern.search(text)), None)


def describe_lock(detail: str, now: datetime | None = None) -> str | None:
    """Who holds the state lock, for which operation and for how long, from terraform's "Lock Info:"."""
    if "Lock Info:" not in detail:
        return None
    found = dict(re.findall(r"^\s*(ID|Path|Operation|Who|Created):[ \t]+(\S.*?)\s*$", detail, re.MULTILINE))
    operation = found.get("Operation", "unknown").removeprefix("OperationType").lower()
    age = _age(found.get("Created", ""), now or datetime.now(UTC))
    return (
        f"The state is locked by {found.get('Who', 'somebody unknown')}, for {operation}, since "
        f"{found.get('Created', 'an unknown time')}{age}.\n"
        f"State: {found.get('Path', 'unknown')}\n"
        "-> Wait until it has ended (`lock_timeout` waits for you). Only if that process is certainly gone: "
        f"terraform force-unlock {found.get('ID', 'LOCK_ID')}"
    )


def describe_missing_variables(variables: Sequence[Variable], top: Path, root_dir: str) -> str:
    """All variables without a value, with type and description, and the lines that fill them."""
    home = home_at(top)
    return "\n".join(
        [
            f"No value for required variable{'s' if len(variables) > 1 else ''}:",
            *map(_one_variable, variables),
            "-> Put them into a var file of the environment, give TF_VAR_NAME to this run, or write into",
            f"   {home.file} (into the root's entry, where it has one), for every environment alike:",
            *(f"     {line}" for line in fill_lines(home, root_dir, variables)),
        ]
    )


def _one_variable(variable: Variable) -> str:
    kind = f" ({variable.kind})" if variable.kind else ""
    about = f": {variable.description}" if variable.description else ""
    return f"  {variable.name}{kind}{about}"


def _age(created: str, now: datetime) -> str:
    found = re.match(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? \+0000 UTC", created)
    if not found:
        return ""
    then = datetime.fromisoformat(f"{found[1]}T{found[2]}+00:00")
    return f" ({_span(max(0, int((now - then).total_seconds())))} ago)"


def _span(seconds: int) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"


def with_seed_named(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings of a plan in an emulated cloud; the first data source that found nothing says how to make what it
    looks up."""
    missed = next((one for one in findings if _looked_up_in_vain(one)), None)
    if missed is None:
        return tuple(findings)
    advice = (
        "-> The emulated cloud starts empty. `seed` of the environment runs what makes there what data sources look "
        "up: docs/emulator.md."
    )
    told = replace(missed, text=f"{missed.text}\n{advice}")
    return tuple(told if one is missed else one for one in findings)


def _looked_up_in_vain(finding: Finding) -> bool:
    data = bool(re.search(r"(?:^|\.)data\.", finding.address or ""))
    return data and finding.severity is Severity.ERROR and "-> " not in finding.text
