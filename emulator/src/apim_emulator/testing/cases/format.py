"""The case file: what its keys mean. The JSON schema that editors use is made of it."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from cryptography import x509
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from apim_emulator.gateway.standalone import SKUS


def _begins(given: str) -> str:
    if not given.startswith("/"):
        raise ValueError("must begin with /")
    return given


def _tier(given: str) -> str:
    if given not in SKUS:
        raise ValueError(f"{given!r} is no pricing tier; there are {', '.join(SKUS)}")
    return given


def _pattern(given: str) -> str:
    try:
        re.compile(given)
    except re.error as error:
        raise ValueError(f"is no regular expression of Python: {error}") from None
    return given


Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Status = Annotated[
    int,
    Field(ge=100, le=599, strict=True),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 100, "maximum": 599}, {"type": "string", "pattern": r"^\$\{.+\}$"}]}
    ),
]
"""A status code; editors also take the placeholder of one."""


class Keys(BaseModel):
    """A mapping of the file; a key that is not its own is refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=lambda name: name.rstrip("_").replace("_", "-"),
        use_attribute_docstrings=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _noted(cls, given: Any, info: ValidationInfo) -> Any:
        """Note which keys may stand here, for the message about one that may not."""
        if isinstance(given, dict) and isinstance(info.context, dict):
            info.context[id(given)] = sorted(field.alias or name for name, field in cls.model_fields.items())
        return given

    def _one_of(self, *names: str) -> None:
        given = [name.rstrip("_") for name in names if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} exclude each other: give one")


def _text(given: Any) -> Any:
    """Take a whole number for the text that it is written as."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


def _several(given: Any) -> Any:
    return given if isinstance(given, list) else [given]


Text = Annotated[str, BeforeValidator(_text, json_schema_input_type=str | int)]
Texts = Annotated[list[Text], BeforeValidator(_several, json_schema_input_type=str | int | list[str | int])]


class Matching(Keys):
    """What a text is compared with. The text alone is short for `equals`."""

    equals: Text | None = None
    contains: Text | None = None
    """Stands anywhere in it."""
    matches: Annotated[str, AfterValidator(_pattern)] | None = None
    """Regular expression of Python that all of it matches."""

    @model_validator(mode="after")
    def _says(self) -> Self:
        self._one_of("equals", "contains", "matches")
        if self.equals is None and self.contains is None and self.matches is None:
            raise ValueError("needs equals, contains or matches")
        return self


def _matching(given: Any) -> Any:
    return {"equals": given} if isinstance(given, str | int) else given


ExpectedText = Annotated[Matching, BeforeValidator(_matching, json_schema_input_type=str | int | Matching)]
ExpectedTexts = dict[str, ExpectedText | None]
"""By name; null is for what must be absent."""


class Answer(Keys):
    """What a backend answers. A status code alone is short for `status`."""

    status: Status = 200
    headers: dict[str, Text] = {}
    json_: Any = None
    """Body as JSON, with its Content-Type."""
    body: str | None = None
    """Body as text."""
    events: list[Any] | None = None
    """Server-sent events, each a text or JSON, and `[DONE]` after the last."""
    fails: Literal["connection", "timeout"] | None = None
    """In place of an answer: there is no connection, or no answer in time."""

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        self._one_of("json_", "body", "events", "fails")
        return self


def _answers(given: Any) -> Any:
    return [{"status": one} if isinstance(one, int) else one for one in _several(given)]


Answers = Annotated[
    list[Answer],
    Field(min_length=1),
    BeforeValidator(_answers, json_schema_input_type=Status | Answer | list[Status | Answer]),
]
"""An answer for every call, or one for each call in turn, of which the last stays."""


class Token(Keys):
    """A bearer token that the caller presents: of Microsoft Entra ID, or of the provider at `issuer`."""

    audience: str
    roles: list[str] = []
    client_id: str | None = None
    age: float = 0
    """Seconds since it was issued. It is valid for an hour."""
    issuer: str | None = None
    """URL of another OpenID Connect provider. Its configuration is at `/.well-known/openid-configuration` below."""
    header: str = "Authorization"
    claims: dict[str, Any] = {}
    """Claims that are added or replaced; null takes one away."""


def _distinguished(given: str) -> str:
    try:
        x509.Name.from_rfc4514_string(given.replace(", ", ","))
    except ValueError:
        raise ValueError("is no distinguished name, such as CN=client, O=Contoso") from None
    return given


Subject = Annotated[str, AfterValidator(_distinguished)]


class Certificate(Keys):
    """A certificate: a file, or an invented one of a name such as `CN=client`. A text alone is short for either."""

    file: str | None = None
    """PEM, DER or PKCS #12, from this file's folder."""
    password: str | None = Field(default=None, repr=False)
    subject: Subject | None = None
    """Name of whom it is for; it is invented, and the same wherever it is named."""
    issuer: Subject | None = None
    """Name of the authority that issued it. Defaults to itself."""
    dns_names: list[str] = []

    @model_validator(mode="after")
    def _one(self) -> Self:
        self._one_of("file", "subject")
        if self.file is None and self.subject is None:
            raise ValueError("needs file or subject")
        return self


