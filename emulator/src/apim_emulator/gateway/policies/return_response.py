"""`return-response`: ends the pipeline with a response of its own."""

from copy import copy

from apim_emulator.csharp import EvaluationError
from apim_emulator.gateway.context import Context
from apim_emulator.gateway.context.objects import Response
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Finished
from apim_emulator.gateway.loading.element import Element, inner
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.policies.set_body import body_value
from apim_emulator.gateway.policies.set_header import HeaderChange
from apim_emulator.gateway.policies.set_status import StatusChange

_ORDER = ("set-status", "set-header", "set-body")


def _compile(element: Element, _site: Site) -> Run:
    variable = element.name("response-variable-name")
    status_node, body_node = element.child("set-status"), element.child("set-body")
    headers = [inner(node, HeaderChange) for node in element.children("set-header")]
    element.in_order(_ORDER)
    status = None if status_node is None else inner(status_node, StatusChange)
    body = None if body_node is None else inner(body_node, body_value)

    async def run(exchange: Exchange) -> None:
        context = exchange.context
        response = Response() if variable is None else _from_variable(variable, context)
        if status is not None:
            status.apply(response, context)
        for change in headers:
            change.apply(response.headers, context)
        if body is not None:
            response.body, response.stream = body(context).encode(), None
            response.headers.popall("Content-Encoding", None)
        context.response = response
        raise Finished

    return run


def _from_variable(name: str, context: Context) -> Response:
    """Copy a response that an earlier policy left, such as `send-request`."""
    found = context.variables.get(name)
    if not isinstance(found, Response):
        raise EvaluationError("KeyNotFoundException" if name not in context.variables else "InvalidCastException")
    response = copy(found)
    response.headers = found.headers.copy()
    return response


POLICY = Policy("return-response", _compile)
