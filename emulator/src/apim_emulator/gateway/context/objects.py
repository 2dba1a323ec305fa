"""What a policy expression sees as `context`, and what the policies change (api-management-policy-expressions)."""

import time
from collections.abc import AsyncIterable, Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from multidict import CIMultiDict

from apim_emulator.csharp.runtime.certificates import Certificate
from apim_emulator.gateway.context.query import Query


@dataclass(frozen=True, slots=True)
class Url:
    """`IUrl`: a URL in parts. `path` is percent-encoded as on the wire."""

    scheme: str
    host: str
    port: int
    path: str
    query: Query

    @property
    def query_string(self) -> str:
        """The query with its question mark, empty without one (inferred)."""
        text = str(self.query)
        return f"?{text}" if text else ""

    def __str__(self) -> str:
        port = "" if self.port == {"http": 80, "https": 443}.get(self.scheme) else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}{self.path}{self.query_string}"


@dataclass(slots=True)
class Request:
    """`context.Request`: the call as the backend will see it."""

    method: str
    headers: CIMultiDict[str] = field(repr=False)
    original_url: Url = field(repr=False)
    path: str
    """Percent-encoded path below the API's, changed by `rewrite-uri`."""
    query: Query = field(repr=False)
    ip_address: str
    matched_parameters: Mapping[str, str]
    base_path: str = ""
    """Path of the backend's base URL."""
    has_body: bool = True
    """Whether `Body` is other than null."""
    body: bytes | None = field(default=None, repr=False)
    """The whole body without its content encoding; None while it is not in memory, and an expression cannot read it."""
    body_consumed: bool = False
    """Whether `As<T>()` read it without `preserveContent`: nothing can read it again."""
    certificate: Certificate | None = None
    """What the caller presented."""

    @property
    def url(self) -> Url:
        """The URL below the backend's base (inferred: the service describes it only as the request's URL)."""
        original = self.original_url
        return Url(original.scheme, original.host, original.port, self.base_path + self.path, self.query)


@dataclass(slots=True)
class Response:
    """`context.Response`: what the caller will get."""

    status: int = 200
    reason: str | None = None
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict, repr=False)
    body: bytes = field(default=b"", repr=False)
    stream: AsyncIterable[bytes] | None = field(default=None, repr=False)
    """Chunks from the backend, in place of `body`."""
    body_consumed: bool = False
    """Whether `As<T>()` read it without `preserveContent`: nothing can read it again."""


@dataclass(frozen=True, slots=True)
class LastError:
    """`context.LastError` (api-management-error-handling-policies)."""

    source: str
    reason: str
    message: str
    scope: str = ""
    section: str = ""
    path: str = ""
    policy_id: str = ""


@dataclass(frozen=True, slots=True)
class Jwt:
    """A validated token, from a policy's `output-token-variable-name`."""

    header: Mapping[str, object] = field(repr=False)
    payload: Mapping[str, object] = field(repr=False)

    @property
    def claims(self) -> Mapping[str, list[str]]:
        """Each claim as the list of its values; numbers and booleans as JSON writes them (inferred)."""
        return {name: claim_values(value) for name, value in self.payload.items()}

    def text(self, name: str) -> str | None:
        """Read a claim that is a string."""
        value = self.payload.get(name)
        return value if isinstance(value, str) else None


def claim_values(value: object) -> list[str]:
    """List the strings that a claim holds; anything but strings, integers, booleans and lists of these holds none."""
    if isinstance(value, list):
        return [text for item in value if not isinstance(item, list) for text in claim_values(item)]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, str | int):
        return [str(value)]
    return []


@dataclass(frozen=True, slots=True)
class ApiInfo:
    """`context.Api`; an expression that reads what is None gets an error, since the service would know it."""

    id: str
    name: str
    path: str
    service_url: Url | None = None
    revision: str | None = None
    version: str | None = None
    is_current_revision: bool | None = None


@dataclass(frozen=True, slots=True)
class OperationInfo:
    """`context.Operation`; an expression that reads what is None gets an error, since the service would know it."""

    id: str
    method: str
    url_template: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """`context.Product` or `context.Subscription`; an expression that reads what is None gets an error."""

    id: str
    name: str | None = None
    key: str | None = field(default=None, repr=False)
    """`Subscription.Key`."""
    primary_key: str | None = field(default=None, repr=False)
    secondary_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Group:
    """`IGroup`."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class User:
    """`context.User`; an expression that reads what is None gets an error, since the service would know it."""

    id: str
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    note: str | None = None
    groups: tuple[Group, ...] = ()


@dataclass(frozen=True, slots=True)
class BasicCredentials:
    """`BasicAuthCredentials`, from `AsBasic`."""

    user_id: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Authorization:
    """`Authorization`, from `get-authorization-context`."""

    access_token: str = field(repr=False)
    claims: Mapping[str, object] = field(default_factory=dict, repr=False)
    """What else the authorization server answered (RFC 6749, 5.1)."""


@dataclass(slots=True)
class Context:
    """`context`: one call."""

    service_name: str
    request: Request
    api: ApiInfo | None = None
    operation: OperationInfo | None = None
    product: Named | None = None
    subscription: Named | None = None
    response: Response | None = None
    last_error: LastError | None = None
    variables: dict[str, object] = field(default_factory=dict, repr=False)
    user: User | None = None
    region: str | None = None
    """`Deployment.Region`; None is not known, and an expression that reads it gets an error."""
    service_id: str | None = None
    """`Deployment.ServiceId`, likewise: no source says what it looks like."""
    certificates: Mapping[str, Certificate] = field(default_factory=dict, repr=False)
    """`Deployment.Certificates`, by thumbprint."""
    tracing: bool = False
    now: Callable[[], float] = field(default=time.time, repr=False)
    """Unix time in seconds, for everything that asks for the time."""
    timestamp: float | None = None
    """When the request was received, in Unix time; None: when an expression first asks (approximate)."""
    traced: list[str] = field(default_factory=list, repr=False)
    """Messages of `context.Trace`."""
    _request_id: UUID | None = None

    @property
    def request_id(self) -> UUID:
        """`RequestId`, made when somebody first asks: most calls need none."""
        if self._request_id is None:
            self._request_id = uuid4()
        return self._request_id
