"""The certificates of a service: those that it keeps, and the authorities that it trusts."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from apim_emulator.csharp.runtime.certificates import Certificate, CertificateError, read_certificate
from apim_emulator.gateway.failures import Problem, RefusedError
from apim_emulator.gateway.loading.document import Node
from apim_emulator.model import Gateway

_LONGEST_CHAIN = 8
"""Certificates that a caller may present; further ones are not looked at, so that no chain takes long."""


@dataclass(frozen=True, slots=True)
class Store:
    """The certificates of one service."""

    by_id: Mapping[str, Certificate] = field(default_factory=dict, repr=False)
    by_thumbprint: Mapping[str, Certificate] = field(default_factory=dict, repr=False)
    """By `Thumbprint`, as `context.Deployment.Certificates` has them (Microsoft Q&A 5543600)."""
    authorities: tuple[x509.Certificate, ...] = ()
    """CA certificates: those that issued themselves are roots, all others lead to one."""

    def find(self, *, identifier: str | None = None, thumbprint: str | None = None) -> Certificate | None:
        """Find a certificate by its ID or by its thumbprint, in any case (inferred)."""
        if identifier is not None:
            return self.by_id.get(identifier)
        return self.by_thumbprint.get((thumbprint or "").strip().upper())

    def named(self, name: str) -> Certificate | None:
        """Find a certificate that can be presented, by its ID or its thumbprint."""
        found = self.find(identifier=name) or self.find(thumbprint=name)
        return None if found is None or found.private_key is None else found


def no_certificate(node: Node, attribute: str) -> RefusedError:
    """Make the error that refuses the name of a certificate that the service lacks."""
    name = "of this name" if node.substituted else node.attributes[attribute]
    return node.refused(f"certificate {name} does not exist", attribute, kind="reference")


def read_store(gateway: Gateway, problems: list[Problem]) -> Store:
    """Read the certificates of a service; problems are collected."""
    by_id, authorities = {}, []
    for one in gateway.certificates:
        try:
            by_id[one.id] = read_certificate(one.data, one.password)
        except CertificateError as error:
            problems.append(Problem(f"certificate {one.id}", 1, "data", str(error)))
    for number, data in enumerate(gateway.ca_certificates):
        try:
            found = read_certificate(data)
            authorities += [found.x509, *found.others]
        except CertificateError as error:
            problems.append(Problem(f"CA certificate {number + 1}", 1, "data", str(error)))
    return Store(by_id, {found.thumbprint: found for found in by_id.values()}, tuple(authorities))


class Trust:
    """What a service makes of a certificate: whether it leads to a root that it trusts.

    Nobody is asked what was revoked: what no authority was asked about counts as not revoked (approximate).
    """

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        """Trust the authorities of a store, at the time that `now` tells in Unix seconds."""
        self._roots = [one for one in store.authorities if one.subject == one.issuer]
        self._authorities = [one for one in store.authorities if one.subject != one.issuer]
        self._now = now

    def accepts(self, certificate: Certificate) -> bool:
        """Tell whether each certificate up to a root is valid now and is signed by the next."""
        return is_current(certificate.x509, self._now()) and self.leads_to_root(certificate)

    def leads_to_root(self, certificate: Certificate) -> bool:
        """Tell the same whatever the dates of the certificate itself."""
        now, left = self._now(), [(certificate.x509, 0)]
        between = [*self._authorities, *certificate.others[:_LONGEST_CHAIN]]
        while left:
            one, below = left.pop()
            if one in self._roots or any(is_current(root, now) for root in _issuers(one, self._roots, below)):
                return True
            found = [issuer for issuer in _issuers(one, between, below) if is_current(issuer, now)]
            between = [other for other in between if other not in found]
            left += [(issuer, below + 1) for issuer in found]
        return False

    def issuer(self, certificate: Certificate) -> x509.Certificate | None:
        """Find the certificate that signed another, among the authorities and those beside it."""
        known = [*self._roots, *self._authorities, *certificate.others[:_LONGEST_CHAIN]]
        return next(_issuers(certificate.x509, known), None)


def is_current(certificate: x509.Certificate, now: float) -> bool:
    """Tell whether a moment is within the dates of a certificate."""
    return has_begun(certificate, now) and has_not_ended(certificate, now)


def has_begun(certificate: x509.Certificate, now: float) -> bool:
    """Tell whether a certificate is valid already."""
    return certificate.not_valid_before_utc <= datetime.fromtimestamp(now, UTC)


def has_not_ended(certificate: x509.Certificate, now: float) -> bool:
    """Tell whether a certificate is valid still."""
    return datetime.fromtimestamp(now, UTC) <= certificate.not_valid_after_utc


def _issuers(
    certificate: x509.Certificate, known: Iterable[x509.Certificate], below: int = 0
) -> Iterator[x509.Certificate]:
    """List the authorities that signed a certificate; `below`: how many authorities there are from it on."""
    for one in known:
        if one.subject != certificate.issuer or not _may_issue(one, below):
            continue
        try:
            certificate.verify_directly_issued_by(one)
        except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
            continue
        yield one


def _may_issue(certificate: x509.Certificate, below: int) -> bool:
    """Tell whether it is an authority that may sign certificates, with so many authorities below it (RFC 5280, 6.1)."""
    try:
        extensions = certificate.extensions
        basic = extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False
    usage = next((one.value for one in extensions if isinstance(one.value, x509.KeyUsage)), None)
    is_long = basic.path_length is not None and below > basic.path_length
    return basic.ca and not is_long and (usage is None or usage.key_cert_sign)
