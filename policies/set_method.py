"""`set-method`: replaces the method of the request."""

from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.checks import check_method
from policies.shared.errors import PolicyError
from policies.shared.policy import TypedPolicy, options_element


@dataclass(frozen=True, kw_only=True, slots=True)
class SetMethod(TypedPolicy):
    """Sets the HTTP method of the request (set-method)."""

    tag: ClassVar[str] = "set-method"

    value: str = field(metadata={"content": True})
    """Method, or an expression as a whole."""

    def __post_init__(self) -> None:
        """Check that the value can be a method."""
        TypedPolicy.__post_init__(self)
        check_method(self.tag, self.value)
        if self.value.upper() == "CONNECT":
            raise PolicyError(f"{self.tag} {self.value!r} is not allowed; it would open a tunnel to the backend")

    def element(self) -> ET.Element:
        """Return the policy as XML, the method as its text."""
        element = options_element(self.tag, self)
        element.text = self.value
        return element
