"""`send-request` and `send-one-way-request`: send a separate request from the gateway."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.authentication_certificate import AuthenticationCertificate
from policies.authentication_managed_identity import AuthenticationManagedIdentity
from policies.proxy import Proxy
from policies.set_body import SetBody
from policies.set_header import SetHeader
from policies.set_method import SetMethod
from policies.shared.checks import INT_MAX, check_location, check_output_names, check_range
from policies.shared.errors import PolicyError
from policies.shared.options import is_expression, starts_expression
from policies.shared.policy import TypedPolicy, text_element


class RequestMode(StrEnum):
    """What a request starts from."""

    NEW = "new"
    """Nothing."""
    COPY = "copy"
    """The current request; in `outbound` without its body."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewayRequest(TypedPolicy):
    """The options that the policies for a separate request share.

    Use `RawElement` for `authentication-token` and `authentication-token-store`, which only the schema has.
    """

    mode: RequestMode | str | None = None
    """What the request starts from, or an expression. Defaults to `new`."""
    url: str | None = field(default=None, metadata={"content": True})
    """URL, or an expression. Required unless the mode is `copy`, where it defaults to that of the current request."""
    method: SetMethod | None = None
    """Method. Required unless the mode is `copy`, where it defaults to that of the current request."""
    headers: list[SetHeader] = field(default_factory=list)
    """Headers. Defaults to none, or with `copy` to those of the current request."""
    body: SetBody | None = None
    """Body. Defaults to none, or with `copy` to that of the current request."""
    certificate: AuthenticationCertificate | None = None
    """Client certificate that the gateway presents. Defaults to none."""
    identity: AuthenticationManagedIdentity | None = None
    """Managed identity whose token is sent in `Authorization`. Defaults to none."""
    proxy: Proxy | None = None
    """Proxy through which it is sent. Defaults to none."""

    def __post_init__(self) -> None:
        """Check the URL, and that a token is not sent there unencrypted."""
        TypedPolicy.__post_init__(self)
        check_output_names(self)
        may_copy = self.mode is RequestMode.COPY or (self.mode is not None and is_expression(self.mode))
        if not may_copy and (self.url is None or self.method is None):
            raise PolicyError(f"{self.tag} is a new request without url or method; give both, or mode RequestMode.COPY")
        self._check_url()
        if self.identity is not None and self.identity.output_token_variable_name is not None:
            raise PolicyError(
                f"{self.tag} identity would store its token in a variable; give it output_token_variable_name=None"
            )

    def _check_url(self) -> None:
        if self.url is None or starts_expression(self.url) or "{{" in self.url:
            return
        if self.identity is not None or not self.url.startswith("http://"):
            check_location(f"{self.tag} url", self.url)

    def children(self) -> Iterator[ET.Element]:
        """Yield the parts of the request."""
        if self.url is not None:
            yield text_element("set-url", self.url)
        for part in (self.method, *self.headers, self.body):
            if part is not None:
                yield part.element()
        yield from (part.element() for part in (self.certificate, self.identity, self.proxy) if part is not None)


@dataclass(frozen=True, kw_only=True, slots=True)
class SendRequest(GatewayRequest):
    """Sends a request to a URL and stores the response in a variable (send-request).

    Without `ignore_error`, a request that fails runs `on-error`.
    """

    tag: ClassVar[str] = "send-request"

    response_variable_name: str
    """Variable that receives the response, as an `IResponse`."""
    timeout: int | str | None = None
    """Seconds to wait for the response, at least 1, or an expression. Defaults to 60."""
    timeout_ms: int | str | None = None
    """Milliseconds to wait, instead of `timeout`."""
    ignore_error: bool | None = None
    """Whether the variable becomes `null` if the request fails. Defaults to false: `on-error` runs."""
    buffer_response: bool | None = None
    """Whether the whole response is read first (only the schema has this option). Defaults to true."""
    fail_on_error_status_code: bool | None = None
    """Whether a status code of 400 to 599 is a failure (only the schema has this option). Defaults to false."""

    def __post_init__(self) -> None:
        """Check the request and how long to wait."""
        GatewayRequest.__post_init__(self)
        if self.timeout is not None and self.timeout_ms is not None:
            raise PolicyError(
                f"{self.tag} timeout {self.timeout} with timeout_ms {self.timeout_ms} is not allowed; give one of them"
            )
        check_range(f"{self.tag} timeout", self.timeout, 1, INT_MAX, "seconds")
        check_range(f"{self.tag} timeout_ms", self.timeout_ms, 1, INT_MAX, "milliseconds")


@dataclass(frozen=True, kw_only=True, slots=True)
class SendOneWayRequest(GatewayRequest):
    """Sends a request to a URL and does not wait for the response (send-one-way-request)."""

    tag: ClassVar[str] = "send-one-way-request"

    timeout: int | str | None = None
    """Timeout in seconds, at least 1, or an expression. Defaults to 60."""

    def __post_init__(self) -> None:
        """Check the request and its time."""
        GatewayRequest.__post_init__(self)
        check_range(f"{self.tag} timeout", self.timeout, 1, INT_MAX, "seconds")
