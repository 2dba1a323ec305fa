"""Telling open pages that there are new calls, as server-sent events (HTML, "Server-sent events")."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

MOST = 16
"""Pages that may be told at a time; a browser opens six connections to a host at most."""
_PATIENCE = 5.0
"""Seconds in which a page has to take what it is told."""
_PAUSE = 0.1
"""Seconds from one event to the next; calls that end in between are told together."""

Send = Callable[[bytes], Awaitable[None]]


class Feed:
    """Tells each page the number of the newest call, and keeps nothing for those that do not listen."""

    def __init__(self, newest: Callable[[], int], *, patience: float = _PATIENCE, pause: float = _PAUSE) -> None:
        """Tell what `newest` returns."""
        self._newest = newest
        self._patience = patience
        self._pause = pause
        self._pages: set[asyncio.Event] = set()
        self._ended = asyncio.Event()

    def wake(self) -> None:
        """Tell all pages that there is something new."""
        for page in self._pages:
            page.set()

    def end(self) -> None:
        """Let go of all pages, so that none of them holds up the end of the server."""
        self._ended.set()
        self.wake()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a page, for as long as it is open."""
        if len(self._pages) >= MOST or self._ended.is_set():
            raise web.HTTPServiceUnavailable(text=f"{MOST} pages are open; close one")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        page = asyncio.Event()
        self._pages.add(page)
        try:
            await response.prepare(request)
            await self.follow(page, response.write)
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
        finally:
            self._pages.discard(page)
        return response

    async def follow(self, page: asyncio.Event, send: Send) -> None:
        """Send the number of the newest call at once and whenever the event is set.

        Raises `TimeoutError` where the page does not take it.
        """
        while not self._ended.is_set():
            page.clear()
            async with asyncio.timeout(self._patience):
                await send(b"data: %d\n\n" % self._newest())
            await self._rest()
            await page.wait()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._pause):
                await self._ended.wait()
        except TimeoutError:
            pass
