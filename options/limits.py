"""How much callers may use, and who shares the amount."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from options.defaulted import Defaulted
from options.mistakes import Key, Mistake
from options.rules import Rules, boolean, number
from policies import LlmTokenLimit, RateLimitByKey
from policies.documents.availability import unavailable
from policies.shared.checks import INT_MAX


class LimitPer(StrEnum):
    """Who shares an amount."""

    SUBSCRIPTION = "subscription"
    """The holders of one subscription's keys."""
    CALLER = "caller"
    """An application, or a user of an application, as the validated token names them."""
    PRODUCT = "product"
    """All subscriptions of a product."""
    MODEL = "model"
    """All calls of a model deployment."""
    API = "api"
    """All calls of the API."""


class QuotaPeriod(StrEnum):
    """How long a token quota lasts before it starts over, counted in UTC."""

    HOURLY = "Hourly"
    DAILY = "Daily"
    WEEKLY = "Weekly"
    MONTHLY = "Monthly"
    YEARLY = "Yearly"


class TokenPolicies(StrEnum):
    """Family of the policies that count tokens; both do the same."""

    LLM = "llm"
    AZURE_OPENAI = "azure-openai"


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitOptions:
    """An amount that callers may use; beyond it calls are refused, with 429 for a rate and with 403 for a quota.

    Each region and each gateway of the service counts for itself, and so does each API.
    """

    per: LimitPer
    """Who shares the amount."""
    tokens_per_minute: int | None = None
    """Tokens of prompts and answers in a minute. Defaults to no limit."""
    token_quota: int | None = None
    """Tokens of prompts and answers in a `token_quota_period`. Defaults to no quota."""
    token_quota_period: QuotaPeriod | None = None
    """Period of `token_quota`; required with it."""
    requests_per_minute: int | None = None
    """Requests in a minute. Defaults to no limit."""
    estimate_prompt: Defaulted[bool] = False
    """Whether a call is refused beforehand if its prompt alone would exceed the amount, by an estimate that takes time.
    Defaults to false: the call that exceeds the amount still succeeds, and those after it are refused."""
    shadow: Defaulted[bool] = False
    """Whether calls beyond the amount are only reported, as a metric and a trace, and never refused. Reports may come
    late or be missing: the gateway estimates what is used of a quota. Defaults to false."""


VALUES: Rules = {
    "tokens_per_minute": (number(1, INT_MAX, "a whole number from 1"),),
    "token_quota": (number(1, 10**12, "a whole number from 1 to 10^12"),),
    "requests_per_minute": (number(1, INT_MAX, "a whole number from 1"),),
    "estimate_prompt": (boolean,),
    "shadow": (boolean,),
}


class Counted(NamedTuple):
    """What an amount limits; of two amounts for the same, the smaller one decides."""

    per: LimitPer
    unit: str
    """`tokens` or `requests`."""
    period: QuotaPeriod | None
    """None is a minute."""
    shadow: bool


def amounts(limit: LimitOptions) -> Iterator[tuple[str, Counted, int]]:
    """Yield each amount of a limit: the field that has it, what it limits, and the amount."""
    if limit.requests_per_minute is not None:
        counted = Counted(limit.per, "requests", None, limit.shadow)
        yield "requests_per_minute", counted, limit.requests_per_minute
    if limit.tokens_per_minute is not None:
        yield "tokens_per_minute", Counted(limit.per, "tokens", None, limit.shadow), limit.tokens_per_minute
    if limit.token_quota is not None and limit.token_quota_period is not None:
        counted = Counted(limit.per, "tokens", limit.token_quota_period, limit.shadow)
        yield "token_quota", counted, limit.token_quota


def smallest_amounts(limits: Iterable[LimitOptions]) -> dict[Counted, tuple[int, bool]]:
    """Return the amount that decides for each thing that is limited, and whether prompts are estimated for it."""
    smallest: dict[Counted, tuple[int, bool]] = {}
    for limit in limits:
        for _, counted, amount in amounts(limit):
            smallest[counted] = min(smallest.get(counted, (amount, True)), (amount, limit.estimate_prompt))
    return smallest


def words(counted: Counted, *, team: bool = False) -> str:
    """Return what is limited in words, such as `subscription-monthly-tokens`; `team`, it is a team's amount."""
    period = "" if counted.period is None else f"{counted.period.lower()}-"
    return f"{'team-' if team else ''}{counted.per}-{period}{counted.unit}"


def remaining_header(counted: Counted, *, team: bool = False) -> str:
    """Return the response header that tells how much is left of an API's amount, or of a team's."""
    return f"x-ratelimit-remaining-{words(counted, team=team)}"


