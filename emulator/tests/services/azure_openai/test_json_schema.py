"""Values that the stand-in generates, judged by another implementation of JSON Schema."""

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apim_emulator.services.azure_openai.json_schema import MAX_LENGTH, SchemaError, check_strict, instance

ROOT = {"type": "object", "additionalProperties": False}


def strict(**properties: Any) -> dict[str, Any]:
    return {**ROOT, "properties": properties, "required": list(properties)}


def schemas(*, free: bool) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of strict mode; `free` ones have rules beside."""
    bounds = st.integers(-1000, 1000)
    text = st.just({"type": "string"})
    leaves = [
        text,
        st.sampled_from([{"type": kind} for kind in ("number", "integer", "boolean", "null")]),
        st.lists(st.integers() | st.text(max_size=5), min_size=1, max_size=3).map(lambda values: {"enum": values}),
        st.text(max_size=5).map(lambda value: {"type": "string", "const": value}),
        st.sampled_from([{"type": ["string", "null"]}, {"type": ["integer", "string"]}]),
    ]
    if free:
        leaves += [
            st.builds(
                lambda low, span: {"type": "integer", "minimum": low, "maximum": low + abs(span)}, bounds, bounds
            ),
            bounds.map(lambda low: {"type": "number", "exclusiveMinimum": low}),
            bounds.map(lambda high: {"type": "number", "exclusiveMaximum": high, "minimum": high - 1}),
            st.builds(
                lambda low, step: {"type": "integer", "minimum": low, "multipleOf": step}, bounds, st.integers(1, 9)
            ),
            st.builds(
                lambda low, span: {"type": "string", "minLength": low, "maxLength": low + span},
                st.integers(0, 50),
                st.integers(0, 50),
            ),
            st.sampled_from(
                [{"type": "string", "format": name} for name in ("date", "date-time", "email", "ipv4", "uuid")]
            ),
        ]

    def around(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
        objects = st.dictionaries(st.text(max_size=5), inner, max_size=3).map(lambda found: strict(**found))
        arrays = inner.map(lambda items: {"type": "array", "items": items})
        either = st.lists(inner, min_size=1, max_size=3).map(lambda found: {"anyOf": found})
        several = st.builds(
            lambda items, least: {"type": "array", "items": items, "minItems": least}, inner, st.integers(0, 3)
        )
        return st.one_of(objects, arrays, either, *([several] if free else []))

    inner = st.recursive(st.one_of(leaves), around, max_leaves=8)
    return st.dictionaries(st.text(max_size=5), inner, max_size=4).map(lambda found: strict(**found))


@given(schemas(free=True), st.text(max_size=300))
def test_a_generated_value_validates(schema: dict[str, Any], text: str) -> None:
    value = instance(schema, text)

    jsonschema.validate(value, schema, format_checker=jsonschema.FormatChecker())


@given(schemas(free=False))
def test_what_strict_mode_takes_can_be_generated(schema: dict[str, Any]) -> None:
    refusals = []
    try:
        check_strict(schema)
    except SchemaError as refusal:
        refusals.append(str(refusal))
    jsonschema.validate(instance(schema, "Hello"), schema)

    assert all("levels of nesting" in refusal for refusal in refusals)


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param(strict(next={"anyOf": [{"$ref": "#"}, {"type": "null"}]}), id="root"),
        pytest.param(
            {
                **strict(tree={"$ref": "#/$defs/node"}),
                "$defs": {
                    "node": strict(
                        value={"type": "string"}, children={"type": "array", "items": {"$ref": "#/$defs/node"}}
                    )
                },
            },
            id="array of itself",
        ),
        pytest.param({"type": "object", "properties": {"a": {"type": "string"}}}, id="nothing required"),
        pytest.param({"type": "object", "required": ["a"]}, id="required and not described"),
        pytest.param({"type": "object", "required": ["a"], "additionalProperties": {"type": "integer"}}, id="map"),
        pytest.param(
            {"type": "object", "properties": {"a": {}, "b": {"type": "null"}}, "minProperties": 2}, id="least"
        ),
        pytest.param(strict(a={"minimum": 3}, b={"items": {"type": "null"}, "minItems": 2}), id="no type"),
        pytest.param(strict(a={"type": "integer", "maximum": -7, "multipleOf": 4}), id="multiple below"),
    ],
)
def test_a_value_that_ends_is_found(schema: dict[str, Any]) -> None:
    jsonschema.validate(instance(schema, "Hello"), schema)


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        pytest.param(strict(a={"type": "string", "pattern": "x"}), "'pattern'", id="pattern"),
        pytest.param(strict(a={"oneOf": [{"type": "string"}]}), "'oneOf'", id="oneOf"),
        pytest.param(strict(a={"not": {}}), "'not'", id="not"),
        pytest.param(strict(a={"anyOf": [{"type": "string"}], "minLength": 3}), "'anyOf' and 'minLength'", id="beside"),
        pytest.param(strict(a={"type": "string", "format": "iri"}), "'format'", id="format"),
        pytest.param(strict(a={"type": "string", "minLength": 10**6}), "'minLength'", id="long"),
        pytest.param(strict(a={"type": "array", "items": {}, "minItems": 10**9}), str(MAX_LENGTH), id="many"),
        pytest.param(strict(a={"type": "integer", "minimum": 10**400}), "too large", id="huge bound"),
        pytest.param(strict(a={"type": "integer", "minimum": 1, "maximum": 0}), "no value is allowed", id="no number"),
        pytest.param(strict(a={"type": "string", "enum": [1]}), "no value is allowed", id="enum of another type"),
        pytest.param(strict(a={"type": "text"}), "is not a type", id="unknown type"),
        pytest.param(strict(a={"$ref": "#/$defs/gone"}), "definitions", id="dangling"),
        pytest.param(strict(a={"$ref": "https://example.com/"}), "definitions", id="elsewhere"),
        pytest.param(strict(a={"$ref": "#"}), "finite", id="endless"),
        pytest.param({"type": "object", "required": ["a"], "additionalProperties": False}, "'a'", id="forbidden"),
        pytest.param(
            strict(a={"type": "array", "items": {}, "minItems": 2, "uniqueItems": True}), "'uniqueItems'", id="unique"
        ),
        pytest.param(strict(a=4), "schema must be an object", id="no schema"),
    ],
)
def test_what_cannot_be_generated_is_named(schema: dict[str, Any], problem: str) -> None:
    with pytest.raises(SchemaError) as refusal:
        instance(schema, "Hello")

    assert problem in str(refusal.value)


def test_definitions_that_double_each_other_are_cut_off() -> None:
    levels = {
        f"d{level}": strict(a={"$ref": f"#/$defs/d{level + 1}"}, b={"$ref": f"#/$defs/d{level + 1}"})
        for level in range(40)
    }
    schema = {**strict(a={"$ref": "#/$defs/d0"}), "$defs": {**levels, "d40": {"type": "string"}}}

    with pytest.raises(SchemaError, match=f"at most {MAX_LENGTH} characters"):
        instance(schema, "Hello")


def nested(levels: int) -> dict[str, Any]:
    schema = strict(a={"type": "string"})
    for _ in range(levels - 1):
        schema = strict(a=schema)
    return schema


def test_deep_schemas_are_refused() -> None:
    check_strict(nested(6))
    with pytest.raises(SchemaError, match="6 levels of nesting exceeds limit of 5"):
        check_strict(nested(7))
    with pytest.raises(SchemaError, match="at most 100 levels"):
        instance(nested(200), "Hello")


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        pytest.param({"type": "array", "items": {}}, "got 'type: \"array\"'", id="root array"),
        pytest.param({"anyOf": [ROOT]}, "got 'type: \"None\"'", id="root anyOf"),
        pytest.param([], "got 'type: \"None\"'", id="no object"),
        pytest.param(
            {"type": "object"}, "'additionalProperties' is required to be supplied and to be false", id="open"
        ),
        pytest.param(
            {**ROOT, "properties": {"a": {"type": "string"}}, "required": []}, "Missing 'a'", id="not required"
        ),
        pytest.param({**ROOT, "properties": {}, "required": ["a"]}, "Extra required key 'a'", id="required too much"),
        pytest.param(
            strict(a={"type": "string", "minLength": 1}), "In context=('properties', 'a'), 'minLength'", id="length"
        ),
        pytest.param(strict(a={"type": "string", "default": ""}), "'default' is not permitted", id="default"),
        pytest.param(strict(a={"allOf": []}), "'allOf' is not permitted", id="allOf"),
        pytest.param(strict(a={}), "must have a 'type' key", id="no type"),
        pytest.param(strict(a={"type": "array"}), "array schema missing items", id="no items"),
        pytest.param(
            strict(a={"type": "array", "items": {"type": "object"}}),
            "In context=('properties', 'a', 'items'), 'additionalProperties'",
            id="inside items",
        ),
        pytest.param(
            strict(a={"anyOf": [{"type": "integer", "maximum": 1}]}), "('properties', 'a', 'anyOf', '0')", id="anyOf"
        ),
        pytest.param(strict(a={"$ref": "#/properties/b"}), "definitions", id="reference"),
        pytest.param(
            strict(**{f"p{n}": {"type": "string"} for n in range(101)}),
            "101 parameters exceeds limit of 100",
            id="too many",
        ),
        pytest.param(strict(a=True), "schema must be an object", id="true"),
    ],
)
def test_what_strict_mode_refuses_is_named_with_its_place(schema: Any, problem: str) -> None:
    with pytest.raises(SchemaError) as refusal:
        check_strict(schema)

    assert problem in str(refusal.value)
