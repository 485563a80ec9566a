"""What init has to download in an emulated environment comes from where it really is, past the emulated cloud."""

from __future__ import annotations

import ipaddress
import json
import os
import ssl
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cloud import boto3_client
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pytest_tfpipeline.context import Context, open_context
from pytest_tfpipeline.emulator import Emulator
from pytest_tfpipeline.model import Repository, Root, Run, Target
from pytest_tfpipeline.terraform.init import ensure_init
from pytest_tfpipeline.tools.mirrors import os_arch
from pytest_tfpipeline.workspace import prepare_output

CORE = Target("core", "staging", backend_local=True, emulated=True)
STATE_IN_BUCKET = Target("core", "staging", emulated=True)
Serve = Callable[..., int]


class Quiet(SimpleHTTPRequestHandler):
    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Nothing."""


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serves a directory on loopback; gives the port."""
    servers: list[ThreadingHTTPServer] = []

    def start(path: Path, context: ssl.SSLContext | None = None) -> int:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(path)))
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return int(server.server_address[1])

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def context_of(tmp_path: Path) -> Callable[..., Context]:
    """A run over one root of that text, in an environment with these variables of the emulator."""

    def make(text: str, emulator: dict[str, str], cli: Path | None = None, target: Target = CORE) -> Context:
        main = tmp_path / "repo" / "core" / "main.tf"
        main.parent.mkdir(parents=True)
        main.write_text(text)
        output = prepare_output(tmp_path / "output")
        files = output / "files.json"
        files.write_text(json.dumps({"core/main.tf": ""}))
        return open_context(
            Run(
                "r",
                "plan",
                Repository(str(tmp_path / "repo"), roots=(Root("core", "core", "core/main.tf"),)),
                str(output),
                str(output),
                targets=(target,),
                files_path=str(files),
                process_env={"staging": emulator},
                cli_config_path=str(cli or ""),
            )
        )

    return make


def test_a_module_is_fetched_past_the_emulated_cloud(
    shared: Emulator, serve: Serve, context_of: Callable[..., Context], tmp_path: Path
) -> None:
    bare = tmp_path / "served" / "lake.git"
    _publish(tmp_path / "module", bare)
    port = serve(bare.parent)
    # The server plays one on the internet: to the emulated cloud, loopback is no exception here.
    strict = {**shared.process_env, "NO_PROXY": "", "no_proxy": ""}
    source = f"git::http://127.0.0.1:{port}/lake.git"
    assert not _cloned(source, strict, tmp_path), "the emulated cloud lets nothing out, so it has to be gone past"
    ctx = context_of(f'module "lake" {{\n  source = "{source}"\n}}\n', strict)
    result = ensure_init(ctx, "core", "staging")
    assert result.ok, [one.text for one in result.findings]
    assert (Path(result.cwd) / ".terraform/modules/lake/main.tf").is_file()


