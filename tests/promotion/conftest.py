from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from promoted import Promotion, Terminal


@pytest.fixture
def promotion(tmp_path: Path) -> Promotion:
    """Staging and production, the second with `approval = "manual"`."""
    made = Promotion(tmp_path)
    made.commit()
    return made


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    """Start pytest on a terminal; what still runs at the end of the test is ended."""
    opened: list[Terminal] = []

    def start(promotion: Promotion, *args: str) -> Terminal:
        opened.append(Terminal(promotion, *args))
        return opened[-1]

    yield start
    for one in opened:
        one.close()
