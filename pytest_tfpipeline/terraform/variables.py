"""The var files of a target, for the commands that read them."""

from __future__ import annotations

import json

from packaging.version import Version

from pytest_tfpipeline.model import Target
from pytest_tfpipeline.terraform.call import Directory
from pytest_tfpipeline.workspace import write_private

#: The first OpenTofu in which variables may stand in backends, module sources and encryption, and so count everywhere.
_EARLY_SINCE = Version("1.8")


def var_files(directory: Directory, target: Target) -> list[str]:
    """Paths in the private copy, weakest first; the strongest variables are written down for it."""
    named = [str(directory.copy / name) for name in target.var_files]
    if not target.vars:
        return named
    path = directory.ctx.workspace.vars_path(target)
    return [*named, str(write_private(path, json.dumps(target.vars)))]


def early_var_files(directory: Directory) -> list[str]:
    """The same for commands other than plan: OpenTofu needs variables to find a state and to decrypt it; terraform
    does not know the option there. A file that is not there is for the plan to say."""
    tool, target = directory.terraform, directory.where
    if tool.name != "tofu" or not isinstance(target, Target) or Version(tool.version) < _EARLY_SINCE:
        return []
    return [path for path in var_files(directory, target) if (directory.copy / path).is_file()]
