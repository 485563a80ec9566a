"""A certificate authority that lives as long as the emulator: its key is never written down."""

from __future__ import annotations

import os
import ssl
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFETIME = timedelta(days=30)
#: The longest common name that X.520 allows; the names that count are the alternative ones.
_NAME_LIMIT = 64


class Authority:
    """Issues a certificate for each AWS domain that is asked for; safe to use from several threads."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("pytest-tfpipeline emulated cloud")
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        self._certificate = self._self_signed()

    def write(self, path: Path) -> None:
        """The authority's certificate as PEM, complete or not there at all."""
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(self._certificate.public_bytes(Encoding.PEM))
        temporary.replace(path)

    def context(self, host: str) -> ssl.SSLContext:
        """A server context for `host`, shared by all hosts of the same parent domain."""
        parent = host.partition(".")[2]
        with self._lock:
            if parent not in self._contexts:
                self._contexts[parent] = self._server_context(host, parent)
            return self._contexts[parent]

    def _self_signed(self) -> x509.Certificate:
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        return (
            self._builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, SHA256())
        )

    def _issue(self, names: tuple[str, ...]) -> x509.Certificate:
        return (
            self._builder(_name(names[0]), self._leaf_key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(self._key, SHA256())
        )

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + _LIFETIME)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(issuer_key, critical=False)
        )

    def _server_context(self, host: str, parent: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        key = self._leaf_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        chain = self._issue((host, f"*.{parent}")).public_bytes(Encoding.PEM)
        # `ssl` takes certificates from files only; this one (mode 0600) is gone as soon as it has been read.
        descriptor, path = tempfile.mkstemp(suffix=".pem")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(key + chain)
            context.load_cert_chain(path)
        finally:
            Path(path).unlink()
        return context


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:_NAME_LIMIT])])
