from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from apim_emulator.azure import Cloud, Faults
from apim_emulator.clock import Clock
from apim_emulator.pulumi.deploy import DeployError
from apim_emulator.pulumi.property_values import UNKNOWN
from components import ApiGateway
from options import AdditionalLocationOptions, ExistingResource, GatewayOptions, GatewaySku, HostnameOptions
from tests.deployed import deploy_component

PUBLISHER: dict[str, Any] = {"publisher_name": "Contoso", "publisher_email": "ai@contoso.com"}
GROUP = "rg"


def build(options: GatewayOptions, **args: Any) -> Callable[[], None]:
    def program() -> None:
        inputs: Any = {"resource_group_name": GROUP, "gateway": options, **args}
        gateway = ApiGateway("gateway", inputs)
        for name in ("service_id", "service_name", "resource_group_name", "sku", "gateway_url", "principal_id"):
            pulumi.export(name, getattr(gateway, name))
        pulumi.export("identity_client_id", gateway.identity_client_id)
        pulumi.export("identities", {key: found.principal_id for key, found in gateway.identities.items()})

    return program


def cloud_with_group(cloud: Cloud | None = None) -> Cloud:
    cloud = cloud or Cloud()
    inputs = {"resourceGroupName": GROUP, "location": "swedencentral"}
    cloud.create("azure-native:resources:ResourceGroup", GROUP, inputs)
    return cloud


def shared_identity(cloud: Cloud) -> str:
    inputs = {"resourceGroupName": GROUP, "resourceName": "id-shared", "location": "swedencentral"}
    return cloud.create("azure-native:managedidentity:UserAssignedIdentity", "id-shared", inputs)[0]


def shared_service(cloud: Cloud, identity: dict[str, Any] | None) -> ExistingResource:
    inputs = {
        "resourceGroupName": GROUP,
        "serviceName": "apim-shared",
        "location": "swedencentral",
        "sku": {"name": "StandardV2", "capacity": 1},
        "publisherName": "Shared",
        "publisherEmail": "shared@example.com",
        **({"identity": identity} if identity else {}),
    }
    cloud.create("azure-native:apimanagement:ApiManagementService", "apim-shared", inputs)
    return ExistingResource(name="apim-shared", resource_group=GROUP)


def test_a_service_is_created_with_its_options() -> None:
    options = GatewayOptions(
        **PUBLISHER, name="apim-contoso", sku=GatewaySku.STANDARD_V2, capacity=2, tags={"team": "ai"}
    )

    deployed = deploy_component(build(options), cloud_with_group())

    inputs = deployed.one("ApiManagementService").inputs
    assert inputs["serviceName"] == "apim-contoso"
    assert inputs["sku"] == {"name": "StandardV2", "capacity": 2}
    assert (inputs["publisherName"], inputs["publisherEmail"]) == ("Contoso", "ai@contoso.com")
    assert inputs["identity"] == {"type": "SystemAssigned"}
    assert inputs["tags"] == {"team": "ai"}


def test_all_children_belong_to_the_component() -> None:
    deployed = deploy_component(build(GatewayOptions(**PUBLISHER, identity="user-assigned")), cloud_with_group())

    component = deployed.one("ApiGateway")
    children = [entry for entry in deployed.registrations if entry is not component]
    assert len(children) == 3
    assert {child.parent for child in children} == {component.urn}


def test_a_name_left_out_is_made_unique_and_fits_azure() -> None:
    deployed = deploy_component(build(GatewayOptions(**PUBLISHER)), cloud_with_group())

    name = deployed.one("ApiManagementService").inputs["serviceName"]
    assert name == f"apim-gateway-{deployed.one('RandomString').outputs['result']}"
    assert len(name) <= 50


