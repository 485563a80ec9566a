"""The policy pack that ships, and what a user's own policy tests look at."""

from __future__ import annotations

from pytest_tfpipeline.policies.pack import RULES, Rule, protected_destroys, review
from pytest_tfpipeline.terraform.unknown import UNKNOWN

__all__ = ["RULES", "UNKNOWN", "Rule", "protected_destroys", "review"]
