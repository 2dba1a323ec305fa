import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2

from apim_emulator.azure import Cloud
from apim_emulator.azure.faults import Faults
from apim_emulator.pulumi.naming import CREATE_BEFORE_DELETE
from apim_emulator.pulumi.property_values import UNKNOWN, is_secret, plain
from emulator.tests.pulumi.client import (
    ACCOUNT,
    APPLICATION,
    APPLICATION_PASSWORD,
    GATEWAY,
    GROUP,
    NAMED_VALUE,
    OPENAI,
    PASSWORD,
    SECRET_VALUE,
    SERVICE,
    STRING,
    VAULT,
    VAULT_SECRET,
    Client,
    secret,
    served,
    urn,
)

KEY = {
    "resourceGroupName": "rg",
    "serviceName": "apim",
    "namedValueId": "key",
    "displayName": "key",
    "secret": True,
    "value": secret(SECRET_VALUE),
}
PropertyDiff = provider_pb2.PropertyDiff


@pytest.fixture
def gateway(client: Client) -> str:
    """API Management service `apim`."""
    client.group()
    return client.create(SERVICE, GATEWAY)[0]


def test_a_resource_is_created_with_what_the_service_adds(client: Client, cloud: Cloud) -> None:
    client.group()

    resource_id, outputs = client.create(ACCOUNT, OPENAI)

    assert resource_id.endswith("/providers/Microsoft.CognitiveServices/accounts/oai")
    assert outputs["properties"]["endpoint"] == "https://oai.openai.azure.com/"
    assert outputs["name"] == "oai"
    assert "accountName" not in outputs
    assert cloud.read(ACCOUNT, resource_id) == plain(outputs)


def test_a_refused_creation_says_why_and_creates_nothing(client: Client) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        client.create(ACCOUNT, OPENAI)

    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "ResourceGroupNotFound" in refused.value.details()


def test_a_refusal_does_not_tell_a_secret(client: Client) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        client.create(ACCOUNT, OPENAI | {"resourceGroupName": secret(SECRET_VALUE)})

    assert SECRET_VALUE not in refused.value.details()
    assert "[secret]" in refused.value.details()


