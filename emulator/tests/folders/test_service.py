"""A folder as one service: what each file of the layout means, and every mistake in it at once."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from apim_emulator.errors import EmulatorError
from apim_emulator.folders.service import Documents, folder_files, read_service, state
from apim_emulator.gateway.loading.placeholders import Fillings
from apim_emulator.model import Backend, CircuitBreaker, PoolMember

URL = "http://127.0.0.1:9"
EMPTY = "<policies><inbound><base /></inbound></policies>"
SPECIFICATION = """
openapi: 3.0.1
info: {title: Echo, version: "1"}
paths:
  /items:
    get: {operationId: get-items, responses: {"200": {description: ok}}}
  /items/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    delete: {operationId: delete-item, responses: {"204": {description: gone}}}
"""
Write = Callable[..., Documents]


def information(**properties: Any) -> str:
    return json.dumps({"properties": properties})


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(files: Mapping[str, Any], **options: Any) -> Documents:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return read_service(tmp_path, URL, keys=lambda name: f"key-of-{name}", **options)

    return write


def mistakes(found: Documents, folder: Path) -> list[str]:
    return [str(one).removeprefix(f"{folder}/") for one in found.mistakes]


ARTIFACTS = {
    "policy.xml": "<policies><inbound /></policies>",
    "apis/echo/apiInformation.json": information(
        path="echo/", serviceUrl="https://echo.example", subscriptionRequired=False,
        subscriptionKeyParameterNames={"header": "api-key", "query": "key"},
    ),
    "apis/echo/specification.yaml": SPECIFICATION,
    "apis/echo/policy.xml": EMPTY,
    "apis/echo/operations/get-items/policy.xml": EMPTY,
    "apis/echo;rev=1/apiInformation.json": information(path="echo"),
    "products/starter/productInformation.json": information(subscriptionRequired=True, state="published"),
    "products/starter/apis/echo/productApiInformation.json": "{}",
    "products/starter/policy.xml": EMPTY,
    "policy fragments/auth/policy.xml": "<fragment><set-method>GET</set-method></fragment>",
    "policy fragments/auth/policyFragmentInformation.json": information(description="x"),
    "named values/0123/namedValueInformation.json": information(displayName="team", value="blue", secret=False),
    "named values/key/namedValueInformation.json": information(displayName="key", secret=True),
    "backends/east/backendInformation.json": information(
        url="https://east.example", protocol="http", credentials={"header": {"X-Key": ["{{team}}"]}},
        circuitBreaker={"rules": [{
            "failureCondition": {"count": 3, "interval": "PT1M", "statusCodeRanges": [{"min": 500, "max": 599}]},
            "tripDuration": "PT30S",
        }]},
    ),
    "backends/pool/backendInformation.json": information(
        type="Pool", pool={"services": [{"id": "/backends/east", "priority": 1, "weight": 2}]},
    ),
    "subscriptions/ann/subscriptionInformation.json": information(scope="/products/starter", state="active"),
}  # fmt: skip


def test_artifacts_of_apiops_are_one_service(write: Write) -> None:
    found = write(ARTIFACTS)

    service = found.gateway
    (api,), (product,), (subscription,) = service.apis, service.products, service.subscriptions
    assert (api.id, api.path, api.service_url, api.subscription_required) == (
        "echo", "echo", "https://echo.example", False,
    )  # fmt: skip
    assert (api.key_header, api.key_query, api.policy) == ("api-key", "key", EMPTY)
    assert [(one.name, one.method, one.url_template, one.policy) for one in api.operations] == [
        ("get-items", "GET", "/items", EMPTY), ("delete-item", "DELETE", "/items/{id}", None),
    ]  # fmt: skip
    assert (product.id, product.api_ids, product.subscription_required) == ("starter", frozenset({"echo"}), True)
    assert (subscription.scope, subscription.primary_key) == ("/products/starter", "key-of-ann")
    assert dict(service.named_values) == {"team": "blue"}
    assert service.secret_names == {"key"}
    breaker = CircuitBreaker(interval=60, trip_duration=30, count=3, status_codes=((500, 599),))
    east = Backend(
        id="east", url="https://east.example", header={"X-Key": ("{{team}}",)}, circuit_breaker=breaker
    )  # fmt: skip
    pool = Backend(id="pool", members=(PoolMember(backend_id="east", priority=1, weight=2),))
    assert service.backends == (east, pool)
    assert sorted(found.files) == [
        "api echo", "backend east", "backend pool", "fragment auth", "global", "operation echo/get-items",
        "product starter",
    ]  # fmt: skip
    assert (found.mistakes, list(found.valueless)) == ((), ["key"])
    assert found.notes == ("apis/echo;rev=1 is not served: it is a revision that is not current",)


def test_files_by_name_are_enough(write: Write) -> None:
    found = write(
        {
            "global.xml": "<policies />",
            "apis/chat.xml": EMPTY,
            "apis/images.xml": EMPTY,
            "products/team.xml": EMPTY,
            "fragments/auth.xml": "<fragment />",
            "named-values.yaml": "team: {value: blue, secret: false}\nkey: hidden",
        }
    )

    assert [(api.id, api.path, api.subscription_required) for api in found.gateway.apis] == [
        ("chat", "chat", True), ("images", "images", True),
    ]  # fmt: skip
    assert [(one.id, one.api_ids) for one in found.gateway.products] == [("team", frozenset({"chat", "images"}))]
    assert dict(found.gateway.named_values) == {"team": "blue", "key": "hidden"}
    assert found.gateway.secret_names == {"key"}
    assert list(found.gateway.fragments) == ["auth"]


def test_a_policy_without_a_folder_of_apis_is_the_only_apis(write: Write) -> None:
    found = write({"policy.xml": EMPTY, "fragments/auth.xml": "<fragment />"})

    assert found.gateway.policy is None
    assert [(api.id, api.path, api.policy, api.subscription_required) for api in found.gateway.apis] == [
        ("api", "", EMPTY, False)
    ]


def test_what_is_named_like_a_document_and_is_no_file_is_left_out(write: Write, tmp_path: Path) -> None:
    (tmp_path / "apis").mkdir()
    os.mkfifo(tmp_path / "apis/waits.xml")

    assert [one.id for one in write({"apis/echo.xml": EMPTY}).gateway.apis] == ["echo"]


def test_api_without_a_specification_takes_every_path_and_method(write: Write) -> None:
    (api,) = write({"apis/chat/policy.xml": EMPTY}).gateway.apis

    assert (api.path, {one.url_template for one in api.operations}) == ("", {"/{*path}"})


def test_specification_that_is_odd_in_places_is_read_as_far_as_it_goes(write: Write) -> None:
    paths = {"/a": {"parameters": 7, "get": {"parameters": {"a": 1}}}, "/b": [1], 5: {"get": {}}}
    specification = yaml.safe_dump({"openapi": "3.0.1", "paths": paths})
    (api,) = write({"apis/a/policy.xml": EMPTY, "apis/a/specification.yaml": specification}).gateway.apis

    assert [one.name for one in api.operations] == ["get-a"]


@pytest.mark.parametrize(("scheme", "path"), [("Segment", "calc/v1"), ("Header", "calc")])
def test_version_is_a_part_of_the_path_where_its_set_says_so(write: Write, scheme: str, path: str) -> None:
    found = write(
        {
            "apis/calc/policy.xml": EMPTY,
            "apis/calc/apiInformation.json": information(path="calc", apiVersion="v1", apiVersionSetId="/x/sets/s1"),
            "version sets/s1/apiVersionSetInformation.json": information(versioningScheme=scheme),
        }
    )

    assert [api.path for api in found.gateway.apis] == [path]


def test_products_may_list_their_apis_in_one_file(write: Write) -> None:
    found = write(
        {
            "apis/a.xml": EMPTY,
            "apis/b.xml": EMPTY,
            "products/p/apis.json": '[{"name": "a"}]',
            "products/p/policy.xml": EMPTY,
        }
    )

    assert [one.api_ids for one in found.gateway.products] == [{"a"}]


def test_given_named_values_replace_those_of_the_folder(write: Write, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("key: hidden\nteam: red", encoding="utf-8")

    found = write(ARTIFACTS, named_values=tmp_path / "mine.yaml")

    assert dict(found.gateway.named_values) == {"team": "red", "key": "hidden"}
    assert found.gateway.secret_names == {"team", "key"}
    assert found.valueless == {}


def test_placeholders_are_filled_in_documents_and_in_what_is_said_of_resources(write: Write) -> None:
    fillings = Fillings(
        values={"host": "https://east.example", "team": "blue", "key": "hidden"}, secrets=frozenset({"key"})
    )
    found = write(
        {
            "apis/a.xml": EMPTY.replace("<base />", "<set-header name='a'><value>${team}</value></set-header>"),
            "backends/east/backendInformation.json": information(url="${host}/openai"),
            "named values/k/namedValueInformation.json": information(displayName="k", value="{#key#}", secret=True),
        },
        fillings=fillings,
    )  # fmt: skip

    assert "<value>blue</value>" in str(found.gateway.apis[0].policy)
    assert found.gateway.backends[0].url == "https://east.example/openai"
    assert found.gateway.named_values["k"] == "hidden"


def test_every_mistake_is_told_with_its_file_and_key(write: Write, tmp_path: Path) -> None:
    found = write(
        {
            "apis/a/policy.xml": EMPTY,
            "apis/a/apiInformation.json": information(path=5, subscriptionRequired="no"),
            "apis/a/operations/nope/policy.xml": EMPTY,
            "apis/b/policy.xml": EMPTY,
            "apis/b/specification.yaml": SPECIFICATION,
            "apis/b/operations/get-itms/policy.xml": EMPTY,
            "apis/c/apiInformation.json": '{"properties": {"path": "c",}}',
            "apis/d/specification.json": "{}",
            "apis/e/specification.json": '{"openapi": "3.0.1", "paths": {"/{a}.json": {"get": {}}}}',
            "apis/e/apiInformation.json": information(path="e", subscriptionKeyParameterNames={"header": "a b"}),
            "products/p/apis.json": '[{"name": "x"}]',
            "products/q/apis.json": "{}",
            "products/q/apis/y/productApiInformation.json": "{}",
            "named values/k/namedValueInformation.json": information(displayName="k", value=["s3cret"], secret=True),
            "backends/e/backendInformation.json": information(circuitBreaker={"rules": [{"failureCondition": {}}]}),
            "subscriptions/s/subscriptionInformation.json": information(scope="/products/gone"),
        }
    )

    assert mistakes(found, tmp_path) == [
        "named values/k/namedValueInformation.json:1:37: properties.value: must be text",
        "products/p/apis.json: API x is none of the folder apis; there are a, b, c, d, e",
        'products/q/apis.json: must be a list of objects with a name, as [{"name": "echo-api"}]',
        "products/q/apis/y: API y is none of the folder apis; there are a, b, c, d, e",
        "apis/a/apiInformation.json:1:17: properties.path: must be text",
        "apis/a/apiInformation.json:1:28: properties.subscriptionRequired: must be true or false",
        "apis/a/operations/nope/policy.xml: operation nope is not known; add specification.yaml or .json with its "
        "operationId",
        "apis/b/operations/get-itms/policy.xml: operation get-itms is no operationId of the API's specification; there "
        "are get-items, delete-item",
        "apis/c/apiInformation.json:1:29: not JSON: Expecting property name enclosed in double quotes",
        "apis/d/specification.json: is no OpenAPI document",
        "apis/e/specification.json: template /{a}.json: a parameter must be a whole segment",
        "apis/e/apiInformation.json: properties.subscriptionKeyParameterNames.header: must be the name of a header",
        "backends/e/backendInformation.json: properties.circuitBreaker.rules.failureCondition: failureCondition needs "
        "either count or percentage",
        "subscriptions/s/subscriptionInformation.json: properties.scope: gone is none of the folder products; there "
        "are: p, q",
    ]


def test_two_apis_of_one_path_are_a_mistake(write: Write, tmp_path: Path) -> None:
    found = write(
        {f"apis/{name}/apiInformation.json": information(path="same") for name in "ab"} | {"policy.xml": EMPTY}
    )

    assert mistakes(found, tmp_path) == [
        "apis/b/apiInformation.json: path /same already belongs to api a; give one of them another"
    ]


def test_folder_without_a_policy_is_refused(write: Write) -> None:
    with pytest.raises(EmulatorError, match=r"holds no policy document; one is at policy\.xml, global\.xml, apis/NAME"):
        write({"readme.txt": ""})


def test_new_and_deleted_files_change_the_state(write: Write, tmp_path: Path) -> None:
    write(ARTIFACTS)
    states = [state(folder_files(tmp_path))]
    (tmp_path / "apis" / "more.xml").write_text(EMPTY, encoding="utf-8")
    states.append(state(folder_files(tmp_path)))
    (tmp_path / "apis" / "more.xml").unlink()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "hidden.xml").write_text("x", encoding="utf-8")
    states.append(state(folder_files(tmp_path)))

    assert states[0] == states[2] != states[1]