@pytest.mark.parametrize(
    ("options", "args", "anew"),
    [
        pytest.param({}, {}, False, id="nothing changed"),
        pytest.param({"capacity": 2, "sku": GatewaySku.STANDARD_V2}, {}, False, id="units, and a tier of the family"),
        pytest.param({"sku": GatewaySku.STANDARD}, {}, True, id="a tier of another family"),
        pytest.param({}, {"location": "francecentral"}, True, id="location"),
        pytest.param({}, {"resource_group_name": "rg-2"}, True, id="resource group"),
    ],
)
def test_a_made_up_name_is_made_anew_with_what_replaces_the_service(
    options: dict[str, Any], args: dict[str, Any], anew: bool
) -> None:
    cloud = cloud_with_group()
    cloud.create("azure-native:resources:ResourceGroup", "g", {"resourceGroupName": "rg-2", "location": "x"})
    before = deploy_component(build(GatewayOptions(**PUBLISHER)), cloud_with_group()).one("RandomString")

    after = deploy_component(build(GatewayOptions(**PUBLISHER, **options), **args), cloud).one("RandomString")

    assert before.inputs == after.inputs, "keepers would rename what exists"
    assert before.replacement_trigger
    assert (before.replacement_trigger != after.replacement_trigger) is anew


@pytest.mark.parametrize("protect", [True, False])
def test_the_service_is_protected_and_nothing_else(protect: bool) -> None:
    options = GatewayOptions(**PUBLISHER, identity="user-assigned")

    deployed = deploy_component(build(options, protect=protect), cloud_with_group())

    protected = [entry.name for entry in deployed.registrations if entry.protected]
    assert protected == ["gateway-service"] * protect


@pytest.mark.parametrize(
    ("sku", "capacity"),
    [(GatewaySku.CONSUMPTION, 0), (GatewaySku.BASIC_V2, 1), (GatewaySku.DEVELOPER, 1)],
)
def test_capacity_left_out_is_what_the_sku_allows(sku: GatewaySku, capacity: int) -> None:
    deployed = deploy_component(build(GatewayOptions(**PUBLISHER, sku=sku)), cloud_with_group())

    assert deployed.one("ApiManagementService").inputs["sku"] == {"name": sku.value, "capacity": capacity}


CLASSIC = (GatewaySku.DEVELOPER, GatewaySku.BASIC, GatewaySku.STANDARD, GatewaySku.PREMIUM)
SECURITY = "Microsoft.WindowsAzure.ApiManagement.Gateway.Security"
TRUSTED = "Microsoft.WindowsAzure.ApiManagement.Gateway.ManagedIdentity.DisableOverPrivilegedAccess"


@pytest.mark.parametrize("sku", GatewaySku)
def test_a_service_of_every_tier_is_created(sku: GatewaySku) -> None:
    deployed = deploy_component(build(GatewayOptions(**PUBLISHER, sku=sku)), cloud_with_group())

    assert deployed.outputs["sku"] == sku.value


@pytest.mark.parametrize("sku", GatewaySku)
def test_no_default_of_the_sdk_is_sent(sku: GatewaySku) -> None:
    inputs = (
        deploy_component(build(GatewayOptions(**PUBLISHER, sku=sku)), cloud_with_group())
        .one("ApiManagementService")
        .inputs
    )

    assert inputs.keys() == {
        "resourceGroupName",
        "serviceName",
        "sku",
        "publisherName",
        "publisherEmail",
        "identity",
        "apiVersionConstraint",
        "customProperties",
        *(["legacyPortalStatus"] if sku in CLASSIC else []),
    }


@pytest.mark.parametrize("sku", GatewaySku)
def test_old_protocols_are_off_for_clients_and_backends(sku: GatewaySku) -> None:
    inputs = (
        deploy_component(build(GatewayOptions(**PUBLISHER, sku=sku)), cloud_with_group())
        .one("ApiManagementService")
        .inputs
    )

    off = {name.removeprefix(f"{SECURITY}.") for name, value in inputs["customProperties"].items() if value == "false"}
    assert off >= {
        "Protocols.Tls10",
        "Protocols.Tls11",
        "Backend.Protocols.Tls10",
        "Backend.Protocols.Tls11",
        "Backend.Protocols.Ssl30",
    }
    assert ("Protocols.Ssl30" in off) is (sku is not GatewaySku.CONSUMPTION)
    assert len([name for name in off if name.startswith("Ciphers.")]) == (8 if sku in CLASSIC else 0)
    assert ("Ciphers.TripleDes168" in off) is (sku in CLASSIC)
    assert (inputs["customProperties"].get(TRUSTED) == "True") is (sku is not GatewaySku.CONSUMPTION)
    assert inputs["apiVersionConstraint"] == {"minApiVersion": "2021-08-01"}
    assert inputs.get("legacyPortalStatus") == ("Disabled" if sku in CLASSIC else None)


