"""The pages and the JSON of the last calls, on an address of their own that only its owner knows."""

import re
import secrets
from importlib.resources import files

from aiohttp import web
from aiohttp.typedefs import Handler

from apim_emulator.tracing import page
from apim_emulator.tracing.feed import Feed
from apim_emulator.tracing.filter import Filter
from apim_emulator.tracing.model import CallTrace, to_json
from apim_emulator.tracing.recorder import TraceRecorder

__all__ = ["TraceServer", "guarded"]

_HOSTS = frozenset({"127.0.0.1", "localhost"})
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""No script runs but the page's own, which cannot make markup of text; nothing is loaded from elsewhere, and no other
page may show or read these."""
_ASSETS = {"style.css": "text/css", "page.js": "text/javascript"}
_MOST_TEXT = 500
"""Characters of a filter."""
_NO_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
"""What no page can hold."""


class TraceServer:
    """Serves what a recorder keeps."""

    def __init__(self, recorder: TraceRecorder) -> None:
        """Serve below a path that cannot be guessed: other users of the machine reach the port too."""
        self.path = f"/{secrets.token_urlsafe(16)}/"
        """Where the list of calls is, below the server's address."""
        self._recorder = recorder
        self._feed = Feed(self._newest)
        recorder.on_call.append(self._feed.wake)
        self.app = guarded()
        self.app.on_shutdown.append(self._end)
        self.app.router.add_get(self.path, self._index)
        self.app.router.add_get(f"{self.path}calls.json", self._json)
        self.app.router.add_get(f"{self.path}events", self._feed.answer)
        self.app.router.add_get(rf"{self.path}{{number:\d{{1,12}}}}", self._call)
        for name in _ASSETS:
            self.app.router.add_get(f"{self.path}{name}", _asset)

    async def _end(self, _: web.Application) -> None:
        self._feed.end()

    def _newest(self) -> int:
        return max((call.number for call in self._recorder.last(1)), default=0)

    async def _index(self, request: web.Request) -> web.Response:
        return _html(page.index(self._recorder.last(), _filter(request)))

    async def _call(self, request: web.Request) -> web.Response:
        number, wanted = int(request.match_info["number"]), _filter(request)
        calls = self._recorder.last()
        found = next((call for call in calls if call.number == number), None)
        if found is None:
            return _html(page.missing(), 404)
        return _html(page.call_page(found, wanted, _beside(calls, number, wanted)))

    async def _json(self, request: web.Request) -> web.Response:
        """Give the calls after a number, the oldest first."""
        after = request.query.get("after", "0")
        if not after.isdecimal() or len(after) > 12:
            raise web.HTTPBadRequest
        body = to_json(self._recorder.last(after=int(after)))
        return web.Response(body=body, content_type="application/json")


def _beside(calls: list[CallTrace], number: int, wanted: Filter) -> page.Beside:
    others = [call.number for call in calls if call.number != number and wanted.takes(call)]
    return page.Beside(
        newest=max(call.number for call in calls),
        newer=min((one for one in others if one > number), default=None),
        older=max((one for one in others if one < number), default=None),
    )


def _filter(request: web.Request) -> Filter:
    return Filter(_NO_TEXT.sub("", request.query.get("q", "")[:_MOST_TEXT]))


async def _asset(request: web.Request) -> web.Response:
    name = request.path.rpartition("/")[2]
    text = (files("apim_emulator.tracing") / "assets" / name).read_text("utf-8")
    return web.Response(text=text, content_type=_ASSETS[name])


def _html(text: bytes, status: int = 200) -> web.Response:
    return web.Response(body=text, status=status, content_type="text/html", charset="utf-8")


def guarded() -> web.Application:
    """Make an application that only its owner's browser can read, by no other name than this machine's."""
    app = web.Application(middlewares=[_guard])
    app.on_response_prepare.append(_set_headers)
    return app


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a host name that somebody else's DNS led here."""
    if request.host.partition(":")[0] not in _HOSTS:
        raise web.HTTPForbidden
    return await handler(request)


async def _set_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
