"""`validate-content`: holds the size and the JSON of a body against the API's definition."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from apim_emulator.gateway.context import Context
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.http.bodies import decoded
from apim_emulator.gateway.loading.document import Node
from apim_emulator.gateway.loading.element import Element, Value
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.validation.definition import Content, Definitions, media_type
from apim_emulator.gateway.validation.json_schema import Check
from apim_emulator.gateway.validation.outcome import Action, ValidationErrors, action

_LARGEST = 102_400
"""Largest `max-size`, in bytes."""
_TypeMap = Callable[[str, Context], str]
"""Gives the content type as which one is validated."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """What one `content` demands."""

    type: str | None
    action: Action
    additional: bool | None


@dataclass(frozen=True, slots=True)
class _Body:
    """A body that is looked at."""

    subject: str
    """`request` or `response`."""
    data: bytes
    type: str
    described: Mapping[str, Content]

    @property
    def is_request(self) -> bool:
        """Whether it is the caller's own, so that the caller may learn what is wrong with it."""
        return self.subject == "request"

    @property
    def kind(self) -> str:
        """What the errors call it."""
        return f"{self.subject.capitalize()}Body"


@dataclass(frozen=True, slots=True)
class _Rules:
    unspecified: Action
    max_size: Value[int]
    size_exceeded: Action
    contents: tuple[_Rule, ...]

    def refuse_unread(self, errors: ValidationErrors, body: _Body, error: str) -> None:
        """Note a body whose content encoding cannot be undone, or only to more than any `max-size`."""
        asked = errors.chosen(self.size_exceeded)
        if asked is not None:
            details = f"Body of the {body.subject} cannot be validated for the content type {body.type}. It is {error}."
            errors.add(asked, "", body.kind, "ValidationException", details, public=False)

    def validate(self, errors: ValidationErrors, body: _Body, context: Context) -> None:
        """Look for errors; a body that is too large is not looked into (inferred)."""
        size, limit = len(body.data), self.max_size(context)
        if size > limit:
            asked = errors.chosen(self.size_exceeded)
            if asked is not None:
                whose = body.subject.capitalize()
                details = f"{whose}'s body is {size} bytes long and it exceeds the limit of {limit} bytes."
                errors.add(asked, "", body.kind, "SizeLimit", details, public=body.is_request)
            return
        content = body.described.get(body.type)
        if content is not None:
            for rule in self.contents:
                self._look_into(errors, rule, content, body)
            return
        asked = errors.chosen(self.unspecified)
        if asked is not None:
            details = f"Unspecified content type {body.type} is not allowed."
            errors.add(asked, body.type, body.kind, "Unspecified", details, public=body.is_request)

    def _look_into(self, errors: ValidationErrors, rule: _Rule, content: Content, body: _Body) -> None:
        asked = errors.chosen(rule.action) if rule.type in {None, body.type} else None
        error = None if asked is None else _error(body.data, content.check(rule.additional))
        if asked is not None and error is not None:
            details = (
                f"Body of the {body.subject} does not conform to the definition {content.definition}, which is "
                f"associated with the content type {body.type}. {error}"
            )
            errors.add(asked, body.type, body.kind, "IncorrectMessage", details, public=body.is_request)


def _compile(element: Element, site: Site) -> Run:
    definitions = site.definitions(element)
    rules = _Rules(
        action(element, "unspecified-content-type-action"),
        element.integer("max-size", 1, _LARGEST),
        action(element, "size-exceeded-action"),
        tuple(_rule(node, definitions) for node in element.children("content")),
    )
    variable = element.name("errors-variable-name")
    node = element.child("content-type-map")
    element.in_order(("content-type-map", "content"))
    mapped: _TypeMap = (lambda given, _context: given) if node is None else _type_map(node)
    on_request = site.section == "inbound"

    async def run(exchange: Exchange) -> None:
        operation, context = definitions.of(exchange), exchange.context
        data = await (exchange.read_request() if on_request else exchange.read_response())
        if operation is None or not data:
            return
        headers = context.request.headers if on_request else exchange.response.headers
        given = mapped(media_type(headers.get("Content-Type", "")), context)
        errors = ValidationErrors(context)
        if on_request:
            body = _Body("request", data, given, operation.contents)
        else:
            described = operation.response(exchange.response.status)
            body = _Body("response", data, given, {} if described is None else described.contents)
        try:
            plain = decoded(data, headers, _LARGEST)
        except ValueError as error:
            rules.refuse_unread(errors, body, str(error))
        else:
            rules.validate(errors, replace(body, data=plain), context)
        errors.finish(exchange, variable, on_request=on_request)

    return run


def _rule(node: Node, definitions: Definitions) -> _Rule:
    element = Element(node)
    element.only("validate-as")
    if not element.has("validate-as"):
        element.refuse("attribute is missing", "validate-as")
    given = element.literal("type")
    additional = element.flag("allow-additional-properties", default=False)
    rule = _Rule(
        media_type(given) if given else None,
        action(element, "action"),
        additional if element.has("allow-additional-properties") else None,
    )
    element.done()
    for content in definitions.contents():
        try:
            content.check(rule.additional)
        except ValueError as error:
            raise element.refused(f"definition {content.definition or '(without a name)'}: {error}") from None
    return rule


def _type_map(node: Node) -> _TypeMap:
    element = Element(node)
    any_type, missing = element.literal("any-content-type-value"), element.literal("missing-content-type-value")
    mappings = [_mapping(child) for child in element.children("type")]
    element.done()

    def mapped(given: str, context: Context) -> str:
        for fits, to in mappings:
            if fits(given, context):
                return to
        return media_type(any_type or (missing if not given and missing else given))

    return mapped


def _mapping(node: Node) -> tuple[Callable[[str, Context], bool], str]:
    element = Element(node)
    to = media_type(element.required_name("to"))
    if element.has("from") == element.has("when"):
        element.refuse("needs exactly one of from, when")
    if element.has("when"):
        when = element.boolean("when")
        element.done()
        return (lambda _given, context: when(context)), to
    source = media_type(element.required_name("from"))
    element.done()
    return (lambda given, _context: given == source), to


def _error(data: bytes, check: Check) -> str | None:
    """Say what is wrong with a JSON text first."""
    try:
        value = json.loads(data.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return "It is not JSON."
    errors = check(value)
    return errors[0] if errors else None


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


POLICY = Policy(
    "validate-content",
    _compile,
    sections=(
        "inbound",
        "outbound",
        "on-error",
    ),
    matches_patterns=True,
)