def test_a_bug_is_told_by_its_place_alone(client: Client, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise KeyError(SECRET_VALUE)

    monkeypatch.setattr(cloud, "create", broken)

    with pytest.raises(grpc.RpcError) as refused:
        client.group()

    assert refused.value.code() is grpc.StatusCode.INTERNAL
    assert "KeyError at test_resources.py:" in refused.value.details()
    assert SECRET_VALUE not in refused.value.details()


def test_an_unknown_input_is_refused_outside_a_preview(client: Client) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        client.create(GROUP, {"resourceGroupName": UNKNOWN, "location": "x"})

    assert "unknown" in refused.value.details()


def test_a_creation_whose_answer_was_lost_is_answered_again(client: Client, cloud: Cloud) -> None:
    client.group()
    first, _ = cloud.create(ACCOUNT, "thing", OPENAI, owner=urn(ACCOUNT, "thing"), adopt=True)  # and then it was killed

    assert client.create(ACCOUNT, OPENAI)[0] == first
    assert len(cloud.accounts()) == 1


def test_a_replacement_that_is_the_same_is_another_resource(client: Client, cloud: Cloud) -> None:
    before = cloud.version
    first, _ = client.create(APPLICATION, {"displayName": "api"})
    while cloud.version < before + 2:  # made, and answered
        pass

    second, _ = client.create(APPLICATION, {"displayName": "api"})

    assert cloud.owned_by(urn(APPLICATION, "thing")) == [first, second]


@pytest.mark.parametrize(
    ("throttled", "message"),
    [pytest.param(3, "", id="for a while"), pytest.param(4, "TooManyRequests", id="for too long")],
)
def test_a_throttled_change_is_made_again(throttled: int, message: str) -> None:
    cloud = Cloud(faults=Faults(throttle={GROUP: throttled}, time_scale=0.0))
    with served(cloud) as client:
        if message:
            with pytest.raises(grpc.RpcError) as refused:
                client.group()
            assert message in refused.value.details()
        else:
            assert client.group()


def test_a_cancelled_provider_does_not_wait_for_azure() -> None:
    with served(Cloud(faults=Faults(throttle={GROUP: 1}))) as client, ThreadPoolExecutor(1) as engine:
        waiting = engine.submit(client.group)
        while not waiting.running():
            pass
        client.stub.Cancel(empty_pb2.Empty())

        with pytest.raises(grpc.RpcError):
            waiting.result(5.0)


def test_another_resource_s_name_is_taken(client: Client) -> None:
    client.group()
    client.create(ACCOUNT, OPENAI, name="mine")

    with pytest.raises(grpc.RpcError) as refused:
        client.create(ACCOUNT, OPENAI, name="yours")

    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION


def test_a_preview_creates_nothing_and_knows_what_is_asked_for(client: Client, cloud: Cloud) -> None:
    resource_id, outputs = client.create(ACCOUNT, OPENAI, preview=True)
    outputs = plain(outputs)

    assert resource_id == ""
    assert not cloud.accounts()
    assert outputs["kind"] == "OpenAI"
    assert outputs["properties"]["customSubDomainName"] == "oai"
    assert outputs["properties"]["endpoint"] is UNKNOWN
    assert outputs["name"] is UNKNOWN
    assert "resourceGroupName" not in outputs


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        pytest.param(
            {"type": "SystemAssigned"},
            {
                "type": "SystemAssigned",
                "principalId": UNKNOWN,
                "tenantId": UNKNOWN,
                "userAssignedIdentities": UNKNOWN,
            },
            id="object",
        ),
        pytest.param(
            {"type": "UserAssigned", "userAssignedIdentities": {"/id": {}}},
            {
                "type": "UserAssigned",
                "principalId": UNKNOWN,
                "tenantId": UNKNOWN,
                "userAssignedIdentities": {"/id": {"principalId": UNKNOWN, "clientId": UNKNOWN}},
            },
            id="objects by key",
        ),
        pytest.param(UNKNOWN, UNKNOWN, id="unknown"),
    ],
)
def test_a_preview_leaves_unknown_what_the_service_adds_inside(client: Client, identity: Any, expected: Any) -> None:
    _, outputs = client.create(SERVICE, GATEWAY | {"identity": identity}, preview=True)

    assert plain(outputs)["identity"] == expected


def test_a_preview_completes_the_items_of_a_list(client: Client) -> None:
    _, outputs = client.create(SERVICE, GATEWAY | {"additionalLocations": [{"location": "x"}]}, preview=True)

    (location,) = plain(outputs)["additionalLocations"]
    assert location["location"] == "x"
    assert location["gatewayRegionalUrl"] is UNKNOWN


def test_a_list_that_comes_back_as_a_map_is_unknown_at_preview(client: Client) -> None:
    identity = {"type": "UserAssigned", "userAssignedIdentities": ["/id"]}
    _, outputs = client.create(ACCOUNT, OPENAI | {"identity": identity}, preview=True)

    assert plain(outputs)["identity"]["userAssignedIdentities"] is UNKNOWN


def test_a_secret_stays_a_secret_at_preview(client: Client) -> None:
    _, outputs = client.create(NAMED_VALUE, KEY, preview=True)

    assert outputs["value"] == secret(SECRET_VALUE)


def test_a_secret_is_not_returned_by_what_keeps_it(client: Client, gateway: str) -> None:
    _, outputs = client.create(NAMED_VALUE, KEY)

    assert SECRET_VALUE not in json.dumps(outputs)


@pytest.mark.parametrize(
    "tags",
    [
        pytest.param({"a": secret(SECRET_VALUE), "b": "c"}, id="inside"),
        pytest.param(secret({"a": SECRET_VALUE, "b": "c"}), id="whole"),
        pytest.param({"a": SECRET_VALUE, "b": secret(SECRET_VALUE)}, id="elsewhere"),
    ],
)
def test_a_secret_input_is_a_secret_output(client: Client, tags: Any) -> None:
    _, outputs = client.create(GROUP, {"resourceGroupName": "rg", "location": "x", "tags": tags})

    assert is_secret(outputs["tags"])
    assert plain(outputs)["tags"]["a"] == SECRET_VALUE
    assert SECRET_VALUE not in json.dumps(_without_secrets(outputs))


