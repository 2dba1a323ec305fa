import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from definitions import (
    UNREACHABLE,
    VERSIONS,
    DefinitionError,
    Surface,
    azure_openai,
    azure_openai_v1,
    check_definition,
    operation_ids,
    without_server,
)

CHAT = "/deployments/{deployment-id}/chat/completions"


def definition(*paths: str, **more: Any) -> str:
    return json.dumps({"openapi": "3.0.1", "paths": {path: {"post": {"responses": {}}} for path in paths}, **more})


def problem(text: str, surface: Surface = Surface.DATED) -> str:
    with pytest.raises(DefinitionError) as refused:
        check_definition(text, surface)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param(
            '{\n  "openapi": "3.0.0",\n}', "line 2, column 21: there is a comma before the closing", id="comma"
        ),
        pytest.param('{"paths": [1, 2,\n]}', "line 1, column 16: there is a comma before the closing", id="in a list"),
        pytest.param("openapi: 3.0.0", "line 1, column 1: expecting value; correct it, or convert", id="YAML"),
        pytest.param('{"a": 1\n"b": 2}', "line 2, column 1: expecting ',' delimiter", id="no comma"),
        pytest.param('{"a": "x', "line 1, column 7: unterminated string", id="cut off"),
        pytest.param("", "line 1, column 1: expecting value", id="empty"),
    ],
)
def test_what_is_not_json_is_refused_with_line_and_column(text: str, place: str) -> None:
    assert problem(text).startswith(f"is not JSON: {place}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("[]", "is not an OpenAPI 3 document", id="a list"),
        pytest.param('{"swagger": "2.0", "paths": {}}', "is not an OpenAPI 3 document", id="Swagger"),
        pytest.param('{"openapi": "3.2.0", "paths": {}}', "is not an OpenAPI 3 document", id="too new"),
        pytest.param('{"openapi": "3.0.0"}', "has no operations", id="no paths"),
        pytest.param('{"openapi": "3.0.0", "paths": {"/a": {"parameters": []}}}', "has no operations", id="no method"),
        pytest.param('{"openapi": "3.0.0", "paths": {"/a": []}}', "a path without a mapping", id="path"),
        pytest.param('{"openapi": "3.0.0", "paths": {"/a": {"get": 1}}}', "a method without a mapping", id="method"),
        pytest.param('{"openapi": NaN}', "contains NaN, which JSON does not allow", id="NaN"),
        pytest.param("[" * 100_000, "is nested too deeply", id="deep"),
        pytest.param(definition("/a", x="y" * 4 * 1024**2), "allowed: up to 4 MB", id="large"),
    ],
)
def test_what_cannot_be_imported_is_refused(text: str, said: str) -> None:
    assert said in problem(text)


@pytest.mark.parametrize(
    ("text", "found", "leads_to"),
    [
        pytest.param(definition("/chat/completions"), "'/chat/completions' of the v1", "/chat/completions", id="v1"),
        pytest.param(definition("/models", "/embeddings"), "'/embeddings' of the v1", "/embeddings", id="v1, later"),
        pytest.param(definition(f"/openai{CHAT}"), f"'/openai{CHAT}'", f"/openai{CHAT}", id="openai twice"),
        pytest.param(
            definition("/openai/v1/responses"), "'/openai/v1/responses'", "/openai/v1/responses", id="openai, v1"
        ),
        pytest.param(
            definition("/responses", servers=[{"url": "https://{endpoint}/openai/v1/"}]),
            "below '/openai/v1', the v1 API",
            "/responses",
            id="v1 by its server",
        ),
    ],
)
def test_paths_that_do_not_fit_the_backend_are_refused(text: str, found: str, leads_to: str) -> None:
    said = problem(text)

    assert said.startswith("has ")
    assert found in said
    assert f"would lead to '/openai{leads_to}'" in said
    assert f"expected: paths below /openai, such as {CHAT}: " in said