def _certificate(given: Any) -> Any:
    return {"subject" if "=" in given else "file": given} if isinstance(given, str) else given


AnyCertificate = Annotated[Certificate, BeforeValidator(_certificate, json_schema_input_type=str | Certificate)]


class Connection(Keys):
    """What credential manager has of another provider. A text alone is short for `access-token`."""

    access_token: Text = Field(repr=False)
    claims: dict[str, Any] = {}


def _connection(given: Any) -> Any:
    return {"access-token": given} if isinstance(given, str | int) else given


class Request(Keys):
    """What the caller sends. `POST /chat` alone is short for `method` and `path`."""

    method: Annotated[str, Field(pattern="^[A-Za-z]+$")] = "GET"
    path: Annotated[str, AfterValidator(_begins)] = "/"
    """Path and query."""
    query: dict[str, Texts] = {}
    headers: dict[str, Text] = {}
    json_: Any = None
    body: str | None = None
    form: dict[str, Texts] | None = None
    subscription: str | None = None
    """Name of one of the file's `subscriptions`, whose key is sent."""
    token: Token | None = None
    certificate: AnyCertificate | None = None
    """What the caller presents."""
    ip: str = "127.0.0.1"
    """The caller's address."""

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        self._one_of("json_", "body", "form")
        return self


def _request(given: Any) -> Any:
    """Read `POST /chat` as a method and a path."""
    if not isinstance(given, str):
        return given
    method, _, path = given.partition(" ")
    return {"path": given} if given.startswith("/") else {"method": method, "path": path.strip()}


class ExpectedResponse(Keys):
    """What the caller gets. A status code alone is short for `status`."""

    status: Status | None = None
    reason: str | None = None
    headers: ExpectedTexts = {}
    """By name; null is for a header that must be absent."""
    json_: Any = None
    """What the body has at least: members of objects that are not named may be there too."""
    body: ExpectedText | None = None
    broken: bool | None = None
    """Whether the body breaks off."""

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        self._one_of("json_", "body")
        return self


def _response(given: Any) -> Any:
    return {"status": given} if isinstance(given, int) else given


class ExpectedRequest(Keys):
    """What a backend receives."""

    backend: str | None = None
    """Backend ID or host; `backend` is the API's own."""
    method: str | None = None
    url: ExpectedText | None = None
    path: ExpectedText | None = None
    query: dict[str, Texts | None] = {}
    """By name; null is for a parameter that must be absent."""
    headers: ExpectedTexts = {}
    """By name; null is for a header that must be absent."""
    json_: Any = None
    """What the body has at least."""
    body: ExpectedText | None = None
    certificate: str | None = None
    """Name of the file's certificate that the gateway presents; null is for none."""

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        self._one_of("json_", "body")
        return self


class ExpectedError(Keys):
    """`context.LastError`."""

    reason: str | None = None
    message: ExpectedText | None = None
    source: str | None = None
    """Name of the policy that failed."""


class ExpectedMetric(Keys):
    """A metric that is emitted."""

    name: str
    namespace: str | None = None
    value: float | None = None
    dimensions: dict[str, Text] = {}
    """Those that it has at least."""


class ExpectedPolicy(Keys):
    """A policy that runs. Its name alone is short for `policy`."""

    policy: str
    section: Literal["inbound", "backend", "outbound", "on-error"] | None = None
    scope: Literal["global", "product", "api", "operation"] | None = None
    id: str | None = None


def _policies(given: Any) -> Any:
    return [{"policy": one} if isinstance(one, str) else one for one in given] if isinstance(given, list) else given


