"""What a typed policy can render the gateway executes, or refuses with the reason why not; nothing is in between."""

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apim_emulator.gateway import POLICIES, PolicyLoadError, compile_plan, parts_read, unsupported
from apim_emulator.model import Api, Backend, Certificate, Gateway, Operation, Product
from apim_emulator.testing import CertificateAuthority
from policies import Document, PolicyError, RawElement, Scope, Section, Template
from policies.documents.catalog import SECTIONS, TYPES
from policies.shared.options import Options
from policies.shared.policy import TypedPolicy
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
CERTIFICATE = CertificateAuthority().pem
_TEMPLATE = ", template: "
"""Where a refusal is about a Liquid template."""
Names = set[tuple[str, str]]
"""Attributes and child elements, each with the name of its element."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.tag)
def test_every_policy_that_can_be_rendered_is_executed_or_refused_with_a_reason(kind: type[TypedPolicy]) -> None:
    rendered: Names = set()
    taken: Names = set()
    tried: set[tuple[type[Options], str, object]] = set()

    def load(policy: TypedPolicy, section: Section, scope: Scope) -> None:
        document = Document(**{section.name.lower(): [policy]})
        service = gateway(document.render(scope=scope), scope, policy.element())
        with parts_read() as read:
            if reasons := set(limited(policy.element())):
                with pytest.raises(PolicyLoadError) as refused:
                    compile_plan(service)
                text = str(refused.value)
                assert any(reason in text for reason in reasons) or (is_template(policy) and _TEMPLATE in text)
            elif is_template(policy):
                load_template(service)
            else:
                compile_plan(service)
        # What stands inside as a policy of its own is left out.
        taken.update(part for part in read if part[0] == kind.tag or part[0] not in POLICIES)
        rendered.update(part for part in names(policy.element(), refused=False) if is_own(kind, part))
        tried.update(used(policy))

    sections, scopes = sorted(kind.sections), sorted(kind.scopes)
    for policy in each(kind):
        load(policy, sections[0], scopes[0])
    EACH(given(policies(kind), st.sampled_from(sections), st.sampled_from(scopes))(load))()

    assert taken <= rendered
    if kind.tag in POLICIES:
        unread = {part for part in rendered - taken if part[1] not in POLICIES}  # those run as policies of their own
        assert unread == rendered & unsupported.PARTS.keys()
    assert wanted(kind) <= tried


def test_what_the_gateway_refuses_by_name_is_all_that_it_does_not_execute() -> None:
    rendered = {part for kind in TYPES for policy in each(kind) for part in names(policy.element())}

    assert unsupported.PARTS.keys() | unsupported.VALUES.keys() <= rendered
    assert unsupported.POLICIES.keys() == SECTIONS.keys() - POLICIES.keys() - {"include-fragment"}


@pytest.mark.parametrize(("tag", "reason"), unsupported.POLICIES.items(), ids=[*unsupported.POLICIES])
def test_a_policy_without_an_executor_is_refused_with_the_reason(tag: str, reason: str) -> None:
    section = min(SECTIONS[tag])
    text = Document(**{section.name.lower(): [RawElement(xml=f"<{tag}/>")]}).render(scope=Scope.API)

    with pytest.raises(PolicyLoadError, match=f"column [0-9]+: {tag}: policy is not supported: {re.escape(reason)}$"):
        compile_plan(gateway(text, Scope.API, ET.Element(tag)))


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


@pytest.mark.parametrize("kind", [kind for kind in TYPES if kind.tag in POLICIES], ids=lambda kind: kind.tag)
def test_both_state_the_same_gateways_that_lack_a_policy(kind: type[TypedPolicy]) -> None:
    assert kind.missing_in == set(POLICIES[kind.tag].missing_in)


def test_a_fragment_counts_where_it_is_included() -> None:
    policy = "<validate-parameters specified-parameter-action='ignore' unspecified-parameter-action='ignore'/>"
    text = f"<policies><inbound>{policy}<include-fragment fragment-id='a'/></inbound></policies>"
    service = gateway(text, Scope.API, ET.Element("none"))

    with pytest.raises(PolicyLoadError, match=r"fragment a, line 1, .*: may stand once in inbound"):
        compile_plan(replace(service, fragments={"a": f"<fragment>{policy}</fragment>"}))


def test_every_type_has_an_example() -> None:
    assert set(TYPES) <= {type(example) for example in EXAMPLES}
    assert {kind.tag for kind in TYPES} - unsupported.POLICIES.keys() == POLICIES.keys() | {"include-fragment"}


def limited(policy: ET.Element) -> Iterator[str]:
    """Yield why the gateway cannot execute a policy; nothing for one that it can."""
    if policy.tag in unsupported.POLICIES:
        yield unsupported.POLICIES[policy.tag]
    for element in policy.iter():
        for name in (*element.attrib, *(child.tag for child in element)):
            if (element.tag, name) in unsupported.PARTS:
                yield unsupported.PARTS[element.tag, name]
        if element.tag == "authentication-certificate" and not element.get("thumbprint", "@").startswith("@"):
            yield "does not exist"  # no certificate has a thumbprint that was made up
        for name, text in element.attrib.items():
            values, reason = unsupported.VALUES.get((element.tag, name), ((), ""))
            value = next(iter(named_values(text)), text)
            if values and value not in values:
                yield "an expression is not allowed here" if value.startswith("@") else reason


def is_own(kind: type[TypedPolicy], part: tuple[str, str]) -> bool:
    """Tell whether a part is of the policy itself, rather than of one inside it."""
    return part[0] == kind.tag or part[0] not in POLICIES.keys() | unsupported.POLICIES.keys()


def is_template(policy: TypedPolicy) -> bool:
    """Tell whether a policy has a body in Liquid, of which the gateway runs a part."""
    return any(element.get("template") == Template.LIQUID for element in policy.element().iter("set-body"))


def load_template(service: Gateway) -> None:
    """Load a document; what it may refuse is the template."""
    try:
        compile_plan(service)
    except PolicyLoadError as refused:
        assert _TEMPLATE in str(refused)  # noqa: PT017 - most of Liquid is accepted


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
        certificates=tuple(Certificate(id=name, data=CERTIFICATE) for name in known),
    )


def names(policy: ET.Element, *, refused: bool = True) -> Iterator[tuple[str, str]]:
    """Yield the attributes and child elements that are rendered; without `refused`, none inside what is refused."""
    for name in (*policy.attrib, *(child.tag for child in policy)):
        yield policy.tag, name
    for child in policy:
        if refused or (policy.tag, child.tag) not in unsupported.PARTS:
            yield from names(child, refused=refused)


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