def test_a_provider_is_fetched_past_the_emulated_cloud(
    shared: Emulator,
    serve: Serve,
    context_of: Callable[..., Context],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context, authority = _certificate(tmp_path)
    port = serve(_mirror(tmp_path / "mirror"), context)
    cli = tmp_path / "terraform.rc"
    cli.write_text(f'provider_installation {{\n  network_mirror {{\n    url = "https://127.0.0.1:{port}/"\n  }}\n}}\n')
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    text = 'terraform {\n  required_providers {\n    fake = { source = "example.com/acme/fake" }\n  }\n}\n'
    ctx = context_of(text, {**shared.process_env, "SSL_CERT_FILE": os.devnull}, cli)
    result = ensure_init(ctx, "core", "staging")
    assert result.ok, [one.text for one in result.findings]
    assert list(Path(result.cwd).glob(".terraform/providers/example.com/acme/fake/1.0.0/*/terraform-provider-fake*"))
    assert (Path(result.cwd) / ".terraform/terraform.tfstate").is_file(), "and the backend is configured"


def test_a_provider_is_fetched_past_the_emulated_cloud_where_the_state_is_kept_there(
    shared: Emulator,
    serve: Serve,
    context_of: Callable[..., Context],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What init remembers of a backend must not lead the one that fetches to the real cloud."""
    context, authority = _certificate(tmp_path)
    port = serve(_mirror(tmp_path / "mirror"), context)
    cli = tmp_path / "terraform.rc"
    cli.write_text(f'provider_installation {{\n  network_mirror {{\n    url = "https://127.0.0.1:{port}/"\n  }}\n}}\n')
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    boto3_client("s3", shared.process_env).create_bucket(Bucket="kept-states")
    ctx = context_of(_IN_BUCKET, {**shared.process_env, "SSL_CERT_FILE": os.devnull}, cli, STATE_IN_BUCKET)
    result = ensure_init(ctx, "core", "staging")
    assert result.ok, [one.text for one in result.findings]
    assert list(Path(result.cwd).glob(".terraform/providers/example.com/acme/fake/1.0.0/*/terraform-provider-fake*"))
    remembered = json.loads((Path(result.cwd) / ".terraform/terraform.tfstate").read_bytes())
    assert remembered["backend"]["type"] == "s3", "and the backend is configured"


_IN_BUCKET = """
terraform {
  backend "s3" {
    bucket = "kept-states"
    key    = "core.tfstate"
    region = "us-east-1"
  }
  required_providers {
    fake = { source = "example.com/acme/fake" }
  }
}
"""


def test_a_configuration_that_is_wrong_is_not_tried_again_past_the_emulated_cloud(
    shared: Emulator, context_of: Callable[..., Context]
) -> None:
    """It would say more than there is: that there are no credentials, for one."""
    boto3_client("s3", shared.process_env).create_bucket(Bucket="kept-states")
    ctx = context_of(f'{_IN_BUCKET}\nresource "terraform_data" "x" {{\n', shared.process_env, None, STATE_IN_BUCKET)
    result = ensure_init(ctx, "core", "staging")
    assert [one.text.splitlines()[0] for one in result.findings] == ["Unclosed configuration block"]


def test_what_cannot_be_had_anywhere_is_said_as_without_an_emulator(
    shared: Emulator, context_of: Callable[..., Context]
) -> None:
    text = 'terraform {\n  required_providers {\n    fake = { source = "127.0.0.1:9/acme/fake" }\n  }\n}\n'
    result = ensure_init(context_of(text, shared.process_env), "core", "staging")
    assert not result.ok
    assert "127.0.0.1:9/acme/fake" in result.findings[0].text
    assert "emulated" not in result.findings[0].text


def _git(*words: str, cwd: Path) -> bool:
    return subprocess.run(["git", *words], cwd=cwd, capture_output=True, timeout=60, check=False).returncode == 0


def _publish(module: Path, bare: Path) -> None:
    """A git repository with a module, as files that any web server can serve."""
    module.mkdir()
    bare.parent.mkdir()
    (module / "main.tf").write_text('resource "terraform_data" "inner" {}\n')
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for words in (
        ("init", "-q"),
        ("add", "-A"),
        (*identity, "commit", "-qm", "x"),
        ("clone", "-q", "--bare", ".", str(bare)),
    ):
        assert _git(*words, cwd=module)
    assert _git("update-server-info", cwd=bare)


def _cloned(source: str, env: dict[str, str], where: Path) -> bool:
    argv = ["git", "clone", "-q", source.removeprefix("git::"), "cloned"]
    inherited = {**os.environ, **env}
    return subprocess.run(argv, cwd=where, env=inherited, capture_output=True, timeout=60, check=False).returncode == 0


def _mirror(path: Path) -> Path:
    """A network mirror (terraform's provider mirror protocol) with one provider, which nobody starts."""
    folder = path / "example.com" / "acme" / "fake"
    folder.mkdir(parents=True)
    (folder / "index.json").write_text(json.dumps({"versions": {"1.0.0": {}}}))
    (folder / "1.0.0.json").write_text(json.dumps({"archives": {os_arch(): {"url": "fake.zip"}}}))
    with zipfile.ZipFile(folder / "fake.zip", "w") as archive:
        archive.writestr("terraform-provider-fake_v1.0.0", "#!/bin/sh\n")
    return path


def _certificate(path: Path) -> tuple[ssl.SSLContext, Path]:
    """A certificate for loopback that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    authority, both = path / "authority.pem", path / "both.pem"
    authority.write_bytes(certificate.public_bytes(Encoding.PEM))
    both.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, authority
