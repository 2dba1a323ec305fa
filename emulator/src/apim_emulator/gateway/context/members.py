"""`context` and what it leads to (api-management-policy-expressions)."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any

from multidict import CIMultiDict

from apim_emulator.csharp.library.encoding import byte_array, decoded, uri
from apim_emulator.csharp.library.sequences import define_view
from apim_emulator.csharp.library.table import BODIES, Generic, define, define_extensions
from apim_emulator.csharp.runtime.casts import cast
from apim_emulator.csharp.runtime.certificates import Certificate
from apim_emulator.csharp.runtime.dates import MAX_TICKS, SECOND, UNIX_EPOCH, DateTime, TimeSpan, from_unix
from apim_emulator.csharp.runtime.exceptions import EvaluationError, needed, unsure
from apim_emulator.csharp.runtime.json_text import read
from apim_emulator.csharp.runtime.jtokens import JArray, JObject, JToken
from apim_emulator.csharp.runtime.meter import spend
from apim_emulator.csharp.runtime.system_convert import zero
from apim_emulator.csharp.runtime.values import Array, DateTimeKind, Dictionary, Pair, describe
from apim_emulator.csharp.runtime.values import strings as string_array
from apim_emulator.csharp.runtime.xml_text import read_document, read_element
from apim_emulator.csharp.types import Type, declare, parse
from apim_emulator.gateway.context.objects import (
    Authorization,
    BasicCredentials,
    Context,
    Jwt,
    Request,
    Response,
)
from apim_emulator.gateway.context.query import Query

for _type in (
    "Authorization", "BasicAuthCredentials", "IGroup", "IMessageBody", "IOperation", "IProduct", "IRequest",
    "IResponse", "ISubscription", "IUrl", "IUser", "Jwt",
):  # fmt: skip
    declare(_type)
for _kind, _type in (
    (Authorization, "Authorization"), (BasicCredentials, "BasicAuthCredentials"), (Jwt, "Jwt"), (Request, "IRequest"),
    (Response, "IResponse"),
):  # fmt: skip
    describe(_kind, Type(_type))


def _header_pairs(headers: CIMultiDict[str]) -> Iterator[Pair]:
    """Enumerate headers with all their values."""
    return _grouped(list(headers.items()))


def _query_pairs(query: Query) -> Iterator[Pair]:
    """Enumerate query parameters with all their values."""
    return _grouped(query.pairs())


def _grouped(entries: Iterable[tuple[str, str]]) -> Iterator[Pair]:
    """Gather the values of names that differ in case alone, each under the first name."""
    groups: dict[str, tuple[str, list[str]]] = {}
    for name, value in entries:
        spend()
        groups.setdefault(name.lower(), (name, []))[1].append(value)
    return (Pair(name, string_array(values)) for name, values in groups.values())


def _claim_pairs(claims: Mapping[str, list[str]]) -> Iterator[Pair]:
    """Enumerate claims with all their values."""
    return (Pair(name, string_array(values)) for name, values in claims.items())


def _mapping_pairs(mapping: Mapping[str, Any]) -> Iterator[Pair]:
    return (Pair(name, value) for name, value in list(mapping.items()))


BODIES.update({"IRequest.Body": "Request", "IResponse.Body": "Response"})
for _view, _held, _enumerate in (
    ("IHeaders", "string[]", _header_pairs), ("IQuery", "string[]", _query_pairs),
    ("IClaims", "string[]", _claim_pairs),
    ("IVariables", "object", _mapping_pairs), ("IParameters", "string", _mapping_pairs),
):  # fmt: skip
    declare(f"{_view}: IReadOnlyDictionary<string, {_held}>", nameable=False)
    define_view(_view, _enumerate, _held)
declare("ICertificates: IEnumerable<KeyValuePair<string, X509Certificate2>>", nameable=False)
define_view("ICertificates", _mapping_pairs, "X509Certificate2")


def known(name: str) -> Callable[[Any], Any]:
    """Read an attribute whose None means that the emulator does not know it, though the service would."""
    read_attribute = attrgetter(name)

    def call(value: Any) -> Any:
        found = read_attribute(value)
        if found is None:
            raise unsure(f"the emulator does not know {name}")
        return found

    return call


def _texts(names: str) -> dict[str, Callable[[Any], Any]]:
    """Make string properties whose Python attribute is the same name in snake case."""
    return {f"{name}: string": attrgetter(_snake(name)) for name in names.split()}


def _known_texts(names: str) -> dict[str, Callable[[Any], Any]]:
    return {f"{name}: string": known(_snake(name)) for name in names.split()}


def _snake(name: str) -> str:
    return re.sub(r"\B([A-Z])", r"_\1", name).lower()


def _timestamp(context: Context) -> DateTime:
    if context.timestamp is None:
        context.timestamp = context.now()
    return DateTime(from_unix(context.timestamp), DateTimeKind.Utc)


def _elapsed(context: Context) -> TimeSpan:
    start = _timestamp(context)
    return TimeSpan(from_unix(context.now()) - start.ticks)


def _trace(context: Context, message: str | None) -> None:
    context.traced.append(message or "")


define(
    "context",
    properties_={
        "Api: IApi": attrgetter("api"),
        "Deployment: IDeployment": lambda context: context,
        "Elapsed: TimeSpan": _elapsed,
        "LastError: ILastError": attrgetter("last_error"),
        "Operation: IOperation": attrgetter("operation"),
        "Product: IProduct": attrgetter("product"),
        "Request: IRequest": attrgetter("request"),
        "RequestId: Guid": attrgetter("request_id"),
        "Response: IResponse": attrgetter("response"),
        "Subscription: ISubscription": attrgetter("subscription"),
        "Timestamp: DateTime": _timestamp,
        "Tracing: bool": attrgetter("tracing"),
        "User: IUser": attrgetter("user"),
        "Variables: IVariables": attrgetter("variables"),
    },
    methods={"Trace(string message): void": _trace},
)
define(
    "IApi",
    properties_={
        **_texts("Id Name Path"),
        **_known_texts("Revision Version"),
        "IsCurrentRevision: bool": known("is_current_revision"),
        "ServiceUrl: IUrl": known("service_url"),
    },
)
define("IOperation", properties_=_texts("Id Method UrlTemplate") | _known_texts("Name"))
define("IProduct", properties_=_texts("Id") | _known_texts("Name"))
define("ISubscription", properties_=_texts("Id") | _known_texts("Name Key PrimaryKey SecondaryKey"))
define(
    "IUser",
    properties_={
        **_texts("Id"),
        **_known_texts("Email FirstName LastName Note"),
        "Groups: IEnumerable<IGroup>": attrgetter("groups"),
    },
)
define("IGroup", properties_=_texts("Id Name"))
define(
    "IDeployment",
    properties_={
        **_texts("ServiceName"),
        **_known_texts("Region ServiceId"),
        "Certificates: ICertificates": attrgetter("certificates"),
        "Gateway: IGateway": lambda context: context,
        "GatewayId: string": lambda _: "managed",
    },
)
define(
    "IGateway",
    properties_={
        "Id: string": lambda _: "managed",
        "InstanceId: string": lambda _: "managed",
        "IsManaged: bool": lambda _: True,
    },
)
define("ILastError", properties_=_texts("Source Reason Message Scope Section Path PolicyId"))
define(
    "IUrl",
    properties_={
        **_texts("Scheme Host Path QueryString"),
        "Port: int": attrgetter("port"),
        "Query: IQuery": attrgetter("query"),
    },
    # Not in the documentation; public policies use them, and the official toolkit has them alike (inferred).
    methods={"ToString(): string": str, "ToUri(): Uri": lambda url: uri(str(url))},
)
define(
    "IRequest",
    properties_={
        **_texts("Method IpAddress"),
        "Body: IMessageBody": lambda request: request if request.has_body else None,
        "Certificate: X509Certificate2": attrgetter("certificate"),
        "Headers: IHeaders": attrgetter("headers"),
        "MatchedParameters: IParameters": attrgetter("matched_parameters"),
        "OriginalUrl: IUrl": attrgetter("original_url"),
        "Url: IUrl": attrgetter("url"),
    },
)
define(
    "IResponse",
    properties_={
        "Body: IMessageBody": lambda response: response,
        "Headers: IHeaders": attrgetter("headers"),
        "StatusCode: int": attrgetter("status"),
        "StatusReason: string": attrgetter("reason"),
    },
)


# Bodies


def _content(message: Request | Response, preserve: bool) -> bytes:
    """Take a message's body; a second reader finds nothing."""
    if message.body_consumed:
        raise unsure("the body was read before without preserveContent")
    content = message.body
    if content is None or (isinstance(message, Response) and message.stream is not None):
        raise unsure("the body is not in memory")
    if message.headers.get("Content-Encoding", "identity").lower() != "identity" and isinstance(message, Response):
        raise unsure("a body with a content encoding")
    message.body_consumed = not preserve
    return content


