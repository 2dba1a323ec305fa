"""`cors`: lets browsers call an API from pages of other origins."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.checks import (
    UNSIGNED_MAX,
    check_header_name,
    check_literal,
    check_method,
    check_not_empty,
    check_range,
)
from policies.shared.errors import PolicyError
from policies.shared.options import is_named_value
from policies.shared.policy import INBOUND_ONLY, Section, TypedPolicy, list_element

_ANY = "*"
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Cors(TypedPolicy):
    """Answers preflight requests and marks responses for pages of other origins (cors).

    Allowed once, directly in `inbound`; put it first, since no other policy runs for a preflight request.
    """

    tag: ClassVar[str] = "cors"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY
    once: ClassVar[bool] = True

    allow_credentials: bool | str | None = None
    """Whether pages may send credentials such as cookies; not allowed with any origin. Defaults to false."""
    terminate_unmatched_request: bool | str | None = None
    """Whether a request from another origin gets an empty 200 at once; the reference gives both defaults. `False`:
    a simple request goes on without CORS headers. By default the gateway decides."""
    allowed_origins: list[str]
    """Origins, at least one: `*` alone for any, or each as scheme, host and port, or a named value of it."""
    allowed_methods: list[str] = field(default_factory=list)
    """Methods, or expressions; `*` for any. Defaults to GET and POST."""
    preflight_result_max_age: int | str | None = field(default=None, metadata={"content": True})
    """Seconds for which a browser may keep the answer to a preflight request; needs `allowed_methods`. Defaults to
    0."""
    allowed_headers: list[str] = field(default_factory=list)
    """Headers that pages may send; `*` for any. Defaults to those that need no preflight request (inferred)."""
    expose_headers: list[str] = field(default_factory=list)
    """Response headers that pages may read; `*` for any. Defaults to those that browsers always expose."""

    def __post_init__(self) -> None:
        """Check origins, methods and headers."""
        TypedPolicy.__post_init__(self)
        self._check_origins()
        check_range(f"{self.tag} preflight_result_max_age", self.preflight_result_max_age, 0, UNSIGNED_MAX, "seconds")
        if self.preflight_result_max_age is not None and not self.allowed_methods:
            raise PolicyError(f"{self.tag} has preflight_result_max_age without allowed_methods; give the methods")
        for method in self.allowed_methods:
            check_method(f"{self.tag} allowed_methods", method)
        for name in ("allowed_headers", "expose_headers"):
            for header in getattr(self, name):
                check_literal(f"{self.tag} {name}", header)
                check_header_name(f"{self.tag} {name}", header)

    def _check_origins(self) -> None:
        check_not_empty(f"{self.tag} allowed_origins []", self.allowed_origins, "origin")
        if _ANY in self.allowed_origins:
            if len(self.allowed_origins) > 1:
                raise PolicyError(f"{self.tag} allowed_origins has '*' beside others; give '*' alone, or origins")
            if self.allow_credentials not in (None, False):
                raise PolicyError(f"{self.tag} allow_credentials with any origin is not allowed; name the origins")
            return
        for origin in self.allowed_origins:
            if not _ORIGIN.fullmatch(origin) and not is_named_value(origin):
                raise PolicyError(
                    f"{self.tag} allowed_origins {origin!r} is not an origin; use one such as https://portal.example.com"
                )

    def children(self) -> Iterator[ET.Element]:
        """Yield origins, methods and headers."""
        yield from list_element("allowed-origins", "origin", self.allowed_origins)
        for element in list_element("allowed-methods", "method", self.allowed_methods):
            if self.preflight_result_max_age is not None:
                element.set("preflight-result-max-age", str(self.preflight_result_max_age))
            yield element
        yield from list_element("allowed-headers", "header", self.allowed_headers)
        yield from list_element("expose-headers", "header", self.expose_headers)
