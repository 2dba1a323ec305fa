"""Client certificates in the TLS handshakes of the gateway's own requests."""

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from apim_emulator.csharp.runtime.certificates import Certificate


@lru_cache(maxsize=64)
def presenting(certificate: Certificate) -> ssl.SSLContext:
    """Make the TLS settings that present a certificate and trust what this machine trusts.

    Raises `ValueError` for one whose private key does not fit into a handshake.
    """
    context = ssl.create_default_context()
    with _file(_pem(certificate)) as path:
        try:
            context.load_cert_chain(path)
        except ssl.SSLError:
            raise ValueError("the certificate cannot be presented") from None
    return context


def _pem(certificate: Certificate) -> bytes:
    key: Any = certificate.private_key
    chain = (certificate.x509, *certificate.others)
    return b"".join(
        (
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            *(one.public_bytes(Encoding.PEM) for one in chain),
        )
    )


@contextmanager
def _file(data: bytes) -> Iterator[Path]:
    """Give Python's `ssl` the file that it wants: in memory where the system can, else for its owner alone."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("certificate")
        try:
            os.write(descriptor, data)
            yield Path(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "certificate.pem")
        path.touch(0o600)
        path.write_bytes(data)
        yield path
