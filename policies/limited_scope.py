"""What `rate-limit` and `quota` have in common: limits of their own for APIs and operations."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from policies.checks import check_literal
from policies.errors import PolicyError
from policies.options import Options, label
from policies.policy import options_element


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitedScope(Options):
    """An API of the product, or an operation of such an API, with a limit beside that of the product."""

    id: str | None = None
    """Identifier, which goes before `name`. Left out: `name` says which."""
    name: str | None = None
    """Display name. Left out: `id` says which."""

    def __post_init__(self) -> None:
        """Check that there is an identifier or a name."""
        Options.__post_init__(self)
        if self.id is None and self.name is None:
            raise PolicyError(f"{label(self)} has neither id nor name; give one of them")
        check_literal(f"{label(self)} id", self.id)
        check_literal(f"{label(self)} name", self.name)


def api_element(api: LimitedScope, operations: Sequence[LimitedScope]) -> ET.Element:
    """Return the `api` element with its `operation` elements."""
    element = options_element("api", api)
    element.extend(options_element("operation", operation) for operation in operations)
    return element
