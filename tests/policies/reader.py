"""Reads a policy document back into the options that it was rendered from; an independent inverse of the renderer."""

from collections.abc import Callable, Iterable
from dataclasses import fields
from enum import Enum
from functools import partial
from types import UnionType
from typing import Any, get_args, get_origin
from xml.etree import ElementTree as ET

from policies import Base, DecryptionKey, Dimension, Document, Policy, RawElement, RequiredClaim, ValidationAction
from policies.shared.options import Options
from tests.policies.record import DECLARED


def read_document(text: str) -> Document:
    """Return the options of a rendered document."""
    sections = {section.tag.replace("-", "_"): section for section in ET.fromstring(text)}
    return Document(**{name: [read_policy(child) for child in section] for name, section in sections.items()})


def read_policy(element: ET.Element) -> Policy:
    """Return the options of a policy's element."""
    if element.tag == "base":
        return Base()
    record = DECLARED.get(element.tag)
    if record is None:
        element.tail = None
        return RawElement(xml=ET.tostring(element, encoding="unicode").replace("\r", "&#13;"))
    children = record.children or partial(_values, record.kind)
    return record.kind(**{**attributes(record.kind, element), **children(element)})


def attributes(kind: Any, element: ET.Element) -> dict[str, Any]:
    """Return the scalar fields: an absent attribute is `None`."""
    scalars = {_attribute(field.name): field for field in fields(kind) if not _is_content(field.type)}
    assert element.tag == "claim" or element.attrib.keys() <= scalars.keys()
    return {field.name: scalar(field.type, element.get(name)) for name, field in scalars.items()}


def _attribute(name: str) -> str:
    return name.removesuffix("_").replace("_", "-")


def _is_content(hint: Any) -> bool:
    return any(get_origin(kind) or issubclass(kind, Options) for kind in _kinds(hint))


def _kinds(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if isinstance(hint, UnionType) else (hint,)


def scalar(hint: Any, text: str | None) -> Any:
    if text is None or text.startswith(("@", "{{")):
        return text
    for kind in _kinds(hint):
        if kind is bool:
            return {"true": True, "false": False}[text]
        if kind in (int, float) or (isinstance(kind, type) and issubclass(kind, Enum)):
            return kind(text)
    return text


def _values(kind: Any, element: ET.Element) -> dict[str, Any]:
    """Return the `value` children, for the policies that have them."""
    has_values = any(field.name == "values" for field in fields(kind))
    assert has_values or not len(element)
    return {"values": read_texts(element, "value")} if has_values else {}


def read_texts(element: ET.Element | None, tag: str) -> list[str]:
    return [] if element is None else [child.text or "" for child in element.findall(tag)]


def read_token(element: ET.Element) -> dict[str, Any]:
    return {
        "audiences": read_texts(element.find("audiences"), "audience"),
        "decryption_keys": many(DecryptionKey, element.iterfind("decryption-keys/key")),
        "required_claims": {
            claim.attrib["name"]: RequiredClaim(values=read_texts(claim, "value"), **attributes(RequiredClaim, claim))
            for claim in element.iterfind("required-claims/claim")
        },
    }


def read_text(element: ET.Element) -> dict[str, Any]:
    assert not len(element)
    return {"value": element.text or ""}


def many(kind: Any, elements: Iterable[ET.Element]) -> list[Any]:
    return [kind(**attributes(kind, element)) for element in elements]


def read_limits(api: Any, operation: Any) -> Callable[[ET.Element], dict[str, Any]]:
    def read(element: ET.Element) -> dict[str, Any]:
        return {
            "apis": [
                api(**attributes(api, child), operations=many(operation, child.findall("operation")))
                for child in element.findall("api")
            ]
        }

    return read


def read_dimensions(element: ET.Element) -> dict[str, Any]:
    return {"dimensions": many(Dimension, element.findall("dimension"))}


def read_policies(element: ET.Element) -> dict[str, Any]:
    return {"policies": [read_policy(child) for child in element]}


def read_actions(element: ET.Element, tag: str, key: Callable[[str], Any] = str) -> dict[Any, Any]:
    name = "code" if key is int else "name"
    return {
        key(child.attrib[name]): scalar(ValidationAction | str, child.get("action")) for child in element.findall(tag)
    }
