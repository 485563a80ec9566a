"""Fetch terraform, OpenTofu and tflint from their releases, or from a mirror laid out like them, checked by checksum.

A mirror (`TFPIPELINE_RELEASES_MIRROR`, an https URL or a file URL or directory) has the same paths below it as the
releases have below their host: `terraform/1.11.4/terraform_1.11.4_linux_amd64.zip` and
`terraform-linters/tflint/releases/download/v0.62.0/tflint_linux_amd64.zip`, each beside its list of checksums.
"""

from __future__ import annotations

import hashlib
import io
import os
import socket
import threading
import urllib.request
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from pytest_tfpipeline.errors import ToolError
from pytest_tfpipeline.tools.mirrors import os_arch

#: Where releases are mirrored.
RELEASES_VARIABLE = "TFPIPELINE_RELEASES_MIRROR"
#: Seconds to wait for a connection (a dead name server included), and for each part of an answer.
CONNECT_TIMEOUT = 5.0
_READ_TIMEOUT = 30.0
_MAX_BYTES = 600_000_000


class Unreachable(ToolError):
    """The releases cannot be reached: the one failure after which another source may be tried."""


@dataclass(frozen=True, slots=True)
class Release:
    """An archive and the list of checksums beside it, as paths below `host`."""

    host: str
    archive: str
    checksums: str


def release(name: str, version: str) -> Release:
    """Where that version of terraform, tofu or tflint is published, for this machine."""
    if name == "terraform":
        start = f"terraform/{version}/terraform_{version}"
        return Release("https://releases.hashicorp.com", f"{start}_{os_arch()}.zip", f"{start}_SHA256SUMS")
    if name == "tofu":
        start = f"opentofu/opentofu/releases/download/v{version}/tofu_{version}"
        return Release("https://github.com", f"{start}_{os_arch()}.zip", f"{start}_SHA256SUMS")
    base = f"terraform-linters/tflint/releases/download/v{version}"
    return Release("https://github.com", f"{base}/tflint_{os_arch()}.zip", f"{base}/checksums.txt")


def download_release(
    name: str, version: str, target: Path, environ: Mapping[str, str], progress: Callable[[str], None]
) -> None:
    """Put the program `name` into the directory `target`.

    Raises ToolError where it cannot be had or its checksum is not the published one.
    """
    what = release(name, version)
    host = environ.get(RELEASES_VARIABLE) or what.host
    base = host if "://" in host else Path(host).absolute().as_uri()
    progress(f"downloading {name} {version} from {base}")
    sums = fetch(f"{base.rstrip('/')}/{what.checksums}").decode("utf-8", "replace")
    url = f"{base.rstrip('/')}/{what.archive}"
    expected = _expected(sums, url)
    archive = fetch(url)
    if hashlib.sha256(archive).hexdigest() != expected:
        raise ToolError("its SHA-256 is not the published one; it was not used", where=url)
    _unpack(archive, name, target, url)


def fetch(url: str) -> bytes:
    """What is at an https or file URL. Raises ToolError; Unreachable, in seconds, where nothing answers."""
    parts = urlsplit(url)
    if parts.scheme not in {"https", "file"}:
        raise ToolError("only https and file URLs are downloaded from", where=url)
    _probe(url)
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.FileHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    try:
        answer = opener.open(url, timeout=_READ_TIMEOUT)
        with answer:
            body: bytes = answer.read(_MAX_BYTES + 1)
    except (OSError, HTTPException, ValueError) as error:
        raise Unreachable(f"it cannot be downloaded: {_why(error)}", where=url) from None
    if len(body) > _MAX_BYTES:
        raise ToolError(f"it is larger than {_MAX_BYTES} bytes; it was not used", where=url)
    return body


def _probe(url: str) -> None:
    """Fail early where no connection can be made: looking up a name has no timeout of its own."""
    parts = urlsplit(url)
    if parts.scheme == "file" or "https" in urllib.request.getproxies():
        return
    failures = [f"no answer within {CONNECT_TIMEOUT:.0f} s"]

    def connect() -> None:
        try:
            socket.create_connection((parts.hostname or "", parts.port or 443), CONNECT_TIMEOUT).close()
            failures.clear()
        except OSError as error:
            failures[:] = [_why(error)]

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(CONNECT_TIMEOUT)
    if failures:
        raise Unreachable(f"it cannot be reached: {failures[0]}", where=url)


def _why(error: Exception) -> str:
    """The reason in the system's words, without the wrapping of the libraries in between."""
    inner = getattr(error, "reason", error)
    return (isinstance(inner, OSError) and inner.strerror) or str(error)


def _expected(sums: str, url: str) -> str:
    """The published checksum of the file at `url`, from lines of `checksum  name`."""
    name = url.rsplit("/", 1)[1]
    for line in sums.splitlines():
        words = line.split()
        if len(words) == 2 and words[1].lstrip("*") == name:
            return words[0].lower()
    raise ToolError("the release's list of checksums does not name it", where=url)


def _unpack(archive: bytes, name: str, target: Path, url: str) -> None:
    """Only the one member with the program's name is read, so no path in the archive can lead anywhere."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as packed:
            if packed.getinfo(name).file_size > _MAX_BYTES:
                raise ToolError(f"the program in it is larger than {_MAX_BYTES} bytes", where=url)
            program = packed.read(name)
    except (zipfile.BadZipFile, KeyError) as error:
        raise ToolError(f"it is not an archive that holds {name}: {error}", where=url) from None
    descriptor = os.open(target / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755)
    with open(descriptor, "wb") as file:
        file.write(program)
