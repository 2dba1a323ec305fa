"""What the pricing tiers of API Management take, and which names and certificates a service takes."""

from typing import Any

import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import SECRETS_USER, Azure

CLASSIC = ("Developer", "Basic", "Standard", "Premium")
V2 = ("BasicV2", "StandardV2", "PremiumV2")
GATEWAY = "Microsoft.WindowsAzure.ApiManagement.Gateway"
SERVICE = "apimanagement:ApiManagementService"
CERTIFICATE = "https://kv-contoso.vault.azure.net/secrets/api-contoso"


def tier(name: str, capacity: int = 1, **more: Any) -> dict[str, Any]:
    return {"sku": {"name": name, "capacity": 0 if name == "Consumption" else capacity}, **more}


def location(region: str, *, name: str = "Premium", capacity: int = 1, **more: Any) -> dict[str, Any]:
    return {"location": region, "sku": {"name": name, "capacity": capacity}, **more}


def hostname(name: str = "api.contoso.com", kind: str = "Proxy", **more: Any) -> dict[str, Any]:
    return {"hostName": name, "type": kind, "encodedCertificate": "MII=", **more}


def refusal(azure: Azure, **inputs: Any) -> CloudError:
    with pytest.raises(CloudError) as refused:
        azure.service(**inputs)
    return refused.value


@pytest.mark.parametrize("name", CLASSIC)
def test_a_classic_tier_refuses_to_be_told_that_client_certificates_are_off(azure: Azure, name: str) -> None:
    refused = refusal(azure, **tier(name, enableClientCertificate=False))

    assert refused.code == "EnableClientCertificateCannotBeChangedForSku"
    assert refused.message == f"Setting EnableClientCertificate flag to false is not supported for {name} SKU."
    azure.service(**tier(name))


@pytest.mark.parametrize("name", ["Consumption", *V2])
def test_the_other_tiers_let_that_pass(azure: Azure, name: str) -> None:
    azure.service(**tier(name, enableClientCertificate=False))


def test_consumption_names_the_custom_properties_that_it_does_not_take(azure: Azure) -> None:
    triple_des, ssl = f"{GATEWAY}.Security.Ciphers.TripleDes168", f"{GATEWAY}.Security.Protocols.Ssl30"
    taken = {
        f"{GATEWAY}.Security.{protocol}": "false"
        for protocol in ("Protocols.Tls10", "Protocols.Tls11", "Backend.Protocols.Ssl30", "Backend.Protocols.Tls10")
    }

    refused = refusal(azure, **tier("Consumption", customProperties={**taken, triple_des: "false", ssl: "false"}))

    assert refused.message == f"'{triple_des},{ssl}' customProperties are not supported in SkuType Consumption."
    azure.service(**tier("Consumption", customProperties=taken))


@pytest.mark.parametrize("name", [*CLASSIC, *V2])
def test_the_other_tiers_take_all_custom_properties(azure: Azure, name: str) -> None:
    azure.service(**tier(name, customProperties={f"{GATEWAY}.Security.Ciphers.TripleDes168": "false"}))


@pytest.mark.parametrize("name", ["Consumption", "Developer", "Basic", "Standard", "BasicV2"])
def test_zones_are_for_the_tiers_that_have_them(azure: Azure, name: str) -> None:
    refused = refusal(azure, **tier(name, zones=["1"]))

    assert (refused.code, refused.target) == ("NotSupported", "zones")
    assert refused.message == f"Setting up 'AvailabilityZones' is not supported in Sku :'{name}'"


@pytest.mark.parametrize("name", ["Premium", "StandardV2", "PremiumV2"])
def test_units_spread_evenly_over_the_zones(azure: Azure, name: str) -> None:
    assert "use a multiple of 3" in refusal(azure, **tier(name, 2, zones=["1", "2", "3"])).message
    azure.service(**tier(name, 3, zones=["1", "2", "3"]))


