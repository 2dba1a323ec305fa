"""An Azure OpenAI API whose gateway authenticates with an API key."""

from typing import NotRequired, TypedDict

import pulumi

from components._api import api_options, api_policy, check_inputs, publish, subscribe
from components._backends import OpenAIAccount
from components._credentials import key_credential
from components._hook import api_hook
from options import KeyOptions, PolicyOptions


class KeyAuthApiArgs(TypedDict):
    """Inputs of `KeyAuthApi`."""

    resource_group_name: pulumi.Input[str]
    """Resource group of the API Management service."""
    service_name: pulumi.Input[str]
    """API Management service that publishes the API."""
    subscription_id: NotRequired[str | None]
    """Subscription of the API Management service. Left out: that of the component's own provider."""
    sku: NotRequired[pulumi.Input[str]]
    """Pricing tier of the service, such as `ApiGateway.sku`: a policy that its gateway does not take is refused. Left
    out: the policy is held against what is common to all tiers but Consumption."""
    name_prefix: NotRequired[str]
    """What the names of the API, its backends, named values and subscription begin with on the service. Left out:
    nothing."""
    path: pulumi.Input[str]
    """URL path below the gateway, unique within the service; ends in `openai` for the OpenAI SDKs."""
    backend_id: pulumi.Input[str]
    """Backend without a credential, such as `OpenAIBackend.backend_id`, that `delivery: header` calls."""
    accounts: list[OpenAIAccount]
    """Azure OpenAI accounts whose keys are used; they accept keys (local authentication)."""
    key: NotRequired[KeyOptions | None]
    """Where the key is kept and how it is presented. Left out: a secret named value, in the backend's credentials."""
    vault_resource_group_name: NotRequired[pulumi.Input[str]]
    """Resource group of a vault that is created. Left out: that of the API Management service."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete or replace the vault that is created. Left out: it does not."""
    principal_id: NotRequired[pulumi.Input[str]]
    """Object ID of the gateway's identity, which reads the key from a vault. Needed with `source: key-vault`."""
    identity_client_id: NotRequired[pulumi.Input[str | None]]
    """Client ID of that identity. Left out: it is the system-assigned one."""
    display_name: NotRequired[pulumi.Input[str]]
    """Name of the API for people. Left out: the component's name."""
    api_version: NotRequired[pulumi.Input[str]]
    """Stable version of Azure OpenAI's REST API whose operations it offers. Left out: 2024-10-21."""
    definition: NotRequired[pulumi.Input[str | None]]
    """OpenAPI 3 document (JSON) to import in its place; its `servers` are not used."""
    policy: NotRequired[PolicyOptions | None]
    """Policies of your own: they can add, and take nothing away. Left out: none."""


class KeyAuthApi(pulumi.ComponentResource):
    """Publishes Azure OpenAI to callers with a subscription key; the gateway itself presents an API key."""

    api_id: pulumi.Output[str]
    """Resource ID of the API, the scope for products and subscriptions."""
    subscription_key: pulumi.Output[str]
    """Primary key of the subscription made for callers; a secret."""

    def __init__(self, name: str, args: KeyAuthApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("openai-gateway:index:KeyAuthApi", name, {}, api_options("KeyAuthApi", opts))
        check_inputs(name, args)
        hook = api_hook(name, args)
        credential = key_credential(name, args, parent=self)
        policy = api_policy(
            [], credential, hook=hook, accounts=len(args["accounts"]), subscription_required=True, sku=args.get("sku")
        )
        api = publish(name, args, policy=policy, subscription_required=True, parent=self)
        self.api_id = api.id
        self.subscription_key = subscribe(name, args, api, parent=self)
        self.register_outputs({"apiId": self.api_id, "subscriptionKey": self.subscription_key})
