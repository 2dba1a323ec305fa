"""Azure OpenAI accounts and Foundry resources: created with their model deployments, or adopted."""

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import cognitiveservices

from components._backends import OpenAIAccount
from components._endpoints import ACCOUNT_ZONES, PrivateEndpoints, create_endpoint, public_access
from components._names import unique_name
from components._subscriptions import invoke_options
from options import AccountKind, AccountOptions, DeploymentOptions, ExistingAccount, VersionUpgrade
from options.openai import PROVISIONED

_OPENAI_ENDPOINT = "OpenAI Language Model Instance API"
"""Key of Azure OpenAI's endpoint among the endpoints of a Foundry resource."""


def create_account(
    name: str,
    key: str,
    account: AccountOptions,
    *,
    deployments: Sequence[DeploymentOptions],
    local_auth: bool,
    resource_group_name: pulumi.Input[str],
    protect: bool | None,
    endpoints: PrivateEndpoints | None = None,
    parent: pulumi.Resource,
) -> OpenAIAccount:
    """Create an account and its deployments, one after the other in the given order.

    `local_auth` is whether the account accepts API keys if its options do not set `disable_local_auth`. With
    `endpoints` it gets a private endpoint, last of all: Azure refuses one while a deployment is in progress
    (bicep-registry-modules #7205).
    """
    account_name = account.name or unique_name(
        name,
        "oai",
        limit=64,
        replaced_on={"resourceGroup": resource_group_name, "location": account.location},
        parent=parent,
    )
    if account.disable_local_auth is not None:
        local_auth = not account.disable_local_auth
    resource = cognitiveservices.Account(
        f"{name}-account",
        account_name=account_name,
        resource_group_name=resource_group_name,
        location=account.location,
        kind=(account.kind or AccountKind.OPENAI).value,
        sku={"name": "S0"},
        properties={
            "custom_sub_domain_name": account_name,
            "disable_local_auth": not local_auth,
            "public_network_access": cognitiveservices.PublicNetworkAccess.ENABLED
            if public_access(endpoints)
            else cognitiveservices.PublicNetworkAccess.DISABLED,
        },
        opts=pulumi.ResourceOptions(
            parent=parent,
            protect=protect,
            # Azure may upgrade the account to a Foundry resource (Microsoft: "Auto-upgrade Azure OpenAI resources").
            ignore_changes=["kind"] if account.kind is None else None,
        ),
    )
    previous: pulumi.Resource | None = None
    for deployment in deployments:
        upgrade = _upgrade(deployment)
        previous = cognitiveservices.Deployment(
            f"{name}-{deployment.name}",
            deployment_name=deployment.name,
            account_name=resource.name,
            resource_group_name=resource_group_name,
            sku={"name": deployment.sku, "capacity": deployment.capacity},
            properties={
                "model": {"format": "OpenAI", "name": deployment.model, "version": deployment.version},
                "version_upgrade_option": upgrade and upgrade.value,
                "spillover_deployment_name": deployment.spillover,
                "rai_policy_name": deployment.rai_policy,
            },
            opts=pulumi.ResourceOptions(
                parent=parent,
                # An account refuses a deployment while another is in progress.
                depends_on=previous,
                # A version that Azure updates is not drift that a refresh should undo.
                ignore_changes=["properties.model.version"] if _azure_updates(deployment, upgrade) else None,
            ),
        )
    if endpoints is not None:
        create_endpoint(
            name,
            resource.id,
            "account",
            ACCOUNT_ZONES,
            endpoints=endpoints,
            resource_group_name=resource_group_name,
            parent=parent,
            depends_on=[] if previous is None else [previous],
        )
    return OpenAIAccount(
        key=key,
        id=resource.id,
        url=resource.properties.apply(_url),
        priority=account.priority,
        weight=account.weight,
        deployments=[deployment.name for deployment in deployments],
    )


def adopt_account(
    key: str, account: AccountOptions, existing: ExistingAccount, *, parent: pulumi.Resource
) -> OpenAIAccount:
    """Look up an Azure OpenAI account or a Foundry resource.

    Raises, in its outputs:
        pulumi.RunError: The account has no custom subdomain.

    """
    found = cognitiveservices.get_account_output(
        account_name=existing.name,
        resource_group_name=existing.resource_group,
        opts=invoke_options(parent, existing.subscription_id),
    )

    def url(properties: cognitiveservices.outputs.AccountPropertiesResponse) -> str:
        if not properties.custom_sub_domain_name:
            raise pulumi.RunError(
                f"account {existing.name} has no custom subdomain, which it needs to accept Microsoft Entra tokens; "
                "set one (it cannot be changed later), or name another account"
            )
        return _url(properties)

    return OpenAIAccount(
        key=key,
        id=found.id,
        url=found.properties.apply(url),
        subscription_id=existing.subscription_id,
        priority=account.priority,
        weight=account.weight,
        role_assigned=existing.role_assigned,
        deployments=existing.deployments,
    )


def _url(properties: cognitiveservices.outputs.AccountPropertiesResponse) -> str:
    endpoint = (properties.endpoints or {}).get(_OPENAI_ENDPOINT, properties.endpoint)
    return f"{str(endpoint).rstrip('/')}/openai"


def _upgrade(deployment: DeploymentOptions) -> VersionUpgrade | None:
    """Return when Azure upgrades the version: by default, a version that is set stays until it expires."""
    if deployment.version_upgrade is None and deployment.version is not None and deployment.sku not in PROVISIONED:
        return VersionUpgrade.WHEN_EXPIRED
    return deployment.version_upgrade


def _azure_updates(deployment: DeploymentOptions, upgrade: VersionUpgrade | None) -> bool:
    return deployment.version is None or upgrade is VersionUpgrade.NEW_DEFAULT
