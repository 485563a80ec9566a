"""What a user's policy test sees: `PlanView` is the fixture `tf_plan`, `ConfigurationView` is `tf_configuration`,
`OutputsView` is `tf_outputs`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_tfpipeline.discover.engines import configuration
from pytest_tfpipeline.errors import DiscoveryError, MissingOutput
from pytest_tfpipeline.model import Kind, Module, PlanResult, Repository, Root
from pytest_tfpipeline.redact import SENSITIVE
from pytest_tfpipeline.terraform.plan import Plan, read_plan

if TYPE_CHECKING:
    from pytest_tfpipeline.discover.hcl import Block


@dataclass(frozen=True, slots=True)
class ResourceView:
    """One managed resource instance of a plan.

    `before` and `after` are mappings of its arguments and attributes, None where there is nothing (before a create,
    after a delete). In `after`, a value that is known only after apply is `UNKNOWN`.
    """

    address: str
    type: str
    name: str
    actions: tuple[str, ...]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


class PlanView:
    """The plan of one root in one environment."""

    def __init__(self, root: str, environment: str, plan: Plan) -> None:
        self.root = root
        self.environment = environment
        self._plan = plan

    @classmethod
    def read(cls, result: PlanResult) -> PlanView:
        """The view of a plan that was made; raises PlanReadError."""
        return cls(result.root, result.environment, read_plan(result.json_path or ""))

    def __repr__(self) -> str:
        return f"<plan of {self.root} in {self.environment}: {len(self._plan.resources)} resources>"

    def resources(
        self,
        type: str | None = None,  # noqa: A002
        actions: str | Iterable[str] | None = None,
    ) -> tuple[ResourceView, ...]:
        """The managed resources, those that stay as they are (`no-op`) included.

        `type` may be a glob (`aws_s3_*`). `actions` keeps those with at least one of them; a replacement has both
        `delete` and `create`.
        """
        wanted = None if actions is None else {actions} if isinstance(actions, str) else set(actions)
        return tuple(
            ResourceView(each.address, each.type, each.name, each.actions, each.before, each.after)
            for each in self._plan.resources
            if each.mode == "managed"
            and (type is None or fnmatchcase(each.type, type))
            and (wanted is None or wanted.intersection(each.actions))
        )

    @property
    def outputs(self) -> dict[str, Any]:
        """The root's outputs as they will be, by name; `UNKNOWN` where apply will tell. Removed ones are not there."""
        return {name: each.after for name, each in self._plan.outputs.items() if "delete" not in each.actions}

    @property
    def variables(self) -> dict[str, Any]:
        """The root's input variables as this plan was made with them."""
        return dict(self._plan.variables)


class SensitiveText(str):
    """A text in a sensitive output: a string like any other, of which pytest's explanations show nothing.

    Whatever is made of it (a part, an upper case) is an ordinary string again.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return SENSITIVE


class OutputsView(Mapping[str, Any]):
    """The outputs of one root in one environment after its apply: a mapping of their values by name.

    `given` is `{name: {"value": ..., "sensitive": bool}}`, as `terraform output -json` prints it.
    """

    def __init__(self, root: str, environment: str, given: Mapping[str, Mapping[str, Any]]) -> None:
        self.root = root
        self.environment = environment
        self.sensitive = frozenset(name for name, item in given.items() if item.get("sensitive"))
        self._values = {
            name: _covered(item["value"]) if name in self.sensitive else item["value"] for name, item in given.items()
        }

    def __getitem__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            have = ", ".join(sorted(self._values)) or "none at all"
            raise MissingOutput(
                f"there is no output {name!r}; {self.root} has: {have}",
                where=f"{self.root}[{self.environment}]",
                mend="correct the name, or declare the output in the root and apply",
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<outputs of {self.root} in {self.environment}: {', '.join(self._values) or 'none'}>"


def _covered(value: Any) -> Any:
    if isinstance(value, str):
        return SensitiveText(value)
    if isinstance(value, dict):
        return {key: _covered(each) for key, each in value.items()}
    return [_covered(each) for each in value] if isinstance(value, list) else value


class ConfigurationView:
    """The configuration of one root or module, as written: no plan is needed for it.

    `kind` is what discovery took the directory for (`root`, `example`, `module`, `library`).
    """

    def __init__(self, root: str, kind: str, top: Path, *, tofu: bool = False) -> None:
        self.root = root
        self.kind = kind
        self._top = top
        self._tofu = tofu

    @classmethod
    def read(cls, repository: Repository, directory: str) -> ConfigurationView:
        """The view of a root or module of the repository; its files are parsed when they are asked for."""
        known: tuple[Root | Module, ...] = (*repository.roots, *repository.modules)
        kind = next((each.kind for each in known if each.dir == directory), Kind.LIBRARY)
        return cls(directory, kind.value, Path(repository.path), tofu=directory in repository.tofu)

    def __repr__(self) -> str:
        return f"<configuration of {self.kind} {self.root}>"

    def blocks(self, kind: str, type: str | None = None, name: str | None = None) -> tuple[Block, ...]:  # noqa: A002
        """The top-level blocks of a kind (`resource`, `variable`, ...), by file and line.

        `type` is a glob over the first label (`aws_s3_*`), `name` one over the last. Each block has `.kind`,
        `.labels`, `.body`, `.file` and `.line`; in its body, an expression that is not a literal is a string
        `${...}`. Raises DiscoveryError where a file cannot be parsed.
        """
        return tuple(
            block
            for block in self._blocks()
            if block.kind == kind
            and (type is None or fnmatchcase((*block.labels, "")[0], type))
            and (name is None or fnmatchcase(("", *block.labels)[-1], name))
        )

    def _blocks(self) -> Iterator[Block]:
        directory = self._top / self.root
        names = [each.name for each in directory.iterdir() if each.is_file()]
        for path in (directory / name for name in configuration(names, tofu=self._tofu)):
            stat = path.stat()
            yield from _parsed(path, path.relative_to(self._top).as_posix(), stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=256)
def _parsed(path: Path, file: str, *_: int) -> tuple[Block, ...]:
    """Parsed once for all policy tests of a process, as long as the file stays as it is."""
    from pytest_tfpipeline.discover.hcl import HclError, parse_blocks

    try:
        return parse_blocks(path, file)
    except HclError as error:
        where = f"{file}:{error.line}" if error.line else file
        raise DiscoveryError(f"cannot be parsed: {error}", where=where, mend="correct the syntax") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DiscoveryError(f"cannot be read: {error}", where=file, mend="save it as UTF-8 text") from error
