"""`emit-metric`: sends a custom metric to Application Insights."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.checks import check_literal
from policies.shared.dimension import Dimension, check_dimensions
from policies.shared.errors import PolicyError
from policies.shared.policy import TypedPolicy, options_element


@dataclass(frozen=True, kw_only=True, slots=True)
class EmitMetric(TypedPolicy):
    """Sends a custom metric to Application Insights; does not change the response (emit-metric)."""

    tag: ClassVar[str] = "emit-metric"

    name: str
    """Name of the metric, literal."""
    namespace: str | None = None
    """Namespace of the metric, literal. Defaults to `API Management`."""
    value: float | str | None = None
    """Value, or an expression that yields a `double`. Defaults to 1."""
    default_dimensions: bool | None = None
    """Whether the gateway adds its default dimensions (inferred; only the schema has this option). Defaults to
    false."""
    dimensions: list[Dimension]
    """Dimensions, 1 to 10, of which at most 5 custom."""

    def __post_init__(self) -> None:
        """Check names, value and dimensions."""
        TypedPolicy.__post_init__(self)
        check_literal(f"{self.tag} name", self.name)
        check_literal(f"{self.tag} namespace", self.namespace)
        if isinstance(self.value, int | float) and not abs(self.value) <= sys.float_info.max:  # NaN is in no order
            raise PolicyError(f"{self.tag} value {self.value} is not finite; use a number that a double holds")
        check_dimensions(self.tag, self.dimensions)

    def children(self) -> Iterable[ET.Element]:
        """Return the dimensions."""
        return [options_element("dimension", dimension) for dimension in self.dimensions]
