"""Where terraform gets providers from: the real terraform, with packages made here."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pytest_tfpipeline.errors import ProviderError
from pytest_tfpipeline.process import Outcome, Request, Runner
from pytest_tfpipeline.tools import find_tool
from pytest_tfpipeline.tools.mirrors import (
    find_mirrors,
    lend_packages,
    mirror_place,
    os_arch,
    package_hash,
    providers_in,
)
from pytest_tfpipeline.tools.providers import REGISTRY_LIMITS, CliConfig, cli_config

HOST, TOFU_HOST = "registry.terraform.io", "registry.opentofu.org"


def package(mirror: Path, source: str, version: str, text: str = "#!/bin/sh\n") -> Path:
    """An unpacked package; terraform's init hashes it and never starts it."""
    directory = mirror / source / version / os_arch()
    directory.mkdir(parents=True)
    program = directory / f"terraform-provider-{source.rsplit('/', 1)[1]}_v{version}"
    program.write_text(text)
    program.chmod(0o755)
    (directory / "LICENSE.txt").write_text("free\n")
    return directory


def init(root: Path, config: CliConfig, sources: dict[str, str], *extra: str) -> Outcome:
    root.mkdir(parents=True, exist_ok=True)
    needs = "".join(f'    {name} = {{ source = "{source}" }}\n' for name, source in sources.items())
    (root / "main.tf").write_text(f"terraform {{\n  required_providers {{\n{needs}  }}\n}}\n")
    env = {**REGISTRY_LIMITS, "TF_CLI_CONFIG_FILE": str(config.path), "CHECKPOINT_DISABLE": "1"}
    return Runner().run(Request(("terraform", "init", "-no-color", *extra), root, env=env, timeout=60))


def test_a_mirror_below_an_add_on_prefix_is_used(tmp_path: Path) -> None:
    mirror = tmp_path / "opt/vendor/providers"
    place = package(mirror, f"{HOST}/acme/tiny", "1.2.3")
    config = cli_config({}, tmp_path / "out", None, (str(tmp_path / "opt"),))
    assert config.mirrors == (str(mirror),)
    assert config.path.stat().st_mode & 0o777 == 0o600
    outcome = init(tmp_path / "root", config, {"tiny": "acme/tiny"})
    assert outcome.ok, outcome.stderr
    lock = (tmp_path / "root/.terraform.lock.hcl").read_text()
    assert package_hash(place) in lock
    assert mirror_place(config.mirrors, f"{HOST}/acme/tiny", "1.2.3") == place
    assert mirror_place(config.mirrors, f"{HOST}/acme/tiny", "1.2.4") is None


def test_a_package_that_is_not_the_one_of_the_lock_file_is_refused(tmp_path: Path) -> None:
    place = package(tmp_path / "opt/m", f"{HOST}/acme/tiny", "1.2.3")
    config = cli_config({}, tmp_path / "out", None, (str(tmp_path / "opt"),))
    assert init(tmp_path / "root", config, {"tiny": "acme/tiny"}).ok
    (place / "LICENSE.txt").write_text("changed\n")
    outcome = init(tmp_path / "root", config, {"tiny": "acme/tiny"}, "-lockfile=readonly")
    assert not outcome.ok
    assert "checksum" in outcome.stderr


def test_the_named_mirror_wins_and_all_are_used(tmp_path: Path) -> None:
    named, found = tmp_path / "named", tmp_path / "opt/found"
    package(named, f"{HOST}/acme/tiny", "1.0.0", "#!/bin/sh\n# named\n")
    package(found, f"{HOST}/acme/tiny", "1.0.0")
    package(found, f"{HOST}/acme/other", "2.0.0")
    environ = {"TFPIPELINE_PROVIDER_MIRROR": str(named)}
    config = cli_config(environ, tmp_path / "out", None, (str(tmp_path / "opt"),))
    assert config.mirrors == (str(named), str(found))
    outcome = init(tmp_path / "root", config, {"tiny": "acme/tiny", "other": "acme/other"})
    assert outcome.ok, outcome.stderr
    lock = (tmp_path / "root/.terraform.lock.hcl").read_text()
    assert package_hash(named / HOST / "acme/tiny/1.0.0" / os_arch()) in lock


def test_a_named_mirror_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"TFPIPELINE_PROVIDER_MIRROR=.*no such directory"):
        find_mirrors({"TFPIPELINE_PROVIDER_MIRROR": str(tmp_path / "gone")}, None, None, ())


