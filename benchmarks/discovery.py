"""`python -m benchmarks.discovery DIRECTORY`: prints the seconds that reading a repository takes in a process of its
own, imports and pytest's own start apart."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from pytest_tfpipeline.pipeline.build import Wish, describe
from pytest_tfpipeline.process import Runner


def main() -> None:
    """Read the repository and print the time."""
    top = Path(sys.argv[1]).absolute()
    started = time.perf_counter()
    describe(top, Wish(), Runner())
    print(time.perf_counter() - started)  # noqa: T201


if __name__ == "__main__":
    main()
