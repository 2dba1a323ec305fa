"""What each policy looks like as XML."""

from textwrap import dedent

import pytest

from policies import Base, Document, Policy, RawElement
from tests.policies.records import RECORDS
from tests.policies.rendered import lines_of, placed, section_of

RAW = {
    "base runs the parent's policies": (Base(), "<base />"),
    "a raw element is parsed and written anew": (
        RawElement(xml='<?xml version="1.0"?><!-- note --><publish-to-dapr topic="a&#10;b">x &lt; y</publish-to-dapr>'),
        '<publish-to-dapr topic="a&#10;b">x &lt; y</publish-to-dapr>',
    ),
    "a raw element keeps its white space": (
        RawElement(
            xml='<publish-to-dapr topic="a" timeout="9">  '
            "<one>https://a.example</one><two>a <b/> \r\n&#13;</two>\n</publish-to-dapr>"
        ),
        '<publish-to-dapr topic="a" timeout="9">  '
        "<one>https://a.example</one><two>a <b /> \n&#13;</two>\n</publish-to-dapr>",
    ),
    "a raw element has what the type lacks": (
        RawElement(xml='<rate-limit calls="1" renewal-period="2"><operation name="a" calls="1"/></rate-limit>'),
        '<rate-limit calls="1" renewal-period="2"><operation name="a" calls="1" /></rate-limit>',
    ),
}
RENDERED = [
    pytest.param(*case, id=what)
    for what, case in (*RAW.items(), *(case for record in RECORDS.values() for case in record.renders.items()))
]


@pytest.mark.parametrize(("policy", "expected"), RENDERED)
def test_policy_renders_as_written_here(policy: Policy, expected: str) -> None:
    rendered = placed(policy).render()

    assert lines_of(section_of(policy), rendered).removeprefix("<base />\n") == dedent(expected).strip()


def test_document_without_options_runs_the_parents_policies() -> None:
    rendered = Document().render()

    sections = ("inbound", "backend", "outbound", "on-error")
    body = "".join(f"    <{name}>\n        <base />\n    </{name}>\n" for name in sections)
    assert rendered == f"<policies>\n{body}</policies>\n"


def test_empty_section_runs_nothing() -> None:
    rendered = Document(inbound=[], outbound=(), on_error=[]).render()

    assert [line.strip() for line in rendered.splitlines()] == [
        "<policies>",
        "<inbound />",
        "<backend>",
        "<base />",
        "</backend>",
        "<outbound />",
        "<on-error />",
        "</policies>",
    ]