class Call(Keys):
    """A call and what is expected of it."""

    wait: Seconds = 0
    """Seconds that pass before the call."""
    request: Annotated[Request, BeforeValidator(_request, json_schema_input_type=str | Request)] = Request()
    response: Annotated[
        ExpectedResponse | None, BeforeValidator(_response, json_schema_input_type=Status | ExpectedResponse | None)
    ] = None
    received: Annotated[
        list[ExpectedRequest] | None,
        BeforeValidator(_several, json_schema_input_type=ExpectedRequest | list[ExpectedRequest]),
    ] = None
    """What the backends receive, in order; an empty list says that none is called."""
    variables: dict[str, Any] | None = None
    """Those of `context.Variables` at the end that are named; null is for one that must be absent."""
    error: ExpectedError | None = None
    metrics: list[ExpectedMetric] | None = None
    """Metrics that are emitted, in any order; an empty list says that none is."""
    trace: Annotated[
        list[ExpectedPolicy] | None,
        BeforeValidator(_policies, json_schema_input_type=list[str | ExpectedPolicy]),
    ] = None
    """Policies that run, in order; others may run between them."""

    @property
    def expects(self) -> bool:
        """Tell whether there is anything that may fail."""
        return any(
            found is not None
            for found in (self.response, self.received, self.variables, self.error, self.metrics, self.trace)
        )

    @model_validator(mode="after")
    def _can_fail(self) -> Self:
        if not self.expects and not getattr(self, "calls", None):
            raise ValueError("expects nothing: add response, received, variables, error, metrics or trace")
        return self


class Backends(Keys):
    """Who answers the gateway."""

    backend: Answers | None = None
    """The API's own backend. Defaults to an empty 200."""
    backends: dict[str, Answers] = {}
    """Backends that the policy names by `backend-id`."""
    hosts: dict[str, Answers] = {}
    """Other hosts that the policy calls, such as `api.contoso.com` or `*.openai.azure.com`."""


class Case(Call, Backends):
    """A case: one call, or several in `calls`."""

    name: str
    calls: list[Call] | None = None
    """Calls one after the other, in place of `request` and what is expected."""
    examples: list[dict[str, Any]] | None = None
    """Rows of values: the case is run with each, `${name}` in its texts replaced."""

    @model_validator(mode="after")
    def _one_or_several(self) -> Self:
        if self.calls is not None and (self.expects or "request" in self.model_fields_set or self.wait):
            raise ValueError("calls and a call of its own exclude each other: put the call into calls")
        return self


class NamedValue(Keys):
    """A named value. A text alone is short for `value`."""

    value: Text = Field(repr=False)
    secret: bool = True
    """Whether it is masked in what is printed."""


def _named_values(given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    return {name: {"value": one} if isinstance(one, str | int) else one for name, one in given.items()}


NamedValues = Annotated[
    dict[str, NamedValue], BeforeValidator(_named_values, json_schema_input_type=dict[str, str | int | NamedValue])
]


def _moment(given: str) -> str:
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ValueError("must be a moment with its offset, such as 2026-03-02T10:15:00Z")
    return given


class CaseFile(Backends):
    """A file of cases for one policy document, or for the service in a folder."""

    policy: str | None = None
    """File of the policy, from this file's folder. Defaults to NAME.xml for NAME.test.yaml."""
    folder: str | None = None
    """Folder of a service, from this file's own, in place of a policy. Defaults to this file's where that holds one."""
    scope: Literal["global", "product", "api", "operation"] = "api"
    """Scope that the policy belongs to."""
    start: Annotated[str, AfterValidator(_moment)] = "2023-11-14T22:13:20Z"
    """When each case begins."""
    sku: Annotated[str, AfterValidator(_tier), WithJsonSchema({"enum": list(SKUS)})] = "BasicV2"
    """Pricing tier: it decides which policies exist and how limits count."""
    named_values: NamedValues = {}
    placeholders: NamedValues = {}
    """Values for placeholders that another tool fills, such as `${name}`, by name."""
    fragments: dict[str, str] = {}
    """Files of policy fragments by ID."""
    pools: dict[str, Annotated[list[str], Field(min_length=1)]] = {}
    """Backends that are pools of others, which `backends` has."""
    certificates: dict[str, AnyCertificate] = {}
    """Certificates of the service by ID."""
    ca_certificates: list[AnyCertificate] = []
    """Authorities whose certificates the service trusts."""
    connections: dict[
        Annotated[str, Field(pattern="^[^/]+/[^/]+$")],
        Annotated[Connection, BeforeValidator(_connection, json_schema_input_type=str | int | Connection)],
    ] = {}
    """What `get-authorization-context` finds, by PROVIDER/CONNECTION."""
    subscriptions: dict[str, str | None] = {}
    """Products of subscriptions by the subscription's name; null is for all APIs. With any, calls need one."""
    tests: Annotated[list[Case], Field(min_length=1)]

    @model_validator(mode="after")
    def _policy_or_folder(self) -> Self:
        others = [name for name in ("policy", "scope", "fragments") if name in self.model_fields_set]
        if self.folder is not None and others:
            raise ValueError(f"folder and {others[0]} exclude each other: a folder has its own policies")
        return self
