"""Operations whose URL template names query parameters, as an import makes them of required ones."""

import pytest

from apim_emulator.model import Operation
from emulator.tests.gateway.harness import BACKEND_URL, Bench, inbound, reply

DATED = Operation(name="dated", method="GET", url_template="/models/{id}?api-version={api-version}")
OPERATIONS = {"operations": (DATED,)}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        pytest.param("?api-version=1", 200, id="given"),
        pytest.param("?API-Version=", 200, id="in another case, empty"),
        pytest.param("?a=b&api-version=1&api-version=2", 200, id="twice"),
        pytest.param("", 404, id="left out"),
        pytest.param("?version=1", 404, id="another"),
    ],
)
async def test_a_call_needs_them(gateway_bench: Bench, query: str, status: int) -> None:
    gateway_bench.load(api=OPERATIONS)

    response = await gateway_bench.call(f"/api/models/a{query}")

    assert response.status == status
    assert len(gateway_bench.backend.calls) == (status == 200)


async def test_a_call_without_them_runs_no_operation(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(reply("@(context.Operation.Id)")), api=OPERATIONS)

    assert (await gateway_bench.call("/api/models/a?api-version=1")).headers["X-Value"] == "dated"
    assert (await gateway_bench.call("/api/models/a")).status == 404


async def test_they_are_matched_parameters(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(reply('@(context.Request.MatchedParameters["api-version"])')), api=OPERATIONS)

    response = await gateway_bench.call("/api/models/a?api-version=2024%2D10")

    assert response.headers["X-Value"] == "2024-10"


@pytest.mark.parametrize(
    ("template", "path"),
    [
        pytest.param("/other", "/other?top=3", id="left out"),
        pytest.param("/other?api-version={api-version}", "/other?api-version=1&top=3", id="given again"),
    ],
)
async def test_another_url_has_them_only_where_it_says_so(gateway_bench: Bench, template: str, path: str) -> None:
    gateway_bench.load(inbound(f'<rewrite-uri template="{template}" />'), api=OPERATIONS)

    await gateway_bench.call("/api/models/a?api-version=1&top=3")

    assert gateway_bench.backend.last.path == f"{BACKEND_URL.partition('.com')[2]}{path}"
