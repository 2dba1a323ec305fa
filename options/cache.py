"""The semantic cache: who shares answers, how alike prompts must be, and the Redis that keeps them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from options import existing
from options.defaulted import Defaulted
from options.entra import EntraOptions
from options.existing import ExistingResource
from options.jwt import JwtOptions
from options.known import known_region
from options.mistakes import Key, Mistake, Warn, suggestion
from options.models import deployment_name
from options.policy import PolicyOptions
from options.rules import (
    Rules,
    boolean,
    excludes_existing,
    matches,
    number,
    prefixed,
    region,
)
from policies.shared.checks import INT_MAX

_LOOSE = 0.2
"""Distance above which prompts that do not mean the same may match ("llm-semantic-cache-lookup", usage notes)."""


class VaryBy(StrEnum):
    """Who gets answers to each other's prompts; never more than the API's callers are told apart by."""

    CALLER = "caller"
    """Nobody but the application, or the user of an application, whom the validated token names."""
    SUBSCRIPTION = "subscription"
    """The holders of one subscription's keys, on an API that validates no token."""
    API = "api"
    """All callers of the API, which must be a single one."""


class RedisAccessKey(StrEnum):
    """Access keys of a Redis database."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExistingRedis(ExistingResource):
    """Azure Managed Redis that another stack or team owns, with RediSearch and access keys in its database."""

    # Repeated here: the component host reads a field's description from its own class.
    name: str
    """Name of the cluster."""
    resource_group: str
    """Resource group that holds it."""
    subscription_id: str | None = None
    """Subscription that holds the group. Defaults to the one that the stack deploys to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RedisOptions:
    """The Azure Managed Redis behind the service's cache: what to create, or which one to adopt."""

    existing: ExistingRedis | None = None
    """Redis to adopt without owning it. By default one is created."""
    connected: Defaulted[bool] = False
    """Whether the service has its cache already, since another stack or team has connected one with RediSearch; a
    service has a single one. Defaults to false: it is connected here."""
    location: str | None = None
    """Azure region of the Redis to create. Defaults to the stack's `azure-native:location`."""
    name: str | None = None
    """Name, unique in its region. Defaults to the component's name with a random suffix."""
    sku: str | None = None
    """SKU of the Redis to create. Defaults to `Balanced_B0`, the smallest."""
    high_availability: Defaulted[bool] = True
    """Whether the Redis to create is replicated. Defaults to true; false halves its price."""
    access_key: Defaulted[RedisAccessKey] = RedisAccessKey.PRIMARY
    """Which of the database's keys the gateway presents: `primary` (default) or `secondary`. To rotate the keys,
    present the other one, regenerate this one, and come back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheOptions:
    """Answers a plain chat as an earlier one whose prompt means the same. Streams and Responses are never cached."""

    score_threshold: float
    """Distance of two prompts, 0 to 1, up to which they mean the same; lower is stricter. Start with 0.05."""
    duration: int
    """Seconds for which an answer is kept, at least 1."""
    embeddings: str
    """Deployment of an embedding model, in one of the API's accounts, that measures the distance."""
    vary_by: VaryBy
    """Who gets answers to each other's prompts: `caller` on an API that validates tokens, `subscription` on any other;
    `api` where there is a single caller."""
    redis: RedisOptions | None = None
    """Redis that keeps the answers of all APIs. By default one is created."""


_redis_name = matches(
    "(?=.{1,60}$)[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*",
    "1 to 60 letters, digits and hyphens, no hyphen at either end or beside another",
)
REDIS: Rules = {
    "": (excludes_existing("Redis", "location", "name", "sku", "high_availability"),),
    "existing.name": (_redis_name,),
    **prefixed("existing", existing.VALUES),
    "connected": (boolean,),
    "location": (region, known_region),
    "name": (_redis_name,),
    "sku": (
        matches(
            "(?:Balanced_B|MemoryOptimized_M|ComputeOptimized_X)[0-9]+",
            "a SKU of Azure Managed Redis that has RediSearch, such as Balanced_B0, MemoryOptimized_M10 or "
            "ComputeOptimized_X3",
        ),
    ),
    "high_availability": (boolean,),
}
"""Of the SKUs, those that have RediSearch ("Plan for Redis modules")."""
VALUES: Rules = {
    **prefixed("redis", REDIS),
    "score_threshold": (number(0, 1, "a number from 0 to 1, such as 0.05"),),
    "duration": (number(1, INT_MAX, "a whole number of seconds from 1"),),
    "embeddings": (deployment_name,),
}


def check_redis(redis: RedisOptions) -> Iterator[Mistake]:
    """Yield what is wrong with the options of Redis."""
    default = RedisOptions()
    for name in ("existing", "location", "name", "sku", "high_availability", "access_key"):
        if redis.connected and getattr(redis, name) != getattr(default, name):
            problem = "has no effect with {0}, which leaves the service's cache to its owner; remove one of the two"
            yield Mistake(key=(name,), problem=problem, about=(("connected",),))