def _body_text(message: Request | Response, preserve: bool) -> str:
    content = _content(message, preserve)
    charset = re.search(r"charset\s*=\s*\"?([\w-]+)", message.headers.get("Content-Type", ""), re.IGNORECASE)
    if charset is not None and charset[1].lower() not in {"utf-8", "utf8", "us-ascii"}:
        raise unsure("a body in another charset than UTF-8")
    return decoded(content).removeprefix("\ufeff")


_READERS: dict[str, Callable[[Request | Response, bool], Any]] = {
    "string": _body_text,
    "byte[]": lambda message, preserve: byte_array(_content(message, preserve)),
    "JObject": lambda message, preserve: _body_json(message, preserve, JObject),
    "JArray": lambda message, preserve: _body_json(message, preserve, JArray),
    "JToken": lambda message, preserve: _body_json(message, preserve, JToken),
    "XElement": lambda message, preserve: read_element(_body_text(message, preserve)),
    "XDocument": lambda message, preserve: read_document(_body_text(message, preserve)),
}


def _body_json(message: Request | Response, preserve: bool, kind: type[JToken]) -> JToken:
    text = _body_text(message, preserve)
    if not text.strip():
        raise unsure("JSON of an empty body")
    return read(text, kind)


def _as(type_: Type) -> Callable[..., Any]:
    reader = _READERS.get(str(type_))
    if reader is None:
        raise unsure(f"a body as {type_}; only as {', '.join(_READERS)}")
    return lambda message, preserve=False: reader(message, preserve)


