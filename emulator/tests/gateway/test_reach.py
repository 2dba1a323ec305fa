"""From where a gateway is reached, and what it reaches through its virtual network."""

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from yarl import URL

from apim_emulator.model import Reach
from emulator.tests.gateway.harness import Bench, Listener


def inside(bench: Bench) -> TestClient[web.BaseRequest, None]:
    """Return a caller in the gateway's virtual network."""
    return TestClient(Listener(bench.server.inside()))


async def test_the_internet_has_no_connection_to_an_injected_gateway(gateway_bench: Bench) -> None:
    gateway_bench.load(from_internet=Reach.UNREACHABLE)

    with pytest.raises(aiohttp.ClientConnectionError):
        await gateway_bench.call()
    assert gateway_bench.records == []


async def test_the_internet_is_refused_where_public_access_is_off(gateway_bench: Bench) -> None:
    gateway_bench.load(from_internet=Reach.FORBIDDEN)

    response = await gateway_bench.call()

    assert response.status == 403
    assert (await response.json())["message"] == (
        "Request originated from client public IP address 127.0.0.1, public network access on this "
        "'Microsoft.ApiManagement/service/contoso' is disabled. To connect to "
        "'Microsoft.ApiManagement/service/contoso', please use the Private Endpoint from inside your virtual network."
    )
    assert gateway_bench.backend.calls == []


@pytest.mark.parametrize("outside", [Reach.UNREACHABLE, Reach.FORBIDDEN])
async def test_the_network_reaches_what_the_internet_does_not(gateway_bench: Bench, outside: Reach) -> None:
    gateway_bench.load(from_internet=outside)

    async with inside(gateway_bench) as caller:
        response = await caller.get("/api/models")

    assert response.status == 200


@pytest.mark.parametrize("reach", [Reach.UNREACHABLE, Reach.FORBIDDEN])
async def test_the_network_does_not_find_a_gateway_without_a_name_there(gateway_bench: Bench, reach: Reach) -> None:
    gateway_bench.load(from_network=reach)

    async with inside(gateway_bench) as caller:
        if reach is Reach.FORBIDDEN:
            assert (await caller.get("/api/models")).status == 403
        else:
            with pytest.raises(aiohttp.ClientConnectionError):
                await caller.get("/api/models")


async def test_private_hosts_are_called_where_private_endpoints_lead(gateway_bench: Bench) -> None:
    host = "contoso.openai.azure.com"
    served = str(gateway_bench.network.target(URL(f"https://{host}")).origin())
    gateway_bench.network.route(host, "http://127.0.0.1:9", served)

    gateway_bench.load(private_hosts=frozenset({host}))
    answered = await gateway_bench.call()
    gateway_bench.load()
    refused = await gateway_bench.call()

    assert (answered.status, refused.status) == (200, 500)
