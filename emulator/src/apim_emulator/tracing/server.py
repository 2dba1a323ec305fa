"""The pages and the JSON of the last calls, on an address of their own that only its owner knows."""

import secrets

from aiohttp import web
from aiohttp.typedefs import Handler

from apim_emulator.tracing import page
from apim_emulator.tracing.model import to_json
from apim_emulator.tracing.recorder import TraceRecorder

__all__ = ["TraceServer", "guard"]

_HOSTS = frozenset({"127.0.0.1", "localhost"})
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""No script runs, nothing is loaded from elsewhere, and no other page may show or read these."""


class TraceServer:
    """Serves what a recorder keeps."""

    def __init__(self, recorder: TraceRecorder) -> None:
        """Serve below a path that cannot be guessed: other users of the machine reach the port too."""
        self.path = f"/{secrets.token_urlsafe(16)}/"
        """Where the list of calls is, below the server's address."""
        self._recorder = recorder
        self.app = web.Application(middlewares=[guard])
        self.app.router.add_get(self.path, self._index)
        self.app.router.add_get(f"{self.path}style.css", self._style)
        self.app.router.add_get(f"{self.path}calls.json", self._json)
        self.app.router.add_get(rf"{self.path}{{number:\d{{1,12}}}}", self._call)

    async def _index(self, _: web.Request) -> web.Response:
        return _html(page.index(self._recorder.last()))

    async def _call(self, request: web.Request) -> web.Response:
        found = self._recorder.call(int(request.match_info["number"]))
        return _html(page.missing(), 404) if found is None else _html(page.call_page(found))

    async def _json(self, request: web.Request) -> web.Response:
        """Give the calls after a number, the oldest first."""
        after = request.query.get("after", "0")
        if not after.isdecimal() or len(after) > 12:
            raise web.HTTPBadRequest
        body = to_json(self._recorder.last(after=int(after)))
        return web.Response(body=body, content_type="application/json")

    async def _style(self, _: web.Request) -> web.Response:
        return web.Response(text=page.STYLE, content_type="text/css")


def _html(text: bytes, status: int = 200) -> web.Response:
    return web.Response(body=text, status=status, content_type="text/html", charset="utf-8")


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a host name that somebody else's DNS led here, and set the headers."""
    try:
        if request.host.partition(":")[0] not in _HOSTS:
            raise web.HTTPForbidden
        response = await handler(request)
    except web.HTTPException as refused:
        refused.headers.update(_HEADERS)
        raise
    response.headers.update(_HEADERS)
    return response
