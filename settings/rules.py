"""Rules of stack config: those of its options, and those of what APIs inherit from the stack."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import chain
from typing import Any

from options import (
    SYSTEM_ASSIGNED,
    USER_ASSIGNED,
    ApiOptions,
    AuthMode,
    BackendAuth,
    EntraOptions,
    IdentityProviderOptions,
    JwtOptions,
    KeyOptions,
    LimitOptions,
    MetricSource,
)
from options.api import VALUES as API
from options.api import check_apis, check_stored_responses, check_tokens, offers_stored_responses
from options.breaker import check_breaker_tier
from options.cache import VALUES as CACHE
from options.cache import (
    CacheOptions,
    check_cache,
    check_cache_in_use,
    check_embeddings,
    check_one_redis,
    has_one_caller,
)
from options.entra import VALUES as ENTRA
from options.entra import check_callers, check_entra
from options.gateway import VALUES as GATEWAY
from options.gateway import check_gateway, check_primary_region, user_assigned_on_adopted
from options.identity_providers import VALUES as IDENTITY_PROVIDER
from options.identity_providers import check_identity_providers
from options.jwt import VALUES as JWT
from options.jwt import check_jwt
from options.key import VALUES as KEY
from options.key import check_key, check_key_in_use
from options.known import known_region
from options.limits import VALUES as LIMIT
from options.limits import check_limits, check_limits_in_use, check_limits_tier
from options.metrics import VALUES as METRICS
from options.metrics import check_metrics, check_metrics_in_use
from options.mistakes import Key, Mistake, Warn, camel, unique
from options.models import check_models_in_use, targets
from options.network import VALUES as NETWORK
from options.network import check_gateway_network, check_network, check_vault_reader
from options.observability import VALUES as OBSERVABILITY
from options.observability import check_observability, check_observability_tier
from options.openai import VALUES as OPENAI
from options.openai import (
    account_keys,
    check_account_names,
    check_openai,
    check_pool,
    check_priorities,
    deployments_of,
    served_in,
)
from options.policy import check_streams
from options.prices import check_priced, models_by_deployment
from options.responses import check_own_responses_tier
from options.retry import check_retry_in_use
from options.rules import Rules, boolean, check_values, prefixed, region
from options.safety import VALUES as SAFETY
from options.safety import SafetyOptions, check_safety, check_safety_tier
from options.teams import VALUES as TEAM
from options.teams import ApiFacts, check_own_subscription, check_teams, check_teams_in_use
from settings.mistakes import LOCATION, NAMESPACE, FullKey, in_config
from settings.resolve import ApiSettings, given_redis
from settings.schema import Stack

_NAMESPACES = (NAMESPACE, "azure-native", "azuread", "random", "pulumi")
"""Namespaces that this program or one of its providers reads."""

_SIMILAR = 0.8
"""Similarity, from 0 to 1, from which a namespace counts as a misspelling of ours."""

_CREDENTIALS: Rules = {
    **prefixed("key", KEY),
    **prefixed("entra", ENTRA),
    **prefixed("jwt", JWT),
    **prefixed("identity_providers.*", IDENTITY_PROVIDER),
}
_BLOCKS: Rules = {**_CREDENTIALS, **prefixed("safety", SAFETY), **prefixed("cache", CACHE)}
"""Blocks that both the stack and an API may have."""
_VALUES: Rules = {
    "protect": (boolean,),
    **prefixed("gateway", GATEWAY),
    **prefixed("openai", OPENAI),
    **prefixed("apis.*", {**API, **_BLOCKS}),
    **prefixed("teams.*", TEAM),
    **_BLOCKS,
    **prefixed("limits.*", LIMIT),
    **prefixed("metrics", METRICS),
    **prefixed("observability", OBSERVABILITY),
    **prefixed("network", NETWORK),
}


def check_tree(tree: Mapping[str, Any]) -> list[Mistake]:
    """Return what is wrong with single values of the canonical tree."""
    return in_config(of=check_values(_VALUES, tree, camel))


def check_location(location: Any) -> Iterator[Mistake]:
    """Yield what is wrong with the region of the resources that are created."""
    key = (LOCATION,)
    if location is None:
        problem = "is missing; name the region in which to create resources, such as swedencentral"
        yield Mistake(key=key, problem=problem)
    elif not isinstance(location, str):
        yield Mistake(key=key, value=location, problem="is given where text is expected; name an Azure region")
    else:
        yield from region(key, location)
        yield from known_region(key, location)


def check_namespaces(keys: Iterable[str]) -> Iterator[Mistake]:
    """Refuse keys of a namespace that is a misspelling of ours, which Pulumi would ignore."""
    for key in keys:
        namespace, colon, name = key.partition(":")
        if (
            colon
            and namespace not in _NAMESPACES
            and get_close_matches(namespace.lower(), [NAMESPACE], cutoff=_SIMILAR)
        ):
            problem = f"is in the namespace {namespace}, which is not used; write {NAMESPACE}:{name}"
            yield Mistake(key=(FullKey(key),), problem=problem)


def check_stack(stack: Stack, wrong: set[str], location: Any) -> list[Mistake]:
    """Return what is wrong with each of the stack's keys alone, except those in `wrong`, whose shape is wrong."""
    mistakes: list[Mistake] = []
    if "gateway" not in wrong:
        mistakes += in_config("gateway", of=check_gateway(stack.gateway))
        if isinstance(location, str):
            mistakes += in_config("gateway", of=check_primary_region(stack.gateway, location))
    mistakes += _check_network(stack, wrong)
    if "openai" not in wrong:
        mistakes += in_config("openai", of=check_openai(stack.openai))
    if not wrong & {"gateway", "openai"} and not stack.gateway.existing:
        priorities = (account.priority for account in stack.openai.accounts)
        mistakes += in_config("openai", of=check_priorities(priorities, stack.gateway.sku))
        mistakes += in_config("openai", of=check_breaker_tier(stack.openai.breaker, stack.gateway.sku))
    mistakes += _check_spend(stack, wrong)
    if not wrong & {"openai", "apis"}:
        for i, api in enumerate(stack.apis):
            if api.accounts is not None:
                mistakes += in_config(
                    of=check_account_names(("apis", i, "accounts"), api.accounts, stack.openai.accounts)
                )
    if not wrong & {"key", "entra", "jwt", "identity_providers"}:
        mistakes += _check_credentials((), stack.key, stack.entra, stack.jwt, stack.identity_providers)
    if "apis" not in wrong:
        mistakes += in_config("apis", of=check_apis(stack.apis))
        for i, api in enumerate(stack.apis):
            mistakes += _check_credentials(("apis", i), api.key, api.entra, api.jwt, api.identity_providers or ())
    if "teams" not in wrong:
        mistakes += in_config("teams", of=check_teams(stack.teams))
    mistakes += _check_safety(stack, wrong)
    mistakes += _check_cache(stack, wrong)
    mistakes += _check_observability(stack, wrong)
    return mistakes


