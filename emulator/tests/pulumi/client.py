"""The engine's part of the provider protocol, with one short call a request."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc  # type: ignore[import-untyped]
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from apim_emulator.azure import Cloud
from apim_emulator.pulumi.property_values import decode, encode, plain
from apim_emulator.pulumi.provider import Provider

GROUP = "azure-native:resources:ResourceGroup"
SERVICE = "azure-native:apimanagement:ApiManagementService"
API = "azure-native:apimanagement:Api"
NAMED_VALUE = "azure-native:apimanagement:NamedValue"
ACCOUNT = "azure-native:cognitiveservices:Account"
VAULT = "azure-native:keyvault:Vault"
VAULT_SECRET = "azure-native:keyvault:Secret"
ROLE_ASSIGNMENT = "azure-native:authorization:RoleAssignment"
APPLICATION = "azuread:index/application:Application"
APPLICATION_PASSWORD = "azuread:index/applicationPassword:ApplicationPassword"
STRING = "random:index/randomString:RandomString"
PASSWORD = "random:index/randomPassword:RandomPassword"

SECRET_VALUE = "s3cr3t-value"

GATEWAY: dict[str, Any] = {
    "resourceGroupName": "rg",
    "serviceName": "apim",
    "publisherName": "Contoso",
    "publisherEmail": "ai@contoso.com",
    "sku": {"name": "BasicV2", "capacity": 1},
    "identity": {"type": "SystemAssigned"},
    "location": "swedencentral",
}
OPENAI: dict[str, Any] = {
    "resourceGroupName": "rg",
    "accountName": "oai",
    "kind": "OpenAI",
    "sku": {"name": "S0"},
    "location": "swedencentral",
    "properties": {"customSubDomainName": "oai", "disableLocalAuth": False},
}


def secret(value: Any) -> Any:
    """Value marked as a secret, as the engine marks it."""
    return rpc.wrap_rpc_secret(value)


def urn(token: str, name: str) -> str:
    return f"urn:pulumi:dev::project::{token}::{name}"


class Client:
    def __init__(self, stub: provider_pb2_grpc.ResourceProviderStub) -> None:
        self.stub = stub

    def configure(self, **config: Any) -> provider_pb2.ConfigureResponse:
        response: provider_pb2.ConfigureResponse = self.stub.Configure(
            provider_pb2.ConfigureRequest(args=encode(config))
        )
        return response

    def check(
        self,
        token: str,
        inputs: Mapping[str, Any],
        olds: Mapping[str, Any] | None = None,
        *,
        name: str = "thing",
        seed: bytes = b"seed",
        **more: Any,
    ) -> provider_pb2.CheckResponse:
        response: provider_pb2.CheckResponse = self.stub.Check(
            provider_pb2.CheckRequest(
                urn=urn(token, name),
                type=token,
                name=name,
                news=encode(inputs),
                olds=encode(olds) if olds is not None else None,
                randomSeed=seed,
                **more,
            )
        )
        return response

    def checked(self, token: str, inputs: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        response = self.check(token, inputs, **more)
        assert not response.failures, response.failures
        return decode(response.inputs)

    def diff(self, token: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> provider_pb2.DiffResponse:
        request = provider_pb2.DiffRequest(type=token, name="thing", old_inputs=encode(old), news=encode(new))
        response: provider_pb2.DiffResponse = self.stub.Diff(request)
        return response

    def create(
        self, token: str, inputs: Mapping[str, Any], *, name: str = "thing", preview: bool = False
    ) -> tuple[str, dict[str, Any]]:
        """ID and outputs, with marks."""
        response = self.stub.Create(
            provider_pb2.CreateRequest(
                urn=urn(token, name), type=token, name=name, properties=encode(inputs), preview=preview
            )
        )
        return response.id, decode(response.properties)

    def read(
        self,
        token: str,
        resource_id: str,
        inputs: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """ID, inputs and outputs, with marks."""
        response = self.stub.Read(
            provider_pb2.ReadRequest(
                id=resource_id,
                urn=urn(token, "thing"),
                type=token,
                name="thing",
                inputs=encode(inputs) if inputs is not None else None,
                properties=encode(properties or {}),
            )
        )
        return response.id, decode(response.inputs), decode(response.properties)

    def update(
        self,
        token: str,
        resource_id: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        outputs: Mapping[str, Any] | None = None,
        *,
        preview: bool = False,
    ) -> dict[str, Any]:
        """Outputs, with marks."""
        response = self.stub.Update(
            provider_pb2.UpdateRequest(
                id=resource_id,
                urn=urn(token, "thing"),
                type=token,
                name="thing",
                old_inputs=encode(old),
                news=encode(new),
                olds=encode(outputs or {}),
                preview=preview,
            )
        )
        return decode(response.properties)

    def delete(self, token: str, resource_id: str) -> None:
        self.stub.Delete(provider_pb2.DeleteRequest(id=resource_id, urn=urn(token, "thing"), type=token, name="thing"))

    def invoke(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        response = self.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=encode(args)))
        assert not response.failures, response.failures
        return dict(plain(decode(getattr(response, "return"))))

    def group(self) -> str:
        """Resource group `rg`."""
        return self.create(GROUP, {"resourceGroupName": "rg", "location": "swedencentral"})[0]


@contextmanager
def served(cloud: Cloud, warn: Callable[[str, str], None] = lambda _urn, _text: None) -> Iterator[Client]:
    """Serve a cloud over gRPC as azure-native's provider."""
    server = grpc.server(ThreadPoolExecutor(4))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider("azure-native", "3.29.0", cloud, warn), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Client(provider_pb2_grpc.ResourceProviderStub(channel))
    server.stop(grace=None).wait()
