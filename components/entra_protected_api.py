"""An Azure OpenAI API whose callers present a token of Microsoft Entra ID or of another OpenID Connect provider."""

from typing import NotRequired, TypedDict

import pulumi

from components._api import api_features, api_options, api_policy, check_inputs, publish, subscribe
from components._application import register_application, use_existing_application
from components._backends import OpenAIAccount
from components._caller import OF_ENTRA, OF_OTHERS, TOKEN
from components._credentials import has_own_backends, identity_credential, key_credential
from components._entra_token import entra_validation
from components._inputs import read_options
from components._safety import api_safety
from options import (
    BackendAuth,
    BreakerOptions,
    CacheOptions,
    EntraOptions,
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
from policies import Policy, ValidateJwt


class EntraProtectedApiArgs(TypedDict):
    """Inputs of `EntraProtectedApi`. Exactly one of `entra` and `jwt` is required."""

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
    key: NotRequired[KeyOptions | None]
    """How the key is stored and presented if the backend credential is a key. Defaults as in `KeyAuthApi`."""
    vault_resource_group_name: NotRequired[pulumi.Input[str]]
    """Resource group of a vault that is created. Defaults to that of the API Management service."""
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
    """Audience that tokens must have; the first one if several are accepted."""
    client_id: pulumi.Output[str] | None
    """Application (client) ID of the app registration. Absent if callers need another provider's tokens."""
    service_principal_id: pulumi.Output[str] | None
    """Object ID of the service principal of the app registration that is created, for `TeamApi`. Absent without one."""
    scopes: pulumi.Output[list[str]]
    """Scopes to request from the token endpoint: `{application ID URI}/{scope}`, or `/.default` for applications."""
    subscription_key: pulumi.Output[str] | None
    """Primary key of the subscription created for callers; a secret. Absent if the token is enough."""

    def __init__(self, name: str, args: EntraProtectedApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("openai-gateway:index:EntraProtectedApi", name, {}, api_options("EntraProtectedApi", opts))
        check_inputs(name, args)
        safety = api_safety(args)
        tokens = _accepted_tokens(args)
        by_key = tokens.backend_auth is BackendAuth.KEY
        subscription_required = args.get("subscription_required", False)
        features = api_features(
            name,
            args,
            caller=OF_ENTRA if isinstance(tokens, EntraOptions) else OF_OTHERS,
            one_caller=has_one_caller(tokens),
            own_backends=by_key and has_own_backends(args),
            subscription_required=subscription_required,
        )
        keep_token = (
            features["limits"].by_token
            or features["metrics"].by_token
            or features["responses"].by_token
            or features["cache"].by_token
        )

        validation: pulumi.Output[list[Policy]]
        if isinstance(tokens, JwtOptions):
            self.audience = pulumi.Output.from_input(tokens.audiences[0])
            self.client_id = None
            self.service_principal_id = None
            self.scopes = pulumi.Output.from_input(list[str]())
            known_validation: list[Policy] = [_validate_jwt(tokens, keep_token=keep_token)]
            validation = pulumi.Output.from_input(known_validation)
        else:
            application = (
                register_application(name, tokens, display_name=args.get("display_name", name), parent=self)
                if tokens.existing is None
                else use_existing_application(name, tokens, tokens.existing, parent=self)
            )
            self.audience = application.audiences.apply(lambda audiences: audiences[0])
            self.client_id = application.client_id
            self.service_principal_id = application.object_id
            self.scopes = application.scopes
            known_validation = entra_validation(tokens, tokens.tenant_id or "common", ["-"], keep_token=keep_token)
            validation = pulumi.Output.all(tenant=application.tenant_id, audiences=application.audiences).apply(
                lambda known: entra_validation(tokens, known["tenant"], known["audiences"], keep_token=keep_token)
            )

        credential = (
            key_credential(name, args, breaker=features["traffic"].breaker, parent=self)
            if by_key
            else identity_credential(name, args, parent=self)
        )
        api = publish(
            name,
            args,
            policy=api_policy(
                validation,
                credential,
                features,
                known_validation=known_validation,
                safety=safety,
                sku=args.get("sku"),
            ),
            subscription_required=subscription_required,
            parent=self,
        )
        self.api_id = api.id
        self.subscription_key = subscribe(name, args, api, parent=self) if subscription_required else None
        self.register_outputs(
            {
                "apiId": self.api_id,
                "audience": self.audience,
                "clientId": self.client_id,
                "servicePrincipalId": self.service_principal_id,
                "scopes": self.scopes,
                "subscriptionKey": self.subscription_key,
            }
        )


def _accepted_tokens(args: EntraProtectedApiArgs) -> EntraOptions | JwtOptions:
    entra, jwt = args.get("entra"), args.get("jwt")
    if entra is not None and jwt is None:
        return read_options(EntraOptions, entra, "entra")
    if jwt is not None and entra is None:
        return read_options(JwtOptions, jwt, "jwt")
    raise pulumi.RunError("exactly one of entra and jwt is required: each says which tokens are accepted")


def _validate_jwt(jwt: JwtOptions, *, keep_token: bool) -> ValidateJwt:
    return ValidateJwt(
        openid_config_urls=jwt.openid_config_urls,
        audiences=jwt.audiences,
        issuers=jwt.issuers,
        required_claims=jwt.required_claims,
        require_expiration_time=True,
        require_signed_tokens=True,
        output_token_variable_name=TOKEN if keep_token else None,
    )
