"""`validate-client-certificate`: lets a request pass only with a client certificate that is accepted."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.checks import check_decided
from policies.errors import PolicyError
from policies.options import Options
from policies.policy import INBOUND_ONLY, Section, TypedPolicy, options_element

_MOST_IDENTITIES = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateIdentity(Options):
    """What an accepted certificate says; all that is given must hold, as literal text."""

    thumbprint: str | None = None
    """Thumbprint. Left out: any."""
    serial_number: str | None = None
    """Serial number. Left out: any."""
    common_name: str | None = None
    """Common name in the subject. Left out: any."""
    subject: str | None = None
    """Subject, a distinguished name. Left out: any."""
    dns_name: str | None = None
    """DNS name among the subject's alternative names. Left out: any."""
    issuer_subject: str | None = None
    """Subject of the issuer. Left out: any."""
    issuer_thumbprint: str | None = None
    """Thumbprint of the issuer. Left out: any."""
    issuer_certificate_id: str | None = None
    """Certificate of the service that is the issuer's. Left out: any."""

    def __post_init__(self) -> None:
        """Check that something is demanded, and that it is known now."""
        Options.__post_init__(self)
        given = {name.name: value for name in fields(self) if (value := getattr(self, name.name)) is not None}
        if not given:
            raise PolicyError("certificate identity demands nothing; give at least one of its options")
        for name, value in given.items():
            check_decided(f"certificate identity {name}", value)


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidateClientCertificate(TypedPolicy):
    """Validates the certificate that a caller presents in the TLS handshake (validate-client-certificate)."""

    tag: ClassVar[str] = "validate-client-certificate"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY

    validate_revocation: bool | None = None
    """Whether the certificate must not be revoked. Left out: it must not."""
    validate_trust: bool | None = None
    """Whether its chain must lead to a trusted authority. Left out: it must."""
    validate_not_before: bool | None = None
    """Whether it must be valid already. Left out: it must."""
    validate_not_after: bool | None = None
    """Whether it must be valid still. Left out: it must."""
    ignore_error: bool | None = None
    """Whether a request goes on with a certificate that is not accepted. Left out: it is refused."""
    identities: list[CertificateIdentity] = field(default_factory=list)
    """Certificates that are accepted, at most 10. Left out: every one that is valid."""

    def __post_init__(self) -> None:
        """Check how many identities there are."""
        TypedPolicy.__post_init__(self)
        if len(self.identities) > _MOST_IDENTITIES:
            raise PolicyError(
                f"{self.tag} has {len(self.identities)} identities; it takes up to {_MOST_IDENTITIES}, remove some"
            )

    def children(self) -> Iterator[ET.Element]:
        """Yield the identities."""
        if self.identities:
            element = ET.Element("identities")
            element.extend(options_element("identity", identity) for identity in self.identities)
            yield element
