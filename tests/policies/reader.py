"""Reads a policy document back into the options that it was rendered from; an independent inverse of the renderer."""

from collections.abc import Callable
from dataclasses import fields
from enum import Enum
from types import UnionType
from typing import Any, get_args
from xml.etree import ElementTree as ET

import policies
from policies import (
    Base,
    Choose,
    DecryptionKey,
    Document,
    IssuerSigningKey,
    Policy,
    RawElement,
    RequiredClaim,
    ReturnResponse,
    SetBody,
    When,
)

TYPES: dict[str, Any] = {
    kind.tag: kind
    for kind in vars(policies).values()
    if isinstance(kind, type) and issubclass(kind, Policy) and hasattr(kind, "tag")
}


def read_document(text: str) -> Document:
    """Return the options of a rendered document."""
    sections = {section.tag.replace("-", "_"): section for section in ET.fromstring(text)}
    return Document(**{name: [read_policy(child) for child in section] for name, section in sections.items()})


def read_policy(element: ET.Element) -> Policy:
    """Return the options of a policy's element."""
    if element.tag == "base":
        return Base()
    if element.tag not in TYPES:
        element.tail = None
        return RawElement(xml=ET.tostring(element, encoding="unicode").replace("\r", "&#13;"))
    kind = TYPES[element.tag]
    options = {**_attributes(kind, element), **CHILDREN.get(element.tag, _values)(element)}
    policy: Policy = kind(**options)
    return policy


def _attributes(kind: Any, element: ET.Element) -> dict[str, Any]:
    """Return the scalar fields: an absent attribute is `None`."""
    scalars = {field.name: field.type for field in fields(kind) if field.name not in _CONTENT}
    assert {name.replace("-", "_") for name in element.attrib if element.tag != "claim"} <= scalars.keys()
    return {name: _scalar(hint, element.get(name.replace("_", "-"))) for name, hint in scalars.items()}


_CONTENT = {
    "values", "when", "otherwise", "policies", "status", "headers", "body", "audiences", "client_application_ids",
    "backend_application_ids", "required_claims", "decryption_keys", "issuers", "issuer_signing_keys",
    "openid_config_urls",
}  # fmt: skip


def _scalar(hint: Any, text: str | None) -> Any:
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    if text is None or text.startswith(("@", "{{")):
        return text
    for kind in kinds:
        if kind is bool:
            return {"true": True, "false": False}[text]
        if kind is int or (isinstance(kind, type) and issubclass(kind, Enum)):
            return kind(text)
    return text


def _values(element: ET.Element) -> dict[str, Any]:
    """Return the `value` children, for the policies that have them."""
    has_values = any(field.name == "values" for field in fields(TYPES[element.tag]))
    assert has_values or not len(element)
    return {"values": _texts(element, "value")} if has_values else {}


def _texts(element: ET.Element | None, tag: str) -> list[str]:
    return [] if element is None else [child.text or "" for child in element.findall(tag)]


def _choose(element: ET.Element) -> dict[str, Any]:
    otherwise = element.find("otherwise")
    return {
        "when": [
            When(policies=[read_policy(child) for child in branch], **_attributes(When, branch))
            for branch in element.findall("when")
        ],
        "otherwise": None if otherwise is None else [read_policy(child) for child in otherwise],
    }


def _return_response(element: ET.Element) -> dict[str, Any]:
    parts: dict[str, list[Any]] = {tag: [] for tag in ("set-status", "set-header", "set-body")}
    for child in element:
        parts[child.tag].append(read_policy(child))
    return {
        "status": next(iter(parts["set-status"]), None),
        "headers": parts["set-header"],
        "body": next(iter(parts["set-body"]), None),
    }


def _token(element: ET.Element) -> dict[str, Any]:
    return {
        "audiences": _texts(element.find("audiences"), "audience"),
        "required_claims": {
            claim.attrib["name"]: RequiredClaim(values=_texts(claim, "value"), **_attributes(RequiredClaim, claim))
            for claim in element.iterfind("required-claims/claim")
        },
        "decryption_keys": [
            DecryptionKey(**{**_attributes(DecryptionKey, key), "value": key.text})
            for key in element.iterfind("decryption-keys/key")
        ],
    }


def _entra(element: ET.Element) -> dict[str, Any]:
    return {
        **_token(element),
        "client_application_ids": _texts(element.find("client-application-ids"), "application-id"),
        "backend_application_ids": _texts(element.find("backend-application-ids"), "application-id"),
    }


def _jwt(element: ET.Element) -> dict[str, Any]:
    return {
        **_token(element),
        "issuers": _texts(element.find("issuers"), "issuer"),
        "openid_config_urls": [config.attrib["url"] for config in element.findall("openid-config")],
        "issuer_signing_keys": [
            IssuerSigningKey(**{**_attributes(IssuerSigningKey, key), "value": key.text})
            for key in element.iterfind("issuer-signing-keys/key")
        ],
    }


def _set_body(element: ET.Element) -> dict[str, Any]:
    assert not len(element)
    return {"value": element.text or ""}


CHILDREN: dict[str, Callable[[ET.Element], dict[str, Any]]] = {
    Choose.tag: _choose,
    ReturnResponse.tag: _return_response,
    SetBody.tag: _set_body,
    "validate-azure-ad-token": _entra,
    "validate-jwt": _jwt,
}
