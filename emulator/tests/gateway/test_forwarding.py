import asyncio
import logging

import aiohttp
import pytest
from aiohttp import web

from emulator.tests.gateway.harness import Bench, header, inbound

WHY = header("X-Why", '@(context.LastError.Source + "/" + context.LastError.Reason)')


async def test_chunks_pass_one_by_one_where_the_response_is_not_buffered(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(backend="<forward-request buffer-response='false'/>"))
    release = asyncio.Event()

    async def events(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel": "no"})
        await response.prepare(request)
        await response.write(b"data: 1\n\n")
        await release.wait()
        await response.write(b"data: [DONE]\n\n")
        return response

    gateway_bench.backend.answer = events
    async with gateway_bench.client.get("/api/models") as response:
        assert await response.content.readany() == b"data: 1\n\n"
        release.set()
        assert await response.read() == b"data: [DONE]\n\n"
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.headers["X-Accel"] == "no"


async def test_slow_caller_slows_the_backend(gateway_bench: Bench) -> None:
    gateway_bench.load()
    written = 0

    async def flood(request: web.Request) -> web.StreamResponse:
        nonlocal written
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(2000):
            await response.write(b"x" * 65_536)
            written += 65_536
        return response

    gateway_bench.backend.answer = flood
    async with gateway_bench.client.get("/api/models") as response:
        before = -1
        while before != written:
            before = written
            await asyncio.sleep(0.05)
        assert 0 < written < 100_000_000
        response.close()


@pytest.mark.parametrize("early", [True, False], ids=["before the headers", "while streaming"])
async def test_caller_who_goes_away_ends_the_upstream_call(gateway_bench: Bench, early: bool) -> None:
    gateway_bench.load()
    started, ended = asyncio.Event(), asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        try:
            if not early:
                await response.prepare(request)
            started.set()
            while True:
                await asyncio.sleep(0.01)
                if not early:
                    await response.write(b"x")
        finally:
            ended.set()

    gateway_bench.backend.answer = endless
    call = asyncio.create_task(gateway_bench.call())
    await started.wait()
    call.cancel()

    await asyncio.wait_for(ended.wait(), 5)


async def test_backend_that_breaks_off_breaks_the_callers_response(gateway_bench: Bench) -> None:
    gateway_bench.load()

    async def broken(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return response

    gateway_bench.backend.answer = broken
    async with gateway_bench.client.get("/api/models") as response:
        with pytest.raises(aiohttp.ClientError):
            await response.read()


async def test_timeout_is_told_to_on_error(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(backend="<forward-request timeout-ms='20'/>", on_error=WHY))
    hung = asyncio.Event()

    async def hang(_request: web.Request) -> web.StreamResponse:
        await hung.wait()
        return web.Response()

    gateway_bench.backend.answer = hang
    response = await gateway_bench.call()
    hung.set()

    assert (response.status, response.headers["X-Why"]) == (500, "forward-request/Timeout")
    assert (await response.json())["message"] == "Internal server error"


@pytest.mark.parametrize(
    ("attributes", "seen"),
    [("", "outbound"), ("fail-on-error-status-code='true'", "on-error")],
    ids=["by default outbound", "on demand on-error"],
)
async def test_error_of_the_backend(gateway_bench: Bench, attributes: str, seen: str) -> None:
    gateway_bench.load(
        inbound(
            backend=f"<forward-request {attributes}/>",
            outbound=header("X-Section", "outbound"),
            on_error=header("X-Section", "on-error"),
        )
    )

    async def busy(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=429, reason="Slow Down", headers={"Retry-After": "7"}, text="busy")

    gateway_bench.backend.answer = busy
    response = await gateway_bench.call()

    assert (response.status, response.reason, await response.text()) == (429, "Slow Down", "busy")
    assert response.headers["Retry-After"] == "7"
    assert response.headers["X-Section"] == seen


async def test_redirect_is_not_followed(gateway_bench: Bench) -> None:
    gateway_bench.load()

    async def redirect(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": "http://127.0.0.1:1/"})

    gateway_bench.backend.answer = redirect
    response = await gateway_bench.call(allow_redirects=False)

    assert (response.status, response.headers["Location"]) == (307, "http://127.0.0.1:1/")
    assert len(gateway_bench.backend.calls) == 1


async def test_response_is_passed_on_unchanged(gateway_bench: Bench) -> None:
    gateway_bench.load()

    async def encoded(_request: web.Request) -> web.StreamResponse:
        headers = [("Content-Encoding", "gzip"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Keep-Alive", "x")]
        return web.Response(body=b"not really gzip", headers=headers)

    gateway_bench.backend.answer = encoded
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(gateway_bench.client.make_url("/api/models")) as response,
    ):
        assert await response.read() == b"not really gzip"
        assert response.headers.getall("Set-Cookie") == ["a=1", "b=2"]
        assert response.headers["Content-Length"] == "15"
        assert "Keep-Alive" not in response.headers


@pytest.mark.parametrize("buffered", ["false", "true"])
async def test_chunked_request_reaches_the_backend_whole(gateway_bench: Bench, buffered: str) -> None:
    gateway_bench.load(inbound(backend=f"<forward-request buffer-request-body='{buffered}'/>"))

    async def chunks() -> object:
        for _ in range(50):
            yield b"x" * 10_000

    response = await gateway_bench.call("/api/deployments/d/chat/completions", "POST", data=chunks())

    assert response.status == 200
    assert gateway_bench.backend.last.body == b"x" * 500_000


async def test_cookies_of_one_caller_do_not_reach_another(gateway_bench: Bench) -> None:
    gateway_bench.load()

    async def cookie(_request: web.Request) -> web.StreamResponse:
        return web.Response(headers={"Set-Cookie": "session=1; Path=/"})

    gateway_bench.backend.answer = cookie
    await gateway_bench.call()
    gateway_bench.client.session.cookie_jar.clear()
    await gateway_bench.call()

    assert "Cookie" not in gateway_bench.backend.last.headers


async def test_broken_request_is_logged_without_its_headers(
    gateway_bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    gateway_bench.load()

    with caplog.at_level(logging.DEBUG):
        response = await gateway_bench.call(headers={"Authorization": "Bearer hunter2" + "x" * 40_000})

    assert response.status == 400
    assert "hunter2" not in caplog.text
    assert gateway_bench.backend.calls == []


async def test_error_inside_the_gateway_tells_nobody_what_it_was(
    gateway_bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway_bench.load()

    def fail(*_: object) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr("apim_emulator.gateway.core.run_api", fail)
    with caplog.at_level(logging.DEBUG):
        response = await gateway_bench.call()

    assert (response.status, (await response.json())["message"]) == (500, "Internal server error")
    assert "hunter2" not in await response.text() + caplog.text