def _form(message: Request | Response, preserve: bool = False) -> Dictionary:
    """`AsFormUrlEncodedContent()`."""
    fields: dict[str, Array] = {}
    for name, value in Query(_body_text(message, preserve)).pairs():
        spend()
        fields.setdefault(name, Array(Type.STRING)).append(value)
    if len({name.lower() for name in fields}) < len(fields):
        raise unsure("the case of the names in a form")
    return Dictionary(parse("IDictionary<string, IList<string>>"), fields)


define(
    "IMessageBody",
    methods={
        "As<U>(): U": Generic(_as),
        "As<U>(bool preserveContent): U": Generic(_as),
        "AsFormUrlEncodedContent(): IDictionary<string, IList<string>>": _form,
        "AsFormUrlEncodedContent(bool preserveContent): IDictionary<string, IList<string>>": _form,
    },
)


# Headers, query parameters, claims


def _joined(values: list[str], default: str | None) -> str | None:
    return ",".join(values) if values else default


def _header(headers: CIMultiDict[str], name: str | None, default: str | None = None) -> str | None:
    values = headers.getall(needed(name), None)
    return default if values is None else values[0] if len(values) == 1 else ",".join(values)


def _query_values(query: Query, name: str) -> list[str]:
    spend(query.size)
    return query.values(name)


def _query(query: Query, name: str | None, default: str | None = None) -> str | None:
    return _joined(_query_values(query, needed(name)), default)


def _claim(claims: Mapping[str, list[str]], name: str | None, default: str | None = None) -> str | None:
    return _joined(claims.get(needed(name), []), default)


