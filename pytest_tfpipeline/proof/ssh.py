"""Signatures with SSH keys, made and verified by `ssh-keygen -Y`: offline, and with the keys that people have.

A signature is one of a *namespace*: what was signed as evidence cannot pass for an approval. Who may sign is said by an
OpenSSH `allowed_signers` file; its options `namespaces`, `valid-after` and `valid-before` hold. Times in it without a Z
are taken as UTC, wherever it is read.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pytest_tfpipeline.errors import ProofError, ToolError
from pytest_tfpipeline.process import Outcome, Request, Runner
from pytest_tfpipeline.proof.allowed import is_pattern
from pytest_tfpipeline.proof.strict import read_bytes
from pytest_tfpipeline.workspace import write_private

EVIDENCE_NAMESPACE = "tfpipeline-evidence"

#: Bytes at most: of a signature (16,384 bit keys make 6 KiB), of a list of signers, and of a key file.
_SIGNATURE_LIMIT = 64 * 2**10
_SIGNERS_LIMIT = 2**20
#: Seconds: a key on a device waits to be touched.
_SIGN_TIMEOUT = 60.0
_VERIFY_TIMEOUT = 20.0
_GRACE = 2.0
#: What `ssh-keygen` inherits: where it is, and the agent that may hold the key. Nothing that asks or shows.
_KEPT = ("PATH", "SSH_AUTH_SOCK")
_FIXED = {"LC_ALL": "C", "TZ": "UTC", "SSH_ASKPASS_REQUIRE": "never"}
_GOOD = re.compile(r'Good "[^"\n]*" signature for [^\n]* with \S+ key (SHA256:[A-Za-z0-9+/]{43})\n?')
_NOT_PLAIN = re.compile(rb"[^ -~\r\n\t]")

_MEND_LOCKED = "add the key to an agent (ssh-add KEY) and name its .pub file, or use a key without a passphrase"
_MENDS = (
    ("passphrase", "it has a passphrase, and there is nobody to ask for it", _MEND_LOCKED),
    ("too open", "others may read it, so ssh-keygen does not use it", "chmod 600 the key file"),
    ("No private key found", "its private key is neither beside it nor in an agent", "ssh-add the private key"),
    ("Couldn't load public key", "it is no SSH key", "make one: ssh-keygen -t ed25519 -N '' -f FILE"),
)
_MEND_KEY = "name a private key file, or the .pub file of a key that the agent holds"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that was verified: whose (`principal`, as the list of signers names them), and with which key.

    `key` is its fingerprint, `SHA256:...`.
    """

    principal: str
    key: str

    def __str__(self) -> str:
        return f"{self.principal} ({self.key})"


def sign(runner: Runner, key: Path, file: Path, namespace: str) -> Path:
    """Sign the file's bytes; writes `FILE.sig` (mode 0600), whole or not at all, and returns it.

    `key` is a private key file, or a `.pub` whose key an agent holds. Raises ProofError where it cannot be used; never
    asks for a passphrase.
    """
    if not key.is_file():
        raise ProofError("is not there, or not a file", where=str(key), mend=_MEND_KEY)
    data = read_bytes(file)
    argv = ("ssh-keygen", "-Y", "sign", "-f", str(key.absolute()), "-n", namespace)
    done = _run(runner, argv, file.absolute().parent, data, _SIGN_TIMEOUT)
    if not done.ok or not done.stdout.startswith("-----BEGIN SSH SIGNATURE-----"):
        raise _unusable(key, done)
    return write_private(file.with_name(file.name + ".sig"), done.stdout)


def try_key(runner: Runner, key: Path) -> None:
    """Sign something with the key that nobody keeps; raises as `sign` does."""
    with tempfile.TemporaryDirectory(prefix="tfpipeline-sign-") as folder:
        sign(runner, key, write_private(Path(folder) / "trial", "trial\n"), EVIDENCE_NAMESPACE)


def verify(
    runner: Runner, data: bytes, signature: Path, signers: Path, namespace: str, now: datetime | None = None
) -> Signature:
    """Who signed exactly these bytes, in this namespace, by the list of `signers`.

    `now` (aware; default: now) is the time at which the key must be valid. Raises ProofError where the signature or the
    list cannot be read, or the signature is not one by somebody in the list.
    """
    texts = (read_bytes(signature, limit=_SIGNATURE_LIMIT), read_signers(signers))
    if not texts[0].startswith(b"-----BEGIN SSH SIGNATURE-----") or _NOT_PLAIN.search(texts[0]):
        raise _no_signature(signature)
    moment = (now or datetime.now(UTC)).astimezone(UTC).strftime("%Y%m%d%H%M%S")
    # ssh-keygen reads copies of what was read here, so that both of its calls see the same.
    with tempfile.TemporaryDirectory(prefix="tfpipeline-verify-") as folder:
        work = Path(folder)
        write_private(work / "signature", texts[0])
        write_private(work / "signers", texts[1])
        asked = _Asked(runner, work, data, namespace, moment)
        return _find(asked, signature, signers)


