"""The order of policies in `inbound`: a call is refused before a later policy uses or reveals anything.

First come the policies that decide who may call (`cors`, `ip-filter`, token validation), then limits and quotas, then
content safety, then the semantic cache. An answer from the cache before the safety check, for example, would skip that
check. Other policies may be anywhere after token validation.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from policies.cors import Cors
from policies.documents.identity import chooses_validation
from policies.ip_filter import IpFilter
from policies.llm_content_safety import LlmContentSafety
from policies.quota import Quota
from policies.quota_by_key import QuotaByKey
from policies.rate_limit import RateLimit
from policies.rate_limit_by_key import RateLimitByKey
from policies.semantic_cache_lookup import AzureOpenAISemanticCacheLookup, LlmSemanticCacheLookup
from policies.shared.errors import PolicyError
from policies.shared.policy import Policy, TypedPolicy
from policies.shared.token_validation import TokenValidation
from policies.token_limit import AzureOpenAITokenLimit, LlmTokenLimit

_BEFORE_VALIDATION = {"base", Cors.tag, IpFilter.tag}
STEPS: tuple[tuple[type[TypedPolicy], ...], ...] = (
    (RateLimit, RateLimitByKey, Quota, QuotaByKey, LlmTokenLimit, AzureOpenAITokenLimit),
    (LlmContentSafety,),
    (LlmSemanticCacheLookup, AzureOpenAISemanticCacheLookup),
)
_RANKS = {kind.tag: rank for rank, kinds in enumerate(STEPS, start=1) for kind in kinds}


class _Step(NamedTuple):
    """The furthest step that the policies so far have reached, and the policy that reached it."""

    rank: int
    tag: str


def check_order(inbound: Sequence[Policy]) -> None:
    """Refuse a policy that comes after one that it must precede."""
    _check_validation(inbound)
    _check_steps(inbound, _Step(0, ""))


def _check_validation(inbound: Sequence[Policy]) -> None:
    """Refuse token validation after any other policy: nothing may run before the caller is authenticated."""
    earlier: str | None = None
    for policy in inbound:
        tag = next(policy.placements()).tag
        if isinstance(policy, TokenValidation) or chooses_validation(policy):
            if earlier is not None:
                raise PolicyError(
                    f"{tag} comes after {earlier}; put it before every policy but base, cors and ip-filter"
                )
        elif tag not in _BEFORE_VALIDATION:
            earlier = earlier or tag


def _check_steps(policies: Iterable[Policy], reached: _Step) -> _Step:
    """Return the step that `policies` reach from `reached`; of several branches, the furthest one counts."""
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
            f"{tag} comes after {reached.tag}; put it before: limits and quotas come first, then llm-content-safety, "
            "then semantic cache look-ups"
        )
    return _Step(rank, tag) if rank > reached.rank else reached
