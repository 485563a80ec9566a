"""Modules that are not in the tree: fetched where they can be had, given up where nothing comes."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.model import PlanStatus, Root, Target
from pytest_tfpipeline.terraform import download
from pytest_tfpipeline.terraform.download import has_remote_modules
from pytest_tfpipeline.terraform.init import directory_of, ensure_init
from pytest_tfpipeline.terraform.planning import ensure_plan

CORE = Target("core", "staging")


@pytest.fixture
def module(tmp_path: Path) -> str:
    """A module in a git repository of its own, as a source."""
    path = tmp_path / "module"
    path.mkdir()
    (path / "main.tf").write_text('resource "terraform_data" "inner" {}\n')
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for words in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-qm", "x")):
        subprocess.run(["git", *words], cwd=path, check=True, timeout=60)
    return f"git::file://{path}"


@pytest.fixture
def silent() -> Iterator[int]:
    """A port on which every connection is accepted and none is answered."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        kept: list[socket.socket] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    kept.append(server.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        for connection in kept:
            connection.close()


def calls(playground: Any, source: str, **run: object) -> Context:
    playground.write("core/main.tf", f'module "lake" {{\n  source = "{source}"\n}}\n')
    return playground.open(CORE, **run)


def test_a_module_of_another_repository_is_fetched_and_planned(playground: Any, module: str) -> None:
    result = ensure_plan(calls(playground, module), CORE)
    assert (result.status, result.changes.add) == (PlanStatus.PLANNED, 1), result.findings


@pytest.mark.parametrize("source", ["git::https://127.0.0.1:{}/lake.git", "http://127.0.0.1:{}/lake.zip"])
def test_a_server_that_accepts_and_never_answers_is_given_up(
    playground: Any, silent: int, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setattr(download, "STALLED", 3.0)
    ctx = calls(playground, source.format(silent))
    result = ensure_init(ctx, "core", "staging")
    (finding,) = result.findings
    assert (result.ok, finding.rule) == (False, "no-module")
    assert "not a byte of it has come for 3 seconds" in finding.text
    assert source.format(silent) in finding.text
    assert result.seconds < 60, "given up long before the limit of the whole init"


def test_an_init_without_remote_modules_may_take_its_time(playground: Any) -> None:
    playground.write("core/main.tf", 'module "near" {\n  source = "./near"\n}\n')
    playground.write("core/near/main.tf", "")
    ctx = playground.open(CORE)
    assert download.stall_of(directory_of(ctx, "core", "staging")) is None


@pytest.mark.parametrize(
    ("text", "remote"),
    [
        ('module "a" {\n  source = "../a"\n}\n', False),
        ('module "a" {\n  version = "1.0"\n  source  = "org/a/aws"\n}\n', True),
        ('terraform {\n  required_providers {\n    aws = {\n      source = "hashicorp/aws"\n    }\n  }\n}\n', False),
    ],
)
def test_remote_modules_are_told_from_local_ones_and_from_providers(playground: Any, text: str, remote: bool) -> None:
    playground.write("core/main.tf", text)
    ctx = playground.open(CORE, roots=(Root("core", "core", "core/main.tf"),))
    assert has_remote_modules(directory_of(ctx, "core", None)) is remote


@pytest.mark.parametrize(
    ("name", "text", "remote"),
    [
        ("x.tofu", 'module "a" {\n  source = "org/a/aws"\n}\n', True),
        ("x.tf.json", '{"module": {"a": {"source": "org/a/aws"}}}', True),
        ("x.tofu.json", '{"module": {"a": [{"source": "org/a/aws"}]}}', True),
        ("x.tf.json", '{"module": {"a": {"source": "../a"}}, "terraform": {"x": {"source": "org/a"}}}', False),
        ("x.tf.json", '{"module": [', False),
        ("x.txt", 'module "a" {\n  source = "org/a/aws"\n}\n', False),
    ],
)
def test_remote_modules_in_every_kind_of_file(playground: Any, name: str, text: str, remote: bool) -> None:
    playground.write(f"core/{name}", text)
    ctx = playground.open(CORE, roots=(Root("core", "core", f"core/{name}"),))
    assert has_remote_modules(directory_of(ctx, "core", None)) is remote


def test_a_remote_module_behind_a_local_one_counts(playground: Any) -> None:
    playground.write("core/main.tf", 'module "a" {\n  source = "../modules/a"\n}\n')
    playground.write("modules/a/main.tf", 'module "b" {\n  source = "org/b/aws"\n}\n')
    root = Root("core", "core", "core/main.tf", modules=("modules/a",))
    assert has_remote_modules(directory_of(playground.open(CORE, roots=(root,)), "core", None))
