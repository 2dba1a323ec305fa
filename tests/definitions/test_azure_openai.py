"""Our own definitions of Azure OpenAI, held against Microsoft's where those are at hand."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from definitions import UNREACHABLE, VERSIONS, azure_openai, azure_openai_v1, operation_ids
from tests import judges

INLINE_LIMIT = 4 * 1024 * 1024
BY_VERSION = {version: azure_openai(version) for version in VERSIONS} | {"v1": azure_openai_v1()}
EVERY_VERSION = pytest.mark.parametrize("version", list(BY_VERSION))
CANCEL = ("/responses/{response_id}/cancel", "post")
"""In Microsoft's reference of the v1 API ("Cancel a model response"), but not in its OpenAPI document."""


def document(version: str = "2024-10-21") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(BY_VERSION[version])
    return found


class Pair(NamedTuple):
    """Our definition and Microsoft's, with the operations and parameters that both should have."""

    ours: dict[str, Any]
    theirs: dict[str, Any]


@pytest.fixture(scope="module", params=["2024-10-21", "v1"])
def pair(request: pytest.FixtureRequest) -> Pair:
    version: str = request.param
    ours, theirs = document(version), judges.official(f"openapi/azure-openai-{version}.json")
    if version == "v1":
        # A part of it, and without the version that it allows in the query.
        del ours["paths"][CANCEL[0]]
        theirs["paths"] = {
            path: {method: theirs["paths"].get(path, {}).get(method) for method in item}
            for path, item in ours["paths"].items()
        }
        for operation in operations(theirs).values():
            operation["parameters"] = [one for one in operation["parameters"] if one["name"] != "api-version"]
    return Pair(ours, theirs)


def operations(definition: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(path, method): found for path, item in definition["paths"].items() for method, found in item.items()}


def resolved(definition: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow references, put the parts of an `allOf` together, and of a `oneOf` what all of them demand."""
    while "$ref" in schema:
        schema = definition["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    result = dict(schema)
    for part in (resolved(definition, found) for found in schema.get("allOf", ())):
        result["properties"] = {**part.get("properties", {}), **result.get("properties", {})}
        result["required"] = [*part.get("required", ()), *result.get("required", ())]
    choices = [resolved(definition, found) for found in schema.get("oneOf", ())]
    if choices and all("properties" in choice for choice in choices):
        result["properties"] = {name: found for choice in choices for name, found in choice["properties"].items()}
        result["required"] = set.intersection(*(set(choice.get("required", ())) for choice in choices))
    return result


def bodies(definition: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str, str], Mapping[str, Any]]]:
    """Yield the schema of each request and of each successful answer, with what kind it is of."""
    for (path, method), operation in operations(definition).items():
        holders = {"request": operation.get("requestBody", {"content": {}}), "answer": operation["responses"]["200"]}
        for direction, holder in holders.items():
            for kind, content in holder["content"].items():
                yield (f"{method} {path}", direction, kind), resolved(definition, content["schema"])


def test_operations_are_those_of_the_official_definition(pair: Pair) -> None:
    ids = [{place: found["operationId"] for place, found in operations(one).items()} for one in pair]

    assert ids[0] == ids[1]


def test_parameters_are_those_of_the_official_definition(pair: Pair) -> None:
    parameters = [
        {
            place: {
                (parameter["name"], parameter["in"], parameter["required"], parameter["schema"]["type"])
                for parameter in found.get("parameters", ())
            }
            for place, found in operations(one).items()
        }
        for one in pair
    ]

    assert parameters[0] == parameters[1]


def test_bodies_have_the_kinds_and_the_required_properties_of_the_official_definition(pair: Pair) -> None:
    kinds = [{place: set(schema.get("required", ())) for place, schema in bodies(one)} for one in pair]

    assert kinds[0].keys() == kinds[1].keys()
    assert all(kinds[0][place] == kinds[1][place] for place in kinds[0] if place[1] == "request")
    assert all(kinds[0][place] <= kinds[1][place] for place in kinds[0] if place[1] == "answer")


def test_every_property_is_one_of_the_official_definition_and_takes_what_that_takes(pair: Pair) -> None:
    theirs = dict(bodies(pair.theirs))
    for place, schema in bodies(pair.ours):
        for name, found in schema.get("properties", {}).items():
            other = resolved(pair.theirs, theirs[place]["properties"][name])
            mine = resolved(pair.ours, found)
            if "type" in mine and "type" in other:
                assert mine["type"] == other["type"], (place, name)
            assert mine.get("nullable", False) or not other.get("nullable", False), (place, name)


@pytest.mark.parametrize(
    ("version", "count"), [("2022-12-01", 2), ("2023-05-15", 3), ("2024-02-01", 6), ("2024-06-01", 6)]
)
def test_older_versions_offer_fewer_operations(version: str, count: int) -> None:
    assert len(operations(document(version))) == count


@EVERY_VERSION
def test_each_version_is_whole_small_and_closed(version: str) -> None:
    text = BY_VERSION[version]
    found = document(version)

    assert found["info"]["version"] == version
    assert found["servers"] == [{"url": UNREACHABLE}]
    assert set(found["components"]["schemas"]) == used_schemas(text)
    assert len(text) < INLINE_LIMIT / 100
    assert (azure_openai_v1() if version == "v1" else azure_openai(version)) == text


def used_schemas(text: str) -> set[str]:
    return {reference.partition('"')[0] for reference in text.split('"#/components/schemas/')[1:]}


@EVERY_VERSION
def test_no_schema_holds_itself(version: str) -> None:
    """API Management takes none that does (API import restrictions and known issues)."""
    schemas = document(version)["components"]["schemas"]

    def walk(name: str, above: tuple[str, ...]) -> None:
        assert name not in above
        for reference in json.dumps(schemas[name]).split('"#/components/schemas/')[1:]:
            walk(reference.partition('"')[0], (*above, name))

    for name in schemas:
        walk(name, ())


@EVERY_VERSION
def test_operations_refer_to_schemas_by_name(version: str) -> None:
    """API Management takes none inside an operation (API import restrictions and known issues)."""
    for operation in operations(document(version)).values():
        holders = (operation.get("requestBody", {"content": {}}), *operation["responses"].values())
        assert all(list(content["schema"]) == ["$ref"] for holder in holders for content in holder["content"].values())


def test_the_v1_api_asks_for_no_version() -> None:
    assert "api-version" not in BY_VERSION["v1"]
    assert all("model" in found["properties"] for _, found in requests(document("v1")))


def requests(definition: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(place[0], schema) for place, schema in bodies(definition) if place[1] == "request"]


@EVERY_VERSION
def test_chosen_operations_are_all_that_is_left_with_the_schemas_that_they_use(version: str) -> None:
    for chosen in operation_ids(BY_VERSION[version]):
        text = azure_openai_v1([chosen]) if version == "v1" else azure_openai(version, [chosen])
        found = json.loads(text)

        assert operation_ids(text) == [chosen]
        assert all(item for item in found["paths"].values())
        assert (
            set(found["components"]["schemas"]) == used_schemas(text) < set(document(version)["components"]["schemas"])
        )
