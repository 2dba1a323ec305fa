"""Certificates of a case file: files beside it, or invented ones."""

from functools import cache
from pathlib import Path

from apim_emulator.csharp.runtime.certificates import CertificateError, read_certificate
from apim_emulator.model import Certificate, Connection
from apim_emulator.testing.cases.format import CaseFile
from apim_emulator.testing.cases.format import Certificate as Given
from apim_emulator.testing.cases.reading import CaseFileError
from apim_emulator.testing.certificates import CertificateAuthority


def presented(given: Given | None, folder: Path) -> bytes | None:
    """Return the certificate that a caller presents. Raises `CaseFileError` for a file that holds none."""
    if given is None:
        return None
    data = data_of(given, folder)
    try:
        read_certificate(data, given.password)
    except CertificateError as error:
        raise CaseFileError(f"{folder / (given.file or '')}: {error}") from None
    return data


def data_of(given: Given, folder: Path) -> bytes:
    """Return a certificate, an invented one with its private key."""
    if given.file is not None:
        return (folder / given.file).read_bytes()
    return _invented(given.subject or "", given.issuer, tuple(given.dns_names))


@cache
def _invented(subject: str, issuer: str | None, dns_names: tuple[str, ...]) -> bytes:
    """Make a certificate once: what a service keeps and what callers present is then the same."""
    if issuer is None:
        return CertificateAuthority(subject).pem_with_key
    return CertificateAuthority(issuer).issue(subject, dns_names=dns_names).pem_with_key


def kept(content: CaseFile, folder: Path) -> tuple[Certificate, ...]:
    """Make the certificates of the service."""
    return tuple(
        Certificate(id=name, data=data_of(given, folder), password=given.password)
        for name, given in content.certificates.items()
    )


def names(content: CaseFile, folder: Path) -> dict[str, str]:
    """Names of the service's certificates by thumbprint."""
    return {read_certificate(one.data, one.password).thumbprint: one.id for one in kept(content, folder)}


def connections(content: CaseFile) -> tuple[Connection, ...]:
    """Make the connections of credential manager."""
    return tuple(
        Connection(
            provider_id=name.partition("/")[0], id=name.partition("/")[2], access_token=given.access_token,
            claims=given.claims,
        )
        for name, given in content.connections.items()
    )  # fmt: skip
