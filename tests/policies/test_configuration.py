"""How the Terraform itself is written: state, versions, modules, providers."""

import re

import pytest

# `~> 5.1`, `>= 5.1, < 6`, `= 5.1` or `5.1`; not `>= 5.1`.
BOUNDED = re.compile(r"~>|<|^\s*=?\s*\d")


def settings(tf_configuration, name):
    """The nested blocks of that name in all `terraform` blocks."""
    return [inner for block in tf_configuration.blocks("terraform") for inner in block.body.get(name, [])]


@pytest.mark.tf_policy(id="STATE-S3", severity="error", roots="terraform/*")
def test_state_is_encrypted_and_locked(tf_configuration):
    backends = settings(tf_configuration, "backend")
    # A module configures no provider, and has no state of its own.
    assert backends or not tf_configuration.blocks("provider"), "add a backend, or the state is lost with the machine"
    for backend in backends:
        s3 = backend.get("s3")
        assert s3, f"state belongs into S3, not into {list(backend)}"
        assert s3.get("encrypt") is True, "set encrypt = true"
        assert s3.get("use_lockfile") is True, "set use_lockfile = true, or two applies can meet"
        assert not {"access_key", "secret_key", "token"} & set(s3), "credentials come from the environment"


@pytest.mark.tf_policy(id="STATE-KEY", severity="error", roots="terraform/*")
def test_state_is_named_after_its_root(tf_configuration):
    keys = [backend["s3"]["key"] for backend in settings(tf_configuration, "backend")]
    name = tf_configuration.root.rstrip("/").rsplit("/", 1)[-1]
    assert keys in ([], [f"{name}/terraform.tfstate"]), "a copied root would overwrite the other one's state"


@pytest.mark.tf_policy(id="VERSIONS", severity="error", roots="terraform/**")
def test_terraform_and_providers_have_an_upper_bound(tf_configuration):
    versions = {
        f"{block.file}:{block.line}": block.body.get("required_version", "")
        for block in tf_configuration.blocks("terraform")
    }
    assert versions, "add a terraform block with required_version"
    for providers in settings(tf_configuration, "required_providers"):
        versions |= {name: provider.get("version", "") for name, provider in providers.items()}
    unbounded = {what: version for what, version in versions.items() if not BOUNDED.search(version)}
    assert not unbounded, f"say up to which version: {unbounded}"


@pytest.mark.tf_policy(id="MODULES-LOCAL", severity="error", roots="terraform/**")
def test_modules_come_from_this_repository(tf_configuration):
    foreign = [
        f"{block.file}:{block.line}"
        for block in tf_configuration.blocks("module")
        if not block.body["source"].startswith(("./", "../"))
    ]
    assert not foreign, f"what is applied is what was reviewed here: {foreign}"


@pytest.mark.tf_policy(id="NO-PROVISIONERS", severity="error", roots="terraform/**")
def test_nothing_runs_beside_the_plan(tf_configuration):
    hidden = [
        f"{block.file}:{block.line}"
        for block in tf_configuration.blocks("resource")
        if "provisioner" in block.body or block.labels[0] == "null_resource"
    ]
    hidden += [f"{block.file}:{block.line}" for block in tf_configuration.blocks("data", type="external")]
    assert not hidden, f"what a provisioner does is in no plan: {hidden}"


@pytest.mark.tf_policy(id="PROVIDER-REAL", severity="error", roots="terraform/*")
def test_no_provider_is_told_to_look_away(tf_configuration):
    for block in tf_configuration.blocks("provider", type="aws"):
        told = {name for name in block.body if name.startswith("skip_") or name in ("endpoints", "access_key")}
        assert not told, f"{block.file}:{block.line}: {sorted(told)} does not belong into what production runs"


@pytest.mark.tf_policy(id="DOCUMENTED", severity="warning", roots="terraform/**")
def test_variables_and_outputs_are_described(tf_configuration):
    silent = [
        f"{kind}.{block.labels[0]}"
        for kind in ("variable", "output")
        for block in tf_configuration.blocks(kind)
        if not block.body.get("description")
    ]
    assert not silent, f"say what it is for: {silent}"
