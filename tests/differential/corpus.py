"""All of it."""

from __future__ import annotations

from corpus_aws import AWS
from corpus_right import RIGHT
from corpus_state import STATE
from corpus_tofu import TOFU
from corpus_wrong import WRONG

__all__ = ["AWS", "SMALL"]

SMALL = (*RIGHT, *WRONG, *STATE, *TOFU)
