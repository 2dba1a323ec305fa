"""What `validate-azure-ad-token` and `validate-jwt` have in common: where the token is, and how a refusal reads."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.checks import check_decided, check_failure_code, check_literal, check_output_names
from policies.claims import RequiredClaim
from policies.errors import PolicyError
from policies.options import Options, is_expression
from policies.policy import INBOUND_ONLY, Section, TypedPolicy, options_element, text_element

UNAUTHORIZED = "Unauthorized. Access token is missing or invalid."
"""Message of a refused token in Microsoft's article."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DecryptionKey(Options):
    """A certificate of the service with whose key encrypted tokens are decrypted."""

    certificate_id: str
    """Name of the certificate."""
    id: str | None = None
    """Key ID that the header of a token names. Left out: the key is tried on every token."""

    def __post_init__(self) -> None:
        """Check the names."""
        Options.__post_init__(self)
        check_decided("decryption key certificate_id", self.certificate_id)
        check_literal("decryption key id", self.id)


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenValidation(TypedPolicy):
    """A policy that lets a request pass only with a valid token.

    Whatever decides which tokens are valid is literal text: an expression or a named value could let in, at run time,
    callers whom no reader of the policy expects.
    """

    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY

    header_name: str | None = "Authorization"
    """Header that carries the token. `None`: `query_parameter_name` or `token_value` says where it is."""
    query_parameter_name: str | None = None
    """Query parameter that carries the token. Left out: it is elsewhere."""
    token_value: str | None = None
    """Expression that yields the token. Left out: it is elsewhere."""
    require_scheme: str | None = None
    """Scheme before the token in the `Authorization` header; the gateway ignores it for another header.
    Left out: the policy's own default."""
    failed_validation_httpcode: int = 401
    """Status code of a refusal, 400 to 599."""
    failed_validation_error_message: str | None = UNAUTHORIZED
    """Message of a refusal. `None`: the gateway's own, which tells the caller what was wrong."""
    output_token_variable_name: str | None = None
    """Variable that receives the validated token as a `Jwt`. Left out: none does."""
    audiences: list[str] = field(default_factory=list)
    """Audiences, of which the token must name one."""
    required_claims: dict[str, RequiredClaim] = field(default_factory=dict)
    """Claims that the token must carry, by name. Left out: no further ones."""
    decryption_keys: list[DecryptionKey] = field(default_factory=list)
    """Keys for encrypted tokens. Left out: those are refused."""

    def __post_init__(self) -> None:
        """Check where the token is, how a refusal reads, and that its audiences and claims are known now."""
        TypedPolicy.__post_init__(self)
        places = ("header_name", "query_parameter_name", "token_value")
        given = [place for place in places if getattr(self, place) is not None]
        if len(given) != 1:
            raise PolicyError(
                f"{self.tag} takes the token from {' and '.join(given) or 'nowhere'}; "
                f"give exactly one of {', '.join(places)} and None for the others"
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
                check_decided(f"{self.tag} {name}", value)

    def _keys(self) -> Iterator[ET.Element]:
        """Yield the `decryption-keys` element, or nothing where there are none."""
        if self.decryption_keys:
            element = ET.Element("decryption-keys")
            element.extend(options_element("key", key) for key in self.decryption_keys)
            yield element

    def _claims(self) -> Iterator[ET.Element]:
        """Yield the `required-claims` element, or nothing where no claim is required."""
        if self.required_claims:
            element = ET.Element("required-claims")
            for name, claim in self.required_claims.items():
                child = ET.SubElement(element, "claim", {"name": name, **options_element("claim", claim).attrib})
                child.extend(text_element("value", value) for value in claim.values)
            yield element
