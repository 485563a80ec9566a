"""What the tests of bad input share."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Two healthy roots and a plain test."""
    return Bench(tmp_path / "work")
