"""Every attribute of every policy: as a literal, and as an expression where one is allowed."""

import re
from collections import defaultdict
from typing import Any

import pytest
from lxml import etree

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.loading.element import Element
from apim_emulator.testing import Response
from emulator.tests.gateway.policies.attributes import literal
from emulator.tests.gateway.policies.record import Example
from emulator.tests.gateway.policies.records import RECORDS

ATTRIBUTES = [
    (name, attribute, given) for name, record in RECORDS.items() for attribute, given in record.attributes.items()
]
COMPUTED = [(name, attribute) for name, attribute, given in ATTRIBUTES if given.expression is not None]
LITERAL = [(name, attribute) for name, attribute, given in ATTRIBUTES if given.expression is None]


def changed(name: str, attribute: str, value: str) -> Example:
    """Put an attribute on a policy's own element."""
    record = RECORDS[name]
    given = record.attributes.get(attribute, literal(value))

    def change(element: Any) -> None:
        if given.instead_of is not None:
            element.attrib.pop(given.instead_of, None)
        element.attrib.update({**given.needs, attribute: value})

    return record.example.changed(name, change)


def outcome(example: Example) -> tuple[object, ...]:
    """Call it thrice and give all that there is to see."""
    bench = example.load()
    return *(_seen(example.post(bench)) for _ in range(3)), bench.clock.now()


def _seen(response: Response) -> tuple[object, ...]:
    guid = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
    requests = [
        (one.backend, one.method, one.url, sorted(one.headers.items()), one.content) for one in response.requests
    ]
    variables = {name: getattr(value, "status", str(value)) for name, value in response.variables.items()}
    headers = sorted(response.headers.items())
    text = guid.sub("", response.text)
    emitted = str(response.metrics), str(response.events)
    return response.status_code, response.reason, headers, text, requests, str(variables), emitted


@pytest.mark.parametrize(("name", "attribute"), COMPUTED)
def test_expression_does_what_its_value_does(name: str, attribute: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apim_emulator.testing.tokens.SigningKey.sign", lambda *_: "a.b.c")
    given = RECORDS[name].attributes[attribute]
    assert given.expression is not None

    assert outcome(changed(name, attribute, given.expression)) == outcome(changed(name, attribute, given.literal))


@pytest.mark.parametrize(("name", "attribute"), LITERAL)
def test_literal_is_accepted_and_an_expression_refused_with_its_place(name: str, attribute: str) -> None:
    value = RECORDS[name].attributes[attribute].literal
    changed(name, attribute, value).load()

    with pytest.raises(PolicyLoadError) as refused:
        changed(name, attribute, f'@("{value}")').load()

    problems = [
        problem for problem in refused.value.problems if (problem.policy, problem.attribute) == (name, attribute)
    ]
    assert problems
    assert "expression" in problems[0].reason
    assert problems[0].column is not None


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_unknown_attribute_is_refused(name: str) -> None:
    with pytest.raises(PolicyLoadError, match=f"{name}, nope: attribute is not supported"):
        changed(name, "nope", "1").load()


@pytest.mark.parametrize("name", sorted(RECORDS.keys() - {"set-body"}))
def test_unknown_child_is_refused(name: str) -> None:
    """What `set-body` holds is XML of any kind."""

    def change(element: Any) -> None:
        element.text = None
        etree.SubElement(element, "nope")

    with pytest.raises(PolicyLoadError, match=r"nope: |set-method: needs the name"):
        RECORDS[name].example.changed(name, change).load()


def test_every_attribute_that_is_read_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    read: defaultdict[str, set[str]] = defaultdict(set)
    attribute, has = Element._attribute, Element.has

    def noted(element: Element, name: str) -> Any:
        read[element.node.name].add(name)
        return attribute(element, name)

    def noted_too(element: Element, name: str) -> bool:
        read[element.node.name].add(name)
        return has(element, name)

    monkeypatch.setattr(Element, "_attribute", noted)
    monkeypatch.setattr(Element, "has", noted_too)
    for name, record in RECORDS.items():
        record.example.load()
        for given, value in record.attributes.items():
            changed(name, given, value.literal).load()

    assert {name: sorted(read[name] - {"id"}) for name in RECORDS} == {
        name: sorted(record.attributes) for name, record in RECORDS.items()
    }
