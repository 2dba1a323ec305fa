"""What a resource takes: names, what is required, and what texts may say, as the resource provider checks it."""

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any

from apim_emulator.azure.exceptions import CodedError, ValidationError


class Text:
    """What a text property may say."""

    def __init__(
        self, pattern: str = "", *, values: Collection[str] = (), error: type[CodedError] = ValidationError
    ) -> None:
        """Take a regular expression or the values that are allowed, and the refusal of anything else."""
        self._pattern = pattern
        self._values = values
        self._error = error

    def check(self, value: Any, target: str) -> None:
        """Refuse what is not allowed. Values that are not known yet pass."""
        if isinstance(value, list):
            for index, item in enumerate(value):
                self.check(item, f"{target}[{index}]")
        elif isinstance(value, bool | int | float | Mapping):
            raise ValidationError(f"{target} must be a text, not {type(value).__name__}", target)
        elif not isinstance(value, str):
            return
        elif self._values and value not in self._values:
            raise self._error(f"{target} {value!r} is not one of {', '.join(self._values)}", target)
        elif not re.search(self._pattern, value):
            raise self._error(f"{target} {value!r} does not match {self._pattern}", target)


class Shape:
    """Property names of an object, and the shapes of what is inside it."""

    def __init__(self, required: str = "", optional: str = "", **inside: "Shape | Text") -> None:
        """Take names separated by blanks; `inside` gives the shape of those whose values are checked too."""
        self.required = frozenset(required.split())
        self.names = self.required | frozenset(optional.split())
        self.inside: Mapping[str, Shape | Text] = inside

    @property
    def nested(self) -> Mapping[str, "Shape"]:
        """Shapes of the objects inside it."""
        return {name: inner for name, inner in self.inside.items() if isinstance(inner, Shape)}

    def check(self, value: Any, target: str = "") -> None:
        """Refuse missing and unknown properties and wrong texts. Values that are not known yet pass."""
        if isinstance(value, list):
            for index, item in enumerate(value):
                self.check(item, f"{target}[{index}]")
            return
        if not isinstance(value, Mapping):
            if isinstance(value, str | bool | int | float):
                raise ValidationError(f"{target} must be an object, not {type(value).__name__}", target)
            return
        dot = f"{target}." if target else ""
        for name in sorted(self.required):
            if value.get(name) is None:
                raise ValidationError(f"{dot}{name} is missing; it is required", dot + name)
        for name, inner in value.items():
            if name not in self.names:
                near = difflib.get_close_matches(name, self.names, 1)
                hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(sorted(self.names))}"
                raise ValidationError(f"{dot}{name} is not a property of this type{hint}", dot + name)
            if name in self.inside and inner is not None:
                self.inside[name].check(inner, dot + name)
