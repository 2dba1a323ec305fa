"""validate-content, validate-parameters, validate-headers, validate-status-code."""

import gzip
import json
from copy import deepcopy
from typing import Any

import pytest
from aiohttp import web

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.loading.plan import compile_plan
from apim_emulator.gateway.validation.definition import Definitions
from apim_emulator.gateway.validation.json_schema import Schemas
from apim_emulator.model import Api, Operation, Product
from emulator.tests.gateway.harness import BACKEND_URL, CHAT, MODELS, Bench, gateway, header, inbound

CHAT_PATH = "/api/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
INTERNAL = "The request could not be processed due to an internal error. Contact the API owner."
WHY = header("X-Why", '@(context.LastError.Source + "/" + context.LastError.Reason + "/" + context.LastError.Message)')

DEFINITION: dict[str, Any] = {
    "openapi": "3.0.0",
    "paths": {
        "/deployments/{deployment-id}/chat/completions": {
            "parameters": [{"$ref": "#/components/parameters/Deployment"}],
            "post": {
                "parameters": [
                    {
                        "in": "query",
                        "name": "api-version",
                        "required": True,
                        "schema": {"type": "string", "pattern": "^\\d{4}-"},
                    },
                    {"in": "query", "name": "top", "schema": {"type": "integer", "minimum": 1, "maximum": 9}},
                    {"in": "query", "name": "tag", "schema": {"type": "array", "items": {"type": "integer"}}},
                    {"in": "query", "name": "ratio", "schema": {"type": "number"}},
                    {"in": "header", "name": "X-Dry-Run", "schema": {"type": "boolean"}},
                    {
                        "in": "header",
                        "name": "X-Ids",
                        "schema": {"type": "array", "items": {"type": "integer"}, "maxItems": 2},
                    },
                ],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Chat"}}}},
                "responses": {
                    "200": {
                        "headers": {"X-Count": {"required": True, "schema": {"type": "integer"}}},
                        "content": {
                            "application/json; charset=utf-8": {"schema": {"$ref": "#/components/schemas/Answer"}}
                        },
                    },
                    "4xx": {"content": {"application/json": {}}},
                },
            },
        },
        "/models": {"get": {"responses": {"200": {}}}},
    },
    "components": {
        "parameters": {
            "Deployment": {
                "in": "path",
                "name": "deployment-id",
                "required": True,
                "schema": {"type": "string", "maxLength": 8},
            }
        },
        "schemas": {
            "Chat": {
                "type": "object",
                "required": ["messages"],
                "properties": {
                    "messages": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Message"}},
                    "n": {"type": "integer", "nullable": True},
                },
            },
            "Message": {
                "type": "object",
                "required": ["role"],
                "properties": {
                    "role": {"enum": ["system", "user"]},
                    "content": {"type": "string"},
                    "replies": {"type": "array", "items": {"$ref": "#/components/schemas/Message"}},
                },
                "additionalProperties": False,
            },
            "Answer": {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]},
        },
    },
}


def load(bench: Bench, *policies: str, outbound: str = "<base/>", **changes: Any) -> None:
    bench.load(inbound(*policies, outbound=outbound, on_error=WHY), api={"definition": DEFINITION}, **changes)


def content(
    rules: str = "<content type='application/json' validate-as='json' action='prevent'/>",
    *,
    types: str = "prevent",
    size: str = "prevent",
    most: int = 1000,
) -> str:
    return (
        f"<validate-content unspecified-content-type-action='{types}' max-size='{most}' size-exceeded-action='{size}' "
        f"errors-variable-name='errors'>{rules}</validate-content>"
    )


async def refusal(bench: Bench, status: int, path: str = CHAT_PATH, **options: Any) -> str:
    """Call and give the message; the backend must not have been called where the request was refused."""
    response = await bench.call(path, "POST", **options)
    assert response.status == status, await response.text()
    if status == 400:
        assert bench.backend.calls == []
    body = await response.json()
    return "" if status == 200 else str(body["message"])