@pytest.mark.parametrize("path", [CHAT, "/models", "/responses", "/deployments/{model}/embeddings", "/openai-like"])
def test_paths_of_the_dated_surface_fit(path: str) -> None:
    check_definition(definition(path))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (CHAT, f"has the path '{CHAT}' of the dated API, which would lead to '/openai/v1{CHAT}', which does not exist"),
        ("/openai/responses", "would lead to '/openai/v1/openai/responses'; {}: remove /openai from its paths"),
        ("/openai/v1/responses", "would lead to '/openai/v1/openai/v1/responses'; {}: remove /openai/v1 from its"),
        ("/v1/responses", "would lead to '/openai/v1/v1/responses'; {}: remove /v1 from its paths"),
    ],
)
def test_paths_that_do_not_fit_the_v1_backend_are_refused(path: str, said: str) -> None:
    expected = "expected: paths below /openai/v1, such as /chat/completions"
    told = problem(definition("/models", path), Surface.V1)

    assert said.replace("{}", expected) in told
    assert expected in told


@pytest.mark.parametrize("path", ["/chat/completions", "/responses/{id}", "/deployments", "/v1beta", "/openai-like"])
def test_paths_of_the_v1_surface_fit(path: str) -> None:
    check_definition(definition(path, servers=[{"url": "https://{endpoint}/openai/v1/"}]), Surface.V1)


def test_operations_are_chosen_by_their_ids() -> None:
    paths = {
        "/a": {"parameters": [], "get": {"operationId": "one"}, "post": {"operationId": "two"}},
        "/b": {"get": {"operationId": "three"}, "summary": "gone"},
        "/c": {"get": {}},
    }
    text = json.dumps({"openapi": "3.0.1", "paths": paths})

    assert operation_ids(text) == ["one", "two", "three"]
    assert json.loads(without_server(text, operations=["two"]))["paths"] == {
        "/a": {"parameters": [], "post": {"operationId": "two"}}
    }
    assert json.loads(without_server(text))["paths"] == paths


@pytest.mark.parametrize(
    "servers",
    [
        pytest.param({}, id="none"),
        pytest.param({"servers": [{"url": "https://somebody.example/openai"}, {"url": "/"}]}, id="others"),
        pytest.param({"servers": "https://somebody.example"}, id="of another shape"),
        pytest.param({"servers": [{"url": "https://[bad"}]}, id="no URL"),
    ],
)
def test_a_definition_sends_nothing_to_its_own_server(servers: dict[str, Any]) -> None:
    text = definition(CHAT, info={"title": "Ü"}, **servers)

    assert json.loads(without_server(text)) == {**json.loads(text), "servers": [{"url": UNREACHABLE}]}


@pytest.mark.parametrize("info", [{"title": "Theirs", "version": "2"}, None, "none"])
def test_a_definition_may_get_another_title(info: object) -> None:
    found = json.loads(without_server(definition(CHAT, info=info), title="ours"))["info"]

    assert found == {"title": "ours", "version": "2" if isinstance(info, dict) else "1"}


@pytest.mark.parametrize("version", VERSIONS)
def test_our_own_definition_is_closed_already(version: str) -> None:
    assert without_server(azure_openai(version)) == azure_openai(version)


def test_our_own_definition_of_v1_is_closed_already() -> None:
    assert without_server(azure_openai_v1(), surface=Surface.V1) == azure_openai_v1()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["openapi", "paths", "get", "/a", "url"]), inner),
)


@given(
    st.text() | JSON.map(json.dumps),
    st.fixed_dictionaries({"openapi": st.just("3.0.0"), "paths": JSON}, optional={"servers": JSON}).map(json.dumps),
)
def test_any_text_is_either_closed_or_refused(text: str, nearly: str) -> None:
    for candidate in (text, nearly):
        with contextlib.suppress(DefinitionError):
            assert json.loads(without_server(candidate))["servers"] == [{"url": UNREACHABLE}]
