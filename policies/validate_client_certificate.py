"""`validate-client-certificate`: accepts only requests with a valid client certificate."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.checks import check_static
from policies.shared.errors import PolicyError
from policies.shared.options import Options
from policies.shared.policy import INBOUND_ONLY, Section, TypedPolicy, options_element

_MOST_IDENTITIES = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateIdentity(Options):
    """Properties of an accepted certificate, as literal text; all that are given must match."""

    thumbprint: str | None = None
    """Thumbprint. Defaults to any."""
    serial_number: str | None = None
    """Serial number. Defaults to any."""
    common_name: str | None = None
    """Common name in the subject. Defaults to any."""
    subject: str | None = None
    """Subject, a distinguished name. Defaults to any."""
    dns_name: str | None = None
    """DNS name among the subject's alternative names. Defaults to any."""
    issuer_subject: str | None = None
    """Subject of the issuer. Defaults to any."""
    issuer_thumbprint: str | None = None
    """Thumbprint of the issuer. Defaults to any."""
    issuer_certificate_id: str | None = None
    """Certificate of the service that is the issuer, in place of its subject and thumbprint. Defaults to any."""

    def __post_init__(self) -> None:
        """Check that at least one property is given, and that all are literal text."""
        Options.__post_init__(self)
        given = {name.name: value for name in fields(self) if (value := getattr(self, name.name)) is not None}
        if not given:
            raise PolicyError("certificate identity is empty; give at least one of its options")
        others = [f"issuer_{name}" for name in ("subject", "thumbprint") if f"issuer_{name}" in given]
        if "issuer_certificate_id" in given and others:
            raise PolicyError(f"certificate identity has issuer_certificate_id and {others[0]}; give one of them")
        for name, value in given.items():
            check_static(f"certificate identity {name}", value)


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidateClientCertificate(TypedPolicy):
    """Validates the certificate that a caller presents in the TLS handshake (validate-client-certificate)."""

    tag: ClassVar[str] = "validate-client-certificate"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY

    validate_revocation: bool | None = None
    """Whether the certificate must not be revoked. Defaults to true."""
    validate_trust: bool | None = None
    """Whether its chain must lead to a trusted authority. Defaults to true."""
    validate_not_before: bool | None = None
    """Whether its validity must have begun. Defaults to true."""
    validate_not_after: bool | None = None
    """Whether it must not have expired. Defaults to true."""
    ignore_error: bool | None = None
    """Whether a request goes on with a certificate that is not accepted. Defaults to false."""
    identities: list[CertificateIdentity] = field(default_factory=list)
    """Accepted certificates, at most 10. Defaults to every valid one."""

    def __post_init__(self) -> None:
        """Check how many identities there are."""
        TypedPolicy.__post_init__(self)
        if len(self.identities) > _MOST_IDENTITIES:
            raise PolicyError(
                f"{self.tag} has {len(self.identities)} identities; allowed: up to {_MOST_IDENTITIES}; remove some"
            )

    def children(self) -> Iterator[ET.Element]:
        """Yield the identities."""
        if self.identities:
            element = ET.Element("identities")
            element.extend(options_element("identity", identity) for identity in self.identities)
            yield element
