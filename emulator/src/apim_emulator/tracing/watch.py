"""A call's context that notes who reads what."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from multidict import CIMultiDict

from apim_emulator.csharp.runtime.certificates import Certificate
from apim_emulator.gateway.context.objects import Context, LastError, Named, Request, Response
from apim_emulator.gateway.context.query import Query
from apim_emulator.gateway.witness import witness


def watched(context: Context) -> Context:
    """Make a context that notes every read, of one that no policy has seen yet."""
    found = _Context(**_fields(context))
    found.variables = _Variables(context.variables)
    found.request = _Request(**_fields(context.request))
    found.request.headers = _RequestHeaders(context.request.headers)
    watch_parts(found)
    return found


def watch_parts(context: Context) -> None:
    """Note what is read of the parts that a policy may have put into a watched context; after each policy."""
    request, response = context.request, context.response
    if type(request.query) is Query:
        request.query = _Query(str(request.query))
    if response is not None and type(response) is Response:
        context.response = _Response(**_fields(response))
        _put_into_variables(context, response, context.response)
        response = context.response
    if response is not None and type(response.headers) is CIMultiDict:
        response.headers = _ResponseHeaders(response.headers)


def _put_into_variables(context: Context, old: Response, new: Response) -> None:
    """Let variables that hold a response hold the watched one: the two are the same to policies."""
    for name, value in dict.items(context.variables):
        if value is old:
            context.variables[name] = new


def _fields(part: Context | Request | Response) -> dict[str, Any]:
    return {one.name: getattr(part, one.name) for one in fields(part)}


def _note(what: str, name: str, value: object) -> None:
    found = witness.get()
    if found is not None:
        found.read(what, name, value)


_CONTEXT = {"last_error": "LastError", "product": "Product", "subscription": "Subscription", "user": "User"}
_REQUEST = {
    "method": "Request.Method", "ip_address": "Request.IpAddress", "body": "Request.Body", "url": "Request.Url",
    "matched_parameters": "Request.MatchedParameters", "certificate": "Request.Certificate",
}  # fmt: skip
_RESPONSE = {"status": "Response.StatusCode", "reason": "Response.StatusReason", "body": "Response.Body"}


def _plain(value: object) -> object:
    """Say in short what a part is, without anything secret in it."""
    if isinstance(value, LastError):
        return value.reason
    if isinstance(value, Named):
        return value.id
    if isinstance(value, Certificate):
        return value.thumbprint
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={one}" for name, one in value.items())
    return value.path if hasattr(value, "path") else value


class _Context(Context):
    __slots__ = ()

    def __getattribute__(self, name: str) -> object:
        value: object = object.__getattribute__(self, name)
        if name in _CONTEXT:
            _note(_CONTEXT[name], "", _plain(value))
        return value


class _Request(Request):
    __slots__ = ()

    def __getattribute__(self, name: str) -> object:
        value: object = object.__getattribute__(self, name)
        if name in _REQUEST:
            _note(_REQUEST[name], "", _plain(value))
        return value


class _Response(Response):
    __slots__ = ()

    def __getattribute__(self, name: str) -> object:
        value: object = object.__getattribute__(self, name)
        if name in _RESPONSE:
            _note(_RESPONSE[name], "", value)
        return value


class _Variables(dict[str, object]):
    def __getitem__(self, name: str) -> object:
        value = super().__getitem__(name)
        _note(f"Variables[{name}]", name, value)
        return value

    def __contains__(self, name: object) -> bool:
        found = super().__contains__(name)
        if isinstance(name, str):
            _note(f"Variables[{name}]", name, super().get(name))
        return found

    def get(self, name: str, default: object = None) -> object:
        _note(f"Variables[{name}]", name, super().get(name))
        return super().get(name, default)


class _Headers(CIMultiDict[str]):
    label = ""

    def copy(self) -> CIMultiDict[str]:  # type: ignore[override]
        return CIMultiDict(self)

    def _noted(self, name: object) -> None:
        if isinstance(name, str):
            values = super().getall(name, [])
            _note(f"{self.label}[{name}]", name, ",".join(values) if values else None)

    def __getitem__(self, name: str) -> str:
        self._noted(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self._noted(name)
        return super().__contains__(name)

    def get(self, name: str, default: object = None) -> object:  # type: ignore[override]
        self._noted(name)
        return super().get(name, default)

    def getone(self, name: str, *default: object) -> object:  # type: ignore[override]
        self._noted(name)
        return super().getone(name, *default)

    def getall(self, name: str, *default: object) -> object:  # type: ignore[override]
        self._noted(name)
        return super().getall(name, *default)


class _RequestHeaders(_Headers):
    label = "Request.Headers"


class _ResponseHeaders(_Headers):
    label = "Response.Headers"


class _Query(Query):
    __slots__ = ()

    def values(self, name: str) -> list[str]:
        found = super().values(name)
        _note(f"Request.Url.Query[{name}]", name, ",".join(found) if found else None)
        return found
