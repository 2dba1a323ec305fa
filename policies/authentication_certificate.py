"""`authentication-certificate`: the gateway presents a client certificate to the backend."""

from dataclasses import dataclass, field
from typing import ClassVar

from policies.shared.checks import check_literal, check_not_blank, check_secret
from policies.shared.errors import PolicyError
from policies.shared.options import is_expression
from policies.shared.policy import INBOUND_ONLY, Section, TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthenticationCertificate(TypedPolicy):
    """Presents a client certificate when the gateway connects to the backend (authentication-certificate).

    Exactly one of `thumbprint`, `certificate_id` and `body` is required.
    """

    tag: ClassVar[str] = "authentication-certificate"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY

    thumbprint: str | None = None
    """Thumbprint of a certificate of the service, or an expression."""
    certificate_id: str | None = None
    """Name of a certificate of the service."""
    body: str | None = None
    """Expression that yields the certificate's bytes."""
    password: str | None = field(default=None, repr=False)
    """Named value, such as `{{certificate-password}}`, with the password of `body`. Defaults to no password."""

    def __post_init__(self) -> None:
        """Check that one certificate is named, and that the policy's text holds no secret."""
        TypedPolicy.__post_init__(self)
        places = ("thumbprint", "certificate_id", "body")
        given = [place for place in places if getattr(self, place) is not None]
        if len(given) != 1:
            raise PolicyError(
                f"{self.tag} has {' and '.join(given) or 'no certificate'}; give exactly one of {', '.join(places)}"
            )
        check_not_blank(f"{self.tag} thumbprint", self.thumbprint)
        check_literal(f"{self.tag} certificate_id", self.certificate_id)
        if self.body is not None and not is_expression(self.body):
            raise PolicyError(f"{self.tag} body is no policy expression; give one that yields the certificate's bytes")
        check_secret(f"{self.tag} password", self.password)
        if self.password is not None and self.body is None:
            raise PolicyError(f"{self.tag} has password without body; the service's own certificates need none")
