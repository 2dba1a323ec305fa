from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from policies import ReturnResponse, SetBody, SetHeader, SetStatus
from tests.policies.reader import read_policy
from tests.policies.record import Record
from tests.policies.records import set_body, set_header, set_status
from tests.policies.values import any_type, maybe, options, plain


def _children(element: ET.Element) -> dict[str, Any]:
    parts: dict[str, list[Any]] = {tag: [] for tag in ("set-status", "set-header", "set-body")}
    for child in element:
        parts[child.tag].append(read_policy(child))
    return {
        "status": next(iter(parts["set-status"]), None),
        "headers": parts["set-header"],
        "body": next(iter(parts["set-body"]), None),
    }


RECORD = Record(
    ReturnResponse,
    examples=(ReturnResponse(),),
    drawn=options(
        ReturnResponse,
        response_variable_name=maybe(plain),
        status=maybe(set_status.RECORD.policies()),
        headers=st.lists(set_header.RECORD.policies(), max_size=2),
        body=maybe(set_body.RECORD.policies()),
    ),
    renders={
        "return-response puts status, headers and body into the schema's order": (
            ReturnResponse(
                id="done",
                response_variable_name="reply",
                status=SetStatus(code=403, reason="Forbidden"),
                headers=[SetHeader(name="x-a", values=["1"]), SetHeader(name="x-b", values=["2"])],
                body=SetBody(value='{"error": true}'),
            ),
            """
        <return-response id="done" response-variable-name="reply">
            <set-status code="403" reason="Forbidden" />
            <set-header name="x-a">
                <value>1</value>
            </set-header>
            <set-header name="x-b">
                <value>2</value>
            </set-header>
            <set-body>{"error": true}</set-body>
        </return-response>
        """,
        ),
        "return-response needs no options": (ReturnResponse(), "<return-response />"),
    },
    refuses=(
        (
            lambda: ReturnResponse(status=any_type(403)),
            "return-response status 403 is not allowed; use SetStatus",
        ),
        (
            lambda: ReturnResponse(response_variable_name=""),
            "return-response response_variable_name '' is empty; give it a value",
        ),
    ),
    children=_children,
)
