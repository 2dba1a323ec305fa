"""An Azure OpenAI API for which the gateway authenticates with its managed identity."""

from typing import NotRequired, TypedDict

import pulumi

from components._api import api_features, api_options, api_policy, check_inputs, publish, subscribe
from components._backends import OpenAIAccount
from components._credentials import identity_credential
from components._safety import api_safety
from options import (
    BreakerOptions,
    CacheOptions,
    LimitOptions,
    MetricsOptions,
    ModelOptions,
    PolicyOptions,
    RetryOptions,
    SafetyOptions,
    Surface,
    TokenPolicies,
)


class ManagedIdentityApiArgs(TypedDict):
    """Inputs of `ManagedIdentityApi`."""

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
    """Prefix of the names of the API and its subscription on the service. Defaults to none."""
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
    """Azure OpenAI accounts behind the backend, on which the identity needs its role."""
    principal_id: pulumi.Input[str]
    """Object ID of the gateway's identity."""
    identity_client_id: NotRequired[pulumi.Input[str | None]]
    """Client ID of that identity. Defaults to the system-assigned identity."""
    role_assignment_ids: NotRequired[pulumi.Input[list[str]]]
    """Role assignments that already give the identity access. By default one is created for each account."""
    own_subscription: NotRequired[bool]
    """Whether the API has a subscription of its own, whose key is held to no team. Defaults to true; false leaves the
    keys of teams alone."""
    display_name: NotRequired[pulumi.Input[str]]
    """Display name of the API. Defaults to the component's name."""
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
    bearer_keys: NotRequired[bool]
    """Whether a subscription key is also accepted as bearer token, where the plain OpenAI client sends its `api_key`.
    Defaults to false."""
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


class ManagedIdentityApi(pulumi.ComponentResource):
    """Publishes Azure OpenAI to callers with a subscription key; the gateway itself presents its managed identity."""

    api_id: pulumi.Output[str]
    """Resource ID of the API, the scope for products and subscriptions."""
    subscription_key: pulumi.Output[str] | None
    """Primary key of the subscription created for callers; a secret. Absent without one."""
    secondary_subscription_key: pulumi.Output[str] | None
    """Its secondary key, which opens the same while the primary key is replaced; a secret. Absent if that is."""

    def __init__(self, name: str, args: ManagedIdentityApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("openai-gateway:index:ManagedIdentityApi", name, {}, api_options("ManagedIdentityApi", opts))
        check_inputs(name, args)
        safety = api_safety(args)
        features = api_features(name, args, subscription_required=True)
        credential = identity_credential(name, args, parent=self)
        policy = api_policy([], credential, features, safety=safety, sku=args.get("sku"))
        api = publish(
            name,
            args,
            policy=policy,
            subscription_required=True,
            bearer_keys=args.get("bearer_keys", False),
            parent=self,
        )
        self.api_id = api.id
        keys = subscribe(name, args, api, parent=self)
        self.subscription_key, self.secondary_subscription_key = keys.primary, keys.secondary
        self.register_outputs(
            {
                "apiId": self.api_id,
                "subscriptionKey": self.subscription_key,
                "secondarySubscriptionKey": self.secondary_subscription_key,
            }
        )
