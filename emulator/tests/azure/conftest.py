import pytest

from apim_emulator.azure import Cloud
from emulator.tests.azure.azure import Azure


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def azure(cloud: Cloud) -> Azure:
    return Azure(cloud)
