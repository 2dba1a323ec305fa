"""What each resource type returns."""

import re

from apim_emulator.azure import Cloud
from emulator.tests.azure.azure import DEFINITION, Azure


def test_an_id_is_in_arm_form(azure: Azure) -> None:
    azure.service()

    resource_id, outputs = azure.api()

    assert resource_id == (
        f"/subscriptions/{azure.cloud.subscription_id}/resourceGroups/rg/providers/Microsoft.ApiManagement"
        "/service/apim/apis/openai"
    )
    assert outputs["name"] == "openai"
    assert outputs["type"] == "Microsoft.ApiManagement/service/apis"


def test_an_explicit_api_version_in_the_token_is_the_same_type(azure: Azure) -> None:
    resource_id, _ = azure.cloud.create(
        "azure-native:resources/v20240301:ResourceGroup", "other", {"location": "swedencentral"}
    )

    assert azure.cloud.read("azure-native:resources:ResourceGroup", resource_id)["location"] == "swedencentral"


def test_a_resource_without_a_name_is_named_after_its_logical_name(cloud: Cloud) -> None:
    token, inputs = "azure-native:resources:ResourceGroup", {"location": "swedencentral"}

    names = [cloud.create(token, "group", inputs)[1]["name"] for _ in range(2)]

    assert all(re.fullmatch("group[0-9a-f]{8}", name) for name in names)
    assert names[0] != names[1]


def test_a_location_left_out_is_that_of_the_resource_group(azure: Azure) -> None:
    assert azure.service()[1]["location"] == "swedencentral"


def test_ids_compare_without_regard_to_case(azure: Azure) -> None:
    resource_id, outputs = azure.account()

    assert azure.cloud.read("azure-native:cognitiveservices:Account", resource_id.upper()) == outputs


