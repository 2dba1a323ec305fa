"""Our own definition of Azure OpenAI, held against Microsoft's where that is at hand."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from definitions import UNREACHABLE, VERSIONS, azure_openai
from tests import judges

INLINE_LIMIT = 4 * 1024 * 1024


def document(version: str = "2024-10-21") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(azure_openai(version))
    return found


@pytest.fixture(scope="module")
def official() -> dict[str, Any]:
    found: dict[str, Any] = judges.official("openapi/azure-openai-2024-10-21.json")
    return found


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
        for direction, holder in (("request", operation["requestBody"]), ("answer", operation["responses"]["200"])):
            for kind, content in holder["content"].items():
                yield (f"{method} {path}", direction, kind), resolved(definition, content["schema"])


def test_operations_are_those_of_the_official_definition(official: dict[str, Any]) -> None:
    ids = [{place: found["operationId"] for place, found in operations(one).items()} for one in (document(), official)]

    assert ids[0] == ids[1]


def test_parameters_are_those_of_the_official_definition(official: dict[str, Any]) -> None:
    parameters = [
        {
            place: {
                (parameter["name"], parameter["in"], parameter["required"], parameter["schema"]["type"])
                for parameter in found["parameters"]
            }
            for place, found in operations(one).items()
        }
        for one in (document(), official)
    ]

    assert parameters[0] == parameters[1]


def test_bodies_have_the_kinds_and_the_required_properties_of_the_official_definition(
    official: dict[str, Any],
) -> None:
    kinds = [
        {place: set(schema.get("required", ())) for place, schema in bodies(one)} for one in (document(), official)
    ]

    assert kinds[0].keys() == kinds[1].keys()
    assert all(kinds[0][place] == kinds[1][place] for place in kinds[0] if place[1] == "request")
    assert all(kinds[0][place] <= kinds[1][place] for place in kinds[0] if place[1] == "answer")


def test_every_property_is_one_of_the_official_definition_and_takes_what_that_takes(official: dict[str, Any]) -> None:
    theirs = dict(bodies(official))
    for place, schema in bodies(document()):
        for name, found in schema.get("properties", {}).items():
            other = resolved(official, theirs[place]["properties"][name])
            mine = resolved(document(), found)
            if "type" in mine and "type" in other:
                assert mine["type"] == other["type"], (place, name)
            assert mine.get("nullable", False) or not other.get("nullable", False), (place, name)


@pytest.mark.parametrize(
    ("version", "count"), [("2022-12-01", 2), ("2023-05-15", 3), ("2024-02-01", 6), ("2024-06-01", 6)]
)
def test_older_versions_offer_fewer_operations(version: str, count: int) -> None:
    assert len(operations(document(version))) == count


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_is_whole_small_and_closed(version: str) -> None:
    text = azure_openai(version)
    found = document(version)

    assert found["info"]["version"] == version
    assert found["servers"] == [{"url": UNREACHABLE}]
    assert set(found["components"]["schemas"]) == {
        reference.partition('"')[0] for reference in text.split('"#/components/schemas/')[1:]
    }
    assert len(text) < INLINE_LIMIT / 100
    assert azure_openai(version) == text


def test_no_schema_holds_itself() -> None:
    """API Management takes none that does (API import restrictions and known issues)."""
    schemas = document()["components"]["schemas"]

    def walk(name: str, above: tuple[str, ...]) -> None:
        assert name not in above
        for reference in json.dumps(schemas[name]).split('"#/components/schemas/')[1:]:
            walk(reference.partition('"')[0], (*above, name))

    for name in schemas:
        walk(name, ())


def test_operations_refer_to_schemas_by_name() -> None:
    """API Management takes none inside an operation (API import restrictions and known issues)."""
    for operation in operations(document()).values():
        holders = (operation["requestBody"], *operation["responses"].values())
        assert all(list(content["schema"]) == ["$ref"] for holder in holders for content in holder["content"].values())
