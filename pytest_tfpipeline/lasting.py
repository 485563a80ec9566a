"""Imports that stay for the life of the process."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lasting_imports() -> Iterator[None]:
    """What is imported in this block, the garbage collector does not look through: not meanwhile, and not later.

    It would do so many times over, and at the end of the process twice more, and find nothing to free.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collects:
            gc.enable()
