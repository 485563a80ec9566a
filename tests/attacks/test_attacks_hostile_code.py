"""Code of the repository: hostile code comes to what the table says."""

from __future__ import annotations

from collections.abc import Callable

import hostile_code
import pytest
from raid import Raid


@pytest.mark.parametrize("raid", hostile_code.RAIDS, ids=lambda raid: raid.id)
def test_hostile_code_comes_to_what_the_table_says(raid: Raid, comes_to_what_is_said: Callable[[Raid], None]) -> None:
    comes_to_what_is_said(raid)