def test_a_secret_inside_a_list_makes_the_list_a_secret(client: Client) -> None:
    inputs = GATEWAY | {"sku": {"name": "Premium", "capacity": 2}, "zones": [secret("zone-1"), "zone-2"]}
    client.group()

    _, outputs = client.create(SERVICE, inputs)

    assert outputs["zones"] == secret(["zone-1", "zone-2"])


def test_what_the_service_makes_of_a_secret_is_a_secret(client: Client) -> None:
    client.group()

    _, outputs = client.create(ACCOUNT, OPENAI | {"accountName": secret("secret-name")})

    assert outputs["name"] == secret("secret-name")


@pytest.mark.parametrize(
    ("token", "inputs", "name"),
    [
        pytest.param(PASSWORD, {"length": 20}, "result", id="password"),
        pytest.param(APPLICATION_PASSWORD, {"applicationId": None}, "value", id="client secret"),
    ],
)
def test_a_generated_secret_is_marked(
    client: Client, cloud: Cloud, token: str, inputs: dict[str, Any], name: str
) -> None:
    if "applicationId" in inputs:
        owned = {"displayName": "app", "owners": [cloud.deployer_object_id]}
        inputs = {"applicationId": client.create(APPLICATION, owned)[0]}

    _, outputs = client.create(token, inputs)

    assert is_secret(outputs[name])


def test_a_resource_changes_in_place(client: Client, cloud: Cloud) -> None:
    client.group()
    resource_id, outputs = client.create(ACCOUNT, OPENAI)
    new = OPENAI | {"properties": {"customSubDomainName": "oai", "disableLocalAuth": True}}

    changed = client.update(ACCOUNT, resource_id, OPENAI, new, outputs)

    assert changed["properties"]["disableLocalAuth"] is True
    assert cloud.read(ACCOUNT, resource_id)["properties"]["disableLocalAuth"] is True


def test_the_preview_of_a_change_keeps_names_and_changes_nothing(client: Client, cloud: Cloud) -> None:
    client.group()
    resource_id, outputs = client.create(ACCOUNT, OPENAI)
    new = OPENAI | {"properties": {"customSubDomainName": "oai", "disableLocalAuth": True}}

    planned = plain(client.update(ACCOUNT, resource_id, OPENAI, new, outputs, preview=True))

    assert planned["name"] == "oai"
    assert planned["location"] == "swedencentral"
    assert planned["properties"]["disableLocalAuth"] is True
    assert planned["properties"]["endpoint"] is UNKNOWN
    assert cloud.read(ACCOUNT, resource_id)["properties"]["disableLocalAuth"] is False


def test_the_preview_of_a_change_keeps_what_a_bridged_provider_leaves(client: Client) -> None:
    resource_id, outputs = client.create(APPLICATION, {"displayName": "old"})

    planned = client.update(
        APPLICATION, resource_id, {"displayName": "old"}, {"displayName": "new"}, outputs, preview=True
    )

    assert planned["displayName"] == "new"
    assert planned["clientId"] == outputs["clientId"]


