"""Whether terraform says the same with short cuts as without, of configurations that are made up on the way."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.aliases import CALLS, MODULE, call
from benchmarks.generated import Configuration, Generator
from pytest_tfpipeline.context import Context, open_context
from pytest_tfpipeline.gate.digest import plan_digest
from pytest_tfpipeline.model import Repository, Run
from pytest_tfpipeline.process import Outcome, Request, Runner
from pytest_tfpipeline.terraform import command
from pytest_tfpipeline.terraform.bound import Bound
from pytest_tfpipeline.terraform.call import Directory, succeeded
from pytest_tfpipeline.terraform.diagnostics import diagnostics_of
from pytest_tfpipeline.terraform.plan import parse_plan
from pytest_tfpipeline.tools import find_tool
from pytest_tfpipeline.tools.providers import cli_config
from pytest_tfpipeline.warm.reattach import VARIABLE, reattached
from pytest_tfpipeline.warm.service import Warm, warm_providers

_KEY = bytes(range(32))
_ROOT = "root"
#: Of so many configurations one is planned, too.
_EVERY = 2
#: How often what is refused is taken out.
_PRUNED = 5
_AWS = """\
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
      ALIASES
    }
  }
}

variable "any" {
  default = null
}

resource "terraform_data" "it" {
  input = "a"
}
"""
#: Everything that a run says it cannot reach: what is in the cloud is none of the schema's business.
_ENVIRONMENT = {"AWS_EC2_METADATA_DISABLED": "true", "HTTPS_PROXY": "http://127.0.0.1:9", "CHECKPOINT_DISABLE": "1"}

Answer = dict[str, Any]


class Watched(Runner):
    """A runner that keeps what it ran: the command, whether its providers were filtered, the outcome."""

    def __init__(self) -> None:
        super().__init__()
        self.ran: list[tuple[str, bool, Outcome]] = []

    def run(self, request: Request, on_line: Callable[[str], None] | None = None) -> Outcome:
        """As any runner."""
        outcome = super().run(request, on_line)
        self.ran.append((request.argv[1], VARIABLE in request.env, outcome))
        return outcome


@dataclass(slots=True)
class Tally:
    """What came of a call. `aliased` are configurations with aliases of the provider, so many `aliases` together, and
    `planned_aliased` those of them that were planned. `again` are configurations that passed plainly, and not with a
    part of the schema; `differences` say of which number, in what, and what each side said."""

    seed: str
    seconds: float = 0.0
    configurations: int = 0
    resources: int = 0
    valid: int = 0
    invalid: int = 0
    planned: int = 0
    aliased: int = 0
    aliases: int = 0
    planned_aliased: int = 0
    mistakes: dict[str, int] = field(default_factory=dict)
    again: list[Answer] = field(default_factory=list)
    unsteady: int = 0
    differences: list[Answer] = field(default_factory=list)

    def text(self) -> str:
        """In one line."""
        return (
            f"{self.configurations} configurations with {self.resources} blocks of the provider in "
            f"{self.seconds:.0f} s: {self.valid} valid, {self.invalid} not, {self.planned} planned; "
            f"{self.aliased} with {self.aliases} aliases, of which {self.planned_aliased} planned; "
            f"{len(self.differences)} differ, {self.unsteady} are not said twice the same by plain terraform, "
            f"{len(self.again)} passed only plainly"
        )

    def dump(self, path: Path) -> None:
        """As JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


