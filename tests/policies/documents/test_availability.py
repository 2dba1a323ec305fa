"""Which policies a pricing tier lacks."""

import pytest

from policies import (
    AzureOpenAITokenLimit,
    Base,
    Choose,
    Document,
    LlmSemanticCacheLookup,
    LlmTokenLimit,
    PolicyError,
    QuotaByKey,
    RateLimit,
    RateLimitByKey,
    When,
)
from policies.shared.policy import TypedPolicy

CLASSIC = ["Developer", "Basic", "Standard", "Premium", "Isolated"]
V2 = ["BasicV2", "StandardV2", "PremiumV2"]
BY_KEY = RateLimitByKey(calls=1, renewal_period=1, counter_key="k")
QUOTA = QuotaByKey(calls=1, renewal_period=0, counter_key="k")
TOKENS = LlmTokenLimit(counter_key="k", tokens_per_minute=1, estimate_prompt_tokens=True)
AZURE = AzureOpenAITokenLimit(counter_key="k", tokens_per_minute=1, estimate_prompt_tokens=True)
RATE = RateLimit(calls=1, renewal_period=1)
LOOKUP = LlmSemanticCacheLookup(score_threshold=0.05, embeddings_backend_id="b")

LACKING = [
    *((policy, "Consumption", ", classic or v2") for policy in (BY_KEY, TOKENS, AZURE)),
    *((QUOTA, sku, "") for sku in ("Consumption", *V2)),
]
HAVING = [
    *((policy, sku) for policy in (BY_KEY, TOKENS, AZURE) for sku in (*CLASSIC, *V2)),
    *((QUOTA, sku) for sku in CLASSIC),
    *((policy, "Consumption") for policy in (RATE, LOOKUP)),
]


def named(value: object) -> str:
    return str(getattr(value, "tag", value))


@pytest.mark.parametrize(("policy", "sku", "versions"), LACKING, ids=named)
def test_policy_that_the_tier_lacks_is_refused(policy: TypedPolicy, sku: str, versions: str) -> None:
    inside = Choose(when=[When(condition=True, policies=[policy])])

    for document in (Document(inbound=[Base(), policy]), Document(inbound=[inside])):
        with pytest.raises(PolicyError) as refusal:
            document.render(sku)
        assert str(refusal.value) == (
            f"{policy.tag} is not available in {sku}; "
            f"use the tier Developer, Basic, Standard or Premium{versions}, or remove the policy"
        )


@pytest.mark.parametrize(("policy", "sku"), HAVING, ids=named)
def test_policy_that_the_tier_has_is_rendered(policy: TypedPolicy, sku: str) -> None:
    rendered = Document(inbound=[Base(), policy]).render(sku)

    assert f"<{policy.tag} " in rendered


def test_without_a_tier_every_policy_is_rendered() -> None:
    assert "<quota-by-key " in Document(inbound=[QUOTA]).render()