def test_a_service_returns_its_gateway_url_and_its_identities(azure: Azure) -> None:
    identity_id, identity = azure.identity()

    _, outputs = azure.service(
        identity={"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {identity_id: {}}}
    )

    assert outputs["gatewayUrl"] == "https://apim.azure-api.net"
    assert outputs["identity"]["tenantId"] == azure.cloud.tenant_id
    assert outputs["identity"]["principalId"] != identity["principalId"]
    assert outputs["identity"]["userAssignedIdentities"] == {
        identity_id: {"principalId": identity["principalId"], "clientId": identity["clientId"]}
    }


def test_an_account_returns_the_endpoint_of_its_subdomain(azure: Azure) -> None:
    assert azure.account("oai-contoso")[1]["properties"]["endpoint"] == "https://oai-contoso.openai.azure.com/"


def test_a_foundry_resource_returns_an_endpoint_for_azure_openai_beside_its_own(azure: Azure) -> None:
    inputs = {"resourceGroupName": "rg", "accountName": "ai-contoso", "kind": "AIServices", "sku": {"name": "S0"}}

    _, outputs = azure.create("cognitiveservices:Account", **inputs, properties={"customSubDomainName": "AI-Contoso"})

    assert outputs["properties"]["endpoint"] == "https://ai-contoso.cognitiveservices.azure.com/"
    assert outputs["properties"]["endpoints"] == {
        "AI Foundry API": "https://ai-contoso.services.ai.azure.com/",
        "OpenAI Language Model Instance API": "https://ai-contoso.openai.azure.com/",
    }
    assert [account.host for account in azure.cloud.accounts()] == ["ai-contoso.openai.azure.com"]


def test_a_provisioned_deployment_spills_over_to_a_standard_one_of_its_model(azure: Azure) -> None:
    azure.account()
    model = {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}
    azure.deployment(deploymentName="overflow")

    _, outputs = azure.deployment(
        sku={"name": "GlobalProvisionedManaged", "capacity": 50},
        properties={"model": model, "spilloverDeploymentName": "overflow"},
    )

    assert outputs["properties"]["spilloverDeploymentName"] == "overflow"


def test_a_deployment_is_upgraded_to_new_defaults_unless_it_says_otherwise(azure: Azure) -> None:
    azure.account()

    assert azure.deployment()[1]["properties"]["versionUpgradeOption"] == "OnceNewDefaultVersionAvailable"


def test_a_secret_returns_its_identifiers_and_not_its_value(azure: Azure) -> None:
    azure.vault()

    _, outputs = azure.secret("s3cr3t")

    assert outputs["properties"]["secretUri"] == "https://kv-contoso.vault.azure.net/secrets/openai-key"
    assert re.fullmatch(
        r"https://kv-contoso\.vault\.azure\.net/secrets/openai-key/[0-9a-f]{32}",
        outputs["properties"]["secretUriWithVersion"],
    )
    assert "s3cr3t" not in str(outputs)


def test_a_secret_named_value_does_not_return_its_value(azure: Azure) -> None:
    azure.service()

    assert "value" not in azure.named_value(value="s3cr3t", secret=True)[1]
    assert azure.named_value("plain", value="text")[1]["value"] == "text"


def test_an_api_does_not_return_its_definition(azure: Azure) -> None:
    azure.service()

    assert DEFINITION not in str(azure.api()[1])


def test_keys_differ_between_clouds_and_principals_do_not() -> None:
    first, second = Azure(Cloud()), Azure(Cloud())
    args = {"resourceGroupName": "rg", "accountName": "oai"}
    for azure in (first, second):
        azure.account()

    keys = [azure.cloud.invoke("azure-native:cognitiveservices:listAccountKeys", args) for azure in (first, second)]

    assert len({key for pair in keys for key in pair.values()}) == 4
    assert first.identity() == second.identity()


def test_another_seed_is_another_tenant() -> None:
    assert Cloud(seed="a").tenant_id != Cloud(seed="b").tenant_id


def test_no_representation_shows_a_key(azure: Azure) -> None:
    azure.service()
    azure.account()
    azure.named_value(value="s3cr3t", secret=True)
    azure.backend(credentials={"header": {"api-key": ["s3cr3t"]}})
    keys = azure.cloud.accounts()[0].keys

    shown = repr((azure.cloud, azure.cloud.gateways(), azure.cloud.accounts(), azure.cloud.applications()))

    assert "s3cr3t" not in shown
    assert not any(key in shown for key in keys)


def test_outputs_are_copies(azure: Azure) -> None:
    resource_id, outputs = azure.account()
    outputs["properties"]["endpoint"] = "changed"

    read = azure.cloud.read("azure-native:cognitiveservices:Account", resource_id)

    assert read["properties"]["endpoint"] == "https://oai.openai.azure.com/"


def test_an_application_returns_the_ids_of_its_roles_and_scopes(azure: Azure) -> None:
    role = {"id": "11111111-1111-1111-1111-111111111111", "value": "Chat.User", "allowedMemberTypes": ["Application"]}
    scope = {"id": "22222222-2222-2222-2222-222222222222", "value": "access_as_user"}

    resource_id, outputs = azure.entra(
        "Application",
        displayName="api",
        appRoles=[role | {"description": "d", "displayName": "n"}],
        api={"oauth2PermissionScopes": [scope], "requestedAccessTokenVersion": 2},
    )

    assert resource_id == f"/applications/{outputs['objectId']}"
    assert outputs["appRoleIds"] == {"Chat.User": role["id"]}
    assert outputs["oauth2PermissionScopeIds"] == {"access_as_user": scope["id"]}


def test_random_values_follow_from_seed_and_name(cloud: Cloud) -> None:
    token, inputs = "random:index/randomString:RandomString", {"length": 8, "special": False, "upper": False}

    _, outputs = cloud.create(token, "suffix", inputs)

    assert re.fullmatch("[a-z0-9]{8}", outputs["result"])
    assert Cloud().create(token, "suffix", inputs)[1] == outputs
    assert Cloud().create(token, "other", inputs)[1] != outputs


def test_random_passwords_follow_from_nothing(cloud: Cloud) -> None:
    token, inputs = "random:index/randomPassword:RandomPassword", {"length": 30, "minSpecial": 2}

    results = {Cloud().create(token, "password", inputs)[1]["result"] for _ in range(2)}

    assert len(results) == 2
    assert all(len(result) == 30 for result in results)


def test_random_ids_and_uuids(cloud: Cloud) -> None:
    _, random_id = cloud.create("random:index/randomId:RandomId", "id", {"byteLength": 4, "prefix": "x-"})
    resource_id, uuid = cloud.create("random:index/randomUuid:RandomUuid", "uuid", {})

    assert re.fullmatch("x-[0-9a-f]{8}", random_id["hex"])
    assert int(random_id["hex"].removeprefix("x-"), 16) == int(random_id["dec"].removeprefix("x-"))
    assert resource_id == uuid["result"]