def _check_network(stack: Stack, wrong: set[str]) -> Iterator[Mistake]:
    if "network" in wrong:
        return
    yield from in_config("network", of=check_network(stack.network))
    if "gateway" not in wrong:
        yield from in_config(of=check_gateway_network(stack.network, stack.gateway, ("network",), ("gateway",)))


def _check_spend(stack: Stack, wrong: set[str]) -> Iterator[Mistake]:
    if "metrics" not in wrong and stack.metrics is not None:
        yield from in_config("metrics", of=check_metrics(stack.metrics))
    if "limits" not in wrong:
        yield from in_config("limits", of=check_limits(stack.limits))
    if not wrong & {"gateway", "teams"} and not stack.gateway.existing:
        for i, team in enumerate(stack.teams):
            at = ("teams", i, "limits")
            yield from in_config(of=check_limits_tier(team.limits, at, str(stack.gateway.sku), ("gateway", "sku")))
    if not wrong & {"gateway", "limits", "apis"} and not stack.gateway.existing:
        tier = str(stack.gateway.sku), ("gateway", "sku")
        yield from in_config(of=check_limits_tier(stack.limits, ("limits",), *tier))
        for i, api in enumerate(stack.apis):
            yield from in_config(of=check_limits_tier(api.limits, ("apis", i, "limits"), *tier))
            key = ("apis", i, "own_responses")
            yield from in_config(of=check_own_responses_tier(api.own_responses, key, *tier))


def _check_observability(stack: Stack, wrong: set[str]) -> Iterator[Mistake]:
    if "observability" in wrong or stack.observability is None:
        return
    key = ("observability",)
    yield from in_config(*key, of=check_observability(stack.observability))
    if "gateway" not in wrong and not stack.gateway.existing:
        tier = str(stack.gateway.sku), ("gateway", "sku")
        yield from in_config(of=check_observability_tier(stack.observability, key, *tier))


