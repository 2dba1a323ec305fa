"""Which policies the gateway of a pricing tier lacks."""

from policies.policy import BY_TAG, V2


def unavailable(tag: str, sku: str) -> str | None:
    """Say why the gateway of `sku` does not have a policy, as its type tells; `None`: it has."""
    missing_in = BY_TAG[tag].missing_in if tag in BY_TAG else frozenset()
    if (V2 if sku.endswith("V2") else sku) not in missing_in:
        return None
    tiers = "Developer, Basic, Standard or Premium" + ("" if V2 in missing_in else ", classic or v2")
    return f"is not available in {sku}; use the tier {tiers}, or leave the policy out"
