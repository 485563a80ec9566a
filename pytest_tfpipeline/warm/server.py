"""checkov's process: imports it once, then forks for each call. Runs in checkov's own interpreter, of which it uses
the standard library, checkov and remembered.py beside it: `python -I server.py --listen FD`.

A client connects to the listening unix socket, sends a length (4 bytes, big endian) and as many bytes of JSON
(`{argv, cwd, env}`), together with the descriptors of the call's stdout and stderr. It gets `{"code": N, "seconds": S}`
back, where N is negative for a signal as in `subprocess`. When it closes the connection before, the call is ended with
everything that it has started. The end of stdin ends the server. Each call is a fork: it inherits what was imported,
and leaves nothing behind.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import logging
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
import warnings
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

#: The largest request: a command line and an environment.
_MAX_REQUEST = 1 << 20
#: Bytes of memory that a call may take beyond what was imported.
_MEMORY = 6 << 30
#: Read by checkov where it is imported, and different for each call.
_IGNORED = "CKV_IGNORED_DIRECTORIES"
_BASE_RUNNER = "checkov.common.runners.base_runner"
_PARSER = "checkov.terraform.parser_utils"
_CHECKS = "checkov.common.checks_infra.registry"
_GRAMMARS = "ply.yacc"
_RENDERING = "checkov.terraform.graph_builder.variable_rendering"
_EVALUATOR, _FUNCTIONS = f"{_RENDERING}.evaluate_terraform", f"{_RENDERING}.safe_eval_functions"
#: It has a name of its own for what evaluates.
_LOOPS = "checkov.terraform.graph_builder.foreach.abstract_handler"
#: A plan is policed with the checks of the configuration.
_KINDS = ("terraform",)
#: By which a call may bring checks of its own.
_SETTINGS = "--config-file"
#: A little of everything that the parser knows.
_SAMPLE = """
# a
locals {
  a = 1.5 + -2 * (3 % 2)
  b = !true && false || null != "x${local.a}y"
  c = [for k, v in { "a" = 1, b : 2 } : upper(k) if v > 1]
  d = { for k in ["a"] : k => k... }
  e = local.c[0] == 1 ? local.c[*].x : var.y.0
  f = <<EOT
text
EOT
  g = <<-EOT
    text
  EOT
}

/* b */
resource "a" b {
  dynamic "c" {
    for_each = f(1, [2]...)
    content {}
  }
}
"""


def main() -> NoReturn:
    """Serve until stdin ends."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--listen", type=int, required=True)
    listener = socket.socket(fileno=parser.parse_args().listen)
    gc.disable()  # nothing of what is imported is garbage: looking for it is a fourth of the import's time
    _import()
    gc.freeze()  # a call's garbage collector leaves it alone, and its pages stay shared
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)  # nobody reads on
    _Server(listener).serve()
    os._exit(0)  # taking apart what was imported would take seconds


def _import() -> None:
    import_module("checkov.main")
    base_runner = import_module(_BASE_RUNNER)
    if base_runner.ignored_directories != os.environ[_IGNORED].split(","):
        raise RuntimeError(f"this checkov does not read {_IGNORED} as expected")
    with suppress(Exception):  # only time is lost without it
        _read_ahead()


def _read_ahead() -> None:
    """What every call would make anew, always the same: the parsers' tables, and the checks that checkov ships."""
    grammars = vars(import_module(_GRAMMARS))
    grammars["yacc"] = _remembered().built_once(grammars["yacc"])
    import_module(_PARSER).hcl2.loads(_SAMPLE)
    for kind in _KINDS:
        import_module(_CHECKS).get_graph_checks_registry(kind).load_checks()


@cache
def _remembered() -> ModuleType:
    """remembered.py, loaded before the first fork: there is no package around this program."""
    spec = importlib.util.spec_from_file_location("remembered", Path(__file__).with_name("remembered.py"))
    if spec is None or spec.loader is None:
        raise ImportError("remembered.py is not beside this program")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _remember() -> None:
    """What a call would work out many times; and no debug log, which nobody reads and a large root writes much of."""
    remembered, evaluator, loops = _remembered(), import_module(_EVALUATOR), import_module(_LOOPS)
    once = remembered.evaluated_once(evaluator.evaluate_terraform, import_module(_FUNCTIONS).SAFE_EVAL_DICT)
    for module in (evaluator, loops):
        vars(module)["evaluate_terraform"] = once
    os.path.realpath = remembered.resolved_once(os.path.realpath)
    logging.disable(logging.DEBUG)


