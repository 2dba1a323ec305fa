"""Requests that two HTTP parsers may read in two ways, sent over raw sockets to a real server.

`AMBIGUOUS` must be refused: nothing of them may reach the upstream. `PLAIN` are unusual but clear: each reaches the
upstream as exactly the requests that are listed, framed anew.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from apim_emulator.clock import Clock
from apim_emulator.gateway import GatewayServer
from apim_emulator.model import Operation
from apim_emulator.network import Network
from emulator.tests.gateway.harness import Tokens, gateway

pytestmark = pytest.mark.attack

HIDDEN = b"GET /api/models?hidden HTTP/1.1\r\nHost: x\r\n\r\n"
ANY = tuple(
    Operation(name=f"{method}-{number}", method=method, url_template=template)
    for method in ("GET", "POST", "OPTIONS")
    for number, template in enumerate(("/models", "/files/{*path}"))
)


def post(*headers: bytes, body: bytes = b"", version: bytes = b"HTTP/1.1", path: bytes = b"/api/models") -> bytes:
    """Make a request with these header lines."""
    lines = b"".join(line + b"\r\n" for line in (b"Host: x", *headers))
    return b"POST " + path + b" " + version + b"\r\n" + lines + b"\r\n" + body


def chunked(body: bytes, *headers: bytes) -> bytes:
    return post(b"Transfer-Encoding: chunked", *headers, body=body)


CL, TE = b"Content-Length: %d" % len(HIDDEN), b"Transfer-Encoding: chunked"
EMPTY_CHUNKS = b"0\r\n\r\n"
AMBIGUOUS = {
    # two lengths
    "CL.TE": post(b"Content-Length: %d" % len(EMPTY_CHUNKS + HIDDEN), TE, body=EMPTY_CHUNKS + HIDDEN),
    "TE.CL": post(TE, b"Content-Length: 4", body=b"%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n0\r\n\r\n"),
    "TE.TE identity": post(TE, b"Transfer-Encoding: identity", body=EMPTY_CHUNKS + HIDDEN),
    "TE.TE chunked": post(TE, TE, CL, body=EMPTY_CHUNKS + HIDDEN),
    "TE list": post(b"Transfer-Encoding: chunked, identity", CL, body=EMPTY_CHUNKS + HIDDEN),
    "TE list the other way": post(b"Transfer-Encoding: identity, chunked", CL, body=EMPTY_CHUNKS + HIDDEN),
    "TE chunked twice": post(b"Transfer-Encoding: chunked, chunked", body=EMPTY_CHUNKS + HIDDEN),
    "TE unknown": post(b"Transfer-Encoding: xchunked", CL, body=HIDDEN),
    "TE unknown without CL": post(b"Transfer-Encoding: xchunked", body=HIDDEN),
    "TE gzip": post(b"Transfer-Encoding: gzip", CL, body=HIDDEN),
    "TE empty": post(b"Transfer-Encoding: ", CL, body=HIDDEN),
    "TE quoted": post(b'Transfer-Encoding: "chunked"', CL, body=HIDDEN),
    "TE with parameter": post(b"Transfer-Encoding: chunked;q=1", CL, body=EMPTY_CHUNKS + HIDDEN),
    "TE vertical tab": post(b"Transfer-Encoding:\x0bchunked", CL, body=EMPTY_CHUNKS + HIDDEN),
    "TE form feed": post(b"Transfer-Encoding: \x0cchunked", CL, body=EMPTY_CHUNKS + HIDDEN),
    "TE trailing NUL": post(b"Transfer-Encoding: chunked\0", CL, body=EMPTY_CHUNKS + HIDDEN),
    "TE space before colon": post(b"Transfer-Encoding : chunked", CL, body=EMPTY_CHUNKS + HIDDEN),
    "TE tab before colon": post(b"Transfer-Encoding\t: chunked", CL, body=EMPTY_CHUNKS + HIDDEN),
    "TE after a space": post(b" Transfer-Encoding: chunked", CL, body=EMPTY_CHUNKS + HIDDEN),
    "TE folded": post(b"Transfer-Encoding:\r\n chunked", CL, body=EMPTY_CHUNKS + HIDDEN),
    "TE folded into another": post(b"X-A: 1\r\n Transfer-Encoding: chunked", CL, body=EMPTY_CHUNKS + HIDDEN),
    "TE after a bare LF": post(b"X-A: 1\nTransfer-Encoding: chunked", CL, body=EMPTY_CHUNKS + HIDDEN),
    "TE after a bare CR": post(b"X-A: 1\rTransfer-Encoding: chunked", CL, body=EMPTY_CHUNKS + HIDDEN),
    "TE underscore": post(b"Transfer_Encoding: chunked", TE, CL, body=EMPTY_CHUNKS + HIDDEN),
    "TE HTTP/1.0": post(TE, body=EMPTY_CHUNKS + HIDDEN, version=b"HTTP/1.0"),
    "TE HTTP/1.0 and CL": post(TE, CL, body=HIDDEN, version=b"HTTP/1.0"),
    "two CL that differ": post(b"Content-Length: 0", CL, body=HIDDEN),
    "two CL that differ, the other way": post(CL, b"Content-Length: 0", body=HIDDEN),
    "two CL that agree": post(CL, CL, body=HIDDEN),
    "CL list": post(b"Content-Length: 5, 5", body=b"hello"),
    "CL list that differs": post(b"Content-Length: 0, %d" % len(HIDDEN), body=HIDDEN),
    "CL plus": post(b"Content-Length: +5", body=b"hello"),
    "CL minus": post(b"Content-Length: -5", body=b"hello"),
    "CL hexadecimal": post(b"Content-Length: 0x5", body=b"hello"),
    "CL underscore": post(b"Content-Length: 1_0", body=b"hellohello"),
    "CL exponent": post(b"Content-Length: 1e1", body=b"hellohello"),
    "CL decimal": post(b"Content-Length: 5.0", body=b"hello"),
    "CL spaces inside": post(b"Content-Length: 1 0", body=b"hellohello"),
    "CL empty": post(b"Content-Length: ", body=HIDDEN),
    "CL Arabic digit": post("Content-Length: \u0665".encode(), body=b"hello"),
    "CL superscript digit": post(b"Content-Length: \xb2", body=b"he"),
    "CL too long": post(b"Content-Length: 99999999999999999999999999", body=HIDDEN),
    "CL around 2 to the 64": post(b"Content-Length: 18446744073709551616", body=HIDDEN),
    "CL trailing NUL": post(b"Content-Length: 5\0", body=b"hello"),
    "CL space before colon": post(b"Content-Length : %d" % len(HIDDEN), body=HIDDEN),
    "CL after a space": post(b" Content-Length: %d" % len(HIDDEN), body=HIDDEN),
    "CL folded": post(b"Content-Length:\r\n 5", body=b"hello"),
    # chunks
    "chunk size 0x": chunked(b"0x5\r\nhello\r\n0\r\n\r\n"),
    "chunk size plus": chunked(b"+5\r\nhello\r\n0\r\n\r\n"),
    "chunk size minus": chunked(b"-5\r\nhello\r\n0\r\n\r\n"),
    "chunk size after a space": chunked(b" 5\r\nhello\r\n0\r\n\r\n"),
    "chunk size before a tab": chunked(b"5\t\r\nhello\r\n0\r\n\r\n"),
    "chunk size underscore": chunked(b"0_5\r\nhello\r\n0\r\n\r\n"),
    "chunk size empty": chunked(b"\r\nhello\r\n0\r\n\r\n"),
    "chunk size no hexadecimal": chunked(b"g\r\nhello\r\n0\r\n\r\n"),
    "chunk size overflows": chunked(b"ffffffffffffffff5\r\nhello\r\n0\r\n\r\n"),
    "chunk size wraps 32 bits": chunked(b"100000005\r\nhello\r\n0\r\n\r\n" + HIDDEN),
    "chunk size bare LF": chunked(b"5\nhello\r\n0\r\n\r\n"),
    "chunk size bare CR": chunked(b"5\rhello\r\n0\r\n\r\n"),
    "chunk data without CRLF": chunked(b"5\r\nhello0\r\n\r\n"),
    "chunk data longer than said": chunked(b"5\r\nhello!\r\n0\r\n\r\n"),
    "chunk data bare LF": chunked(b"5\r\nhello\n0\r\n\r\n"),
    "chunk data two bytes for CRLF": chunked(b"5\r\nhelloXX0\r\n\r\n"),
    "chunk extension bare LF": chunked(b"5;a\nhello\r\n0\r\n\r\n"),
    "chunk extension CR inside": chunked(b"5;a\rb\r\nhello\r\n0\r\n\r\n"),
    "chunk extension NUL": chunked(b"5;a\0b\r\nhello\r\n0\r\n\r\n"),
    "last chunk bare LF": chunked(b"5\r\nhello\r\n0\n\n"),
    "trailer space before colon": chunked(b"0\r\nX-A : 1\r\n\r\n"),
    "trailer folded": chunked(b"0\r\nX-A: 1\r\n b\r\n\r\n"),
    "trailer with CL": chunked(b"5\r\nhello\r\n0\r\nContent-Length: 99\r\n\r\n"),
    "trailer with TE": chunked(b"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n" + HIDDEN),
    "trailer with CL again": post(TE, body=b"0\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n" + HIDDEN),
    "trailer bare LF": chunked(b"0\r\nX-A: 1\nX-B: 2\r\n\r\n"),
    # headers
    "folded header": post(b"X-A: 1\r\n 2", b"Content-Length: 0"),
    "folded first header": b"GET /api/models HTTP/1.1\r\n Host: x\r\n\r\n",
    "header without colon": post(b"X-A", b"Content-Length: 0"),
    "header without name": post(b": 1", b"Content-Length: 0"),
    "space in a name": post(b"X A: 1", b"Content-Length: 0"),
    "space before colon": post(b"X-A : 1", b"Content-Length: 0"),
    "NUL in a name": post(b"X-\0A: 1", b"Content-Length: 0"),
    "NUL in a value": post(b"X-A: a\0b", b"Content-Length: 0"),
    "escape in a value": post(b"X-A: a\x1bb", b"Content-Length: 0"),
    "delete in a value": post(b"X-A: a\x7fb", b"Content-Length: 0"),
    "bare CR in a value": post(b"X-A: a\rb", b"Content-Length: 0"),
    "bare LF ends": b"GET /api/models HTTP/1.1\nHost: x\n\n",
    "bare LF ends the head": b"GET /api/models HTTP/1.1\r\nHost: x\r\n\n",
    "bare CR ends": b"GET /api/models HTTP/1.1\rHost: x\r\r",
    "not ASCII in a name": post("X-\u00e9: 1".encode(), b"Content-Length: 0"),
    "brackets in a name": post(b"X(A): 1", b"Content-Length: 0"),
    "no Host": b"GET /api/models HTTP/1.1\r\n\r\n",
    "two Hosts": post(b"Host: y", b"Content-Length: 0"),
    "empty Host": b"GET /api/models HTTP/1.1\r\nHost:\r\n\r\n",
    "Host with a path": b"GET /api/models HTTP/1.1\r\nHost: x/y\r\n\r\n",
    "Host with a user": b"GET /api/models HTTP/1.1\r\nHost: u@x\r\n\r\n",
    "Host with a quote": b'GET /api/models HTTP/1.1\r\nHost: x"\r\n\r\n',
    "Host with a space": b"GET /api/models HTTP/1.1\r\nHost: x y\r\n\r\n",
    "Host with two ports": b"GET /api/models HTTP/1.1\r\nHost: x:1:2\r\n\r\n",
    "huge header": post(b"X-A: " + b"a" * 40_000, b"Content-Length: 0"),
    "huge name": post(b"X" * 40_000 + b": 1", b"Content-Length: 0"),
    "many headers": post(*[b"X-%d: 1" % number for number in range(200)], b"Content-Length: 0"),
    "endless headers": post(*[b"X-%d: " % number + b"a" * 1000 for number in range(5000)], b"Content-Length: 0"),
    # request line
    "tabs": b"GET\t/api/models\tHTTP/1.1\r\nHost: x\r\n\r\n",
    "no version": b"GET /api/models\r\nHost: x\r\n\r\n",
    "HTTP/0.9": b"GET /api/models\r\n\r\n",
    "HTTP/2.0": b"GET /api/models HTTP/2.0\r\nHost: x\r\n\r\n",
    "HTTP/1.2": b"GET /api/models HTTP/1.2\r\nHost: x\r\n\r\n",
    "HTTP/1.10": b"GET /api/models HTTP/1.10\r\nHost: x\r\n\r\n",
    "http in lower case": b"GET /api/models http/1.1\r\nHost: x\r\n\r\n",
    "version and more": b"GET /api/models HTTP/1.1 x\r\nHost: x\r\n\r\n",
    "preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "method with a colon": b"GE:T /api/models HTTP/1.1\r\nHost: x\r\n\r\n",
    "method in lower case": b"get /api/models HTTP/1.1\r\nHost: x\r\n\r\n",
    "unknown method": b"SMUGGLE /api/models HTTP/1.1\r\nHost: x\r\n\r\n",
    "space in a path": b"GET /api/models?a b HTTP/1.1\r\nHost: x\r\n\r\n",
    "NUL in a path": b"GET /api/models\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "control in a query": b"GET /api/models?a=\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
    "not ASCII in a path": "GET /api/files/\u00e9 HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    "backslash": b"GET /api\\models HTTP/1.1\r\nHost: x\r\n\r\n",
    "path out of the API": b"GET /api/files/../../models HTTP/1.1\r\nHost: x\r\n\r\n",
    "encoded path out of the API": b"GET /api/files/%2e%2e/%2e%2e/x HTTP/1.1\r\nHost: x\r\n\r\n",
    "encoded line break": b"GET /api/files/a%0d%0aX-A:%201 HTTP/1.1\r\nHost: x\r\n\r\n",
    "fragment": b"GET /api/models#/../x HTTP/1.1\r\nHost: x\r\n\r\n",
    "huge path": b"GET /api/files/" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "huge query": b"GET /api/models?" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "absolute form": b"GET http://elsewhere/api/models HTTP/1.1\r\nHost: x\r\n\r\n",
    "authority form": b"CONNECT elsewhere:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "asterisk form": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "path without a slash": b"GET api/models HTTP/1.1\r\nHost: x\r\n\r\n",
    "two slashes": b"GET //elsewhere/api/models HTTP/1.1\r\nHost: x\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303") + b"\0" * 32,
    "noise": bytes(range(256)) * 4,
}

PLAIN: dict[str, tuple[bytes, list[tuple[str, str, bytes]]]] = {
    "CL": (post(b"Content-Length: 5", body=b"hello"), [("POST", "/models", b"hello")]),
    "CL with a hidden request in the body": (post(CL, body=HIDDEN), [("POST", "/models", HIDDEN)]),
    "CL with zeros in front": (post(b"Content-Length: 005", body=b"hello"), [("POST", "/models", b"hello")]),
    "CL with space around": (post(b"Content-Length:  \t5 ", body=b"hello"), [("POST", "/models", b"hello")]),
    "GET with a body": (
        b"GET /api/models HTTP/1.1\r\nHost: x\r\n" + CL + b"\r\n\r\n" + HIDDEN,
        [("GET", "/models", HIDDEN)],
    ),
    "chunks": (chunked(b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"), [("POST", "/models", b"hello!")]),
    "chunks in another case": (
        post(b"transfer-encoding: CHUNKED", body=b"A\r\nhellohello\r\n0\r\n\r\n"),
        [("POST", "/models", b"hellohello")],
    ),
    "chunks with a hidden request inside": (
        chunked(b"%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n0\r\n\r\n"),
        [("POST", "/models", HIDDEN)],
    ),
    "chunk extensions are dropped": (
        chunked(b'5;a=b;c="d;e"\r\nhello\r\n0;x\r\n\r\n'),
        [("POST", "/models", b"hello")],
    ),
    "huge chunk extension is dropped": (
        chunked(b"5;" + b"a" * 100_000 + b"\r\nhello\r\n0\r\n\r\n"),
        [("POST", "/models", b"hello")],
    ),
    "two spaces in the request line": (b"GET  /api/models HTTP/1.1\r\nHost: x\r\n\r\n", [("GET", "/models", b"")]),
    "chunk size with zeros in front": (chunked(b"0005\r\nhello\r\n000\r\n\r\n"), [("POST", "/models", b"hello")]),
    "trailers are dropped": (
        chunked(b"5\r\nhello\r\n0\r\nX-A: 1\r\nAuthorization: x\r\n\r\n"),
        [("POST", "/models", b"hello")],
    ),
    "pipelined": (
        post(b"Content-Length: 5", body=b"hello") + HIDDEN,
        [("POST", "/models", b"hello"), ("GET", "/models?hidden", b"")],
    ),
    "pipelined after chunks": (
        chunked(b"0\r\n\r\n") + HIDDEN,
        [("POST", "/models", b""), ("GET", "/models?hidden", b"")],
    ),
    "line breaks in front": (b"\r\n" * 2000 + HIDDEN, [("GET", "/models?hidden", b"")]),
    "Connection names Content-Length": (
        post(b"Content-Length: 5", b"Connection: Content-Length", body=b"hello"),
        [("POST", "/models", b"hello")],
    ),
    "Connection names Transfer-Encoding": (
        chunked(b"5\r\nhello\r\n0\r\n\r\n", b"Connection: Transfer-Encoding, Host"),
        [("POST", "/models", b"hello")],
    ),
    "Upgrade h2c": (
        HIDDEN[:-2] + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n\r\n",
        [("GET", "/models?hidden", b"")],
    ),
    "Upgrade to a web socket, which is not made": (
        HIDDEN[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n" + HIDDEN,
        [("GET", "/models?hidden", b"")] * 2,
    ),
    "TE and Trailer": (
        chunked(b"5\r\nhello\r\n0\r\n\r\n", b"TE: trailers", b"Trailer: X-A"),
        [("POST", "/models", b"hello")],
    ),
    "encoded path": (
        b"GET /api/files/a%20b%2Bc;v=1?x=%0d%0aX-A:%201 HTTP/1.1\r\nHost: x\r\n\r\n",
        [("GET", "/files/a%20b%2Bc;v=1?x=%0d%0aX-A:%201", b"")],
    ),
    "Host with a port": (b"GET /api/models HTTP/1.1\r\nHost: x:8080\r\n\r\n", [("GET", "/models", b"")]),
    "Host in brackets": (b"GET /api/models HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", [("GET", "/models", b"")]),
    "HTTP/1.0": (b"GET /api/models HTTP/1.0\r\nHost: x\r\n\r\n", [("GET", "/models", b"")]),
}


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Upstream:
    """A server that reads requests strictly and writes down each, and every byte that is none."""

    requests: list[tuple[str, str, bytes, bytes]] = field(default_factory=list)
    """Method, target, head and body."""
    odd: list[bytes] = field(default_factory=list)
    answer: bytes = OK

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                method, target, version = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
                names = [line.partition(b":")[0].strip().lower() for line in head.split(b"\r\n")[1:-2]]
                lengths = re.findall(rb"(?im)^content-length:[ \t]*([0-9]+)\r$", head)
                chunks = re.findall(rb"(?im)^transfer-encoding:[ \t]*(.*)\r$", head)
                if version != "HTTP/1.1" or len(lengths) + len(chunks) > 1 or chunks not in ([], [b"chunked"]):
                    self.odd.append(head)
                if b"\n" in head.replace(b"\r\n", b"") or names.count(b"host") != 1:
                    self.odd.append(head)
                body = await self._chunks(reader) if chunks else await reader.readexactly(int((lengths or [b"0"])[0]))
                self.requests.append((method, target, head, body))
                writer.write(self.answer)
                await writer.drain()
                if self.answer != OK:
                    return
        except asyncio.IncompleteReadError as error:
            if error.partial:
                self.odd.append(error.partial)
        except (ConnectionError, ValueError) as error:
            if isinstance(error, ValueError):
                self.odd.append(b"not HTTP")
        finally:
            writer.close()

    async def _chunks(self, reader: asyncio.StreamReader) -> bytes:
        found = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            found += await reader.readexactly(size)
            assert await reader.readexactly(2) == b"\r\n"
        assert await reader.readexactly(2) == b"\r\n"
        return found


@dataclass
class Line:
    """A gateway behind a real socket, in front of the strict upstream."""

    upstream: Upstream
    server: GatewayServer = field(init=False)
    port: int = 0
    calls: list[object] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)

    def record(self, call: object) -> None:
        self.calls.append(call)
        self.called.set()

    @contextmanager
    def watched(self) -> Iterator[Upstream]:
        """Watch what reaches the upstream from here on."""
        self.upstream.requests.clear()
        self.upstream.odd.clear()
        yield self.upstream

    async def send(
        self, data: bytes, wait: float = 0.4, address: str = "127.0.0.1", enough: Callable[[bytes], bool] | None = None
    ) -> bytes:
        """Send bytes from an address and give what comes back until nothing more does.

        Where it is not `enough` yet, a busy machine gets ten times as long.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0))
        found = b""
        try:
            writer.write(data)
            for _ in range(10):
                with suppress(TimeoutError):
                    while part := await asyncio.wait_for(reader.read(65_536), wait):
                        found += part
                    break
                if enough is None or enough(found):
                    break
        except ConnectionError:
            pass
        finally:
            writer.close()
        return found

    def reached(self, address: str) -> list[tuple[str, str, bytes]]:
        """List method, target and body of the upstream's requests that came from an address."""
        forwarded = rb"(?im)^x-forwarded-for:(?:.*[ ,])?" + re.escape(address).encode() + rb"\r$"
        return [
            (method, target, body)
            for method, target, head, body in self.upstream.requests
            if re.search(forwarded, head)
        ]


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Line]:
    upstream, clock = Upstream(), Clock()
    running = Line(upstream)
    listening = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    server = GatewayServer(Network(), Tokens(clock), clock, running.record, any_host=True)
    server.load(gateway(None, api={"service_url": url, "operations": ANY}))
    running.server = server
    async with server.running(**options) as http:
        runner = web.ServerRunner(http)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        running.port = runner.addresses[0][1]
        yield running
        await runner.cleanup()
    listening.close()


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with serving() as running:
        yield running


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)]


