"""A provider that behaves strangely for whoever is not terraform itself, in front of the real one."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path

from packages import BUILT, HOST, build

from pytest_tfpipeline.tools.mirrors import os_arch

#: terraform gives its providers a certificate, and nobody else does.
_PROGRAM = """#!/bin/sh
if [ -z "$PLUGIN_CLIENT_CERT" ]; then
  echo ours >>'{log}'
  {behaviour}
else
  echo plainly >>'{log}'
fi
exec '{real}' "$@"
"""
_SILENT = """
import socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print(f"1|5|unix|{sys.argv[1]}|grpc|", flush=True)
sys.stdin.read()
"""
#: Passes on what it is asked: until it is asked about a resource, or by the names of the other protocol.
_PASSING_ON = """
import os, sys, tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import grpc
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.warm.plugin_process import ProviderProcess
from pytest_tfpipeline.warm.proxy import Schemas, Upstream

# A socket's path has 107 characters at most: not in the test's own directory.
place = Path(tempfile.mkdtemp(dir=os.environ["PLUGIN_UNIX_SOCKET_DIR"]))
real = ProviderProcess(Runner(), sys.argv[1], place, os.environ, place)
upstream = Upstream(real.address, Schemas())
six = sys.argv[2] == "six"
named = {
    "GetProviderSchema": "GetSchema",
    "ValidateProviderConfig": "PrepareProviderConfig",
    "ValidateResourceConfig": "ValidateResourceTypeConfig",
    "ValidateDataResourceConfig": "ValidateDataSourceConfig",
    "ConfigureProvider": "Configure",
    "StopProvider": "Stop",
}

class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, context: self.answer(details.method, request))

    def answer(self, method, request):
        if method.startswith("/plugin."):
            os.killpg(real.pid, 9)
            os._exit(0)
        if six:
            service, _, name = method.rpartition("/")
            return upstream.call(service.replace("tfplugin6", "tfplugin5") + "/" + named.get(name, name), request)
        if "Validate" in method or "Configure" in method:
            os.killpg(real.pid, 9)
            os._exit(1)
        return upstream.call(method, request)

server = grpc.server(ThreadPoolExecutor(8), handlers=[Handler()])
server.add_insecure_port(f"unix:{place}/s")
server.start()
print(f"1|{6 if six else real.protocol}|unix|{place}/s|grpc|", flush=True)
server.wait_for_termination()
"""
LOCK = """provider "registry.terraform.io/hashicorp/time" {{
  version     = "0.14.2"
  constraints = "0.14.2"
  hashes = [
    "{hash}",
  ]
}}
"""
#: Of one that is asked by nobody else: it says who it is.
NAMED = "echo $$ >>'{place}/pids'"
#: What it does, in a shell, by what that is called.
BEHAVIOURS = {
    "it ends at once": "exit 1",
    "only two of it can be started": "[ \"$(grep -c ours '{place}/started')\" -lt 3 ] || exit 1",
    "it says nonsense": "echo nonsense",
    "its protocol is unknown": "echo '1|7|unix|/nowhere|grpc|'; exec sleep 60",
    "it speaks TLS": "echo '1|5|unix|/nowhere|grpc|MIIB'; exec sleep 60",
    "it listens nowhere": "echo '1|5|unix|/nowhere|grpc|'; exec sleep 60",
    "it does not answer": "exec '{python}' '{place}/silent.py' \"$PLUGIN_UNIX_SOCKET_DIR/$$\"",
    "it dies in a call": "exec '{python}' '{place}/passing.py' '{real}' dying",
    "it speaks protocol 6": "exec '{python}' '{place}/passing.py' '{real}' six",
}


def strange_mirror(place: Path, behaviour: str) -> Path:
    """A mirror at `place` with a `time` that behaves so; `started(place)` says who has started it."""
    name, version, module = BUILT[1]
    package = place / HOST / "hashicorp" / name / version / os_arch()
    package.mkdir(parents=True)
    (place / "silent.py").write_text(_SILENT)
    (place / "passing.py").write_text(_PASSING_ON)
    real = str(build(module))
    words = behaviour.format(python=sys.executable, place=place, real=real)
    program = package / f"terraform-provider-{name}_v{version}"
    program.write_text(_PROGRAM.format(log=place / "started", behaviour=words, real=real))
    program.chmod(0o755)
    return place


def started(place: Path) -> list[str]:
    """`ours` or `plainly`, for each start."""
    log = place / "started"
    return log.read_text().split() if log.exists() else []


def installed(path: Path, mirror: Path) -> Path:
    """A root in which init has put the package in place."""
    place = path / "root" / ".terraform" / "providers" / HOST / "hashicorp" / "time" / "0.14.2"
    place.mkdir(parents=True)
    (place / os_arch()).symlink_to(mirror / HOST / "hashicorp" / "time" / "0.14.2" / os_arch())
    (path / "root" / ".terraform.lock.hcl").write_text(LOCK.format(hash="h1:a"))
    return path / "root"


def pids(mirror: Path) -> list[int]:
    return [int(line) for line in (mirror / "pids").read_text().split()]


def all_ended(processes: list[int]) -> bool:
    """Closes them."""
    ended = [bool(select.select([process], [], [], 60)[0]) for process in processes]
    for process in processes:
        os.close(process)
    return all(ended)
