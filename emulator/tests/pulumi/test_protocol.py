import json
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import plugin_pb2, provider_pb2

from apim_emulator.pulumi.property_values import UNKNOWN, decode, encode
from apim_emulator.pulumi.provider import NEWEST
from emulator.tests.pulumi.client import ACCOUNT, GROUP, OPENAI, Client


def test_the_handshake_and_the_configuration_promise_the_same(client: Client) -> None:
    handshake = client.stub.Handshake(provider_pb2.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
    configured = client.configure(location="swedencentral")

    assert (handshake.accept_secrets, handshake.accept_resources, handshake.accept_outputs) == (True, True, False)
    assert handshake.supports_autonaming_configuration
    assert (configured.acceptSecrets, configured.acceptResources, configured.acceptOutputs) == (True, True, False)
    assert configured.supports_autonaming_configuration
    assert configured.supportsPreview


def test_the_version_is_newer_than_any_that_a_program_asks_for(client: Client) -> None:
    assert client.stub.GetPluginInfo(empty_pb2.Empty()).version == NEWEST


def test_an_engine_may_attach(client: Client) -> None:
    assert client.stub.Attach(plugin_pb2.PluginAttach(address="127.0.0.1:1")) == empty_pb2.Empty()


def test_there_are_no_mappings_from_other_tools(client: Client) -> None:
    assert not client.stub.GetMapping(provider_pb2.GetMappingRequest(key="terraform")).data
    assert not client.stub.GetMappings(provider_pb2.GetMappingsRequest(key="terraform")).providers


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        pytest.param("Parameterize", provider_pb2.ParameterizeRequest(), id="Parameterize"),
        pytest.param("Construct", provider_pb2.ConstructRequest(), id="Construct"),
        pytest.param("Call", provider_pb2.CallRequest(), id="Call"),
    ],
)
def test_what_these_providers_do_not_do_is_unimplemented(client: Client, method: str, request_: Any) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        getattr(client.stub, method)(request_)

    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert refused.value.details()


def test_listing_is_unimplemented(client: Client) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        list(client.stub.List(provider_pb2.ListRequest(token=GROUP)))

    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_the_schema_has_every_modelled_type_of_the_package(client: Client) -> None:
    schema = json.loads(client.stub.GetSchema(provider_pb2.GetSchemaRequest()).schema)

    assert (schema["name"], schema["version"]) == ("azure-native", "3.29.0")
    assert {token.split(":")[0] for token in schema["resources"]} == {"azure-native"}
    assert schema["resources"][ACCOUNT]["requiredInputs"] == ["resourceGroupName"]
    assert "properties" in schema["resources"][ACCOUNT]["inputProperties"]


def test_configuration_is_accepted_as_it_is(client: Client) -> None:
    config = encode({"location": "swedencentral", "clientSecret": "hidden"}, frozenset({"clientSecret"}))

    response = client.stub.CheckConfig(provider_pb2.CheckRequest(news=config))

    assert response.inputs == config
    assert not response.failures


@pytest.mark.parametrize(
    ("new", "changes", "replaces"),
    [
        pytest.param({"location": "a", "tenantId": "t"}, provider_pb2.DiffResponse.DIFF_NONE, [], id="same"),
        pytest.param({"location": "b", "tenantId": "t"}, provider_pb2.DiffResponse.DIFF_SOME, [], id="location"),
        pytest.param({"location": "a"}, provider_pb2.DiffResponse.DIFF_SOME, ["tenantId"], id="tenant"),
    ],
)
def test_another_tenant_needs_new_resources(
    client: Client, new: dict[str, str], changes: int, replaces: list[str]
) -> None:
    olds = encode({"location": "a", "tenantId": "t"})

    response = client.stub.DiffConfig(provider_pb2.DiffRequest(olds=olds, news=encode(new)))

    assert response.changes == changes
    assert response.replaces == replaces


def test_a_function_answers(client: Client) -> None:
    client.group()
    client.create(ACCOUNT, OPENAI)

    keys = client.invoke(
        "azure-native:cognitiveservices:listAccountKeys", {"resourceGroupName": "rg", "accountName": "oai"}
    )

    assert set(keys) == {"key1", "key2"}


@pytest.mark.parametrize(
    ("token", "args", "message"),
    [
        pytest.param("azure-native:nothing:getNothing", {}, "not modelled", id="unknown function"),
        pytest.param(
            "azure-native:cognitiveservices:getAccount",
            {"resourceGroupName": "rg", "accountName": "oai"},
            "ResourceGroupNotFound",
            id="missing resource",
        ),
    ],
)
def test_a_function_that_the_cloud_refuses_fails(
    client: Client, token: str, args: dict[str, Any], message: str
) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        client.invoke(token, args)

    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert message in refused.value.details()


def test_a_function_needs_known_arguments(client: Client) -> None:
    response = client.stub.Invoke(
        provider_pb2.InvokeRequest(
            tok="azure-native:cognitiveservices:getAccount",
            args=encode({"resourceGroupName": "rg", "accountName": UNKNOWN}),
        )
    )

    assert [(failure.property, failure.reason) for failure in response.failures] == [
        ("accountName", "is not known yet")
    ]
    assert not decode(getattr(response, "return"))


def test_nothing_changes_after_a_cancellation(client: Client) -> None:
    client.stub.Cancel(empty_pb2.Empty())

    with pytest.raises(grpc.RpcError) as refused:
        client.group()

    assert "OperationCanceled" in refused.value.details()
