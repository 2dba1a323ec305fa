"""`validate-parameters`: holds the request's headers, query and path against the API's definition."""

from dataclasses import dataclass
from urllib.parse import unquote

from apim_emulator.gateway.context.objects import Request
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.validation.definition import OperationDefinition, Parameter
from apim_emulator.gateway.validation.outcome import Action, ValidationErrors, action, named_actions

_PLACES = {"headers": "header", "query": "query", "path": "path"}
_KINDS = {"header": "RequestHeader", "query": "QueryParameter", "path": "PathParameter"}
_WORDS = {"header": "header", "query": "query parameter", "path": "path parameter"}


@dataclass(frozen=True, slots=True)
class _Actions:
    specified: Action
    unspecified: Action
    named: dict[str, Action]

    def of(self, name: str, *, specified: bool) -> Action:
        """Choose the action for a parameter."""
        return self.named.get(name.lower(), self.specified if specified else self.unspecified)


def _compile(element: Element, site: Site) -> Run:
    definitions = site.definitions(element)
    specified = action(element, "specified-parameter-action")
    unspecified = action(element, "unspecified-parameter-action")
    variable = element.name("errors-variable-name")
    element.in_order(tuple(_PLACES))
    places = {place: _actions(element, group, specified, unspecified) for group, place in _PLACES.items()}

    async def run(exchange: Exchange) -> None:
        operation = definitions.of(exchange)
        if operation is None:
            return
        errors = ValidationErrors(exchange.context)
        for place, actions in places.items():
            _validate(errors, operation, place, actions, exchange.context.request)
        errors.finish(exchange, variable, on_request=True)

    return run


def _actions(element: Element, group: str, specified: Action, unspecified: Action) -> _Actions:
    node = element.child(group)
    if node is None:
        return _Actions(specified, unspecified, {})
    own = Element(node)
    specified = action(own, "specified-parameter-action", specified)
    if group != "path":
        unspecified = action(own, "unspecified-parameter-action", unspecified)
    named = named_actions(own.children("parameter"), "name")
    own.done()
    return _Actions(specified, unspecified, named)


def _validate(
    errors: ValidationErrors, operation: OperationDefinition, place: str, actions: _Actions, request: Request
) -> None:
    kind, word = _KINDS[place], _WORDS[place]
    parameters = operation.parameters[place]
    for parameter in parameters:
        asked = errors.chosen(actions.of(parameter.name, specified=True))
        if asked is not None:
            error = value_error(
                parameter, _values(request, place, parameter.name), f"{word} {parameter.name}", "Request"
            )
            if error is not None:
                errors.add(asked, parameter.name, kind, "IncorrectMessage", error, public=True)
    known = {parameter.name.lower() for parameter in parameters}
    for name in _names(request, place):
        asked = None if name.lower() in known else errors.chosen(actions.of(name, specified=False))
        if asked is not None:
            details = f"Unspecified {word} {name} is not allowed."
            errors.add(asked, name, kind, "Unspecified", details, public=True)


def value_error(parameter: Parameter, values: list[str], subject: str, message: str) -> str | None:
    """Say what is wrong with the values of a parameter; `message`: `Request` or `Response`."""
    if not values:
        return (
            f"Value of the {subject} does not conform to the definition. It is required."
            if parameter.required
            else None
        )
    if len(values) > 1 and parameter.type != "array":
        return f"{message} cannot contain multiple values for the {subject}."
    try:
        value = parameter.parsed(values)
    except ValueError as error:
        return f"Value of the {subject} cannot be parsed according to the definition. It is {error}."
    errors = parameter.check(value)
    return f"Value of the {subject} does not conform to the definition. {errors[0]}" if errors else None


def _values(request: Request, place: str, name: str) -> list[str]:
    if place == "header":
        return list(request.headers.getall(name, []))
    if place == "query":
        return request.query.values(name)
    found = request.matched_parameters.get(name)
    return [] if found is None else [unquote(found)]


def _names(request: Request, place: str) -> list[str]:
    """List what the request has, each name once; a path has only what its template names."""
    names = {"header": list(request.headers), "query": request.query.names(), "path": []}[place]
    return list({name.lower(): name for name in names}.values())


POLICY = Policy("validate-parameters", _compile, sections=("inbound",), once=True, matches_patterns=True)
