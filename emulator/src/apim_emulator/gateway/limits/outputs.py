"""Where limit policies report: a response header, a variable, or both."""

from dataclasses import dataclass

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.http.headers import is_header_name
from apim_emulator.gateway.loading.element import Element


@dataclass(frozen=True, slots=True)
class Output:
    """A number that a policy reports."""

    header: str | None
    variable: str | None

    def report(self, exchange: Exchange, number: int) -> None:
        """Put the number on the response and into the variable."""
        self.keep(exchange, number)
        if self.header is not None:
            exchange.response_headers[self.header] = str(number)

    def keep(self, exchange: Exchange, number: int) -> None:
        """Put the number into the variable only."""
        if self.variable is not None:
            exchange.context.variables[self.variable] = number


def output(element: Element, name: str, header: str | None = None) -> Output:
    """Read `NAME-header-name`, which may have a default, and `NAME-variable-name`."""
    return Output(header_name(element, f"{name}-header-name") or header, element.name(f"{name}-variable-name"))


def header_name(element: Element, attribute: str) -> str | None:
    """Read the name of a response header."""
    name = element.literal(attribute)
    if name is not None and not is_header_name(name):
        element.refuse("not a header name", attribute)
    return name