@pytest.mark.parametrize(
    ("new", "kinds"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"tags": {"a": "b"}}, {"tags.a": PropertyDiff.ADD}, id="added"),
        pytest.param({"tags": {"a.b": "c"}}, {'tags["a.b"]': PropertyDiff.ADD}, id="quoted"),
        pytest.param(
            {"properties": {"customSubDomainName": "oai"}},
            {"properties.disableLocalAuth": PropertyDiff.DELETE},
            id="left out",
        ),
        pytest.param(
            {"properties": {"customSubDomainName": "oai", "disableLocalAuth": True}},
            {"properties.disableLocalAuth": PropertyDiff.UPDATE},
            id="nested",
        ),
        pytest.param({"sku": {"name": UNKNOWN}}, {"sku.name": PropertyDiff.UPDATE}, id="unknown"),
        pytest.param({"accountName": "other"}, {"accountName": PropertyDiff.UPDATE_REPLACE}, id="name"),
        pytest.param({"location": "francecentral"}, {"location": PropertyDiff.UPDATE_REPLACE}, id="location"),
        pytest.param({"location": "Sweden Central"}, {}, id="same location"),
        pytest.param({"location": UNKNOWN}, {"location": PropertyDiff.UPDATE_REPLACE}, id="unknown location"),
        pytest.param({"kind": "AIServices"}, {"kind": PropertyDiff.UPDATE}, id="upgrade"),
    ],
)
def test_a_difference_is_told_by_property(client: Client, new: dict[str, Any], kinds: dict[str, int]) -> None:
    response = client.diff(ACCOUNT, OPENAI, OPENAI | new)

    assert {path: found.kind for path, found in response.detailedDiff.items()} == kinds
    assert response.changes == (provider_pb2.DiffResponse.DIFF_SOME if kinds else provider_pb2.DiffResponse.DIFF_NONE)
    assert set(response.diffs) == {path.split(".")[0].split("[")[0] for path in kinds}
    replaced = {path for path, kind in kinds.items() if kind == PropertyDiff.UPDATE_REPLACE}
    assert set(response.replaces) == replaced
    assert response.deleteBeforeReplace is bool(replaced)


def test_what_the_provider_named_is_replaced_by_one_that_comes_first(client: Client) -> None:
    old = client.checked(GROUP, {"location": "swedencentral"})
    new = client.checked(GROUP, {"location": "francecentral"}, olds=old)

    assert list(client.diff(GROUP, old, new).replaces) == ["location"]
    assert not client.diff(GROUP, old, new).deleteBeforeReplace
    assert client.diff(GROUP, old, old).changes == provider_pb2.DiffResponse.DIFF_NONE


def test_the_note_on_a_made_up_name_stays_in_the_state_and_out_of_the_cloud(client: Client) -> None:
    inputs = client.checked(GROUP, {"location": "swedencentral"})

    resource_id, outputs = client.create(GROUP, inputs)
    _, refreshed, _ = client.read(GROUP, resource_id, inputs, outputs)

    assert CREATE_BEFORE_DELETE not in outputs
    assert refreshed == inputs
    assert CREATE_BEFORE_DELETE not in client.update(
        GROUP, resource_id, inputs, {**inputs, "tags": {"a": "b"}}, outputs
    )


def test_a_secret_that_stays_is_no_difference(client: Client) -> None:
    changed = KEY | {"value": secret("another")}

    assert client.diff(NAMED_VALUE, KEY, KEY).changes == provider_pb2.DiffResponse.DIFF_NONE
    assert list(client.diff(NAMED_VALUE, KEY, changed).detailedDiff) == ["value"]


def test_a_resource_is_imported_with_all_that_can_be_read(client: Client, gateway: str) -> None:
    resource_id, inputs, outputs = client.read(SERVICE, gateway)

    assert resource_id == gateway
    assert plain(inputs) == GATEWAY
    assert outputs["gatewayUrl"] == "https://apim.azure-api.net"


def test_an_import_does_not_tell_a_secret(client: Client, gateway: str) -> None:
    resource_id, _ = client.create(NAMED_VALUE, KEY)

    answer = client.read(NAMED_VALUE, resource_id)

    assert SECRET_VALUE not in json.dumps(answer)


def test_a_refresh_keeps_what_cannot_be_read(client: Client, gateway: str) -> None:
    resource_id, outputs = client.create(NAMED_VALUE, KEY)

    _, inputs, _ = client.read(NAMED_VALUE, resource_id, KEY, outputs)

    assert inputs == KEY


def test_a_refresh_tells_what_somebody_changed(client: Client, cloud: Cloud, gateway: str) -> None:
    given = GATEWAY | {"tags": {"team": secret(SECRET_VALUE)}}
    client.update(SERVICE, gateway, GATEWAY, given)
    cloud.update(SERVICE, gateway, GATEWAY | {"tags": {"team": "other"}, "publisherName": "Fabrikam"})

    _, inputs, outputs = client.read(SERVICE, gateway, given)

    assert inputs["publisherName"] == outputs["publisherName"] == "Fabrikam"
    assert inputs["tags"] == {"team": secret("other")}


