"""The components as a program in another language gets them: every value over gRPC."""

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from pulumi.runtime import rpc

from apim_emulator.azure import Cloud
from apim_emulator.pulumi.property_values import is_secret, plain
from definitions import without_server
from tests.components.conftest import GROUP, SERVICE, Azure
from tests.host import Host, RefusedError, output, running_host

DEPLOYMENT = {"name": "gpt-4o", "model": "gpt-4o", "version": "2024-11-20", "capacity": 10.0}
GATEWAY = {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com"}


pytestmark = pytest.mark.slow  # a process of its own


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with running_host(tmp_path_factory.mktemp("consumer")) as host:
        yield host


def api_inputs(azure: Azure, **more: Any) -> dict[str, Any]:
    """Inputs that all API components share: what other resources give is an Output, what the user writes is not."""
    account = azure.account("oai-a")
    return {
        "resourceGroupName": output(GROUP),
        "serviceName": output(SERVICE),
        "path": "team/openai",
        "backendId": output("openai-backend"),
        "accounts": [{"key": "a", "id": output(account.id), "url": output(account.url), "priority": 1.0}],
        "principalId": output(azure.principal_id),
        **more,
    }


def policy(text: str) -> ET.Element:
    return ET.fromstring(text)


def test_a_gateway_is_created(host: Host, azure: Azure) -> None:
    gateway = {**GATEWAY, "sku": "StandardV2", "capacity": 2.0, "tags": {"environment": "test"}}

    made = host.construct(
        "ApiGateway", "gateway", {"resourceGroupName": output(GROUP), "gateway": gateway}, azure.cloud
    )

    inputs = made.one("ApiManagementService").inputs
    assert inputs["sku"] == {"name": "StandardV2", "capacity": 2}
    assert inputs["tags"] == {"environment": "test"}
    assert inputs["resourceGroupName"] == GROUP
    assert set(made.wire) == {"serviceId", "serviceName", "resourceGroupName", "sku", "gatewayUrl", "principalId"}
    assert made.wire["sku"] == "StandardV2"
    assert made.wire["gatewayUrl"] == f"https://{made.wire['serviceName']}.azure-api.net"


def test_what_is_left_out_or_null_has_its_default(host: Host, azure: Azure) -> None:
    left_out = host.construct("ApiGateway", "a", {"resourceGroupName": GROUP, "gateway": GATEWAY}, azure.cloud)
    nulls = {**GATEWAY, "sku": None, "capacity": None, "identity": None, "tags": None, "existing": None}
    null = host.construct("ApiGateway", "b", {"resourceGroupName": GROUP, "gateway": nulls}, azure.cloud)

    for made in (left_out, null):
        inputs = made.one("ApiManagementService").inputs
        assert inputs["sku"] == {"name": "BasicV2", "capacity": 1}
        assert inputs["identity"] == {"type": "SystemAssigned"}
        assert "tags" not in inputs


def test_an_api_of_a_service_in_another_subscription_is_created_there(host: Host, azure: Azure) -> None:
    hub = "11111111-2222-4333-8444-555555555555"
    azure.cloud.add_subscription(hub)
    place = {"resourceGroupName": "rg-hub", "location": "swedencentral"}
    for token, inputs in (
        ("resources:ResourceGroup", {}),
        (
            "apimanagement:ApiManagementService",
            {"serviceName": "apim-hub", "sku": {"name": "StandardV2", "capacity": 1}}
            | {"publisherName": "Hub", "publisherEmail": "hub@example.com", "identity": {"type": "SystemAssigned"}},
        ),
    ):
        azure.cloud.create(f"azure-native:{token}", "hub", {**place, **inputs}, subscription_id=hub)
    existing = {"name": "apim-hub", "resourceGroup": "rg-hub", "subscriptionId": hub}

    gateway = host.construct(
        "ApiGateway", "hub", {"resourceGroupName": GROUP, "gateway": {"existing": existing}}, azure.cloud
    )
    inputs = api_inputs(azure, resourceGroupName="rg-hub", serviceName="apim-hub", subscriptionId=hub)
    api = host.construct("KeyAuthApi", "chat", inputs, azure.cloud)

    assert gateway.wire["serviceId"].startswith(f"/subscriptions/{hub}/")
    assert {api.one(name).id.split("/")[2] for name in ("Api", "ApiPolicy", "NamedValue", "Subscription")} == {hub}


def test_a_pool_of_accounts_is_created(host: Host, azure: Azure) -> None:
    made = host.construct(
        "OpenAIBackend",
        "pool",
        {
            "resourceGroupName": output(GROUP),
            "gatewayResourceGroupName": output(GROUP),
            "serviceName": output(SERVICE),
            "openai": {
                "accounts": [
                    {"location": "swedencentral", "priority": 1.0},
                    {"location": "francecentral", "priority": 2.0, "weight": 50.0},
                ],
                "deployments": [{**DEPLOYMENT, "versionUpgrade": "NoAutoUpgrade"}],
            },
            "users": {"gateway": output(azure.principal_id)},
        },
        azure.cloud,
    )

    assert {entry.inputs["location"] for entry in made.all("Account")} == {"swedencentral", "francecentral"}
    assert [entry.inputs["sku"] for entry in made.all("Deployment")] == [{"name": "GlobalStandard", "capacity": 10}] * 2
    assert made.all("Deployment")[0].inputs["properties"]["versionUpgradeOption"] == "NoAutoUpgrade"
    pool = [entry.inputs["pool"] for entry in made.all("Backend") if "pool" in entry.inputs]
    assert [member["priority"] for member in pool[0]["services"]] == [1, 2]
    assert {entry.inputs["principalId"] for entry in made.all("RoleAssignment")} == {azure.principal_id}
    assert made.wire["backendId"] == "pool-pool"
    assert [len(made.wire[name]) for name in ("accountIds", "urls", "roleAssignmentIds")] == [2, 2, 2]


def test_a_key_api_keeps_its_keys_secret(host: Host, azure: Azure) -> None:
    key = {"source": "key-vault", "delivery": "header", "vault": {"name": "kv-team"}}

    made = host.construct("KeyAuthApi", "chat", api_inputs(azure, key=key), azure.cloud)

    assert made.one("Vault").inputs["vaultName"] == "kv-team"
    assert made.one("Secret").secret_inputs == {"properties"}
    document = policy(made.one("ApiPolicy").inputs["value"])
    assert document.findtext("inbound/set-header[@name='api-key'][@exists-action='override']/value")
    assert is_secret(made.wire["subscriptionKey"])


def test_the_package_is_asked_whether_to_try_a_refused_named_value_again(host: Host, azure: Azure) -> None:
    azure.create("apimanagement:NamedValue", {"serviceName": SERVICE, "displayName": "chat-api-key", "value": "taken"})

    with pytest.raises(RefusedError, match="already exists"):
        host.construct("KeyAuthApi", "chat", api_inputs(azure, key={"source": "key-vault"}), azure.cloud)


def test_a_managed_identity_gets_its_role_unless_it_has_one(host: Host, azure: Azure) -> None:
    inputs = api_inputs(azure)
    granted = host.construct("ManagedIdentityApi", "chat", inputs, azure.cloud)
    roles = output([granted.one("RoleAssignment").id])
    given = host.construct(
        "ManagedIdentityApi", "embed", {**inputs, "path": "embed/openai", "roleAssignmentIds": roles}, azure.cloud
    )

    assert granted.one("RoleAssignment").inputs["principalId"] == azure.principal_id
    assert given.all("RoleAssignment") == []
    for made in (granted, given):
        assert policy(made.one("ApiPolicy").inputs["value"]).find("inbound/authentication-managed-identity") is not None
        assert is_secret(made.wire["subscriptionKey"])


def test_an_entra_api_demands_what_it_was_told(host: Host, azure: Azure) -> None:
    entra = {
        "roles": ["Chat.User"],
        "scopes": ["access_as_user"],
        "clientApplicationIds": ["11111111-1111-4111-8111-111111111111"],
        "requiredClaims": {"department": {"values": ["research", "legal"], "match": "any"}},
        "assignmentRequired": True,
    }

    made = host.construct("EntraProtectedApi", "chat", api_inputs(azure, entra=entra), azure.cloud)

    document = policy(made.one("ApiPolicy").inputs["value"])
    claims = document.findall("inbound/validate-azure-ad-token/required-claims/claim")
    assert {claim.get("name"): [value.text for value in claim] for claim in claims} == {
        "department": ["research", "legal"],
    }
    assert [claim.get("match") for claim in claims] == ["any"]
    refused = document.find("inbound/choose/when")
    assert refused is not None
    assert [text in refused.attrib["condition"] for text in ('"Chat.User"', '"access_as_user"')] == [True, True]
    assert made.one("ServicePrincipal").inputs["appRoleAssignmentRequired"] is True
    assert made.wire["clientId"] == made.wire["audience"]
    assert "subscriptionKey" not in made.wire


def test_a_team_gets_keys_for_apis_and_a_role_of_them(host: Host, azure: Azure) -> None:
    entra = {"roles": ["Chat.User"]}
    api = host.construct(
        "EntraProtectedApi", "chat", api_inputs(azure, entra=entra, subscriptionRequired=True), azure.cloud
    )
    known: dict[str, Any] = {
        "name": "chat",
        "id": output(plain(api.wire["apiId"])),
        "surface": "dated",
        "models": [{"name": "fast", "deployment": "small"}],
        "roles": ["Chat.User"],
        "servicePrincipalId": output(plain(api.wire["servicePrincipalId"])),
    }
    inputs = {
        "resourceGroupName": output(GROUP),
        "serviceName": output(SERVICE),
        "apis": [known],
        "limits": [{"per": "product", "tokensPerMinute": 1000.0}],
        "subscriptions": ["app"],
        "principals": [azure.group()],
        "keys": {"vault": True},
        "owners": [{"id": azure.cloud.add_user("ada@contoso.com").object_id, "type": "User"}],
    }

    made = host.construct("Team", "research", inputs, azure.cloud)

    assert is_secret(made.wire["primaryKeys"])
    assert is_secret(made.wire["secondaryKeys"])
    assert set(plain(made.wire["primaryKeys"])) == {"app"}
    assert set(plain(made.wire["keySecrets"])) == {"app-primary", "app-secondary"}
    assert made.one("ProductApiLink").inputs["apiId"] == known["id"]["value"]
    assert made.one("AppRoleAssignment").inputs["resourceObjectId"] == known["servicePrincipalId"]["value"]
    assert len(made.all("RoleAssignment")) == 2


def test_a_client_gets_a_key_by_names(host: Host, azure: Azure) -> None:
    azure.create("apimanagement:Api", {"serviceName": SERVICE, "apiId": "a", "path": "a/openai", "displayName": "a"})
    product = {"productId": "p", "displayName": "p", "state": "published"}
    azure.create("apimanagement:Product", {"serviceName": SERVICE, **product})
    inputs = {"resourceGroupName": GROUP, "serviceName": SERVICE, "api": "a", "product": "p"}

    made = host.construct("ApiClient", "assistant", inputs, azure.cloud)

    assert plain(made.wire["endpoint"]).endswith("/a/openai")
    assert is_secret(made.wire["primaryKey"])
    assert is_secret(made.wire["secondaryKey"])


def test_another_providers_tokens_are_demanded(host: Host, azure: Azure) -> None:
    jwt = {
        "openidConfigUrls": ["https://login.contoso.com/.well-known/openid-configuration"],
        "audiences": ["https://ai.contoso.com"],
        "backendAuth": "key",
    }

    made = host.construct("EntraProtectedApi", "chat", api_inputs(azure, jwt=jwt), azure.cloud)

    document = policy(made.one("ApiPolicy").inputs["value"])
    assert document.findtext("inbound/validate-jwt/audiences/audience") == "https://ai.contoso.com"
    assert made.all("Application") == []
    assert made.one("NamedValue").inputs["secret"] is True


def test_a_secret_input_stays_secret(host: Host, azure: Azure) -> None:
    name = output("Team chat", secret=True)

    made = host.construct("ManagedIdentityApi", "chat", api_inputs(azure, displayName=name), azure.cloud)

    assert made.one("Api").secret_inputs == {"displayName", "value"}  # the definition's title
    assert made.one("Api").inputs["displayName"] == "Team chat"


@pytest.mark.parametrize(
    ("component", "inputs"),
    [
        pytest.param("ManagedIdentityApi", {}, id="managed-identity"),
        pytest.param("KeyAuthApi", {"key": {"source": "named-value"}}, id="key"),
        pytest.param("EntraProtectedApi", {"entra": {"roles": ["Chat.User"]}}, id="entra"),
    ],
)
def test_a_preview_takes_outputs_that_are_not_known_yet(
    host: Host, azure: Azure, component: str, inputs: dict[str, Any]
) -> None:
    unknown = {
        "resourceGroupName": output(),
        "serviceName": output(),
        "backendId": output(),
        "principalId": output(),
        "accounts": [{"key": "a", "id": output(), "url": output()}],
    }

    made = host.construct(component, "chat", api_inputs(azure, **unknown, **inputs), azure.cloud, preview=True)

    assert plain(made.one("ApiPolicy").inputs)["format"] == "xml"
    assert made.wire["apiId"] == rpc.UNKNOWN


ENTRA = {"roles": ["Chat.User"]}
REFUSED = [
    pytest.param(
        {"entra": output(ENTRA)}, "entra is an Output or a secret, but must be known", id="options-as-an-output"
    ),
    pytest.param(
        {"entra": output(ENTRA, secret=True)}, "entra is an Output or a secret, but must be known", id="secret-options"
    ),
    pytest.param(
        {"entra": {rpc._special_sig_key: rpc._special_secret_sig, "value": ENTRA}},
        "entra is an Output or a secret, but must be known",
        id="options-marked-secret",
    ),
    pytest.param({"entra": {"roles": output(["Chat.User"])}}, "entra.roles is an Output", id="a-list-as-an-output"),
    pytest.param({"entra": {"roles": [output("Chat.User")]}}, r"entra\.roles\[0\] is an Output", id="an-item"),
    pytest.param(
        {"entra": {"requiredClaims": {"groups": output({"values": ["a"]})}}},
        r"entra\.requiredClaims\.groups is an Output",
        id="an-entry",
    ),
    pytest.param(
        {"entra": ENTRA, "subscriptionRequired": output(True)}, "subscriptionRequired is an Output", id="flag"
    ),
    pytest.param(
        {"entra": ENTRA, "subscripitonRequired": True},
        "subscripitonRequired is not a known property; allowed: resourceGroupName, ",
        id="unknown-input",
    ),
    pytest.param(
        {"entra": {"rolles": ["Chat.User"]}},
        r"entra\.rolles is not a known property; allowed: .*roles",
        id="unknown-option",
    ),
    pytest.param({"entra": "Chat.User"}, "entra is given where an object is expected", id="text-for-options"),
    pytest.param({"entra": ENTRA, "accounts": ["a"]}, r"accounts\[0\] is given where", id="text-for-an-account"),
    pytest.param({"entra": ENTRA, "accounts": output([])}, "accounts is an Output", id="accounts-as-an-output"),
    pytest.param(
        {"entra": ENTRA, "path": "/openai", "apiVersion": "2024-10-22"},
        r'^path: "/openai" is not valid; .*\napi_version: "2024-10-22" is not a stable version; .* did you mean',
        id="rules-of-an-api",
    ),
    pytest.param({"entra": ENTRA, "path": None}, "Missing required input 'path'", id="missing-input"),
    pytest.param({"entra": {"backendAuth": "password"}}, "Invalid value password", id="unknown-choice"),
    pytest.param(
        {"entra": {"roles": "Chat.User"}}, r"^entra\.roles: Input should be a valid list$", id="text-for-a-list"
    ),
    pytest.param(
        {"entra": ENTRA, "jwt": {"openidConfigUrls": ["https://a.example"], "audiences": ["a"]}},
        "^exactly one of entra, jwt and identity_providers is required",
        id="rule-of-the-component",
    ),
    pytest.param(
        {"entra": {"requiredClaims": {"groups": {"values": []}}}}, "at least one value", id="rule-of-an-option"
    ),
    pytest.param(
        {"entra": ENTRA, "accounts": [{"key": "a", "id": "i", "url": "u", "weight": 1.5}]},
        "whole number",
        id="fraction",
    ),
]


@pytest.mark.parametrize(("inputs", "message"), REFUSED)
def test_inputs_that_cannot_be_honoured_are_refused(
    host: Host, azure: Azure, inputs: dict[str, Any], message: str
) -> None:
    inputs = api_inputs(azure, **inputs)

    with pytest.raises(RefusedError, match=message) as refused:
        host.construct("EntraProtectedApi", "chat", inputs, azure.cloud)

    assert "Traceback" not in str(refused.value)


def test_policies_of_ones_own_stand_in_the_document(host: Host, azure: Azure) -> None:
    own = {"inbound": '<set-header name="X-Team"><value>@("a" + "b")</value></set-header>', "onError": "<trace />"}

    made = host.construct("KeyAuthApi", "chat", api_inputs(azure, policy=own), azure.cloud)

    rendered = policy(made.one("ApiPolicy").inputs["value"])
    assert rendered.findtext("inbound/set-header[@name='X-Team']/value") == '@("a" + "b")'
    assert rendered.find("on-error/trace") is not None


@pytest.mark.parametrize(
    ("own", "message"),
    [
        pytest.param({"inbound": "<base />"}, r"policy.inbound: line 1, column 1: base runs the parent's", id="base"),
        pytest.param({"onError": "<x"}, r"policy.on_?[eE]rror: line 1, column 3: is not well-formed", id="markup"),
        pytest.param({"inbond": "<trace />"}, r"policy.inbond is not a known property; allowed: inbound", id="section"),
    ],
)
def test_mistakes_in_policies_of_ones_own_are_refused(
    host: Host, azure: Azure, own: dict[str, str], message: str
) -> None:
    with pytest.raises(RefusedError, match=message) as refused:
        host.construct("ManagedIdentityApi", "chat", api_inputs(azure, policy=own), azure.cloud)

    assert "Traceback" not in str(refused.value)


def test_a_definition_is_refused_and_imported_as_in_python(host: Host, azure: Azure) -> None:
    dated = '{"openapi": "3.0.0", "paths": {"/models": {"get": {"responses": {}}}}}'

    inputs = api_inputs(azure)
    made = host.construct("KeyAuthApi", "chat", {**inputs, "definition": output(dated)}, azure.cloud)
    with pytest.raises(RefusedError, match=r"definition: is not JSON: line 1, column 2: expecting property name"):
        host.construct("KeyAuthApi", "other", {**inputs, "definition": "{x"}, azure.cloud)

    assert made.one("Api").inputs["value"] == without_server(dated, title="chat")


def test_a_gateway_refuses_a_fraction_for_a_whole_number(host: Host) -> None:
    inputs = {"resourceGroupName": GROUP, "gateway": {**GATEWAY, "capacity": 1.5}}

    with pytest.raises(RefusedError, match=r"^gateway.capacity is 1.5, but must be a whole number"):
        host.construct("ApiGateway", "gateway", inputs, Cloud())