class Sides:
    """One root, initialised once and written anew for each configuration, and both ways to ask terraform about it."""

    def __init__(self, place: Path, service: Warm) -> None:
        self.place = place
        self.runner, self._address = Watched(), service.address
        self._config = str(cli_config({}, place, None).path)
        self._quick = self._context("quick", {"shortcuts": True, "providers_address": service.address})
        self._plain = self._context("plain", {"shortcuts": False})
        self.terraform = find_tool("terraform", version=None, runner=self.runner).path
        self._init()

    def write(self, configuration: Configuration) -> None:
        """In the place of the one before."""
        for path in (*self._root.glob("*.tf*"), *self._root.glob(f"{MODULE}/*.tf*")):
            path.unlink()
        given = ", ".join(f"aws.{name}" for name in configuration.aliases.given)
        for place, aliases in (("", ""), (MODULE, f"configuration_aliases = [{given}]" if given else "")):
            (self._root / place / "fixed.tf").write_text(_AWS.replace("ALIASES", aliases), encoding="utf-8")
        for name, text in configuration.files().items():
            (self._root / name).write_text(text, encoding="utf-8")

    def quick(self, *, planned: bool) -> Answer:
        """As the plugin does it."""
        return self._answer(self._quick, planned)

    def plain(self, *, planned: bool) -> Answer:
        """As `shortcuts = false` does it."""
        return self._answer(self._plain, planned)

    def refused(self, *, planned: bool) -> set[str]:
        """Addresses of what terraform does not like, asked with a part of the schema alone."""
        said = json.loads(self._only_quick(command.validate(self.terraform), shared=True).stdout)["diagnostics"]
        refused = _refused(said)
        if planned and not refused:
            argv = command.plan(self.terraform, self.place / "it.tfplan", lock=False)
            refused = _refused(diagnostics_of(self._only_quick(argv, shared=False).stdout))
        return refused

    def _only_quick(self, argv: tuple[str, ...], *, shared: bool) -> Outcome:
        request = self._directory(self._quick).request(argv)
        env = self.runner.environment_of(request)
        with reattached(self._address, self._root, env, shared=shared) as words:
            return Runner().run(replace(request, env={**request.env, **(words or {})}))

    def schema(self) -> Answer:
        """The provider's, whole, as `terraform providers schema -json` prints it."""
        request = self._directory(self._plain).request((self.terraform, "providers", "schema", "-json"))
        found: Answer = json.loads(self.runner.run(request).stdout)["provider_schemas"]
        return next(schema for address, schema in sorted(found.items()) if "builtin" not in address)

    def _answer(self, ctx: Context, planned: bool) -> Answer:
        answer: Answer = {"validate": self._validate(ctx)}
        return answer | {"plan": self._plan(ctx)} if planned and answer["validate"]["valid"] else answer

    def _validate(self, ctx: Context) -> Answer:
        said: Answer = json.loads(self._directory(ctx).run(command.validate(self.terraform), "validate").stdout)
        return {"valid": said["valid"], "diagnostics": _sorted(said["diagnostics"])}

    def _plan(self, ctx: Context) -> Answer:
        path = self.place / "it.tfplan"
        path.unlink(missing_ok=True)
        outcome = self._directory(ctx).run(command.plan(self.terraform, path, lock=False), "plan")
        answer = {"code": outcome.code, "diagnostics": _sorted(diagnostics_of(outcome.stdout))}
        if not succeeded("plan", outcome):
            return answer
        shown = self._directory(ctx).run(command.show(self.terraform, path), "show", plan=path)
        return answer | {"digest": plan_digest(parse_plan(json.loads(shown.stdout)), self._bound, _KEY)}

    def _init(self) -> None:
        self.write(Configuration({"main": [call(name, {}) for name in CALLS]}))
        outcome = self._directory(self._plain).run(command.init(self.terraform, backend=False), "init")
        if not outcome.ok:
            raise ValueError(f"terraform init failed:\n{outcome.stdout}{outcome.stderr}")

    def _context(self, name: str, settings: Mapping[str, object]) -> Context:
        path = self.place / name
        (self._root / MODULE).mkdir(parents=True, exist_ok=True)
        path.mkdir()
        repository = Repository(str(self.place))
        run = Run(name, "plan", repository, str(path), str(path), settings=dict(settings), cli_config_path=self._config)
        return open_context(run, runner=self.runner)

    def _directory(self, ctx: Context) -> _Made:
        return _Made(ctx, _ROOT, None, self.place)

    @property
    def _root(self) -> Path:
        return self.place / _ROOT

    @property
    def _bound(self) -> Bound:
        return Bound("r", "e", None, _ROOT, None, {}, "default", "", 0, "", {}, {}, str(self.place))


