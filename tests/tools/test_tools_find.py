"""Finding programs: the real ones, and scripts where only the choice between versions matters."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import sys
from pathlib import Path

import pytest

from pytest_tfpipeline.errors import ToolError
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.tools import find_tool


def script(directory: Path, name: str, text: str, interpreter: str = "/bin/sh") -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text(f"#!{interpreter}\n{text}\n")
    path.chmod(0o755)
    return path


def terraform(directory: Path, version: str) -> Path:
    return script(directory, "terraform", f'echo \'{{"terraform_version": "{version}"}}\'')


def tflint(directory: Path, version: str) -> Path:
    return script(directory, "tflint", f"echo 'TFLint version {version}'; echo '+ ruleset.terraform (0.14.1-bundled)'")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Nothing is there, nothing can be reached, and nothing of the user's is touched."""
    (tmp_path / "mirror").mkdir()
    return {
        "PATH": str(tmp_path / "bin"),
        "HOME": str(tmp_path / "home"),
        "TFPIPELINE_TOOLS_DIR": str(tmp_path / "tools"),
        "TFPIPELINE_RELEASES_MIRROR": str(tmp_path / "mirror"),
    }


@pytest.mark.parametrize("name", ["terraform", "tflint", "ruff", "uv"])
def test_the_real_programs_are_found_and_nothing_is_installed(name: str, tmp_path: Path) -> None:
    there = Path(find_tool(name, version=None, runner=Runner()).path).parent
    path = f"{os.environ['PATH']}{os.pathsep}{there}"
    environ = {**os.environ, "PATH": path, "TFPIPELINE_TOOLS_DIR": str(tmp_path / "tools")}
    tool = find_tool(name, version=None, runner=Runner(), environ=environ, install=False)
    assert tool.name == name
    assert Path(tool.path).is_file()
    assert tool.sha256 == hashlib.sha256(Path(tool.path).read_bytes()).hexdigest()
    assert tool.version.count(".") == 2
    assert not (tmp_path / "tools").exists()


