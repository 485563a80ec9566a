"""`python -m pytest_tfpipeline` (also `tfpipeline`): what needs no pytest."""

from __future__ import annotations

import argparse
import math
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TextIO

from pytest_tfpipeline import __version__
from pytest_tfpipeline.errors import PipelineError, ProofError, UsageError
from pytest_tfpipeline.given import EMPTY, given_path
from pytest_tfpipeline.lasting import lasting_imports
from pytest_tfpipeline.redact import clean

_OK, _FAILED, _INTERRUPTED, _USAGE = 0, 1, 2, 4


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; gives the exit code: 0 done, 1 it could not be done, 2 interrupted, 4 usage."""
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        return command(arguments)
    except (UsageError, ProofError) as error:  # a file that was given and is not what it should be is wrong usage too
        return _complain(error, _USAGE)
    except PipelineError as error:
        return _complain(error, _FAILED)
    except KeyboardInterrupt:
        return _INTERRUPTED


class _Parser(argparse.ArgumentParser):
    """Ends with the exit code for usage that everything here has."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(_USAGE, f"{self.prog}: {clean(message)}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="tfpipeline", description="What pytest-tfpipeline does without pytest.")
    parser.add_argument("--version", action="version", version=f"pytest-tfpipeline {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_emulator(commands.add_parser("emulator", help="the emulated cloud's kept state"))
    _add_apply(commands.add_parser("apply", help="apply an environment, in a job that runs no code of the repository"))
    _add_evidence(commands.add_parser("evidence", help="what a run proved"))
    _add_init(commands.add_parser("init", help="the configuration that says what this repository leaves to be found"))
    return parser


def _add_emulator(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    reset = actions.add_parser("reset", help="forget what the emulated cloud holds")
    reset.add_argument("environment", nargs="?", metavar="ENV", help="only this environment's cloud")
    reset.add_argument("--output", default=".tfpipeline", metavar="DIR", help="default: .tfpipeline")
    reset.set_defaults(command=_emulator_reset)


def _add_evidence(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    verify = actions.add_parser(
        "verify",
        help="say what a file of evidence proves",
        description="Exit codes: 0 it is signed and proves a complete apply, 1 it does not, 4 it cannot be read.",
    )
    verify.add_argument("file", type=Path, metavar="FILE", help="evidence.statement.json, or evidence.json")
    verify.add_argument("--signers", type=Path, metavar="FILE", help="whose signatures count: OpenSSH allowed_signers")
    verify.add_argument("--environment", metavar="ENV", help="only this environment (default: every one in it)")
    verify.set_defaults(command=_evidence_verify)


def _add_apply(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("environment", type=_given, metavar="ENV", help="what is applied")
    add("--evidence", type=_given, required=True, metavar="FILE", help="evidence.json of the check job (--tf-plan ENV)")
    for flag, metavar, text in _REPEATED:
        add(flag, action="append", default=[], type=_given, metavar=metavar, help=f"{text}; may be repeated")
    add("--tf-rollback", action="store_true", help="apply a commit that does not contain the one applied last")
    add("--tf-operator", type=_given, metavar="FILE", help="rules that a branch cannot change, outside the checkout")
    add("--tf-group", type=_given, metavar="NAME", help="this group's roots alone")
    add("--tf-config", type=_given, metavar="FILE", help="the TOML file with the configuration")
    add("--tf-output", type=_given, metavar="DIR", help="where evidence goes (default: .tfpipeline)")
    parser.set_defaults(command=_apply)


#: Options of `apply` that may be repeated: flag, what it takes, what that is.
_REPEATED = (
    ("--approve", "DIGEST", "approve exactly these plans"),
    ("--approval", "FILE", "a statement with signatures beside it"),
    ("--allow-destroy", "ROOT//ADDRESS", "let this protected resource be deleted or replaced"),
    ("--tf-prior", "EVIDENCE", "what an earlier environment or the review proved"),
)


def _given(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError(EMPTY)
    return text


def _apply(arguments: argparse.Namespace) -> int:
    with lasting_imports():
        from pytest_tfpipeline.pipeline.alone import Order, apply_alone, top_of
        from pytest_tfpipeline.pipeline.build import Wish
        from pytest_tfpipeline.pipeline.claims import Claims
        from pytest_tfpipeline.signals import Signals

    # The first asks terraform to stop and to unlock; none after it, also from a CI system, cuts that or evidence short.
    Signals((signal.SIGINT, signal.SIGTERM), same_wish=math.inf).take()
    wish = Wish(
        "apply",
        (arguments.environment,),
        _path(arguments.tf_config),
        _path(arguments.tf_output),
        tuple(arguments.allow_destroy),
        # Which links it leads through is asked where it is read.
        Path.cwd() / arguments.tf_operator if arguments.tf_operator else None,
        arguments.tf_group,
        alone=True,
    )
    claims = Claims(
        tuple(arguments.approve),
        tuple(given_path(each, Path.cwd()) for each in arguments.approval),
        tuple(given_path(each, Path.cwd()) for each in arguments.tf_prior),
        arguments.tf_rollback,
    )
    order = Order(wish, given_path(arguments.evidence, Path.cwd()), claims, _command(arguments))
    return apply_alone(top_of(Path.cwd()), order, lambda line: _write(sys.stdout, f"{line}\n"), os.environ)


def _add_init(parser: argparse.ArgumentParser) -> None:
    parser.description = "Print the smallest configuration that makes everything explicit, and what is to be answered."
    parser.add_argument("--write", action="store_true", help="add it to the configuration file, which keeps all it has")
    parser.add_argument("--tf-config", type=_given, metavar="FILE", help="as for pytest")
    parser.set_defaults(command=_init)


def _init(arguments: argparse.Namespace) -> int:
    from pytest_tfpipeline.pipeline.initial import initial, top_above, write_initial

    found = initial(top_above(Path.cwd()), _path(arguments.tf_config), os.environ)
    if arguments.write:
        write_initial(found)
        _write(sys.stderr, clean(f"{found.written()}\n"))
    else:
        _write(sys.stdout, clean(found.text()))
    return _OK


def _path(text: str | None) -> Path | None:
    return None if text is None else given_path(text, Path.cwd())


def _command(arguments: argparse.Namespace) -> tuple[str, ...]:
    """The command again, without the approvals in it."""
    words = ["python", "-I", "-m", "pytest_tfpipeline", "apply", arguments.environment]
    for name, value in vars(arguments).items():
        flag = f"--{name.replace('_', '-')}"
        if name in ("environment", "command", "approve", "approval") or value in (None, False, []):
            continue
        for each in value if isinstance(value, list) else [value]:
            words += [flag] if each is True else [flag, str(each)]
    return tuple(words)


def _emulator_reset(arguments: argparse.Namespace) -> int:
    from pytest_tfpipeline.emulator import reset

    removed = reset(Path(arguments.output), arguments.environment)
    names = ", ".join(removed)
    _write(sys.stdout, f"forgot the emulated cloud of {names}\n" if removed else "nothing is kept\n")
    return _OK


def _evidence_verify(arguments: argparse.Namespace) -> int:
    from pytest_tfpipeline.process import Runner
    from pytest_tfpipeline.proof.verify import verify_evidence
    from pytest_tfpipeline.reports.proof import not_proved, proof_text

    proof = verify_evidence(Runner(), arguments.file, arguments.signers)
    _write(sys.stdout, proof_text(proof, arguments.environment))
    return _FAILED if not_proved(proof, arguments.environment) else _OK


def _complain(error: PipelineError, code: int) -> int:
    _write(sys.stderr, f"tfpipeline: {clean(str(error))}\n")
    return code


def _write(stream: TextIO, text: str) -> None:
    """Whatever the stream's encoding cannot say becomes an escape."""
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))


if __name__ == "__main__":
    sys.exit(main())