def _lookup(find: Callable[[Any, str], list[str]], pairs: Callable[[Any], Iterable[Any]]) -> dict[str, Any]:
    """Make the members that headers, query parameters and claims share."""

    def item(view: Any, name: str | None) -> Array:
        values = find(view, needed(name))
        if not values:
            raise EvaluationError("KeyNotFoundException")
        return string_array(values)

    def tried(view: Any, name: str | None) -> tuple[bool, Array | None]:
        values = find(view, needed(name))
        return bool(values), string_array(values) if values else None

    return {
        "properties_": {
            "Count: int": lambda view: len(list(pairs(view))),
            "Keys: IEnumerable<string>": lambda view: string_array(pair.key for pair in pairs(view)),
            "Values: IEnumerable<string[]>": lambda view: Array(
                parse("string[]"), [pair.value for pair in pairs(view)]
            ),
        },
        "indexers": {"this(string): string[]": item},
        "methods": {
            "ContainsKey(string): bool": lambda view, name: bool(find(view, needed(name))),
            "TryGetValue(string, out string[]): bool": tried,
        },
    }


for _name, _find, _pairs, _value in (
    ("IHeaders", lambda headers, name: headers.getall(name, []), _header_pairs, _header),
    ("IQuery", _query_values, _query_pairs, _query),
    ("IClaims", lambda claims, name: claims.get(name, []), _claim_pairs, _claim),
):
    _members = _lookup(_find, _pairs)
    _members["methods"] |= {
        "GetValueOrDefault(string): string": _value,
        "GetValueOrDefault(string, string): string": _value,
    }
    define(_name, **_members)


def _values(view: Any, name: str | None, default: Array | None) -> Array | None:
    """.NET's own `GetValueOrDefault`, after those of the service."""
    key = needed(name)
    if isinstance(view, CIMultiDict):
        values = view.getall(key, [])
    else:
        values = _query_values(view, key) if isinstance(view, Query) else view.get(key, [])
    return string_array(values) if values else default


define("IReadOnlyDictionary", methods={"GetValueOrDefault(K, V): V": _values})


def _text_entry(table: Dictionary, name: str | None, default: str | None) -> str | None:
    found: str | None = table.items.get(needed(name), default)
    return found


# Not in the documentation: a public policy that is deployed calls it on `IDictionary<string, string>` (inferred).
define_extensions({"GetValueOrDefault(this IDictionary<string, string>, string, string): string": _text_entry})


# Variables and matched parameters


def _entry(mapping: Mapping[str, Any], name: str | None) -> Any:
    if needed(name) not in mapping:
        raise EvaluationError("KeyNotFoundException")
    return mapping[needed(name)]


def _parameter(mapping: Mapping[str, str], name: str | None, default: str | None = None) -> str | None:
    return mapping.get(needed(name), default)


def _has_key(mapping: Mapping[str, Any], name: str | None) -> bool:
    return needed(name) in mapping


def variable(type_: Type) -> Callable[..., Any]:
    """`Variables.GetValueOrDefault<T>`: the default when absent, an exception when the type differs."""

    def call(variables: Mapping[str, object], name: str | None, *default: Any) -> Any:
        if needed(name) in variables:
            return cast(variables[needed(name)], type_)
        return default[0] if default else zero(type_)

    return call


define(
    "IVariables",
    properties_={
        "Count: int": len,
        "Keys: IEnumerable<string>": string_array,
    },
    indexers={"this(string): object": _entry},
    methods={
        "ContainsKey(string): bool": _has_key,
        "GetValueOrDefault(string): object": lambda variables, name: variables.get(needed(name)),
        "GetValueOrDefault<U>(string): U": Generic(variable),
        "GetValueOrDefault<U>(string, U): U": Generic(variable),
        "TryGetValue(string, out object): bool": lambda variables, name: (
            needed(name) in variables,
            variables.get(needed(name)),
        ),
    },
)
define(
    "IParameters",
    properties_={"Count: int": len, "Keys: IEnumerable<string>": string_array},
    indexers={"this(string): string": _entry},
    methods={
        "ContainsKey(string): bool": _has_key,
        "GetValueOrDefault(string): string": _parameter,
        "GetValueOrDefault(string, string): string": _parameter,
        "TryGetValue(string, out string): bool": lambda mapping, name: (
            needed(name) in mapping,
            mapping.get(needed(name)),
        ),
    },
)


# Certificates of the service


def _thumbprint(certificates: Mapping[str, Certificate], name: str | None) -> str:
    """Return a key; whether the service finds one in another case is not sure."""
    key = needed(name)
    if key not in certificates and key.upper() in certificates:
        raise unsure("a thumbprint in lower case")
    return key


