from collections.abc import AsyncIterator

import pytest

from emulator.tests.gateway.harness import Bench, bench


@pytest.fixture
async def gateway_bench() -> AsyncIterator[Bench]:
    async with bench() as running:
        yield running
