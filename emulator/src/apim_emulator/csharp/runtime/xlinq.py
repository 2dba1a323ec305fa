"""LINQ to XML (`System.Xml.Linq`): elements, attributes and texts that know their parent, and their names."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from apim_emulator.csharp.runtime import numbers
from apim_emulator.csharp.runtime.exceptions import EvaluationError, needed, unsure
from apim_emulator.csharp.runtime.jtokens import JToken
from apim_emulator.csharp.runtime.meter import joined, made, passed, spend
from apim_emulator.csharp.runtime.values import Array, Lazy, List, describe
from apim_emulator.csharp.types import Type

_NC_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")
_SIZE = 8
"""What a node counts for, in characters and in steps, besides its text."""


# Names


@dataclass(frozen=True, slots=True)
class XNamespace:
    """`XNamespace`."""

    name: str

    NONE: ClassVar["XNamespace"]
    XML: ClassVar["XNamespace"]
    XMLNS: ClassVar["XNamespace"]

    def __str__(self) -> str:
        return self.name


XNamespace.NONE = XNamespace("")
XNamespace.XML = XNamespace("http://www.w3.org/XML/1998/namespace")
XNamespace.XMLNS = XNamespace("http://www.w3.org/2000/xmlns/")


@dataclass(frozen=True, slots=True)
class XName:
    """`XName`: two that are equal are one object in .NET."""

    local: str
    namespace: XNamespace

    def __str__(self) -> str:
        return f"{{{self.namespace.name}}}{self.local}" if self.namespace.name else self.local


def namespace_of(text: str | None) -> XNamespace | None:
    """`(XNamespace)text`."""
    return None if text is None else XNamespace(text)


def name_of(text: str | None) -> XName | None:
    """`(XName)text`, of a local name or of `{namespace}local`."""
    if text is None:
        return None
    if not text:
        raise EvaluationError("ArgumentException")
    if text[0] != "{":
        return named(text, XNamespace.NONE)
    space, close, local = text[1:].rpartition("}")
    if not close or not space or not local:
        raise EvaluationError("ArgumentException")
    return named(local, XNamespace(space))


def named(local: str | None, namespace: XNamespace | None) -> XName:
    """`namespace + local`."""
    space = needed(namespace)
    if not local:
        raise EvaluationError("ArgumentNullException")
    passed(len(local))
    return XName(_verified(local), space)


def _verified(local: str) -> str:
    """Return what is a name without a colon; raises `XmlException` for anything else."""
    if not _NC_NAME.fullmatch(local):
        if not local.isascii():
            raise unsure("an XML name outside ASCII")
        raise EvaluationError("XmlException")
    return local


# Objects


class XObject:
    """`XObject`: what has a parent."""

    __slots__ = ("parent",)

    def __init__(self) -> None:
        self.parent: XContainer | None = None
        made(_SIZE)
        spend(_SIZE)

    def root(self) -> "XObject":
        """Find the outermost object around it."""
        found: XObject = self
        while found.parent is not None:
            spend()
            found = found.parent
        return found


class XAttribute(XObject):
    """`XAttribute`."""

    __slots__ = ("name", "value")

    def __init__(self, name: XName | None, value: object) -> None:
        """Make `new XAttribute(name, value)`."""
        super().__init__()
        self.name = needed(name)
        self.value = ""
        self.assign(value)

    def assign(self, value: object) -> None:
        """`SetValue(value)`."""
        self.value = content_text(needed(value))
        made(len(self.value))

    @property
    def is_declaration(self) -> bool:
        """`IsNamespaceDeclaration`."""
        return self.name.namespace == XNamespace.XMLNS or (
            self.name.local == "xmlns" and self.name.namespace == XNamespace.NONE
        )

    def clone(self) -> "XAttribute":
        """Make `new XAttribute(other)`."""
        return XAttribute(self.name, self.value)

    def remove(self) -> None:
        """`Remove()`."""
        parent = self.parent
        if not isinstance(parent, XElement):
            raise EvaluationError("InvalidOperationException")
        spend(len(parent.attributes))
        parent.attributes = [one for one in parent.attributes if one is not self]
        self.parent = None


class XNode(XObject):
    """`XNode`."""

    __slots__ = ()

    def clone(self) -> "XNode":
        """Copy it, with what it holds."""
        raise NotImplementedError

    def container(self) -> "XContainer":
        """Return the parent; raises `InvalidOperationException` where there is none."""
        if self.parent is None:
            raise EvaluationError("InvalidOperationException")
        return self.parent

    def remove(self) -> None:
        """`Remove()`."""
        self.container().drop(self)

    def place(self) -> int:
        """Tell which of its parent's nodes it is."""
        nodes = self.container().nodes
        spend(len(nodes))
        return next(place for place, node in enumerate(nodes) if node is self)

    def following(self) -> "Iterator[XNode]":
        """Yield the nodes after it with the same parent."""
        return iter(()) if self.parent is None else iter(self.parent.nodes[self.place() + 1 :])

    def preceding(self) -> "Iterator[XNode]":
        """Yield the nodes before it with the same parent, in document order."""
        return iter(()) if self.parent is None else iter(self.parent.nodes[: self.place()])


