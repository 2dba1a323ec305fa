from collections.abc import Iterator

import pytest

from sandbox.cloud import Cloud
from tests.sandbox.engine.client import Client, served


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def client(cloud: Cloud) -> Iterator[Client]:
    """Client of azure-native's stand-in, which is served over gRPC."""
    with served(cloud) as client:
        yield client
