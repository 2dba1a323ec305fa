"""Policy documents as trees: hardened XML, named values put in, fragments inserted."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from xml.sax.saxutils import escape

from lxml import etree

from apim_emulator.gateway.failures import Problem, ProblemKind, RefusedError
from apim_emulator.gateway.loading import raw_xml
from apim_emulator.gateway.loading.mistakes import refuse

SECTIONS = ("inbound", "backend", "outbound", "on-error")
GLOBAL = "global"
"""Label of the document at the global scope."""
EMPTY = "<policies/>"
"""A document that leaves every section to its default."""

_BODY = "set-body"
"""The element whose children are no policies but XML."""
_MAX_NODES = 20_000
NAMED_VALUE = re.compile(r"\{\{([A-Za-z0-9._-]+)\}\}")
"""A named value in a text, by its display name."""
UNREAD = "@()"
"""Stands for a text that could not be read, where all mistakes are wanted: an expression of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Node:
    """An XML element of a policy document."""

    name: str
    attributes: Mapping[str, str]
    children: tuple["Node", ...]
    text: str
    document: str
    line: int
    substituted: bool = False
    """Whether a named value was put in: its text is then never shown."""
    column: int | None = None
    written: Mapping[str, str] = field(default_factory=dict, compare=False)
    """The attributes before named values were put in."""

    def refused(
        self,
        reason: str,
        attribute: str | None = None,
        *,
        kind: ProblemKind = "mistake",
        allowed: tuple[str, ...] = (),
    ) -> RefusedError:
        """Make the error that refuses this element."""
        problem = Problem(self.document, self.line, self.name, reason, attribute, self.column, kind, allowed)
        return RefusedError(problem)

    def refuse(self, reason: str, attribute: str | None = None, *, kind: ProblemKind = "mistake") -> None:
        """Refuse this element; where all mistakes are wanted, its reader goes on."""
        refuse(self.refused(reason, attribute, kind=kind))


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the documents of one service."""

    max_size: int
    """Largest document of the SKU, in bytes: 256 KiB, 16 KiB for Consumption (service limits)."""
    named_values: Mapping[str, str] | None
    """By display name; None leaves `{{name}}` as it is, for people to read."""

    def read(self, text: str, document: str, root: str = "policies", *, raw: bool = False) -> Node:
        """Parse a document, `raw` where its expressions are not escaped; raises `RefusedError`."""
        whole = Node(root, {}, (), "", document, 1)
        data = text.encode("utf-8", "surrogatepass")
        if len(data) > self.max_size:
            raise whole.refused(f"document of {len(data)} bytes is larger than {self.max_size} bytes")
        try:
            found = raw_xml.parse(text, raw=raw)
        except raw_xml.DocumentError as error:
            problem = Problem(document, error.line, root, error.reason, column=error.column)
            raise RefusedError(problem) from None
        positions = iter(found.positions)
        if found.root.tag != root:
            line, column = next(positions)
            raise replace(whole, line=line, column=column).refused(f"root element is not <{root}>")
        return self._node(found.root, document, positions)

    def substituted(self, text: str, node: Node, attribute: str | None = None) -> str:
        """Put named values into a text, raw and once; raises `RefusedError` for an unknown one."""
        values = self.named_values
        if values is None or "{{" not in text:
            return text
        missing = [name for name in dict.fromkeys(NAMED_VALUE.findall(text)) if name not in values]
        for name in missing:
            refuse(node.refused(f"named value {name} does not exist", attribute, kind="reference"))
        return UNREAD if missing else NAMED_VALUE.sub(lambda match: values[match[1]], text)

    def _node(self, element: etree._Element, document: str, positions: Iterator[tuple[int, int]]) -> Node:
        line, column = next(positions)
        bare = Node(str(element.tag), {}, (), "", document, line, column=column)
        attributes = {str(name): self.substituted(str(value), bare, str(name)) for name, value in element.items()}
        if element.tag == _BODY:
            own = _inner_xml(element)
            for _ in element.iterdescendants():
                next(positions)
            children: tuple[Node, ...] = ()
        else:
            own = "".join([element.text or "", *(child.tail or "" for child in element)])
            if len(element) and own.strip():
                bare.refuse("text between elements")
            children = tuple(self._node(child, document, positions) for child in element)
        text = self.substituted(own, bare)
        written = {str(name): str(value) for name, value in element.items()}
        changed = text != own or attributes != written
        return replace(
            bare, attributes=attributes, children=children, text=text, substituted=changed, written=written
        )  # fmt: skip


def _inner_xml(element: etree._Element) -> str:
    """Write what an element holds as .NET writes XML, with a blank in `<empty />` (inferred for bodies)."""
    if not len(element):
        return element.text or ""
    return escape(element.text or "") + "".join(
        etree.tostring(child, encoding="unicode").replace("/>", " />") for child in element
    )


def sections(root: Node, fragments: Mapping[str, Node]) -> dict[str, tuple[Node, ...]]:
    """Split a document into its sections with fragments inserted; raises `RefusedError`.

    A section that is absent is as in the default document of the scope (inferred): `<base/>`, and at the global scope
    nothing but `forward-request` in the backend.
    """
    found: dict[str, tuple[Node, ...]] = {}
    for child in root.children:
        if child.name not in SECTIONS or child.attributes or child.text.strip():
            child.refuse(f"not a plain section; sections are {', '.join(SECTIONS)}")
        if child.name in found:
            child.refuse("section appears twice")
        if child.name == "backend" and len(child.children) > 1:
            child.refuse("the backend section allows only one policy")
        bases = [node for node in child.children if node.name == "base"]
        if len(bases) > 1:
            child.refuse("base appears twice")
        nodes = tuple(node for node in child.children if node not in bases[1:] or node is bases[0])
        found[child.name] = (*found.get(child.name, ()), *_expanded(nodes, fragments))
    if root.attributes or root.text.strip():
        root.refuse("attributes or text on the root element")
    default = {name: (Node("base", {}, (), "", root.document, root.line),) for name in SECTIONS}
    if root.document == GLOBAL:
        default["backend"] = (Node("forward-request", {}, (), "", root.document, root.line),)
    return {name: found.get(name, default[name]) for name in SECTIONS}


def _expanded(nodes: tuple[Node, ...], fragments: Mapping[str, Node]) -> tuple[Node, ...]:
    """Insert fragments, which may include others."""
    budget = iter(range(_MAX_NODES))

    def expand(node: Node, trail: tuple[str, ...]) -> Iterator[Node]:
        if next(budget, None) is None:
            raise node.refused(f"more than {_MAX_NODES} elements once fragments are inserted")
        if node.name != "include-fragment":
            yield replace(node, children=tuple(inner for child in node.children for inner in expand(child, trail)))
            return None
        name = node.attributes.get("fragment-id", "")
        if set(node.attributes) - {"fragment-id", "id"} or node.children or node.text.strip():
            node.refuse("takes fragment-id and id only")
        if name not in fragments:
            kind: ProblemKind = "reference" if name else "mistake"
            return refuse(node.refused(f"fragment {name or '(none)'} does not exist", "fragment-id", kind=kind))
        if name in trail:
            return node.refuse(f"fragment {name} includes itself", "fragment-id")
        for child in fragments[name].children:
            if child.name == "base" or child.name in SECTIONS:
                child.refuse("has no place in a fragment")
                continue
            yield from expand(child, (*trail, name))
        return None

    return tuple(inner for node in nodes for inner in expand(node, ()))
