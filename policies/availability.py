"""Which policies the gateway of a pricing tier lacks."""

from policies.errors import PolicyError
from policies.quota_by_key import QuotaByKey
from policies.rate_limit_by_key import RateLimitByKey
from policies.token_limit import AzureOpenAITokenLimit, LlmTokenLimit

_CONSUMPTION = "Consumption"
_V2 = "V2"
_NOT_IN_CONSUMPTION = frozenset({RateLimitByKey.tag, QuotaByKey.tag, LlmTokenLimit.tag, AzureOpenAITokenLimit.tag})
_NOT_IN_V2 = frozenset({QuotaByKey.tag})


def check_available(tag: str, sku: str) -> None:
    """Refuse a policy that the gateway of `sku` does not have (policy reference, gateways)."""
    missing = _NOT_IN_CONSUMPTION if sku == _CONSUMPTION else _NOT_IN_V2 if sku.endswith(_V2) else frozenset()
    if tag in missing:
        tiers = "Developer, Basic, Standard or Premium" + ("" if tag in _NOT_IN_V2 else ", classic or v2")
        raise PolicyError(f"{tag} is not available in {sku}; use the tier {tiers}, or leave the policy out")
