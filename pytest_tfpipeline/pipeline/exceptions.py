"""What may be excepted from the rules in a run: waived findings, allowed deletions; and who may sign."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.config.match import known_environments
from pytest_tfpipeline.config.reviewed import Allowance, expired, read_allowances, read_waivers
from pytest_tfpipeline.config.suggest import did_you_mean
from pytest_tfpipeline.errors import ConfigurationError
from pytest_tfpipeline.gate.approval import SIGNED
from pytest_tfpipeline.gate.reasons import Reason
from pytest_tfpipeline.gate.waivers import to_notes, to_waivers, used, wholly_judged
from pytest_tfpipeline.model import CheckKind, Record, Repository, Run, Waiver
from pytest_tfpipeline.pipeline.targets import belongs
from pytest_tfpipeline.policies.waivers import Place, in_scope
from pytest_tfpipeline.proof.allowed import people_of


@dataclass(frozen=True, slots=True)
class Exceptions:
    """The waivers and allowed deletions of the files that the configuration names; `signers` is a path."""

    waivers: tuple[Waiver, ...] = ()
    allowances: tuple[Allowance, ...] = ()
    signers: str | None = None


def read_exceptions(top: Path, repository: Repository, config: Config) -> Exceptions:
    """Read the files; raises ConfigurationError (exit code 4) for all that is wrong with one."""
    known = known_environments(config, repository.environments)
    waivers = read_waivers(top / config.waivers, config.waivers) if config.waivers else ()
    allowances = read_allowances(top / config.allow_destroy, config.allow_destroy) if config.allow_destroy else ()
    for waiver in waivers:
        _refuse_unknown(waiver.environment, waiver.place, known)
    for index, allowance in enumerate(allowances):
        if config.lender(allowance.environment) is None:
            _refuse_unknown(allowance.environment, f"{config.allow_destroy}: allow[{index}]", known)
    return Exceptions(waivers, allowances, _signers(top, config))


def require_signers(config: Config, own: Config, environments: Sequence[str], operator: Path | None) -> None:
    """Raise ConfigurationError (exit code 4) where one of these, which are to be applied, wants signatures, and no file
    says whose count. `own` is the repository's word, and `config` what counts."""
    for name in environments if config.signers is None else ():
        if config.environment_config(name).approval == SIGNED:
            by_repository = own.environment_config(name).approval == SIGNED
            file = f"{own.source}: {own.prefix}" if by_repository else f"{operator}: "
            raise ConfigurationError(
                f"{name} wants signatures, and nothing says whose count",
                where=f"{file}environment.{config.lender(name) or name}.approval",
                mend="name an allowed_signers file with the key `signers`, here or in the operator file",
            )


def policed(repository: Repository, config: Config) -> tuple[Place, ...]:
    """Every `policy` check that there could be: of each root, module and, by environment, plan."""
    known = known_environments(config, repository.environments)
    roots, modules = [one.dir for one in repository.roots], [one.dir for one in repository.modules]
    plans = ((root.dir, name) for root in repository.roots for name in known if belongs(root, config, name))
    return (*((directory, None) for directory in (*roots, *modules)), *plans)


def judge_waivers(run: Run, records: Iterable[Record], environment: str | None = None) -> tuple[Reason, ...]:
    """What stands against the run because of its waivers, or against that environment; nothing where no `policy` check
    was performed that they are about, as in `pytest -k lint`."""
    records = [record for record in records if record.kind is CheckKind.POLICY]
    performed = [(record.dir or "", record.environment) for record in records]
    meant = [one for one in run.waivers if environment is None or one.environment in (None, environment)]
    about = [one for one in meant if any(in_scope(one, place) for place in performed) or not _possible(run, one)]
    if not performed or not about:
        return ()
    judged = wholly_judged(about, run.policed, records)
    return tuple(to_waivers(about, used(about, records), judged, date.fromisoformat(run.today)))


def exception_notes(exceptions: Exceptions, environments: Sequence[str], today: date) -> Iterator[str]:
    """What is to be said once: waivers that will expire, deletions that are not allowed any more."""
    yield from to_notes(exceptions.waivers, today)
    for name in environments:
        yield from expired(exceptions.allowances, name, today)


def _possible(run: Run, waiver: Waiver) -> bool:
    """Whether there is any check that it could be about."""
    return any(in_scope(waiver, place) for place in run.policed)


def _refuse_unknown(name: str | None, where: str, known: Sequence[str]) -> None:
    if name is not None and name not in known:
        what = f"unknown environment `{name}`{did_you_mean(name, known)}"
        raise ConfigurationError(what, where=where, mend=f"known environments: {', '.join(known) or 'none'}")


def _signers(top: Path, config: Config) -> str | None:
    if config.signers is None:
        return None
    path = top / config.signers
    if not path.is_file():
        what, mend = f"`{config.signers}` is not there", "name an allowed_signers file"
        raise ConfigurationError(what, where=config.where("signers"), mend=mend)
    _refuse_too_few(path, config)
    return str(path)


def _refuse_too_few(signers: Path, config: Config) -> None:
    """An approval that can never come is found out before anything is planned."""
    try:
        there = people_of(signers.read_bytes())
    except OSError as error:
        raise ConfigurationError(
            f"cannot be read: {error.strerror}", where=config.signers, mend="let this user read it"
        ) from error
    for name, environment in config.environment.items():
        if environment.approval == SIGNED and len(there) < environment.signatures:
            raise ConfigurationError(
                f"{name} wants {environment.signatures} signatures by different people, and this names "
                f"{', '.join(sorted(there)) or 'nobody'}",
                where=config.signers,
                mend='write a line for each: NAME namespaces="..." KEYTYPE KEY (see ssh-keygen, ALLOWED SIGNERS)',
            )
