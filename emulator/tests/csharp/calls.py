"""Calls that expressions are evaluated in, made from plain data, and how their results are printed."""

import json
import math
import struct
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from types import UnionType
from typing import Any
from uuid import UUID

import pytest
from multidict import CIMultiDict

from apim_emulator.csharp import EvaluationError, Type
from apim_emulator.csharp.library import certificates, encoding, numbers, table
from apim_emulator.csharp.library import text as text_members
from apim_emulator.csharp.runtime import json_text, xml_text
from apim_emulator.csharp.runtime.certificates import Certificate
from apim_emulator.csharp.runtime.dates import DateTime, DateTimeOffset, TimeSpan
from apim_emulator.csharp.runtime.exceptions import StoppedError
from apim_emulator.csharp.runtime.jtokens import JProperty, JToken
from apim_emulator.csharp.runtime.meter import evaluated
from apim_emulator.csharp.runtime.regex import Found
from apim_emulator.csharp.runtime.text import object_text
from apim_emulator.csharp.runtime.values import Anonymous, Array, Char, Collection, DateTimeKind, Int64, Pair, boxed
from apim_emulator.csharp.runtime.xlinq import XDeclaration, XName, XNamespace, XObject
from apim_emulator.gateway.context.objects import (
    ApiInfo,
    Authorization,
    Context,
    Group,
    Jwt,
    LastError,
    Named,
    OperationInfo,
    Request,
    Response,
    Url,
    User,
)
from apim_emulator.gateway.context.query import Query

NOW = 1_700_000_000.0
NOW_TICKS = 638_355_968_000_000_000

CALL: Mapping[str, Any] = {
    "named": True,
    "service": {"scheme": "https", "host": "backend.example", "port": 443, "path": "/openai", "query": ""},
    "variables": {
        "text": {"t": "string", "v": "abc"},
        "number": {"t": "int", "v": 7},
        "flag": {"t": "bool", "v": True},
        "nothing": {"t": "null"},
        "jwt": {
            "t": "Jwt",
            "v": '{"alg": "RS256"}',
            "p": '{"sub": "me", "iss": "i", "jti": "j", "aud": ["a", "b"], "roles": ["x", "y"], "n": 5}',
        },
    },
    "request": {
        "method": "POST",
        "headers": [["X-One", "1"], ["X-Two", "a"], ["x-two", "b"], ["Authorization", "Bearer t o"]],
        "url": {"scheme": "http", "host": "localhost", "port": 8080, "path": "/models", "query": "q=1"},
        "original": {
            "scheme": "http",
            "host": "localhost",
            "port": 8080,
            "path": "/api/models",
            "query": "a=1&b=2&a=3&s=x%20y",
        },
        "body": '{"model":"gpt-4o"}',
        "parameters": {"id": "gpt"},
    },
    "response": {"status": 429, "reason": "Slow Down", "headers": [["Retry-After", "7"]], "body": '{"a":1}'},
}
"""The call that the corpus is evaluated in."""


def _url(spec: Mapping[str, Any] | None) -> Url | None:
    if spec is None:
        return None
    return Url(spec["scheme"], spec["host"], spec["port"], spec["path"], Query(spec["query"]))


def _response(spec: Mapping[str, Any] | None) -> Response | None:
    if spec is None:
        return None
    return Response(spec["status"], spec["reason"], CIMultiDict(spec["headers"]), spec["body"].encode())


def _variable(spec: Mapping[str, Any]) -> object:
    kind = spec["t"]
    value: Any = spec.get("v")
    if kind in {"JObject", "JArray", "JToken"}:
        return json_text.read(value)
    if kind == "Jwt":
        return Jwt(json.loads(value), json.loads(spec["p"]))
    if kind == "IResponse":
        return _response(value)
    if kind == "DateTime":
        return DateTime(value, DateTimeKind.Utc)
    if kind == "byte[]":
        return encoding._from_base64(value)
    if kind == "long":
        return Int64(value)
    if kind == "Authorization":
        return Authorization(value)
    return value


