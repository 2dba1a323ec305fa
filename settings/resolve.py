"""Settings of a deployment: stack config with every default and inherited value in place."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from options import (
    API_VERSION,
    SYSTEM_ASSIGNED,
    ApiOptions,
    AuthMode,
    BackendAuth,
    CacheOptions,
    EntraOptions,
    GatewayOptions,
    IdentityProviderOptions,
    JwtOptions,
    KeyOptions,
    KeySource,
    LimitOptions,
    MetricsOptions,
    ModelOptions,
    NetworkOptions,
    ObservabilityOptions,
    OpenAIOptions,
    PolicyOptions,
    RedisOptions,
    RetryOptions,
    SafetyAccountOptions,
    SafetyOptions,
    Surface,
    TeamOptions,
    TokenPolicies,
)
from options.cache import embeddings_account
from options.identity_providers import of_login
from options.observability import default_metrics
from options.openai import account_keys, served_in
from settings.files import ApiTexts
from settings.schema import Stack


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiSettings:
    """An API, including what it inherits from the stack."""

    name: str
    """Identifier of the API, unique within the service."""
    path: str
    """URL path below the gateway."""
    auth: AuthMode
    """How callers and the gateway authenticate."""
    accounts: tuple[str, ...]
    """Accounts that it uses, by the keys that `options.openai.account_keys` gives them."""
    identity: str = SYSTEM_ASSIGNED
    """Managed identity that calls Azure OpenAI, given as in `GatewayOptions.identity`."""
    backend_auth: BackendAuth
    """Credential that the gateway presents to Azure OpenAI."""
    key: KeyOptions | None = None
    """Set if and only if that credential is a key."""
    entra: EntraOptions | None = None
    """Set if callers present Microsoft Entra ID tokens."""
    jwt: JwtOptions | None = None
    """Set if callers present another provider's tokens."""
    identity_providers: list[IdentityProviderOptions] | None = None
    """Set if callers present tokens of several providers."""
    subscription_required: bool
    """Whether callers need a subscription key."""
    own_subscription: bool = True
    """Whether it has a subscription of its own, beside those of teams."""
    bearer_keys: bool = False
    """Whether a subscription key is also accepted as bearer token."""
    surface: Surface = Surface.DATED
    """Surface of Azure OpenAI that it publishes."""
    api_version: str | None
    """Version of Azure OpenAI's dated REST API whose operations it offers. None: the v1 surface."""
    own_responses: bool = False
    """Whether stored responses belong to the caller that made them."""
    operations: list[str] | None = None
    """IDs of the operations that it offers. None: all of the definition."""
    definition: str | None = None
    """OpenAPI 3 document (JSON) to import instead."""
    safety: SafetyOptions | None = None
    """What prompts and answers are checked for, with the account that checks them."""
    cache: CacheOptions | None = None
    """Answers that are given again, without the Redis that keeps them."""
    embeddings_account: str | None = None
    """Account whose embeddings compare prompts, given as in `accounts`, if answers are given again."""
    policy: PolicyOptions | None = None
    """The policy hook."""
    retry: RetryOptions | None = None
    """How often a call that an account rejects is tried on another."""
    timeout: int | None = None
    """Seconds to wait for an account's answer to begin."""
    models: list[ModelOptions] | None = None
    """Models that it offers; None: all."""
    models_known: bool = False
    """Whether it is known which models there are: its own, or the deployments of all its accounts."""
    include_usage: bool = False
    """Whether streamed chat ends with the tokens that were used."""
    limits: tuple[LimitOptions, ...] = ()
    """How much callers may use: the stack's limits, then the API's own."""
    metrics: MetricsOptions | None = None
    """Metrics of the tokens of each call."""
    token_policies: TokenPolicies = TokenPolicies.LLM
    """Family of the policies that count tokens."""

    @property
    def registration(self) -> EntraOptions | None:
        """Tokens of Entra whose app roles can be assigned: of several tenants, those of the login's."""
        return self.entra or of_login(one.entra for one in self.identity_providers or () if one.entra)

    @property
    def safety_account(self) -> SafetyAccountOptions | None:
        """Account that checks its content, if anything is checked."""
        return None if self.safety is None else self.safety.account or SafetyAccountOptions()

    @property
    def uses_no_identity(self) -> bool:
        """Whether it presents a key that the gateway itself stores, so that it uses no managed identity."""
        return self.key is not None and self.key.source is not KeySource.KEY_VAULT

    @property
    def creates_vault(self) -> bool:
        """Whether a Key Vault is created for its key."""
        key = self.key
        return key is not None and key.source is KeySource.KEY_VAULT and not (key.vault and key.vault.existing)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything that a deployment consists of, without mistakes."""

    location: str
    """Azure region of the resources that are created."""
    gateway: GatewayOptions
    """The API Management service."""
    openai: OpenAIOptions
    """The Azure OpenAI accounts and their deployments."""
    apis: tuple[ApiSettings, ...]
    """The APIs, at least one."""
    redis: RedisOptions | None = None
    """The Redis that keeps the answers of all APIs, if any API caches them."""
    teams: tuple[TeamOptions, ...] = ()
    """The teams that may call them."""
    token_policies: TokenPolicies = TokenPolicies.LLM
    """Family of the policies that count the tokens of teams."""
    network: NetworkOptions = field(default_factory=NetworkOptions)
    """The virtual network."""
    protect: bool = False
    """Whether Pulumi refuses to delete or replace the group, the service, the accounts and the vaults it creates."""
    observability: ObservabilityOptions | None = None
    """What is kept of calls."""
    warnings: tuple[str, ...] = ()
    """What works but is probably not intended, one line each."""

    @property
    def key_accounts(self) -> list[str]:
        """Accounts that an API calls by key, with keys as in `ApiSettings.accounts`."""
        return list(dict.fromkeys(name for api in self.apis if api.key is not None for name in api.accounts))


def resolve(stack: Stack, api: ApiOptions, texts: ApiTexts) -> ApiSettings:
    """Return the API with the stack's values for those that it does not set itself."""
    auth = api.auth or stack.auth
    entra, jwt, providers = _tokens(stack, api) if auth is AuthMode.ENTRA else (None, None, None)
    tokens = providers[0].tokens if providers else entra or jwt
    backend_auth = tokens.backend_auth if tokens else BackendAuth(auth.value)
    by_token = auth is AuthMode.ENTRA
    accounts = tuple(account_keys(stack.openai.accounts) if api.accounts is None else api.accounts)
    cache = _cache(stack, api)
    keyed = not by_token if api.subscription_required is None else api.subscription_required
    served = served_in(stack.openai, accounts)
    models_known = bool(api.models) or (any(served.values()) and None not in served.values())
    return ApiSettings(
        name=api.name,
        path=api.path,
        auth=auth,
        accounts=accounts,
        identity=api.identity or stack.gateway.identity,
        backend_auth=backend_auth,
        key=(api.key or stack.key) if backend_auth is BackendAuth.KEY else None,
        entra=entra,
        jwt=jwt,
        identity_providers=providers,
        subscription_required=keyed,
        own_subscription=api.own_subscription,
        bearer_keys=api.bearer_keys,
        own_responses=api.own_responses,
        surface=api.surface,
        api_version=None if api.surface is Surface.V1 else api.api_version or API_VERSION,
        operations=api.operations,
        definition=texts.definition,
        safety=_safety(stack, api),
        cache=cache,
        embeddings_account=None if cache is None else embeddings_account(cache.embeddings, served),
        policy=texts.policy,
        retry=api.retry,
        timeout=api.timeout,
        models=api.models,
        models_known=models_known,
        include_usage=api.include_usage,
        limits=(*stack.limits, *api.limits),
        metrics=api.metrics
        or stack.metrics
        or _observed(stack.observability, by_token=by_token, keyed=keyed, models=models_known),
        token_policies=api.token_policies or stack.token_policies,
    )


