"""The XML element of a policy, read attribute by attribute; literals are checked and expressions compiled at once."""

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from apim_emulator.csharp import EvaluationError, ExpressionError, Type, compile_expression
from apim_emulator.gateway.context import Context
from apim_emulator.gateway.failures import ProblemKind, RefusedError
from apim_emulator.gateway.http.headers import is_header_name
from apim_emulator.gateway.loading import unsupported
from apim_emulator.gateway.loading.document import UNREAD, Node
from apim_emulator.gateway.loading.mistakes import reads_on, refuse

P = ParamSpec("P")
T = TypeVar("T")
Value = Callable[[Context], T]
"""An attribute or text: a literal or an expression, asked for once a call."""

_DOUBLE = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")


def _never(_: Context) -> Any:
    """Stand for a value that could not be read."""
    raise NotImplementedError("what is compiled for its mistakes is not run")


def _or(
    stand_in: Any,
) -> Callable[[Callable[Concatenate["Element", str, P], T]], Callable[Concatenate["Element", str, P], T]]:
    """Let the reader of an attribute give a stand-in after a mistake, where all mistakes are wanted."""

    def decorate(read: Callable[Concatenate["Element", str, P], T]) -> Callable[Concatenate["Element", str, P], T]:
        @wraps(read)
        def reads(element: "Element", attribute: str, /, *args: P.args, **options: P.kwargs) -> T:
            if not reads_on():
                return read(element, attribute, *args, **options)
            found: T = stand_in
            if element.node.attributes.get(attribute) != UNREAD:
                try:
                    return read(element, attribute, *args, **options)
                except RefusedError as refused:
                    refuse(refused)
            element.unread(attribute)
            return found

        return reads

    return decorate