class XText(XNode):
    """`XText`."""

    __slots__ = ("_value",)

    def __init__(self, value: str | None) -> None:
        """Make `new XText(value)`."""
        super().__init__()
        self._value = ""
        self.value = value

    @property
    def value(self) -> str | None:
        """`Value`."""
        return self._value

    @value.setter
    def value(self, value: str | None) -> None:
        found = needed(value)
        made(len(found))
        self._value = found

    @property
    def text(self) -> str:
        """Its value, which is never null."""
        return self._value

    def clone(self) -> "XText":
        """Copy it."""
        return type(self)(self._value)


class XCData(XText):
    """`XCData`."""

    __slots__ = ()


class XComment(XText):
    """`XComment`, which C# does not take for a text."""

    __slots__ = ()


class XProcessingInstruction(XNode):
    """`XProcessingInstruction`."""

    __slots__ = ("data", "target")

    def __init__(self, target: str | None, data: str | None) -> None:
        """Make `new XProcessingInstruction(target, data)`."""
        super().__init__()
        if not target or data is None:
            raise EvaluationError("ArgumentNullException")
        for part in target.split(":"):
            _verified(part)
        if target.lower() == "xml":
            raise EvaluationError("ArgumentException")
        made(len(target) + len(data))
        self.target, self.data = target, data

    def clone(self) -> "XProcessingInstruction":
        """Copy it."""
        return XProcessingInstruction(self.target, self.data)


class XContainer(XNode):
    """`XContainer`."""

    __slots__ = ("nodes",)

    def __init__(self) -> None:
        super().__init__()
        self.nodes: list[XNode] = []

    def live(self) -> Iterator[XNode]:
        """Yield the nodes as they are then; one that is taken out meanwhile is the last."""
        place = 0
        while place < len(self.nodes):
            node = self.nodes[place]
            spend()
            yield node
            if node.parent is not self:
                return
            place = (place if place < len(self.nodes) and self.nodes[place] is node else node.place()) + 1

    def elements(self) -> "Iterator[XElement]":
        """Yield the elements in it."""
        return (node for node in self.live() if isinstance(node, XElement))

    def descendants(self) -> Iterator[XNode]:
        """Yield all nodes in it, in document order."""
        waiting = [self.live()]
        while waiting:
            node = next(waiting[-1], None)
            if node is None:
                waiting.pop()
                continue
            yield node
            if isinstance(node, XContainer):
                waiting.append(node.live())

    def add(self, content: object) -> None:
        """`Add(content)`: what a constructor takes too."""
        self.add_all(pieces(content))

    def add_all(self, found: Iterable[object]) -> None:
        """Add pieces of content."""
        for piece in found:
            self.take(piece, len(self.nodes))

    def take(self, piece: object, place: int) -> int:
        """Put a piece of content before a place; returns the place after it."""
        spend()
        if isinstance(piece, XAttribute):
            self.take_attribute(piece)
            return place
        if isinstance(piece, XDocument):
            raise EvaluationError("ArgumentException")
        if isinstance(piece, XNode):
            return self._insert(self._own(piece), place)
        return self._take_text(content_text(piece), place)

    def _take_text(self, text: str, place: int) -> int:
        before = self.nodes[place - 1] if place else None
        if not text:
            self.close()
            return place
        if type(before) is XText and place == len(self.nodes):
            before.value = before.text + text
            return place
        return self._insert(XText(text), place)

    def _own(self, node: XNode) -> XNode:
        return node.clone() if node.parent is not None or node is self.root() else node

    def _insert(self, node: XNode, place: int) -> int:
        self.check(node)
        self.open()
        passed(len(self.nodes) - place)
        self.nodes.insert(place, node)
        node.parent = self
        return place + 1

    def check(self, node: XNode) -> None:
        """Raise what .NET throws where a node may not be in it."""

    def open(self) -> None:
        """Take note of a first node."""

    def close(self) -> None:
        """Take note of an empty text, which shows in an element without nodes."""

    def take_attribute(self, attribute: XAttribute) -> None:
        """Raise what .NET throws for an attribute that has no place."""
        raise EvaluationError("ArgumentException")

    def drop(self, node: XNode) -> None:
        """Take a node out."""
        self.nodes.pop(node.place())
        node.parent = None

    def clear(self) -> None:
        """`RemoveNodes()`."""
        for node in self.nodes:
            spend()
            node.parent = None
        self.nodes = []


