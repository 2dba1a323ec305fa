"""One call on its way through the pipeline."""

from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from sandbox.clock import Clock
from sandbox.expressions.context import Context, Response
from sandbox.gateway.backends import Endpoint, Target
from sandbox.gateway.identity import Identities
from sandbox.gateway.tokens.openid import OpenIdProviders
from sandbox.network import Network


@dataclass(frozen=True, slots=True)
class Services:
    """What policies use beyond the call itself."""

    network: Network
    clock: Clock
    identities: Identities
    providers: OpenIdProviders
    session: Callable[[], aiohttp.ClientSession]


@dataclass(slots=True)
class Exchange:
    """The call, what the policies decided about it, and its upstream call."""

    context: Context
    services: Services
    incoming: web.Request
    target: Target | None = None
    """Where forward-request sends it; None: nowhere yet."""
    target_scope: str | None = None
    """Scope whose policy chose a backend by id, None where none did."""
    host_set: bool = False
    """Whether a policy set the `Host` header."""
    backend_called: bool = False
    upstream: aiohttp.ClientResponse | None = None
    body: bytes | None = field(default=None, repr=False)
    """Request body once it was read into memory."""

    @property
    def response(self) -> Response:
        """The response so far; empty 200 where nothing was forwarded (inferred)."""
        if self.context.response is None:
            self.context.response = Response()
        return self.context.response

    def send_to(self, target: Target) -> None:
        """Send the call to a target; an endpoint's base path becomes part of the request's URL."""
        self.target = target
        self.context.request.base_path = target.path if isinstance(target, Endpoint) else ""

    def close(self) -> None:
        """Give up the upstream call if it is still running."""
        if self.upstream is not None:
            self.upstream.close()
