"""Build tflint and OpenTofu from their sources with Go, which holds every module against its checksum database."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path

from pytest_tfpipeline.errors import ToolError
from pytest_tfpipeline.process import Request, Runner

_TFLINT = "github.com/terraform-linters/tflint"
_TOFU = "github.com/opentofu/opentofu"
_TIMEOUT = 1800.0
_GO_VERSION = re.compile(r"^go\s+\S+", re.MULTILINE)
_REPLACE = re.compile(r"^replace\s+(?:\((?P<many>.*?)^\)|(?P<one>[^\n(]+))", re.MULTILINE | re.DOTALL)


def compile_program(name: str, version: str, target: Path, go: str, runner: Runner) -> None:
    """Put tflint or tofu of that version into the directory `target`; takes minutes. Raises ToolError."""
    if name == "tflint":
        _run(runner, (go, "install", f"{_TFLINT}@v{version}"), target, GOBIN=str(target))
        return
    module = Path(tempfile.mkdtemp(dir=target, prefix="module-"))
    try:
        # `go install PACKAGE@VERSION` refuses a module that replaces another: it must be a dependency of one that does.
        asked = _run(runner, (go, "mod", "download", "-json", f"{_TOFU}@v{version}"), module)
        (module / "go.mod").write_text(_go_mod(Path(json.loads(asked)["GoMod"]).read_text("utf-8"), version), "utf-8")
        # Without the flag it would call itself a development version, which `required_version` refuses.
        flags = f"-ldflags=-s -w -X {_TOFU}/version.dev=no"
        argv = (go, "build", "-mod=mod", flags, "-o", str(target / "tofu"))
        _run(runner, (go, "get", f"{_TOFU}/cmd/tofu@v{version}"), module)
        _run(runner, (*argv, f"{_TOFU}/cmd/tofu"), module)
    finally:
        shutil.rmtree(module, ignore_errors=True)


def _go_mod(theirs: str, version: str) -> str:
    """A module that requires that version of OpenTofu, with its own replacements."""
    language = _GO_VERSION.search(theirs)
    replaced = (found["many"] or found["one"] for found in _REPLACE.finditer(theirs))
    lines = [line.strip() for text in replaced for line in text.splitlines() if "=>" in line]
    return "\n".join(
        [
            "module build",
            language[0] if language else "",
            f"require {_TOFU} v{version}",
            *(f"replace {line}" for line in lines),
            "",
        ]
    )


def _run(runner: Runner, argv: tuple[str, ...], cwd: Path, **env: str) -> str:
    outcome = runner.run(Request(argv, cwd, env=env, timeout=_TIMEOUT))
    if not outcome.ok:
        said = outcome.error or outcome.stderr.strip()[-500:] or f"exit code {outcome.code}"
        raise ToolError(f"`{' '.join(argv)}` failed: {said}")
    return outcome.stdout