class Element:
    """Reads a policy's attributes, text and children; what was not read is refused by `done`."""

    def __init__(self, node: Node) -> None:
        """Start with nothing read."""
        self.node = node
        self._attributes: set[str] = set()
        self._children: set[str] = set()
        self._text = False

    def refused(self, reason: str, attribute: str | None = None, *, kind: ProblemKind = "mistake") -> RefusedError:
        """Make the error that refuses this element."""
        return self.node.refused(reason, attribute, kind=kind)

    def refuse(self, reason: str, attribute: str | None = None, *, kind: ProblemKind = "mistake") -> None:
        """Refuse this element; where all mistakes are wanted, its reader goes on."""
        refuse(self.refused(reason, attribute, kind=kind))

    def needed(self, value: T | None, reason: str, attribute: str | None = None) -> T:
        """Return a value that has to be there; refuses this element where it is None."""
        if value is None:
            self.refuse(reason, attribute)
        return cast(T, value)

    def unread(self, attribute: str) -> None:
        """Take an attribute for an expression of which nothing is known."""
        self._attributes.add(attribute)
        self.node = replace(self.node, attributes={**self.node.attributes, attribute: UNREAD})

    def has(self, attribute: str) -> bool:
        """Tell whether an attribute is given."""
        return attribute in self.node.attributes

    def computed(self, attribute: str) -> bool:
        """Tell whether an attribute is an expression."""
        return _is_expression(self.node.attributes.get(attribute, ""), self.node, attribute)

    @_or(True)
    def is_int(self, attribute: str) -> bool:
        """Tell whether an attribute is an expression of type `int`, which C# would make a `long` where one is asked."""
        text = self.node.attributes.get(attribute, "")
        if not _is_expression(text, self.node, attribute):
            return False
        try:
            compile_expression(text.strip(), Type.INT)
        except ExpressionError:
            return False
        return True

    @_or(None)
    def literal(self, attribute: str, default: str | None = None) -> str | None:
        """Read an attribute that may not be an expression."""
        text = self._attribute(attribute)
        if text is not None and _is_expression(text, self.node, attribute):
            raise self.refused("an expression is not allowed here", attribute)
        return default if text is None else text

    @_or(_never)
    def text(self, attribute: str, default: str | None = None) -> Value[str]:
        """Read a string; one without a default is required."""
        text = self._attribute(attribute)
        if text is None and default is None:
            raise self.refused("attribute is missing", attribute)
        return text_value(self.node, text if text is not None else default or "", attribute)

    def optional_text(self, attribute: str) -> Value[str] | None:
        """Read a string that may be left out."""
        return self.text(attribute) if self.has(attribute) else None

    def header(self, attribute: str) -> Value[str] | None:
        """Read the name of a header, which may be left out or an expression."""
        name = self.node.attributes.get(attribute, "")
        if name and not name.strip().startswith("@") and name != UNREAD and not is_header_name(name):
            self.refuse("not a header name", attribute)
        return self.optional_text(attribute)

    @_or(_never)
    def any_value(self, attribute: str) -> Value[object]:
        """Read a required string or an expression of any type."""
        text = self._attribute(attribute)
        if text is None:
            raise self.refused("attribute is missing", attribute)
        return _compiled(self.node, text, Type.OBJECT, attribute) or (lambda _: text)

    @_or(_never)
    def boolean(self, attribute: str, default: bool | None = None) -> Value[bool]:
        """Read `true`, `false` or an expression."""
        text = self._attribute(attribute)
        if text is None and default is None:
            raise self.refused("attribute is missing", attribute)
        run = None if text is None else _compiled(self.node, text, Type.BOOL, attribute)
        if run is not None:
            return run
        value = bool(default) if text is None else _boolean(text)
        if value is None:
            raise self.refused(f"{_shown(self.node, text or '')} is not true or false", attribute)
        return lambda _: value

    @_or(False)
    def flag(self, attribute: str, default: bool) -> bool:
        """Read `true` or `false`, known when loading."""
        text = self.literal(attribute)
        found = default if text is None else _boolean(text)
        if found is None:
            raise self.refused(f"{_shown(self.node, text or '')} is not true or false", attribute)
        return found

    @_or(_never)
    def integer(
        self, attribute: str, low: int, high: int, default: int | None = None, *, result: Type = Type.INT
    ) -> Value[int]:
        """Read a whole number in a range, or an expression of type `result` that is checked when evaluated."""
        text = self._attribute(attribute)
        if text is None and default is None:
            raise self.refused("attribute is missing", attribute)
        run = None if text is None else _compiled(self.node, text, result, attribute)
        if run is not None:
            return _ranged(run, low, high)
        number = default if text is None else _whole(text)
        if number is None or not low <= number <= high:
            raise self.refused(f"{_shown(self.node, text or '')} is not a whole number, {low} to {high}", attribute)
        return lambda _: number

    @_or(_never)
    def double(self, attribute: str, default: float) -> Value[float]:
        """Read a finite number, or an expression that is one."""
        text = self._attribute(attribute)
        run = None if text is None else _compiled(self.node, text, Type.DOUBLE, attribute)
        if run is not None:
            return run
        number = default if text is None else float(text) if _DOUBLE.fullmatch(text.strip(_BLANKS)) else math.nan
        if not math.isfinite(number):
            raise self.refused(f"{_shown(self.node, text or '')} is not a number", attribute)
        return lambda _: number

    @_or(None)
    def whole(self, attribute: str, low: int, high: int) -> int | None:
        """Read a whole number in a range, known when loading; None where it is left out."""
        text = self.literal(attribute)
        number = None if text is None else _whole(text)
        if text is not None and (number is None or not low <= number <= high):
            raise self.refused(f"{_shown(self.node, text)} is not a whole number, {low} to {high}", attribute)
        return number

    @_or(1)
    def required_whole(self, attribute: str, low: int, high: int) -> int:
        """Read a whole number in a range, known when loading."""
        number = self.whole(attribute, low, high)
        if number is None:
            raise self.refused("attribute is missing", attribute)
        return number

    def choice(self, attribute: str, options: tuple[str, ...], default: str) -> str:
        """Read one of several words, known when loading."""
        return self._choice(attribute, options, default) or default

    @_or(None)
    def _choice(self, attribute: str, options: tuple[str, ...], default: str) -> str | None:
        text = self.literal(attribute, default)
        if text not in options:
            raise self.refused(f"{_shown(self.node, text or '')} is not one of {', '.join(options)}", attribute)
        return text

    @_or(_never)
    def word(self, attribute: str, options: tuple[str, ...], default: str | None = None) -> Value[str]:
        """Read one of several words, or an expression that is checked when it is evaluated."""
        value = self.text(attribute, default)
        text = self.node.attributes.get(attribute)
        if text is not None and not _is_expression(text, self.node, attribute) and text not in options:
            raise self.refused(f"{_shown(self.node, text)} is not one of {', '.join(options)}", attribute)

        def evaluate(context: Context) -> str:
            found = value(context)
            if found not in options:
                raise EvaluationError("ArgumentException")
            return found

        return evaluate

    @_or(None)
    def name(self, attribute: str) -> str | None:
        """Read a name that may be left out but not be empty, known when loading."""
        text = self.literal(attribute)
        if text == "":
            raise self.refused("must not be empty", attribute)
        return text

    @_or("unread")
    def required_name(self, attribute: str) -> str:
        """Read a name, known when loading."""
        text = self.name(attribute)
        if text is None:
            raise self.refused("attribute is missing", attribute)
        return text

    @_or(None)
    def only(self, attribute: str) -> None:
        """Accept an attribute some of whose values the emulator does not execute."""
        values, reason = unsupported.VALUES[self.node.name, attribute]
        text = self.literal(attribute)
        if text is not None and text not in values:
            raise self.refused(f"only {' or '.join(values)} is supported: {reason}", attribute, kind="unsupported")

    def children(self, name: str) -> list[Node]:
        """Read the child elements of a name."""
        self._children.add(name)
        _note(self.node.name, name)
        return [child for child in self.node.children if child.name == name]

    def child(self, name: str) -> Node | None:
        """Read a child element that appears at most once."""
        found = self.children(name)
        if len(found) > 1:
            found[1].refuse("appears twice")
        return found[0] if found else None

    def texts(self, child: str, *, strip: bool = False) -> list[Value[str]]:
        """Read the child elements of a name that hold text."""
        return [leaf(node, strip=strip) for node in self.children(child)]

    def policies(self) -> tuple[Node, ...]:
        """Read all children as policies; the caller compiles them."""
        self._children.update(child.name for child in self.node.children)
        return self.node.children

    def in_order(self, names: tuple[str, ...]) -> None:
        """Refuse children of these names in another order than this one, which is the schema's."""
        places = [names.index(child.name) for child in self.node.children if child.name in names]
        if places != sorted(places):
            self.refuse(f"children must come in the order {', '.join(names)}")

    def content(self) -> Value[str]:
        """Read the text of the element itself."""
        self._text = True
        if not reads_on():
            return text_value(self.node, self.node.text)
        if self.node.text != UNREAD:
            try:
                return text_value(self.node, self.node.text)
            except RefusedError as refused:
                refuse(refused)
        return _never

    def done(self) -> None:
        """Refuse attributes and elements that no handler read."""
        for attribute in self.node.attributes:
            if attribute not in self._attributes:
                self._unknown(self.node, "attribute is not supported", attribute, attribute, self._attributes)
        for child in self.node.children:
            if child.name not in self._children:
                self._unknown(child, f"element is not supported in {self.node.name}", child.name, None, self._children)
        if self.node.text.strip() and not self._text:
            self.refuse("text is not supported here")

    def _unknown(self, node: Node, reason: str, part: str, attribute: str | None, known: set[str]) -> None:
        """Refuse a part, and say why where it is one that API Management knows."""
        why = unsupported.PARTS.get((self.node.name, part))
        kind: ProblemKind = "unsupported" if why else "mistake"
        reason = f"{reason}: {why}" if why else reason
        refuse(node.refused(reason, attribute, kind=kind, allowed=tuple(sorted(known))))

    def _attribute(self, name: str) -> str | None:
        self._attributes.add(name)
        _note(self.node.name, name)
        return self.node.attributes.get(name)


