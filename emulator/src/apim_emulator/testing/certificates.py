"""Certificates for tests: an invented authority that issues them."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

_START = datetime(2023, 1, 1, tzinfo=UTC)
"""From when certificates are valid, if nothing else is said; tests begin in November of that year."""
_DAYS = 3650


class IssuedCertificate:
    """A certificate and its private key."""

    def __init__(self, certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> None:
        """Take both."""
        self.certificate = certificate
        self._key = key

    @property
    def pem(self) -> bytes:
        """The certificate alone in PEM, as a caller presents it."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def pem_with_key(self) -> bytes:
        """The certificate and its private key in PEM, as a service keeps it."""
        return self.pem + self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def thumbprint(self) -> str:
        """`Thumbprint`: SHA-1 in hexadecimal, in upper case."""
        return self.certificate.fingerprint(SHA1()).hex().upper()  # noqa: S303 - what `Thumbprint` is


class CertificateAuthority(IssuedCertificate):
    """An authority that issued its certificate itself, or has it of another one.

    The key of a name is the same in all tests of a process.
    """

    def __init__(self, name: str = "CN=Test CA", *, issuer: "CertificateAuthority | None" = None) -> None:
        """Take its name, such as `CN=Test CA, O=Contoso`, and who issues its certificate."""
        key, subject = _key(name), _name(name)
        above = (subject, key) if issuer is None else (issuer.certificate.subject, issuer._key)
        super().__init__(_signed(subject, key, above, (_START, _DAYS), authority=True), key)

    def issue(
        self, name: str = "CN=client", *, dns_names: Sequence[str] = (), start: datetime = _START, days: int = _DAYS
    ) -> IssuedCertificate:
        """Issue a certificate for a name such as `CN=client, O=Contoso`, valid from `start` for some days."""
        key = _key(name)
        above = (self.certificate.subject, self._key)
        return IssuedCertificate(_signed(_name(name), key, above, (start, days), dns_names=dns_names), key)


def _name(text: str) -> x509.Name:
    return x509.Name.from_rfc4514_string(re.sub(r"(?<!\\), ", ",", text))


def _signed(
    subject: x509.Name,
    key: rsa.RSAPrivateKey,
    issuer: tuple[x509.Name, rsa.RSAPrivateKey],
    dates: tuple[datetime, int],
    *,
    authority: bool = False,
    dns_names: Sequence[str] = (),
) -> x509.Certificate:
    start, days = dates
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if dns_names:
        builder = builder.add_extension(x509.SubjectAlternativeName(map(x509.DNSName, dns_names)), critical=False)
    return builder.sign(issuer[1], SHA256())


@cache
def _key(_name: str) -> rsa.RSAPrivateKey:
    """Make the key of a name once: that takes longer than hundreds of calls."""
    return rsa.generate_private_key(65537, 2048)
