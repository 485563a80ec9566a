"""The environment variables of a suite's process: whatever could be a credential is taken away. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

#: Never handed on: credentials of clouds, forges and registries, and what would steer pytest, Python or terraform.
WITHHELD = (
    *("AWS_*", "ARM_*", "AZURE_*", "GOOGLE_*", "GCLOUD_*", "GCP_*", "CLOUDSDK_*", "ALICLOUD_*", "OCI_*", "TF_*"),
    *("TFPIPELINE_*", "VAULT_*", "KUBE*", "CONSUL_*", "NOMAD_*", "ACTIONS_*", "GITHUB_*", "GITLAB_*", "GH_*", "CI_*"),
    *("*TOKEN*", "*SECRET*", "*PASSWORD*", "*PASSWD*", "*CREDENTIAL*", "*APIKEY*", "*API_KEY*", "*ACCESS_KEY*"),
    *("*PRIVATE_KEY*", "*_PAT", "*DATABASE_URL*", "*CONNECTION_STRING*", "*_DSN", "SSH_*", "DOCKER_AUTH*", "NETRC"),
    *("PYTEST_*", "PYTHON*", "VIRTUAL_ENV*", "COV_*", "COVERAGE_*", "UV_*", "PIP_*"),
)

#: Handed on although they match: they say how something is done, and hold no secret.
_HARMLESS = ("PYTHONHASHSEED", "PYTHONUTF8", "PYTHONWARNINGS", "GITHUB_ACTIONS")

#: What uv needs beyond that to reach the user's package index.
_FOR_BUILDING = ("UV_*", "PIP_*", "NETRC")

#: A client that asks for credentials finds these, and never a file of the user's.
DUMMY_CLOUD = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SECURITY_TOKEN": "testing",
    "AWS_SESSION_TOKEN": "testing",
    # Not AWS_REGION: code asks for that one itself, with a default of its own that its tests rely on.
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "GOOGLE_APPLICATION_CREDENTIALS": "/dev/null",
}


def without_credentials(environ: Mapping[str, str], declared: Iterable[str] = ()) -> dict[str, str]:
    """`environ` without what could be a credential; `declared` are further names that the configuration gives to
    plan or apply."""
    names = frozenset(declared)
    return {name: value for name, value in environ.items() if name not in names and not _withheld(name)}


def build_environ(environ: Mapping[str, str], declared: Iterable[str] = ()) -> dict[str, str]:
    """For uv: the same, with the user's settings for package indexes; building a package runs its code."""
    settings = {name: value for name, value in environ.items() if _any(name, _FOR_BUILDING)}
    return {**without_credentials(environ, declared), **settings}


def suite_environ(
    environ: Mapping[str, str],
    declared: Iterable[str],
    suite: Path,
    programs: Path,
    places: Iterable[Path] = (),
    own: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """For the suite itself: spec, "Python suites". `places` come after its own directories in PYTHONPATH; `own` is what
    the configuration sets for it, and may be anything but a credential of plan or apply."""
    names = frozenset(declared)
    kept = without_credentials(environ, names)
    path = (suite, suite / "src", suite / "tests", *places)
    return {
        **kept,
        **DUMMY_CLOUD,
        **{name: value for name, value in (own or {}).items() if name not in names},
        "PATH": f"{programs}:{kept.get('PATH', '/usr/bin:/bin')}",
        "VIRTUAL_ENV": str(programs.parent),
        "PYTHONPATH": ":".join(str(place) for place in path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _withheld(name: str) -> bool:
    return _any(name.upper(), WITHHELD) and name not in _HARMLESS


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
