"""Every error this package raises, in one place.

A *finding* (`pytest_tfpipeline.model.Finding`) is a problem in the user's repository and is data; an exception from
this module means that the pipeline itself cannot go on. Each message says what is wrong, where, and what to do.
"""

from __future__ import annotations


class PipelineError(Exception):
    """Base of all errors: what happened, where, and how to mend it.

    `str()` of it is the whole text that a user sees; it is never shown with a traceback.
    """

    def __init__(self, what: str, *, where: str | None = None, mend: str | None = None) -> None:
        self.what = what
        self.where = where
        self.mend = mend
        super().__init__(what)

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}\n  -> {self.mend}" if self.mend else head


class UsageError(PipelineError):
    """The command line or the environment asks for something that cannot be done (exit code 4)."""


class ConfigurationError(UsageError):
    """The configuration is wrong (exit code 4); `where` is `file: key`."""


class DiscoveryError(PipelineError):
    """The repository cannot be described: not readable, or its dependencies form a cycle."""


class ToolError(PipelineError):
    """terraform, tofu, tflint, checkov, ruff or uv is missing, of the wrong version, or not the real program."""


class ProviderError(PipelineError):
    """A provider package cannot be used: not there, or not the one that the lock file names."""


class WorkspaceError(PipelineError):
    """The output directory or a private copy of the tree cannot be made, read or trusted."""


class PlanReadError(PipelineError):
    """A saved plan or its JSON form cannot be read, or is of a format this package does not know."""


class EmulatorError(PipelineError):
    """The emulated cloud did not start, or its kept state cannot be used."""


class UnknownValue(PipelineError):
    """A policy test used a value that is known only after apply (`UNKNOWN`) as if it were known."""


class ProofError(PipelineError):
    """Evidence, an approval, a signature or a list of signers cannot be read or is not what it claims to be."""


class MissingOutput(PipelineError, KeyError):
    """A test asked `tf_outputs` for an output that the root does not have."""
