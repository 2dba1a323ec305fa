from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from apim_emulator.clock import Clock
from apim_emulator.services.azure_openai import AzureOpenAI
from apim_emulator.services.entra import Entra
from emulator.tests.services.fake_control_plane import FakeControlPlane

NOW = 1_750_000_000.5


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def directory() -> FakeControlPlane:
    return FakeControlPlane()


@pytest.fixture
def entra(directory: FakeControlPlane, clock: Clock) -> Entra:
    return Entra(directory, clock)


@pytest.fixture
def service(directory: FakeControlPlane, entra: Entra, clock: Clock) -> AzureOpenAI:
    return AzureOpenAI(directory, entra, clock)


@pytest.fixture
async def login(entra: Entra) -> AsyncIterator[TestServer]:
    server = TestServer(entra.app)
    async with server:
        yield server


@pytest.fixture
async def endpoint(service: AzureOpenAI) -> AsyncIterator[str]:
    async with TestServer(service.app) as server:
        yield str(server.make_url("/"))


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session
