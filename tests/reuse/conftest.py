"""What the tests of reuse share; see `world.py`."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A repository of its own."""
    return World(tmp_path)