def test_a_service_from_before_the_baseline_is_brought_up_to_it_in_place() -> None:
    token = "azure-native:apimanagement:ApiManagementService"
    deployed = deploy_component(build(GatewayOptions(**PUBLISHER, name="apim")), cloud_with_group())
    now = dict(deployed.one("ApiManagementService").inputs)
    sdk_defaults: dict[str, Any] = {
        "developerPortalStatus": "Enabled",
        "disableGateway": False,
        "enableClientCertificate": False,
        "legacyPortalStatus": "Enabled",
        "natGatewayState": "Disabled",
        "restore": False,
        "virtualNetworkType": "None",
    }
    before = {name: value for name, value in now.items() if name not in {"apiVersionConstraint", "customProperties"}}

    difference = deployed.cloud.diff(token, before | sdk_defaults, now)

    assert not difference.replace
    assert {name.partition(".")[0].partition("[")[0] for name in difference.changed} == {
        "apiVersionConstraint",
        "customProperties",
    }


def test_units_spread_over_the_zones_and_locations() -> None:
    options = GatewayOptions(
        **PUBLISHER,
        sku=GatewaySku.PREMIUM,
        zones=[1, 2, 3],
        additional_locations=[
            AdditionalLocationOptions(location="westeurope"),
            AdditionalLocationOptions(location="francecentral", zones=[1, 2]),
            AdditionalLocationOptions(location="uksouth", capacity=1),
        ],
    )

    inputs = deploy_component(build(options), cloud_with_group()).one("ApiManagementService").inputs

    assert (inputs["sku"]["capacity"], inputs["zones"]) == (3, ["1", "2", "3"])
    assert inputs["additionalLocations"] == [
        {"location": "westeurope", "sku": {"name": "Premium", "capacity": 3}},
        {"location": "francecentral", "sku": {"name": "Premium", "capacity": 2}, "zones": ["1", "2"]},
        {"location": "uksouth", "sku": {"name": "Premium", "capacity": 1}},
    ]


@pytest.mark.parametrize("preview", [True, False])
def test_an_additional_location_is_another_one(preview: bool) -> None:
    options = GatewayOptions(
        **PUBLISHER,
        sku=GatewaySku.PREMIUM,
        additional_locations=[AdditionalLocationOptions(location="Sweden Central")],
    )

    with pytest.raises(DeployError, match=r"gateway.additional_locations\[0\].location: .* is already the service"):
        deploy_component(build(options, location="swedencentral"), cloud_with_group(), preview=preview)


VAULT = ExistingResource(name="kv-tls", resource_group=GROUP)


def cloud_with_certificate(cloud: Cloud | None = None, *, rbac: bool = True, subscription: str | None = None) -> Cloud:
    cloud = cloud_with_group(cloud)
    if subscription is not None:
        cloud.add_subscription(subscription)
        group = {"resourceGroupName": GROUP, "location": "swedencentral"}
        cloud.create("azure-native:resources:ResourceGroup", GROUP, group, subscription_id=subscription)
    properties: dict[str, Any] = {"tenantId": cloud.tenant_id, "sku": {"family": "A", "name": "standard"}}
    properties |= {"enableRbacAuthorization": rbac, "accessPolicies": []}
    place = {"resourceGroupName": GROUP, "vaultName": "kv-tls"}
    vault = place | {"location": "swedencentral", "properties": properties}
    cloud.create("azure-native:keyvault:Vault", "vault", vault, subscription_id=subscription)
    certificate = {"value": "MII=", "contentType": "application/x-pkcs12"}
    inputs = place | {"secretName": "contoso", "properties": certificate}
    cloud.create("azure-native:keyvault:Secret", "certificate", inputs, subscription_id=subscription)
    return cloud