_read: ContextVar[set[tuple[str, str]] | None] = ContextVar("read", default=None)


@contextmanager
def parts_read() -> Iterator[set[tuple[str, str]]]:
    """Collect what handlers read while documents are loaded: attributes and child elements, each after its owner."""
    found: set[tuple[str, str]] = set()
    token = _read.set(found)
    try:
        yield found
    finally:
        _read.reset(token)


def _note(owner: str, name: str) -> None:
    found = _read.get()
    if found is not None:
        found.add((owner, name))


def inner(node: Node, read: Callable[[Element], T]) -> T:
    """Read a policy that stands inside another one as a part of it."""
    element = Element(node)
    found = read(element)
    element.literal("id")
    element.done()
    return found


def leaf(node: Node, *, strip: bool = False) -> Value[str]:
    """Read an element that holds text and nothing else."""
    element = Element(node)
    value = element.content()
    element.done()
    return (lambda context: value(context).strip(" \t\r\n")) if strip else value


def text_value(node: Node, text: str, attribute: str | None = None) -> Value[str]:
    """Make a string value of a literal or an expression; an expression's null throws."""
    run = _compiled(node, text, Type.STRING, attribute)
    if run is None:
        return lambda _: text

    def evaluate(context: Context) -> str:
        value: str | None = run(context)
        if value is None:
            raise EvaluationError("ArgumentNullException")
        return value

    return evaluate


def _compiled(node: Node, text: str, result: Type, attribute: str | None) -> Callable[[Context], Any] | None:
    if not _is_expression(text, node, attribute):
        return None
    try:
        return compile_expression(text.strip(), result)
    except ExpressionError as error:
        # The reason may quote the expression, and the expression may hold a secret.
        place = f"line {error.line}, column {error.column} of the expression"
        reason = "not supported once its named values are in" if node.substituted else error.reason
        kind: ProblemKind = "unsupported" if error.unsupported else "mistake"
        raise node.refused(f"{place}: {reason}", attribute, kind=kind) from None


def _is_expression(text: str, node: Node, attribute: str | None) -> bool:
    if text.strip().startswith(("@(", "@{")):
        return True
    if "@(" in text or "@{" in text:
        raise node.refused("an expression must be the whole value", attribute)
    return False


def _shown(node: Node, text: str) -> str:
    return "the value" if node.substituted else repr(text)


_BLANKS = " \t\r\n"
"""What XML Schema leaves out around a boolean or a number."""


def _whole(text: str) -> int | None:
    digits = text.strip(_BLANKS)
    return int(digits) if re.fullmatch(r"[0-9]{1,19}", digits) else None


def _boolean(text: str) -> bool | None:
    """Read `xs:boolean`, which the service's schemas of policies have; `True` is none."""
    return {"true": True, "1": True, "false": False, "0": False}.get(text.strip(_BLANKS))


def _ranged(run: Value[int], low: int, high: int) -> Value[int]:
    def evaluate(context: Context) -> int:
        value = run(context)
        if not low <= value <= high:
            raise EvaluationError("ArgumentOutOfRangeException")
        return value

    return evaluate
