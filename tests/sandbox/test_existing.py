from typing import Any

import pytest

from apim_emulator.azure import Cloud
from apim_emulator.services.azure_monitor import MONITORING_METRICS_PUBLISHER
from apim_emulator.services.azure_openai import OPENAI_USER
from sandbox.existing import MODELS, ZONES, create_existing, subscription_id

IDENTITY = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-ids"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-gateway"
)


HUB = "11111111-2222-4333-8444-555555555555"


def existing(name: str, subscription: str | None = None) -> dict[str, Any]:
    place = {"subscriptionId": subscription} if subscription else {}
    return {"existing": {"name": name, "resourceGroup": "rg-shared", **place}}


def config(**values: Any) -> dict[str, Any]:
    return {f"openai-gateway:{key}": value for key, value in values.items()}


def test_adopted_service_has_a_system_assigned_identity() -> None:
    cloud = Cloud()

    create_existing(cloud, config(gateway=existing("apim-contoso")))

    (gateway,) = cloud.gateways()
    assert gateway.name == "apim-contoso"
    assert [identity.system_assigned for identity in gateway.identities] == [True]


def test_adopted_identities_exist_in_their_subscription_and_on_the_service() -> None:
    values = config(gateway={**existing("apim-contoso"), "identity": IDENTITY}, apis=[{"identity": IDENTITY}])
    cloud = Cloud()

    create_existing(cloud, values)

    (gateway,) = cloud.gateways()
    args = {"resourceGroupName": "rg-ids", "resourceName": "id-gateway"}
    subscription = IDENTITY.split("/")[2]
    found = cloud.invoke("azure-native:managedidentity:getUserAssignedIdentity", args, subscription_id=subscription)
    assert found["id"] == IDENTITY
    assert [(one.system_assigned, one.client_id) for one in gateway.identities][1:] == [(False, found["clientId"])]


def test_a_vault_for_a_teams_keys_exists() -> None:
    cloud = Cloud()

    create_existing(cloud, config(teams=[{"keys": {"vault": True, **existing("kv-team")}}, {"keys": {"vault": True}}]))

    names = {"resourceGroupName": "rg-shared", "vaultName": "kv-team"}
    assert cloud.invoke("azure-native:keyvault:getVault", names)["properties"]["enableRbacAuthorization"]


@pytest.mark.parametrize("assigned", [True, False])
def test_the_owner_of_an_adopted_account_has_given_the_role_where_the_config_says_so(assigned: bool) -> None:
    account = existing("oai-contoso")
    account["existing"]["roleAssigned"] = assigned
    values = config(
        gateway=existing("apim-contoso"),
        openai={"accounts": [account]},
        apis=[{"identity": IDENTITY}, {"identity": ""}],
    )
    cloud = Cloud()

    create_existing(cloud, values)

    (gateway,) = cloud.gateways()
    held = [cloud.has_role(one.principal_id, OPENAI_USER, cloud.accounts()[0].id) for one in gateway.identities]
    assert held == [assigned, assigned]


def test_the_role_may_be_given_to_the_identity_of_a_service_that_is_to_be_created() -> None:
    account = existing("oai-contoso")
    account["existing"]["roleAssigned"] = True
    cloud = Cloud()

    create_existing(cloud, config(gateway={"identity": IDENTITY}, openai={"accounts": [account, account]}))

    args = {"resourceGroupName": "rg-ids", "resourceName": "id-gateway"}
    function = "azure-native:managedidentity:getUserAssignedIdentity"
    identity = cloud.invoke(function, args, subscription_id=IDENTITY.split("/")[2])
    assert cloud.has_role(identity["principalId"], OPENAI_USER, cloud.accounts()[0].id)


def test_the_subscription_of_a_config_is_where_its_stack_is_deployed() -> None:
    assert subscription_id({"azure-native:subscriptionId": HUB}) == HUB
    assert subscription_id(config(gateway={"identity": IDENTITY})) is None


def test_what_names_a_subscription_exists_there_and_the_rest_where_the_stack_is_deployed() -> None:
    values = config(
        gateway=existing("apim-hub", HUB), openai={"accounts": [existing("oai-hub", HUB), existing("oai-own")]}
    )
    own = "22222222-2222-4333-8444-555555555555"
    cloud = Cloud()

    create_existing(cloud, {**values, "azure-native:subscriptionId": own})

    found = {
        name: cloud.invoke(
            "azure-native:cognitiveservices:getAccount",
            {"resourceGroupName": "rg-shared", "accountName": name},
            subscription_id=subscription,
        )["id"].split("/")[2]
        for name, subscription in (("oai-hub", HUB), ("oai-own", own))
    }
    assert found == {"oai-hub": HUB, "oai-own": own}
    (gateway,) = cloud.gateways()
    assert gateway.name == "apim-hub"


