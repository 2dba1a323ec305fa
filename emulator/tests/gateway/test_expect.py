"""`Expect`: a caller that waits to be told to go on is told so; one that waits for something else is refused."""

import asyncio

import pytest

from emulator.tests.gateway.harness import Bench

HEAD = "POST /api/deployments/gpt-4o/chat/completions HTTP/1.1\r\nHost: gateway\r\nContent-Length: 2\r\n"


async def test_caller_that_waits_is_told_to_send_the_body(gateway_bench: Bench) -> None:
    gateway_bench.load()
    reader, writer = await asyncio.open_connection(gateway_bench.client.host, gateway_bench.client.port)
    writer.write(f"{HEAD}Expect: 100-Continue\r\n\r\n".encode())
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"{}")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    assert gateway_bench.backend.last.body == b"{}"
    assert "Expect" not in gateway_bench.backend.last.headers
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("value", ["200-ok", "100-continue, x", ""], ids=["other", "list", "empty"])
async def test_other_expectation_is_refused_before_any_policy(gateway_bench: Bench, value: str) -> None:
    gateway_bench.load()
    answer = await gateway_bench.raw(f"{HEAD}Expect: {value}\r\n\r\n{{}}")
    assert answer.startswith(b"HTTP/1.1 417")
    assert answer.endswith(b'{ "statusCode": 417, "message": "Expectation Failed" }')
    assert gateway_bench.backend.calls == []
