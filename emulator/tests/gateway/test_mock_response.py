"""mock-response: examples of the API's definition."""

from typing import Any

import pytest

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.testing import PolicyBench, Response

DEFINITION = {
    "paths": {
        "/{*path}": {
            "get": {
                "responses": {
                    "200": {"$ref": "#/components/responses/Ok"},
                    "404": {"description": "none"},
                    "418": {"content": {"text/plain": {"schema": {"type": "string", "example": "teapot"}}}},
                }
            }
        }
    },
    "components": {
        "responses": {
            "Ok": {
                "content": {
                    "application/json": {
                        "schema": {"type": "object"},
                        "examples": {"one": {"value": {"a": 1}}, "two": {"$ref": "#/components/examples/Two"}},
                    },
                    "text/plain": {"example": "plain"},
                }
            }
        },
        "examples": {"Two": {"value": [2]}},
    },
}


def call(attributes: str, definition: dict[str, Any] | None = None, section: str = "inbound") -> Response:
    policy = f"<policies><{section}><mock-response {attributes}/></{section}></policies>"
    return PolicyBench(policy, api={"definition": definition}).get()


@pytest.mark.parametrize(
    ("attributes", "status", "content_type", "text"),
    [
        pytest.param("", 200, "application/json", '{"a": 1}', id="first of all"),
        pytest.param("index='1'", 200, "application/json", "[2]", id="another example"),
        pytest.param("content-type='text/plain; charset=utf-8'", 200, "text/plain; charset=utf-8", "plain", id="type"),
        pytest.param("content-type='text/html'", 200, "text/html", "", id="type without an example"),
        pytest.param("status-code='404'", 404, None, "", id="response without content"),
        pytest.param("status-code='418'", 418, "text/plain", "teapot", id="example of the schema"),
        pytest.param("status-code='500'", 500, None, "", id="response that is not defined"),
    ],
)
def test_caller_gets_the_example_and_the_backend_no_call(
    attributes: str, status: int, content_type: str | None, text: str
) -> None:
    response = call(attributes, DEFINITION)

    assert (response.status_code, response.headers.get("Content-Type"), response.text) == (status, content_type, text)
    assert response.requests == ()


def test_without_a_definition_there_is_no_content() -> None:
    response = call("content-type='application/json'")

    assert (response.status_code, response.headers["Content-Type"], response.text) == (200, "application/json", "")


def test_outbound_replaces_the_response() -> None:
    response = call("", DEFINITION, "outbound")

    assert (response.text, len(response.requests)) == ('{"a": 1}', 1)


def test_it_does_nothing_where_it_is_not_enabled() -> None:
    assert len(call("enabled='false'", DEFINITION).requests) == 1


@pytest.mark.parametrize(
    ("attributes", "section", "reason"),
    [
        pytest.param("index='2'", "inbound", "operation get: has a schema but no example 2", id="sample of a schema"),
        pytest.param("status-code='99'", "inbound", "whole number", id="status"),
        pytest.param("", "backend", "may not stand in backend", id="section"),
        pytest.param("status-code='@(200)'", "inbound", "an expression is not allowed here", id="expression"),
    ],
)
def test_what_it_does_not_take_is_refused(attributes: str, section: str, reason: str) -> None:
    with pytest.raises(PolicyLoadError, match=reason):
        call(attributes, DEFINITION, section)