def _check_safety(stack: Stack, wrong: set[str]) -> Iterator[Mistake]:
    given: list[tuple[tuple[str | int, ...], SafetyOptions | None]] = []
    if "safety" not in wrong:
        given.append((("safety",), stack.safety))
    if "apis" not in wrong:
        given += [(("apis", i, "safety"), api.safety) for i, api in enumerate(stack.apis)]
    tier_known = "gateway" not in wrong and not stack.gateway.existing
    for key, safety in given:
        if safety is not None:
            yield from in_config(*key, of=check_safety(safety))
            if tier_known:
                yield from in_config(of=check_safety_tier(key, stack.gateway.sku, ("gateway", "sku")))


def _check_cache(stack: Stack, wrong: set[str]) -> Iterator[Mistake]:
    given: list[tuple[tuple[str | int, ...], CacheOptions | None]] = []
    if "cache" not in wrong:
        given.append((("cache",), stack.cache))
    if "apis" not in wrong:
        given += [(("apis", i, "cache"), api.cache) for i, api in enumerate(stack.apis)]
    for key, cache in given:
        if cache is not None:
            yield from in_config(*key, of=check_cache(cache))
    if not wrong & {"cache", "apis"}:
        yield from in_config(of=check_one_redis(given_redis(stack)))


def _check_credentials(
    prefix: tuple[str | int, ...],
    key: KeyOptions | None,
    entra: EntraOptions | None,
    jwt: JwtOptions | None,
    identity_providers: Sequence[IdentityProviderOptions],
) -> Iterator[Mistake]:
    yield from in_config(*prefix, "key", of=check_key(key) if key else ())
    yield from in_config(*prefix, of=check_tokens(entra, jwt, identity_providers))
    yield from in_config(*prefix, "entra", of=check_entra(entra) if entra else ())
    yield from in_config(*prefix, "jwt", of=check_jwt(jwt) if jwt else ())
    yield from in_config(*prefix, "identity_providers", of=check_identity_providers(identity_providers))


def check_effect(stack: Stack, apis: Sequence[ApiSettings]) -> Iterator[Mistake]:
    """Yield APIs that are open to everyone, and options without effect; `apis` are the resolved ones."""
    for i, (own, api) in enumerate(zip(stack.apis, apis, strict=True)):
        key = ("apis", i)
        if api.auth is not AuthMode.ENTRA and not api.subscription_required:
            problem = (
                f"leaves the API open to everyone, as auth {api.auth} validates no token; remove it, or set auth to "
                "entra"
            )
            yield Mistake(key=(*key, "subscriptionRequired"), value=False, problem=problem)
        yield from _check_spend_in_use(stack, own, api, key)
        if api.cache is not None:
            place = (*(key if own.cache else ()), "cache")
            found = check_cache_in_use(
                api.cache,
                place,
                key,
                by_token=api.auth is AuthMode.ENTRA,
                one_caller=has_one_caller(api.entra or api.jwt),
                policy=api.policy,
            )
            yield from in_config(of=found)
        if api.auth is AuthMode.ENTRA and api.bearer_keys:
            problem = "conflicts with auth entra, where a bearer is a token and no key; remove it, or change auth"
            yield Mistake(key=(*key, "bearerKeys"), problem=problem)
        if api.entra:
            yield from in_config(*(key if own.entra else ()), "entra", of=check_callers(api.entra))
        several = own.identity_providers
        unused = {
            "entra": own.entra and not api.entra and not (own.jwt or several) and "only auth entra validates tokens",
            "jwt": own.jwt and not api.jwt and not several and "only auth entra validates tokens",
            "identityProviders": several and not api.identity_providers and "only auth entra validates tokens",
            "key": own.key and not api.key and f"Azure OpenAI is called with {api.backend_auth}",
            "identity": own.identity and api.uses_no_identity and "Azure OpenAI is called with its key",
        }
        for name, reason in unused.items():
            if reason:
                yield Mistake(key=(*key, name), problem=f"has no effect, as {reason}; remove it, or change auth")
        if own.identity == USER_ASSIGNED and stack.gateway.existing:
            yield user_assigned_on_adopted((*key, "identity"))
    for name, given, used in (
        ("entra", (stack.entra or EntraOptions()) != EntraOptions(), any(api.entra is stack.entra for api in apis)),
        ("jwt", stack.jwt is not None, any(api.jwt is stack.jwt for api in apis)),
        (
            "identityProviders",
            bool(stack.identity_providers),
            any(api.identity_providers is stack.identity_providers for api in apis),
        ),
        ("key", stack.key != KeyOptions(), any(api.key is stack.key for api in apis)),
        (
            "safety",
            stack.safety is not None,
            any(own.safety is None or own.safety.account is None for own in stack.apis),
        ),
        (
            "cache",
            stack.cache is not None,
            any(own.cache is None for own in stack.apis) or (stack.cache is not None and stack.cache.redis is not None),
        ),
    ):
        if given and not used:
            remedy = "remove it" if name in {"safety", "cache"} else "remove it, or change auth"
            yield Warn(key=(name,), problem=f"has no effect, as no API uses it; {remedy}")


