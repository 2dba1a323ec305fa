"""`forward-request`: sends the request to the backend."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from policies.shared.checks import INT_MAX, check_range
from policies.shared.errors import PolicyError
from policies.shared.policy import Section, TypedPolicy


class HttpVersion(StrEnum):
    """HTTP version that the gateway uses with the backend."""

    HTTP_1 = "1"
    HTTP_2_OR_1 = "2or1"
    """Whichever the backend supports."""
    HTTP_2 = "2"


@dataclass(frozen=True, kw_only=True, slots=True)
class ForwardRequest(TypedPolicy):
    """Sends the request to the backend and waits for its response (forward-request).

    By default redirects go to the caller; with `follow_redirects` the backend can send the gateway's credential
    elsewhere.
    """

    tag: ClassVar[str] = "forward-request"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.BACKEND})

    timeout: int | str | None = None
    """Seconds to wait for the response's headers, at least 1. Defaults to 300."""
    timeout_ms: int | str | None = None
    """Milliseconds to wait, at least 1, instead of `timeout`."""
    continue_timeout: int | str | None = None
    """Seconds to wait for `100 Continue` before the body is sent, at least 1. By default the body is sent at once."""
    http_version: HttpVersion | None = None
    """HTTP version to the backend. Defaults to 1."""
    follow_redirects: bool | str | None = None
    """Whether the gateway follows redirects, or an expression. Defaults to false: redirects go to the caller."""
    buffer_request_body: bool | None = None
    """Whether the request is buffered so that a retry can send it again. Defaults to false."""
    buffer_response: bool | None = None
    """Whether the response is passed on in chunks of 8 KB; `False` for event streams. Defaults to true."""
    fail_on_error_status_code: bool | None = None
    """Whether a status code of 400 to 599 runs `on-error`. Defaults to false: it runs `outbound`."""

    def __post_init__(self) -> None:
        """Check that there is one timeout and that numbers fit the schema."""
        TypedPolicy.__post_init__(self)
        if self.timeout is not None and self.timeout_ms is not None:
            raise PolicyError(
                f"forward-request timeout {self.timeout} with timeout_ms {self.timeout_ms} is not allowed; "
                "give one of them"
            )
        for name in ("timeout", "timeout_ms", "continue_timeout"):
            # The reference allows 0, and does not say whether that means no wait or an infinite one.
            check_range(f"forward-request {name}", getattr(self, name), 1, INT_MAX)