def check_cache(cache: CacheOptions) -> Iterator[Mistake]:
    """Yield what is wrong with the options of the cache."""
    if cache.score_threshold > _LOOSE:
        problem = (
            f"is loose: above {_LOOSE}, answers are given to prompts that may not mean the same; lower is stricter, "
            "start with 0.05"
        )
        yield Warn(key=("score_threshold",), value=cache.score_threshold, problem=problem)
    if cache.redis is not None:
        yield from (mistake.under("redis") for mistake in check_redis(cache.redis))


def check_one_redis(given: Sequence[tuple[Key, RedisOptions]]) -> Iterator[Mistake]:
    """Refuse a Redis, each given at a key, that differs from the first: a service has one cache."""
    for key, redis in given:
        if redis != given[0][1]:
            problem = "differs from {0}, and a service has a single cache, which all APIs share; remove one of the two"
            yield Mistake(key=key, problem=problem, about=(given[0][0],))


def check_cache_in_use(
    cache: CacheOptions,
    key: Key,
    api: Key,
    *,
    by_token: bool,
    one_caller: bool,
    policy: PolicyOptions | None,
) -> Iterator[Mistake]:
    """Refuse a cache that gives callers each other's answers, or that answers before the user's own policies.

    Args:
        cache: the cache.
        key: where it is.
        api: the API to which it applies.
        by_token: whether the API validates a token.
        one_caller: whether only tokens of a single caller are accepted.
        policy: the API's policy hook.

    """
    place, value, auth = (*key, "vary_by"), str(cache.vary_by), ((*api, "auth"),)
    if cache.vary_by is VaryBy.CALLER and not by_token:
        problem = (
            "varies by the validated token, but {0} is not entra, so no token is validated; change that, or vary by "
            "subscription"
        )
        yield Mistake(key=place, value=value, problem=problem, about=auth)
    elif cache.vary_by is VaryBy.SUBSCRIPTION and by_token:
        problem = (
            "is wider than the API's callers, whom {0} entra tells apart by their tokens: they would get answers to "
            "each other's prompts; vary by caller"
        )
        yield Mistake(key=place, value=value, problem=problem, about=auth)
    elif cache.vary_by is VaryBy.API and not one_caller:
        narrower = VaryBy.CALLER if by_token else VaryBy.SUBSCRIPTION
        problem = (
            "is wider than the API's callers, whom {0} tells apart: they would get answers to each other's prompts; "
            f"vary by {narrower}"
        )
        yield Mistake(key=place, value=value, problem=problem, about=auth)
    if policy is not None and policy.inbound:
        problem = (
            "conflicts with {0}, which an answer from the cache would pass by, with all that it checks; remove one of "
            "the two"
        )
        yield Mistake(key=key, problem=problem, about=((*api, "policy", "inbound"),))


def has_one_caller(tokens: EntraOptions | JwtOptions | None) -> bool:
    """Return whether only tokens of a single caller are accepted: who that is, `components._caller` says."""
    if tokens is None:
        return False
    if isinstance(tokens, EntraOptions):
        claim, one = "oid", len(tokens.client_application_ids) == 1
    else:
        claim, one = "sub", len(tokens.openid_config_urls) == 1 and len(tokens.issuers) <= 1
    required = tokens.required_claims.get(claim)
    return one and required is not None and len(required.values) == 1 and required.separator is None


def check_embeddings(
    cache: CacheOptions,
    key: Key,
    served: Mapping[str, Collection[str] | None],
    models: Mapping[str, str],
    accounts: Key,
) -> Iterator[Mistake]:
    """Refuse embeddings that no account of the API serves, or of a model that makes none.

    Args:
        cache: the cache.
        key: where it is.
        served: deployments of each of the API's accounts; None: they are not known.
        models: model of each deployment that is created.
        accounts: key under which the accounts and their deployments are.

    """
    place = (*key, "embeddings")
    known = sorted({name for own in served.values() for name in own or ()})
    model = models.get(cache.embeddings)
    if None not in served.values() and cache.embeddings not in known:
        hint = suggestion(cache.embeddings, known)
        problem = f"is not a deployment of the API's accounts in {{0}}; allowed: {', '.join(known) or 'none'}{hint}"
        yield Mistake(key=place, value=cache.embeddings, problem=problem, about=(accounts,))
    elif model is not None and "embed" not in model.lower():
        problem = (
            f"deploys {model} in {{0}}, which makes no embeddings; name the deployment of an embedding model, such as "
            "text-embedding-3-small"
        )
        yield Mistake(key=place, value=cache.embeddings, problem=problem, about=(accounts,))


def embeddings_account(name: str, served: Mapping[str, Collection[str] | None]) -> str | None:
    """Return the account that makes the embeddings: the first that serves the deployment, or else that may."""
    sure = (account for account, own in served.items() if own is not None and name in own)
    perhaps = (account for account, own in served.items() if own is None)
    return next(sure, None) or next(perhaps, None)
