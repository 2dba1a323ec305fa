"""Signing keys and the check of a signature with them."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, RSAKey

from apim_emulator.gateway.tokens.strict import MAX_SIZE, RawToken

_RSA_BITS = range(2048, 8192 + 1)
"""Sizes of RSA keys that are neither weak nor so large that a caller makes the gateway compute for long."""
_RSA, _EC, _HMAC = frozenset({"RS256", "RS512", "PS256"}), frozenset({"ES256"}), frozenset({"HS256", "HS384", "HS512"})


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key with the algorithms that it may check: never one of another kind."""

    key: RSAKey | ECKey | OctKey = field(repr=False)
    algorithms: frozenset[str]
    key_id: str | None = None
    issuer: str | None = None
    """Issuer that the key's provider names; None for a key of the policy itself."""

    def verifies(self, token: RawToken) -> bool:
        """Check the token's signature."""
        if token.algorithm not in self.algorithms:
            return False
        registry = jws.JWSRegistry(algorithms=[token.algorithm], strict_check_header=False)
        registry.max_payload_length = MAX_SIZE
        try:
            jws.deserialize_compact(token.text, self.key, registry=registry)
        except (JoseError, ValueError, TypeError):
            return False
        return True


def from_jwks(document: object, issuer: str | None) -> list[SigningKey]:
    """Take the usable public keys of a JWK set; others, symmetric ones above all, are passed over."""
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a JWK set")
    return [key for entry in entries if isinstance(entry, dict) for key in _public(entry, issuer)]


def rsa(n: str, e: str, key_id: str | None) -> SigningKey | None:
    """Make a key of a modulus and an exponent in base64url; None where they are no key."""
    return next(iter(_public({"kty": "RSA", "n": n, "e": e, **({"kid": key_id} if key_id else {})}, None)), None)


def of_certificate(certificate: x509.Certificate, key_id: str | None) -> SigningKey | None:
    """Take the public key of a certificate; None where it is of a kind that signs no token that is accepted."""
    pem = certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    kind = RSAKey if isinstance(certificate.public_key(), RSAPublicKey) else ECKey
    try:
        entry = dict(kind.import_key(pem).as_dict(private=False))
    except (JoseError, ValueError, TypeError):
        return None
    return next(iter(_public({**entry, "kid": key_id}, None)), None)


def symmetric(encoded: str, key_id: str | None) -> SigningKey | None:
    """Make a key of Base64; None where it is not Base64 or too short for any HS algorithm (RFC 7518, 3.2)."""
    try:
        secret = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return None
    strong = frozenset(name for name in _HMAC if len(secret) * 8 >= int(name[2:]))
    return SigningKey(OctKey.import_key(secret), strong, key_id) if strong else None


def _bits(modulus: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(f"{modulus}=="), "big").bit_length()


def _public(entry: dict[str, object], issuer: str | None) -> Iterable[SigningKey]:
    operations = entry.get("key_ops", ["verify"])
    kid = entry.get("kid")
    if entry.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return
    if not isinstance(kid, str | None):
        return
    names = ("n", "e") if entry.get("kty") == "RSA" else ("crv", "x", "y")
    public = {name: str(entry[name]) for name in names if name in entry}
    try:
        if entry.get("kty") == "RSA":
            if _bits(public["n"]) not in _RSA_BITS:
                return
            key: RSAKey | ECKey = RSAKey.import_key({"kty": "RSA", **public})
            algorithms = _RSA
        elif entry.get("kty") == "EC" and entry.get("crv") == "P-256":
            key, algorithms = ECKey.import_key({"kty": "EC", **public}), _EC
        else:
            return
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return
    if "alg" in entry:
        algorithms &= {str(entry["alg"])}
    if algorithms:
        yield SigningKey(key, algorithms, kid, issuer)