def _no_signature(signature: Path) -> ProofError:
    return ProofError("is not an SSH signature", where=str(signature), mend="sign again: ssh-keygen -Y sign")


def read_signers(signers: Path) -> bytes:
    """The list of signers as it is. Raises ProofError where it cannot be read, or holds no line with a key."""
    data = read_bytes(signers, limit=_SIGNERS_LIMIT)
    lines = (line.strip() for line in data.splitlines())
    if b"\0" in data or not any(line and not line.startswith(b"#") for line in lines):
        mend = 'write a line for each signer: NAME namespaces="..." KEYTYPE KEY (see ssh-keygen, ALLOWED SIGNERS)'
        raise ProofError("names nobody", where=str(signers), mend=mend)
    return data


@dataclass(frozen=True, slots=True)
class _Asked:
    """One verification. `work` holds the files `signature` and `signers`; `moment` is in UTC, as ssh-keygen has it."""

    runner: Runner
    work: Path
    data: bytes
    namespace: str
    moment: str

    def ssh_keygen(self, *words: str, data: bytes = b"") -> Outcome:
        files = ("-f", "signers", "-s", "signature")
        argv = ("ssh-keygen", "-Y", words[0], "-O", f"verify-time={self.moment}", *files, *words[1:])
        return _run(self.runner, argv, self.work, data, _VERIFY_TIMEOUT)


def _find(asked: _Asked, signature: Path, signers: Path) -> Signature:
    """The first of the names that the key's first valid line has, for which the signature is good by any line."""
    named = asked.ssh_keygen("find-principals")
    principals = named.stdout.splitlines() if named.ok else []
    patterns = [name for name in principals if is_pattern(name)]
    said = [named.stderr]
    for principal in dict.fromkeys(principals):
        if principal in patterns:
            continue
        done = asked.ssh_keygen("verify", "-I", principal, "-n", asked.namespace, data=asked.data)
        good = _GOOD.fullmatch(done.stdout)
        if done.ok and good:
            return Signature(principal, good[1])
        said.append(done.stderr)
    raise _refusal(signature, signers, asked.namespace, patterns, "".join(said))


def _refusal(signature: Path, signers: Path, namespace: str, patterns: list[str], said: str) -> ProofError:
    """Why nobody has signed, in our words where the cause is plain, and in ssh-keygen's."""
    listed = signers.name
    mend = f"have it signed by somebody in {listed}: ssh-keygen -Y sign -n {namespace} -f KEY < FILE > {signature.name}"
    if "parse signature" in said:
        return _no_signature(signature)
    if "incorrect signature" in said:
        what = "is the signature of other content: the file was changed after it was signed"
    elif "namespace does not match" in said:
        what = f"was made for something else (its namespace is not {namespace})"
    elif "not permitted for use in signature namespace" in said:
        what = f"is by a key that {listed} does not allow to sign this (its `namespaces` lack {namespace})"
    elif "key has expired" in said or "not yet valid" in said:
        what = f"is by a key that {listed} does not hold valid at this time"
    elif patterns:
        what = f"is by a key that {listed} gives to a pattern ({patterns[0]}), which names nobody"
        mend = "write one line for each key, with the name of its holder"
    elif "No principal matched" in said:
        what = f"is by a key that is not in {listed}"
    else:
        what = "cannot be verified"
    details = "; ".join(dict.fromkeys(_lines(said)))[:500]
    return ProofError(f"{what}{f' ({details})' if details else ''}", where=str(signature), mend=mend)


def _lines(said: str) -> Iterator[str]:
    """What ssh-keygen said, but for what it says of every bad signature and for how it calls the copies."""
    for line in said.splitlines():
        text = re.sub(r"^signers:(\d+)", r"line \1", line.strip())
        if text and text not in {"Could not verify signature.", "No principal matched."}:
            yield text


def _unusable(key: Path, done: Outcome) -> ProofError:
    for sign_of, what, mend in _MENDS:
        if sign_of in done.stderr:
            return ProofError(f"nothing can be signed with it: {what}", where=str(key), mend=mend)
    if done.timed_out:
        what = f"ssh-keygen did not sign within {done.limit:.0f} s: a key on a device waits to be touched"
        return ProofError(what, where=str(key), mend="touch it in time, or use another key")
    said = "; ".join(_lines(done.stderr)) or f"ssh-keygen ended with {done.code}"
    return ProofError(f"nothing can be signed with it: {said[:500]}", where=str(key), mend=_MEND_KEY)


def _run(runner: Runner, argv: tuple[str, ...], cwd: Path, data: bytes, timeout: float) -> Outcome:
    """ssh-keygen, with nothing inherited that could steer it; without a terminal, so that it cannot ask."""
    inherited = runner.environ
    env = {name: inherited[name] for name in _KEPT if name in inherited} | _FIXED
    done = runner.run(Request(argv, cwd, env=env, timeout=timeout, grace=_GRACE, stdin=data, only_env=True))
    if done.code is None:
        mend = "install the OpenSSH client (openssh-client), or put it on PATH"
        raise ToolError(f"signatures need ssh-keygen, which cannot be started: {done.error}", mend=mend)
    return done
