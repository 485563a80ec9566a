"""An init that installs nothing leaves what a plain init leaves, and everything that is not as it should be is said by
the plain one. With real providers."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from packages import HOST, lock_file, provider_mirror

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.model import Root, Target
from pytest_tfpipeline.terraform.diagnostics import render_findings
from pytest_tfpipeline.terraform.init import InitResult, directory_of, ensure_init
from pytest_tfpipeline.terraform.packages import Package, as_asked_for, put_in_place
from pytest_tfpipeline.tools.providers import cli_config

LOCAL, TIME = (f"{HOST}/hashicorp/{name}" for name in ("local", "time"))
MODULE = """terraform {
  required_providers {
    time = {
      source  = "hashicorp/time"
      version = "TIME"
    }
  }
}

resource "time_static" "start" {}
"""
ROOT = """terraform {
  backend "local" {}
  required_providers {
    local = {
      source  = "hashicorp/local"
      version = "~> 2.6"
    }
  }
}

resource "local_file" "it" {
  filename = "it"
  content  = "it"
}

module "clock" {
  source = "../clock"
}
"""


class World:
    """A root with two providers, one of them asked for by a module."""

    def __init__(self, playground: Any, path: Path) -> None:
        self._playground = playground
        self.mirror = provider_mirror(path / "mirror")
        self._config = cli_config({"TFPIPELINE_PROVIDER_MIRROR": str(self.mirror)}, path, None, ())
        self.module("~> 0.14")
        playground.write("app/main.tf", ROOT)
        self.lock = playground.write("app/.terraform.lock.hcl", lock_file(self.mirror))

    def module(self, version: str) -> None:
        self._playground.write("clock/main.tf", MODULE.replace("TIME", version))

    def open(self, *, shortcuts: bool = True, **run: Any) -> Context:
        settings = {"shortcuts": shortcuts, "mirrors": {"terraform": self._config.mirrors}}
        roots = (Root("app", "app", "app/main.tf", modules=("clock",)),)
        target, path = Target("app", "staging"), str(self._config.path)
        ctx: Context = self._playground.open(target, roots=roots, cli_config_path=path, settings=settings, **run)
        return ctx

    def compared(self) -> tuple[InitResult, InitResult]:
        """With and without the short cut."""
        return ensure_init(self.open(), "app", "staging"), ensure_init(self.open(shortcuts=False), "app", "staging")


@pytest.fixture
def world(playground: Any, tmp_path: Path) -> World:
    return World(playground, tmp_path)


def left(result: InitResult) -> dict[str, str]:
    """What init left in the root: files with their text, links with where they lead."""
    found = {}
    for here, folders, files in os.walk(result.cwd):
        for path in (Path(here, name) for name in (*folders, *files)):
            name = str(path.relative_to(result.cwd))
            if path.is_symlink():
                found[name] = str(path.readlink())
            elif path.is_file():
                found[name] = path.read_text().replace(result.cwd, "")
    return found


def text_of(result: InitResult) -> str:
    return render_findings(result.findings).replace(result.cwd, "")


def hashed(ctx: Context) -> list[str]:
    return [path.name for path in (ctx.workspace.path / "store").glob("package*.json")]


def test_it_leaves_what_a_plain_init_leaves(world: World) -> None:
    quick = world.open()
    ours, theirs = ensure_init(quick, "app", "staging"), ensure_init(world.open(shortcuts=False), "app", "staging")
    assert ours.ok
    assert theirs.ok
    assert left(ours) == left(theirs)
    assert len(hashed(quick)) == 2
    assert left(ensure_init(quick, "app", None)).keys() == left(ours).keys() - {".terraform/terraform.tfstate"}


def test_terraform_plans_and_shows_plainly_after_it(world: World) -> None:
    ctx = world.open()
    result = ensure_init(ctx, "app", "staging")
    directory = directory_of(ctx, "app", "staging")
    program = directory.terraform.path
    planned = directory.run((program, "plan", "-out=p", "-input=false"), "plan")
    assert planned.ok, planned.stderr
    shown = directory.run((program, "show", "-json", "p"), "show")
    kinds = {each["type"] for each in json.loads(shown.stdout)["resource_changes"]}
    assert kinds == {"local_file", "time_static"}
    assert (Path(result.cwd) / ".terraform.lock.hcl").read_text() == world.lock.read_text()


def test_a_package_with_another_hash_is_refused_as_terraform_refuses_it(world: World) -> None:
    before, name, after = world.lock.read_text().partition(TIME)
    world.lock.write_text(before + name + after.replace("h1:", "h1:AAAA"))
    ours, theirs = world.compared()
    assert not ours.ok
    assert text_of(ours) == text_of(theirs)


def test_a_package_that_was_changed_is_not_put_in_place(world: World) -> None:
    (program,) = world.mirror.glob("*/hashicorp/time/*/*/*")
    with program.open("ab") as file:
        file.write(b"x")
    assert put_in_place(directory_of(world.open(), "app", "staging")) is None
    ours, theirs = world.compared()
    assert not ours.ok
    assert text_of(ours) == text_of(theirs)


@pytest.mark.parametrize("asked", ["~> 0.13.0", "!= 0.14.2", ">= 1"])
def test_a_version_that_a_module_does_not_want_is_refused_as_terraform_refuses_it(world: World, asked: str) -> None:
    world.module(asked)
    ours, theirs = world.compared()
    assert not ours.ok
    assert text_of(ours) == text_of(theirs)
    assert asked in text_of(ours)


@pytest.mark.parametrize("asked", ["not a version", "~> 0.14\\t"])
def test_a_version_that_cannot_be_read_is_left_to_terraform(world: World, asked: str) -> None:
    world.module(asked)
    ours, theirs = world.compared()
    assert (ours.ok, text_of(ours)) == (theirs.ok, text_of(theirs))


def test_one_provider_that_no_mirror_has_leaves_all_to_terraform(world: World) -> None:
    (package,) = world.mirror.glob("*/hashicorp/time/*/*")
    package.rename(package.parent / "elsewhere")
    ours, theirs = world.compared()
    assert not ours.ok
    assert text_of(ours) == text_of(theirs)


def test_a_provider_that_the_lock_does_not_have_is_said_by_terraform(world: World) -> None:
    first, _, _ = world.lock.read_text().partition(f'provider "{TIME}"')
    world.lock.write_text(first)
    ours, theirs = world.compared()
    assert not ours.ok
    assert text_of(ours) == text_of(theirs)


def test_without_a_lock_file_terraform_makes_one(world: World) -> None:
    world.lock.unlink()
    ours, theirs = world.compared()
    assert ours.ok
    assert left(ours) == left(theirs)


@pytest.mark.parametrize(("mode", "shortcuts"), [("apply", True), ("plan", False)])
def test_a_run_that_can_apply_installs(world: World, mode: str, shortcuts: bool) -> None:
    ctx = world.open(mode=mode, shortcuts=shortcuts)
    assert put_in_place(directory_of(ctx, "app", "staging")) is None
    assert ensure_init(ctx, "app", "staging").ok
    assert hashed(ctx) == []


def test_what_is_in_the_way_is_left_alone(world: World) -> None:
    directory = directory_of(world.open(), "app", "staging")
    place = directory.cwd / ".terraform/providers" / TIME / "0.14.2"
    place.mkdir(parents=True)
    (package,) = world.mirror.glob("*/hashicorp/time/*/*")
    (place / package.name).symlink_to(place)
    assert put_in_place(directory) is None


def test_nothing_is_known_of_a_root_whose_modules_cannot_be_read(world: World) -> None:
    ctx = world.open()
    result = ensure_init(ctx, "app", "staging")
    directory = directory_of(ctx, "app", "staging")
    assert as_asked_for(directory)
    (Path(result.cwd) / ".terraform/modules/modules.json").write_text("{")
    assert not as_asked_for(directory)


def test_each_package_is_hashed_once_for_all_roots(world: World) -> None:
    ctx = world.open()
    ctx.workspace.once(f"package/{LOCAL}/2.6.0", Package, lambda: Package("", "h1:another"))
    assert put_in_place(directory_of(ctx, "app", "staging")) is None