def test_terraforms_own_mirror_directories_count(tmp_path: Path) -> None:
    home, top, data = tmp_path / "home", tmp_path / "top", tmp_path / "data"
    places = [top / "terraform.d/plugins", home / ".terraform.d/plugins", home / ".local/share/terraform/plugins"]
    places.append(data / "terraform/plugins")
    for place in places:
        place.mkdir(parents=True)
    assert find_mirrors({"XDG_DATA_DIRS": str(data)}, home, top, ()) == tuple(places)


def test_a_mirror_that_anyone_can_write_to_is_not_found_by_itself(tmp_path: Path) -> None:
    package(tmp_path / "opt/m", f"{HOST}/acme/tiny", "1.0.0")
    assert find_mirrors({"XDG_DATA_DIRS": "/x"}, None, None, (str(tmp_path / "opt"),)) == (tmp_path / "opt/m",)
    (tmp_path / "opt/m").chmod(0o777)
    assert find_mirrors({"XDG_DATA_DIRS": "/x"}, None, None, (str(tmp_path / "opt"),)) == ()


def test_only_packages_for_this_machine_count(tmp_path: Path) -> None:
    package(tmp_path, f"{HOST}/acme/tiny", "1.0.0")
    (tmp_path / HOST / "acme/alien/1.0.0/plan9_mips").mkdir(parents=True)
    packed = tmp_path / HOST / "acme/zipped" / f"terraform-provider-zipped_2.0.0_{os_arch()}.zip"
    packed.parent.mkdir(parents=True)
    packed.write_bytes(b"")
    assert providers_in(tmp_path) == (f"{HOST}/acme/tiny", f"{HOST}/acme/zipped")
    assert mirror_place([tmp_path], f"{HOST}/acme/zipped", "2.0.0") == packed


def test_the_users_own_installation_is_used_as_it_is(tmp_path: Path) -> None:
    package(tmp_path / "mine", f"{HOST}/acme/tiny", "1.0.0")
    package(tmp_path / "opt/m", f"{HOST}/acme/other", "1.0.0")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".terraformrc").write_text(
        f'plugin_cache_dir = "{tmp_path}/cache"\ncredentials "example.com" {{\n  token = "t0ken"\n}}\n'
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{tmp_path}/mine"\n  }}\n}}\n'
    )
    config = cli_config({}, tmp_path / "out", home, (str(tmp_path / "opt"),))
    text = config.path.read_text()
    assert config.mirrors == ()
    assert "plugin_cache_dir" not in text
    assert "t0ken" in text
    assert init(tmp_path / "root", config, {"tiny": "acme/tiny"}).ok
    assert not init(tmp_path / "root2", config, {"other": "acme/other"}).ok
    assert not (tmp_path / "cache").exists()


def test_an_installation_in_a_comment_is_none(tmp_path: Path) -> None:
    package(tmp_path / "opt/m", f"{HOST}/acme/tiny", "1.0.0")
    rc = tmp_path / "rc"
    rc.write_text('# provider_installation {\n/*\nprovider_installation {\n*/\nplugin_cache_dir = "/x" # http://a\n')
    config = cli_config({"TF_CLI_CONFIG_FILE": str(rc)}, tmp_path / "out", None, (str(tmp_path / "opt"),))
    assert config.mirrors == (str(tmp_path / "opt/m"),)
    assert init(tmp_path / "root", config, {"tiny": "acme/tiny"}).ok


def test_a_configuration_that_is_not_there_is_said_and_ignored(tmp_path: Path) -> None:
    environ = {"TF_CLI_CONFIG_FILE": str(tmp_path / "gone")}
    config = cli_config(environ, tmp_path / "out", None, ())
    assert config.notes == (f"TF_CLI_CONFIG_FILE names {tmp_path}/gone, which is not there; it is ignored.",)
    assert init(tmp_path / "root", config, {}).ok


def test_the_users_other_settings_files_are_kept(tmp_path: Path) -> None:
    settings = tmp_path / "home/.terraform.d"
    settings.mkdir(parents=True)
    (settings / "extra.tfrc").write_text('credentials "example.com" {\n  token = "abcd"\n}\n')
    config = cli_config({"XDG_DATA_DIRS": "/x"}, tmp_path / "out", tmp_path / "home", ())
    assert 'credentials "example.com"' in config.path.read_text()


def test_a_json_configuration_is_used_as_it_is_and_said(tmp_path: Path) -> None:
    rc = tmp_path / "rc.json"
    rc.write_text('{"disable_checkpoint": true}')
    config = cli_config({"TF_CLI_CONFIG_FILE": str(rc)}, tmp_path / "out", None, ())
    assert config.path == rc
    assert "is JSON" in config.notes[0]


