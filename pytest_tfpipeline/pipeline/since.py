"""What has changed since a commit, as git says it: committed, staged, in the work tree, and untracked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pytest_tfpipeline.discover.files import NEVER
from pytest_tfpipeline.errors import UsageError
from pytest_tfpipeline.process import Outcome, Request, Runner

FLAG = "--tf-changed"
#: Where the branch that others work from usually is; the first that is there counts.
DEFAULTS = ("origin/HEAD", "origin/main", "origin/master", "main", "master")

_TIMEOUT = 120.0
#: Set by git in hooks; they would make git look at another repository, or at another index.
_UNSET = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_LITERAL_PATHSPECS", "GIT_EXTERNAL_DIFF")
_NAME_IT = f"name the commit: {FLAG}=REF"


@dataclass(frozen=True, slots=True)
class Since:
    """`name` is how the commit is named to people, `commit` its full hash, `paths` what differs from it, sorted."""

    name: str
    commit: str
    paths: tuple[str, ...]


def read_since(runner: Runner, top: Path, ref: str | None) -> Since:
    """What differs between a commit and the work tree. Without `ref`, the commit is the one at which this branch left
    the default branch. Raises UsageError where git cannot say."""
    if not _git(runner, top, "rev-parse", "--git-dir").ok:
        raise UsageError(f"{FLAG} asks git what has changed, and this is no git repository", where=str(top))
    name, commit = _default(runner, top) if ref is None else (ref, _named(runner, top, ref))
    words = ("diff", "--name-only", "-z", "--no-renames", "--relative", "--ignore-submodules=none", "--no-ext-diff")
    differing = _must(runner, top, *words, "--no-textconv", commit, "--", ".")
    untracked = _must(runner, top, "ls-files", "-z", "--others", "--exclude-standard", "--", ".")
    names = {*_split(differing), *_split(untracked), *_overlooked(runner, top)}
    return Since(name, commit, tuple(sorted(name for name in names if NEVER.isdisjoint(name.split("/")[:-1]))))


def _named(runner: Runner, top: Path, ref: str) -> str:
    if not ref.strip():
        raise UsageError(f"{FLAG}=REF: the name is missing (is a variable not set?)", mend=f"{_NAME_IT}, or {FLAG}")
    if ref.startswith("-"):
        raise UsageError(f"{FLAG}={ref}: git has no name that begins with a hyphen", mend=_NAME_IT)
    commit = _commit(runner, top, ref)
    if commit is None:
        raise UsageError(
            f"{FLAG}={ref}: git knows no such commit here{_shallow(runner, top)}",
            mend="`git fetch` it, or name another one; a path to collect does not belong behind this option",
        )
    return commit


def _default(runner: Runner, top: Path) -> tuple[str, str]:
    """Where this branch left the default branch, as `REF (merge base)`."""
    branch = next((name for name in DEFAULTS if _commit(runner, top, name)), None)
    if branch is None:
        raise UsageError(
            f"{FLAG}: none of {', '.join(DEFAULTS)} is here, so nobody knows what to compare with",
            mend=f"{_NAME_IT}, or `git fetch` the default branch and run `git remote set-head origin --auto`",
        )
    if _commit(runner, top, "HEAD") is None:
        raise UsageError(f"{FLAG}: nothing is committed here yet", mend="commit first, or run without it")
    base = _git(runner, top, "merge-base", "HEAD", branch)
    if not base.ok:
        raise UsageError(
            f"{FLAG}: git finds no commit that HEAD and {branch} have in common{_shallow(runner, top)}",
            mend=f"`git fetch --unshallow` (`fetch-depth: 0` in a checkout step), or {_NAME_IT}",
        )
    return f"{branch} (merge base)", base.stdout.strip()


def _commit(runner: Runner, top: Path, name: str) -> str | None:
    """The commit that a name means; options cannot be named."""
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    asked = _git(runner, top, *words)
    return asked.stdout.strip() if asked.ok and asked.stdout.strip() else None


def _shallow(runner: Runner, top: Path) -> str:
    asked = _git(runner, top, "rev-parse", "--is-shallow-repository")
    return ": this is a shallow clone" if asked.stdout.strip() == "true" else ""


def _overlooked(runner: Runner, top: Path) -> list[str]:
    """Files of which git was told to see no change (`--assume-unchanged`, `--skip-worktree`): nobody knows."""
    entries = _split(_must(runner, top, "ls-files", "-v", "-z", "--", "."))
    hidden = (entry[2:] for entry in entries if entry[:1] == "S" or entry[:1].islower())
    return [name for name in hidden if (top / name).exists()]


def write_earlier(runner: Runner, top: Path, since: Since, target: Path) -> Path:
    """Write those of the paths that the commit has below `target`, by an index beside it; gives what `top` is there.
    Raises UsageError where git cannot."""
    index = {"GIT_INDEX_FILE": str(target.with_name(f"{target.name}.index")), "GIT_LFS_SKIP_SMUDGE": "1"}
    _must(runner, top, "read-tree", since.commit, env=index)
    names = frozenset(_split(_must(runner, top, "ls-files", "-z", "--", ".", env=index)))
    wanted = [path for path in since.paths if path in names]
    if wanted:
        words = ("checkout-index", "--quiet", "--force", "-z", "--stdin", f"--prefix={target}/")
        _must(runner, top, *words, env=index, stdin="\0".join(wanted).encode())
    return target / _must(runner, top, "rev-parse", "--show-prefix").strip("\n")


def _must(runner: Runner, top: Path, *words: str, env: dict[str, str] | None = None, stdin: bytes | None = None) -> str:
    asked = _git(runner, top, *words, env=env, stdin=stdin)
    if not asked.ok:
        said = asked.error or next(iter(asked.stderr.strip().splitlines()), f"git ended with {asked.code}")
        raise UsageError(f"{FLAG}: git cannot say what has changed: {said}", where=f"git {words[0]}", mend=_NAME_IT)
    return asked.stdout


def _git(
    runner: Runner, top: Path, *words: str, env: dict[str, str] | None = None, stdin: bytes | None = None
) -> Outcome:
    argv = ("git", "-c", "core.fsmonitor=false", *words)
    unset = tuple(name for name in _UNSET if name not in (env or {}))
    return runner.run(Request(argv, top, timeout=_TIMEOUT, unset=unset, env=env or {}, stdin=stdin))


def _split(text: str) -> list[str]:
    return [name for name in text.split("\0") if name]
