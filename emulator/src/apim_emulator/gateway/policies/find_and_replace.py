"""`find-and-replace`: replaces a text everywhere in the body of the request or of the response."""

from apim_emulator.csharp import EvaluationError
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import internal_error
from apim_emulator.gateway.http.bodies import MAX_BODY, decoded
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.witness import note


def _compile(element: Element, site: Site) -> Run:
    old, new = element.text("from"), element.text("to")
    if element.node.attributes["from"] == "":
        element.refuse("must not be empty", "from")
    on_request = site.section in {"inbound", "backend"}

    async def run(exchange: Exchange) -> None:
        context = exchange.context
        find, put = old(context).encode(), new(context).encode()
        if not find:
            raise EvaluationError("ArgumentException")
        body = await (exchange.read_request() if on_request else exchange.read_response())
        try:
            text = decoded(body, context.request.headers if on_request else exchange.response.headers)
        except ValueError as error:
            raise internal_error("BodyNotReadable", str(error)) from None
        count = text.count(find)
        note("found {} times", count)
        if not count:
            return
        if len(text) + count * (len(put) - len(find)) > MAX_BODY:
            raise internal_error("BodyTooLarge", f"the body would be larger than {MAX_BODY} bytes")
        changed = text.replace(find, put)
        if on_request:
            exchange.replace_request_body(changed)
        else:
            exchange.replace_response_body(changed)

    return run


POLICY = Policy("find-and-replace", _compile)
