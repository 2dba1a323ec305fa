"""All mistakes of a document at once: what is noted, and that it is what the gateway refuses one by one."""

from typing import Any

import pytest
from lxml import etree

from apim_emulator.gateway import PolicyLoadError, Problem
from apim_emulator.gateway.core import Core
from apim_emulator.gateway.loading.plan import compile_plan, every_problem
from apim_emulator.gateway.standalone import standalone
from apim_emulator.model import Gateway
from emulator.tests.gateway.policies.record import Example
from emulator.tests.gateway.policies.records import RECORDS

pytestmark = pytest.mark.slow

ATTRIBUTES = [(name, attribute) for name, record in RECORDS.items() for attribute in record.attributes]
NONSENSE = ("", "@(", "@(context.Nope)", "a @(b)", "not\n\x85any of 'these'", "-1", None)
"""Values that hardly any attribute takes; None leaves it out."""


@pytest.fixture(autouse=True)
def unloaded(monkeypatch: pytest.MonkeyPatch) -> list[Gateway]:
    """Keep what benches would load."""
    kept: list[Gateway] = []
    monkeypatch.setattr(Core, "load", lambda _core, gateway: kept.append(gateway))
    return kept


def gateway_of(example: Example, kept: list[Gateway]) -> Gateway:
    example.load()
    return kept[-1]


def refused(gateway: Gateway) -> list[Problem]:
    """What the gateway says when it is to load it."""
    try:
        compile_plan(gateway)
    except PolicyLoadError as error:
        return list(error.problems)
    return []


def with_values(name: str, values: dict[str, str | None]) -> Example:
    def change(element: Any) -> None:
        for attribute, value in values.items():
            element.attrib.pop(attribute, None)
            if value is not None:
                element.set(attribute, value)

    return RECORDS[name].example.changed(name, change)


def readable(value: str | None) -> str | None:
    return None if value is None else value.replace("\x85", " ")


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_valid_policy_has_none(name: str, unloaded: list[Gateway]) -> None:
    assert every_problem(gateway_of(RECORDS[name].example, unloaded)) == []


@pytest.mark.parametrize(("name", "attribute"), ATTRIBUTES)
def test_one_mistake_is_noted_as_the_gateway_refuses_it(name: str, attribute: str, unloaded: list[Gateway]) -> None:
    for value in NONSENSE:
        gateway = gateway_of(with_values(name, {attribute: readable(value)}), unloaded)

        first, all_of_them = refused(gateway), every_problem(gateway)

        assert bool(first) == bool(all_of_them), (value, first, all_of_them)
        assert {one for one in first if one.attribute} <= set(all_of_them), (value, first, all_of_them)


@pytest.mark.parametrize(("name", "attribute"), ATTRIBUTES)
def test_mistake_hides_no_other_attribute(name: str, attribute: str, unloaded: list[Gateway]) -> None:
    for value in NONSENSE:
        gateway = gateway_of(with_values(name, {attribute: readable(value), "nope": "1"}), unloaded)

        assert [one.attribute for one in every_problem(gateway) if one.attribute == "nope"] == ["nope"], value


@pytest.mark.parametrize("name", sorted(RECORDS))
@pytest.mark.parametrize("value", NONSENSE)
def test_mistakes_in_all_attributes_are_noted_together(name: str, value: str | None, unloaded: list[Gateway]) -> None:
    attributes = RECORDS[name].attributes
    given = etree.fromstring(f"<root>{RECORDS[name].example.element}</root>").find(name)
    assert given is not None
    changed = [one for one in attributes if one in given.attrib]
    alone = {
        problem.attribute
        for one in changed
        for problem in refused(gateway_of(with_values(name, {one: readable(value)}), unloaded))
        if problem.attribute == one
    }

    together = every_problem(gateway_of(with_values(name, dict.fromkeys(changed, readable(value))), unloaded))

    assert alone <= {problem.attribute for problem in together}


def problems(inbound: str, **service: Any) -> list[str]:
    text = f"<policies><inbound><base/>{inbound}</inbound></policies>"
    found = every_problem(standalone(text, "https://backend.test", **service))
    return [
        f"{one.policy}{'' if one.attribute is None else f', {one.attribute}'}: {one.reason}"
        for one in sorted(found, key=lambda one: one.column or 0)
    ]


def test_mistakes_of_a_document_are_noted_at_every_depth() -> None:
    assert problems(
        "<choose><when><set-status code='9'/></when><otherwise a='1'><nope/></otherwise></choose>"
        "<include-fragment fragment-id='none'/><set-variable name='v' value='{{none}}'/>"
    ) == [
        "when, condition: attribute is missing",
        "set-status, code: '9' is not a whole number, 200 to 599",
        "otherwise: takes policies only",
        "nope: policy is not supported",
        "include-fragment, fragment-id: fragment none does not exist",
        "set-variable, value: named value none does not exist",
    ]


def test_structure_is_noted_with_all_that_is_in_it() -> None:
    text = (
        "<policies a='1'><inbound><base/><base/><nope/></inbound><inbound><nope/></inbound><outbond/>"
        "<backend><base/><forward-request timeout='0'/></backend></policies>"
    )

    found = every_problem(standalone(text, "https://backend.test"))

    assert [(one.column, one.reason) for one in sorted(found, key=lambda one: one.column or 0)] == [
        (1, "attributes or text on the root element"),
        (17, "base appears twice"),
        (40, "policy is not supported"),
        (57, "section appears twice"),
        (66, "policy is not supported"),
        (83, "not a plain section; sections are inbound, backend, outbound, on-error"),
        (93, "the backend section allows only one policy"),
        (109, "'0' is not a whole number, 1 to 2147483647"),
    ]


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_unknown_attribute_is_refused_whatever_it_holds(name: str, unloaded: list[Gateway]) -> None:
    gateway = gateway_of(with_values(name, {"nope": "@("}), unloaded)

    assert [(one.policy, one.attribute) for one in refused(gateway)] == [(name, "nope")]
    assert [(one.policy, one.attribute) for one in every_problem(gateway)] == [(name, "nope")]


def test_names_that_may_stand_there_are_given() -> None:
    text = "<policies><inbound><set-haeder name='a'/><set-header nme='a'><valu/></set-header></inbound></policies>"

    found = {one.reason: one.allowed for one in every_problem(standalone(text, "https://backend.test"))}

    assert "set-header" in found["policy is not supported"]
    assert found["attribute is not supported"] == ("exists-action", "id", "name")
    assert found["element is not supported in set-header"] == ("value",)


def test_what_the_gateway_alone_does_not_run_is_told_apart() -> None:
    text = (
        "<policies><inbound><json-to-xml/><nope/><set-variable name='v' value='@(context.Nope)'/>"
        "<set-variable name='v' value='@(1 + )'/><set-body parse-date='true'>a</set-body></inbound></policies>"
    )

    found = every_problem(standalone(text, "https://backend.test"))

    kinds = {one.column: one.kind for one in found}
    assert [kinds[column] for column in sorted(kinds, key=lambda one: one or 0)] == [
        "unsupported", "mistake", "unsupported", "mistake", "unsupported",
    ]  # fmt: skip


def test_nothing_of_this_changes_how_a_gateway_loads(unloaded: list[Gateway]) -> None:
    gateway = gateway_of(with_values("set-header", {"name": None, "exists-action": "x"}), unloaded)

    assert len(every_problem(gateway)) == 2
    assert len(refused(gateway)) == 1
