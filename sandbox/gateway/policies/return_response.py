"""`return-response`: ends the pipeline with a response of its own."""

from collections.abc import Callable

from sandbox.expressions import Context
from sandbox.expressions.context import Response
from sandbox.gateway.document import Node
from sandbox.gateway.element import Element, leaf
from sandbox.gateway.errors import Finished
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.http import is_header_value
from sandbox.gateway.policies.set_header import HeaderChange
from sandbox.gateway.policy import EVERYWHERE, Policy, Run, Site

_ORDER = ("set-status", "set-header", "set-body")


def _compile(element: Element, _site: Site) -> Run:
    status = element.child("set-status")
    changes = [_header(node) for node in element.children("set-header")]
    body_node = element.child("set-body")
    places = [_ORDER.index(node.name) for node in element.node.children if node.name in _ORDER]
    if places != sorted(places):
        raise element.refused(f"children must come in the order {', '.join(_ORDER)}")
    set_status = (lambda _context, _response: None) if status is None else _status(status)
    body = None if body_node is None else leaf(body_node)

    async def run(exchange: Exchange) -> None:
        context = exchange.context
        response = Response()
        set_status(context, response)
        for change in changes:
            change.apply(response.headers, context)
        if body is not None:
            response.body = body(context).encode()
        context.response = response
        raise Finished

    return run


def _header(node: Node) -> HeaderChange:
    element = Element(node)
    change = HeaderChange(element)
    element.done()
    return change


def _status(node: Node) -> Callable[[Context, Response], None]:
    element = Element(node)
    code = element.integer("code", 200, 599)
    reason = element.optional_text("reason")
    element.done()
    literal = node.attributes.get("reason", "")
    if not is_header_value(literal):
        raise node.refused("not a reason phrase", "reason")

    def apply(context: Context, response: Response) -> None:
        response.status = code(context)
        response.reason = None if reason is None else reason(context)

    return apply


POLICY = Policy("return-response", EVERYWHERE, _compile)