def context(spec: Mapping[str, Any]) -> Context:
    """Make the context that a scenario describes."""
    asked = spec["request"]
    original = _url(asked["original"])
    url = asked["url"]
    assert original is not None
    request = Request(
        asked["method"], CIMultiDict(asked["headers"]), original, url["path"], Query(url["query"]), "127.0.0.1",
        asked["parameters"],
    )  # fmt: skip
    request.has_body = asked["body"] is not None
    request.body = None if asked["body"] is None else asked["body"].encode()
    named: dict[str, Any] = {}
    if spec["named"]:
        named = {
            "product": Named("starter", "Starter"),
            "subscription": Named("sub", "Sub", "k3y"),
            "user": User("u1", "u@example.com", "Ann", "Lee", "n", (Group("g", "developers"),)),
            "last_error": LastError("validate-jwt", "TokenExpired", "m", "api", "inbound", "p", "id"),
        }
    return Context(
        "contoso", request,
        ApiInfo("openai", "openai", "v1/openai", _url(spec["service"]), "1", "v1", True),
        OperationInfo("chat", "POST", "/chat", "Chat"),
        response=_response(spec["response"]), region="West Europe", now=lambda: NOW,
        variables={name: _variable(value) for name, value in spec["variables"].items()},
        _request_id=UUID(int=255), **named,
    )  # fmt: skip


def _show_token(token: JToken) -> str:
    text = json_text.write(token.value if isinstance(token, JProperty) else token, indented=False)
    escaped = "".join(one if ord(one) < 127 else json.dumps(one)[1:-1] for one in text)
    kind = type(token).__name__
    return f"{kind}:{show(token.name)}{text}" if isinstance(token, JProperty) else f"{kind}:{escaped}"


def _show_sequence(value: Any) -> str:
    kind = value.element if isinstance(value, Array) else None
    if isinstance(value, Collection) and len(value.type.args) == 1:
        kind = value.type.args[0]
    return "[" + ",".join(show(_boxed(item, kind)) for item in value) + "]"


def _show_members(value: Anonymous) -> str:
    members = zip(value.type.names, value, value.type.args, strict=True)
    return "{" + ",".join(f"{name}={show(_boxed(item, kind))}" for name, item, kind in members) + "}"


_PRINTERS: tuple[tuple[type | UnionType, Callable[[Any], str]], ...] = (
    (type(None), lambda _: "null"),
    (Char, lambda value: f"c:{ord(value)}"),
    (str, lambda value: "s:" + json.dumps(value.replace("\r\n", "\n"))),
    (bool, lambda value: "true" if value else "false"),
    (float, lambda value: "d:NaN" if math.isnan(value) else "d:" + struct.pack(">d", value).hex()),
    (DateTime, lambda value: f"t:{value.ticks}:{value.kind.name}"),
    (DateTimeOffset, lambda value: f"o:{value.ticks}:{value.offset}"),
    (TimeSpan, lambda value: f"p:{value.ticks}"),
    (Enum, lambda value: f"{type(value).__name__}.{value.name}"),
    (JToken, _show_token),
    (XObject | XName | XNamespace | XDeclaration, lambda value: f"{type(value).__name__}:{show(object_text(value))}"),
    (Pair, lambda value: f"({show(value.key)}={show(value.value)})"),
    (Anonymous, _show_members),
    (tuple, lambda value: "<" + ",".join(map(show, value)) + ">"),
    (Found, lambda value: "m:" + show(value.value)),
    (Response, lambda _: "IResponse"),
    (EvaluationError, lambda value: value.exception),
    (Certificate, lambda _: "X509Certificate2"),
    (int, lambda value: f"{'Int32' if type(value) is int else type(value).__name__}:{int(value)}"),
    (UUID, lambda value: f"Guid:{value}"),
    (encoding.Uri, lambda value: f"Uri:{value.text}"),
    (text_members.StringBuilder, lambda value: f"StringBuilder:{show(str(value))}"),
    (Iterable, _show_sequence),
)


def show(value: object) -> str:
    """Print a value as the judge's stand-in does."""
    for kind, printer in _PRINTERS:
        if isinstance(value, kind):
            return printer(value)
    return type(value).__name__


def _boxed(item: object, kind: Type | None) -> object:
    box = None if kind is None else boxed(kind)
    return item if box is None else box(item)


def outcome(run: Callable[[Context], object], spec: Mapping[str, Any]) -> str:
    """Evaluate and print; raises `StoppedError`."""
    try:
        return show(run(evaluated(context, spec)))  # the context is made of what is metered, too
    except StoppedError:
        raise
    except EvaluationError as error:
        return f"!{error.exception}"


def without_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take chance and Windows's line ends out."""
    for module in (certificates, json_text, text_members, xml_text):
        monkeypatch.setattr(module, "NEW_LINE", "\n")
    monkeypatch.setitem(table.CONSTANTS, "Environment.NewLine", (Type.STRING, "\n"))
    guid = UUID("0f8fad5b-d9cb-469f-a165-70867728950e")
    monkeypatch.setitem(table.AMBIENT, "Guid.NewGuid()", (Type("Guid"), lambda _: guid))
    monkeypatch.setattr(numbers.Random, "below", lambda _self, low, _high: low)
    monkeypatch.setattr(numbers.Random, "fraction", lambda _self: 0.0)