def test_a_v2_tier_has_its_zones_from_the_start(azure: Azure) -> None:
    service, _ = azure.service(**tier("PremiumV2", 2))
    azure.change(SERVICE, service, **tier("PremiumV2", 4))

    with pytest.raises(CloudError, match="zone redundancy in an existing instance isn't supported"):
        azure.change(SERVICE, service, zones=["1", "2"])


def test_a_premium_service_gets_its_zones_later_too(azure: Azure) -> None:
    service, _ = azure.service(**tier("Premium", 2))

    assert azure.change(SERVICE, service, zones=["1", "2"])["zones"] == ["1", "2"]


@pytest.mark.parametrize("name", ["Developer", "Standard", "StandardV2", "PremiumV2"])
def test_additional_locations_are_for_premium(azure: Azure, name: str) -> None:
    refused = refusal(azure, **tier(name, additionalLocations=[location("westeurope", name=name)]))

    assert refused.message == f"Setting up 'AdditionalLocations' is not supported in Sku :'{name}'"


def test_an_additional_location_has_a_gateway_with_an_address(azure: Azure) -> None:
    _, outputs = azure.service(**tier("Premium", additionalLocations=[location("West Europe")]))

    (regional,) = outputs["additionalLocations"]
    assert regional["gatewayRegionalUrl"] == "https://apim-westeurope-01.regional.azure-api.net"


@pytest.mark.parametrize(
    ("locations", "message"),
    [
        pytest.param([location("swedencentral")], "is a location of the service already", id="the-first"),
        pytest.param([location("a"), location("A")], "is a location of the service already", id="twice"),
        pytest.param([location("a", name="Developer")], "must be the service's, Premium", id="tier"),
        pytest.param([location("a", capacity=13)], "13 with Premium; it takes 1 to 12", id="units"),
        pytest.param([location("a", zones=["1", "2"])], "use a multiple of 2", id="zones"),
    ],
)
def test_an_additional_location_is_checked_like_the_first(
    azure: Azure, locations: list[dict[str, Any]], message: str
) -> None:
    assert message in refusal(azure, **tier("Premium", additionalLocations=locations)).message


def test_the_first_gateway_can_rest_only_where_there_are_others(azure: Azure) -> None:
    assert "needs additionalLocations" in refusal(azure, **tier("Premium", disableGateway=True)).message
    azure.service(**tier("Premium", disableGateway=True, additionalLocations=[location("westeurope")]))


@pytest.mark.parametrize("name", ["Consumption", *CLASSIC, *V2])
def test_what_the_sdk_says_unasked_is_let_pass_where_no_source_says_otherwise(azure: Azure, name: str) -> None:
    defaults: dict[str, Any] = {
        "developerPortalStatus": "Enabled",
        "disableGateway": False,
        "legacyPortalStatus": "Enabled",
        "natGatewayState": "Disabled",
        "restore": False,
        "virtualNetworkType": "None",
    }

    azure.service(**tier(name, **defaults))


def test_nat_gateways_are_for_the_classic_tiers(azure: Azure) -> None:
    assert "not available in PremiumV2" in refusal(azure, **tier("PremiumV2", natGatewayState="Enabled")).message


def test_premium_v2_takes_up_to_thirty_units(azure: Azure) -> None:
    assert "31 with PremiumV2; it takes 1 to 30" in refusal(azure, **tier("PremiumV2", 31)).message
    azure.service(**tier("PremiumV2", 30))


@pytest.mark.parametrize(
    ("name", "hostnames", "message"),
    [
        pytest.param("Basic", [hostname(), hostname("b.contoso.com")], "2 custom hostnames", id="several"),
        pytest.param("StandardV2", [hostname(), hostname("b.contoso.com")], "2 custom hostnames", id="several-v2"),
        pytest.param("Consumption", [hostname(kind="DeveloperPortal")], "not available", id="portal-in-consumption"),
        pytest.param("BasicV2", [hostname(kind="Management")], "not available", id="management-in-v2"),
        pytest.param("Consumption", [hostname("*.contoso.com")], "no wildcard", id="wildcard-in-consumption"),
        pytest.param("BasicV2", [hostname("*.contoso.com")], "no wildcard", id="wildcard-in-basic-v2"),
        pytest.param("Premium", [{"hostName": "a.b", "type": "Proxy"}], "has no certificate", id="no-certificate"),
    ],
)
def test_custom_names_are_checked_by_tier(
    azure: Azure, name: str, hostnames: list[dict[str, Any]], message: str
) -> None:
    assert message in refusal(azure, **tier(name, hostnameConfigurations=hostnames)).message


