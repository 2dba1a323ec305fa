"""What `validate-azure-ad-token` and `validate-jwt` share: where the token is, what it must have, and the refusal."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.checks import check_failure_code, check_literal, check_output_names, check_static
from policies.shared.claims import RequiredClaim
from policies.shared.errors import PolicyError
from policies.shared.options import Options, is_expression
from policies.shared.policy import INBOUND_ONLY, Section, TypedPolicy, options_element, text_element

UNAUTHORIZED = "Unauthorized. Access token is missing or invalid."
"""Message of a refused token in Microsoft's article."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DecryptionKey(Options):
    """A certificate of the service whose key decrypts tokens."""

    certificate_id: str
    """Name of the certificate."""
    id: str | None = None
    """Key ID in the header of a token. By default the key is tried on every token."""

    def __post_init__(self) -> None:
        """Check the names."""
        Options.__post_init__(self)
        check_static("decryption key certificate_id", self.certificate_id)
        check_literal("decryption key id", self.id)


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenValidation(TypedPolicy):
    """A policy that accepts only requests with a valid token.

    Everything that decides which tokens are valid is literal text: an expression or a named value could admit callers
    at run time whom a reader of the policy does not expect.
    """

    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY

    header_name: str | None = "Authorization"
    """Header with the token. `None`: the token is in `query_parameter_name` or `token_value`."""
    query_parameter_name: str | None = None
    """Query parameter with the token."""
    token_value: str | None = None
    """Expression that yields the token."""
    require_scheme: str | None = None
    """Scheme before the token in the `Authorization` header; the gateway ignores it for another header.
    Defaults to the policy's own default."""
    failed_validation_httpcode: int = 401
    """Status code of a refusal, 400 to 599."""
    failed_validation_error_message: str | None = UNAUTHORIZED
    """Message of a refusal. `None`: the gateway's own, which tells the caller what is wrong."""
    output_token_variable_name: str | None = None
    """Variable that receives the validated token as a `Jwt`. Defaults to none."""
    audiences: list[str] = field(default_factory=list)
    """Audiences, of which the token must name one."""
    required_claims: dict[str, RequiredClaim] = field(default_factory=dict)
    """Claims that the token must have, by name. Defaults to none."""
    decryption_keys: list[DecryptionKey] = field(default_factory=list)
    """Keys for encrypted tokens. By default encrypted tokens are refused."""

    def __post_init__(self) -> None:
        """Check where the token is, the status code of a refusal, and that audiences and claims are literal text."""
        TypedPolicy.__post_init__(self)
        places = ("header_name", "query_parameter_name", "token_value")
        given = [place for place in places if getattr(self, place) is not None]
        if len(given) != 1:
            raise PolicyError(
                f"{self.tag} takes the token from {' and '.join(given) or 'nowhere'}; "
                f"give exactly one of {', '.join(places)} and set the others to None"
            )
        self._check_decided("header_name", self.header_name)
        check_output_names(self)
        if self.token_value is not None and not is_expression(self.token_value):
            raise PolicyError(
                f"{self.tag} token_value is not an expression; give one that yields the token, such as @(...)"
            )
        self._check_decided("query_parameter_name", self.query_parameter_name)
        self._check_decided("require_scheme", self.require_scheme)
        check_failure_code(f"{self.tag} failed_validation_httpcode", self.failed_validation_httpcode)
        self._check_decided("audiences", *self.audiences)
        self._check_decided("required_claims name", *self.required_claims)

    def _check_decided(self, name: str, *values: str | None) -> None:
        """Check values that decide which tokens are valid."""
        for value in values:
            if value is not None:
                check_static(f"{self.tag} {name}", value)

    def _keys(self) -> Iterator[ET.Element]:
        """Yield the `decryption-keys` element, if there are any."""
        if self.decryption_keys:
            element = ET.Element("decryption-keys")
            element.extend(options_element("key", key) for key in self.decryption_keys)
            yield element

    def _claims(self) -> Iterator[ET.Element]:
        """Yield the `required-claims` element, if there are any."""
        if self.required_claims:
            element = ET.Element("required-claims")
            for name, claim in self.required_claims.items():
                child = ET.SubElement(element, "claim", {"name": name, **options_element("claim", claim).attrib})
                child.extend(text_element("value", value) for value in claim.values)
            yield element
