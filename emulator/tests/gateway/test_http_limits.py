"""What the gateway's HTTP server answers to callers that would hold it up, loop it or reach it under another name."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.http.bodies import MAX_BODY
from apim_emulator.gateway.http.transport import MOST_HOPS
from apim_emulator.gateway.repeated import Repeated
from apim_emulator.model import Subscription
from apim_emulator.testing import PolicyBench
from emulator.tests.gateway.harness import Bench, gateway, inbound
from emulator.tests.gateway.test_smuggling import Line, post, serving, statuses

CHAT = "/deployments/chat/chat/completions"


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with serving() as running:
        yield running


# Heads and bodies


@pytest.mark.parametrize(
    "begin",
    [
        pytest.param(b"G", id="method"),
        pytest.param(b"GET /api/models?", id="first line"),
        pytest.param(b"GET /api/models HTTP/1.1\r\nHost: x\r\nX-A: ", id="value"),
    ],
)
async def test_a_head_that_takes_too_long_is_told_so(begin: bytes) -> None:
    async with serving(head_timeout=0.05) as line:
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        writer.write(begin)

        async with asyncio.timeout(5):
            answer = await reader.read()

        writer.close()
        assert statuses(answer) == [408]
        assert b"Connection: close" in answer
        assert line.upstream.requests == []


async def test_each_head_of_a_connection_has_its_time() -> None:
    async with serving(head_timeout=0.1) as line:
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        loop = asyncio.get_running_loop()
        started = loop.time()
        while loop.time() - started < 0.25:
            writer.write(post(b"Content-Length: 2", body=b"hi"))
            async with asyncio.timeout(5):
                assert statuses(await reader.readuntil(b"\r\n\r\n")) == [200]
            await asyncio.sleep(0.02)
        writer.write(b"G")

        async with asyncio.timeout(5):
            answer = await reader.read()

        writer.close()
        assert statuses(answer) == [408]


async def test_a_call_that_takes_longer_than_a_head_may_is_answered() -> None:
    async with serving(head_timeout=0.05) as line:
        held = asyncio.Event()
        asyncio.get_running_loop().call_later(0.2, held.set)
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        writer.write(post(b"Content-Length: 2", b"Connection: close", body=b"h"))
        await held.wait()
        writer.write(b"i")

        async with asyncio.timeout(5):
            answer = await reader.read()

        writer.close()
        assert statuses(answer) == [200]


async def test_an_old_request_with_a_transfer_encoding_is_refused_and_ends_the_connection(line: Line) -> None:
    answer = await line.send(
        b"POST /api/a HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n"
        b"GET /api/second HTTP/1.1\r\nHost: x\r\n\r\n"
    )

    assert statuses(answer) == [400]
    assert line.upstream.requests == []


@pytest.mark.parametrize("policy", ["", "<find-and-replace from='a' to='b'/>"], ids=["forwarded", "read by a policy"])
async def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(
    gateway_bench: Bench, policy: str
) -> None:
    gateway_bench.load(inbound(policy))

    reader, writer = await asyncio.open_connection("127.0.0.1", gateway_bench.client.port)
    writer.write(post(f"Content-Length: {MAX_BODY + 1}".encode(), body=b"x", path=b"/api" + CHAT.encode()))
    async with asyncio.timeout(5):
        answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()

    assert statuses(answer) == [413]
    assert gateway_bench.backend.calls == []


async def test_settings_of_http_2_stay_with_the_connection(gateway_bench: Bench) -> None:
    gateway_bench.load()

    await gateway_bench.call(headers={"HTTP2-Settings": "AAMAAABkAAQAAP__", "X-Kept": "1"})

    assert "HTTP2-Settings" not in gateway_bench.backend.last.headers
    assert gateway_bench.backend.last.headers["X-Kept"] == "1"


async def test_the_rest_of_a_body_that_nobody_wants_is_no_head_that_takes_too_long() -> None:
    async with serving(head_timeout=0.05) as line:
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        writer.write(b"POST /nobody HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nh")
        async with asyncio.timeout(5):
            first = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"i")

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await reader.readuntil(b" 408 ")

        writer.close()
        assert statuses(first) == [404]


# Names


@pytest.mark.parametrize(
    ("called", "told"),
    [
        ("contoso.azure-api.net", "contoso.azure-api.net"),
        ("AI.contoso.com", "ai.contoso.com"),
        ("evil.example", "ai.contoso.com"),
        ("127.0.0.1:1", "ai.contoso.com"),
    ],
)
async def test_the_realm_is_a_name_of_the_service(gateway_bench: Bench, called: str, told: str) -> None:
    gateway_bench.load(
        api={"subscription_required": True},
        hostnames=("ai.contoso.com", "contoso.azure-api.net"),
        subscriptions=(Subscription(id="s", scope="/apis", primary_key="p", secondary_key="q"),),
    )

    response = await gateway_bench.call(headers={"Host": called})

    assert response.status == 401
    assert f'realm="https://{told}/api"' in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8080", 200),
        ("localhost", 200),
        ("[::1]:80", 200),
        ("contoso.azure-api.net", 200),
        ("contoso-swedencentral-01.regional.azure-api.net:443", 200),
        ("ai.contoso.com", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("azure-api.net.evil.example", 421),
        ("evilazure-api.net", 421),
    ],
)
async def test_only_names_of_this_machine_and_of_the_service_are_answered(
    gateway_bench: Bench, monkeypatch: pytest.MonkeyPatch, host: str, status: int
) -> None:
    monkeypatch.setattr(gateway_bench.server, "_any_host", False)
    gateway_bench.load(hostnames=("contoso.azure-api.net", "ai.contoso.com"))

    assert (await gateway_bench.call(headers={"Host": host})).status == status


@pytest.mark.parametrize(
    "url",
    [
        "https://[",
        "https://[::1",
        "http://127.0.0.1.evil.example/x",
        "http://localhost.evil.example/x",
        "http://localhost@evil.example/x",
        "https://",
        "ftp://contoso.com/x",
    ],
)
def test_a_url_whose_host_is_not_what_it_looks_like_is_refused_when_it_is_loaded(url: str) -> None:
    with pytest.raises(PolicyLoadError, match="must be an https URL"):
        PolicyBench(inbound(f"<validate-jwt header-name='A'><openid-config url='{url}'/></validate-jwt>"))


# Loops


async def test_a_gateway_that_calls_itself_stops(line: Line) -> None:
    own = f"http://127.0.0.1:{line.port}"
    line.server.load(gateway(inbound("<rewrite-uri template='/api/models'/>"), api={"service_url": own}))

    answer = await line.send(b"GET /api/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert statuses(answer) == [508]
    assert len(line.calls) == MOST_HOPS + 1


async def test_a_send_request_to_the_gateway_itself_stops(line: Line) -> None:
    call = (
        f"<send-request mode='new' response-variable-name='r'><set-url>http://127.0.0.1:{line.port}/api/models"
        "</set-url></send-request><return-response response-variable-name='r'/>"
    )
    line.server.load(gateway(inbound(call)))

    answer = await line.send(b"GET /api/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert statuses(answer) == [508]
    assert len(line.calls) == MOST_HOPS + 1


async def test_no_backend_sees_how_often_the_gateway_called_itself(line: Line) -> None:
    answer = await line.send(
        b"GET /api/models HTTP/1.1\r\nHost: x\r\nX-Apim-Emulator-Hops: 3\r\nConnection: close\r\n\r\n"
    )

    ((_, _, head, _),) = line.upstream.requests
    assert statuses(answer) == [200]
    assert b"hops" not in head.lower()


# Errors that repeat


def test_a_line_that_repeats_itself_is_shown_once_a_second_with_its_number() -> None:
    now = 0.0
    repeated = Repeated(lambda: now)

    def shown(text: str, level: int = logging.ERROR) -> str | None:
        record = logging.LogRecord("n", level, "p", 1, "failed: %s", (text,), None)
        return record.getMessage() if repeated.filter(record) else None

    assert shown("a") == "failed: a"
    assert [shown("a") for _ in range(1000)] == [None] * 1000
    assert shown("b") == "failed: b"
    now = 1.5
    assert shown("a") == "failed: a (1001 times)"
    assert shown("a") is None
    assert shown("a", logging.INFO) == "failed: a"


def test_different_lines_are_not_counted_without_end() -> None:
    repeated = Repeated(lambda: 0.0)

    for number in range(10_000):
        repeated.filter(logging.LogRecord("n", logging.ERROR, "p", 1, f"failed: {number}", (), None))

    assert len(repeated._seen) <= 100