def test_what_is_gone_has_no_id(client: Client, cloud: Cloud, gateway: str) -> None:
    cloud.delete(gateway)

    assert client.read(SERVICE, gateway, GATEWAY) == ("", {}, {})


def test_the_state_of_a_random_value_is_its_truth(client: Client) -> None:
    inputs = {"length": 8}
    resource_id, outputs = client.create(STRING, inputs)

    assert client.read(STRING, resource_id, inputs, outputs) == (resource_id, inputs, outputs)


def test_a_random_value_cannot_be_imported(client: Client) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        client.read(STRING, "abcdefgh")

    assert "cannot be imported" in refused.value.details()


def test_a_resource_is_deleted_once(client: Client, cloud: Cloud, gateway: str) -> None:
    client.delete(SERVICE, gateway)
    client.delete(SERVICE, gateway)

    assert not cloud.gateways()


def test_a_random_value_is_deleted_with_its_state(client: Client) -> None:
    resource_id, _ = client.create(STRING, {"length": 8})

    client.delete(STRING, resource_id)


def test_a_deletion_that_the_service_refuses_fails(client: Client, cloud: Cloud, gateway: str) -> None:
    resource_id, _ = client.create(NAMED_VALUE, KEY)
    backend = {"protocol": "http", "url": "https://example.com", "credentials": {"header": {"api-key": ["{{key}}"]}}}
    place = {"resourceGroupName": "rg", "serviceName": "apim", "backendId": "backend"}
    client.create("azure-native:apimanagement:Backend", place | backend)

    with pytest.raises(grpc.RpcError) as refused:
        client.delete(NAMED_VALUE, resource_id)

    assert "is used by the following entities" in refused.value.details()
    assert cloud.read(NAMED_VALUE, resource_id)


def test_a_key_vault_secret_is_written_and_never_read(client: Client, cloud: Cloud) -> None:
    client.group()
    properties = {"tenantId": cloud.tenant_id, "sku": {"family": "A", "name": "standard"}}
    place = {"resourceGroupName": "rg", "vaultName": "kv-contoso", "location": "x"}
    client.create(VAULT, place | {"properties": properties | {"enableRbacAuthorization": True}})
    inputs = {
        "resourceGroupName": "rg",
        "vaultName": "kv-contoso",
        "secretName": "key",
        "properties": {"value": secret(SECRET_VALUE)},
    }

    resource_id, outputs = client.create(VAULT_SECRET, inputs)
    imported = client.read(VAULT_SECRET, resource_id)
    _, refreshed, _ = client.read(VAULT_SECRET, resource_id, inputs, outputs)

    assert SECRET_VALUE not in json.dumps([outputs, imported])
    assert outputs["properties"]["secretUri"] == "https://kv-contoso.vault.azure.net/secrets/key"
    assert refreshed["properties"] == inputs["properties"]


def _without_secrets(value: Any) -> Any:
    """Value as it would be stored beside the encrypted secrets."""
    if isinstance(value, dict):
        if is_secret(value) and not any(map(is_secret, value.values())):
            return "[secret]"
        return {key: _without_secrets(item) for key, item in value.items()}
    return [_without_secrets(item) for item in value] if isinstance(value, list) else value


def test_the_configured_subscription_is_where_resources_are_created_and_looked_up(client: Client, cloud: Cloud) -> None:
    subscription = "11111111-2222-4333-8444-555555555555"
    cloud.add_subscription(subscription)
    own = client.group()
    client.configure(subscriptionId=subscription)

    group = client.group()
    client.create(SERVICE, GATEWAY)

    assert group == f"/subscriptions/{subscription}/resourceGroups/rg"
    found = client.invoke(
        "azure-native:apimanagement:getApiManagementService", {"resourceGroupName": "rg", "serviceName": "apim"}
    )
    assert found["id"].startswith(group)
    assert client.read(GROUP, own)[0] == own
    client.configure()
    with pytest.raises(grpc.RpcError) as refused:
        client.invoke(
            "azure-native:apimanagement:getApiManagementService", {"resourceGroupName": "rg", "serviceName": "apim"}
        )
    assert "ResourceNotFound" in refused.value.details()
