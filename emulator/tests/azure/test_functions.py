"""Functions that a program calls, such as looking up what it adopts."""

import uuid
from collections.abc import Mapping
from typing import Any

import pytest

from apim_emulator.azure import Cloud, CloudError
from emulator.tests.azure.azure import OPENAI_USER, Azure


@pytest.fixture
def adopted(azure: Azure) -> Azure:
    azure.service()
    azure.account()
    azure.vault()
    azure.identity()
    azure.api()
    azure.backend()
    azure.named_value(value="s3cr3t", secret=True)
    azure.apim("Subscription", sid="callers", displayName="callers", scope="/apis/openai", state="active")
    return azure


@pytest.mark.parametrize(
    ("token", "args", "expected"),
    [
        pytest.param(
            "apimanagement:getApiManagementService",
            {"serviceName": "apim"},
            {"name": "apim", "gatewayUrl": "https://apim.azure-api.net"},
            id="service",
        ),
        pytest.param(
            "cognitiveservices/v20250601:getAccount",
            {"accountName": "OAI"},
            {"name": "oai", "kind": "OpenAI"},
            id="account-any-case-and-version",
        ),
        pytest.param(
            "apimanagement:getApi", {"serviceName": "apim", "apiId": "OpenAI"}, {"name": "openai"}, id="api-any-case"
        ),
        pytest.param(
            "apimanagement:getBackend",
            {"serviceName": "apim", "backendId": "openai-backend"},
            {"name": "openai-backend"},
            id="backend",
        ),
        pytest.param(
            "apimanagement:getNamedValue",
            {"serviceName": "apim", "namedValueId": "openai-api-key"},
            {"name": "openai-api-key", "secret": True},
            id="named-value",
        ),
        pytest.param(
            "apimanagement:getSubscription", {"serviceName": "apim", "sid": "callers"}, {"name": "callers"}, id="sub"
        ),
        pytest.param("keyvault:getVault", {"vaultName": "kv-contoso"}, {"name": "kv-contoso"}, id="vault"),
        pytest.param(
            "managedidentity:getUserAssignedIdentity",
            {"resourceName": "gateway-identity"},
            {"name": "gateway-identity"},
            id="identity",
        ),
    ],
)
def test_a_lookup_returns_id_and_outputs(
    adopted: Azure, token: str, args: Mapping[str, Any], expected: Mapping[str, Any]
) -> None:
    found = adopted.cloud.invoke(f"azure-native:{token}", {"resourceGroupName": "rg", **args})

    assert expected.items() <= found.items()
    assert found["id"].endswith(found["name"])


@pytest.mark.parametrize(
    ("function", "parameter"),
    [("getApi", "apiId"), ("getBackend", "backendId"), ("getNamedValue", "namedValueId"), ("getSubscription", "sid")],
)
def test_what_a_service_does_not_have_is_not_found(adopted: Azure, function: str, parameter: str) -> None:
    args = {"resourceGroupName": "rg", "serviceName": "apim", parameter: "missing"}

    with pytest.raises(CloudError) as refusal:
        adopted.cloud.invoke(f"azure-native:apimanagement:{function}", args)

    assert refusal.value.code == "ResourceNotFound"


def test_a_role_assignment_is_looked_up_by_its_scope_and_name(adopted: Azure) -> None:
    scope, name = adopted.account("other")[0], str(uuid.uuid4())
    principal = adopted.identity("other")[1]["principalId"]
    assigned, outputs = adopted.role(principal, scope, OPENAI_USER, roleAssignmentName=name)

    def look_up(scope: str) -> Mapping[str, Any]:
        token = "azure-native:authorization:getRoleAssignment"
        return adopted.cloud.invoke(token, {"scope": scope, "roleAssignmentName": name})

    assert look_up(scope) == {"id": assigned, **outputs}
    with pytest.raises(CloudError) as refusal:
        look_up(adopted.group_id())
    assert refusal.value.code == "ResourceNotFound"


def test_no_lookup_returns_a_secret(adopted: Azure) -> None:
    args = {"resourceGroupName": "rg", "serviceName": "apim", "namedValueId": "openai-api-key", "sid": "callers"}

    found = [
        adopted.cloud.invoke(f"azure-native:apimanagement:get{kind}", args) for kind in ("NamedValue", "Subscription")
    ]

    assert "s3cr3t" not in str(found)
    assert not {"primaryKey", "secondaryKey", "value"} & {key for entry in found for key in entry}