def _refused(diagnostics: Iterable[Mapping[str, Any]]) -> set[str]:
    return {str(each.get("address", "")) for each in diagnostics if each["severity"] == "error"}


class _Made(Directory):
    def request(self, argv: tuple[str, ...]) -> Request:
        """A command of terraform here, without a short cut."""
        request = self.ctx.request(argv, self.cwd, None, timeout=120)
        return replace(request, env={**request.env, **_ENVIRONMENT})

    def run(self, *args: Any, **options: Any) -> Outcome:
        """With what keeps the provider from looking for a cloud."""
        return super().run(*args, **{**options, "env": _ENVIRONMENT})


def _sorted(diagnostics: Any) -> list[Answer]:
    """terraform walks a graph, in an order of its own each time."""
    return sorted(diagnostics, key=lambda each: json.dumps(each, sort_keys=True))


@contextmanager
def sides() -> Iterator[Sides]:
    """Both, in a directory that is removed."""
    with tempfile.TemporaryDirectory(prefix="tfpipeline-differ-") as scratch:
        service = warm_providers(Runner(), Path(scratch))
        service.begin()
        try:
            yield Sides(Path(scratch), service)
        finally:
            service.stop()


def compare(seed: str, seconds: float, output: Path, only: int | None = None) -> Tally:
    """Make up configurations until the time is over, or the one of that number, and ask both sides about each.

    What was found is in `output` after each of them. The same seed makes the same configurations.
    """
    tally, number = Tally(seed), only or 0
    with sides() as both:
        schema = both.schema()
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            _ask(both, Generator(schema, Random(f"{seed}/{number}"), number % _EVERY == 0), number, tally)  # noqa: S311
            tally.seconds = time.monotonic() - started
            tally.dump(output)
            sys.stderr.write(f"{number}: {tally.valid} valid, {tally.invalid} not, {len(tally.differences)} differ\n")
            number += 1
            if only is not None:
                break
    return tally


def _ask(both: Sides, generator: Generator, number: int, tally: Tally) -> None:
    planned = generator.planned
    made = _made_up(both, generator)
    both.write(made)
    both.runner.ran.clear()
    quick = both.quick(planned=planned)
    ran = list(both.runner.ran)
    plain = both.plain(planned=planned)
    _count(tally, made, plain)
    for name, filtered, outcome in _passed_again(ran):
        tally.again.append({"number": number, "command": name, "filtered": filtered, "said": outcome.stdout[-2000:]})
    if quick != plain:
        if both.plain(planned=planned) != plain:
            tally.unsteady += 1
        else:
            tally.differences.append({"number": number, "quick": quick, "plain": plain, "files": made.files()})


def _passed_again(ran: list[tuple[str, bool, Outcome]]) -> Iterator[tuple[str, bool, Outcome]]:
    """The filtered commands that did not pass, where the plain one after it did."""
    for one, then in pairwise(ran):
        if one[1] and not then[1] and one[0] == then[0] and succeeded(then[0], then[2]):
            yield one


def _count(tally: Tally, made: Configuration, plain: Answer) -> None:
    tally.configurations += 1
    tally.resources += made.resources()
    planned, aliases = "digest" in plain.get("plan", {}), made.configured()
    tally.planned += planned
    tally.aliased += bool(aliases)
    tally.aliases += aliases
    tally.planned_aliased += planned and bool(aliases)
    name = made.mistake or "none"
    tally.mistakes[name] = tally.mistakes.get(name, 0) + 1
    if plain["validate"]["valid"]:
        tally.valid += 1
    else:
        tally.invalid += 1


def _made_up(both: Sides, generator: Generator) -> Configuration:
    """What is planned, without what is refused. Of the others one in six as it was drawn; of those without what is
    refused a third with a mistake."""
    made = generator.configuration()
    kind = 0.5 if generator.planned else generator.random.random()
    if kind < 1 / 6:
        return made
    for _ in range(_PRUNED):
        both.write(made)
        refused = both.refused(planned=made.planned)
        if not refused:
            break
        made = made.pruned(refused)
    return generator.wrong(made) if kind > 2 / 3 else made
