"""`rewrite-uri`: turns the public path into the backend's."""

from dataclasses import dataclass
from typing import ClassVar

from policies.shared.checks import check_not_blank
from policies.shared.errors import PolicyError
from policies.shared.options import starts_expression, starts_named_value
from policies.shared.policy import INBOUND_ONLY, Section, TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class RewriteUri(TypedPolicy):
    """Replaces the path and query that the backend sees (rewrite-uri)."""

    tag: ClassVar[str] = "rewrite-uri"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY

    template: str
    """Path and query with the operation's `{parameters}`, or an expression as a whole."""
    copy_unmatched_params: bool | None = None
    """Whether query parameters that the operation's template does not name are kept. Defaults to true."""

    def __post_init__(self) -> None:
        """Check that the template is a path."""
        TypedPolicy.__post_init__(self)
        check_not_blank("rewrite-uri template", self.template)
        if not (starts_expression(self.template) or starts_named_value(self.template) or self.template.startswith("/")):
            raise PolicyError(f"rewrite-uri template {self.template!r} is not a path; begin it with /")
