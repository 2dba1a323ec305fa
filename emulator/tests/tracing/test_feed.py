"""Events for open pages: they are told, they are bounded, and they hold up nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from apim_emulator.testing import PolicyBench
from apim_emulator.tracing import TraceRecorder
from apim_emulator.tracing.feed import MOST, Feed
from apim_emulator.tracing.server import TraceServer
from emulator.tests.tracing.calls import call


class Kept(TraceRecorder):
    """A recorder to which a test gives calls."""

    def keep(self, number: int, **fields: Any) -> None:
        self._calls.append(call(number, **fields))
        for told in self.on_call:
            told()


@pytest.fixture
async def recorder() -> Kept:
    return Kept()


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with asyncio.timeout(30), AsyncExitStack() as found:
        yield found


async def served(recorder: TraceRecorder, stack: AsyncExitStack) -> tuple[web.AppRunner, str]:
    """Serve pages by a server that would wait for them for an hour."""
    traces = TraceServer(recorder)
    runner = web.AppRunner(traces.app, shutdown_timeout=3600, handler_cancellation=True)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    return runner, f"http://{host}:{port}{traces.path}"


async def test_page_is_told_the_newest_number_at_once_and_each_time(recorder: Kept, stack: AsyncExitStack) -> None:
    _, url = await served(recorder, stack)
    recorder.keep(3)
    client = await stack.enter_async_context(aiohttp.ClientSession())
    events = await stack.enter_async_context(client.get(f"{url}events"))

    assert events.content_type == "text/event-stream"
    assert events.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert events.headers["Cache-Control"] == "no-store"
    assert await events.content.readuntil(b"\n\n") == b"data: 3\n\n"
    recorder.keep(4)
    assert await events.content.readuntil(b"\n\n") == b"data: 4\n\n"


async def test_page_left_open_does_not_hold_up_the_end(recorder: Kept, stack: AsyncExitStack) -> None:
    runner, url = await served(recorder, stack)
    client = await stack.enter_async_context(aiohttp.ClientSession())
    pages = [await stack.enter_async_context(client.get(f"{url}events")) for _ in range(3)]
    for page in pages:
        await page.content.readuntil(b"\n\n")

    await runner.cleanup()

    assert [await page.read() for page in pages] == [b"", b"", b""]


async def test_more_pages_than_are_told_are_refused_until_one_is_closed(recorder: Kept, stack: AsyncExitStack) -> None:
    _, url = await served(recorder, stack)
    client = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
    pages = [await stack.enter_async_context(client.get(f"{url}events")) for _ in range(MOST)]
    async with client.get(f"{url}events") as refused:
        assert (refused.status, await refused.text()) == (503, f"{MOST} pages are open; close one")

    pages[0].close()
    while (again := await stack.enter_async_context(client.get(f"{url}events"))).status == 503:
        await again.read()

    assert await again.content.readuntil(b"\n\n") == b"data: 0\n\n"


async def test_page_that_takes_nothing_is_dropped() -> None:
    never = asyncio.Event()

    async def stuck(_: bytes) -> None:
        await never.wait()

    with pytest.raises(TimeoutError):
        await Feed(lambda: 1, patience=0).follow(asyncio.Event(), stuck)


async def test_calls_that_end_together_are_told_once() -> None:
    newest, sent = 1, []
    feed, page = Feed(lambda: newest, pause=0), asyncio.Event()
    told = asyncio.Event()

    async def send(event: bytes) -> None:
        sent.append(event)
        told.set()

    following = asyncio.create_task(feed.follow(page, send))
    await told.wait()
    for _ in range(500):
        newest += 1
        page.set()
    told.clear()
    await told.wait()
    feed.end()
    page.set()
    await following

    assert sent == [b"data: 1\n\n", b"data: 501\n\n"]


async def test_page_that_comes_after_the_end_is_refused(recorder: Kept) -> None:
    feed = Feed(lambda: 0)
    feed.end()
    with pytest.raises(web.HTTPServiceUnavailable):
        await feed.answer(None)  # type: ignore[arg-type]


async def test_recorder_tells_of_a_call_when_it_can_be_looked_at() -> None:
    bench = PolicyBench()
    recorder = bench._recorder
    assert recorder is not None
    seen: list[int] = []
    recorder.on_call.append(lambda: seen.append(recorder.last(1)[0].number))

    await bench.asend("GET", "/")
    await bench.asend("GET", "/")

    assert seen == [1, 2]


async def test_filter_and_the_calls_beside_follow_the_address(recorder: Kept, stack: AsyncExitStack) -> None:
    _, url = await served(recorder, stack)
    client = await stack.enter_async_context(aiohttp.ClientSession())
    for number in range(1, 8):
        recorder.keep(number, status=401 if number % 2 else 200)

    async def text(path: str) -> str:
        async with client.get(f"{url}{path}") as answer:
            return await answer.text()

    listed, call = await text("?q=status:4xx"), await text("3?q=status:4xx")
    assert [f'id="call-{number}"' in listed for number in range(1, 8)] == [True, False] * 3 + [True]
    assert (">Newer #5<" in call, ">Older #1<" in call, 'data-newest="7"' in call) == (True, True, True)


async def test_list_is_shown_whatever_it_is_filtered_by(recorder: Kept, stack: AsyncExitStack) -> None:
    _, url = await served(recorder, stack)
    client = await stack.enter_async_context(aiohttp.ClientSession())

    assert (await client.get(URL(f"{url}?q=a%00%0B%ED%A0%80%EF%BF%BE", encoded=True))).status == 200
