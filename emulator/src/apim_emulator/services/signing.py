"""JSON Web Tokens signed with RS256, as OpenID Connect providers issue them."""

import base64
import json
from collections.abc import Mapping
from functools import cached_property

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

__all__ = ["LIFETIME", "SigningKey", "tamper", "unverified_claims"]

LIFETIME = 3600
"""Seconds that a token is valid; Entra varies it between 60 and 90 minutes."""


class InvalidTokenError(Exception):
    """A token that must not be accepted; the message gives the reason and never the token."""


class SigningKey:
    """An issuer's RSA-2048 key, made when it is first needed."""

    @cached_property
    def _key(self) -> RSAKey:
        return RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)

    def jwks(self) -> dict[str, list[dict[str, str | list[str]]]]:
        """Public half as a JSON Web Key Set (RFC 7517)."""
        return {"keys": [self._key.as_dict(private=False)]}

    def sign(self, claims: Mapping[str, object]) -> str:
        """Sign claims; one whose value is None is left out."""
        present = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"typ": "JWT", "alg": "RS256", "kid": self._key.kid}, present, self._key)

    def verify(self, token: str, now: float) -> dict[str, object]:
        """Return the claims of a token that this key signed and that is valid now, or raise `InvalidTokenError`."""
        try:
            claims: dict[str, object] = jwt.decode(token, KeySet([self._key]), algorithms=["RS256"]).claims
        except (JoseError, ValueError) as error:
            raise InvalidTokenError("the signature is not the issuer's") from error
        expires, not_before = claims.get("exp"), claims.get("nbf", 0)
        if not isinstance(expires, int | float) or now >= expires:
            raise InvalidTokenError("the token has expired")
        if not isinstance(not_before, int | float) or now < not_before:
            raise InvalidTokenError("the token is not valid yet")
        return claims


def validity_claims(issued: float) -> dict[str, object]:
    """Claims that make a token valid for `LIFETIME` from a Unix time on."""
    return {"iat": int(issued), "nbf": int(issued), "exp": int(issued) + LIFETIME}


def unverified_claims(token: str) -> dict[str, object]:
    """Claims as they stand in a token, to find out who claims to have signed it."""
    try:
        claims = json.loads(jws.extract_compact(token.encode()).payload)
    except (JoseError, ValueError, RecursionError) as error:
        raise InvalidTokenError("not a JSON Web Token") from error
    if not isinstance(claims, dict):
        raise InvalidTokenError("not a JSON Web Token")
    return claims


def tamper(token: str, **claims: object) -> str:
    """Put other claims under a token's signature, as an attacker would."""
    header, _, signature = token.split(".")
    payload = json.dumps(unverified_claims(token) | (claims or {"tampered": True})).encode()
    return f"{header}.{base64.urlsafe_b64encode(payload).rstrip(b'=').decode()}.{signature}"
