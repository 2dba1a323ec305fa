"""What the `validate-*` policies find, and what becomes of it (validation policies, "Validation errors")."""

from dataclasses import dataclass

from apim_emulator.gateway.context import Context
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Failure
from apim_emulator.gateway.loading.document import Node
from apim_emulator.gateway.loading.element import Element, Value
from apim_emulator.gateway.witness import note

ACTIONS = ("ignore", "prevent", "detect")
_INTERNAL = "The request could not be processed due to an internal error. Contact the API owner."

Action = Value[str]


@dataclass(frozen=True, slots=True)
class ValidationError:
    """One error, as the variable keeps it."""

    name: str
    type: str
    validation_rule: str
    details: str
    action: str


def action(element: Element, attribute: str, default: Action | None = None) -> Action:
    """Read an action; one without a default is required."""
    if default is not None and not element.has(attribute):
        return default
    return element.word(attribute, ACTIONS)


def named_actions(nodes: list[Node], attribute: str) -> dict[str, Action]:
    """Read the actions of single parameters, headers or status codes, by name in lower case."""
    found = {}
    for node in nodes:
        element = Element(node)
        name = element.required_name(attribute).lower()
        if name in found:
            node.refuse(f"{name} appears twice", attribute)
        found[name] = action(element, "action")
        element.done()
    return found


class ValidationErrors:
    """The errors of one run of a policy. All are looked for before the call is stopped."""

    def __init__(self, context: Context) -> None:
        """Start with none."""
        self._context = context
        self._errors: list[ValidationError] = []
        self._stops: tuple[str, str] | None = None

    def chosen(self, action_value: Action) -> str | None:
        """Evaluate an action; None for `ignore`."""
        chosen = action_value(self._context)
        return None if chosen == "ignore" else chosen

    def add(self, action_name: str, name: str, kind: str, rule: str, details: str, *, public: bool) -> None:
        """Note an error; `public`: its details may be told to the caller, since they are about the caller's request."""
        note("{} {}, action {}: {}", kind, name, action_name, details)
        self._errors.append(ValidationError(name, kind, rule, details, action_name))
        if action_name == "prevent" and self._stops is None:
            self._stops = (details, details if public else _INTERNAL)

    def finish(self, exchange: Exchange, variable: str | None, *, on_request: bool) -> None:
        """Keep the errors in the variable; raises `Failure` where one is to be prevented."""
        if variable is not None and self._errors:
            exchange.context.variables[variable] = tuple(self._errors)
        if self._stops is not None:
            details, public = self._stops
            status, reason = (400, "Bad request") if on_request else (502, "Response not allowed")
            raise Failure(status, public, reason, detail=details)
