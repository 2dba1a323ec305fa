"""An API that publishes Azure OpenAI."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from definitions import (
    VERSIONS,
    DefinitionError,
    Surface,
    azure_openai,
    azure_openai_v1,
    check_definition,
    operation_ids,
)
from options import limits, metrics, models, retry
from options.auth import AuthMode
from options.cache import CacheOptions
from options.defaulted import Defaulted
from options.entra import EntraOptions
from options.gateway import identity
from options.identity_providers import IdentityProviderOptions
from options.jwt import JwtOptions
from options.key import KeyOptions
from options.limits import LimitOptions, TokenPolicies, check_limits
from options.metrics import MetricsOptions, check_metrics
from options.mistakes import Key, Mistake, Warn, suggestion, unique
from options.models import ModelOptions, check_models
from options.policy import PolicyOptions
from options.responses import check_own_responses
from options.retry import RetryOptions, check_retry
from options.rules import Rules, boolean, distinct, matches, number, prefixed
from options.safety import SafetyOptions

API_VERSION = "2024-10-21"
"""Latest stable version of Azure OpenAI's dated REST API."""
_STORED = {"getResponse", "deleteResponse", "cancelResponse", "listInputItems"}
"""Operations of the v1 API on what an account stores."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiOptions:
    """An API that publishes Azure OpenAI, and where it differs from the stack's defaults."""

    name: str
    """Identifier of the API, unique within the service."""
    path: str
    """URL path below the gateway. It should end in `openai`, which the OpenAI SDKs append to their `azure_endpoint`; on
    the v1 surface, in `openai/v1`."""
    surface: Defaulted[Surface] = Surface.DATED
    """Surface of Azure OpenAI: `dated` (default), with the deployment in the path and `api-version` in the query; or
    `v1`, with the model in the body, no version, and Responses besides chat and embeddings."""
    auth: AuthMode | None = None
    """How callers and the gateway authenticate. Defaults to the stack's `auth`."""
    accounts: list[str] | None = None
    """Accounts that the API uses, each by its name or, if the name is generated, by its region. Defaults to all."""
    identity: str | None = None
    """Identity that calls Azure OpenAI, given as in `gateway.identity`. Defaults to `gateway.identity`."""
    key: KeyOptions | None = None
    """How the Azure OpenAI key is stored and presented. Defaults to the stack's `key`."""
    entra: EntraOptions | None = None
    """Microsoft Entra ID tokens that callers need. Defaults to the stack's `entra`."""
    jwt: JwtOptions | None = None
    """Tokens of another provider that callers need. Defaults to the stack's `jwt`."""
    identity_providers: list[IdentityProviderOptions] | None = None
    """Identity providers beside each other, of which each token's issuer chooses the one that validates it. Defaults to
    the stack's `identityProviders`."""
    subscription_required: bool | None = None
    """Whether callers need a subscription key. Defaults to true, or to false if the API validates a token."""
    own_subscription: Defaulted[bool] = True
    """Whether the API has a subscription of its own, whose key is held to no team. Defaults to true; false leaves the
    keys of `teams` alone."""
    bearer_keys: Defaulted[bool] = False
    """Whether a subscription key is also accepted as bearer token, where the plain OpenAI client sends its `api_key`.
    Defaults to false. Not with auth `entra`, where a bearer is a token."""
    api_version: str | None = None
    """Stable version of Azure OpenAI's dated REST API whose operations the API offers. Defaults to 2024-10-21; the v1
    surface has none."""
    operations: list[str] | None = None
    """Operations to offer, by the operation IDs of the definition, such as `ChatCompletions_Create` (dated) or
    `createResponse` (v1). Defaults to all."""
    own_responses: Defaulted[bool] = False
    """Whether stored responses of the v1 surface belong to the caller that made them, and are not found by others. IDs
    of streamed responses are found by nobody. Defaults to false."""
    definition_file: str | None = None
    """OpenAPI 3 document (JSON) to import instead, relative to the project; its `servers` are ignored. Its paths
    follow `/openai`, such as `/deployments/{deployment-id}/chat/completions`; on the v1 surface, `/openai/v1`."""
    safety: SafetyOptions | None = None
    """What prompts and answers are checked for. Defaults to the stack's `safety`."""
    cache: CacheOptions | None = None
    """Answers that are given again to prompts that mean the same. Defaults to the stack's `cache`."""
    policy: PolicyOptions | None = None
    """Your own policies, which can add to the API's policy and remove nothing from it. Defaults to those of
    `policy_file`, if any."""
    policy_file: str | None = None
    """Policy document to use instead of `policy`, relative to the project."""
    retry: RetryOptions | None = None
    """How often a call that an account rejects is tried on another. By default on up to two others, at once."""
    timeout: int | None = None
    """Seconds to wait for an account's answer to begin, 1 to 240. Defaults to the gateway's 300 seconds, of which the
    network may cut off what exceeds 240."""
    models: list[ModelOptions] | None = None
    """Models that the API offers: names of deployments, or a `name` for callers with the `deployment` behind it. Other
    models get 403. Defaults to all deployments, under their own names."""
    include_usage: Defaulted[bool] = False
    """Whether streamed chat ends with a chunk that says how many tokens were used, asked for or not. Defaults to
    false."""
    limits: Defaulted[list[LimitOptions]] = field(default_factory=list)
    """How much callers of this API may use. By default only the stack's `limits` apply, which these add to."""
    metrics: MetricsOptions | None = None
    """Metrics of the tokens of each call. Defaults to the stack's `metrics`."""
    token_policies: TokenPolicies | None = None
    """Family of the policies that count tokens. Defaults to the stack's `tokenPolicies`."""


