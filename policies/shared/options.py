"""Base class of options: immutable values that are checked against their types and against XML 1.0 when created."""

import re
from collections.abc import Callable
from dataclasses import fields
from enum import Enum
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from policies.shared.errors import PolicyError

_ILLEGAL_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_EXPRESSION = re.compile(r"@\(.+\)|@\{.+\}", re.DOTALL)
_NAMED_VALUE = re.compile(r"\{\{[A-Za-z0-9._-]+\}\}")
_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "True or False"}


class Options:
    """Base class of option dataclasses, which refuses values of another type and text that a policy cannot contain."""

    __slots__ = ()

    def __post_init__(self) -> None:
        """Check every field; a subclass with rules across fields calls this first."""
        for field in fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            check = check_characters if field.metadata.get("markup") else _check_text
            _check_field(f"{label(self)} {field.name}", field.type, getattr(self, field.name), check)


def label(options: object) -> str:
    """Return how messages refer to `options`: by the policy's element name, or by the class name in words."""
    return getattr(options, "tag", None) or re.sub(r"(?<!^)(?=[A-Z])", " ", type(options).__name__).lower()


def starts_expression(text: str) -> bool:
    """Return whether the gateway reads `text` as a policy expression."""
    return text.lstrip().startswith(("@(", "@{"))


def is_expression(text: str | None) -> bool:
    """Return whether all of `text` is one policy expression."""
    return text is not None and _EXPRESSION.fullmatch(text) is not None


def starts_named_value(text: str) -> bool:
    """Return whether `text` begins with a reference to a named value."""
    return _NAMED_VALUE.match(text) is not None


def is_named_value(text: str) -> bool:
    """Return whether all of `text` is a reference to a named value."""
    return _NAMED_VALUE.fullmatch(text) is not None


def _check_field(what: str, annotation: Any, value: object, check: Callable[[str, str], None]) -> None:
    """Refuse a value that `annotation` does not allow; if it allows text and another scalar, text is an expression."""
    kinds = [kind for kind in _kinds(annotation) if kind is not NoneType]
    if value is None and NoneType in _kinds(annotation):
        return
    for kind in kinds:
        if get_origin(kind) is list and isinstance(value, list):
            for item in value:
                _check_field(what, get_args(kind)[0], item, check)
            return
        if get_origin(kind) is dict and isinstance(value, dict):
            for name, item in value.items():
                _check_field(f"{what} name", get_args(kind)[0], name, check)
                _check_field(what, get_args(kind)[1], item, check)
            return
    typed = [kind for kind in kinds if kind is not str]
    if any(_is_a(value, kind) for kind in typed):
        return
    if not (isinstance(value, str) and str in kinds):
        # A list may contain secrets, so the message has only its type.
        given = type(value).__name__ if get_origin(kinds[0]) else repr(value)
        raise PolicyError(f"{what} {given} is not allowed; use {_describe(kinds)}")
    if typed and not is_expression(value) and not is_named_value(value):
        raise PolicyError(f"{what} {value!r} is not allowed; use {_describe(typed)} or an expression such as @(...)")
    check(what, value)


def _kinds(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)


def _is_a(value: object, kind: Any) -> bool:
    if get_origin(kind):
        return False
    if kind is float:
        return type(value) in (int, float)
    return type(value) is kind if kind in (int, bool) else isinstance(value, kind)


def _describe(kinds: list[Any]) -> str:
    return " or ".join(_describe_one(kind) for kind in kinds)


def _describe_one(kind: Any) -> str:
    if get_origin(kind) is list:
        return f"a list of {_describe_one(get_args(kind)[0])}"
    if get_origin(kind) is dict:
        return f"a dict of {_describe(list(_kinds(get_args(kind)[1])))} by name"
    if issubclass(kind, Enum):
        return " or ".join(f"{kind.__name__}.{member.name}" for member in kind)
    return _NAMES.get(kind) or str(kind.__name__)


def check_characters(what: str, text: str) -> None:
    """Refuse characters that XML 1.0 does not allow: most control characters, lone surrogates, U+FFFE, U+FFFF."""
    if found := _ILLEGAL_IN_XML.search(text):
        code = f"U+{ord(found[0]):04X}"
        raise PolicyError(
            f"{what} contains the character {code} at {found.start()}, which XML does not allow; remove it"
        )


def _check_text(what: str, text: str) -> None:
    check_characters(what, text)
    if starts_expression(text) and not is_expression(text.strip()):
        raise PolicyError(f"{what} starts a policy expression that does not end; close its bracket at the end")
    if not starts_expression(text) and ("@(" in text or "@{" in text):
        raise PolicyError(f"{what} has a policy expression within other text; make all of it one expression")