VALID = {"messages": [{"role": "user", "content": "hi"}], "n": None, "extra": [1]}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param(VALID, None, id="valid"),
        pytest.param({}, "$: messages is required", id="required"),
        pytest.param({"messages": []}, "$.messages: number of items must be at least 1", id="too few"),
        pytest.param({"messages": "x"}, "$.messages: must be array", id="type"),
        pytest.param({"messages": [{"role": "me"}]}, "$.messages[0].role: is not one of the values", id="enum"),
        pytest.param({"messages": [{"role": "user", "x": 1}]}, "$.messages[0].x: is not allowed", id="additional"),
        pytest.param(
            {"messages": [{"role": "user", "replies": [{"role": 1}]}]},
            "$.messages[0].replies[0].role:",
            id="recursive",
        ),
        pytest.param({"messages": [{"role": "user"}], "n": 1.5}, "$.n: must be integer", id="integer"),
        pytest.param([], "$: must be object", id="root"),
        pytest.param(b"{", "It is not JSON.", id="no JSON"),
        pytest.param(b"NaN", "It is not JSON.", id="NaN"),
        pytest.param(b"\xff", "It is not JSON.", id="no UTF-8"),
        pytest.param(b"[" * 999, "It is not JSON.", id="deep"),
    ],
)
async def test_body_of_a_request(gateway_bench: Bench, body: object, error: str | None) -> None:
    load(gateway_bench, content())
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    message = await refusal(
        gateway_bench, 200 if error is None else 400, data=data, headers={"Content-Type": "application/json"}
    )

    if error is None:
        assert gateway_bench.backend.last.body == data
    else:
        assert message.startswith(
            "Body of the request does not conform to the definition Chat, which is associated with the content type "
            f"application/json. {error}"
        )


@pytest.mark.parametrize(
    ("rules", "content_type", "status"),
    [
        pytest.param("", "application/json", 200, id="specified"),
        pytest.param("", "Application/JSON; charset=utf-8", 200, id="another case"),
        pytest.param("", "text/plain", 400, id="unspecified"),
        pytest.param("", "", 400, id="missing"),
        pytest.param("<content-type-map missing-content-type-value='application/json'/>", "", 200, id="missing mapped"),
        pytest.param(
            "<content-type-map any-content-type-value='application/json'/>", "text/plain", 200, id="any mapped"
        ),
        pytest.param(
            "<content-type-map any-content-type-value='x/y'><type from='text/plain' to='application/json'/>"
            "</content-type-map>",
            "text/plain",
            200,
            id="one mapped",
        ),
        pytest.param(
            "<content-type-map><type when='@(context.Request.Headers.ContainsKey(\"X-A\"))' to='application/json'/>"
            "</content-type-map>",
            "text/plain",
            200,
            id="mapped by a condition",
        ),
    ],
)
async def test_content_type(gateway_bench: Bench, rules: str, content_type: str, status: int) -> None:
    load(gateway_bench, content(rules))
    headers = {"X-A": "1"} | ({"Content-Type": content_type} if content_type else {})

    message = await refusal(gateway_bench, status, data=b"{}", headers=headers, skip_auto_headers=["Content-Type"])

    assert message in {"", f"Unspecified content type {content_type} is not allowed."}


@pytest.mark.parametrize(
    ("data", "encoding", "status", "message"),
    [
        pytest.param(b"1" * 1000, None, 200, "", id="as large as allowed"),
        pytest.param(
            b"1" * 1001,
            None,
            400,
            "Request's body is 1001 bytes long and it exceeds the limit of 1000 bytes.",
            id="larger",
        ),
        pytest.param(
            gzip.compress(b"1" * 1001),
            "gzip",
            400,
            "Request's body is 1001 bytes long",
            id="larger when decompressed",
        ),
        pytest.param(gzip.compress(b"1" * 10**7), "gzip", 400, INTERNAL, id="bomb"),
        pytest.param(b"1", "br", 400, INTERNAL, id="unknown encoding"),
        pytest.param(b"", None, 200, "", id="no body"),
    ],
)
async def test_size(gateway_bench: Bench, data: bytes, encoding: str | None, status: int, message: str) -> None:
    load(gateway_bench, content(""))
    headers = {"Content-Type": "application/json"} | ({} if encoding is None else {"Content-Encoding": encoding})

    assert (await refusal(gateway_bench, status, data=data, headers=headers)).startswith(message)