def _known_version(key: Key, value: object) -> Iterator[Mistake]:
    if isinstance(value, str) and value not in VERSIONS:
        known = ", ".join(VERSIONS)
        problem = f"is not a stable version; allowed: {known}, or a definition of your own{suggestion(value, VERSIONS)}"
        yield Mistake(key=key, value=value, problem=problem)


def definition(key: Key, text: str, surface: Surface) -> Iterator[Mistake]:
    """Refuse the text of a user's own definition that cannot be imported or does not fit the surface's backend."""
    try:
        check_definition(text, surface)
    except DefinitionError as error:
        yield Mistake(key=key, problem=str(error))


def own_definition(surface: Surface, api_version: str | None, operations: Sequence[str] | None = None) -> str:
    """Return our own definition of a surface, with all its operations or some."""
    if surface is Surface.V1:
        return azure_openai_v1(operations)
    return azure_openai(api_version or API_VERSION, operations)


def check_surface(surface: Surface, api_version: str | None) -> Iterator[Mistake]:
    """Refuse a version of the surface that has none."""
    if surface is Surface.V1 and api_version is not None:
        problem = "conflicts with {0}: v1 has no versions; remove one of the two"
        yield Mistake(key=("api_version",), value=api_version, problem=problem, about=(("surface",),))


def check_operations(operations: Sequence[str] | None, text: str) -> Iterator[Mistake]:
    """Yield what is wrong with a choice among the operations of the definition `text`, which can be imported."""
    key = ("operations",)
    if operations is None:
        return
    if not operations:
        yield Mistake(key=key, problem="is empty; list operations, or leave it out to offer all")
    known = operation_ids(text)
    for i, name in enumerate(operations):
        if name not in known:
            problem = f"is not an operation of the API; allowed: {', '.join(known) or 'none'}{suggestion(name, known)}"
            yield Mistake(key=(*key, i), value=name, problem=problem)


VALUES: Rules = {
    "name": (
        matches(
            "[a-zA-Z](?:[a-zA-Z0-9-]{0,48}[a-zA-Z0-9])?",
            "1 to 50 letters, digits and hyphens, beginning with a letter and not ending in a hyphen",
        ),
    ),
    "path": (
        matches(
            r"(?=.{1,400}\Z)(?!(?:.*/)?\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*",
            "segments of letters, digits and . _ ~ - separated by single slashes, without the segments . and .. and "
            "without a slash at either end",
        ),
    ),
    "accounts": (distinct,),
    "identity": (identity,),
    "subscription_required": (boolean,),
    "own_subscription": (boolean,),
    "bearer_keys": (boolean,),
    "own_responses": (boolean,),
    "api_version": (_known_version,),
    "operations": (distinct,),
    **prefixed("retry", retry.VALUES),
    "timeout": (number(1, 240, "a whole number from 1 to 240"),),
    "include_usage": (boolean,),
    **prefixed("models", models.VALUES),
    **prefixed("limits.*", limits.VALUES),
    **prefixed("metrics", metrics.VALUES),
}