async def test_ambiguous_requests_do_not_reach_the_upstream(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    through, crashed, accepted = [], [], []
    for name, data in AMBIGUOUS.items():
        with line.watched() as seen:
            answers = statuses(await line.send(data))
        if seen.requests or seen.odd:
            through.append(name)
        if any(status < 400 for status in answers):
            accepted.append(name)
        if any(status >= 500 for status in answers) or "Traceback" in caplog.text:
            crashed.append(name)

    count = f"{len(AMBIGUOUS)} tried, {len(through)} through, {len(accepted)} accepted, {len(crashed)} crashes"
    assert (count, through, accepted, crashed) == (
        f"{len(AMBIGUOUS)} tried, 0 through, 0 accepted, 0 crashes",
        [],
        [],
        [],
    )


async def test_ambiguous_requests_do_not_reach_the_upstream_after_a_plain_one(line: Line) -> None:
    """The same on a connection in use, with a request behind: it is read only where it surely begins there."""
    through = []
    for name, data in AMBIGUOUS.items():
        with line.watched() as seen:
            answers = statuses(await line.send(post(b"Content-Length: 5", body=b"hello") + data + HIDDEN))
        if len(seen.requests) > (2 if 404 in answers else 1) or seen.odd:
            through.append((name, [target for _, target, _, _ in seen.requests[1:]]))

    assert through == []


@pytest.mark.parametrize(("data", "expected"), PLAIN.values(), ids=PLAIN.keys())
async def test_plain_requests_reach_the_upstream_framed_anew(
    line: Line, data: bytes, expected: list[tuple[str, str, bytes]]
) -> None:
    with line.watched() as seen:
        answers = statuses(await line.send(data))

    assert [(method, target.removeprefix("/openai"), body) for method, target, _, body in seen.requests] == expected
    assert answers == [200] * len(expected)
    assert (seen.odd, len(line.calls)) == ([], len(expected))
    for _, _, head, _ in seen.requests:
        assert not re.search(rb"(?im)^(connection: (?!close)|upgrade|te|trailer|http2-settings|x-a):", head)


async def test_half_a_request_does_not_wait_for_ever() -> None:
    async with serving(keepalive_timeout=0.2) as quick:
        for head in (b"", b"GET /api/models HTTP/1.1\r\n", b"GET /api/models HTTP/1.1\r\nHost: x\r\nX-A: "):
            started = asyncio.get_running_loop().time()
            assert await quick.send(head, wait=10) == b""
            assert asyncio.get_running_loop().time() - started < 5
        assert quick.upstream.requests == []


async def test_body_that_stops_arriving_is_refused(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apim_emulator.gateway.http.bodies.IDLE", 0.1)

    answer = await line.send(post(b"Content-Length: 50", body=b"hello"), wait=5)

    assert statuses(answer) == [408]
    assert line.upstream.requests == []


async def test_body_above_the_cap_is_refused(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apim_emulator.gateway.http.bodies.MAX_BODY", 1000)

    assert statuses(await line.send(post(b"Content-Length: 1001", body=b"x" * 1001))) == [413]
    assert statuses(await line.send(chunked(b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n"))) == [413]
    assert line.upstream.requests == []


async def test_caller_who_does_not_read_loses_the_connection(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apim_emulator.gateway.http.reply.IDLE", 0.2)
    line.upstream.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n" + b"x" * 50_000_000
    reader, writer = await asyncio.open_connection("127.0.0.1", line.port, limit=1024)
    writer.write(HIDDEN)
    await reader.readexactly(10)

    async with asyncio.timeout(10):
        await line.called.wait()
    writer.close()

    assert len(line.calls) == 1


UNSOUND = {
    "not HTTP": b"hello\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "switching protocols": b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nok",
    "length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
    "NUL in a header": b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 2\r\n\r\nok",
    "escape in a header": b"HTTP/1.1 200 OK\r\nX-A: a\x1bb\r\nContent-Length: 2\r\n\r\nok",
    "bytes that are no text": b"HTTP/1.1 200 OK\r\nX-A: a\xffb\r\nContent-Length: 2\r\n\r\nok",
    "huge header": b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 70_000 + b"\r\nContent-Length: 2\r\n\r\nok",
    "closed": b"",
}


@pytest.mark.parametrize("answer", UNSOUND.values(), ids=UNSOUND.keys())
async def test_unsound_response_of_the_upstream_is_not_passed_on(line: Line, answer: bytes) -> None:
    line.upstream.answer = answer

    found = await line.send(HIDDEN)

    assert statuses(found) == [500]
    assert len(line.upstream.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nxyz\r\n",
    ],
    ids=["length", "chunks", "wrong chunk"],
)
async def test_truncated_response_is_not_passed_off_as_whole(line: Line, answer: bytes) -> None:
    line.upstream.answer = answer

    found = await line.send(HIDDEN + HIDDEN)

    assert statuses(found) in ([], [200], [500, 500])
    assert not found.endswith(b"0\r\n\r\n")
    assert b"Content-Length: 4" not in found


async def test_response_that_is_longer_than_said_is_no_second_response(line: Line) -> None:
    line.upstream.answer = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nX-Evil: 1\r\nContent-Length: 0\r\n\r\n"
    )

    found = [await line.send(HIDDEN) for _ in range(2)]

    assert b"X-Evil" not in b"".join(found)
