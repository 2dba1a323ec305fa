"""An Azure OpenAI API whose callers present a token of Microsoft Entra ID or of another OpenID Connect provider."""

from collections.abc import Sequence
from functools import partial
from typing import NotRequired, TypedDict

import pulumi

from components._api import api_features, api_options, api_policy, check_inputs, publish, subscribe
from components._application import ApiApplication, register_application, use_existing_application
from components._backends import OpenAIAccount
from components._caller import OF_ENTRA, OF_OTHERS, OF_SEVERAL
from components._credentials import has_own_backends, identity_credential, key_credential
from components._endpoints import PrivateEndpoints
from components._identity_providers import before_deployment, identity_provider, validation
from components._inputs import raise_mistakes, read_options
from components._safety import api_safety
from components._subscription_keys import NO_KEYS
from options import (
    BackendAuth,
    BreakerOptions,
    CacheOptions,
    EntraOptions,
    IdentityProviderOptions,
    JwtOptions,
    KeyOptions,
    LimitOptions,
    MetricsOptions,
    ModelOptions,
    PolicyOptions,
    RetryOptions,
    SafetyOptions,
    Surface,
    TokenPolicies,
)
from options.cache import has_one_caller
from options.identity_providers import check_identity_providers, of_login


class EntraProtectedApiArgs(TypedDict):
    """Inputs of `EntraProtectedApi`. Exactly one of `entra`, `jwt` and `identity_providers` is required."""

    resource_group_name: pulumi.Input[str]
    """Resource group of the API Management service."""
    service_name: pulumi.Input[str]
    """API Management service that publishes the API."""
    subscription_id: NotRequired[str | None]
    """Subscription of the API Management service. Defaults to that of the component's own provider."""
    sku: NotRequired[pulumi.Input[str]]
    """Pricing tier of the service, such as `ApiGateway.sku`; a policy that the tier does not support is refused. By
    default the policy may use what all tiers but Consumption support."""
    name_prefix: NotRequired[str]
    """Prefix of the names of the API and its backends, named values and subscription on the service. Defaults to
    none."""
    path: pulumi.Input[str]
    """URL path below the gateway, unique within the service; it should end in `openai`, as the OpenAI SDKs expect, or
    in `openai/v1` for the v1 surface."""
    backend_id: pulumi.Input[str]
    """Backend without a credential, such as `OpenAIBackend.backend_id`."""
    deployment_backend_ids: NotRequired[dict[str, pulumi.Input[str]]]
    """Backend of each deployment where accounts serve different models, such as `OpenAIBackend.deployment_backend_ids`;
    then `backend_id` gets only calls that name none, and any other deployment gets 404. By default all calls go to
    `backend_id`."""
    accounts: list[OpenAIAccount]
    """Azure OpenAI accounts behind the backend."""
    entra: NotRequired[EntraOptions | None]
    """Microsoft Entra ID tokens that callers need."""
    jwt: NotRequired[JwtOptions | None]
    """Tokens of another OpenID Connect provider that callers need."""
    identity_providers: NotRequired[list[IdentityProviderOptions] | None]
    """Identity providers beside each other; the issuer of a token chooses the provider that validates it, and any other
    issuer is refused."""
    key: NotRequired[KeyOptions | None]
    """How the key is stored and presented if the backend credential is a key. Defaults as in `KeyAuthApi`."""
    vault_resource_group_name: NotRequired[pulumi.Input[str]]
    """Resource group of a vault that is created. Defaults to that of the API Management service."""
    private_endpoints: NotRequired[PrivateEndpoints | None]
    """Where the private endpoint of a vault that is created goes. By default it has none, and is reached from the
    internet."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete or replace the vault that is created. Defaults to false."""
    principal_id: NotRequired[pulumi.Input[str]]
    """Object ID of the gateway's identity. Required to authenticate with it, and with `source: key-vault`."""
    identity_client_id: NotRequired[pulumi.Input[str | None]]
    """Client ID of that identity. Defaults to the system-assigned identity."""
    role_assignment_ids: NotRequired[pulumi.Input[list[str]]]
    """Role assignments that already give the identity access. By default one is created for each account."""
    subscription_required: NotRequired[bool]
    """Whether callers need a subscription key in addition to their token. Defaults to false."""
    own_subscription: NotRequired[bool]
    """Whether the API has a subscription of its own, whose key is held to no team. Defaults to true; false leaves the
    keys of teams alone."""
    display_name: NotRequired[pulumi.Input[str]]
    """Display name of the API and of the app registration. Defaults to the component's name."""
    surface: NotRequired[Surface]
    """Surface of Azure OpenAI: `dated` (default), or `v1`, which `backend_id` must then be for."""
    api_version: NotRequired[pulumi.Input[str | None]]
    """Stable version of Azure OpenAI's dated REST API whose operations the API offers. Defaults to 2024-10-21; the v1
    surface has none."""
    operations: NotRequired[list[str] | None]
    """Operations to offer, by the operation IDs of the definition, such as `ChatCompletions_Create` (dated) or
    `createResponse` (v1). Defaults to all."""
    definition: NotRequired[pulumi.Input[str | None]]
    """OpenAPI 3 document (JSON) to import instead; its `servers` are ignored."""
    own_responses: NotRequired[bool]
    """Whether stored responses of the v1 surface belong to the caller that made them, and are not found by others. IDs
    of streamed responses are found by nobody. Defaults to false."""
    safety: NotRequired[SafetyOptions | None]
    """What prompts and answers are checked for, without an account. Defaults to nothing."""
    safety_backend_id: NotRequired[pulumi.Input[str | None]]
    """Backend that checks them, such as `ContentSafety.backend_id`. Required with `safety`."""
    cache: NotRequired[CacheOptions | None]
    """Answers that are given again to prompts that mean the same, without `redis`. Defaults to none."""
    embeddings_backend_id: NotRequired[pulumi.Input[str | None]]
    """Backend of the embeddings that compare prompts, one of `OpenAIBackend.embeddings_backend_ids`. Required with
    `cache`."""
    policy: NotRequired[PolicyOptions | None]
    """Your own policies, which can add to the API's policy and remove nothing from it. Defaults to none."""
    breaker: NotRequired[BreakerOptions | None]
    """Circuit breaker of the accounts in a pool, as in `OpenAIOptions.breaker`; give the same. Defaults as there."""
    retry: NotRequired[RetryOptions | None]
    """How often a call that an account rejects is tried on another. By default on up to two others, at once."""
    timeout: NotRequired[int | None]
    """Seconds to wait for an account's answer to begin, 1 to 240. Defaults to the gateway's 300 seconds, of which the
    network may cut off what exceeds 240."""
    models: NotRequired[list[ModelOptions] | None]
    """Models that the API offers; others get 403. Defaults to all deployments, under their own names."""
    include_usage: NotRequired[bool]
    """Whether streamed chat ends with a chunk that says how many tokens were used, asked for or not. Defaults to
    false."""
    limits: NotRequired[list[LimitOptions] | None]
    """How much callers may use; of two amounts for the same, the smaller one decides. Defaults to no limit."""
    metrics: NotRequired[MetricsOptions | None]
    """Metrics of the tokens of each call. Defaults to none."""
    token_policies: NotRequired[TokenPolicies | None]
    """Family of the policies that count tokens. Defaults to `llm`."""


