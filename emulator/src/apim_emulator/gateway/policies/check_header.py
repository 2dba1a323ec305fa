"""`check-header`: refuses calls without a header, or with another value than those listed."""

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Failure
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site


def _compile(element: Element, _site: Site) -> Run:
    name = element.needed(element.header("name"), "attribute is missing", "name")
    status = element.integer("failed-check-httpcode", 200, 599)
    message = element.optional_text("failed-check-error-message")
    ignore_case = element.boolean("ignore-case", default=False)
    allowed = element.texts("value")

    async def run(exchange: Exchange) -> None:
        context = exchange.context
        header = name(context)
        values = context.request.headers.getall(header, [])
        if not values:
            reason, detail = "HeaderNotFound", f"Header {header} was not found in the request. Access denied."
        elif not allowed or (len(values) == 1 and _matches(values[0], [value(context) for value in allowed],
                                                           ignore_case=ignore_case(context))):  # fmt: skip
            return
        else:
            shown = ",".join(values)
            reason, detail = "HeaderValueNotAllowed", f"Header {header} value of {shown} is not allowed. Access denied."
        text = detail if message is None else message(context)
        raise Failure(status(context), text, reason, detail=detail)

    return run


def _matches(value: str, allowed: list[str], *, ignore_case: bool) -> bool:
    if ignore_case:
        return value.lower() in [text.lower() for text in allowed]
    return value in allowed


POLICY = Policy("check-header", _compile, sections=("inbound",))
