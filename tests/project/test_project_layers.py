"""The architecture, enforced: who may import whom, and who alone may import what costs or starts processes."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = "pytest_tfpipeline"
TOP = Path(__file__).parents[2]

#: Low to high; a module imports only from layers before its own, and from its own package.
LAYERS = (
    "errors",
    "given",
    "model",
    "codec",
    "redact",
    "lasting",
    "signals",
    "parallel",
    "process",
    "config",
    "discover",
    "workspace",
    "tools",
    "warm",
    "context",
    "terraform",
    "emulator",
    "suites",
    "policies",
    "checks",
    "reuse",
    "proof",
    "gate",
    "reports",
    "pipeline",
    "plugin",
    "__main__",
)

#: What is imported in one place only: a package's name, or one file.
ONLY_IN = {
    "pytest": "plugin/",
    "_pytest": "plugin/",
    "pluggy": "plugin/",
    "xdist": "plugin/",
    "hcl2": "discover/hcl.py",
    "lark": "discover/hcl.py",
    "python_terraform": "terraform/command.py",
    "subprocess": "process.py",
    "multiprocessing": "process.py",
    "pty": "process.py",
    "moto": "emulator/",
    "cloudpickle": "emulator/",
    "boto3": "emulator/",
    "botocore": "emulator/",
}

#: Never imported: it installs the same top-level module as python-hcl2, and lives in an environment of its own.
NEVER = ("checkov",)
#: A program of its own, run by checkov's interpreter: it alone imports checkov, and forks.
PROGRAM = "warm/server.py"

#: Ways to start a process, or another program, without `subprocess`.
STARTERS = ("system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp", "startfile")
STARTER_PREFIXES = ("exec", "spawn")

#: Modules that cost 150 ms and more together: importing the plugin imports none of them.
COSTLY = ("pydantic", "hcl2", "lark", "moto", "python_terraform", "filelock", "boto3", "botocore", "cloudpickle")


@dataclass(frozen=True)
class Import:
    """`target` imported at `file`:`line`; `names` are the names of a `from` import."""

    file: str
    line: int
    target: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.target}"


def imports_of(package: Path) -> Iterator[Import]:
    """Every import below `package`, those inside functions and under TYPE_CHECKING included."""
    for path in sorted(package.rglob("*.py")):
        file = path.relative_to(package).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), file)):
            for target in targets_of(node, file):
                yield Import(file, getattr(node, "lineno", 0), target)


def targets_of(node: ast.AST, file: str) -> Iterator[str]:
    """The modules that one statement or call imports, absolute; `from a import b` gives `a.b`."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = absolute(node, file)
        yield from (f"{base}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Call) and called(node.func) in {"import_module", "__import__"} and node.args:
        name = node.args[0]
        yield name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else "(computed)"


def absolute(node: ast.ImportFrom, file: str) -> str:
    """The module that a `from` import names, relative ones resolved."""
    if not node.level:
        return node.module or ""
    parents = [PACKAGE, *file.split("/")[:-1]]
    base = parents[: len(parents) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def layer_of(file: str) -> str:
    return file.split("/")[0].removesuffix(".py")


def layer_violation(found: Import) -> str | None:
    """Why this import goes the wrong way, or None."""
    own = layer_of(found.file)
    target = found.target.split(".")
    if target[0] != PACKAGE:
        return None
    other = target[1] if len(target) > 1 else "__init__"
    if own == "__init__":
        return None if other in {"errors", "model"} else f"{found}: __init__ imports nothing but errors and model"
    if own not in LAYERS:
        return f"{found}: {own} has no layer; add it to LAYERS"
    if other in {own, "__version__"}:
        return None
    if other not in LAYERS:
        return f"{found}: {other} has no layer; add it to LAYERS"
    below = LAYERS.index(other) < LAYERS.index(own)
    return None if below else f"{found}: {own} is below {other}, so it must not import it"


def place_violation(found: Import) -> str | None:
    """Why this module must not be imported here, or None."""
    name = found.target.split(".")[0]
    if name in NEVER and found.file != PROGRAM:
        return f"{found}: {name} is never imported"
    place = ONLY_IN.get(name)
    if place is None or (found.file.startswith(place) if place.endswith("/") else found.file == place):
        return None
    return f"{found}: only {place} imports {name}"


def starter_violations(package: Path) -> Iterator[str]:
    """Calls such as `os.system`: only process.py starts processes."""
    for path in sorted(package.rglob("*.py")):
        file = path.relative_to(package).as_posix()
        if file == PROGRAM:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), file)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and starts_process(node):
                yield f"{file}:{node.lineno}: {node.value.id}.{node.attr}: only process.py starts processes"