def test_paths_with_spaces_and_quotes(tmp_path: Path) -> None:
    mirror = tmp_path / 'opt/my "best" mirror é'
    package(mirror, f"{HOST}/acme/tiny", "1.0.0")
    config = cli_config({}, tmp_path / "out dir", None, (str(tmp_path / "opt"),))
    outcome = init(tmp_path / "root", config, {"tiny": "acme/tiny"})
    assert outcome.ok, outcome.stderr


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("example.invalid/acme/none", "could not connect to example.invalid"),
        ('acme/tiny", version = "> 9', "no available releases match"),
    ],
)
def test_a_provider_that_cannot_be_had_is_said_in_seconds(tmp_path: Path, source: str, said: str) -> None:
    package(tmp_path / "opt/m", f"{HOST}/acme/tiny", "1.0.0")
    config = cli_config({}, tmp_path / "out", None, (str(tmp_path / "opt"),))
    started = time.monotonic()
    outcome = init(tmp_path / "root", config, {"wanted": source})
    assert said in " ".join(outcome.stderr.replace("│", " ").split())
    assert time.monotonic() - started < 20


def tofu_init(root: Path, config: CliConfig, *extra: str) -> Outcome:
    needs = 'terraform {\n  required_providers {\n    tiny = { source = "acme/tiny" }\n  }\n}\n'
    root.mkdir(parents=True, exist_ok=True)
    (root / "main.tf").write_text(needs)
    env = {**REGISTRY_LIMITS, "TF_CLI_CONFIG_FILE": str(config.path), "CHECKPOINT_DISABLE": "1"}
    program = find_tool("tofu", version=None, runner=Runner()).path
    return Runner().run(Request((program, "init", "-no-color", *extra), root, env=env, timeout=60))


def test_opentofu_finds_what_a_mirror_has_for_terraform(tmp_path: Path) -> None:
    place = package(tmp_path / "opt/m", f"{HOST}/acme/tiny", "1.2.3")
    config = cli_config({}, tmp_path / "out", None, (str(tmp_path / "opt"),), tofu={})
    assert config.path.name == "tofu.tfrc"
    outcome = tofu_init(tmp_path / "root", config)
    assert outcome.ok, outcome.stderr
    lock = (tmp_path / "root/.terraform.lock.hcl").read_text()
    assert f'provider "{TOFU_HOST}/acme/tiny"' in lock
    assert package_hash(place) in lock
    assert tofu_init(tmp_path / "root", config, "-lockfile=readonly").ok


@pytest.mark.parametrize(
    ("locked", "lent"),
    [({}, True), ({"1.2.3": ["HASH"]}, True), ({"1.2.3": ["h1:another"]}, False), ({"1.0.0": ["h1:another"]}, True)],
)
def test_a_package_that_the_lock_file_does_not_know_is_not_lent(
    tmp_path: Path, locked: dict[str, list[str]], lent: bool
) -> None:
    place = package(tmp_path / "m", f"{HOST}/acme/tiny", "1.2.3")
    known = {version: [each.replace("HASH", package_hash(place)) for each in locked[version]] for version in locked}
    made = lend_packages([tmp_path / "m"], tmp_path / "lent", {f"{TOFU_HOST}/acme/tiny": known})
    assert providers_in(made) == ((f"{TOFU_HOST}/acme/tiny",) if lent else ())


def test_what_a_mirror_has_for_opentofu_itself_is_left_alone(tmp_path: Path) -> None:
    package(tmp_path / "m", f"{HOST}/acme/tiny", "1.2.3")
    package(tmp_path / "m", f"{HOST}/acme/other", "1.0.0")
    package(tmp_path / "n", f"{TOFU_HOST}/acme/tiny", "1.2.2")
    (tmp_path / "m" / HOST / f"acme/tiny/terraform-provider-tiny_2.0.0_{os_arch()}.zip").write_bytes(b"PK")
    made = lend_packages([tmp_path / "m", tmp_path / "n"], tmp_path / "lent", {})
    assert providers_in(made) == (f"{TOFU_HOST}/acme/other",)


def test_opentofus_own_settings_come_first(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    for name in (".tofurc", ".terraformrc", "../xdg/opentofu/tofurc"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(f'credentials "{name.rpartition("/")[2].lstrip(".")}.example" {{}}\n')
    read = []
    for name in (".tofurc", ".terraformrc", "../xdg/opentofu/tofurc"):
        read.append(cli_config(environ, tmp_path / "out", home, (), tofu={}).path.read_text())
        (home / name).unlink()
    assert ["terraformrc" in text for text in read] == [False, True, False]
    assert all("tofurc" in text for text in (read[0], read[2]))