def _observed(
    observability: ObservabilityOptions | None, *, by_token: bool, keyed: bool, models: bool
) -> MetricsOptions | None:
    """Return the metrics of an API without its own, which there are if something takes them."""
    if observability is None or not observability.app_insights.enabled:
        return None
    return default_metrics(by_token=by_token, keyed=keyed, models=models)


def _safety(stack: Stack, api: ApiOptions) -> SafetyOptions | None:
    """Return what the API checks: its own block, or the stack's. Without an account of its own, it uses the stack's."""
    if api.safety is None or stack.safety is None or api.safety.account is not None:
        return api.safety or stack.safety
    return replace(api.safety, account=stack.safety.account)


def _cache(stack: Stack, api: ApiOptions) -> CacheOptions | None:
    """Return what the API caches: its own block, or the stack's."""
    cache = api.cache or stack.cache
    return cache and replace(cache, redis=None)


def given_redis(stack: Stack) -> list[tuple[tuple[str | int, ...], RedisOptions]]:
    """Return each Redis that config names, with its key."""
    blocks = [(("cache",), stack.cache), *((("apis", i, "cache"), api.cache) for i, api in enumerate(stack.apis))]
    return [((*key, "redis"), cache.redis) for key, cache in blocks if cache is not None and cache.redis is not None]


def resolve_redis(stack: Stack, apis: Sequence[ApiSettings]) -> RedisOptions | None:
    """Return the Redis that all APIs share; config names at most one."""
    if not any(api.cache for api in apis):
        return None
    return next((redis for _, redis in given_redis(stack)), RedisOptions())


def _tokens(
    stack: Stack, api: ApiOptions
) -> tuple[EntraOptions | None, JwtOptions | None, list[IdentityProviderOptions] | None]:
    """Return which tokens the API validates: its own block, or the stack's, or by default any Entra token."""
    if api.entra or api.jwt or api.identity_providers:
        return api.entra, api.jwt, api.identity_providers
    if stack.identity_providers or stack.jwt:
        return None, stack.jwt, stack.identity_providers or None
    return stack.entra or EntraOptions(), None, None
