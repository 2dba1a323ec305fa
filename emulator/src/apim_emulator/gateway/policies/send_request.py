"""`send-request`: calls another service and keeps its response in a variable."""

import asyncio
from contextlib import closing, suppress
from dataclasses import dataclass, field

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from apim_emulator.csharp import EvaluationError
from apim_emulator.csharp.runtime.certificates import Certificate
from apim_emulator.gateway.context import Context
from apim_emulator.gateway.context.objects import Response
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Failure, internal_error
from apim_emulator.gateway.http import bodies
from apim_emulator.gateway.http.forward import backend_url
from apim_emulator.gateway.http.headers import end_to_end
from apim_emulator.gateway.http.transport import Transport
from apim_emulator.gateway.loading.element import Element, Value, inner, leaf
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.policies.authentication_certificate import ClientCertificate
from apim_emulator.gateway.policies.authentication_managed_identity import IdentityToken
from apim_emulator.gateway.policies.forward_request import timeout
from apim_emulator.gateway.policies.set_body import body_value
from apim_emulator.gateway.policies.set_header import HeaderChange
from apim_emulator.gateway.policies.set_method import method_value
from apim_emulator.gateway.witness import Sending, note
from apim_emulator.network import HostRefusedError

_ORDER = (
    *("set-url", "set-method", "set-header", "set-body"),
    *("authentication-certificate", "authentication-managed-identity"),
)
DEFAULT_TIMEOUT = 60
"""Seconds."""


@dataclass(frozen=True, slots=True)
class OwnRequest:
    """A request of the gateway's own, ready to send."""

    method: str
    url: URL
    headers: CIMultiDict[str] = field(repr=False)
    body: bytes | None = field(repr=False)
    certificate: Certificate | None = None

    async def send(self, transport: Transport, seconds: float, purpose: str) -> Response:
        """Send it, for some `purpose`; raises `Failure`, also for a response that does not arrive whole."""
        try:
            with Sending(purpose, self.method, self.url) as sending:
                async with asyncio.timeout(seconds):
                    response = await self._answer(transport)
                    sending.answered(response.status)
                    return response
        except TimeoutError:
            raise internal_error("Timeout", "the service did not answer in time") from None
        except HostRefusedError as refused:
            raise internal_error("BackendConnectionFailure", str(refused)) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise internal_error("BackendConnectionFailure", f"no response: {type(error).__name__}") from None

    async def _answer(self, transport: Transport) -> Response:
        upstream = await transport.send(self.method, self.url, self.headers, self.body, self.certificate)
        with closing(upstream):
            content = await bodies.read_response(upstream.content.iter_any())
            found = end_to_end(upstream.headers)
            # What cannot be decoded stays as it is: no expression can read it, but its status counts.
            with suppress(ValueError):
                content = bodies.decoded(content, found)
                found.popall("Content-Encoding", None)
            return Response(upstream.status, upstream.reason, found, content)


@dataclass(frozen=True, slots=True)
class Message:
    """The request as the policy's children make it."""

    mode: Value[str]
    url: Value[str] | None
    method: Value[str] | None
    headers: list[HeaderChange]
    body: Value[str] | None
    certificate: ClientCertificate | None
    token: IdentityToken | None
    copies_body: bool
    """Whether a copy has the body too; after the backend was called it has none."""

    async def request(self, exchange: Exchange) -> OwnRequest:
        """Make the request of one call; raises `Failure`."""
        context = exchange.context
        is_copy = self.mode(context) == "copy"
        url = self._target(exchange, is_copy=is_copy)
        method = context.request.method if is_copy else "GET"
        headers = context.request.headers.copy() if is_copy else CIMultiDict[str]()
        body: bytes | None = None
        for name in ("Host", "Content-Length"):
            headers.popall(name, None)
        if is_copy and self.copies_body and exchange.incoming.body_exists:
            body = await exchange.read_request()
        if self.method is not None:
            method = self.method(context)
        for change in self.headers:
            change.apply(headers, context)
        if self.body is not None:
            body = self.body(context).encode()
            headers.popall("Content-Encoding", None)
        if self.token is not None:
            self.token.apply(exchange, headers)
        try:
            headers.setdefault("Host", url.authority if url.explicit_port is not None else url.host or "")
        except ValueError as error:
            raise internal_error("BackendConnectionFailure", f"no response: {type(error).__name__}") from None
        certificate = None if self.certificate is None else self.certificate.of(exchange)
        return OwnRequest(method, url, headers, body, certificate)

    def _target(self, exchange: Exchange, *, is_copy: bool) -> URL:
        if self.url is not None:
            try:
                return URL(self.url(exchange.context).strip())
            except ValueError:
                raise EvaluationError("UriFormatException") from None
        endpoint = None
        if is_copy and exchange.target is not None:
            endpoint = exchange.target.pick(exchange.services.clock.now())
        if endpoint is None:
            raise internal_error("BackendConnectionFailure", "there is no URL to send the request to")
        return backend_url(exchange, endpoint)


def _compile(element: Element, site: Site) -> Run:
    message = read_message(element, site)
    seconds = timeout(element, DEFAULT_TIMEOUT)
    variable = element.name("response-variable-name")
    ignore_error = element.flag("ignore-error", default=False)
    fail_on_error = element.flag("fail-on-error-status-code", default=False)
    # The response is always read whole: a variable holds it, and nobody waits for its parts.
    element.flag("buffer-response", default=True)

    async def run(exchange: Exchange) -> None:
        try:
            request = await message.request(exchange)
            response = await request.send(exchange.services.transport, seconds(exchange.context), "send-request")
            if fail_on_error and response.status >= 400:
                raise internal_error("BackendResponseFailure", f"the service answered {response.status}")
        except Failure as failure:
            if not ignore_error:
                raise
            note("failed, which is ignored: {}", failure.detail or failure.message)
            _keep(variable, None, exchange.context)
        else:
            _keep(variable, response, exchange.context)

    return run


def _keep(variable: str | None, response: Response | None, context: Context) -> None:
    if variable is not None:
        context.variables[variable] = response


def read_message(element: Element, site: Site) -> Message:
    """Read `mode` and the children; raises `RefusedError`."""
    mode = element.word("mode", ("new", "copy"), "new")
    url, method, body, certificate, token = (element.child(name) for name in _ORDER if name != "set-header")
    headers = [inner(node, HeaderChange) for node in element.children("set-header")]
    element.in_order(_ORDER)
    if url is None and element.node.attributes.get("mode", "new") == "new":
        element.refuse("needs set-url unless mode is copy")
    return Message(
        mode,
        None if url is None else leaf(url),
        None if method is None else inner(method, method_value),
        headers,
        None if body is None else inner(body, body_value),
        None if certificate is None else inner(certificate, lambda found: ClientCertificate(found, site)),
        None if token is None else inner(token, IdentityToken),
        site.section in {"inbound", "backend"},
    )


POLICY = Policy("send-request", _compile)
