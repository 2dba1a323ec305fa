"""`set-status`: sets the response's status code."""

from dataclasses import dataclass
from typing import ClassVar

from policies.shared.checks import check_header_value, check_status_code
from policies.shared.policy import TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class SetStatus(TypedPolicy):
    """Sets the status code and the reason phrase of the response (set-status)."""

    tag: ClassVar[str] = "set-status"

    code: int | str
    """Status code, or an expression that yields one."""
    reason: str | None = None
    """Reason phrase. By default the gateway sends its own or none (inferred)."""

    def __post_init__(self) -> None:
        """Check that the code is an HTTP status code and that the reason is one line."""
        TypedPolicy.__post_init__(self)
        check_status_code("set-status code", self.code)
        check_header_value("set-status reason", self.reason)