@pytest.mark.parametrize("name", ["terraform", "tflint", "ruff", "uv"])
def test_what_is_there_costs_no_connection(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_tfpipeline.tools.identify._known", {})
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.setblocking(False)
        url = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        environ = {key: value for key, value in os.environ.items() if key.lower() != "no_proxy"}
        runner = Runner({**environ, "HTTPS_PROXY": url, "https_proxy": url, "HTTP_PROXY": url})
        find_tool(name, version=None, runner=runner, install=False)
        with pytest.raises(BlockingIOError):
            proxy.accept()


def test_a_missing_cli_configuration_does_not_disturb(tmp_path: Path) -> None:
    runner = Runner({**os.environ, "TF_CLI_CONFIG_FILE": str(tmp_path / "gone")})
    assert find_tool("terraform", version=None, runner=runner).version[0].isdigit()


def test_the_runner_says_where_to_look(tmp_path: Path) -> None:
    path = tflint(tmp_path / "bin", "0.60.0")
    tool = find_tool("tflint", version=None, runner=Runner({"PATH": str(tmp_path / "bin")}))
    assert (tool.path, tool.version) == (str(path), "0.60.0")


def test_another_version_on_path_is_passed_over(tmp_path: Path, environ: dict[str, str]) -> None:
    tflint(tmp_path / "bin", "0.50.0")
    second = tflint(tmp_path / "bin2", "0.62.0")
    environ["PATH"] += f":{tmp_path / 'bin2'}"
    assert find_tool("tflint", version="0.62.0", runner=Runner(), environ=environ).path == str(second)
    assert find_tool("tflint", version=None, runner=Runner(), environ=environ).version == "0.50.0"


def test_gos_bin_directory_counts_for_tflint(tmp_path: Path, environ: dict[str, str]) -> None:
    path = tflint(tmp_path / "home/go/bin", "0.62.0")
    assert find_tool("tflint", version=None, runner=Runner(), environ=environ).path == str(path)
    other = tflint(tmp_path / "gopath/bin", "0.62.0")
    environ["GOPATH"] = str(tmp_path / "gopath")
    assert find_tool("tflint", version=None, runner=Runner(), environ=environ).path == str(other)


def test_the_tool_directory_comes_after_path(tmp_path: Path, environ: dict[str, str]) -> None:
    own = terraform(tmp_path / "tools/terraform/1.5.7", "1.5.7")
    terraform(tmp_path / "bin", "1.11.4")
    assert find_tool("terraform", version="1.5.7", runner=Runner(), environ=environ).path == str(own)
    assert find_tool("terraform", version=None, runner=Runner(), environ=environ).version == "1.11.4"


def test_a_version_that_cannot_be_had_names_both_and_the_mend(tmp_path: Path, environ: dict[str, str]) -> None:
    path = terraform(tmp_path / "bin", "1.11.4")
    with pytest.raises(ToolError) as raised:
        find_tool("terraform", version="1.5.7", runner=Runner(), environ=environ)
    text = str(raised.value)
    assert "terraform 1.5.7 is missing" in text
    assert f"{path} is 1.11.4" in text
    assert "tfenv install 1.5.7" in text
    assert "TFPIPELINE_TERRAFORM" in text


def test_a_missing_program_is_an_error(environ: dict[str, str]) -> None:
    with pytest.raises(ToolError, match=r"tflint 0\.62\.0 is missing(.|\n)*go install .*tflint@v0\.62\.0"):
        find_tool("tflint", version=None, runner=Runner(), environ=environ, install=False)


def test_a_shim_of_nothing_is_passed_over(tmp_path: Path, environ: dict[str, str]) -> None:
    script(tmp_path / "bin", "tflint", "echo 'shim: tflint: command not found' >&2; exit 127")
    good = tflint(tmp_path / "bin2", "0.62.0")
    with pytest.raises(ToolError, match="shim: tflint: command not found"):
        find_tool("tflint", version=None, runner=Runner(), environ=environ, install=False)
    environ["PATH"] += f":{tmp_path / 'bin2'}"
    assert find_tool("tflint", version=None, runner=Runner(), environ=environ).path == str(good)


def test_too_old(tmp_path: Path, environ: dict[str, str]) -> None:
    terraform(tmp_path / "bin", "1.1.9")
    with pytest.raises(ToolError, match=r"terraform 1\.1\.9 is too old: 1\.2\.0 or newer"):
        find_tool("terraform", version=None, runner=Runner(), environ=environ)


@pytest.mark.parametrize("interpreter", ["/usr/bin/env node", "/bin/sh"])
@pytest.mark.parametrize(
    ("name", "action"), [("terraform", "hashicorp/setup-terraform"), ("tofu", "opentofu/setup-opentofu")]
)
def test_the_wrapper_of_a_setup_action_is_refused(
    tmp_path: Path, environ: dict[str, str], interpreter: str, name: str, action: str
) -> None:
    path = script(tmp_path / "bin", name, 'echo \'{"terraform_version": "1.11.4"}\'', interpreter)
    if "node" not in interpreter:
        shutil.copy(path, tmp_path / f"bin/{name}-bin")
    with pytest.raises(ToolError, match=rf"{action}(.|\n)*{name}_wrapper: false"):
        find_tool(name, version="1.11.4", runner=Runner(), environ=environ)
    environ[f"TFPIPELINE_{name.upper()}"] = str(path)
    with pytest.raises(ToolError, match=f"{name}_wrapper: false"):
        find_tool(name, version=None, runner=Runner(), environ=environ)


def test_a_version_that_is_too_old_is_not_even_looked_for(environ: dict[str, str]) -> None:
    with pytest.raises(ToolError, match=r"terraform 0\.12\.31 is too old: 1\.2\.0 or newer is needed"):
        find_tool("terraform", version="0.12.31", runner=Runner(), environ=environ)


def test_the_named_program_counts(tmp_path: Path, environ: dict[str, str]) -> None:
    terraform(tmp_path / "bin", "1.11.4")
    named = terraform(tmp_path / "mine", "1.9.0")
    environ["TFPIPELINE_TERRAFORM"] = str(named)
    assert find_tool("terraform", version=None, runner=Runner(), environ=environ).path == str(named)
    with pytest.raises(ToolError, match=r"names version 1\.9\.0, but 1\.11\.4 is asked for"):
        find_tool("terraform", version="1.11.4", runner=Runner(), environ=environ)
    environ["TFPIPELINE_TERRAFORM"] = str(tmp_path / "gone")
    with pytest.raises(ToolError, match="gone: No such file or directory"):
        find_tool("terraform", version=None, runner=Runner(), environ=environ)


def test_a_program_that_changed_is_asked_again(tmp_path: Path, environ: dict[str, str]) -> None:
    terraform(tmp_path / "bin", "1.9.0")
    first = find_tool("terraform", version=None, runner=Runner(), environ=environ)
    terraform(tmp_path / "bin", "1.10.10")
    second = find_tool("terraform", version=None, runner=Runner(), environ=environ)
    assert (first.version, second.version) == ("1.9.0", "1.10.10")
    assert first.sha256 != second.sha256


def test_checkov_is_taken_from_path_only_in_the_version_with_known_hashes(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    path = script(tmp_path / "env/bin", "checkov", "exit 1", sys.executable)
    metadata = tmp_path / "env/lib/python3.12/site-packages/checkov-3.2.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "RECORD").write_text("checkov/main.py,sha256=x,1\n")
    environ["PATH"] = str(path.parent)
    with pytest.raises(ToolError, match=rf"{path} is 3\.2\.0"):
        find_tool("checkov", version=None, runner=Runner(), environ=environ, install=False)
    tool = find_tool("checkov", version="3.2.0", runner=Runner(), environ=environ, install=False)
    assert (tool.path, tool.version) == (str(path), "3.2.0")
    assert tool.sha256 == hashlib.sha256((metadata / "RECORD").read_bytes()).hexdigest()