def named(*names: str, **more: Any) -> GatewayOptions:
    hostnames = [HostnameOptions(name=name, vault=VAULT, certificate="contoso") for name in names]
    return GatewayOptions(**PUBLISHER, sku=GatewaySku.PREMIUM_V2, hostnames=hostnames, **more)


def test_names_share_a_certificate_that_one_identity_may_read_and_nothing_else() -> None:
    deployed = deploy_component(build(named("ai.contoso.com", "*.contoso.com")), cloud_with_certificate())

    identity, role = deployed.one("UserAssignedIdentity"), deployed.one("RoleAssignment")
    service = deployed.one("ApiManagementService")
    assert service.inputs["hostnameConfigurations"] == [
        {
            "type": "Proxy",
            "hostName": name,
            "keyVaultId": "https://kv-tls.vault.azure.net/secrets/contoso",
            "identityClientId": identity.outputs["clientId"],
        }
        for name in ("ai.contoso.com", "*.contoso.com")
    ]
    assert role.inputs["scope"].endswith("/vaults/kv-tls/secrets/contoso")
    assert role.inputs["principalId"] == identity.outputs["principalId"]
    assert role.inputs["roleDefinitionId"].endswith("4633458b-17de-408a-b874-0445c86b69e6")
    assert {role.name, identity.name} <= deployed.waits_for(service)


def test_the_service_keeps_its_own_identity_for_what_it_calls() -> None:
    deployed = deploy_component(build(named("ai.contoso.com")), cloud_with_certificate())

    service = deployed.one("ApiManagementService")
    assert service.inputs["identity"]["type"] == "SystemAssigned, UserAssigned"
    assert deployed.outputs["principal_id"] == service.outputs["identity"]["principalId"]
    assert deployed.outputs.get("identity_client_id") is None
    assert deployed.outputs["gateway_url"].endswith(".azure-api.net")


def test_the_service_waits_for_a_role_that_has_no_effect_yet(clock: Clock, slept: list[float]) -> None:
    cloud = cloud_with_certificate(Cloud(clock=clock, faults=Faults(role_delay=45.0)))

    deployed = deploy_component(build(named("ai.contoso.com")), cloud)

    assert deployed.one("ApiManagementService").id
    assert 45 <= sum(slept) < 45 + 31


def test_a_service_without_names_waits_for_nothing(clock: Clock, slept: list[float]) -> None:
    cloud = cloud_with_group(Cloud(clock=clock, faults=Faults(role_delay=45.0)))

    deploy_component(build(GatewayOptions(**PUBLISHER)), cloud)

    assert slept == []


def test_a_user_assigned_identity_reads_the_certificate_too() -> None:
    cloud = cloud_with_certificate()
    resource_id = shared_identity(cloud)

    deployed = deploy_component(build(named("ai.contoso.com", identity=resource_id)), cloud)

    assert all(identity.read for identity in deployed.all("UserAssignedIdentity"))
    assert deployed.one("RoleAssignment").inputs["principalId"] == deployed.outputs["principal_id"]


def test_the_vault_of_a_certificate_may_be_in_another_subscription() -> None:
    hub = "11111111-2222-4333-8444-555555555555"
    vault = ExistingResource(name="kv-tls", resource_group=GROUP, subscription_id=hub)
    hostname = HostnameOptions(name="ai.contoso.com", vault=vault, certificate="contoso")
    options = GatewayOptions(**PUBLISHER, hostnames=[hostname])

    deployed = deploy_component(build(options), cloud_with_certificate(subscription=hub))

    assert deployed.one("RoleAssignment").inputs["scope"].startswith(f"/subscriptions/{hub}/")
    assert deployed.one("ApiManagementService").id.startswith(f"/subscriptions/{deployed.cloud.subscription_id}/")


