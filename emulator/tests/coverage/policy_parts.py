"""The attributes and elements that the gateway reads of a policy, as it asks for them while it loads one."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any
from unittest.mock import patch

from lxml import etree

from apim_emulator.gateway import Problem
from apim_emulator.gateway.core import Core
from apim_emulator.gateway.loading import unsupported
from apim_emulator.gateway.loading.document import Node
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.plan import every_problem
from apim_emulator.gateway.policies import POLICIES
from apim_emulator.model import Gateway
from emulator.tests.gateway.policies.record import Example
from emulator.tests.gateway.policies.records import RECORDS

_EXPRESSION = "or expression"
_LITERAL = "text"
_LARGEST = 2**31 - 1
"""A bound from here on is that of the type, and says nothing."""


@dataclass(frozen=True, slots=True)
class Part:
    """An attribute or an element of a policy."""

    path: str
    """Elements below the policy's, and the attribute after `@`: `allowed-methods@preflight-result-max-age`. The empty
    one is the policy's own text."""
    takes: str


def policy_parts(name: str) -> list[Part]:
    """List what is read of a policy, by path.

    Its record's example is loaded with each attribute that the record has, then with each element and attribute that
    the policy asked for and that no load had yet, until it asks for nothing new.
    """
    record, reading = RECORDS[name], _Reading(name)
    reading.load(record.example)
    for attribute, given in record.attributes.items():
        values = {**given.needs, attribute: given.literal}
        reading.load(record.example.changed(name, partial(_set, "", values, without=given.instead_of)))
    tried: set[str] = set()
    while rest := sorted(reading.asked - reading.takes.keys() - tried):
        tried.update(rest)
        for path in rest:
            owner, _, attribute = path.partition("@")
            for first in (False, True):
                values = {attribute: "1"} if attribute else {}
                reading.load(record.example.changed(name, partial(_set, owner, values, first=first)))
    for path, takes in list(reading.takes.items()):
        if "@" not in path and _EXPRESSION in takes:
            literal, computed = (
                reading.load(record.example.changed(name, partial(_set, path, {}, text=text)))
                for text in ("a", '@("a" + "b")')
            )
            if len(computed) > len(literal):
                reading.takes[path] = _without_expression(takes)
    return [Part(path, reading.takes.get(path, "element")) for path in sorted(reading.asked | reading.takes.keys())]


def _set(
    owner: str,
    attributes: Mapping[str, str],
    element: Any,
    *,
    first: bool = False,
    without: str | None = None,
    text: str | None = None,
) -> None:
    """Put an element below a policy's where it is absent, and a text or attributes on it, in place of another one."""
    for name in filter(None, owner.split("/")):
        found = element.find(name)
        if found is None:
            found = etree.Element(name)
            element.insert(0 if first else len(element), found)
        element = found
    if without is not None:
        element.attrib.pop(without, None)
    if text is not None:
        element.text = text
    element.attrib.update(attributes)


