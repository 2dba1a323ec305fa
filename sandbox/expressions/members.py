"""The allow-list: every property, method and indexer that an expression may use."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any
from uuid import UUID

from multidict import CIMultiDict

from sandbox.expressions import strings
from sandbox.expressions.context import Jwt
from sandbox.expressions.errors import EvaluationError
from sandbox.expressions.query import Query
from sandbox.expressions.types import Type

S, I, B = Type.STRING, Type.INT, Type.BOOL  # noqa: E741 - a table of signatures reads better short


@dataclass(frozen=True, slots=True)
class Member:
    """A property, or one overload of a method."""

    type: Type
    call: Callable[..., Any]
    parameters: tuple[Type, ...] = ()


def _joined(values: list[str], default: str | None) -> str | None:
    return ",".join(values) if values else default


def _header(headers: CIMultiDict[str], name: str | None, default: str | None = None) -> str | None:
    return _joined(headers.getall(strings.needed(name), []), default)


def _headers_item(headers: CIMultiDict[str], name: str | None) -> list[str]:
    return _present(headers.getall(strings.needed(name), []))


def _query(query: Query, name: str | None, default: str | None = None) -> str | None:
    return _joined(query.values(strings.needed(name)), default)


def _query_item(query: Query, name: str | None) -> list[str]:
    return _present(query.values(strings.needed(name)))


def _claim(jwt: Mapping[str, list[str]], name: str | None, default: str | None = None) -> str | None:
    return _joined(jwt.get(strings.needed(name), []), default)


def _claims_item(claims: Mapping[str, list[str]], name: str | None) -> list[str]:
    return _present(claims.get(strings.needed(name), []))


def _present(values: list[str]) -> list[str]:
    if not values:
        raise EvaluationError("KeyNotFoundException")
    return values


def _item(dictionary: Mapping[str, Any], key: str | None) -> object:
    if strings.needed(key) not in dictionary:
        raise EvaluationError("KeyNotFoundException")
    return dictionary[strings.needed(key)]


def _element(array: list[str], index: int) -> str:
    if not 0 <= index < len(array):
        raise EvaluationError("IndexOutOfRangeException")
    return array[index]


def _has_key(dictionary: Mapping[str, Any], key: str | None) -> bool:
    return strings.needed(key) in dictionary


def to_string(value: object) -> str:
    """`ToString()` of what a variable may hold and whose text is sure."""
    if value is None:
        raise EvaluationError("NullReferenceException")
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, str | int | UUID):
        return str(value)
    raise EvaluationError("NotSupportedException", "ToString() of this type")


def _texts(names: str) -> dict[str, Member]:
    """Make string properties whose Python attribute is the same name in snake case."""
    return {name: Member(S, attrgetter(re.sub(r"\B([A-Z])", r"_\1", name).lower())) for name in names.split()}


def _audiences(jwt: Jwt) -> list[str]:
    return jwt.claims.get("aud", [])


PROPERTIES: dict[Type, dict[str, Member]] = {
    Type.CONTEXT: {
        "Api": Member(Type.API, lambda context: context.api),
        "Operation": Member(Type.OPERATION, lambda context: context.operation),
        "Product": Member(Type.PRODUCT, lambda context: context.product),
        "Subscription": Member(Type.SUBSCRIPTION, lambda context: context.subscription),
        "Deployment": Member(Type.DEPLOYMENT, lambda context: context),
        "Request": Member(Type.REQUEST, lambda context: context.request),
        "Response": Member(Type.RESPONSE, lambda context: context.response),
        "LastError": Member(Type.LAST_ERROR, lambda context: context.last_error),
        "RequestId": Member(Type.GUID, lambda context: context.request_id),
        "Variables": Member(Type.VARIABLES, lambda context: context.variables),
    },
    Type.API: _texts("Id Name Path"),
    Type.OPERATION: _texts("Id Method UrlTemplate"),
    Type.PRODUCT: _texts("Id"),
    Type.SUBSCRIPTION: _texts("Id"),
    Type.DEPLOYMENT: _texts("ServiceName") | {"GatewayId": Member(S, lambda _: "managed")},
    Type.REQUEST: _texts("Method IpAddress")
    | {
        "Headers": Member(Type.HEADERS, lambda request: request.headers),
        "MatchedParameters": Member(Type.PARAMETERS, lambda request: request.matched_parameters),
        "OriginalUrl": Member(Type.URL, lambda request: request.original_url),
        "Url": Member(Type.URL, lambda request: request.url),
    },
    Type.URL: _texts("Scheme Host Path QueryString")
    | {"Port": Member(I, lambda url: url.port), "Query": Member(Type.QUERY, lambda url: url.query)},
    Type.RESPONSE: {
        "StatusCode": Member(I, lambda response: response.status),
        "StatusReason": Member(S, lambda response: response.reason),
        "Headers": Member(Type.HEADERS, lambda response: response.headers),
    },
    Type.LAST_ERROR: _texts("Source Reason Message Scope Section Path PolicyId"),
    Type.JWT: {
        "Audiences": Member(Type.SEQUENCE, _audiences),
        "Claims": Member(Type.CLAIMS, lambda jwt: jwt.claims),
        "Id": Member(S, lambda jwt: jwt.text("jti")),
        "Issuer": Member(S, lambda jwt: jwt.text("iss")),
        "Subject": Member(S, lambda jwt: jwt.text("sub")),
    },
    S: {"Length": Member(I, strings.length)},
    Type.STRINGS: {"Length": Member(I, len)},
}
"""Properties by the type that has them. Each Python function gets the value, which is never None."""

_COMPARED = (S, Type.COMPARISON)
_LOOKUP = (S, S)

METHODS: dict[Type, dict[str, tuple[Member, ...]]] = {
    S: {
        "Contains": (Member(B, strings.contains, (S,)),),
        "EndsWith": (Member(B, strings.ends_with, (S,)), Member(B, strings.ends_with, _COMPARED)),
        "Equals": (Member(B, strings.equals, (S,)), Member(B, strings.equals, _COMPARED)),
        "Replace": (Member(S, strings.replace, (S, S)),),
        "Split": (Member(Type.STRINGS, strings.split, (Type.CHAR,)),),
        "StartsWith": (Member(B, strings.starts_with, (S,)), Member(B, strings.starts_with, _COMPARED)),
        "Substring": (Member(S, strings.substring, (I,)), Member(S, strings.substring, (I, I))),
        "ToLower": (Member(S, strings.lower),),
        "ToLowerInvariant": (Member(S, strings.lower),),
        "ToString": (Member(S, to_string),),
        "ToUpper": (Member(S, strings.upper),),
        "ToUpperInvariant": (Member(S, strings.upper),),
        "Trim": (Member(S, strings.trim),),
    },
    I: {"ToString": (Member(S, to_string),)},
    B: {"ToString": (Member(S, to_string),)},
    Type.GUID: {"ToString": (Member(S, to_string),)},
    Type.OBJECT: {"ToString": (Member(S, to_string),)},
    Type.HEADERS: {
        "ContainsKey": (Member(B, _has_key, (S,)),),
        "GetValueOrDefault": (Member(S, _header, (S,)), Member(S, _header, _LOOKUP)),
    },
    Type.QUERY: {
        "ContainsKey": (Member(B, lambda query, name: bool(query.values(strings.needed(name))), (S,)),),
        "GetValueOrDefault": (Member(S, _query, (S,)), Member(S, _query, _LOOKUP)),
    },
    Type.CLAIMS: {
        "ContainsKey": (Member(B, _has_key, (S,)),),
        "GetValueOrDefault": (Member(S, _claim, (S,)), Member(S, _claim, _LOOKUP)),
    },
    Type.PARAMETERS: {"ContainsKey": (Member(B, _has_key, (S,)),)},
    Type.VARIABLES: {"ContainsKey": (Member(B, _has_key, (S,)),)},
    Type.SEQUENCE: {"Contains": (Member(B, lambda sequence, item: item in sequence, (S,)),)},
    Type.STRINGS: {"Contains": (Member(B, lambda array, item: item in array, (S,)),)},
}
"""Overloads of methods by the type that has them."""

INDEXERS: dict[Type, Member] = {
    Type.VARIABLES: Member(Type.OBJECT, _item, (S,)),
    Type.PARAMETERS: Member(S, _item, (S,)),
    Type.HEADERS: Member(Type.STRINGS, _headers_item, (S,)),
    Type.QUERY: Member(Type.STRINGS, _query_item, (S,)),
    Type.CLAIMS: Member(Type.STRINGS, _claims_item, (S,)),
    Type.STRINGS: Member(S, _element, (I,)),
}

STATICS: dict[str, tuple[Member, ...]] = {
    "string.IsNullOrEmpty": (Member(B, strings.is_null_or_empty, (S,)),),
    "string.IsNullOrWhiteSpace": (Member(B, strings.is_null_or_white_space, (S,)),),
    "string.Equals": (Member(B, strings.equals, (S, S)), Member(B, strings.equals, (S, S, Type.COMPARISON))),
    "int.Parse": (Member(I, strings.parse_int, (S,)),),
}
"""Overloads of static methods."""

CONSTANTS: dict[str, tuple[Type, object]] = {
    "string.Empty": (S, ""),
    "StringComparison.Ordinal": (Type.COMPARISON, "Ordinal"),
    "StringComparison.OrdinalIgnoreCase": (Type.COMPARISON, "OrdinalIgnoreCase"),
    "int.MaxValue": (I, 2**31 - 1),
    "int.MinValue": (I, -(2**31)),
}
"""Static fields and enumeration members."""

ALIASES = {"String": "string", "Int32": "int", "Boolean": "bool", "Object": "object"}
"""Names of .NET for C#'s keywords."""

PYTHON_TYPES: dict[Type, type] = {S: str, I: int, B: bool, Type.JWT: Jwt}


def is_instance(value: object, type_: Type) -> bool:
    """Whether a value other than null has a type at run time; `bool` is no `int`."""
    if type_ is Type.OBJECT:
        return True
    return isinstance(value, PYTHON_TYPES[type_]) and (type_ is not I or not isinstance(value, bool))


def variable(context_variables: Mapping[str, object], name: str | None, type_: Type, default: object) -> object:
    """`Variables.GetValueOrDefault<T>`: the default when absent, an exception when the type differs."""
    if strings.needed(name) not in context_variables:
        return default
    return cast(context_variables[strings.needed(name)], type_)


def cast(value: object, type_: Type) -> object:
    """`(T)value` from `object`."""
    if value is None:
        if type_.is_reference:
            return None
        raise EvaluationError("NullReferenceException")
    if not is_instance(value, type_):
        raise EvaluationError("InvalidCastException")
    return value