def quota_headers(limits: Iterable[LimitOptions], *, team: bool = False) -> dict[str, int]:
    """Return the token quotas that refuse calls: the tokens of each, by the header that tells how many are left."""
    return {
        remaining_header(counted, team=team): amount
        for counted, (amount, _) in smallest_amounts(limits).items()
        if counted.period is not None and not counted.shadow
    }


def check_limit(limit: LimitOptions) -> Iterator[Mistake]:
    """Yield what is wrong with one limit."""
    if limit.token_quota is not None and limit.token_quota_period is None:
        allowed = ", ".join(QuotaPeriod)
        problem = f"is missing, which says when {{0}} starts over; allowed: {allowed}"
        yield Mistake(key=("token_quota_period",), problem=problem, about=(("token_quota",),))
    if limit.token_quota is None and limit.token_quota_period is not None:
        problem = "is missing, of which {0} is the period; give the number of tokens, or remove the period"
        yield Mistake(key=("token_quota",), problem=problem, about=(("token_quota_period",),))
    names = ("tokens_per_minute", "token_quota", "requests_per_minute")
    if all(getattr(limit, name) is None for name in (*names, "token_quota_period")):
        about: tuple[Key, ...] = tuple((name,) for name in names)
        yield Mistake(key=(), problem="limits nothing; give at least one of {0}, {1} and {2}", about=about)
    if limit.shadow and limit.requests_per_minute is not None:
        problem = (
            "conflicts with {0}: the gateway cannot count requests without refusing those beyond the number; "
            "remove one of the two"
        )
        yield Mistake(key=("requests_per_minute",), value=limit.requests_per_minute, problem=problem, about=_SHADOW)
    if limit.shadow and limit.estimate_prompt:
        problem = "conflicts with {0}, which compares with the amount what earlier calls used; remove one of the two"
        yield Mistake(key=("estimate_prompt",), value=True, problem=problem, about=_SHADOW)
    if limit.estimate_prompt and limit.tokens_per_minute is None and limit.token_quota is None:
        problem = "has no effect without {0} or {1}; remove it, or limit tokens"
        about = (("tokens_per_minute",), ("token_quota",))
        yield Mistake(key=("estimate_prompt",), value=True, problem=problem, about=about)


_SHADOW: tuple[Key, ...] = (("shadow",),)


def check_limits(limits: Sequence[LimitOptions]) -> Iterator[Mistake]:
    """Yield what is wrong with each limit, and amounts that limit the same."""
    first: dict[Counted, Key] = {}
    for i, limit in enumerate(limits):
        for mistake in check_limit(limit):
            yield mistake.under(i)
        for name, counted, amount in amounts(limit):
            if (twin := first.setdefault(counted, (i, name))) != (i, name):
                problem = "limits the same as {0}, and the smaller one decides; remove one of the two"
                yield Mistake(key=(i, name), value=amount, problem=problem, about=(twin,))


def check_limits_tier(limits: Sequence[LimitOptions], key: Key, sku: str, at: Key) -> Iterator[Mistake]:
    """Refuse limits, which are at `key`, on a service whose tier lacks them; `at` is where the tier is named."""
    tag = RateLimitByKey.tag if all(limit.requests_per_minute for limit in limits) else LlmTokenLimit.tag
    if limits and (lacks := unavailable(tag, sku)):
        reason = lacks.rpartition(", or remove")[0]
        yield Mistake(key=key, problem=f"conflicts with {{0}}: {tag} {reason}, or remove the limits", about=(at,))


def check_limits_in_use(
    limits: Sequence[LimitOptions], key: Key, api: Key, *, by_token: bool, subscription_required: bool
) -> Iterator[Mistake]:
    """Refuse limits that would not know whom to count.

    Args:
        limits: the limits.
        key: where they are.
        api: the API to which they apply.
        by_token: whether the API validates a token.
        subscription_required: whether its callers need a subscription key.

    """
    for i, limit in enumerate(limits):
        if limit.per is LimitPer.CALLER and not by_token:
            problem = (
                "counts by the validated token, but {0} is not entra, so no token is validated; change that, or count "
                "per subscription"
            )
            yield Mistake(key=(*key, i, "per"), value=str(limit.per), problem=problem, about=((*api, "auth"),))
        if limit.per in {LimitPer.SUBSCRIPTION, LimitPer.PRODUCT} and not subscription_required:
            problem = "counts by the subscription key, which is not required; set {0} to true, or count per caller"
            about = ((*api, "subscription_required"),)
            yield Mistake(key=(*key, i, "per"), value=str(limit.per), problem=problem, about=about)