def _check_spend_in_use(
    stack: Stack, own: ApiOptions, api: ApiSettings, key: tuple[str | int, ...]
) -> Iterator[Mistake]:
    """Yield limits and metrics that the API at `key` could not apply."""
    by_token = api.auth is AuthMode.ENTRA
    limits: tuple[tuple[Sequence[LimitOptions], tuple[str | int, ...]], ...]
    limits = ((stack.limits, ("limits",)), (own.limits, (*key, "limits")))
    for given, place in limits:
        found = check_limits_in_use(
            given, place, key, by_token=by_token, subscription_required=api.subscription_required
        )
        yield from in_config(of=found)
    if api.metrics is not None:
        place = (*(key if own.metrics else ()), "metrics")
        yield from in_config(
            of=check_metrics_in_use(api.metrics, place, key, by_token=by_token, models=api.models_known)
        )


def check_teams_access(stack: Stack, apis: Sequence[ApiSettings]) -> Iterator[Mistake]:
    """Yield what teams ask of APIs that do not have it; `apis` are the resolved ones."""
    facts = {
        api.name: ApiFacts(
            subscription_required=api.subscription_required,
            own_subscription=api.own_subscription,
            roles=api.registration.roles if api.registration else None,
            assigned=frozenset(
                (assignment.principal_id.lower(), assignment.role)
                for assignment in (api.registration.role_assignments if api.registration else ())
            ),
            models=[model.name for model in api.models] if api.models else _deployments(stack, api),
            shares_responses=api.definition is None
            and not api.own_responses
            and offers_stored_responses(api.surface, api.operations),
        )
        for api in apis
    }
    yield from in_config("teams", of=check_teams_in_use(stack.teams, facts))
    for i, (name, own) in enumerate(facts.items()):
        yield from in_config("apis", i, of=check_own_subscription(own, name, stack.teams))


def _deployments(stack: Stack, api: ApiSettings) -> list[str] | None:
    """Return the deployments of the accounts of an API, or None if one's are not known."""
    served = served_in(stack.openai, api.accounts).values()
    return None if None in served else sorted({deployment for own in served for deployment in own or ()})


def check_accounts(stack: Stack, apis: Sequence[ApiSettings]) -> Iterator[Mistake]:
    """Yield what is wrong with how the APIs use the accounts; `apis` are the resolved ones."""
    names = account_keys(stack.openai.accounts)
    for pool in dict.fromkeys(api.accounts for api in apis):
        yield from in_config("openai", of=check_pool(stack.openai, pool))
    models = {
        deployment.name: deployment.model
        for account in stack.openai.accounts
        if not account.existing
        for deployment in deployments_of(account, stack.openai)
    }
    for i, api in enumerate(apis):
        if api.cache is not None:
            own = served_in(stack.openai, api.accounts)
            key = ("apis", i, "cache") if stack.apis[i].cache else ("cache",)
            yield from in_config(of=check_embeddings(api.cache, key, own, models, ("openai",)))
        if api.definition is None:
            found = check_stored_responses(api.surface, api.operations, len(api.accounts))
            yield from in_config("apis", i, of=found)
        deployments = _deployments(stack, api)
        if api.models and deployments is not None:
            yield from in_config("apis", i, "models", of=check_models_in_use(api.models, deployments))
        if api.include_usage and api.policy:
            yield from in_config("apis", i, of=check_streams(api.policy))
        if api.retry is not None:
            yield from in_config("apis", i, "retry", of=check_retry_in_use(api.retry, len(api.accounts)))
    for i, (name, account) in enumerate(zip(names, stack.openai.accounts, strict=True)):
        used = [number for number, api in enumerate(apis) if name in api.accounts]
        if not used:
            problem = "is not used by any API; remove it, or list it in the accounts of an API"
            yield Warn(key=("openai", "accounts", i), problem=problem)
        if account.existing and account.existing.role_assigned:
            embeds = [number for number in used if apis[number].embeddings_account == name]
            at = ("openai", "accounts", i, "existing", "roleAssigned")
            yield from _check_role_assigned(stack, apis, used, embeds, at)


