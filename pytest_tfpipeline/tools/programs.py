"""The programs that a run may use, as data."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_tfpipeline.discover.constraints import version_key
from pytest_tfpipeline.tools.pinned import locked_version


@dataclass(frozen=True, slots=True)
class Program:
    """`default` is the version that is installed where none is asked for and none is there; `minimum` the oldest that
    works; with `strict`, only `default` is taken where none is asked for. `mend` is the command that installs
    `{version}` by hand."""

    name: str
    default: str
    mend: str
    minimum: str | None = None
    strict: bool = False

    @property
    def variable(self) -> str:
        """The environment variable that names its path."""
        return f"TFPIPELINE_{self.name.upper()}"

    def too_old(self, version: str) -> bool:
        """Whether it is older than the oldest that works."""
        return self.minimum is not None and version_key(version) < version_key(self.minimum)

    def mending(self, version: str | None) -> str:
        """What to do, with the command."""
        command = self.mend.format(version=version or self.default)
        return f"Install it: {command}  (or name a program of your own: {self.variable}=/path/to/{self.name})"


def program(name: str) -> Program:
    """The program of that name; KeyError for one that the pipeline does not use."""
    return _PROGRAMS[name]


_PROGRAMS = {
    each.name: each
    for each in (
        Program("terraform", "1.11.4", "tfenv install {version} && tfenv use {version}", minimum="1.2.0"),
        Program("tofu", "1.12.6", "tenv tofu install {version} && tenv tofu use {version}", minimum="1.6.0"),
        Program("tflint", "0.62.0", "go install github.com/terraform-linters/tflint@v{version}", minimum="0.40.0"),
        Program("checkov", locked_version("checkov"), "uv tool install checkov=={version}", strict=True),
        Program("ruff", locked_version("ruff"), "uv tool install ruff=={version}"),
        Program("uv", "0.8.0", "pip install 'uv>={version}'"),
    )
}
