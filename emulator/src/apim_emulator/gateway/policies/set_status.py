"""`set-status`: changes the response's status code and reason phrase."""

from apim_emulator.gateway.context import Context
from apim_emulator.gateway.context.objects import Response
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.http.headers import is_header_value
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site


class StatusChange:
    """What one `set-status` does to a response."""

    def __init__(self, element: Element) -> None:
        """Read the policy; raises `RefusedError`."""
        self._code = element.integer("code", 200, 599)
        self._reason = element.optional_text("reason")
        if not element.computed("reason") and not is_header_value(element.node.attributes.get("reason", "")):
            element.refuse("not a reason phrase", "reason")

    def apply(self, response: Response, context: Context) -> None:
        """Change the response."""
        code = self._code(context)
        reason = None if self._reason is None else self._reason(context)
        # One that does not fit into a line is replaced by the standard one.
        response.status, response.reason = code, reason if reason is None or is_header_value(reason) else None


def _compile(element: Element, _site: Site) -> Run:
    change = StatusChange(element)

    async def run(exchange: Exchange) -> None:
        change.apply(exchange.response, exchange.context)

    return run


POLICY = Policy("set-status", _compile)