@pytest.mark.parametrize("action", ["detect", "ignore", '@("det" + "ect")'])
async def test_error_that_is_only_detected_goes_into_the_variable(gateway_bench: Bench, action: str) -> None:
    rules = f"<content type='application/json' validate-as='json' action='{action}'/>"
    seen = header("X-Errors", '@(context.Variables.ContainsKey("errors") ? "some" : "none")')
    load(gateway_bench, content(rules), seen)

    await refusal(gateway_bench, 200, json={})

    assert gateway_bench.backend.last.headers["X-Errors"] == ("none" if action == "ignore" else "some")


@pytest.mark.parametrize(
    ("additional", "body", "status"),
    [
        ("true", {"messages": [{"role": "user", "x": 1}]}, 200),
        ("false", {"messages": [{"role": "user"}], "extra": 1}, 400),
    ],
)
async def test_additional_properties_are_overridden(
    gateway_bench: Bench, additional: str, body: object, status: int
) -> None:
    load(
        gateway_bench,
        content(f"<content validate-as='json' action='prevent' allow-additional-properties='{additional}'/>"),
    )

    await refusal(gateway_bench, status, json=body)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        pytest.param(200, {"ok": True}, None, id="valid"),
        pytest.param(200, {"ok": 1}, "$.ok: must be boolean", id="invalid"),
        pytest.param(404, {"anything": 1}, None, id="range of status codes"),
        pytest.param(500, {}, "Unspecified content type application/json is not allowed.", id="status without a body"),
    ],
)
async def test_body_of_a_response_is_told_to_on_error_only(
    gateway_bench: Bench, status: int, body: object, error: str | None
) -> None:
    load(gateway_bench, outbound=content())

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    gateway_bench.backend.answer = answer
    response = await gateway_bench.call(CHAT_PATH, "POST", json=VALID)

    if error is None:
        assert (response.status, await response.json()) == (status, body)
    else:
        assert (response.status, (await response.json())["message"]) == (502, INTERNAL)
        assert response.headers["X-Why"].startswith("validate-content/Response not allowed/")
        assert response.headers["X-Why"].endswith(error)


# validate-parameters


def parameters(groups: str = "", specified: str = "prevent", unspecified: str = "ignore") -> str:
    return (
        f"<validate-parameters specified-parameter-action='{specified}' unspecified-parameter-action='{unspecified}' "
        f"errors-variable-name='errors'>{groups}</validate-parameters>"
    )


@pytest.mark.parametrize(
    ("query", "headers", "error"),
    [
        pytest.param("api-version=2024-10-21", {}, None, id="valid"),
        pytest.param(
            "api-version=2024-1&top=3&tag=1&tag=2&ratio=-1.5e3", {"X-Dry-Run": "true", "X-Ids": "1,2"}, None, id="all"
        ),
        pytest.param(
            "",
            {},
            "Value of the query parameter api-version does not conform to the definition. It is required.",
            id="missing",
        ),
        pytest.param("api-version=v1", {}, "Value of the query parameter api-version does not conform", id="pattern"),
        pytest.param(
            "api-version=2024-1&API-VERSION=2024-2",
            {},
            "Request cannot contain multiple values for the query parameter api-version.",
            id="twice",
        ),
        pytest.param(
            "api-version=2024-1&top=x",
            {},
            "Value of the query parameter top cannot be parsed according to the definition. It is not integer.",
            id="no integer",
        ),
        pytest.param("api-version=2024-1&top=1e1", {}, "Value of the query parameter top cannot be parsed", id="1e1"),
        pytest.param(
            "api-version=2024-1&top=0",
            {},
            "Value of the query parameter top does not conform to the definition. $: must be at least 1",
            id="too small",
        ),
        pytest.param(
            "api-version=2024-1&tag=1&tag=x", {}, "Value of the query parameter tag cannot be parsed", id="item"
        ),
        pytest.param(
            "api-version=2024-1&ratio=NaN", {}, "Value of the query parameter ratio cannot be parsed", id="NaN"
        ),
        pytest.param(
            "api-version=2024-1", {"X-Dry-Run": "yes"}, "Value of the header X-Dry-Run cannot be parsed", id="boolean"
        ),
        pytest.param(
            "api-version=2024-1", {"X-Ids": "1,2,3"}, "Value of the header X-Ids does not conform", id="too many"
        ),
    ],
)
async def test_specified_parameters(
    gateway_bench: Bench, query: str, headers: dict[str, str], error: str | None
) -> None:
    load(gateway_bench, parameters())

    path = f"/api/deployments/gpt-4o/chat/completions?{query}"
    message = await refusal(gateway_bench, 200 if error is None else 400, path, headers=headers)

    assert message.startswith(error or "")