class EntraProtectedApi(pulumi.ComponentResource):
    """Publishes Azure OpenAI to callers with a valid token; the gateway itself presents its identity or an API key."""

    api_id: pulumi.Output[str]
    """Resource ID of the API, the scope for products and subscriptions."""
    audience: pulumi.Output[str]
    """Audience that tokens must have; the first one if several are accepted, of the first identity provider."""
    client_id: pulumi.Output[str] | None
    """Application (client) ID of the app registration; of several, that of the login's tenant, or else the first one.
    Absent if callers need another provider's tokens."""
    service_principal_id: pulumi.Output[str] | None
    """Object ID of the service principal of the app registration that is created, for `TeamApi`. Absent without one."""
    scopes: pulumi.Output[list[str]]
    """Scopes of that registration to request from the token endpoint: `{application ID URI}/{scope}`, or `/.default`
    for applications."""
    subscription_key: pulumi.Output[str] | None
    """Primary key of the subscription created for callers; a secret. Absent without one, or if the token
    is enough."""
    secondary_subscription_key: pulumi.Output[str] | None
    """Its secondary key, which opens the same while the primary key is replaced; a secret. Absent if that is."""

    def __init__(self, name: str, args: EntraProtectedApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("openai-gateway:index:EntraProtectedApi", name, {}, api_options("EntraProtectedApi", opts))
        check_inputs(name, args)
        safety = api_safety(args)
        providers, several = _providers(args)
        by_key = providers[0].backend_auth is BackendAuth.KEY
        subscription_required = args.get("subscription_required", False)
        features = api_features(
            name,
            args,
            caller=OF_SEVERAL if several else OF_ENTRA if isinstance(providers[0], EntraOptions) else OF_OTHERS,
            one_caller=not several and has_one_caller(providers[0]),
            own_backends=by_key and has_own_backends(args),
            subscription_required=subscription_required,
        )
        keep_token = (
            features["limits"].by_token
            or features["metrics"].by_token
            or features["responses"].by_token
            or features["cache"].by_token
        )

        applications = [_application(name, args, tokens, parent=self) for tokens in providers]
        known = list(map(identity_provider, providers, applications))
        application = _application_of_login(providers, applications)
        self.audience = known[0].apply(lambda provider: provider.audiences[0])
        self.client_id = None if application is None else application.client_id
        self.service_principal_id = None if application is None else application.object_id
        self.scopes = pulumi.Output.from_input(list[str]()) if application is None else application.scopes
        validate = partial(validation, keep_token=keep_token, several=several)

        credential = (
            key_credential(name, args, breaker=features["traffic"].breaker, parent=self)
            if by_key
            else identity_credential(name, args, parent=self)
        )
        api = publish(
            name,
            args,
            policy=api_policy(
                pulumi.Output.all(*known).apply(validate),
                credential,
                features,
                known_validation=validate(list(map(before_deployment, providers))),
                safety=safety,
                sku=args.get("sku"),
            ),
            subscription_required=subscription_required,
            parent=self,
        )
        self.api_id = api.id
        keys = subscribe(name, args, api, parent=self) if subscription_required else NO_KEYS
        self.subscription_key, self.secondary_subscription_key = keys.primary, keys.secondary
        self.register_outputs(
            {
                "apiId": self.api_id,
                "audience": self.audience,
                "clientId": self.client_id,
                "servicePrincipalId": self.service_principal_id,
                "scopes": self.scopes,
                "subscriptionKey": self.subscription_key,
                "secondarySubscriptionKey": self.secondary_subscription_key,
            }
        )


def _application(
    name: str, args: EntraProtectedApiArgs, tokens: EntraOptions | JwtOptions, *, parent: pulumi.Resource
) -> ApiApplication | None:
    """Register the application that Entra's tokens are for, or use an existing one."""
    if isinstance(tokens, JwtOptions):
        return None
    if tokens.existing is not None:
        return use_existing_application(name, tokens, tokens.existing, parent=parent)
    return register_application(name, tokens, display_name=args.get("display_name", name), parent=parent)


def _application_of_login(
    providers: Sequence[EntraOptions | JwtOptions], applications: Sequence[ApiApplication | None]
) -> ApiApplication | None:
    """Return the registration in the tenant of the login, where roles can be assigned, or else the first one."""
    own = of_login([tokens for tokens in providers if isinstance(tokens, EntraOptions)])
    found = [application for tokens, application in zip(providers, applications, strict=True) if tokens is own]
    return next((application for application in (*found, *applications) if application is not None), None)


def _providers(args: EntraProtectedApiArgs) -> tuple[list[EntraOptions | JwtOptions], bool]:
    """Return which tokens each provider must issue, and whether there may be several providers."""
    given = [name for name in ("entra", "jwt", "identity_providers") if args.get(name) is not None]
    if len(given) != 1:
        raise pulumi.RunError(
            "exactly one of entra, jwt and identity_providers is required: each says which tokens are accepted"
        )
    if (entra := args.get("entra")) is not None:
        return [read_options(EntraOptions, entra, "entra")], False
    if (jwt := args.get("jwt")) is not None:
        return [read_options(JwtOptions, jwt, "jwt")], False
    providers = [
        read_options(IdentityProviderOptions, provider, f"identity_providers[{i}]")
        for i, provider in enumerate(args.get("identity_providers") or ())
    ]
    if not providers:
        raise pulumi.RunError("identity_providers is empty; list at least one provider")
    raise_mistakes(mistake.under("identity_providers") for mistake in check_identity_providers(providers))
    return [provider.tokens for provider in providers], True
