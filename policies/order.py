"""The order of policies in `inbound`: whoever may not go on is refused before a later policy spends or tells anything.

First who may call at all (`cors`, `ip-filter`, token validation), then what the caller may spend (limits and quotas),
whether the prompt is safe (content safety), and whether the answer is known (semantic cache). An answer from the cache
before the safety check, say, would skip that check. Other policies stand anywhere after token validation.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from policies.cors import Cors
from policies.errors import PolicyError
from policies.ip_filter import IpFilter
from policies.llm_content_safety import LlmContentSafety
from policies.policy import Policy, TypedPolicy
from policies.quota import Quota
from policies.quota_by_key import QuotaByKey
from policies.rate_limit import RateLimit
from policies.rate_limit_by_key import RateLimitByKey
from policies.semantic_cache_lookup import AzureOpenAISemanticCacheLookup, LlmSemanticCacheLookup
from policies.token_limit import AzureOpenAITokenLimit, LlmTokenLimit
from policies.token_validation import TokenValidation

_BEFORE_VALIDATION = {"base", Cors.tag, IpFilter.tag}
_STEPS: tuple[tuple[type[TypedPolicy], ...], ...] = (
    (RateLimit, RateLimitByKey, Quota, QuotaByKey, LlmTokenLimit, AzureOpenAITokenLimit),
    (LlmContentSafety,),
    (LlmSemanticCacheLookup, AzureOpenAISemanticCacheLookup),
)
_RANKS = {kind.tag: rank for rank, kinds in enumerate(_STEPS, start=1) for kind in kinds}


class _Step(NamedTuple):
    """How far the policies so far have come, and the one that brought them there."""

    rank: int
    tag: str


def check_order(inbound: Sequence[Policy]) -> None:
    """Refuse a policy that comes after one that it has to precede."""
    _check_validation(inbound)
    _check_steps(inbound, _Step(0, ""))


def _check_validation(inbound: Sequence[Policy]) -> None:
    """Refuse a token validation after any other policy: nothing runs for a caller who is not known yet."""
    earlier: str | None = None
    for policy in inbound:
        if isinstance(policy, TokenValidation):
            if earlier is not None:
                raise PolicyError(
                    f"{policy.tag} comes after {earlier}; put it before every policy but base, cors and ip-filter"
                )
        elif (tag := next(policy.placements()).tag) not in _BEFORE_VALIDATION:
            earlier = earlier or tag


def _check_steps(policies: Iterable[Policy], reached: _Step) -> _Step:
    """Return how far `policies` come from `reached`; of branches, of which one runs, the one that comes furthest."""
    for policy in policies:
        if isinstance(policy, TypedPolicy):
            reached = _next(reached, policy.tag)
            reached = max((_check_steps(branch, reached) for branch in policy.branches()), default=reached)
        else:
            for placement in policy.placements():
                reached = _next(reached, placement.tag)
    return reached


def _next(reached: _Step, tag: str) -> _Step:
    rank = _RANKS.get(tag, reached.rank)
    if rank < reached.rank:
        raise PolicyError(
            f"{tag} comes after {reached.tag}; put it before: first limits and quotas, then llm-content-safety, "
            "then semantic cache look-ups"
        )
    return _Step(rank, tag) if rank > reached.rank else reached