async def test_path_parameter_is_decoded(gateway_bench: Bench) -> None:
    load(gateway_bench, parameters())

    await refusal(gateway_bench, 200, CHAT_PATH.replace("gpt-4o", "%67%70%74%2D4o"))
    gateway_bench.backend.calls.clear()
    message = await refusal(gateway_bench, 400, CHAT_PATH.replace("gpt-4o", "gpt-4o-mini"))

    assert message.startswith("Value of the path parameter deployment-id does not conform")


@pytest.mark.parametrize(
    ("groups", "unspecified", "status"),
    [
        pytest.param("", "prevent", 400, id="prevented"),
        pytest.param("", "ignore", 200, id="ignored"),
        pytest.param("", "detect", 200, id="detected"),
        pytest.param(
            "<headers specified-parameter-action='prevent' unspecified-parameter-action='ignore'/>"
            "<query specified-parameter-action='prevent' unspecified-parameter-action='prevent'>"
            "<parameter name='EXTRA' action='ignore'/></query>",
            "prevent",
            200,
            id="named",
        ),
        pytest.param(
            "<headers specified-parameter-action='prevent' unspecified-parameter-action='ignore'>"
            "<parameter name='x-extra' action='prevent'/></headers>",
            "ignore",
            400,
            id="named header",
        ),
    ],
)
async def test_unspecified_parameters(gateway_bench: Bench, groups: str, unspecified: str, status: int) -> None:
    load(gateway_bench, parameters(groups, unspecified=unspecified))

    await refusal(gateway_bench, status, f"{CHAT_PATH}&extra=1", headers={"X-Extra": "1"})


async def test_all_errors_are_looked_for_before_the_call_is_stopped(gateway_bench: Bench) -> None:
    load(gateway_bench, parameters())
    path = "/api/deployments/too-long-name/chat/completions?api-version=v1"

    response = await gateway_bench.call(path, "POST")

    assert response.headers["X-Why"].startswith("validate-parameters/Bad request/Value of the query parameter api-ver")


# validate-headers and validate-status-code


@pytest.mark.parametrize(
    ("specified", "unspecified", "named", "given", "error"),
    [
        pytest.param("prevent", "ignore", "", {"X-Count": "1"}, None, id="valid"),
        pytest.param("prevent", "ignore", "", {}, "header X-Count does not conform", id="missing"),
        pytest.param("prevent", "ignore", "", {"X-Count": "x"}, "header X-Count cannot be parsed", id="wrong"),
        pytest.param("ignore", "ignore", "", {"X-Count": "x"}, None, id="ignored"),
        pytest.param(
            "prevent",
            "prevent",
            "",
            {"X-Count": "1", "X-Trace": "s"},
            "Unspecified header X-Trace is not",
            id="unspecified",
        ),
        pytest.param(
            "prevent",
            "prevent",
            "<header name='x-trace' action='ignore'/>",
            {"X-Count": "1", "X-Trace": "s"},
            None,
            id="named",
        ),
    ],
)
async def test_headers_of_the_response(  # noqa: PLR0917 - a table's columns
    gateway_bench: Bench, specified: str, unspecified: str, named: str, given: dict[str, str], error: str | None
) -> None:
    others = "".join(f"<header name='{name}' action='ignore'/>" for name in ("Date", "Server"))
    load(
        gateway_bench,
        outbound=f"<validate-headers specified-header-action='{specified}' unspecified-header-action='{unspecified}'>"
        f"{others}{named}</validate-headers>",
    )

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response({}, headers=given)

    gateway_bench.backend.answer = answer
    response = await gateway_bench.call(CHAT_PATH, "POST")

    if error is None:
        assert response.status == 200
    else:
        assert (response.status, (await response.json())["message"]) == (502, INTERNAL)
        assert error in response.headers["X-Why"]