def test_keys_are_those_that_the_account_accepts(adopted: Azure) -> None:
    keys = adopted.cloud.invoke(
        "azure-native:cognitiveservices:listAccountKeys", {"resourceGroupName": "rg", "accountName": "oai"}
    )

    assert (keys["key1"], keys["key2"]) == adopted.cloud.accounts()[0].keys


@pytest.mark.parametrize("sid", ["callers", "master"])
def test_subscription_keys_are_those_that_the_gateway_accepts(adopted: Azure, sid: str) -> None:
    args = {"resourceGroupName": "rg", "serviceName": "apim", "sid": sid}

    keys = adopted.cloud.invoke("azure-native:apimanagement:listSubscriptionSecrets", args)

    found = next(found for found in adopted.cloud.gateways()[0].subscriptions if found.id == sid)
    assert keys == {"primaryKey": found.primary_key, "secondaryKey": found.secondary_key}


def test_client_config_is_the_deployers(cloud: Cloud) -> None:
    azure = cloud.invoke("azure-native:authorization:getClientConfig", {})
    entra = cloud.invoke("azuread:index/getClientConfig:getClientConfig", {})

    assert azure["subscriptionId"] == cloud.subscription_id
    assert azure["tenantId"] == entra["tenantId"] == cloud.tenant_id
    assert azure["objectId"] == entra["objectId"] == cloud.deployer_object_id


def test_applications_are_found_by_id_name_and_uri(azure: Azure) -> None:
    resource_id, application = azure.entra("Application", displayName="api")
    azure.entra("ApplicationIdentifierUri", applicationId=resource_id, identifierUri="api://contoso")
    azure.entra("ServicePrincipal", clientId=application["clientId"])

    for args in (
        {"clientId": application["clientId"]},
        {"displayName": "api"},
        {"objectId": application["objectId"]},
        {"identifierUri": "api://contoso"},
    ):
        assert azure.cloud.invoke("azuread:index/getApplication:getApplication", args)["id"] == resource_id
    principal = azure.cloud.invoke(
        "azuread:index/getServicePrincipal:getServicePrincipal", {"clientId": application["clientId"]}
    )
    assert principal["displayName"] == "api"


@pytest.mark.parametrize(
    ("token", "args", "code"),
    [
        pytest.param("azure-native:storage:listStorageAccountKeys", {}, "InvalidRequest", id="unknown-function"),
        pytest.param(
            "azure-native:cognitiveservices:getAccount",
            {"resourceGroupName": "rg", "accountName": "missing"},
            "ResourceNotFound",
            id="unknown-account",
        ),
        pytest.param(
            "azure-native:cognitiveservices:listAccountKeys",
            {"resourceGroupName": "rg", "accountName": "keyless"},
            "BadRequest",
            id="local-auth-disabled",
        ),
        pytest.param(
            "azure-native:apimanagement:getApiManagementService",
            {"resourceGroupName": "missing", "serviceName": "apim"},
            "ResourceGroupNotFound",
            id="unknown-group",
        ),
        pytest.param(
            "azure-native:apimanagement:listSubscriptionSecrets",
            {"resourceGroupName": "rg", "serviceName": "apim", "sid": "missing"},
            "ResourceNotFound",
            id="unknown-subscription",
        ),
        pytest.param(
            "azuread:index/getApplication:getApplication",
            {"clientId": "11111111-1111-1111-1111-111111111111"},
            "Request_ResourceNotFound",
            id="unknown-application",
        ),
        pytest.param(
            "azuread:index/getServicePrincipal:getServicePrincipal", {}, "ValidationError", id="nothing-to-find-by"
        ),
    ],
)
def test_a_call_that_cannot_be_answered_is_refused(
    adopted: Azure, token: str, args: Mapping[str, Any], code: str
) -> None:
    adopted.account("keyless", disableLocalAuth=True)

    with pytest.raises(CloudError) as refusal:
        adopted.cloud.invoke(token, args)

    assert refusal.value.code == code