def _check_role_assigned(
    stack: Stack,
    apis: Sequence[ApiSettings],
    used: Sequence[int],
    embeds: Sequence[int],
    key: tuple[str | int, ...],
) -> Iterator[Mistake]:
    """Refuse a role that nobody can have assigned yet, since this stack creates the identity.

    Of the APIs that use the account, those of `embeds` have it measure prompts for their cache, which is up to the
    service's system-assigned identity.
    """
    for number in used:
        api = apis[number]
        created = not stack.gateway.existing and api.identity in {SYSTEM_ASSIGNED, USER_ASSIGNED}
        if api.backend_auth is BackendAuth.MANAGED_IDENTITY and created:
            problem = (
                f"is not possible for {{0}}, whose {api.identity} identity this stack creates; remove it, or set the "
                "API's identity to an existing one that holds the role"
            )
            yield Mistake(key=key, value=True, problem=problem, about=(("apis", number),))
            return
    if embeds and not stack.gateway.existing:
        problem = (
            "is not possible for the cache of {0}, whose embeddings the system-assigned identity asks for, which this "
            "stack creates; remove it, or name the embeddings of another account"
        )
        yield Mistake(key=key, value=True, problem=problem, about=(("apis", embeds[0]),))


def check_budget(stack: Stack, apis: Sequence[ApiSettings]) -> Iterator[Mistake]:
    """Refuse a budget where it would not be known what tokens cost; `apis` are the resolved ones."""
    observability = stack.observability
    if observability is None or observability.budget is None:
        return
    about: tuple[Key, ...] = (("observability", "budget"),)
    for i, api in enumerate(apis):
        if api.metrics is None:  # which Application Insights being off has told
            continue
        if not api.models_known:
            problem = (
                "is missing, without which {0} cannot know what tokens cost; list the models, or remove the budget"
            )
            yield Mistake(key=("apis", i, "models"), problem=problem, about=about)
            continue
        place = (*(("apis", i) if stack.apis[i].metrics else ()), "metrics", "dimensions")
        wanted = {"API ID": MetricSource.API, "Model": MetricSource.MODEL}
        if missing := [
            f"{name}: {source}" for name, source in wanted.items() if api.metrics.dimensions.get(name) != source
        ]:
            problem = (
                f"lacks {' and '.join(missing)}, by which {{0}} knows what tokens cost; add it, or remove the budget"
            )
            yield Mistake(key=place, problem=problem, about=about)
    offered = [deployment for api in apis if api.models for deployment in targets(api.models).values()]
    models = models_by_deployment(stack.openai, offered)
    yield from check_priced(("observability", "prices"), about[0], models, observability.prices)


def check_keys(stack: Stack, apis: Sequence[ApiSettings]) -> Iterator[Mistake]:
    """Yield what is wrong with the keys with which APIs call Azure OpenAI; `apis` are the resolved ones."""
    by_key = [(i, api, api.key) for i, api in enumerate(apis) if api.key]
    accounts = stack.openai.accounts
    for i, (name, account) in enumerate(zip(account_keys(accounts), accounts, strict=True)):
        users = [number for number, api, _ in by_key if name in api.accounts]
        if users and account.disable_local_auth:
            problem = "conflicts with {0}, which calls it by key; remove it, change auth, or list other accounts there"
            key = ("openai", "accounts", i, "disableLocalAuth")
            yield Mistake(key=key, value=True, problem=problem, about=(("apis", users[0]),))
    yield from chain.from_iterable(
        in_config(*(("apis", i, "key") if stack.apis[i].key else ("key",)), of=check_key_in_use(key, len(api.accounts)))
        for i, api, key in by_key
    )
    for i, api, _ in by_key:
        if api.creates_vault:
            place: tuple[str | int, ...] = ("apis", i, "key") if stack.apis[i].key else ("key",)
            yield from in_config(of=check_vault_reader(stack.network, api.identity, place, ("network",)))
    yield from unique(
        [(("apis", i, "key", "namedValue"), key.named_value or f"{api.name}-api-key") for i, api, key in by_key],
        "each API has its own named value",
    )
    yield from unique(
        [
            (("apis", i, "key", "vault", "name"), key.vault.name)
            for i, api, key in by_key
            if api.creates_vault and key.vault
        ],
        "each API creates its own vault",
    )
