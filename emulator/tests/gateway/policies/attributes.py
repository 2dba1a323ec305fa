"""Values of attributes for the records, and the attributes that several policies share."""

from collections.abc import Mapping
from dataclasses import replace

from emulator.tests.gateway.policies.record import Attribute


def literal(value: str) -> Attribute:
    """Allow no expression."""
    return Attribute(literal=value)


def text(value: str) -> Attribute:
    return Attribute(literal=value, expression=f'@("{value[:1]}" + "{value[1:]}")')


def number(value: int) -> Attribute:
    return Attribute(literal=str(value), expression=f"@({value - 1} + 1)")


YES = Attribute(literal="true", expression="@(1 == 1)")
NO = Attribute(literal="false", expression="@(1 == 2)")
ACTION = text("prevent")

TOKEN: Mapping[str, Attribute] = {
    "header-name": text("Authorization"),
    "query-parameter-name": replace(text("q"), instead_of="header-name"),
    "token-value": replace(text("abc"), instead_of="header-name"),
    "require-scheme": text("Bearer"),
    "failed-validation-httpcode": number(403),
    "failed-validation-error-message": text("no"),
    "output-token-variable-name": literal("jwt"),
}
"""Of the policies that validate a token."""
RATE: Mapping[str, Attribute] = {
    "calls": number(1),
    "renewal-period": number(60),
    "retry-after-header-name": literal("X-Retry"),
    "retry-after-variable-name": literal("retry"),
    "remaining-calls-header-name": literal("X-Left"),
    "remaining-calls-variable-name": literal("left"),
    "total-calls-header-name": literal("X-All"),
}
"""Of the policies that limit the rate of calls."""
BY_KEY: Mapping[str, Attribute] = {
    "counter-key": text("k"),
    "increment-condition": YES,
    "increment-count": number(1),
}
"""Of the policies that count calls by a key."""
CACHE: Mapping[str, Attribute] = {"key": text("k"), "caching-type": literal("internal")}
"""Of the policies that keep a value."""