class XElement(XContainer):
    """`XElement`."""

    __slots__ = ("attributes", "closed", "name")

    def __init__(self, name: XName | None) -> None:
        """Make `new XElement(name)`."""
        super().__init__()
        self.name = needed(name)
        self.attributes: list[XAttribute] = []
        self.closed = False
        """Whether it was given an empty text: `<a></a>` in place of `<a />`."""

    def clone(self) -> "XElement":
        """Copy it, with what it holds; not by recursion, whatever its depth."""
        copy = XElement(self.name)
        waiting = [(self, copy)]
        while waiting:
            source, target = waiting.pop()
            target.closed = source.closed
            for attribute in source.attributes:
                target.take_attribute(attribute.clone())
            for node in source.nodes:
                one: XNode
                if isinstance(node, XElement):
                    one = XElement(node.name)
                    waiting.append((node, one))
                else:
                    one = node.clone()
                one.parent = target
                target.nodes.append(one)
        return copy

    def close(self) -> None:
        """Take note of an empty text, where nothing else is in it."""
        self.closed = not self.nodes

    def open(self) -> None:
        """Take note of a first node."""
        self.closed = False

    def clear(self) -> None:
        """`RemoveNodes()`."""
        super().clear()
        self.closed = False

    def take_attribute(self, attribute: XAttribute) -> None:
        """Add an attribute; raises `InvalidOperationException` for a name that is there."""
        own = attribute.clone() if attribute.parent is not None else attribute
        if self.attribute(own.name) is not None:
            raise EvaluationError("InvalidOperationException")
        own.parent = self
        self.attributes.append(own)

    def attribute(self, name: XName | None) -> XAttribute | None:
        """`Attribute(name)`."""
        spend(len(self.attributes))
        return next((one for one in self.attributes if one.name == name), None)

    @property
    def value(self) -> str:
        """`Value`: all texts in it."""
        return joined(node.text for node in self.descendants() if is_text(node) and isinstance(node, XText))

    def assign(self, value: str | None) -> None:
        """`Value = value`."""
        found = needed(value)
        self.clear()
        self.add(found)


class XDocument(XContainer):
    """`XDocument`."""

    __slots__ = ("declaration",)

    def __init__(self) -> None:
        """Make `new XDocument()`."""
        super().__init__()
        self.declaration: XDeclaration | None = None

    def clone(self) -> "XDocument":
        """Make `new XDocument(other)`."""
        copy = XDocument()
        copy.declaration = self.declaration
        for node in self.nodes:
            copy.add(node)
        return copy

    @property
    def element(self) -> XElement | None:
        """`Root`."""
        return next((node for node in self.nodes if isinstance(node, XElement)), None)

    def check(self, node: XNode) -> None:
        """Raise what .NET throws: a document has one element, and texts of blanks alone."""
        if isinstance(node, XElement) and self.element is not None:
            raise EvaluationError("InvalidOperationException")
        if is_text(node) and isinstance(node, XText) and (isinstance(node, XCData) or node.text.strip(" \t\r\n")):
            raise EvaluationError("ArgumentException")


@dataclass(slots=True)
class XDeclaration:
    """`XDeclaration`."""

    version: str | None
    encoding: str | None
    standalone: str | None

    def __str__(self) -> str:
        parts = {"version": self.version, "encoding": self.encoding, "standalone": self.standalone}
        told = "".join(f' {name}="{value}"' for name, value in parts.items() if value is not None)
        return f"<?xml{told}?>"


for _kind, _name in (
    (XNamespace, "XNamespace"), (XName, "XName"), (XAttribute, "XAttribute"), (XText, "XText"), (XCData, "XCData"),
    (XComment, "XComment"), (XProcessingInstruction, "XProcessingInstruction"), (XElement, "XElement"),
    (XDocument, "XDocument"), (XDeclaration, "XDeclaration"),
):  # fmt: skip
    describe(_kind, Type(_name))


def is_text(node: XObject) -> bool:
    """Tell whether it is an `XText`."""
    return isinstance(node, XText) and not isinstance(node, XComment)


def pieces(content: object) -> Iterator[object]:
    """Yield what content is made of: each item of lists and arrays in turn, and nothing for null."""
    waiting: list[Iterator[object]] = [iter((content,))]
    while waiting:
        try:
            piece = next(waiting[-1])
        except StopIteration:
            waiting.pop()
            continue
        spend()
        if isinstance(piece, Array | List | Lazy):
            waiting.append(iter(_items(piece)))
        elif isinstance(piece, XDeclaration | JToken):
            raise unsure("this content of XML")
        elif piece is not None:
            yield piece


def _items(piece: Iterable[Any]) -> Iterable[object]:
    return piece


def content_text(value: object) -> str:
    """Write simple content as .NET does, which is not what `ToString` writes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return numbers.double_round_trip(value, shorter=True)
    if isinstance(value, UUID | XName | XNamespace):
        return str(value)
    if isinstance(value, XObject):
        raise EvaluationError("ArgumentException")
    raise unsure(f"a {type(value).__name__} as content of XML")