def _forget_checks() -> None:
    """A call with settings may bring checks with the ids of shipped ones, and they come first."""
    for kind in _KINDS:
        registry = import_module(_CHECKS).get_graph_checks_registry(kind)
        registry.checks.clear()
        registry.internal_checks_dir_loaded = False


class _Server:
    """One process, one thread: a fork of a process with threads could not be trusted."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._calls: dict[int, socket.socket] = {}
        self._started: dict[int, float] = {}
        self._wake, write = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(write, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)

    def serve(self) -> None:
        stdin = sys.stdin.fileno()
        while True:
            readable, _, _ = select.select([self._listener, self._wake, stdin, *self._calls.values()], [], [])
            if stdin in readable:
                break
            if self._wake in readable:
                os.read(self._wake, 4096)
            self._answer()
            self._abandon(readable)
            if self._listener in readable:
                self._accept()
        for pid in self._calls:
            _kill(pid)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        try:
            request, descriptors = _receive(connection)
        except (OSError, ValueError):
            connection.close()
            return
        pid = os.fork()
        if pid == 0:
            self._become(connection, request, descriptors)
        self._calls[pid], self._started[pid] = connection, time.monotonic()
        for descriptor in descriptors:
            os.close(descriptor)

    def _become(self, connection: socket.socket, request: dict[str, Any], descriptors: list[int]) -> NoReturn:
        """In the fork: the call itself, which never returns."""
        code = 70
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            for other in (self._listener, connection, *self._calls.values()):
                other.close()
            code = _call(request, descriptors)
        finally:
            os._exit(code)

    def _answer(self) -> None:
        """Tell the clients of calls that have ended."""
        while self._calls:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                return
            _kill(
                ended.si_pid
            )  # what the call started must not outlive it; its id is nobody else's until it is waited for
            _, status = os.waitpid(ended.si_pid, 0)
            seconds = time.monotonic() - self._started.pop(ended.si_pid)
            with self._calls.pop(ended.si_pid) as connection:
                _send(connection, os.waitstatus_to_exitcode(status), seconds)

    def _abandon(self, readable: list[Any]) -> None:
        """End the calls whose clients have gone."""
        for pid, connection in self._calls.items():
            if connection in readable:
                _kill(pid)


def _receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    connection.settimeout(10)
    first, descriptors, _, _ = socket.recv_fds(connection, 4, 2)
    (size,) = struct.unpack(">I", first)
    if size > _MAX_REQUEST or len(descriptors) != 2:
        raise ValueError("not a request")
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ValueError("cut short")
        data += more
    request: dict[str, Any] = json.loads(data)
    return request, descriptors


def _send(connection: socket.socket, code: int, seconds: float) -> None:
    with suppress(OSError):  # the client has gone
        connection.sendall(json.dumps({"code": code, "seconds": seconds}).encode())


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _call(request: dict[str, Any], descriptors: list[int]) -> int:
    """checkov with these arguments, as its own program runs it; gives the exit code."""
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (descriptors[0], 1), (descriptors[1], 2)):
        os.dup2(source, target)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = request["argv"]
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, hard))
    try:
        code = _run()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return code


def _run() -> int:
    base_runner, checkov = import_module(_BASE_RUNNER), import_module("checkov.main")
    gc.enable()
    if _SETTINGS in sys.argv:
        _forget_checks()
    with suppress(Exception):  # only time is lost without it
        _remember()
    base_runner.ignored_directories[:] = os.environ.get(_IGNORED, "").split(",")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=SyntaxWarning)
        try:
            code = checkov.Checkov(sys.argv[1:]).run()
        except SystemExit as ending:
            code = ending.code if isinstance(ending.code, int | None) else 1
    return code or 0


if __name__ == "__main__":
    main()