def test_a_vault_of_a_certificate_is_in_the_mode_in_which_roles_count() -> None:
    with pytest.raises(DeployError, match="vault kv-tls uses access policies"):
        deploy_component(build(named("ai.contoso.com")), cloud_with_certificate(rbac=False))


def test_at_preview_the_names_are_known() -> None:
    deployed = deploy_component(build(named("ai.contoso.com")), cloud_with_certificate(), preview=True)

    (name,) = deployed.one("ApiManagementService").inputs["hostnameConfigurations"]
    assert (name["hostName"], name["identityClientId"]) == ("ai.contoso.com", UNKNOWN)


def test_names_and_locations_may_arrive_as_the_component_host_sends_them() -> None:
    sent: Any = {
        "publisher_name": "C",
        "publisher_email": "a@b.example",
        "sku": "Premium",
        "zones": [1.0, 2.0],
        "additional_locations": [{"location": "westeurope", "capacity": 4.0}],
        "hostnames": [
            {
                "name": "ai.contoso.com",
                "vault": {"name": "kv-tls", "resource_group": GROUP},
                "certificate": "contoso",
            }
        ],
    }

    inputs = deploy_component(build(sent), cloud_with_certificate()).one("ApiManagementService").inputs

    assert inputs["zones"] == ["1", "2"]
    assert inputs["sku"]["capacity"] == 2
    assert inputs["additionalLocations"][0]["sku"]["capacity"] == 4
    assert inputs["hostnameConfigurations"][0]["hostName"] == "ai.contoso.com"


def test_outputs_of_a_created_service_are_its_own() -> None:
    deployed = deploy_component(build(GatewayOptions(**PUBLISHER, name="apim-contoso")), cloud_with_group())

    service = deployed.one("ApiManagementService")
    assert deployed.outputs["service_id"] == service.id
    assert deployed.outputs["service_name"] == "apim-contoso"
    assert deployed.outputs["resource_group_name"] == GROUP
    assert deployed.outputs["sku"] == "BasicV2"
    assert deployed.outputs["gateway_url"] == "https://apim-contoso.azure-api.net"
    assert deployed.outputs["principal_id"] == service.outputs["identity"]["principalId"]
    assert deployed.outputs.get("identity_client_id") is None


def test_user_assigned_creates_an_identity_and_attaches_it() -> None:
    deployed = deploy_component(build(GatewayOptions(**PUBLISHER, identity="user-assigned")), cloud_with_group())

    identity = deployed.one("UserAssignedIdentity")
    sent = deployed.one("ApiManagementService").inputs["identity"]
    assert sent == {"type": "UserAssigned", "userAssignedIdentities": {identity.id: {}}}
    assert deployed.outputs["principal_id"] == identity.outputs["principalId"]
    assert deployed.outputs["identity_client_id"] == identity.outputs["clientId"]


def test_an_identity_of_somebody_else_is_attached_and_not_created() -> None:
    cloud = cloud_with_group()
    resource_id = shared_identity(cloud)

    deployed = deploy_component(build(GatewayOptions(**PUBLISHER, identity=resource_id)), cloud)

    sent = deployed.one("ApiManagementService").inputs["identity"]
    assert sent == {"type": "UserAssigned", "userAssignedIdentities": {resource_id: {}}}
    assert [(found.id, found.read) for found in deployed.all("UserAssignedIdentity")] == [(resource_id, True)]
    assert cloud.identity_tenant(deployed.outputs["principal_id"]) == cloud.tenant_id


def test_identities_of_the_apis_join_that_of_the_service() -> None:
    cloud = cloud_with_group()
    resource_id = shared_identity(cloud)
    identities = ["user-assigned", resource_id, "system-assigned"]

    deployed = deploy_component(build(GatewayOptions(**PUBLISHER), identities=identities), cloud)

    sent = deployed.one("ApiManagementService").inputs["identity"]
    assert sent["type"] == "SystemAssigned, UserAssigned"
    assert set(sent["userAssignedIdentities"]) == {
        resource_id,
        deployed.one("UserAssignedIdentity", "gateway-identity").id,
    }
    assert len(set(deployed.outputs["identities"].values())) == 3


