"""Fields that may be left out."""

from typing import TYPE_CHECKING, Annotated, Optional, TypeVar

T = TypeVar("T")
if TYPE_CHECKING:
    Defaulted = Annotated[T, "may be left out"]
else:
    # The component host knows no defaults of dataclasses: it takes a field for optional only where None is allowed.
    Defaulted = Optional