@pytest.mark.parametrize(
    ("status", "named", "expected"),
    [
        pytest.param(200, "", 200, id="specified"),
        pytest.param(429, "", 429, id="range"),
        pytest.param(500, "", 502, id="unspecified"),
        pytest.param(500, "<status-code code='500' action='ignore'/>", 500, id="named"),
    ],
)
async def test_status_code(gateway_bench: Bench, status: int, named: str, expected: int) -> None:
    policy = f"<validate-status-code unspecified-status-code-action='prevent'>{named}</validate-status-code>"
    load(gateway_bench, outbound=policy)

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text="stack trace")

    gateway_bench.backend.answer = answer
    response = await gateway_bench.call(CHAT_PATH, "POST")

    assert response.status == expected
    if expected == 502:
        assert response.headers["X-Why"] == (
            "validate-status-code/Response not allowed/Response status code 500 is not allowed."
        )
        assert "stack trace" not in await response.text()


# loading


ANY_HEADERS = "<validate-headers specified-header-action='detect' unspecified-header-action='ignore'/>"


def broken(change: Any) -> dict[str, Any]:
    document = deepcopy(DEFINITION)
    change(document)
    return document


@pytest.mark.parametrize(
    ("policies", "outbound", "definition", "message"),
    [
        pytest.param(
            parameters(), "", None, "the definition of the API api is not known, only its operations", id="none"
        ),
        pytest.param(
            "", ANY_HEADERS, None, "validate-headers: the definition of the API api is not known", id="headers"
        ),
        pytest.param(
            parameters(),
            "",
            broken(lambda one: one["paths"].pop("/models")),
            "definition of the API api, operation models: it is not in the definition",
            id="operation",
        ),
        pytest.param(
            content(),
            "",
            broken(lambda one: one["components"]["schemas"]["Chat"].update({"if": {}})),
            "definition Chat: schema keyword if is not supported",
            id="keyword",
        ),
        pytest.param(
            content(),
            "",
            broken(lambda one: one["components"]["schemas"].pop("Message")),
            "'#/components/schemas/Message' leads nowhere",
            id="reference",
        ),
        pytest.param(
            content("<content validate-as='xml' action='prevent'/>"), "", DEFINITION, "only json is supported", id="XML"
        ),
        pytest.param(
            content("<content validate-as='json' action='prevent' schema-id='s'/>"),
            "",
            DEFINITION,
            "schema-id: attribute is not supported",
            id="schema of the service",
        ),
        pytest.param(
            content("<content validate-as='json' action='stop'/>"), "", DEFINITION, "'stop' is not one of", id="action"
        ),
        pytest.param(content(most=102_401), "", DEFINITION, "not a whole number, 1 to 102400", id="size"),
        pytest.param(
            content("<content-type-map><type to='a/b'/></content-type-map>"),
            "",
            DEFINITION,
            "exactly one of from, when",
            id="map",
        ),
        pytest.param(
            parameters("<query><parameter name='a' action='ignore'/><parameter name='A' action='ignore'/></query>"),
            "",
            DEFINITION,
            "a appears twice",
            id="parameter twice",
        ),
    ],
)
def test_policy_is_refused_with_the_reason(policies: str, outbound: str, definition: Any, message: str) -> None:
    with pytest.raises(PolicyLoadError) as caught:
        compile_plan(gateway(inbound(policies, outbound=outbound), api={"definition": definition}))

    assert message in str(caught.value)


