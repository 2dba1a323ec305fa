"""Reads a policy document back into the options that it was rendered from; an independent inverse of the renderer."""

from collections.abc import Callable, Iterable
from dataclasses import fields
from enum import Enum
from types import UnionType
from typing import Any, get_args
from xml.etree import ElementTree as ET

import policies
from policies import (
    AddressRange,
    AuthenticationCertificate,
    Base,
    CertificateIdentity,
    ContentTypeMap,
    ContentTypeMapping,
    DecryptionKey,
    Dimension,
    Document,
    GetAuthorizationContext,
    IssuerSigningKey,
    MessageParameters,
    PathParameters,
    Policy,
    QuotaApi,
    QuotaOperation,
    RateLimitApi,
    RateLimitOperation,
    RawElement,
    RequiredClaim,
    SafetyCategory,
    SeverityLevels,
    ValidatedContent,
    ValidationAction,
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
    children = CHILDREN.get(element.tag, _values)(element)
    options = {**_attributes(kind, element), **children}
    policy: Policy = kind(**options)
    return policy


def _attributes(kind: Any, element: ET.Element) -> dict[str, Any]:
    """Return the scalar fields: an absent attribute is `None`."""
    content = _CONTENT - _ATTRIBUTES.get(kind, set())
    scalars = {_attribute(field.name): field for field in fields(kind) if field.name not in content}
    assert element.tag == "claim" or element.attrib.keys() <= scalars.keys()
    return {field.name: _scalar(field.type, element.get(name)) for name, field in scalars.items()}


def _attribute(name: str) -> str:
    return name.removesuffix("_").replace("_", "-")


_CONTENT = {
    "values", "otherwise", "policies", "status", "headers", "body", "audiences", "client_application_ids",
    "backend_application_ids", "required_claims", "issuers", "issuer_signing_keys",
    "openid_config_urls", "apis", "operations", "dimensions", "message", "metadata", "vary_by", "output_type",
    "categories", "blocklist_ids", "allowed_origins", "allowed_methods", "preflight_result_max_age", "allowed_headers",
    "expose_headers", "addresses", "address_ranges", "method", "identity",
    "certificate", "proxy", "decryption_keys", "identities",
    "content_type_map", "contents", "types", "parameters", "query", "path", "status_codes", "vary_by_header",
    "vary_by_query_parameter",
}  # fmt: skip


_ATTRIBUTES: dict[Any, set[str]] = {AuthenticationCertificate: {"body"}, GetAuthorizationContext: {"identity"}}
"""Attributes that have the name of what is content elsewhere."""


def _scalar(hint: Any, text: str | None) -> Any:
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    if text is None or text.startswith(("@", "{{")):
        return text
    for kind in kinds:
        if kind is bool:
            return {"true": True, "false": False}[text]
        if kind in (int, float) or (isinstance(kind, type) and issubclass(kind, Enum)):
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
        "decryption_keys": _many(DecryptionKey, element.iterfind("decryption-keys/key")),
        "required_claims": {
            claim.attrib["name"]: RequiredClaim(values=_texts(claim, "value"), **_attributes(RequiredClaim, claim))
            for claim in element.iterfind("required-claims/claim")
        },
    }


def _client_certificate(element: ET.Element) -> dict[str, Any]:
    return {"identities": _many(CertificateIdentity, element.iterfind("identities/identity"))}


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


def _content(element: ET.Element) -> dict[str, Any]:
    assert not len(element)
    return {"value": element.text or ""}


def _many(kind: Any, elements: Iterable[ET.Element]) -> list[Any]:
    return [kind(**_attributes(kind, element)) for element in elements]


def _limits(api: Any, operation: Any) -> Callable[[ET.Element], dict[str, Any]]:
    def read(element: ET.Element) -> dict[str, Any]:
        return {
            "apis": [
                api(**_attributes(api, child), operations=_many(operation, child.findall("operation")))
                for child in element.findall("api")
            ]
        }

    return read


def _dimensions(element: ET.Element) -> dict[str, Any]:
    return {"dimensions": _many(Dimension, element.findall("dimension"))}


def _trace(element: ET.Element) -> dict[str, Any]:
    return {
        "message": element.findtext("message"),
        "metadata": {child.attrib["name"]: child.attrib["value"] for child in element.findall("metadata")},
    }


def _vary_by(element: ET.Element) -> dict[str, Any]:
    return {"vary_by": _texts(element, "vary-by")}


