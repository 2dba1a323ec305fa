"""A gateway between a test and stand-in servers, all on 127.0.0.1."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import quoteattr

import aiohttp
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestClient, TestServer
from multidict import CIMultiDict

from apim_emulator.clock import Clock
from apim_emulator.gateway import CallRecord, GatewayServer, Monitor
from apim_emulator.model import Api, Backend, Gateway, ManagedIdentity, Operation
from apim_emulator.network import Network

NOW = 1_700_000_000.0
BACKEND_URL = "https://contoso.openai.azure.com/openai"
CHAT = Operation(name="chat", method="POST", url_template="/deployments/{deployment-id}/chat/completions")
MODELS = Operation(name="models", method="GET", url_template="/models")
IDENTITIES = (
    ManagedIdentity(principal_id="system-principal", client_id="system-client", system_assigned=True),
    ManagedIdentity(principal_id="user-principal", client_id="user-client", system_assigned=False),
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Seen:
    """What a backend received."""

    method: str
    path: str
    headers: CIMultiDict[str]
    body: bytes


@dataclass
class StandIn:
    """A backend that records calls and answers as told."""

    calls: list[Seen] = field(default_factory=list)
    answer: Handler | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = b"" if self.answer is not None else await request.read()
        self.calls.append(Seen(request.method, request.raw_path, CIMultiDict(request.headers), body))
        return web.json_response({"ok": True}) if self.answer is None else await self.answer(request)

    @property
    def last(self) -> Seen:
        return self.calls[-1]


@dataclass
class Tokens:
    """Issues managed identity tokens that say whose they are."""

    clock: Clock
    requests: list[tuple[str, str]] = field(default_factory=list)
    refuse: bool = False

    def managed_identity_token(self, principal_id: str, resource: str) -> tuple[str, float]:
        self.requests.append((principal_id, resource))
        if self.refuse:
            raise LookupError("no such principal")
        return f"token-{len(self.requests)}-of-{principal_id}", self.clock.now() + 600


@dataclass
class Bench:
    """The running gateway and everything around it."""

    client: TestClient[web.BaseRequest, None]
    server: GatewayServer
    backend: StandIn
    network: Network
    tokens: Tokens
    clock: Clock
    records: list[CallRecord]

    def load(self, policy: str | None = None, /, **changes: Any) -> None:
        self.server.load(gateway(policy, **changes))

    async def call(self, path: str = "/api/models", method: str = "GET", **options: Any) -> aiohttp.ClientResponse:
        response = await self.client.request(method, path, **options)
        await response.read()
        return response

    async def raw(self, request: str) -> bytes:
        """Send bytes as they are; gives the whole response."""
        assert self.client.port is not None
        reader, writer = await asyncio.open_connection(self.client.host, self.client.port)
        writer.write(request.encode())
        response = await reader.read()
        writer.close()
        await writer.wait_closed()
        return response


class Listener(BaseTestServer):
    """Runs the gateway's own server."""

    def __init__(self, server: web.Server) -> None:
        super().__init__()
        self._listening = server

    async def _make_runner(self, **_: Any) -> web.ServerRunner:
        return web.ServerRunner(self._listening)


@asynccontextmanager
async def bench(
    start: float | None = NOW, *, monitor: Monitor | None = None, clock: Clock | None = None
) -> AsyncIterator[Bench]:
    """Start a backend behind `*.openai.azure.com` and a gateway that serves nothing yet."""
    backend, network, clock = StandIn(), Network(), clock or Clock(start)
    tokens, records = Tokens(clock), list[CallRecord]()
    async with serve(backend.handle) as url:
        network.route("*.openai.azure.com", url)
        server = GatewayServer(network, tokens, clock, records.append, monitor=monitor, any_host=True)
        async with server.running() as http:
            client: TestClient[web.BaseRequest, None] = TestClient(Listener(http))
            async with client:
                yield Bench(client, server, backend, network, tokens, clock, records)


@asynccontextmanager
async def serve(handler: Handler) -> AsyncIterator[str]:
    """Serve every path on 127.0.0.1; gives the base URL."""
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handler)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


def gateway(policy: str | None = None, /, **changes: Any) -> Gateway:
    """Make a service with one open API at /api; `api` changes the API, the rest changes the service."""
    api: dict[str, Any] = {"id": "api", "path": "api", "operations": (CHAT, MODELS), "subscription_required": False}
    api |= {"service_url": BACKEND_URL, "policy": policy, **changes.pop("api", {})}
    known: dict[str, Any] = {
        "name": "contoso",
        "sku": "BasicV2",
        "apis": (Api(**api),),
        "backends": (Backend(id="openai-backend", url=BACKEND_URL),),
        "identities": IDENTITIES,
    }
    return Gateway(**(known | changes))


def inbound(*policies: str, outbound: str = "<base/>", on_error: str = "<base/>", backend: str = "<base/>") -> str:
    """Make a document with these policies after `<base/>`."""
    return (
        f"<policies><inbound><base/>{''.join(policies)}</inbound><backend>{backend}</backend>"
        f"<outbound>{outbound}</outbound><on-error>{on_error}</on-error></policies>"
    )


def reply(expression: str) -> str:
    """Make a policy that answers with an expression's value as the header `X-Value`."""
    return header("X-Value", expression, wrap="return-response")


def header(name: str, value: str, action: str = "override", wrap: str | None = None) -> str:
    """Make a set-header."""
    text = value.replace("&", "&amp;").replace("<", "&lt;")
    found = f"<set-header name={quoteattr(name)} exists-action='{action}'><value>{text}</value></set-header>"
    return found if wrap is None else f"<{wrap}>{found}</{wrap}>"
