"""Which properties a resource takes: their names and which are required, as the resource provider checks them."""

import difflib
from collections.abc import Mapping
from typing import Any

from sandbox.cloud.errors import invalid


class Shape:
    """Property names of an object, and the shapes of the objects inside it."""

    def __init__(self, required: str = "", optional: str = "", **nested: "Shape") -> None:
        """Take names separated by blanks; `nested` gives the shape of those whose inside is checked too."""
        self.required = frozenset(required.split())
        self.names = self.required | frozenset(optional.split())
        self.nested: Mapping[str, Shape] = nested

    def check(self, value: Any, target: str = "") -> None:
        """Refuse missing and unknown properties. Values that are not known yet pass."""
        if isinstance(value, list):
            for index, item in enumerate(value):
                self.check(item, f"{target}[{index}]")
            return
        if not isinstance(value, Mapping):
            if isinstance(value, str | bool | int | float):
                raise invalid(f"{target} must be an object, not {type(value).__name__}", target)
            return
        dot = f"{target}." if target else ""
        for name in sorted(self.required):
            if value.get(name) is None:
                raise invalid(f"{dot}{name} is missing; it is required", dot + name)
        for name, inner in value.items():
            if name not in self.names:
                near = difflib.get_close_matches(name, self.names, 1)
                hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(sorted(self.names))}"
                raise invalid(f"{dot}{name} is not a property of this type{hint}", dot + name)
            if name in self.nested and inner is not None:
                self.nested[name].check(inner, dot + name)