def _cache_lookup(element: ET.Element) -> dict[str, Any]:
    return {
        "vary_by_header": _texts(element, "vary-by-header"),
        "vary_by_query_parameter": _texts(element, "vary-by-query-parameter"),
    }


def _content_safety(element: ET.Element) -> dict[str, Any]:
    categories = element.find("categories")
    return {
        "output_type": None if categories is None else _scalar(SeverityLevels | str, categories.get("output-type")),
        "categories": _many(SafetyCategory, element.iterfind("categories/category")),
        "blocklist_ids": _texts(element.find("blocklists"), "id"),
    }


def _flow(element: ET.Element) -> dict[str, Any]:
    return {"policies": [read_policy(child) for child in element]}


def _cors(element: ET.Element) -> dict[str, Any]:
    methods = element.find("allowed-methods")
    age = None if methods is None else methods.get("preflight-result-max-age")
    return {
        "allowed_origins": _texts(element.find("allowed-origins"), "origin"),
        "allowed_methods": _texts(methods, "method"),
        "preflight_result_max_age": _scalar(int | str, age),
        "allowed_headers": _texts(element.find("allowed-headers"), "header"),
        "expose_headers": _texts(element.find("expose-headers"), "header"),
    }


def _ip_filter(element: ET.Element) -> dict[str, Any]:
    return {
        "addresses": _texts(element, "address"),
        "address_ranges": _many(AddressRange, element.findall("address-range")),
    }


def _send_request(element: ET.Element) -> dict[str, Any]:
    def policy(tag: str) -> Policy | None:
        child = element.find(tag)
        return None if child is None else read_policy(child)

    url = element.find("set-url")
    return {
        "url": None if url is None else url.text or "",
        "method": policy("set-method"),
        "headers": [read_policy(child) for child in element.findall("set-header")],
        "body": policy("set-body"),
        "certificate": policy("authentication-certificate"),
        "identity": policy("authentication-managed-identity"),
        "proxy": policy("proxy"),
    }


def _validate_content(element: ET.Element) -> dict[str, Any]:
    mapped = element.find("content-type-map")
    return {
        "content_type_map": None
        if mapped is None
        else ContentTypeMap(
            **_attributes(ContentTypeMap, mapped), types=_many(ContentTypeMapping, mapped.findall("type"))
        ),
        "contents": _many(ValidatedContent, element.findall("content")),
    }


def _actions(element: ET.Element, tag: str, key: Callable[[str], Any] = str) -> dict[Any, Any]:
    name = "code" if key is int else "name"
    return {
        key(child.attrib[name]): _scalar(ValidationAction | str, child.get("action")) for child in element.findall(tag)
    }


def _validate_parameters(element: ET.Element) -> dict[str, Any]:
    def read(kind: Any, tag: str) -> Any:
        child = element.find(tag)
        return None if child is None else kind(**_attributes(kind, child), parameters=_actions(child, "parameter"))

    return {
        "headers": read(MessageParameters, "headers"),
        "query": read(MessageParameters, "query"),
        "path": read(PathParameters, "path"),
    }


CHILDREN: dict[str, Callable[[ET.Element], dict[str, Any]]] = {
    "azure-openai-emit-token-metric": _dimensions,
    "azure-openai-semantic-cache-lookup": _vary_by,
    "cache-lookup": _cache_lookup,
    "choose": _choose,
    "cors": _cors,
    "emit-metric": _dimensions,
    "ip-filter": _ip_filter,
    "limit-concurrency": _flow,
    "llm-content-safety": _content_safety,
    "llm-emit-token-metric": _dimensions,
    "llm-semantic-cache-lookup": _vary_by,
    "quota": _limits(QuotaApi, QuotaOperation),
    "rate-limit": _limits(RateLimitApi, RateLimitOperation),
    "log-to-eventhub": _content,
    "retry": _flow,
    "return-response": _return_response,
    "send-one-way-request": _send_request,
    "send-request": _send_request,
    "set-body": _content,
    "set-method": _content,
    "trace": _trace,
    "validate-azure-ad-token": _entra,
    "validate-client-certificate": _client_certificate,
    "validate-content": _validate_content,
    "validate-headers": lambda element: {"headers": _actions(element, "header")},
    "validate-jwt": _jwt,
    "validate-parameters": _validate_parameters,
    "validate-status-code": lambda element: {"status_codes": _actions(element, "status-code", int)},
    "wait": _flow,
}
