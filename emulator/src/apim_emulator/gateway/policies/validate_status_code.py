"""`validate-status-code`: holds the response's status code against the API's definition."""

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.validation.outcome import ValidationErrors, action, named_actions


def _compile(element: Element, site: Site) -> Run:
    definitions = site.definitions(element)
    unspecified = action(element, "unspecified-status-code-action")
    variable = element.name("errors-variable-name")
    nodes = element.children("status-code")
    for node in nodes:
        Element(node).integer("code", 100, 999)
    named = named_actions(nodes, "code")

    async def run(exchange: Exchange) -> None:
        operation = definitions.of(exchange)
        status = exchange.response.status
        if operation is None or operation.response(status) is not None:
            return
        errors = ValidationErrors(exchange.context)
        asked = errors.chosen(named.get(str(status), unspecified))
        if asked is not None:
            details = f"Response status code {status} is not allowed."
            errors.add(asked, str(status), "StatusCode", "Unspecified", details, public=False)
        errors.finish(exchange, variable, on_request=False)

    return run


POLICY = Policy(
    "validate-status-code",
    _compile,
    sections=(
        "outbound",
        "on-error",
    ),
)