def test_outer_scope_needs_the_definition_of_every_api_it_meets() -> None:
    known = Api(id="known", path="known", operations=(CHAT, MODELS), definition=DEFINITION)
    unknown = Api(id="unknown", path="unknown", operations=(MODELS,), service_url=BACKEND_URL)
    policy = inbound(parameters())

    compile_plan(
        gateway(apis=(known, unknown), products=(Product(id="p", api_ids=frozenset({"known"}), policy=policy),))
    )
    with pytest.raises(PolicyLoadError, match=r"global, line 1, column .*the API unknown is not known"):
        compile_plan(gateway(apis=(known, unknown), policy=policy))


SCHEMAS = {
    "minLength": ({"minLength": 2}, ["ab", 1], ["a"]),
    "maxLength": ({"maxLength": 2}, ["ab"], ["abc"]),
    "pattern": ({"pattern": "b"}, ["abc"], ["a"]),
    "minimum": ({"minimum": 2}, [2, "1"], [1]),
    "exclusive minimum": ({"minimum": 2, "exclusiveMinimum": True}, [2.1], [2]),
    "exclusive maximum": ({"maximum": 2, "exclusiveMaximum": True}, [1.9], [2]),
    "multipleOf": ({"multipleOf": 3}, [9], [10]),
    "number is no boolean": ({"type": "number"}, [1, 1.5], [True, "1"]),
    "types": ({"type": ["string", "null"]}, ["a", None], [1]),
    "nullable": ({"type": "string", "nullable": True}, ["a", None], [1]),
    "const": ({"const": 1}, [1], [True, 2]),
    "unique": ({"uniqueItems": True}, [[1, 2]], [[1, 1]]),
    "maxItems": ({"maxItems": 1}, [[1]], [[1, 2]]),
    "minProperties": ({"minProperties": 1}, [{"a": 1}], [{}]),
    "allOf": ({"allOf": [{"minimum": 1}, {"maximum": 2}]}, [1], [3]),
    "anyOf": ({"anyOf": [{"type": "string"}, {"minimum": 3}]}, ["a", 3], [1]),
    "oneOf": ({"oneOf": [{"minimum": 1}, {"minimum": 5}]}, [2], [6, 0]),
    "not": ({"not": {"type": "string"}}, [1], ["a"]),
    "additional schema": ({"additionalProperties": {"type": "string"}}, [{"a": "b"}], [{"a": 1}]),
    "false": (False, [], [1]),
    "annotations": ({"description": "x", "format": "date", "x-ms": 1}, [1], []),
}


@pytest.mark.parametrize(("schema", "right", "wrong"), SCHEMAS.values(), ids=SCHEMAS.keys())
def test_schema(schema: Any, right: list[Any], wrong: list[Any]) -> None:
    check = Schemas({}).check(schema)

    assert [check(value) for value in right] == [[]] * len(right)
    assert all(check(value) for value in wrong)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "text"},
        {"pattern": "("},
        {"pattern": 1},
        {"minLength": "1"},
        {"multipleOf": 0},
        {"$ref": "other.json#/x"},
        "x",
        {"patternProperties": {}},
        {"$ref": "#/a"},
    ],
)
def test_schema_that_is_not_understood_is_refused(schema: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Schemas({}).check(schema)


def test_pattern_that_would_search_for_ever_gives_up_and_does_not_match(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apim_emulator.csharp.runtime.meter.MAX_SECONDS", 0.01)
    check = Schemas({}).check({"pattern": "^(a+)+$"})

    assert check("aaa") == []
    assert check("a" * 60 + "!") == ["$: does not match the pattern"]


def test_schema_that_refers_to_itself_only_says_nothing_wrong() -> None:
    check = Schemas({"a": {"$ref": "#/a"}}).check({"$ref": "#/a"})

    assert check(1) == ["$: nested too deep"]


def test_parameter_that_is_not_understood_is_refused() -> None:
    operation = Operation(name="o", method="GET", url_template="/o")
    wrong: list[dict[str, Any]] = [
        {"content": {}},
        {"schema": {"type": "object"}},
        {"schema": {"type": "array"}, "style": "deepObject"},
    ]
    for parameter in wrong:
        document = {"paths": {"/o": {"get": {"parameters": [{"in": "query", "name": "p", **parameter}]}}}}
        with pytest.raises(ValueError, match="operation o: parameter p"):
            Definitions([Api(id="a", path="a", operations=(operation,), definition=document)])
