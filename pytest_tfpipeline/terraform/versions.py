"""Whether the terraform of this run is one that a root asks for."""

from __future__ import annotations

from pytest_tfpipeline.model import Finding, Severity, Tool
from pytest_tfpipeline.terraform.call import Directory
from pytest_tfpipeline.tools.programs import program
from pytest_tfpipeline.tools.wanted import Asked, asked_for


def refuse_version(directory: Directory) -> tuple[Finding, ...]:
    """A finding for each file that asks for another terraform; nothing is run with one that the root does not want.

    A version in the configuration stands above version files, and not above `required_version`.
    """
    root, ctx = directory.root, directory.ctx
    if root is None:
        return ()
    tool = directory.terraform
    asked = asked_for(directory.copy, root, tool.name, version_files=tool.name not in ctx.run.tool_versions)
    return tuple(_finding(one, tool) for one in asked if not one.allows(tool.version))


def _finding(asked: Asked, tool: Tool) -> Finding:
    text = f"{tool.name} {asked.constraint} is asked for, and this run uses {tool.version} ({tool.path})."
    oldest = program(tool.name).minimum
    if oldest and asked.only_before(oldest):
        mend = f"Move it to {oldest} or newer: what is older cannot be run here."
    elif asked.exact:
        mend = program(tool.name).mending(asked.exact) + _settle(asked, tool)
    else:
        mend = f'Name a version that it allows: {tool.name} = "..." under [tool.tfpipeline.tools]; or change it.'
    return Finding("terraform-version", Severity.ERROR, f"{text}\n-> {mend}", file=asked.file, line=asked.line)


def _settle(asked: Asked, tool: Tool) -> str:
    """Above a version file, and not above `required_version`, stands the configuration."""
    if asked.file.endswith((".tf", ".tofu", ".json")):
        return ""
    return f'\n-> Or take the one that is here: {tool.name} = "{tool.version}" under [tool.tfpipeline.tools].'