def check_api(api: ApiOptions) -> Iterator[Mistake]:
    """Yield what is wrong with one API."""
    yield from _check_path(api.path, api.surface)
    yield from check_surface(api.surface, api.api_version)
    yield from check_own_responses(api.own_responses, api.surface, api.definition_file, ("definition_file",))
    if api.definition_file is None and (api.api_version is None or api.api_version in VERSIONS):
        yield from check_operations(api.operations, own_definition(api.surface, api.api_version))
    if api.policy is not None and api.policy_file is not None:
        problem = "conflicts with {0}: policies come from a file or from here; remove one"
        yield Mistake(key=("policy",), problem=problem, about=(("policy_file",),))
    if api.identity_providers == []:
        yield Mistake(key=("identity_providers",), problem="is empty; list at least one provider, or leave it out")
    if api.models is not None:
        yield from (mistake.under("models") for mistake in check_models(api.models))
    if api.retry is not None:
        yield from (mistake.under("retry") for mistake in check_retry(api.retry))
    yield from (mistake.under("limits") for mistake in check_limits(api.limits))
    if api.metrics is not None:
        yield from (mistake.under("metrics") for mistake in check_metrics(api.metrics))


def offers_stored_responses(surface: Surface, operations: Sequence[str] | None) -> bool:
    """Return whether callers can read what is stored; `operations` are those of our own definition."""
    return surface is Surface.V1 and (operations is None or bool(_STORED & set(operations)))


def check_stored_responses(surface: Surface, operations: Sequence[str] | None, accounts: int) -> Iterator[Mistake]:
    """Warn of stored responses behind a pool; `operations` are those of our own definition."""
    if accounts > 1 and offers_stored_responses(surface, operations):
        problem = (
            f"are {accounts}, and only the one that made a response can show it, so calls about stored responses may "
            "get 404; list one account, or leave those calls out of {0}"
        )
        yield Warn(key=("accounts",), problem=problem, about=(("operations",),))


def _check_path(path: str, surface: Surface) -> Iterator[Mistake]:
    """Warn of a path at which clients do not look for the surface."""
    if f"/{path}".endswith(f"/{surface.path}"):
        return
    if surface is Surface.V1:
        problem = (
            "does not end in openai/v1, where clients of Azure OpenAI look for the v1 API; append what is missing, or "
            "have callers give the API's whole URL as base_url"
        )
    else:
        problem = (
            "does not end in openai, where the OpenAI SDKs look below their azure_endpoint; append /openai, or have "
            "callers give the API's whole URL as base_url"
        )
    yield Warn(key=("path",), value=path, problem=problem)


def check_apis(apis: Sequence[ApiOptions]) -> Iterator[Mistake]:
    """Yield what is wrong with each API, and names and paths that two of them share."""
    if not apis:
        yield Mistake(key=(), problem="is empty; list at least one API, or leave it out for one at path openai")
    yield from unique([((i, "name"), api.name) for i, api in enumerate(apis)], "API names must be unique")
    yield from unique([((i, "path"), api.path) for i, api in enumerate(apis)], "API paths must be unique")
    for i, api in enumerate(apis):
        for mistake in check_api(api):
            yield mistake.under(i)


def check_tokens(
    entra: EntraOptions | None, jwt: JwtOptions | None, identity_providers: Sequence[IdentityProviderOptions] | None
) -> Iterator[Mistake]:
    """Refuse two of the blocks that say whose tokens are accepted."""
    if entra and jwt:
        problem = "conflicts with {0}: tokens come from Entra or from another provider; remove one"
        yield Mistake(key=("jwt",), problem=problem, about=(("entra",),))
    for name, given in (("entra", entra), ("jwt", jwt)):
        if identity_providers and given:
            problem = "conflicts with {0}, which lists all providers; make it an entry there, or remove one"
            yield Mistake(key=(name,), problem=problem, about=(("identity_providers",),))
