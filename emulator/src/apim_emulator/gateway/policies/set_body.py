"""`set-body`: replaces the body of the request or of the response."""

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.loading.element import Element, Value
from apim_emulator.gateway.loading.liquid import liquid_value
from apim_emulator.gateway.loading.policy import Policy, Run, Site


def body_value(element: Element) -> Value[str]:
    """Read the body's text; raises `RefusedError`, for most of Liquid too."""
    template = element.choice("template", ("none", "liquid"), "none")
    content = element.content()
    if template == "none":
        return content
    try:
        return liquid_value(element.node.text)
    except ValueError as error:
        raise element.refused(str(error), "template", kind="unsupported") from None


def _compile(element: Element, site: Site) -> Run:
    value = body_value(element)
    on_request = site.section in {"inbound", "backend"}

    async def run(exchange: Exchange) -> None:
        body = value(exchange.context).encode()
        if on_request:
            exchange.replace_request_body(body)
        else:
            exchange.replace_response_body(body)

    return run


POLICY = Policy("set-body", _compile)
