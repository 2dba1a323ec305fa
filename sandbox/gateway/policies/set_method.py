"""`set-method`: changes the request's method."""

from policies.set_method import SetMethod
from sandbox.expressions import Context, EvaluationError
from sandbox.gateway.element import Element, Value, text_value
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.http import is_header_name
from sandbox.gateway.policy import Policy, Run, Site


def method_value(element: Element) -> Value[str]:
    """Read the method from the element's text; raises `RefusedError`."""
    element.content()
    text = element.node.text.strip()
    value = text_value(element.node, text)
    if not text.startswith("@") and not _is_method(text):
        raise element.refused("needs the name of a method other than CONNECT")

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


POLICY = Policy(SetMethod, _compile)
