"""All rules of a group of options, for whoever holds the group alone."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from options import gateway, key, openai, policy, tokens
from options.mistakes import Mistake
from options.rules import Rules, check_values


def _check_entra(entra: tokens.EntraOptions) -> Iterator[Mistake]:
    yield from tokens.check_entra(entra)
    yield from tokens.check_callers(entra)


_RULES: Mapping[type, tuple[Rules, Callable[[Any], Iterator[Mistake]]]] = {
    gateway.GatewayOptions: (gateway.VALUES, gateway.check_gateway),
    openai.OpenAIOptions: (openai.VALUES, openai.check_openai),
    key.KeyOptions: (key.VALUES, key.check_key),
    policy.PolicyOptions: (policy.VALUES, policy.check_policy),
    tokens.EntraOptions: (tokens.ENTRA_VALUES, _check_entra),
    tokens.JwtOptions: (tokens.JWT_VALUES, tokens.check_jwt),
}


def mistakes_in(options: object) -> Iterator[Mistake]:
    """Yield what is wrong with a group of options by itself, such as `GatewayOptions`."""
    values, check = _RULES[type(options)]
    yield from check_values(values, _given(options))
    yield from check(options)


def _given(value: Any) -> Any:
    """Return options as mappings of what differs from the defaults."""
    if is_dataclass(value):
        return {field.name: _given(found) for field in fields(value) if (found := _own(value, field)) is not None}
    if isinstance(value, Mapping):
        return {name: _given(item) for name, item in value.items()}
    return [_given(item) for item in value] if isinstance(value, list) else value


def _own(options: Any, field: Any) -> Any:
    """Value of a field, None where it has its default."""
    found = getattr(options, field.name)
    return None if found == field.default else found
