"""All rules of a group of options, for callers that have the group without the rest of the config."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from options import (
    alerts,
    breaker,
    cache,
    entra,
    gateway,
    identity_providers,
    jwt,
    key,
    limits,
    metrics,
    models,
    network,
    observability,
    openai,
    policy,
    prices,
    retry,
    safety,
    teams,
)
from options.mistakes import Mistake
from options.rules import Rules, check_values


def _check_entra(options: entra.EntraOptions) -> Iterator[Mistake]:
    yield from entra.check_entra(options)
    yield from entra.check_callers(options)


_RULES: Mapping[type, tuple[Rules, Callable[[Any], Iterator[Mistake]]]] = {
    alerts.AlertOptions: (alerts.VALUES, alerts.check_alerts),
    alerts.TokenQuota: (alerts.QUOTA, lambda _: iter(())),
    prices.PriceOptions: (prices.VALUES, lambda _: iter(())),
    gateway.GatewayOptions: (gateway.VALUES, gateway.check_gateway),
    openai.OpenAIOptions: (openai.VALUES, openai.check_openai),
    key.KeyOptions: (key.VALUES, key.check_key),
    breaker.BreakerOptions: (breaker.VALUES, breaker.check_breaker),
    models.ModelOptions: (models.MODEL, lambda _: iter(())),
    retry.RetryOptions: (retry.VALUES, retry.check_retry),
    policy.PolicyOptions: (policy.VALUES, policy.check_policy),
    entra.EntraOptions: (entra.VALUES, _check_entra),
    jwt.JwtOptions: (jwt.VALUES, jwt.check_jwt),
    identity_providers.IdentityProviderOptions: (
        identity_providers.VALUES,
        identity_providers.check_identity_provider,
    ),
    limits.LimitOptions: (limits.VALUES, limits.check_limit),
    metrics.MetricsOptions: (metrics.VALUES, metrics.check_metrics),
    cache.CacheOptions: (cache.VALUES, cache.check_cache),
    cache.RedisOptions: (cache.REDIS, cache.check_redis),
    observability.ObservabilityOptions: (observability.VALUES, observability.check_observability),
    network.NetworkOptions: (network.VALUES, network.check_network),
    safety.SafetyOptions: (safety.VALUES, safety.check_safety),
    safety.SafetyAccountOptions: (safety.ACCOUNT, safety.check_account),
    teams.TeamKeysOptions: (teams.KEYS, teams.check_keys),
    teams.OwnerOptions: (teams.OWNER, lambda _: iter(())),
    teams.TeamOptions: (teams.VALUES, teams.check_team),
}


def mistakes_in(options: object) -> Iterator[Mistake]:
    """Yield what is wrong with a group of options by itself, such as `GatewayOptions`."""
    values, check = _RULES[type(options)]
    yield from check_values(values, _given(options))
    yield from check(options)


def _given(value: Any) -> Any:
    """Return options as mappings that hold only what differs from the defaults."""
    if is_dataclass(value):
        return {field.name: _given(found) for field in fields(value) if (found := _own(value, field)) is not None}
    if isinstance(value, Mapping):
        return {name: _given(item) for name, item in value.items()}
    return [_given(item) for item in value] if isinstance(value, list) else value


def _own(options: Any, field: Any) -> Any:
    """Return the value of a field, or None if it is the default."""
    found = getattr(options, field.name)
    return None if found == field.default else found
