"""`rewrite-uri`: turns the public path into the backend's."""

from dataclasses import dataclass
from typing import ClassVar

from policies.checks import check_filled
from policies.policy import INBOUND_ONLY, Section, TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class RewriteUri(TypedPolicy):
    """Replaces the path and query that the backend sees (rewrite-uri)."""

    tag: ClassVar[str] = "rewrite-uri"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY

    template: str
    """Path and query with the operation's `{parameters}`, or an expression as a whole."""
    copy_unmatched_params: bool | None = None
    """Whether query parameters that the operation's template does not name are kept. Left out: they are."""

    def __post_init__(self) -> None:
        """Check that there is a template."""
        TypedPolicy.__post_init__(self)
        check_filled("rewrite-uri template", self.template)
