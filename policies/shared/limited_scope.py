"""What `rate-limit` and `quota` share: separate limits for APIs and operations."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from policies.shared.checks import check_literal
from policies.shared.errors import PolicyError
from policies.shared.options import Options, label
from policies.shared.policy import options_element


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitedScope(Options):
    """An API of the product, or an operation of such an API, with a limit in addition to that of the product."""

    id: str | None = None
    """Identifier, which takes precedence over `name`."""
    name: str | None = None
    """Display name."""

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
