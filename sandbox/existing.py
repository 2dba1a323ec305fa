"""What a config adopts, made beforehand: another team's service, accounts, vaults and identities."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.cloud import Cloud, CloudError

MODELS = ("gpt-4o", "text-embedding-3-large")
"""Models that an adopted account has deployed, under their own names."""

_NAMESPACE = "openai-gateway"
_LOCATION = "swedencentral"
_IDENTITY = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.ManagedIdentity/userAssignedIdentities/(?P<name>[^/]+)",
    re.IGNORECASE,
)

Config = Mapping[str, Any]
"""Stack config with full keys; it is not validated here: the program does that, and says what is wrong."""


def subscription_id(config: Config) -> str | None:
    """Azure subscription of the identities that a config names by resource ID, None where it names none."""
    return next((identity["subscription"] for identity in _identities(config)), None)


def create_existing(cloud: Cloud, config: Config) -> None:
    """Create the resources that `existing` entries and identity IDs of a config name, as far as they make sense."""
    identities = list(_identities(config))
    for identity in identities:
        _create(cloud, "managedidentity:UserAssignedIdentity", identity["group"], resourceName=identity["name"])
    for group, name in _adopted([_section(config, "gateway")]):
        _create_service(cloud, group, name, [identity[0] for identity in identities])
    for group, name in _adopted(_mappings(_section(config, "openai").get("accounts"))):
        _create_account(cloud, group, name)
    for group, name in _adopted(key.get("vault") for key in (_section(config, "key"), *_api_values(config, "key"))):
        _create(
            cloud,
            "keyvault:Vault",
            group,
            vaultName=name,
            properties={
                "tenantId": cloud.tenant_id,
                "sku": {"family": "A", "name": "standard"},
                "enableRbacAuthorization": True,
            },
        )


def _create_service(cloud: Cloud, group: str, name: str, identities: list[str]) -> None:
    identity: dict[str, Any] = {"type": "SystemAssigned"}
    if identities:
        identity = {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {key: {} for key in identities}}
    _create(
        cloud,
        "apimanagement:ApiManagementService",
        group,
        serviceName=name,
        publisherName="Shared",
        publisherEmail="shared@example.com",
        sku={"name": "StandardV2", "capacity": 1},
        identity=identity,
    )


def _create_account(cloud: Cloud, group: str, name: str) -> None:
    _create(
        cloud,
        "cognitiveservices:Account",
        group,
        accountName=name,
        kind="OpenAI",
        sku={"name": "S0"},
        properties={"customSubDomainName": name, "disableLocalAuth": False},
    )
    for model in MODELS:
        _create(
            cloud,
            "cognitiveservices:Deployment",
            group,
            accountName=name,
            deploymentName=model,
            sku={"name": "GlobalStandard", "capacity": 1},
            properties={"model": {"format": "OpenAI", "name": model}},
        )


def _create(cloud: Cloud, resource_type: str, group: str, **inputs: Any) -> None:
    """Create a resource and its group; what exists already, or cannot exist, is the program's to find."""
    for token, values in (
        ("azure-native:resources:ResourceGroup", {}),
        (f"azure-native:{resource_type}", inputs),
    ):
        location = {"location": _LOCATION} if cloud.has_location(token) else {}
        try:
            cloud.create(token, group, {"resourceGroupName": group, **location, **values})
        except CloudError:
            continue


def _adopted(sections: Any) -> Iterator[tuple[str, str]]:
    """Resource group and name of each `existing` entry."""
    for section in _mappings(list(sections)):
        existing = section.get("existing")
        if isinstance(existing, Mapping):
            group, name = existing.get("resourceGroup"), existing.get("name")
            if isinstance(group, str) and isinstance(name, str):
                yield group, name


def _identities(config: Config) -> Iterator[re.Match[str]]:
    values = [_section(config, "gateway"), *_mappings(config.get(f"{_NAMESPACE}:apis"))]
    for value in dict.fromkeys(str(section.get("identity")) for section in values):
        if match := _IDENTITY.fullmatch(value):
            yield match


def _api_values(config: Config, key: str) -> Iterator[Mapping[str, Any]]:
    return _mappings([api.get(key) for api in _mappings(config.get(f"{_NAMESPACE}:apis"))])


def _section(config: Config, key: str) -> Mapping[str, Any]:
    return next(_mappings([config.get(f"{_NAMESPACE}:{key}")]), {})


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    return (entry for entry in value if isinstance(entry, Mapping)) if isinstance(value, list) else iter(())
