"""`forward-request`: calls the backend."""

from sandbox.expressions import Context
from sandbox.gateway.element import Element
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.forward import forward
from sandbox.gateway.policy import Policy, Run, Site

_DEFAULT_TIMEOUT = 300


def _compile(element: Element, _site: Site) -> Run:
    if element.has("timeout") and element.has("timeout-ms"):
        raise element.refused("timeout and timeout-ms exclude each other", "timeout-ms")
    in_ms = element.has("timeout-ms")
    limit = element.integer("timeout-ms" if in_ms else "timeout", 1, 86_400_000, default=_DEFAULT_TIMEOUT)
    fail_on_error = element.flag("fail-on-error-status-code", default=False)
    buffer_request = element.flag("buffer-request-body", default=False)
    # Responses are passed on chunk by chunk either way: holding back 8 KiB would change no byte.
    element.flag("buffer-response", default=True)
    element.only("follow-redirects", "false")
    element.only("http-version", "1")

    def seconds(context: Context) -> float:
        return limit(context) / 1000 if in_ms else float(limit(context))

    async def run(exchange: Exchange) -> None:
        if buffer_request and exchange.body is None:
            exchange.body = await exchange.incoming.read()
        await forward(exchange, seconds(exchange.context), fail_on_error=fail_on_error)

    return run


POLICY = Policy("forward-request", frozenset({"backend"}), _compile)
