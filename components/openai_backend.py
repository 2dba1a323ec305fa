"""Azure OpenAI accounts with their model deployments, published to the gateway as a backend."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
from pulumi_azure_native import cognitiveservices

from components._backends import OpenAIAccount, Service, create_backends
from components._names import unique_name
from components._roles import COGNITIVE_SERVICES_OPENAI_USER, assign_role
from components._subscriptions import invoke_options
from components._wire import options
from options import AccountOptions, DeploymentOptions, ExistingResource, OpenAIOptions

_KIND = "OpenAI"


class OpenAIBackendArgs(TypedDict):
    """Inputs of `OpenAIBackend`."""

    resource_group_name: pulumi.Input[str]
    """Resource group of the accounts that are created."""
    gateway_resource_group_name: pulumi.Input[str]
    """Resource group of the API Management service."""
    service_name: pulumi.Input[str]
    """API Management service that calls the accounts."""
    sku: NotRequired[pulumi.Input[str]]
    """Pricing tier of the service, such as `ApiGateway.sku`. Left out: one that has circuit breakers, as all have but
    Consumption."""
    gateway_subscription_id: NotRequired[str | None]
    """Subscription of the API Management service. Left out: that of the component's own provider."""
    openai: OpenAIOptions
    """Accounts to create or adopt, and the models to deploy."""
    local_auth: NotRequired[bool]
    """Whether the accounts that are created accept API keys. Left out: they accept Microsoft Entra tokens alone."""
    users: NotRequired[dict[str, pulumi.Input[str]]]
    """Object IDs of the managed identities that may call the accounts, by a short name for each."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete or replace the accounts that are created. Left out: it does not."""


class OpenAIBackend(pulumi.ComponentResource):
    """One Azure OpenAI account, or a load-balanced pool of several, as an API Management backend."""

    backend_id: pulumi.Output[str]
    """Backend, or pool, that `set-backend-service` names. It carries no credential."""
    account_ids: pulumi.Output[list[str]]
    """Resource IDs of the accounts."""
    urls: pulumi.Output[list[str]]
    """Endpoints of the accounts, with `/openai`."""
    role_assignment_ids: pulumi.Output[list[str]]
    """Resource IDs of the role assignments that `users` got."""

    def __init__(self, name: str, args: OpenAIBackendArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("openai-gateway:index:OpenAIBackend", name, {}, opts)
        openai = options(OpenAIOptions, args["openai"], "openai")

        self.accounts = [
            _adopt(self, key, account, account.existing)
            if account.existing is not None
            else _create(self, f"{name}-{key}", key, account, args=args, deployments=openai.deployments)
            for key, account in _keyed(openai.accounts)
        ]
        self.backend_id = create_backends(
            f"{name}-backend",
            f"{name}-pool",
            self.accounts,
            service=Service(
                resource_group_name=args["gateway_resource_group_name"],
                name=args["service_name"],
                sku=args.get("sku"),
                subscription_id=args.get("gateway_subscription_id"),
            ),
            parent=self,
        )
        assignments = [
            assign_role(
                f"{name}-{account.key}-{user}-role",
                scope=account.id,
                principal_id=principal_id,
                role=COGNITIVE_SERVICES_OPENAI_USER,
                parent=self,
            )
            for account in self.accounts
            for user, principal_id in args.get("users", {}).items()
        ]
        self.role_assignment_ids = pulumi.Output.all(*(assignment.id for assignment in assignments))
        self.account_ids = pulumi.Output.all(*(account.id for account in self.accounts))
        self.urls = pulumi.Output.all(*(account.url for account in self.accounts))
        self.register_outputs(
            {
                "backendId": self.backend_id,
                "accountIds": self.account_ids,
                "urls": self.urls,
                "roleAssignmentIds": self.role_assignment_ids,
            }
        )


def _keyed(accounts: Sequence[AccountOptions]) -> list[tuple[str, AccountOptions]]:
    """Name each account by what does not move when another joins the pool: its own name, else its region."""
    keyed: dict[str, AccountOptions] = {}
    for account in accounts:
        stem = account.existing.name if account.existing else account.name or account.location or "account"
        number = 1
        key = stem
        while key in keyed:
            number += 1
            key = f"{stem}-{number}"
        keyed[key] = account
    return list(keyed.items())


def _create(
    parent: OpenAIBackend,
    name: str,
    key: str,
    account: AccountOptions,
    *,
    args: OpenAIBackendArgs,
    deployments: Sequence[DeploymentOptions],
) -> OpenAIAccount:
    account_name = account.name or unique_name(
        name,
        "oai",
        limit=64,
        replaced_on={"resourceGroup": args["resource_group_name"], "location": account.location, "kind": _KIND},
        parent=parent,
    )
    local_auth = args.get("local_auth", False) if account.disable_local_auth is None else not account.disable_local_auth
    resource = cognitiveservices.Account(
        f"{name}-account",
        account_name=account_name,
        resource_group_name=args["resource_group_name"],
        location=account.location,
        kind=_KIND,
        sku={"name": "S0"},
        properties={
            "custom_sub_domain_name": account_name,
            "disable_local_auth": not local_auth,
            "public_network_access": cognitiveservices.PublicNetworkAccess.ENABLED,
        },
        opts=pulumi.ResourceOptions(parent=parent, protect=args.get("protect")),
    )
    previous: pulumi.Resource | None = None
    for deployment in deployments:
        previous = cognitiveservices.Deployment(
            f"{name}-{deployment.name}",
            deployment_name=deployment.name,
            account_name=resource.name,
            resource_group_name=args["resource_group_name"],
            sku={"name": deployment.sku, "capacity": deployment.capacity},
            properties={
                "model": {"format": "OpenAI", "name": deployment.model, "version": deployment.version},
                "version_upgrade_option": deployment.version_upgrade and deployment.version_upgrade.value,
                "rai_policy_name": deployment.rai_policy,
            },
            # An account refuses a second deployment while one is under way.
            opts=pulumi.ResourceOptions(parent=parent, depends_on=previous),
        )
    return OpenAIAccount(
        key=key,
        id=resource.id,
        url=resource.properties.apply(lambda value: f"{str(value.endpoint).rstrip('/')}/openai"),
        priority=account.priority,
        weight=account.weight,
    )


def _adopt(parent: OpenAIBackend, key: str, account: AccountOptions, existing: ExistingResource) -> OpenAIAccount:
    found = cognitiveservices.get_account_output(
        account_name=existing.name,
        resource_group_name=existing.resource_group,
        opts=invoke_options(parent, existing.subscription_id),
    )

    def url(properties: cognitiveservices.outputs.AccountPropertiesResponse) -> str:
        if not properties.custom_sub_domain_name:
            raise pulumi.RunError(
                f"account {existing.name} has no custom subdomain, without which it accepts no Microsoft Entra "
                "tokens; set one (it cannot be changed later), or name another account"
            )
        return f"{str(properties.endpoint).rstrip('/')}/openai"

    return OpenAIAccount(
        key=key,
        id=found.id,
        url=found.properties.apply(url),
        subscription_id=existing.subscription_id,
        priority=account.priority,
        weight=account.weight,
    )