@pytest.mark.parametrize("left_out", ["publisher_name", "publisher_email"])
def test_creating_needs_a_publisher(left_out: str) -> None:
    options = GatewayOptions(**{key: value for key, value in PUBLISHER.items() if key != left_out})

    with pytest.raises(DeployError, match=rf"gateway\.{left_out}: is missing; .*, or adopt a service with existing"):
        deploy_component(build(options), cloud_with_group())


def test_an_adopted_service_is_looked_up_and_not_owned() -> None:
    cloud = cloud_with_group()
    existing = shared_service(cloud, {"type": "SystemAssigned"})

    deployed = deploy_component(build(GatewayOptions(existing=existing)), cloud)

    assert [entry.type for entry in deployed.registrations] == ["openai-gateway:index:ApiGateway"]
    assert deployed.outputs["gateway_url"] == "https://apim-shared.azure-api.net"
    assert deployed.outputs["service_name"] == "apim-shared"
    assert deployed.outputs["resource_group_name"] == GROUP
    assert cloud.identity_tenant(deployed.outputs["principal_id"]) == cloud.tenant_id


def test_an_adopted_service_is_used_with_an_identity_that_it_has() -> None:
    cloud = cloud_with_group()
    resource_id = shared_identity(cloud)
    assigned = {"type": "UserAssigned", "userAssignedIdentities": {resource_id: {}}}
    options = GatewayOptions(
        existing=shared_service(cloud, assigned), identity=resource_id.replace("userAssigned", "UserAssigned")
    )

    deployed = deploy_component(build(options), cloud)

    assert cloud.identity_tenant(deployed.outputs["principal_id"]) == cloud.tenant_id
    assert deployed.outputs["identity_client_id"]


@pytest.mark.parametrize(
    ("identity", "message"),
    [
        ("system-assigned", "apim-shared has no system-assigned identity; enable it, or set identity"),
        ("user-assigned", 'gateway.identity: "user-assigned" cannot be created for an adopted service'),
        (
            f"/subscriptions/{Cloud().subscription_id}/resourceGroups/g/providers/Microsoft.ManagedIdentity"
            "/userAssignedIdentities/other",
            "does not have the identity .*/other; it has none; attach it",
        ),
    ],
    ids=["none of its own", "cannot be created", "not attached"],
)
def test_an_adopted_service_without_the_identity_is_refused(identity: str, message: str) -> None:
    cloud = cloud_with_group()
    existing = shared_service(cloud, None)

    with pytest.raises(DeployError, match=message):
        deploy_component(build(GatewayOptions(existing=existing, identity=identity)), cloud)


def test_an_adopted_service_that_does_not_exist_is_refused() -> None:
    existing, cloud = ExistingResource(name="apim-gone", resource_group=GROUP), cloud_with_group()

    with pytest.raises(DeployError, match="apim-gone"):
        deploy_component(build(GatewayOptions(existing=existing)), cloud)

    assert list(cloud.gateways()) == []


@pytest.mark.parametrize("identity", ["system-assigned", "user-assigned"])
def test_at_preview_what_azure_decides_is_unknown(identity: str) -> None:
    deployed = deploy_component(build(GatewayOptions(**PUBLISHER, identity=identity)), preview=True)

    for name in ("service_id", "service_name", "gateway_url", "principal_id"):
        assert deployed.outputs[name] is UNKNOWN, name


def test_options_may_arrive_as_the_component_host_sends_them() -> None:
    sent: Any = {"publisher_name": "C", "publisher_email": "a@b.example", "sku": "StandardV2", "capacity": 2.0}

    deployed = deploy_component(build(sent), cloud_with_group())

    assert deployed.one("ApiManagementService").inputs["sku"] == {"name": "StandardV2", "capacity": 2}
