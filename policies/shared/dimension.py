"""Dimensions of custom metrics."""

from collections.abc import Sequence
from dataclasses import dataclass

from policies.shared.checks import check_not_blank, check_not_empty
from policies.shared.errors import PolicyError
from policies.shared.options import Options

DEFAULT_DIMENSIONS = frozenset(
    {
        "API ID",
        "Backend ID",
        "Gateway ID",
        "Location",
        "Operation ID",
        "Product ID",
        "Subscription ID",
        "User ID",
    }
)
"""Dimensions for which the gateway has a value."""
_MOST = 10  # the schema's
_MOST_CUSTOM = 5  # the reference's


@dataclass(frozen=True, kw_only=True, slots=True)
class Dimension(Options):
    """A dimension by which a metric can be split; it should have few values."""

    name: str
    """Name, or an expression."""
    value: str | None = None
    """Value, or an expression. Required, except for one of `DEFAULT_DIMENSIONS`, for which the gateway has a value."""

    def __post_init__(self) -> None:
        """Check that the dimension has a value."""
        Options.__post_init__(self)
        check_not_blank("dimension name", self.name)
        if self.value is None and self.name not in DEFAULT_DIMENSIONS:
            raise PolicyError(
                f"dimension {self.name!r} has no value; give one, or use one of {', '.join(sorted(DEFAULT_DIMENSIONS))}"
            )


def check_dimensions(what: str, dimensions: Sequence[Dimension]) -> None:
    """Refuse an empty list of dimensions, and more than the gateway supports."""
    check_not_empty(f"{what} dimensions []", dimensions, "Dimension")
    custom = sum(dimension.name not in DEFAULT_DIMENSIONS for dimension in dimensions)
    if len(dimensions) > _MOST or custom > _MOST_CUSTOM:
        raise PolicyError(
            f"{what} has {len(dimensions)} dimensions, {custom} of them custom; "
            f"use at most {_MOST}, at most {_MOST_CUSTOM} of them custom"
        )
