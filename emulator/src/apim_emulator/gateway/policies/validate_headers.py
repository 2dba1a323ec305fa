"""`validate-headers`: holds the response's headers against the API's definition."""

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.policies.validate_parameters import value_error
from apim_emulator.gateway.validation.outcome import ValidationErrors, action, named_actions

_DESCRIBED_ELSEWHERE = frozenset({"content-type", "content-length"})
"""Headers that a definition describes with the body, not among the headers."""


def _compile(element: Element, site: Site) -> Run:
    definitions = site.definitions(element)
    specified = action(element, "specified-header-action")
    unspecified = action(element, "unspecified-header-action")
    variable = element.name("errors-variable-name")
    named = named_actions(element.children("header"), "name")

    async def run(exchange: Exchange) -> None:
        operation = definitions.of(exchange)
        if operation is None:
            return
        response, errors = exchange.response, ValidationErrors(exchange.context)
        described = operation.response(response.status)
        headers = () if described is None else described.headers
        for header in headers:
            asked = errors.chosen(named.get(header.name.lower(), specified))
            values = list(response.headers.getall(header.name, []))
            error = None if asked is None else value_error(header, values, f"header {header.name}", "Response")
            if asked is not None and error is not None:
                errors.add(asked, header.name, "ResponseHeader", "IncorrectMessage", error, public=False)
        known = {header.name.lower() for header in headers} | _DESCRIBED_ELSEWHERE
        for name in {name.lower(): name for name in response.headers}.values():
            asked = None if name.lower() in known else errors.chosen(named.get(name.lower(), unspecified))
            if asked is not None:
                details = f"Unspecified header {name} is not allowed."
                errors.add(asked, name, "ResponseHeader", "Unspecified", details, public=False)
        errors.finish(exchange, variable, on_request=False)

    return run


POLICY = Policy(
    "validate-headers",
    _compile,
    sections=(
        "outbound",
        "on-error",
    ),
    once=True,
    matches_patterns=True,
)
