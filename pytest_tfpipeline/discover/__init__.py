"""What is in a repository: roots, modules, Python suites, environments, and who comes after whom."""

from __future__ import annotations

from pytest_tfpipeline.discover.files import repository_files
from pytest_tfpipeline.discover.repository import discover

__all__ = ["discover", "repository_files"]
