"""The package's border: what it offers, and what it needs."""

import ast
import sys
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

import policies
from policies import ClaimMatch, RequiredClaim
from policies.documents.catalog import SECTIONS, TYPES, UNTYPED
from policies.shared.policy import BY_TAG, TypedPolicy
from tests.policies.records import RECORDS

FOLDER = Path(policies.__file__).parent
SOURCES = sorted(FOLDER.rglob("*.py"))


def _module(source: Path) -> str:
    parts = source.relative_to(FOLDER.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def test_all_names_exactly_what_the_package_imports() -> None:
    tree = ast.parse(Path(policies.__file__).read_text(encoding="utf-8"))
    imported = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}

    assert set(policies.__all__) == imported
    assert len(policies.__all__) == len(set(policies.__all__))


@pytest.mark.parametrize("source", SOURCES, ids=_module)
def test_only_the_standard_library_is_needed(source: Path) -> None:
    nodes = list(ast.walk(ast.parse(source.read_text(encoding="utf-8"))))
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    packages = {module.partition(".")[0] for module in modules}

    assert packages <= sys.stdlib_module_names | {"policies"}
    assert "__future__" not in packages


def test_required_claim_is_read_from_config() -> None:
    read = TypeAdapter(RequiredClaim).validate_python({"values": ["a"], "match": "any", "separator": " "})

    assert read == RequiredClaim(values=["a"], match=ClaimMatch.ANY, separator=" ")


def test_mistake_in_config_keeps_its_message() -> None:
    with pytest.raises(ValidationError, match="has a named value; it decides who is admitted"):
        TypeAdapter(RequiredClaim).validate_python({"values": ["{{a}}"]})


def test_every_policy_class_that_is_offered_is_in_the_catalog() -> None:
    declared = {
        value
        for source in SOURCES
        for value in vars(import_module(_module(source))).values()
        if isinstance(value, type) and issubclass(value, TypedPolicy) and hasattr(value, "tag")
    }
    offered = {value for name in policies.__all__ if isinstance(value := getattr(policies, name), type)}

    assert {kind for kind in offered if issubclass(kind, TypedPolicy)} == declared == set(TYPES)
    assert len({kind.tag for kind in TYPES}) == len(TYPES)


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.tag)
def test_every_typed_policy_has_a_record_that_shows_it_as_xml(kind: type[TypedPolicy]) -> None:
    module = kind.__module__.rpartition(".")[2]

    assert kind.tag in RECORDS, f"{kind.tag} has no record: declare one in tests/policies/records/{module}.py"
    record = RECORDS[kind.tag]
    assert record.kind is kind
    assert any(type(example) is kind for example in record.examples), f"{kind.tag}: give its record an example"
    assert any(type(policy) is kind for policy, _ in record.renders.values()), f"{kind.tag}: show in its record its XML"


def test_a_policy_is_either_typed_or_listed_without_a_type() -> None:
    assert not UNTYPED.keys() & BY_TAG.keys()
    assert set(SECTIONS) == UNTYPED.keys() | BY_TAG.keys()
