"""Find or install the programs that a run uses, and say where terraform gets its providers from."""

from pytest_tfpipeline.tools.find import find_tool

__all__ = ["find_tool"]