def test_the_name_in_azure_api_net_stays_beside_custom_ones(azure: Azure) -> None:
    names = [hostname(), hostname("b.contoso.com", certificatePassword="p4ss")]

    _, outputs = azure.service(**tier("PremiumV2", hostnameConfigurations=names))

    found = outputs["hostnameConfigurations"]
    assert [entry["hostName"] for entry in found] == ["apim.azure-api.net", "api.contoso.com", "b.contoso.com"]
    assert "p4ss" not in str(found)
    assert "MII=" not in str(found)


@pytest.fixture
def reader(azure: Azure) -> dict[str, Any]:
    """A user-assigned identity, beside a vault with a certificate that nobody may read yet."""
    azure.vault()
    azure.secret(secretName="api-contoso", properties={"value": "MII=", "contentType": "application/x-pkcs12"})
    identity_id, outputs = azure.identity()
    return {"id": identity_id, **outputs}


def with_certificate(reader: dict[str, Any], **more: Any) -> dict[str, Any]:
    name = {"hostName": "api.contoso.com", "type": "Proxy", "keyVaultId": CERTIFICATE}
    return {
        "hostnameConfigurations": [{**name, "identityClientId": reader["clientId"], **more}],
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {reader["id"]: {}}},
    }


def test_a_certificate_is_fetched_with_an_identity_that_may_read_it(azure: Azure, reader: dict[str, Any]) -> None:
    refused = refusal(azure, **with_certificate(reader))

    assert refused.code == "InvalidOperation"
    assert refused.message.startswith(f"Failed to access KeyVault Secret {CERTIFICATE} using Managed Service Identity")
    assert f"ObjectId: {reader['principalId']} has GET permissions on secrets" in refused.message
    azure.role(
        reader["principalId"], f"{azure.group_id()}/providers/Microsoft.KeyVault/vaults/kv-contoso", SECRETS_USER
    )
    azure.service(**with_certificate(reader))


def test_a_new_service_s_own_identity_cannot_have_the_role_yet(azure: Azure, reader: dict[str, Any]) -> None:
    own = {"identity": {"type": "SystemAssigned"}}

    refused = refusal(azure, **with_certificate(reader, identityClientId=None) | own)

    assert "Identity of Type: SystemAssigned" in refused.message


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        pytest.param({"identityClientId": None}, "InvalidOperation", "type: System Assigned which is", id="own"),
        pytest.param({"identityClientId": "someone"}, "InvalidOperation", "type: User Assigned which is", id="other"),
        pytest.param(
            {"keyVaultId": CERTIFICATE.replace("secrets", "certificates")},
            "ValidationError",
            "only accepts KeyVault Secrets type",
            id="not-as-a-secret",
        ),
        pytest.param({"keyVaultId": f"{CERTIFICATE}s"}, "ResourceNotFound", "api-contosos", id="unknown"),
    ],
)
def test_a_certificate_that_cannot_be_fetched_is_refused(
    azure: Azure, reader: dict[str, Any], more: dict[str, Any], code: str, message: str
) -> None:
    refused = refusal(azure, **with_certificate(reader, **more))

    assert refused.code == code
    assert message in refused.message


def test_a_secret_that_is_no_certificate_is_refused(azure: Azure, reader: dict[str, Any]) -> None:
    secret_id, _ = azure.secret()
    azure.role(reader["principalId"], secret_id, SECRETS_USER)

    refused = refusal(azure, **with_certificate(reader, keyVaultId=CERTIFICATE.replace("api-contoso", "openai-key")))

    assert "is no certificate" in refused.message
