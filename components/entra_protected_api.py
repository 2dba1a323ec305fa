"""An Azure OpenAI API whose callers present a token of Microsoft Entra ID or of another OpenID Connect provider."""

from typing import NotRequired, TypedDict

import pulumi

from components._api import api_options, api_policy, check_inputs, publish, subscribe
from components._application import register_application, use_existing_application
from components._backends import OpenAIAccount, openai_accounts
from components._credentials import grant_access, key_credential, managed_identity_credential
from components._entra_token import entra_validation
from components._hook import api_hook
from components._inputs import read_options
from options import BackendAuth, EntraOptions, JwtOptions, KeyOptions, PolicyOptions
from policies import Policy, ValidateJwt


class EntraProtectedApiArgs(TypedDict):
    """Inputs of `EntraProtectedApi`. One of `entra` and `jwt` is given."""

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
    """Backend without a credential, such as `OpenAIBackend.backend_id`."""
    accounts: list[OpenAIAccount]
    """Azure OpenAI accounts behind the backend."""
    entra: NotRequired[EntraOptions | None]
    """Microsoft Entra ID tokens to demand. Left out: `jwt` says what to demand."""
    jwt: NotRequired[JwtOptions | None]
    """Tokens of another OpenID Connect provider to demand. Left out: `entra` says what to demand."""
    key: NotRequired[KeyOptions | None]
    """How the key is kept and presented where the backend credential is a key. Left out: as in `KeyAuthApi`."""
    vault_resource_group_name: NotRequired[pulumi.Input[str]]
    """Resource group of a vault that is created. Left out: that of the API Management service."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete or replace the vault that is created. Left out: it does not."""
    principal_id: NotRequired[pulumi.Input[str]]
    """Object ID of the gateway's identity. Needed to authenticate with it, and with `source: key-vault`."""
    identity_client_id: NotRequired[pulumi.Input[str | None]]
    """Client ID of that identity. Left out: it is the system-assigned one."""
    role_assignment_ids: NotRequired[pulumi.Input[list[str]]]
    """Role assignments that give the identity access already. Left out: they are made here, one for each account."""
    subscription_required: NotRequired[bool]
    """Whether callers need a subscription key beside their token. Left out: the token is enough."""
    display_name: NotRequired[pulumi.Input[str]]
    """Name of the API, and of the app registration, for people. Left out: the component's name."""
    api_version: NotRequired[pulumi.Input[str]]
    """Stable version of Azure OpenAI's REST API whose operations it offers. Left out: 2024-10-21."""
    definition: NotRequired[pulumi.Input[str | None]]
    """OpenAPI 3 document (JSON) to import in its place; its `servers` are not used."""
    policy: NotRequired[PolicyOptions | None]
    """Policies of your own: they can add, and take nothing away. Left out: none."""


class EntraProtectedApi(pulumi.ComponentResource):
    """Publishes Azure OpenAI to callers with a validated token, in front of a managed identity or an API key."""

    api_id: pulumi.Output[str]
    """Resource ID of the API, the scope for products and subscriptions."""
    audience: pulumi.Output[str]
    """Audience that tokens must be for; the first one where several are accepted."""
    client_id: pulumi.Output[str] | None
    """Application (client) ID of the app registration. Absent: another provider's tokens are demanded."""
    scopes: pulumi.Output[list[str]]
    """What callers ask the token endpoint for: `{application ID URI}/{scope}`; `/.default` for applications."""
    subscription_key: pulumi.Output[str] | None
    """Primary key of the subscription made for callers; a secret. Absent: the token is enough."""

    def __init__(self, name: str, args: EntraProtectedApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("openai-gateway:index:EntraProtectedApi", name, {}, api_options("EntraProtectedApi", opts))
        check_inputs(name, args)
        hook = api_hook(name, args)
        given_entra, given_jwt = args.get("entra"), args.get("jwt")
        if (given_entra is None) == (given_jwt is None):
            raise pulumi.RunError("one of entra and jwt is needed, and not both: each says whose tokens are accepted")

        validation: pulumi.Output[list[Policy]]
        if given_jwt is not None:
            jwt = read_options(JwtOptions, given_jwt, "jwt")
            backend_auth = jwt.backend_auth
            self.audience = pulumi.Output.from_input(jwt.audiences[0])
            self.client_id = None
            self.scopes = pulumi.Output.from_input(list[str]())
            least: list[Policy] = [_validate_jwt(jwt)]
            validation = pulumi.Output.from_input(least)
        elif given_entra is not None:
            entra = read_options(EntraOptions, given_entra, "entra")
            backend_auth = entra.backend_auth
            application = (
                register_application(name, entra, display_name=args.get("display_name", name), parent=self)
                if entra.existing is None
                else use_existing_application(name, entra, entra.existing, parent=self)
            )
            self.audience = application.audiences.apply(lambda audiences: audiences[0])
            self.client_id = application.client_id
            self.scopes = application.scopes
            least = entra_validation(entra, entra.tenant_id or "common", ["-"])
            validation = pulumi.Output.all(tenant=application.tenant_id, audiences=application.audiences).apply(
                lambda known: entra_validation(entra, known["tenant"], known["audiences"])
            )

        credential = _credential(name, args, backend_auth, self)
        subscription_required = args.get("subscription_required", False)
        api = publish(
            name,
            args,
            policy=api_policy(
                validation,
                credential,
                least=least,
                hook=hook,
                accounts=len(args["accounts"]),
                subscription_required=subscription_required,
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
                "scopes": self.scopes,
                "subscriptionKey": self.subscription_key,
            }
        )


def _credential(
    name: str, args: EntraProtectedApiArgs, backend_auth: BackendAuth, parent: pulumi.Resource
) -> pulumi.Output[list[Policy]]:
    if backend_auth is BackendAuth.KEY:
        return key_credential(name, args, parent=parent)
    granted = args.get("role_assignment_ids")
    if granted is None:
        principal_id = args.get("principal_id")
        if principal_id is None:
            raise pulumi.RunError(
                "backend_auth managed-identity needs principal_id, the identity that calls Azure OpenAI"
            )
        granted = grant_access(
            name, accounts=openai_accounts(args["accounts"]), principal_id=principal_id, parent=parent
        )
    return managed_identity_credential(
        backend_id=args["backend_id"], client_id=args.get("identity_client_id"), role_assignment_ids=granted
    )


def _validate_jwt(jwt: JwtOptions) -> ValidateJwt:
    return ValidateJwt(
        openid_config_urls=jwt.openid_config_urls,
        audiences=jwt.audiences,
        issuers=jwt.issuers,
        required_claims=jwt.required_claims,
        require_expiration_time=True,
        require_signed_tokens=True,
    )
