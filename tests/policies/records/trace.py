from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from policies import Trace, TraceSeverity
from tests.policies.record import Record
from tests.policies.values import filled, maybe, options, plain, texts


def _children(element: ET.Element) -> dict[str, Any]:
    return {
        "message": element.findtext("message"),
        "metadata": {child.attrib["name"]: child.attrib["value"] for child in element.findall("metadata")},
    }


RECORD = Record(
    Trace,
    examples=(Trace(source="a", message="b"),),
    drawn=options(
        Trace,
        source=plain,
        severity=maybe(st.sampled_from(TraceSeverity)),
        message=texts,
        metadata=st.dictionaries(filled, texts, max_size=2),
    ),
    renders={
        "trace takes every option": (
            Trace(
                id="x",
                source="gateway",
                severity=TraceSeverity.ERROR,
                message='@((string)context.Variables["a"])',
                metadata={"Operation Name": "New-Order", "@(context.Api.Name)": "@(context.Api.Id)"},
            ),
            """
        <trace id="x" source="gateway" severity="error">
            <message>@((string)context.Variables["a"])</message>
            <metadata name="Operation Name" value="New-Order" />
            <metadata name="@(context.Api.Name)" value="@(context.Api.Id)" />
        </trace>
        """,
        ),
    },
    refuses=(
        (lambda: Trace(source="", message="m"), "trace source '' is empty; give it a value"),
        (
            lambda: Trace(source="s", message="m", metadata={" ": ""}),
            "trace metadata name ' ' is empty; give it a value",
        ),
    ),
    children=_children,
)