def starts_process(node: ast.Attribute) -> bool:
    module = getattr(node.value, "id", "")
    if module == "asyncio":
        return node.attr.startswith("create_subprocess")
    return module == "os" and (node.attr in STARTERS or node.attr.startswith(STARTER_PREFIXES))


def violations(package: Path) -> list[str]:
    """Every breach of the architecture below `package`, as `file:line: what`."""
    found = [why for each in imports_of(package) for why in (layer_violation(each), place_violation(each)) if why]
    return found + list(starter_violations(package))


def test_the_package_keeps_to_its_layers() -> None:
    found = violations(TOP / PACKAGE)
    assert not found, "\n" + "\n".join(found)


def test_every_module_has_a_layer() -> None:
    layers = {layer_of(path.relative_to(TOP / PACKAGE).as_posix()) for path in (TOP / PACKAGE).rglob("*.py")}
    assert layers - set(LAYERS) - {"__init__"} == set()


@pytest.mark.parametrize(
    ("file", "source", "expected"),
    [
        ("gate/verdict.py", "from pytest_tfpipeline.plugin import options", "gate/verdict.py:1: "),
        ("gate/verdict.py", "\ndef f():\n    import pytest_tfpipeline.pipeline.targets\n", "gate/verdict.py:3: "),
        ("model.py", "from . import process", "model.py:1: "),
        ("terraform/plan.py", "from ..checks.fmt import run", "terraform/plan.py:1: "),
        ("checks/fmt.py", "import pytest", "only plugin/ imports pytest"),
        ("checks/fmt.py", "if TYPE_CHECKING:\n    from _pytest.nodes import Item", "checks/fmt.py:2: "),
        ("discover/roots.py", "import importlib\nimportlib.import_module('hcl2')", "discover/roots.py:2: hcl2"),
        ("terraform/plan.py", "from python_terraform import Terraform", "only terraform/command.py"),
        ("tools/find.py", "from subprocess import run", "only process.py imports subprocess"),
        ("tools/find.py", "import os\nos.execvp('x', [])", "tools/find.py:2: os.execvp"),
        ("plugin/hooks.py", "import boto3", "only emulator/ imports boto3"),
        ("checks/policy.py", "import checkov.main", "checkov is never imported"),
        ("shortcuts.py", "from pytest_tfpipeline import errors", "shortcuts has no layer"),
    ],
)
def test_a_breach_is_named_with_file_and_line(tmp_path: Path, file: str, source: str, expected: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    (found,) = violations(tmp_path)
    assert expected in found


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("plugin/items.py", "import pytest\nfrom pytest_tfpipeline.gate.verdict import decide\nfrom . import options"),
        ("discover/hcl.py", "import hcl2\nfrom ..errors import DiscoveryError"),
        ("process.py", "import subprocess\nimport os\nos.killpg(1, 2)"),
        ("checks/fmt.py", "from pytest_tfpipeline import __version__\nfrom pytest_tfpipeline.checks.base import x"),
    ],
)
def test_what_the_layers_allow_is_allowed(tmp_path: Path, file: str, source: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    assert violations(tmp_path) == []


def test_the_plugin_module_imports_nothing_that_costs() -> None:
    """pytest loads it in every repository where it is installed, also where there is no Terraform."""
    program = f"import sys, {PACKAGE}.plugin; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=TOP, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert loaded & set(COSTLY) == set()
    assert f"{PACKAGE}.plugin" in done.stdout


def test_a_repository_without_terraform_pays_for_nothing(tmp_path: Path) -> None:
    """A whole pytest run there, plugin active, loads nothing of the engine, and nothing that costs."""
    loaded = "{name.split('.')[0] for name in sys.modules}"
    engine = f"[name for name in sys.modules if name in ('{PACKAGE}.model', '{PACKAGE}.context')]"
    body = f"import sys\n\ndef test_it():\n    assert {loaded} & {set(COSTLY)!r} == set()\n    assert {engine} == []\n"
    (tmp_path / "test_it.py").write_text(body, encoding="utf-8")
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == ["test_it.py"]
