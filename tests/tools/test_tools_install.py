"""Installing: from a mirror of releases with real archives, and the real checkov with its hashes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from filelock import FileLock

from pytest_tfpipeline.errors import ToolError
from pytest_tfpipeline.process import Request, Runner
from pytest_tfpipeline.tools import find_tool
from pytest_tfpipeline.tools.download import fetch, release
from pytest_tfpipeline.tools.mirrors import os_arch
from pytest_tfpipeline.tools.pinned import locked_version, requirements_path
from pytest_tfpipeline.tools.places import tool_directory

TOP = Path(__file__).parents[2]


def program(name: str, version: str) -> str:
    said = json.dumps({"terraform_version": version}) if name != "tflint" else f"TFLint version {version}"
    return f"#!/bin/sh\necho '{said}'\n"


def publish(mirror: Path, name: str, version: str, members: dict[str, str] | None = None) -> Path:
    """A release as it is laid out; returns the archive."""
    what = release(name, version)
    archive = mirror / what.archive
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as packed:
        for member, text in (members or {"LICENSE.txt": "", name: program(name, version)}).items():
            packed.writestr(member, text)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    (mirror / what.checksums).write_text(f"{'0' * 64}  other_{os_arch()}.zip\n{digest}  {archive.name}\n")
    return archive


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return tmp_path / "mirror"


@pytest.fixture
def environ(tmp_path: Path, mirror: Path) -> dict[str, str]:
    return {"TFPIPELINE_TOOLS_DIR": str(tmp_path / "tools"), "TFPIPELINE_RELEASES_MIRROR": str(mirror)}


@pytest.mark.parametrize(("name", "version"), [("terraform", "1.5.7"), ("tofu", "1.10.6"), ("tflint", "0.62.0")])
def test_a_release_is_installed_once_with_progress(
    name: str, version: str, mirror: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    archive = publish(mirror, name, version)
    said: list[str] = []
    tool = find_tool(name, version=version, runner=Runner(), environ=environ, progress=said.append)
    assert tool.path == str(tmp_path / "tools" / name / version / name)
    assert tool.version == version
    assert said == [f"downloading {name} {version} from {mirror.as_uri()}"]
    archive.unlink()
    again = find_tool(name, version=version, runner=Runner(), environ=environ, progress=said.append)
    assert again == tool
    assert len(said) == 1
    assert sorted(path.name for path in (tmp_path / "tools" / name).iterdir() if path.is_dir()) == [version]


def test_a_file_url_of_a_mirror(mirror: Path, environ: dict[str, str]) -> None:
    publish(mirror, "tflint", "0.62.0")
    environ["TFPIPELINE_RELEASES_MIRROR"] = mirror.as_uri() + "/"
    assert find_tool("tflint", version=None, runner=Runner(), environ=environ).version == "0.62.0"


def test_parallel_runs_install_once(mirror: Path, environ: dict[str, str]) -> None:
    publish(mirror, "terraform", "1.5.7")
    said: list[str] = []
    found: list[str] = []

    def find() -> None:
        tool = find_tool("terraform", version="1.5.7", runner=Runner(), environ=environ, progress=said.append)
        found.append(tool.path)

    threads = [threading.Thread(target=find) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 6
    assert len([line for line in said if line.startswith("downloading")]) == 1


def test_waiting_for_somebody_elses_install_is_said_once(mirror: Path, environ: dict[str, str], tmp_path: Path) -> None:
    publish(mirror, "terraform", "1.5.7")
    (tmp_path / "tools" / "terraform").mkdir(parents=True)
    held = FileLock(tmp_path / "tools" / "terraform" / ".1.5.7.lock")
    held.acquire()
    said: list[str] = []

    def progress(line: str) -> None:
        said.append(line)
        held.release()

    tool = find_tool("terraform", version="1.5.7", runner=Runner(), environ=environ, progress=progress)
    assert tool.version == "1.5.7"
    assert said[0] == "terraform is being installed by another process: waiting for it"
    assert [line.split()[0] for line in said[1:]] == ["downloading"]
    with FileLock(held.lock_file, timeout=0):
        pass


def test_a_wrong_checksum_is_refused_and_leaves_nothing(mirror: Path, environ: dict[str, str], tmp_path: Path) -> None:
    archive = publish(mirror, "terraform", "1.5.7")
    archive.write_bytes(archive.read_bytes() + b"\0")
    with pytest.raises(ToolError, match="its SHA-256 is not the published one"):
        find_tool("terraform", version="1.5.7", runner=Runner(), environ=environ)
    assert [path for path in (tmp_path / "tools/terraform").iterdir() if path.is_dir()] == []


def test_an_archive_that_is_not_listed_is_refused(mirror: Path, environ: dict[str, str]) -> None:
    publish(mirror, "tflint", "0.62.0")
    (mirror / release("tflint", "0.62.0").checksums).write_text("abc  another.zip\n")
    with pytest.raises(ToolError, match="list of checksums does not name it"):
        find_tool("tflint", version=None, runner=Runner(), environ=environ)


def with_go(environ: dict[str, str], tmp_path: Path) -> None:
    """A toolchain that installs what it is asked for."""
    go = tmp_path / "bin/go"
    go.parent.mkdir()
    go.write_text('#!/bin/sh\n(echo "#!/bin/sh"; echo "echo TFLint version ${2##*@v}") > "$GOBIN/tflint"\n')
    go.write_text(go.read_text() + 'chmod 755 "$GOBIN/tflint"; echo "$@" > "${0%/*}/asked"\n')
    go.chmod(0o755)
    environ["PATH"] = f"{go.parent}:/usr/bin:/bin"


def test_tflint_is_built_with_go_where_releases_cannot_be_reached(environ: dict[str, str], tmp_path: Path) -> None:
    with_go(environ, tmp_path)
    tool = find_tool("tflint", version="0.61.0", runner=Runner(environ))
    assert (tool.version, tool.path) == ("0.61.0", str(tmp_path / "tools/tflint/0.61.0/tflint"))
    asked = (tmp_path / "bin/asked").read_text()
    assert asked == "install github.com/terraform-linters/tflint@v0.61.0\n"


_GO_FOR_TOFU = """#!/bin/sh
here=${0%/*}
echo "$@" >>"$here/asked"
case $1 in
  mod) printf '{"Path": "x", "GoMod": "%s"}' "$here/theirs.mod" ;;
  get) cp go.mod "$here/ours.mod" ;;
  build)
    for word in "$@"; do case $before in -o) out=$word ;; esac; before=$word; done
    printf '#!/bin/sh\\necho \\047{"terraform_version": "1.10.6"}\\047\\n' >"$out"
    chmod 755 "$out"
    ;;
esac
"""
_THEIR_MODULE = """module github.com/opentofu/opentofu

go 1.24.13

replace github.com/a/b v1.0.0 => github.com/c/b v1.0.1

replace (
\tgithub.com/d/e => github.com/f/e v2.0.0
)

tool github.com/a/tool
"""


def test_opentofu_is_built_with_go_with_the_replacements_of_its_own(environ: dict[str, str], tmp_path: Path) -> None:
    with_go(environ, tmp_path)
    (tmp_path / "bin/go").write_text(_GO_FOR_TOFU)
    (tmp_path / "bin/theirs.mod").write_text(_THEIR_MODULE)
    tool = find_tool("tofu", version="1.10.6", runner=Runner(environ))
    assert (tool.version, tool.path) == ("1.10.6", str(tmp_path / "tools/tofu/1.10.6/tofu"))
    assert (tmp_path / "bin/ours.mod").read_text().splitlines() == [
        "module build",
        "go 1.24.13",
        "require github.com/opentofu/opentofu v1.10.6",
        "replace github.com/a/b v1.0.0 => github.com/c/b v1.0.1",
        "replace github.com/d/e => github.com/f/e v2.0.0",
    ]
    asked = (tmp_path / "bin/asked").read_text().splitlines()
    assert asked[0] == "mod download -json github.com/opentofu/opentofu@v1.10.6"
    assert "version.dev=no" in asked[2]
    assert [path.name for path in Path(tool.path).parent.iterdir()] == ["tofu"]


def test_a_wrong_checksum_is_not_evaded_with_go(mirror: Path, environ: dict[str, str], tmp_path: Path) -> None:
    with_go(environ, tmp_path)
    archive = publish(mirror, "tflint", "0.62.0")
    archive.write_bytes(archive.read_bytes() + b"\0")
    with pytest.raises(ToolError, match="its SHA-256 is not the published one"):
        find_tool("tflint", version=None, runner=Runner(environ))
    assert not (tmp_path / "bin/asked").exists()


def test_an_archive_cannot_write_elsewhere(mirror: Path, environ: dict[str, str], tmp_path: Path) -> None:
    members = {"../../../evil": "x", "/tmp/evil": "x", "terraform": program("terraform", "1.5.7")}  # noqa: S108
    publish(mirror, "terraform", "1.5.7", members)
    tool = find_tool("terraform", version="1.5.7", runner=Runner(), environ=environ)
    assert [path.name for path in Path(tool.path).parent.iterdir()] == ["terraform"]
    assert not list(tmp_path.rglob("evil"))


def test_an_archive_without_the_program(mirror: Path, environ: dict[str, str]) -> None:
    publish(mirror, "terraform", "1.5.7", {"bin/terraform": "x"})
    with pytest.raises(ToolError, match="not an archive that holds terraform"):
        find_tool("terraform", version="1.5.7", runner=Runner(), environ=environ)


def test_what_a_killed_run_left_is_neither_used_nor_kept(mirror: Path, environ: dict[str, str], tmp_path: Path) -> None:
    publish(mirror, "terraform", "1.5.7")
    left = tmp_path / "tools/terraform/.1.5.7-abc.partial"
    left.mkdir(parents=True)
    (left / "terraform").write_text("half")
    find_tool("terraform", version="1.5.7", runner=Runner(), environ=environ)
    assert not left.exists()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "ftp://127.0.0.1/x", "terraform.zip"])
def test_only_https_and_files_are_downloaded(url: str) -> None:
    with pytest.raises(ToolError, match="only https and file URLs"):
        fetch(url)


def test_no_connection_is_said_in_seconds() -> None:
    with pytest.raises(ToolError, match=r"it cannot be reached: .*refused"):
        fetch("https://127.0.0.1:1/x")


def test_a_tool_directory_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ToolError, match="TFPIPELINE_TOOLS_DIR"):
        tool_directory({"TFPIPELINE_TOOLS_DIR": str(tmp_path / "file")})


def test_the_tool_directory_is_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tool_directory({"HOME": str(tmp_path)}) == tmp_path / ".local/share/pytest-tfpipeline/tools"
    assert tool_directory({"XDG_DATA_HOME": str(tmp_path / "d")}) == tmp_path / "d/pytest-tfpipeline/tools"
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mine = tmp_path / f"pytest-tfpipeline-{os.getuid()}"
    for home in ("", "/proc/nowhere"):
        assert tool_directory({"HOME": home}) == mine
    assert mine.stat().st_mode & 0o777 == 0o700
    mine.chmod(0o777)
    with pytest.raises(ToolError, match="no directory to install tools into"):
        tool_directory({})
    mine.rmdir()
    mine.symlink_to(tmp_path)
    with pytest.raises(ToolError, match="no directory to install tools into"):
        tool_directory({})


@pytest.mark.parametrize(("name", "group"), [("checkov", "checkov"), ("ruff", "dev")])
def test_the_shipped_hashes_are_those_of_the_lock_file(name: str, group: str) -> None:
    argv = ["export", "--frozen", "--offline", "--quiet", "--only-group", group, "--no-emit-project"]
    argv += ["--no-header", "--no-annotate", "--format", "requirements-txt"]
    exported = subprocess.run(
        [f"{Path(sys.executable).parent}/uv", *argv], cwd=TOP, check=True, capture_output=True, text=True
    ).stdout
    if group == "dev":
        blocks = exported.replace("\\\n", "\\").splitlines()
        exported = "\n".join(line for line in blocks if line.startswith(f"{name}==")).replace("\\", "\\\n") + "\n"
    shipped = requirements_path(name).read_text()
    assert shipped == exported
    assert f"{name}=={locked_version(name)} " in shipped
    assert "://" not in shipped


def test_the_real_checkov_in_an_environment_of_its_own(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    environ = {**os.environ, "TFPIPELINE_TOOLS_DIR": str(tools), "PATH": "/usr/bin:/bin"}
    said: list[str] = []
    tool = find_tool("checkov", version=None, runner=Runner(), environ=environ, progress=said.append)
    assert tool.version == locked_version("checkov")
    assert tool.sha256 == hashlib.sha256(requirements_path("checkov").read_bytes()).hexdigest()
    assert Path(tool.path).is_relative_to(tools)
    assert said == [f"installing checkov {tool.version} into an environment of its own"]
    outcome = Runner().run(Request((tool.path, "--version"), tmp_path, timeout=120))
    assert outcome.stdout.strip() == tool.version, outcome.stderr
    again = find_tool("checkov", version=None, runner=Runner(), environ=environ, progress=said.append, install=False)
    assert again == tool


def test_a_checkov_without_known_hashes_is_not_installed(tmp_path: Path) -> None:
    environ = {"TFPIPELINE_TOOLS_DIR": str(tmp_path / "tools")}
    with pytest.raises(ToolError, match=r"can be installed with known hashes(.|\n)*uv tool install checkov==3\.2\.0"):
        find_tool("checkov", version="3.2.0", runner=Runner(), environ=environ)
