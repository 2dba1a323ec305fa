from collections.abc import Iterator

import pytest

from apim_emulator.azure import Cloud
from emulator.tests.pulumi.client import Client, served


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def client(cloud: Cloud) -> Iterator[Client]:
    """Client of azure-native's stand-in, which is served over gRPC."""
    with served(cloud) as client:
        yield client