def _certificate(certificates: Mapping[str, Certificate], name: str | None) -> Certificate:
    return _entry(certificates, _thumbprint(certificates, name))  # type: ignore[no-any-return]


define(
    "ICertificates",
    properties_={
        "Count: int": len,
        "Keys: IEnumerable<string>": string_array,
        "Values: IEnumerable<X509Certificate2>": lambda certificates: Array(
            Type("X509Certificate2"), certificates.values()
        ),
    },
    indexers={"this(string): X509Certificate2": _certificate},
    methods={
        "ContainsKey(string): bool": lambda certificates, name: _thumbprint(certificates, name) in certificates,
        "TryGetValue(string, out X509Certificate2): bool": lambda certificates, name: (
            _thumbprint(certificates, name) in certificates,
            certificates.get(_thumbprint(certificates, name)),
        ),
    },
)


# Credentials


def _moment(name: str) -> Callable[[Jwt], DateTime | None]:
    def call(jwt: Jwt) -> DateTime | None:
        found = jwt.payload.get(name)
        if found is None:
            return None
        if not isinstance(found, int) or isinstance(found, bool):
            raise unsure("a time in a token that is no integer")
        ticks = UNIX_EPOCH + found * SECOND
        if not 0 <= ticks <= MAX_TICKS:
            raise unsure("a time in a token that no DateTime has")
        return DateTime(ticks, DateTimeKind.Utc)

    return call


def _claims(jwt: Jwt) -> Mapping[str, list[str]]:
    spend(len(jwt.payload))
    return jwt.claims


def _header_text(name: str) -> Callable[[Jwt], str | None]:
    def call(jwt: Jwt) -> str | None:
        found = jwt.header.get(name)
        return found if isinstance(found, str) else None

    return call


define(
    "Jwt",
    properties_={
        "Algorithm: string": _header_text("alg"),
        "Audiences: IEnumerable<string>": lambda jwt: string_array(jwt.claims.get("aud", [])),
        "Claims: IClaims": _claims,
        "ExpirationTime: DateTime?": _moment("exp"),
        "Id: string": lambda jwt: jwt.text("jti"),
        "Issuer: string": lambda jwt: jwt.text("iss"),
        "NotBefore: DateTime?": _moment("nbf"),
        "Subject: string": lambda jwt: jwt.text("sub"),
        "Type: string": _header_text("typ"),
    },
)
define("BasicAuthCredentials", properties_=_texts("UserId Password"))
define("Authorization", properties_=_texts("AccessToken") | {"Claims: IVariables": attrgetter("claims")})

_PART = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def _jwt(text: str | None) -> Jwt | None:
    """`AsJwt()`: the token of a bearer header or a token alone, else null (inferred: what counts as one)."""
    if text is None or not text.strip():
        return None
    scheme, space, rest = text.strip().partition(" ")
    parts = (rest if space and scheme.lower() == "bearer" else text.strip()).strip().split(".")
    if len(parts) != 3 or not all(_PART.fullmatch(part) for part in parts[:2]):
        return None
    header, payload = (_json_part(part) for part in parts[:2])
    return None if header is None or payload is None else Jwt(header, payload)


def _json_part(part: str) -> dict[str, object] | None:
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _basic(text: str | None) -> BasicCredentials | None:
    """`AsBasic()`: null where it is no Basic header (inferred: what counts as one)."""
    scheme, _, rest = (text or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        plain = base64.b64decode(rest.strip(), validate=True).decode("latin-1")
    except (ValueError, binascii.Error):
        return None
    user, colon, password = plain.partition(":")
    if not plain.isascii():
        raise unsure("Basic credentials outside ASCII")
    if plain.count(":") > 1:
        raise unsure("Basic credentials with several colons")
    return BasicCredentials(user, password) if colon else None


define_extensions(
    {
        "AsBasic(this string): BasicAuthCredentials": _basic,
        "AsJwt(this string): Jwt": _jwt,
        "TryParseBasic(this string, out BasicAuthCredentials): bool": lambda text: (
            _basic(text) is not None,
            _basic(text),
        ),
        "TryParseJwt(this string, out Jwt): bool": lambda text: (_jwt(text) is not None, _jwt(text)),
    }
)
