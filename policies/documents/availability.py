"""Policies that are not available in every pricing tier."""

from policies.shared.policy import BY_TAG, V2


def unavailable(tag: str, sku: str) -> str | None:
    """Return why a policy is not available in the pricing tier `sku`, or None if it is."""
    missing_in = BY_TAG[tag].missing_in if tag in BY_TAG else frozenset()
    if (V2 if sku.endswith("V2") else sku) not in missing_in:
        return None
    tiers = "Developer, Basic, Standard or Premium" + ("" if V2 in missing_in else ", classic or v2")
    return f"is not available in {sku}; use the tier {tiers}, or remove the policy"
