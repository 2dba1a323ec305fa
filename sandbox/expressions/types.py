"""The static types of expressions: what decides in C# which `==` or `+` is meant."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Frame = list[Any]
"""Storage of one evaluation: the context at 0, then the locals."""
Run = Callable[[Frame], Any]


class Type(StrEnum):
    """A C# type, by its name."""

    STRING = "string"
    INT = "int"
    BOOL = "bool"
    OBJECT = "object"
    NULL = "<null>"
    CHAR = "char"
    GUID = "Guid"
    STRINGS = "string[]"
    SEQUENCE = "IEnumerable<string>"
    COMPARISON = "StringComparison"
    JWT = "Jwt"
    CLAIMS = "IReadOnlyDictionary<string, string[]> of claims"
    CONTEXT = "context"
    API = "IApi"
    OPERATION = "IOperation"
    PRODUCT = "IProduct"
    SUBSCRIPTION = "ISubscription"
    DEPLOYMENT = "IDeployment"
    REQUEST = "IRequest"
    RESPONSE = "IResponse"
    LAST_ERROR = "ILastError"
    URL = "IUrl"
    QUERY = "IReadOnlyDictionary<string, string[]> of query parameters"
    HEADERS = "IReadOnlyDictionary<string, string[]> of headers"
    PARAMETERS = "IReadOnlyDictionary<string, string>"
    VARIABLES = "IReadOnlyDictionary<string, object>"

    @property
    def is_reference(self) -> bool:
        """Whether a value may be null."""
        return self not in {Type.INT, Type.BOOL, Type.CHAR, Type.GUID, Type.COMPARISON}

    def converts_to(self, target: "Type") -> bool:
        """Whether C# converts implicitly, among the types known here."""
        return self is target or (target is Type.OBJECT) or (self is Type.NULL and target.is_reference)


NAMED = {name.value: name for name in (Type.STRING, Type.INT, Type.BOOL, Type.OBJECT, Type.JWT)}
"""Types that an expression may name in a cast, a declaration or a type argument."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A compiled expression: its static type, how to evaluate it, and its value where C# knows it at compile time."""

    type: Type
    run: Run
    constant: int | None = None
