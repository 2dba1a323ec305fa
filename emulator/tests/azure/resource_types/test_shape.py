"""What is refused by its form alone, at preview too, when some values are not known yet."""

from typing import Any

import pytest

from apim_emulator.azure import Cloud, CloudError
from apim_emulator.pulumi.property_values import UNKNOWN

SERVICE = {"resourceGroupName": "rg", "serviceName": "apim"}


@pytest.mark.parametrize(
    ("token", "inputs", "target", "message"),
    [
        pytest.param(
            "apimanagement:Product",
            SERVICE | {"displayName": "p", "state": "open"},
            "state",
            "state 'open' is not one of notPublished, published",
            id="value",
        ),
        pytest.param(
            "apimanagement:Api",
            SERVICE | {"path": "p", "protocols": ["https", "ftp"]},
            "protocols[1]",
            "protocols[1] 'ftp' is not one of http, https, ws, wss",
            id="value-in-a-list",
        ),
        pytest.param(
            "keyvault:Vault",
            {"resourceGroupName": "rg", "properties": {"tenantId": UNKNOWN, "sku": {"family": "A", "name": "basic"}}},
            "properties.sku.name",
            "properties.sku.name 'basic' is not one of standard, premium",
            id="value-inside",
        ),
        pytest.param(
            "cognitiveservices:Account",
            {"resourceGroupName": "rg", "kind": "Face"},
            "kind",
            "kind 'Face' is not one of OpenAI, AIServices, ContentSafety",
            id="kind",
        ),
        pytest.param(
            "authorization:RoleAssignment",
            {"scope": UNKNOWN, "principalId": UNKNOWN, "roleDefinitionId": UNKNOWN, "principalType": "Robot"},
            "principalType",
            "principalType 'Robot' is not one of User, Group, ServicePrincipal, ForeignGroup, Device",
            id="principal-type",
        ),
        pytest.param(
            "keyvault:Vault",
            {"resourceGroupName": "rg", "vaultName": "kv", "properties": UNKNOWN},
            "vaultName",
            "vaultName 'kv' does not match ^[a-zA-Z0-9-]{3,24}$",
            id="name",
        ),
        pytest.param(
            "apimanagement:NamedValue",
            SERVICE | {"displayName": "a b"},
            "displayName",
            "displayName 'a b' does not match ^[A-Za-z0-9-._]{1,256}$",
            id="pattern",
        ),
        pytest.param(
            "resources:ResourceGroup",
            {"resourceGroupName": 7},
            "resourceGroupName",
            "resourceGroupName must be a text, not int",
            id="no-text",
        ),
    ],
)
def test_it_is_refused(token: str, inputs: dict[str, Any], target: str, message: str) -> None:
    with pytest.raises(CloudError) as refusal:
        Cloud().check(f"azure-native:{token}", inputs)

    assert (refusal.value.target, refusal.value.message) == (target, message)


def test_what_is_not_known_yet_passes() -> None:
    inputs = SERVICE | {"path": UNKNOWN, "protocols": UNKNOWN, "apiId": UNKNOWN}

    assert Cloud().check("azure-native:apimanagement:Api", inputs) is None  # type: ignore[func-returns-value]


def test_an_automatic_name_must_match_too() -> None:
    cloud = Cloud()
    cloud.create("azure-native:resources:ResourceGroup", "rg", {"resourceGroupName": "rg", "location": "swedencentral"})
    inputs = {
        "resourceGroupName": "rg",
        "properties": {"tenantId": cloud.tenant_id, "sku": {"family": "A", "name": "standard"}},
    }

    with pytest.raises(CloudError, match="vaultName 'a-name-that-is-far-too-long"):
        cloud.create("azure-native:keyvault:Vault", "a-name-that-is-far-too-long", inputs)
