import pytest

from sandbox.cloud import Cloud
from tests.sandbox.cloud.azure import Azure


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def azure(cloud: Cloud) -> Azure:
    return Azure(cloud)
