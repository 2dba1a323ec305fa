"""The annotation of fields that have a default."""

from typing import TYPE_CHECKING, Annotated, Optional, TypeVar

T = TypeVar("T")
if TYPE_CHECKING:
    Defaulted = Annotated[T, "has a default"]
else:
    # The component host ignores the defaults of dataclasses: to it, a field is optional only if None is allowed.
    Defaulted = Optional
