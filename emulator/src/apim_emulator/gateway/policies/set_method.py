"""`set-method`: changes the request's method."""

from apim_emulator.csharp import EvaluationError
from apim_emulator.gateway.context import Context
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.http.headers import is_header_name
from apim_emulator.gateway.loading.element import Element, Value, text_value
from apim_emulator.gateway.loading.policy import Policy, Run, Site


def method_value(element: Element) -> Value[str]:
    """Read the method from the element's text; raises `RefusedError`."""
    element.content()
    text = element.node.text.strip()
    value = text_value(element.node, text)
    if not text.startswith("@") and not _is_method(text):
        element.refuse("needs the name of a method other than CONNECT")

    def evaluate(context: Context) -> str:
        method = value(context)
        if not _is_method(method):
            raise EvaluationError("FormatException")
        return method

    return evaluate


def _is_method(text: str) -> bool:
    """Tell whether a request may have this method; CONNECT would open a tunnel."""
    return is_header_name(text) and text.upper() != "CONNECT"


def _compile(element: Element, _site: Site) -> Run:
    method = method_value(element)

    async def run(exchange: Exchange) -> None:
        exchange.context.request.method = method(exchange.context)

    return run


POLICY = Policy("set-method", _compile)
