"""`send-request` and `send-one-way-request`: send a request of the gateway's own."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.authentication_certificate import AuthenticationCertificate
from policies.authentication_managed_identity import AuthenticationManagedIdentity
from policies.checks import INT_MAX, check_location, check_output_names, check_range
from policies.errors import PolicyError
from policies.options import is_expression, starts_expression
from policies.policy import TypedPolicy, text_element
from policies.proxy import Proxy
from policies.set_body import SetBody
from policies.set_header import SetHeader
from policies.set_method import SetMethod


class RequestMode(StrEnum):
    """What a request starts from."""

    NEW = "new"
    """Nothing."""
    COPY = "copy"
    """The current request; in `outbound` without its body."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnRequest(TypedPolicy):
    """What the policies that send a request of the gateway's own have in common.

    `authentication-token` and `authentication-token-store`, which the schema alone knows, are `RawElement`'s.
    """

    mode: RequestMode | str | None = None
    """What the request starts from, or an expression. Left out: `new`."""
    url: str | None = field(default=None, metadata={"content": True})
    """URL, or an expression. Left out, with `copy` only: that of the current request."""
    method: SetMethod | None = None
    """Method. Left out, with `copy` only: that of the current request."""
    headers: list[SetHeader] = field(default_factory=list)
    """Headers. Left out: none, or those of the current request."""
    body: SetBody | None = None
    """Body. Left out: none, or that of the current request."""
    certificate: AuthenticationCertificate | None = None
    """Client certificate that the gateway presents. Left out: none."""
    identity: AuthenticationManagedIdentity | None = None
    """Managed identity that presents its token in `Authorization`. Left out: none does."""
    proxy: Proxy | None = None
    """Proxy by way of which it is sent. Left out: none."""

    def __post_init__(self) -> None:
        """Check where the request goes, and that a token does not go there in the clear."""
        TypedPolicy.__post_init__(self)
        check_output_names(self)
        may_copy = self.mode is RequestMode.COPY or (self.mode is not None and is_expression(self.mode))
        if not may_copy and (self.url is None or self.method is None):
            raise PolicyError(f"{self.tag} is a new request without url or method; give both, or mode RequestMode.COPY")
        self._check_url()
        if self.identity is not None and self.identity.output_token_variable_name is not None:
            raise PolicyError(
                f"{self.tag} identity would keep its token in a variable; give it output_token_variable_name=None"
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
class SendRequest(OwnRequest):
    """Sends a request to a URL and keeps the response in a variable (send-request).

    Without `ignore_error`, a request that fails runs `on-error`.
    """

    tag: ClassVar[str] = "send-request"

    response_variable_name: str
    """Variable that receives the response, as an `IResponse`."""
    timeout: int | str | None = None
    """Seconds to wait for the response, at least 1, or an expression. Left out: 60."""
    timeout_ms: int | str | None = None
    """Milliseconds to wait, in place of `timeout`. Left out: `timeout` counts."""
    ignore_error: bool | None = None
    """Whether the variable becomes `null` where the request fails. Left out: `on-error` runs."""
    buffer_response: bool | None = None
    """Whether the whole response is read first (the schema alone knows this option). Left out: it is."""
    fail_on_error_status_code: bool | None = None
    """Whether a status code of 400 to 599 is a failure (the schema alone knows this option). Left out: it is not."""

    def __post_init__(self) -> None:
        """Check the request and how long to wait."""
        OwnRequest.__post_init__(self)
        if self.timeout is not None and self.timeout_ms is not None:
            raise PolicyError(
                f"{self.tag} timeout {self.timeout} with timeout_ms {self.timeout_ms} is not allowed; give one of them"
            )
        check_range(f"{self.tag} timeout", self.timeout, 1, INT_MAX, "seconds")
        check_range(f"{self.tag} timeout_ms", self.timeout_ms, 1, INT_MAX, "milliseconds")


@dataclass(frozen=True, kw_only=True, slots=True)
class SendOneWayRequest(OwnRequest):
    """Sends a request to a URL and does not wait for the response (send-one-way-request)."""

    tag: ClassVar[str] = "send-one-way-request"

    timeout: int | str | None = None
    """Seconds until the request is given up, at least 1, or an expression. Left out: 60."""

    def __post_init__(self) -> None:
        """Check the request and its time."""
        OwnRequest.__post_init__(self)
        check_range(f"{self.tag} timeout", self.timeout, 1, INT_MAX, "seconds")
