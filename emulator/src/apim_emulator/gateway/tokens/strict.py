"""A token read before any key is asked: what a lenient reader and a strict one could take differently is refused."""

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from typing import NoReturn

MAX_SIZE = 16_384
"""Longest token, in characters."""
ALGORITHMS = frozenset({"RS256", "RS512", "PS256", "ES256", "HS256", "HS384", "HS512"})
"""Signature algorithms of validate-jwt; the HS ones only with keys written into the policy."""

UNSIGNED = "none"
"""What stands in the place of the algorithm of a token without a signature."""

_PARTS = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)", re.ASCII)
_MAX_HEADER = 512
_MAX_DEPTH = 32
_REFUSED_HEADERS = frozenset({"jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc"})


class TokenError(Exception):
    """A token that is not accepted; `reason` is LastError's."""

    def __init__(self, reason: str, detail: str) -> None:
        """Tell the reason in APIM's word and in its sentence, for on-error; the caller is told neither."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class RawToken:
    """A well-formed token whose signature is not checked yet."""

    text: str = field(repr=False)
    header: dict[str, object] = field(repr=False)
    payload: dict[str, object] = field(repr=False)

    @property
    def algorithm(self) -> str:
        """`alg`, one of `ALGORITHMS`, or `UNSIGNED`."""
        return str(self.header["alg"])

    @property
    def key_id(self) -> str | None:
        """`kid`."""
        value = self.header.get("kid")
        return value if isinstance(value, str) else None


def read(text: str, *, signed: bool = True) -> RawToken:
    """Read a token in compact form; one that need not be `signed` may have no signature. Raises `TokenError`."""
    match = _PARTS.fullmatch(text) if len(text) <= MAX_SIZE else None
    if match is None:
        raise _invalid("not three base64url parts, or too long")
    if len(match[1]) > _MAX_HEADER:
        raise _invalid("header too long")
    header, payload = _object(match[1]), _object(match[2])
    _decoded(match[3])
    algorithm = header.get("alg")
    allowed = {UNSIGNED} if not match[3] and not signed else ALGORITHMS
    if not isinstance(algorithm, str) or algorithm not in allowed or (allowed is ALGORITHMS and not match[3]):
        raise _invalid("algorithm is not allowed, or there is no signature")
    if _REFUSED_HEADERS & header.keys():
        raise _invalid("header carries a key, a URL or an extension")
    if not isinstance(header.get("kid", ""), str):
        raise _invalid("kid is not a string")
    return RawToken(text, header, payload)


def strict_json(data: bytes) -> object:
    """Parse JSON without repeated members, NaN, infinities, lone surrogates or deep nesting; raises `ValueError`."""
    try:
        value: object = json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_constant)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise ValueError("nested too deep") from None
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [one for item in level if isinstance(item, list | dict)
                 for one in (item.values() if isinstance(item, dict) else item)]  # fmt: skip
        if not level:
            return value
    raise ValueError("nested too deep")


def _object(part: str) -> dict[str, object]:
    try:
        value = strict_json(_decoded(part))
    except ValueError:
        raise _invalid("a part is not strict JSON") from None
    if not isinstance(value, dict):
        raise _invalid("a part is not a JSON object")
    return value


def _decoded(part: str) -> bytes:
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error:
        raise _invalid("a part is not base64url") from None
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != part:
        raise _invalid("a part is not canonical base64url")
    return data


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member appears twice")
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _invalid(detail: str) -> TokenError:
    return TokenError("JwtInvalid", f"JWT is not valid: {detail}.")
