"""Which policies the gateway of a pricing tier lacks."""

from policies.quota_by_key import QuotaByKey
from policies.rate_limit_by_key import RateLimitByKey
from policies.token_limit import AzureOpenAITokenLimit, LlmTokenLimit

_CONSUMPTION = "Consumption"
_V2 = "V2"
_NOT_IN_CONSUMPTION = frozenset({RateLimitByKey.tag, QuotaByKey.tag, LlmTokenLimit.tag, AzureOpenAITokenLimit.tag})
_NOT_IN_V2 = frozenset({QuotaByKey.tag})


def unavailable(tag: str, sku: str) -> str | None:
    """Say why the gateway of `sku` does not have a policy (policy reference, gateways); `None`: it has."""
    missing = _NOT_IN_CONSUMPTION if sku == _CONSUMPTION else _NOT_IN_V2 if sku.endswith(_V2) else frozenset()
    if tag not in missing:
        return None
    tiers = "Developer, Basic, Standard or Premium" + ("" if tag in _NOT_IN_V2 else ", classic or v2")
    return f"is not available in {sku}; use the tier {tiers}, or leave the policy out"
