"""The contract of the component package: what programs in other languages can say, and what they read about it."""

import json
import os
from collections.abc import Iterator
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from pydantic.alias_generators import to_camel

import components
import options
import policies
from tests.deployed import ROOT
from tests.host import Checkout, running_host

pytestmark = pytest.mark.slow

SNAPSHOT = ROOT / "tests" / "snapshots" / "schema.json"
DOCUMENT = ROOT / "docs" / "components.md"
PREFIX = "openai-gateway:index:"


@pytest.fixture(scope="session")  # pytest-xdist may leave this file and come back
def schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with running_host(tmp_path_factory.mktemp("consumer")) as host:
        return host.schema()


def test_the_contract_is_the_one_that_people_have_read(schema: dict[str, Any]) -> None:
    """`UPDATE_SNAPSHOTS=1` writes the file anew; read the difference before committing it."""
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")

    assert schema == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_every_component_is_served(schema: dict[str, Any]) -> None:
    exported = {name for name in components.__all__ if f"{name}Args" in components.__all__}

    assert set(schema["resources"]) == {PREFIX + name for name in exported}
    assert all(resource["isComponent"] for resource in schema["resources"].values())


def inputs(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Path and definition of every input, and of every field of the types below."""
    for token, resource in schema["resources"].items():
        yield from ((f"{token}.{name}", value) for name, value in resource["inputProperties"].items())
    for token, kind in schema["types"].items():
        yield from ((f"{token}.{name}", value) for name, value in kind.get("properties", {}).items())


def test_everything_is_described(schema: dict[str, Any]) -> None:
    described = dict(inputs(schema)) | schema["resources"] | schema["types"]
    for token, resource in schema["resources"].items():
        described |= {f"{token}.{name}": value for name, value in resource["properties"].items()}

    assert [path for path, value in described.items() if not value.get("description")] == []


def test_a_type_has_every_field_of_its_class(schema: dict[str, Any]) -> None:
    """The host leaves out in silence what it cannot read."""
    for token, kind in schema["types"].items():
        name = token.removeprefix(PREFIX)
        source = next(getattr(home, name) for home in (options, policies, components) if hasattr(home, name))
        if issubclass(source, Enum):
            assert [entry["value"] for entry in kind["enum"]] == [member.value for member in source], token
        else:
            assert set(kind["properties"]) == {to_camel(field.name) for field in fields(source)}, token


def test_a_component_has_every_input_of_its_class(schema: dict[str, Any]) -> None:
    for token, resource in schema["resources"].items():
        args = getattr(components, f"{token.removeprefix(PREFIX)}Args")

        assert set(resource["inputProperties"]) == {to_camel(name) for name in args.__annotations__}, token
        assert set(resource["requiredInputs"]) == {to_camel(name) for name in args.__required_keys__}, token


def test_what_an_output_cannot_carry_is_plain(schema: dict[str, Any]) -> None:
    """Numbers, choices, groups of options and lists of them: the host loses them inside an Output."""
    lost = [
        path
        for path, value in inputs(schema)
        if not value.get("plain")
        and ("$ref" in value or value["type"] in {"integer", "number"} or "$ref" in value.get("items", {}))
    ]

    assert lost == []


@pytest.mark.parametrize(
    ("component", "attribute"), [("ApiGateway", "identities"), ("OpenAIBackend", "accounts")], ids=lambda value: value
)
def test_what_the_schema_cannot_express_is_documented(schema: dict[str, Any], component: str, attribute: str) -> None:
    assert attribute not in schema["resources"][PREFIX + component]["properties"]
    assert f"`{component}.{attribute}`" in DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.engine
def test_the_engine_reads_the_schema(schema: dict[str, Any], tmp_path: Path) -> None:
    read = json.loads(Checkout(tmp_path).pulumi("package", "get-schema", "./components"))

    assert read["resources"].keys() == schema["resources"].keys()
    assert read["types"].keys() == schema["types"].keys()
