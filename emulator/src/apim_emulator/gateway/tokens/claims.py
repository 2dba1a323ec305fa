"""Checks of a token's claims; every comparison is ordinal."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from apim_emulator.gateway.context import Context
from apim_emulator.gateway.context.objects import claim_values
from apim_emulator.gateway.loading.document import Node
from apim_emulator.gateway.loading.element import Element, Value
from apim_emulator.gateway.tokens.strict import TokenError

Payload = Mapping[str, object]

_LATEST = 253_402_300_799
"""The last second of the year 9999, beyond which .NET has no dates."""
_SECONDS = 2**63
"""Seconds from which on .NET cannot read a time; up to them it takes the last date (Microsoft.IdentityModel.Tokens,
`EpochTime.DateTime`), so that milliseconds are a time that never comes."""


class Demand(NamedTuple):
    """Something that is demanded of a token."""

    claim: str
    wanted: Callable[[], str]
    """Says in words what is demanded."""
    check: Callable[[], object]
    """Raises `TokenError` where the token is otherwise."""


def check_demands(demands: Iterable[Demand]) -> None:
    """Raise the first `TokenError`; later demands are then not even made."""
    for demand in demands:
        demand.check()


@dataclass(frozen=True, slots=True)
class RequiredClaim:
    """One `claim` of `required-claims`."""

    name: str
    values: tuple[Value[str], ...]
    match_any: bool
    separator: str | None

    def values_in(self, payload: Payload) -> list[str]:
        """List the values that a token has."""
        found = claim_values(payload.get(self.name))
        return [part for text in found for part in text.split(self.separator)] if self.separator else found

    def wanted(self, context: Context) -> str:
        """Say what the claim has to hold."""
        values = [value(context) for value in self.values]
        if len(values) < 2:
            return "".join(values) or "any value"
        return f"{'one' if self.match_any else 'all'} of {', '.join(values)}"

    def check(self, payload: Payload, context: Context) -> None:
        """Raise `TokenError` unless the claim has the values that it needs."""
        found = self.values_in(payload)
        matches = [value(context) in found for value in self.values]
        if matches and not (any(matches) if self.match_any else all(matches)):
            detail = f"Claim {self.name} value of {','.join(found)} is not allowed. Access denied."
            raise TokenError("TokenClaimValueNotAllowed", detail)


def claim_demands(claims: Sequence[RequiredClaim], payload: Payload, context: Context) -> Iterator[Demand]:
    """Demand that all claims are there, each with the values that it needs; what is missing is told at once."""
    missing = [claim.name for claim in claims if not claim.values_in(payload)]
    for claim in claims:
        if claim.name in missing:
            yield Demand(claim.name, partial(claim.wanted, context), partial(_missing, missing))
    for claim in claims:
        if claim.name not in missing:
            yield Demand(claim.name, partial(claim.wanted, context), partial(claim.check, payload, context))


def _missing(names: Sequence[str]) -> None:
    detail = f"JWT token is missing the following claims: {', '.join(names)}. Access denied."
    raise TokenError("TokenClaimNotFound", detail)


def required_claims(parent: Element) -> tuple[RequiredClaim, ...]:
    """Read `required-claims`."""
    container = parent.child("required-claims")
    return () if container is None else tuple(_claim(node) for node in only_children(container, "claim"))


def only_children(container: Node, name: str) -> list[Node]:
    """Read an element that holds elements of one name, at least one."""
    element = Element(container)
    found = element.children(name)
    element.done()
    if not found:
        container.refuse(f"needs at least one {name}")
    return found


def listed_texts(parent: Element, container: str, child: str) -> tuple[Value[str], ...]:
    """Read a list such as `audiences`, which may be left out but not be empty."""
    node = parent.child(container)
    if node is None:
        return ()
    only_children(node, child)
    return tuple(Element(node).texts(child))


def _claim(node: Node) -> RequiredClaim:
    element = Element(node)
    name = element.needed(element.literal("name") or None, "attribute is missing", "name")
    match_any = element.choice("match", ("all", "any"), "all") == "any"
    separator = element.literal("separator")
    if separator == "":
        node.refuse("must not be empty", "separator")
    values = tuple(element.texts("value"))
    element.done()
    return RequiredClaim(name, values, match_any, separator)


def lifetime_demands(payload: Payload, now: float, skew: float, *, required: bool) -> Iterator[Demand]:
    """Demand that a token has not expired, is valid already and has times that are some.

    Only what expired has a reason of its own; the others count as "other validation failures" (inferred).
    """
    times: dict[str, float | None] = {}
    for name in ("exp", "nbf", "iat"):
        try:
            times[name] = _time(payload, name)
        except TokenError:
            yield Demand(name, lambda: "a time", partial(_time, payload, name))
    if "exp" not in times:
        return
    expires, starts = times["exp"], times.get("nbf")
    yield Demand(
        "exp",
        lambda: f"after {date(now - skew)}{'' if required else ', or none'}",
        lambda: _check_end(expires, now, skew, required=required),
    )
    if "nbf" in times:
        yield Demand(
            "nbf",
            lambda: f"none, or not after {date(now + skew)} and exp",
            lambda: _check_start(starts, expires, now, skew),
        )


def check_lifetime(payload: Payload, now: float, skew: float, *, required: bool) -> None:
    """Raise `TokenError` unless a token is valid now."""
    check_demands(lifetime_demands(payload, now, skew, required=required))


def _check_end(expires: float | None, now: float, skew: float, *, required: bool) -> None:
    if expires is None and required:
        raise TokenError("JwtInvalid", "JWT has no expiration time. Access denied.")
    if expires is not None and now - expires >= skew:
        raise TokenError("TokenExpired", "JWT has expired. Access denied.")


def _check_start(starts: float | None, expires: float | None, now: float, skew: float) -> None:
    if starts is not None and starts - now > skew:
        raise TokenError("JwtInvalid", "JWT is not valid yet. Access denied.")
    if starts is not None and expires is not None and starts > expires:
        raise TokenError("JwtInvalid", "JWT starts after it expires. Access denied.")


def date(moment: float) -> str:
    """Write a Unix time."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def audience_demand(payload: Payload, allowed: Collection[str]) -> Iterator[Demand]:
    """Demand that one audience is allowed; nothing is demanded where none is listed."""
    if allowed:
        yield Demand("aud", lambda: one_of(allowed), lambda: check_audience(payload, allowed))


def one_of(values: Iterable[str]) -> str:
    """Say which values are accepted."""
    listed = sorted(values)
    return listed[0] if len(listed) == 1 else f"one of {', '.join(listed)}" if listed else "none is accepted"


def check_audience(payload: Payload, allowed: Collection[str]) -> None:
    """Raise `TokenError` unless one audience is allowed; nothing is checked where none is listed."""
    if allowed and not set(_audiences(payload)) & set(allowed):
        raise TokenError("TokenAudienceNotAllowed", "JWT audience is not allowed. Access denied.")


def check_issuer(payload: Payload, accepts: Callable[[str], bool]) -> None:
    """Raise `TokenError` unless the issuer is accepted."""
    issuer = payload.get("iss")
    if not isinstance(issuer, str) or not accepts(issuer):
        raise TokenError("TokenIssuerNotAllowed", "JWT issuer is not allowed. Access denied.")


def _audiences(payload: Payload) -> list[str]:
    value = payload.get("aud")
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]


def _time(payload: Payload, name: str) -> float | None:
    if name not in payload:
        return None
    value = payload[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_LATEST <= value < _SECONDS:
        raise TokenError("JwtInvalid", f"JWT claim {name} is not a time. Access denied.")
    return float(min(value, _LATEST))
