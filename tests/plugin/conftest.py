"""Scratch repositories for end-to-end tests; see `tests/support/scratch.py`."""

from __future__ import annotations

from pathlib import Path

import pytest
from scratch import Scratch

POLICY = """
def test_small(tf_plan):
    assert len(tf_plan.resources()) < 5


def test_plain():
    assert True
"""


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    """One good root `a` with a policy test and an ordinary one; not committed yet, and without checkov."""
    made = Scratch(tmp_path)
    made.without_checkov()
    made.root("a")
    made.write("tests/test_rules.py", POLICY)
    return made
