"""What a typed policy can render the gateway executes, and what the gateway takes a typed policy can say."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum
from typing import Any
from unittest import mock
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from policies import Document, PolicyError, Scope, Section
from policies.catalog import TYPES
from policies.options import Options
from policies.policy import TypedPolicy
from sandbox.gateway import PolicyLoadError
from sandbox.gateway.document import Node
from sandbox.gateway.element import Element
from sandbox.gateway.plan import compile_plan
from sandbox.gateway.policies import POLICIES
from sandbox.model import Api, Backend, Gateway, Operation, Product
from tests.policies.derived import EXAMPLES, each, kinds, named_values, policies

EACH = settings(
    max_examples=100,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[*HealthCheck],
)
DEFINITION = {"openapi": "3.0.1", "paths": {"/a": {"get": {"responses": {}}}}}
Names = set[tuple[str, str]]
"""Attributes and child elements, each with the name of its element."""

TAKEN_ALONE: dict[str, Names] = {
    # Documents of the portal write these out, most of them with their defaults; nobody needs them in a new document.
    "cache-lookup": {("cache-lookup", "downstream-caching-type"), ("cache-lookup", "must-revalidate")},
    "forward-request": {("forward-request", "follow-redirects")},
    "set-body": {("set-body", "template")},
    "validate-azure-ad-token": {("validate-azure-ad-token", "authentication-endpoint")},
}
"""What the gateway takes in a document although no typed policy renders it."""


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.tag)
def test_every_policy_that_can_be_rendered_is_executed(kind: type[TypedPolicy]) -> None:
    rendered: Names = set()
    taken: Names = set()
    tried: set[tuple[type[Options], str, object]] = set()

    def load(policy: TypedPolicy, section: Section, scope: Scope) -> None:
        document = Document(**{section.name.lower(): [policy]})
        text = document.render(scope=scope)
        with recording(kind.tag, taken):
            compile_plan(gateway(text, scope, policy.element()))
        rendered.update(names(policy.element()))
        tried.update(used(policy))

    sections, scopes = sorted(kind.sections), sorted(kind.scopes)
    for policy in each(kind):
        load(policy, sections[0], scopes[0])
    EACH(given(policies(kind), st.sampled_from(sections), st.sampled_from(scopes))(load))()

    assert taken - rendered == TAKEN_ALONE.get(kind.tag, set())
    assert wanted(kind) <= tried


PLACES = [
    pytest.param(kind, section, scope, id=f"{kind.tag} in {section} at {scope} scope")
    for kind in TYPES
    for section in Section
    for scope in Scope
    if (section not in kind.sections) != (scope not in kind.scopes)
]


@pytest.mark.parametrize(("kind", "section", "scope"), PLACES)
def test_both_refuse_a_policy_where_it_may_not_stand(kind: type[TypedPolicy], section: Section, scope: Scope) -> None:
    policy = next(each(kind))
    element = policy.element()
    text = f"<policies><{section}>{ET.tostring(element, encoding='unicode')}</{section}></policies>"
    wrong = f"in {section}" if section not in kind.sections else f"at {scope} scope"

    with pytest.raises(PolicyError, match=f"^{kind.tag} is not allowed {wrong}; "):
        Document(**{section.name.lower(): [policy]}).render(scope=scope)
    with pytest.raises(PolicyLoadError, match=f", column [0-9]+: {kind.tag}: may not stand {wrong}; "):
        compile_plan(gateway(text, scope, element))


@pytest.mark.parametrize("kind", [kind for kind in TYPES if kind.once], ids=lambda kind: kind.tag)
def test_both_refuse_a_second_policy_of_a_kind_that_stands_once(kind: type[TypedPolicy]) -> None:
    policy, section, scope = next(each(kind)), min(kind.sections), min(kind.scopes)
    element = policy.element()
    twice = ET.tostring(element, encoding="unicode") * 2

    with pytest.raises(PolicyError, match=f"^{section} has more than one {kind.tag}; "):
        Document(**{section.name.lower(): [policy, policy]})
    with pytest.raises(PolicyLoadError, match=f", column [0-9]+: {kind.tag}: may stand once in {section}"):
        compile_plan(gateway(f"<policies><{section}>{twice}</{section}></policies>", scope, element))


def test_a_fragment_counts_where_it_is_included() -> None:
    policy = "<validate-parameters specified-parameter-action='ignore' unspecified-parameter-action='ignore'/>"
    text = f"<policies><inbound>{policy}<include-fragment fragment-id='a'/></inbound></policies>"
    service = gateway(text, Scope.API, ET.Element("none"))

    with pytest.raises(PolicyLoadError, match=r"fragment a, line 1, .*: may stand once in inbound"):
        compile_plan(replace(service, fragments={"a": f"<fragment>{policy}</fragment>"}))


def test_every_type_has_an_example() -> None:
    assert set(TYPES) <= {type(example) for example in EXAMPLES}
    assert {kind.tag for kind in TYPES} == POLICIES.keys() | {"include-fragment"}


def gateway(text: str, scope: Scope, policy: ET.Element) -> Gateway:
    """Make a service that has all that a document refers to."""
    values = named_values(text)
    known = {value for element in policy.iter() for value in element.attrib.values()}
    known = {next(iter(named_values(value)), value) for value in known}
    operation = Operation(name="a", method="GET", url_template="/a", policy=text if scope is Scope.OPERATION else None)
    api = Api(
        id="a", path="a", operations=(operation,), definition=DEFINITION, policy=text if scope is Scope.API else None
    )
    product = Product(id="a", api_ids=frozenset({"a"}), policy=text if scope is Scope.PRODUCT else None)
    return Gateway(
        name="a",
        sku="Developer",
        apis=(api,),
        products=(product,),
        policy=text if scope is Scope.GLOBAL else None,
        backends=tuple(Backend(id=name, url="https://a.example") for name in known),
        fragments=dict.fromkeys(known, "<fragment/>"),
        named_values=values,
    )


@contextmanager
def recording(tag: str, taken: Names) -> Iterator[None]:
    """Note what executors ask for while they are loaded; what stands inside as a policy of its own is left out."""
    attribute, children = Element._attribute, Element.children

    def note(node: Node, name: str) -> None:
        if node.name == tag or node.name not in POLICIES:
            taken.add((node.name, name))

    def ask_attribute(self: Element, name: str) -> str | None:
        note(self.node, name)
        return attribute(self, name)

    def ask_children(self: Element, name: str) -> list[Node]:
        note(self.node, name)
        return children(self, name)

    with mock.patch.object(Element, "_attribute", ask_attribute), mock.patch.object(Element, "children", ask_children):
        yield


def names(policy: ET.Element) -> Iterator[tuple[str, str]]:
    """Yield the attributes and child elements that are rendered."""
    for element in policy.iter():
        for name in (*element.attrib, *(child.tag for child in element)):
            yield element.tag, name


def used(value: Any) -> Iterator[tuple[type[Options], str, object]]:
    """Yield the fields that have a value other than their default, and the members of closed sets."""
    if isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from used(item)
    if not isinstance(value, Options):
        return
    for field in dataclasses.fields(value):  # type: ignore[arg-type]
        inner = getattr(value, field.name)
        if inner != _default(field):
            yield type(value), field.name, inner if isinstance(inner, Enum) else None
            yield type(value), field.name, None
        yield from used(inner)


def wanted(kind: type[Options]) -> set[tuple[type[Options], str, object]]:
    """Return the fields that some policy must use, and each member of a closed set."""
    found: set[tuple[type[Options], str, object]] = set()
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        members = [kind for kind in kinds(field.type) if isinstance(kind, type) and issubclass(kind, Enum)]
        found |= {(kind, field.name, None)}
        found |= {(kind, field.name, member) for enum in members for member in enum if member != _default(field)}
        for inner in {type(example) for example in EXAMPLES}:
            if not issubclass(inner, TypedPolicy) and inner is not kind and inner.__name__ in str(field.type):
                found |= wanted(inner)
    return found


def _default(field: Any) -> object:
    if field.default is not dataclasses.MISSING:
        return field.default
    return None if field.default_factory is dataclasses.MISSING else field.default_factory()
