"""What a policy expression sees as `context`, and what the policies change (api-management-policy-expressions)."""

from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from multidict import CIMultiDict

from sandbox.expressions.query import Query


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
    """List the strings that a claim holds; what is no string, integer, boolean or list of those holds none."""
    if isinstance(value, list):
        return [text for item in value if not isinstance(item, list) for text in claim_values(item)]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, str | int):
        return [str(value)]
    return []


@dataclass(frozen=True, slots=True)
class ApiInfo:
    """`context.Api`."""

    id: str
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class OperationInfo:
    """`context.Operation`."""

    id: str
    method: str
    url_template: str


@dataclass(frozen=True, slots=True)
class Named:
    """`context.Product` or `context.Subscription`: the identifier is all that the sandbox knows."""

    id: str


@dataclass(slots=True)
class Context:
    """`context`: one call."""

    request_id: UUID
    service_name: str
    request: Request
    api: ApiInfo | None = None
    operation: OperationInfo | None = None
    product: Named | None = None
    subscription: Named | None = None
    response: Response | None = None
    last_error: LastError | None = None
    variables: dict[str, object] = field(default_factory=dict, repr=False)
