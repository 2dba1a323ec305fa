"""An Azure AI Content Safety account, as a backend of the gateway."""

from typing import NotRequired, TypedDict

import pulumi
from pulumi_azure_native import cognitiveservices, resources

from components._clashes import NAMES, report_clash
from components._endpoints import SAFETY_ZONES, PrivateEndpoints, create_endpoint, private_endpoints, public_access
from components._inputs import read_options
from components._names import shorten, unique_name
from components._roles import COGNITIVE_SERVICES_USER, assign_role
from components._subscriptions import child_options, invoke_options
from options import ExistingSafetyAccount, SafetyAccountOptions

_KINDS = ("ContentSafety", "AIServices")
"""Kinds of accounts that check content: Content Safety alone, and a Foundry resource."""
_AUDIENCE = "https://cognitiveservices.azure.com"
_LONGEST_ID = 80


class ContentSafetyArgs(TypedDict):
    """Inputs of `ContentSafety`."""

    resource_group_name: pulumi.Input[str]
    """Resource group of the account that is created."""
    gateway_resource_group_name: pulumi.Input[str]
    """Resource group of the API Management service."""
    service_name: pulumi.Input[str]
    """API Management service that calls the account."""
    gateway_subscription_id: NotRequired[str | None]
    """Subscription of the API Management service. Defaults to that of the component's own provider."""
    name_prefix: NotRequired[str]
    """Prefix of the backend's name on the service. Defaults to none."""
    account: NotRequired[SafetyAccountOptions | None]
    """Account to create or adopt. By default one is created."""
    principal_id: pulumi.Input[str]
    """Object ID of the gateway's identity, which calls the account."""
    identity_client_id: NotRequired[pulumi.Input[str | None]]
    """Client ID of that identity. Defaults to the system-assigned identity."""
    private_endpoints: NotRequired[PrivateEndpoints | None]
    """Where the private endpoint of an account that is created goes. By default it has none, and is reached from the
    internet."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete or replace the account that is created. Defaults to false."""


class ContentSafety(pulumi.ComponentResource):
    """Azure AI Content Safety as an API Management backend that presents the gateway's managed identity."""

    backend_id: pulumi.Output[str]
    """ID of the backend for `llm-content-safety`, known once the identity holds its role."""
    account_id: pulumi.Output[str]
    """Resource ID of the account."""
    url: pulumi.Output[str]
    """Endpoint of the account, without a trailing slash."""

    def __init__(self, name: str, args: ContentSafetyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("openai-gateway:index:ContentSafety", name, {}, opts)
        account = read_options(SafetyAccountOptions, args.get("account") or SafetyAccountOptions(), "account")
        if account.existing is None:
            self._create(name, account, args)
        else:
            self._adopt(account.existing)
        backend = _backend(name, args, self.url, parent=self)
        roles = [] if account.existing and account.existing.role_assigned else [self._role(name, args)]
        self.backend_id = pulumi.Output.all(backend.name, *roles).apply(lambda known: str(known[0]))
        self.register_outputs({"backendId": self.backend_id, "accountId": self.account_id, "url": self.url})

    def _create(self, name: str, account: SafetyAccountOptions, args: ContentSafetyArgs) -> None:
        endpoints = private_endpoints(args)
        account_name = account.name or unique_name(
            name,
            "cs",
            limit=64,
            replaced_on={"resourceGroup": args["resource_group_name"], "location": account.location},
            parent=self,
        )
        resource = cognitiveservices.Account(
            f"{name}-account",
            account_name=account_name,
            resource_group_name=args["resource_group_name"],
            location=account.location,
            kind="ContentSafety",
            sku={"name": "S0"},
            properties={
                "custom_sub_domain_name": account_name,
                "disable_local_auth": True,
                "public_network_access": cognitiveservices.PublicNetworkAccess.ENABLED
                if public_access(endpoints)
                else cognitiveservices.PublicNetworkAccess.DISABLED,
            },
            opts=pulumi.ResourceOptions(parent=self, protect=args.get("protect")),
        )
        if endpoints is not None:
            create_endpoint(
                name,
                resource.id,
                "account",
                SAFETY_ZONES,
                endpoints=endpoints,
                resource_group_name=args["resource_group_name"],
                parent=self,
            )
        self.account_id = resource.id
        self.url = resource.properties.apply(lambda properties: str(properties.endpoint).rstrip("/"))

    def _adopt(self, existing: ExistingSafetyAccount) -> None:
        found = cognitiveservices.get_account_output(
            account_name=existing.name,
            resource_group_name=existing.resource_group,
            opts=invoke_options(self, existing.subscription_id),
        )

        def url(account: cognitiveservices.GetAccountResult) -> str:
            if account.kind not in _KINDS:
                kinds = " or ".join(_KINDS)
                raise pulumi.RunError(
                    f"account {existing.name} is of the kind {account.kind}, which cannot check content; name one of "
                    f"the kind {kinds}"
                )
            if not account.properties.custom_sub_domain_name:
                raise pulumi.RunError(
                    f"account {existing.name} has no custom subdomain, which it needs to accept Microsoft Entra "
                    "tokens; set one (it cannot be changed later), or name another account"
                )
            return str(account.properties.endpoint).rstrip("/")

        self.account_id = found.id
        self.url = found.apply(url)

    def _role(self, name: str, args: ContentSafetyArgs) -> pulumi.Output[str]:
        return assign_role(
            f"{name}-role",
            scope=self.account_id,
            principal_id=args["principal_id"],
            role=COGNITIVE_SERVICES_USER,
            parent=self,
        ).id


def _backend(
    name: str, args: ContentSafetyArgs, url: pulumi.Output[str], *, parent: pulumi.Resource
) -> resources.Resource:
    """Create the backend `{name}-backend`, which authenticates as the gateway's identity.

    `llm-content-safety` uses the backend's own credential ("llm-content-safety", prerequisites). No version of Azure's
    types has `credentials.managedIdentity`, which the service takes (azure-rest-api-specs #32665), so the typed
    resource would leave it out.
    """
    backend_id = shorten(f"{args.get('name_prefix', '')}{name}-backend", _LONGEST_ID)
    subscription_id = args.get("gateway_subscription_id")
    backend = resources.Resource(
        f"{name}-backend",
        api_version="2024-05-01",
        resource_group_name=args["gateway_resource_group_name"],
        resource_provider_namespace="Microsoft.ApiManagement",
        parent_resource_path=pulumi.Output.concat("service/", args["service_name"]),
        resource_type="backends",
        resource_name_=backend_id,
        properties=pulumi.Output.all(url=url, client=args.get("identity_client_id")).apply(_properties),
        opts=child_options(parent, subscription_id),
    )
    service = {
        "resourceGroupName": args["gateway_resource_group_name"],
        "serviceName": args["service_name"],
        "backendId": backend_id,
    }
    opts = invoke_options(parent, subscription_id)
    report_clash(backend, "apimanagement:getBackend", service, kind=NAMES, opts=opts)
    return backend


def _properties(known: dict[str, str | None]) -> dict[str, object]:
    client = {} if known["client"] is None else {"clientId": known["client"]}
    return {
        "type": "Single",
        "protocol": "http",
        "url": known["url"],
        "credentials": {"managedIdentity": {"resource": _AUDIENCE, **client}},
        "tls": {"validateCertificateChain": True, "validateCertificateName": True},
    }
