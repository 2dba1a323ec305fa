"""`forward-request`: calls the backend."""

from apim_emulator.gateway.context import Context
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.http.bodies import in_blocks
from apim_emulator.gateway.http.forward import forward
from apim_emulator.gateway.loading.element import Element, Value
from apim_emulator.gateway.loading.policy import Policy, Run, Site

_DEFAULT_TIMEOUT = 300
_BLOCK = 8 * 1024
"""Bytes in which a buffered response is passed on."""


def timeout(element: Element, default: int) -> Value[float]:
    """Read `timeout` or `timeout-ms`; gives seconds."""
    if element.has("timeout") and element.has("timeout-ms"):
        element.refuse("timeout and timeout-ms exclude each other", "timeout-ms")
    in_ms = element.has("timeout-ms")
    limit = element.integer("timeout-ms" if in_ms else "timeout", 1, 2**31 - 1, default=default)

    def seconds(context: Context) -> float:
        return limit(context) / 1000 if in_ms else float(limit(context))

    return seconds


def _compile(element: Element, _site: Site) -> Run:
    seconds = timeout(element, _DEFAULT_TIMEOUT)
    fail_on_error = element.flag("fail-on-error-status-code", default=False)
    buffer_request = element.flag("buffer-request-body", default=False)
    buffer_response = element.flag("buffer-response", default=True)
    element.only("follow-redirects")
    # The emulator speaks HTTP/1.1 to backends, which `2or1` leaves to the gateway.
    element.only("http-version")

    async def run(exchange: Exchange) -> None:
        if buffer_request:
            await exchange.read_request()
        await forward(exchange, seconds(exchange.context), fail_on_error=fail_on_error)
        response = exchange.response
        if buffer_response and response.stream is not None:
            response.stream = in_blocks(response.stream, _BLOCK)

    return run


POLICY = Policy("forward-request", _compile, sections=("backend",))