class _Reading:
    """What a policy asks for while its documents are loaded."""

    def __init__(self, policy: str) -> None:
        self.asked: set[str] = set()
        """Paths that were asked for, whether or not they were there."""
        self.takes: dict[str, str] = {}
        """What is taken, of attributes and of elements that hold text."""
        self._policy = policy
        self._paths: dict[int, str] = {}
        self._elements: list[Element] = []
        self._depth = 0

    def load(self, example: Example) -> list[Problem]:
        """Look at how an example is loaded, up to its last mistake; returns the mistakes."""
        gateways: list[Gateway] = []
        with patch.object(Core, "load", lambda _core, gateway: gateways.append(gateway)):
            example.load()
        self._paths.clear()
        self._elements.clear()
        with self._watched():
            return every_problem(gateways[-1])

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Watch every element's readers."""
        made = Element.__init__

        def make(element: Element, node: Node) -> None:
            made(element, node)
            self._meet(element)

        patches = [patch.object(Element, "__init__", make)]
        for reader, describe in _READERS.items():
            patches.append(patch.object(Element, reader, self._reader(getattr(Element, reader), describe)))
        for one in patches:
            one.start()
        try:
            yield
        finally:
            for one in patches:
                one.stop()

    def _meet(self, element: Element) -> None:
        """Note where an element stands in the policy; one of another policy is none of its parts."""
        self._elements.append(element)  # an id is another's once its owner is gone
        if element.node.name == self._policy and element.node.attributes.get("id") == "me":
            self._walk(element.node, "")
        path = self._paths.get(id(element.node))
        if path is not None:
            self._paths[id(element)] = path

    def _walk(self, node: Node, path: str) -> None:
        self._paths[id(node)] = path
        for child in node.children:
            below = f"{path}/{child.name}" if path else child.name
            if child.name not in POLICIES:
                self._walk(child, below)

    def _reader(self, read: Callable[..., Any], describe: Callable[..., str | None]) -> Callable[..., Any]:
        signature = inspect.signature(read)

        @wraps(read)
        def reads(element: Element, *args: Any, **options: Any) -> Any:
            path = self._paths.get(id(element))
            self._depth += 1
            try:
                if path is not None and self._depth == 1:
                    given = signature.bind(element, *args, **options)
                    given.apply_defaults()
                    self._note(path, read.__name__, given.arguments, describe)
                return read(element, *args, **options)
            finally:
                self._depth -= 1

        return reads

    def _note(self, path: str, reader: str, given: Mapping[str, Any], describe: Callable[..., str | None]) -> None:
        if reader in {"children", "child", "texts"}:
            name = given.get("name", given.get("child"))
            part = f"{path}/{name}" if path else str(name)
            if name in POLICIES:
                self.takes[part] = "as the policy of that name"
        elif reader == "content":
            part = path
        else:
            part = f"{path}@{given['attribute']}"
        self.asked.add(part)
        takes = describe(given)
        if takes is None:
            return
        if self.takes.get(part) == _LITERAL and takes != _LITERAL:
            # Read as a literal first, which refuses an expression, and then as what it is.
            self.takes[part] = _without_expression(takes)
        self.takes.setdefault(part, takes)


def _without_expression(takes: str) -> str:
    return takes.replace(f", {_EXPRESSION}", "").replace(f" {_EXPRESSION}", "")


def _numbers(given: Mapping[str, Any]) -> str:
    low, high = given["low"], given["high"]
    return f"whole number from {low}" if high >= _LARGEST else f"whole number, {low} to {high}"


def _words(given: Mapping[str, Any]) -> str:
    return ", ".join(f"`{one}`" for one in given["options"])


def _with_default(text: str, given: Mapping[str, Any]) -> str:
    default = given.get("default")
    if default is None or default == "":
        return text
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    return f"{text}; defaults to `{shown}`"


def _only(given: Mapping[str, Any]) -> str:
    values, _ = unsupported.VALUES[given["self"].node.name, given["attribute"]]
    return " or ".join(f"`{one}`" for one in values)


_READERS: Mapping[str, Callable[[Mapping[str, Any]], str | None]] = {
    "has": lambda _: None,
    "computed": lambda _: None,
    "is_int": lambda _: None,
    "children": lambda _: None,
    "child": lambda _: None,
    "texts": lambda _: f"text {_EXPRESSION}",
    "content": lambda _: f"text {_EXPRESSION}",
    "literal": lambda given: _with_default(_LITERAL, given),
    "name": lambda _: _LITERAL,
    "required_name": lambda _: _LITERAL,
    "text": lambda given: _with_default(f"text {_EXPRESSION}", given),
    "optional_text": lambda _: f"text {_EXPRESSION}",
    "any_value": lambda _: f"text, {_EXPRESSION} of any type",
    "flag": lambda given: _with_default("`true` or `false`", given),
    "boolean": lambda given: _with_default(f"`true`, `false` {_EXPRESSION}", given),
    "whole": _numbers,
    "required_whole": _numbers,
    "integer": lambda given: _with_default(f"{_numbers(given)}, {_EXPRESSION}", given),
    "double": lambda given: _with_default(f"number {_EXPRESSION}", given),
    "choice": lambda given: _with_default(_words(given), given),
    "word": lambda given: _with_default(f"{_words(given)} {_EXPRESSION}", given),
    "only": _only,
}
"""What the readers of an element take, in words."""
