from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc  # type: ignore[import-untyped]
import pytest
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.cloud import Cloud
from sandbox.engine.provider import Provider
from tests.sandbox.engine.client import Client


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def client(cloud: Cloud) -> Iterator[Client]:
    """Client of a provider that is served over gRPC."""
    server = grpc.server(ThreadPoolExecutor(4))
    provider = Provider("azure-native", "3.29.0", cloud)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Client(provider_pb2_grpc.ResourceProviderStub(channel))
    server.stop(grace=None).wait()