def test_adopted_accounts_serve_models_and_take_keys() -> None:
    cloud = Cloud()

    create_existing(cloud, config(openai={"accounts": [existing("oai-a"), existing("oai-b"), {"location": "x"}]}))

    assert [account.host for account in cloud.accounts()] == ["oai-a.openai.azure.com", "oai-b.openai.azure.com"]
    assert {tuple(model.name for model in account.deployments) for account in cloud.accounts()} == {MODELS}
    assert all(account.local_auth for account in cloud.accounts())


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"key": {"source": "key-vault", "vault": existing("kv-a")}}, id="of the stack"),
        pytest.param({"apis": [{"key": {"vault": existing("kv-a")}}]}, id="of an API"),
        pytest.param({"key": {"vault": existing("kv-a")}, "apis": [{"key": {"vault": existing("kv-a")}}]}, id="twice"),
    ],
)
def test_adopted_vault_exists(values: dict[str, Any]) -> None:
    cloud = Cloud()

    create_existing(cloud, config(**values))

    found = cloud.invoke("azure-native:keyvault:getVault", {"resourceGroupName": "rg-shared", "vaultName": "kv-a"})
    assert found["properties"]["enableRbacAuthorization"] is True


@pytest.mark.parametrize("assigned", [True, False])
def test_an_adopted_component_has_a_workspace_and_the_role_that_its_owner_gave(assigned: bool) -> None:
    insights, logs = existing("appi-hub", HUB), existing("log-hub", HUB)
    insights["existing"]["roleAssigned"] = assigned
    observability = {"appInsights": insights, "logAnalytics": logs}
    cloud = Cloud()

    create_existing(cloud, config(gateway=existing("apim-contoso"), observability=observability))

    (component,) = cloud.components()
    workspaces = {found.id.rpartition("/")[2]: found.id for found in cloud.workspaces()}
    assert set(workspaces) == {"log-hub", "log-appi-hub"}
    assert component.workspace_id == workspaces["log-appi-hub"]
    (gateway,) = cloud.gateways()
    role = cloud.has_role(gateway.identities[0].principal_id, MONITORING_METRICS_PUBLISHER, component.id)
    assert role is assigned


@pytest.mark.parametrize("officer", [True, False])
def test_the_deployer_has_the_role_on_an_adopted_vault_that_the_config_says(*, officer: bool) -> None:
    cloud = Cloud()
    key = {"vault": {**existing("kv-a"), "secretsOfficer": officer}}

    create_existing(cloud, config(key=key, apis=[{"key": key}]))

    vault = f"/subscriptions/{cloud.subscription_id}/resourceGroups/rg-shared/providers/Microsoft.KeyVault/vaults/kv-a"
    assert cloud.has_role(cloud.deployer_object_id, "b86a8fe4-44ce-4948-aee5-eccb2c155cd7", vault) is officer


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"gateway": "apim", "openai": [], "key": 3, "apis": {}}, id="wrong shapes"),
        pytest.param({"gateway": {"existing": "apim"}, "openai": {"accounts": "oai"}}, id="wrong shapes inside"),
        pytest.param({"gateway": existing("not a name!"), "apis": ["x", {"identity": 3}]}, id="bad names"),
        pytest.param({"gateway": {"identity": "/userAssignedIdentities/"}}, id="bad identity"),
    ],
)
def test_config_that_makes_no_sense_is_left_to_the_program(broken: dict[str, Any]) -> None:
    cloud = Cloud()

    create_existing(cloud, config(**broken))

    assert not cloud.gateways()
    assert not cloud.accounts()


def test_the_certificate_of_a_hostname_is_in_its_vault() -> None:
    hostname = {"name": "ai.contoso.com", "vault": existing("kv-tls")["existing"], "certificate": "contoso"}
    cloud = Cloud()

    create_existing(cloud, config(gateway={"hostnames": [hostname, "nonsense", {"name": "b.contoso.com"}]}))

    vault = cloud.invoke("azure-native:keyvault:getVault", {"resourceGroupName": "rg-shared", "vaultName": "kv-tls"})
    secret = cloud.read("azure-native:keyvault:Secret", f"{vault['id']}/secrets/contoso")
    assert secret["properties"]["contentType"] == "application/x-pkcs12"


def test_an_action_group_that_alerts_tell_is_there() -> None:
    cloud = Cloud()
    group = f"/subscriptions/{HUB}/resourceGroups/rg-ops/providers/Microsoft.Insights/actionGroups/on-call"

    create_existing(cloud, config(observability={"alerts": {"actionGroup": group}}))

    args = {"resourceGroupName": "rg-ops", "actionGroupName": "on-call"}
    found = cloud.invoke("azure-native:monitor:getActionGroup", args, subscription_id=HUB)
    assert found["id"] == group


def test_adopted_networks_and_zones_exist() -> None:
    place = f"/subscriptions/{HUB}/resourceGroups/rg-net/providers/Microsoft.Network/virtualNetworks/vnet/subnets"
    network = {
        "existing": {"endpointSubnet": f"{place}/endpoints", "gatewaySubnet": f"{place}/apim"},
        "dnsZones": {"resourceGroup": "rg-dns", "subscriptionId": HUB},
    }
    cloud = Cloud()

    create_existing(cloud, config(gateway={"sku": "PremiumV2"}, network={**network, "gateway": "internal"}))

    names = {"resourceGroupName": "rg-net", "virtualNetworkName": "vnet", "subnetName": "apim"}
    subnet = cloud.invoke("azure-native:network:getSubnet", names, subscription_id=HUB)
    assert [found["serviceName"] for found in subnet["delegations"]] == ["Microsoft.Web/hostingEnvironments"]
    for zone in ZONES:
        names = {"resourceGroupName": "rg-dns", "privateZoneName": zone}
        cloud.invoke("azure-native:privatedns:getPrivateZone", names, subscription_id=HUB)
