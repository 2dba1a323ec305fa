"""`validate-jwt`: accepts only requests with a valid token of an OpenID Connect provider."""

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.checks import check_literal, check_range, check_secret, check_url
from policies.shared.errors import PolicyError
from policies.shared.options import Options, is_named_value
from policies.shared.policy import list_element, options_element
from policies.shared.token_validation import TokenValidation

_LONGEST_SKEW = 300
_LEAST_BITS = 2048
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuerSigningKey(Options):
    """A key with which an issuer signs tokens: an RSA key, a shared secret or a certificate of the service."""

    n: str | None = None
    """Modulus of an RSA public key in Base64url, with `e`."""
    e: str | None = None
    """Exponent of an RSA public key in Base64url, with `n`."""
    value: str | None = field(default=None, repr=False, metadata={"content": True})
    """Named value, such as `{{signing-key}}`, that holds a shared secret in Base64."""
    certificate_id: str | None = None
    """Name of a certificate of the service that has the key."""
    id: str | None = None
    """Key ID in the header of a token. By default the key is tried on every token."""

    def __post_init__(self) -> None:
        """Check that there is one key, and no secret in the policy's text."""
        Options.__post_init__(self)
        if (self.n is None) != (self.e is None):
            raise PolicyError("issuer signing key has only one of n and e; give both, an RSA public key needs them")
        if [self.n, self.value, self.certificate_id].count(None) != 2:
            raise PolicyError(
                "issuer signing key needs either n with e, value or certificate_id; give exactly one of them"
            )
        check_literal("issuer signing key certificate_id", self.certificate_id)
        check_secret("issuer signing key value", self.value)
        check_literal("issuer signing key id", self.id)
        for part, bits in (("n", _LEAST_BITS), ("e", 2)):
            text = getattr(self, part)
            if text is not None and not is_named_value(text) and _bits(text) < bits:
                raise PolicyError(f"issuer signing key {part} is not that of an RSA key of {_LEAST_BITS} bits or more")


def _bits(text: str) -> int:
    """Return the size in bits of a number in Base64url (RFC 7518, section 6.3), or 0 if it is not one."""
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        return 0
    return int.from_bytes(urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big").bit_length()


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidateJwt(TokenValidation):
    """Validates a token that any OpenID Connect provider issued (validate-jwt).

    Keys come from `openid_config_urls`, `issuer_signing_keys` or both. `audiences` or `required_claims` are required:
    without either, a token that the issuer issued for another service would be accepted.
    """

    tag: ClassVar[str] = "validate-jwt"

    require_scheme: str | None = "Bearer"
    """Scheme before the token in the `Authorization` header; the gateway ignores it for another header.
    `None`: no scheme is required."""
    require_expiration_time: bool | None = None
    """Whether a token must have an expiration time. Defaults to true."""
    require_signed_tokens: bool | None = None
    """Whether a token must be signed; `False` is refused. Defaults to true."""
    clock_skew: int | None = None
    """Seconds, 0 to 300, by which the issuer's clock may differ. Defaults to 0."""
    openid_config_urls: list[str] = field(default_factory=list)
    """OpenID configuration endpoints, which give the signing keys and the issuer; https, or http on loopback."""
    issuer_signing_keys: list[IssuerSigningKey] = field(default_factory=list)
    """Signing keys in addition to those of the OpenID configurations."""
    issuers: list[str] = field(default_factory=list)
    """Issuers, of which the token must name one. Defaults to those in the OpenID configurations."""

    def __post_init__(self) -> None:
        """Check that the policy requires a signature by known keys, and an audience or claims."""
        TokenValidation.__post_init__(self)
        if self.require_signed_tokens is False:
            raise PolicyError(f"{self.tag} require_signed_tokens False would let anyone write a token; remove it")
        if not (self.openid_config_urls or self.issuer_signing_keys):
            raise PolicyError(f"{self.tag} has no signing key; give openid_config_urls or issuer_signing_keys")
        if not (self.audiences or self.required_claims):
            raise PolicyError(
                f"{self.tag} would accept the issuer's tokens for every service; give audiences or required_claims"
            )
        check_range(f"{self.tag} clock_skew", self.clock_skew, 0, _LONGEST_SKEW, "seconds")
        for url in self.openid_config_urls:
            check_url(f"{self.tag} openid_config_urls", url)
        self._check_decided("issuers", *self.issuers)

    def children(self) -> Iterator[ET.Element]:
        """Yield OpenID configurations, keys, audiences, issuers and claims."""
        for url in self.openid_config_urls:
            yield ET.Element("openid-config", url=url)
        if self.issuer_signing_keys:
            keys = ET.Element("issuer-signing-keys")
            for key in self.issuer_signing_keys:
                child = options_element("key", key)
                child.text = key.value
                keys.append(child)
            yield keys
        yield from self._keys()
        yield from list_element("audiences", "audience", self.audiences)
        yield from list_element("issuers", "issuer", self.issuers)
        yield from self._claims()
