"""`python -m pytest_tfpipeline` (also `tfpipeline`): what needs no pytest."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_tfpipeline import __version__
from pytest_tfpipeline.errors import PipelineError, UsageError
from pytest_tfpipeline.redact import clean

_OK, _FAILED, _USAGE = 0, 1, 4


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; gives the exit code: 0 done, 1 it could not be done, 4 usage."""
    arguments = _parser().parse_args(argv)
    try:
        _reset(Path(arguments.output), arguments.environment)
    except UsageError as error:
        return _complain(error, _USAGE)
    except PipelineError as error:
        return _complain(error, _FAILED)
    return _OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tfpipeline", description="What pytest-tfpipeline does without pytest.")
    parser.add_argument("--version", action="version", version=f"pytest-tfpipeline {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    emulator = commands.add_parser("emulator", help="the emulated cloud's kept state")
    actions = emulator.add_subparsers(title="actions", required=True, metavar="ACTION")
    reset = actions.add_parser("reset", help="forget what the emulated cloud holds")
    reset.add_argument("environment", nargs="?", metavar="ENV", help="only this environment's cloud")
    reset.add_argument("--output", default=".tfpipeline", metavar="DIR", help="default: .tfpipeline")
    return parser


def _reset(output: Path, environment: str | None) -> None:
    from pytest_tfpipeline.emulator import reset

    removed = reset(output, environment)
    names = ", ".join(removed)
    sys.stdout.write(f"forgot the emulated cloud of {names}\n" if removed else "nothing is kept\n")


def _complain(error: PipelineError, code: int) -> int:
    sys.stderr.write(f"tfpipeline: {clean(str(error))}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
