"""`X509Certificate2`: what is read of a certificate, and of its private key never more than that it is there."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key, pkcs12

from apim_emulator.csharp.runtime.der import MAX_SIZE
from apim_emulator.csharp.runtime.rsa import CngRsa

X509 = x509.Certificate
_PEM = b"-----BEGIN "
_KEPT = 128
"""Files whose content is remembered: a private key is checked when it is read, which takes a while."""


class Judge(Protocol):
    """Tells which certificates the gateway trusts."""

    def accepts(self, certificate: "Certificate") -> bool:
        """Tell whether a certificate is valid."""


judge: ContextVar[Judge | None] = ContextVar("judge", default=None)
"""Of the service that the call at hand is for; None where nobody can tell."""


class CertificateError(ValueError):
    """A file that holds no certificate that can be read; the text holds nothing of it."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate, with its private key if there is one."""

    x509: X509
    private_key: RSAPrivateKey | object | None = field(default=None, repr=False)
    others: tuple[X509, ...] = ()
    """Those beside it in the file: the ones that lead to its root."""
    friendly_name: str = ""

    @property
    def thumbprint(self) -> str:
        """SHA-1 of the whole in hexadecimal, in upper case."""
        return self.x509.fingerprint(SHA1()).hex().upper()  # noqa: S303 - what `Thumbprint` is

    @property
    def data(self) -> bytes:
        """`RawData`: the certificate in DER."""
        return self.x509.public_bytes(Encoding.DER)

    @property
    def serial(self) -> bytes:
        """Its serial number as it stands in the certificate: the first byte zero where the next begins with a one."""
        number = self.x509.serial_number
        return number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)

    @property
    def dns_names(self) -> list[str]:
        """The `dNSName`s of its alternative names."""
        try:
            names = self.x509.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
            return []
        return names.value.get_values_for_type(x509.DNSName)

    def private_rsa(self) -> CngRsa | None:
        """`GetRSAPrivateKey()`; null where there is none, or one of another kind."""
        return CngRsa(self.private_key) if isinstance(self.private_key, RSAPrivateKey) else None

    def public_rsa(self) -> CngRsa | None:
        """`GetRSAPublicKey()`; null for a key of another kind."""
        try:
            key = self.x509.public_key()
        except (ValueError, UnsupportedAlgorithm):
            return None
        return CngRsa(public=key) if isinstance(key, RSAPublicKey) else None


@lru_cache(maxsize=_KEPT)
def read_certificate(data: bytes, password: str | None = None) -> Certificate:
    """Read PEM (with its private key or without), DER or PKCS #12; the first certificate of PEM is the one.

    Raises `CertificateError`.
    """
    if len(data) > MAX_SIZE:
        raise CertificateError(f"larger than {MAX_SIZE} bytes")
    try:
        secret = None if password is None else password.encode()
        if _PEM in data:
            return _whole(_read_pem(data, secret))
        try:
            found = Certificate(x509.load_der_x509_certificate(data))
        except ValueError:
            found = _read_pkcs12(data, secret)
        return _whole(found)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise CertificateError("is no certificate in PEM, DER or PKCS #12, or its password is another") from None


def _whole(found: Certificate) -> Certificate:
    """Return a certificate whose parts can be read; `cryptography` reads each when it is asked for."""
    for one in (found.x509, *found.others):
        _ = one.version, one.subject, one.issuer, one.not_valid_before_utc, one.not_valid_after_utc
        _ = one.signature_algorithm_oid, one.public_key_algorithm_oid
    return found


def _read_pem(data: bytes, password: bytes | None) -> Certificate:
    first, *others = x509.load_pem_x509_certificates(data)
    key = load_pem_private_key(data, password) if b"PRIVATE KEY-----" in data else None
    if key is not None and _public(key.public_key()) != _public(first.public_key()):
        raise ValueError
    return Certificate(first, key, tuple(others))


def _public(key: object) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined, no-any-return]


def _read_pkcs12(data: bytes, password: bytes | None) -> Certificate:
    # .NET takes null and the empty password for each other.
    found = pkcs12.load_pkcs12(data, password or None)
    if found.cert is None:
        raise ValueError
    name = found.cert.friendly_name
    others = tuple(one.certificate for one in found.additional_certs)
    return Certificate(found.cert.certificate, found.key, others, "" if name is None else name.decode(errors="replace"))
