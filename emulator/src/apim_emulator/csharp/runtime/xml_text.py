"""XML text as `XElement.Parse` reads and `ToString` writes it."""

import re
from collections.abc import Sequence
from xml.parsers import expat

from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.runtime.json_text import NEW_LINE
from apim_emulator.csharp.runtime.meter import joined, made, passed, spend
from apim_emulator.csharp.runtime.xlinq import (
    XAttribute,
    XCData,
    XComment,
    XContainer,
    XDeclaration,
    XDocument,
    XElement,
    XName,
    XNamespace,
    XNode,
    XProcessingInstruction,
    XText,
)

_BLANKS = " \t\r\n"
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_Scope = dict[str, str]
"""Namespaces by their prefixes, the last that was declared at the end."""


class _Reader:
    """Builds a document; namespaces are resolved here, since their declarations are attributes among the others."""

    def __init__(self, *, keep_blanks: bool) -> None:
        self._parser = expat.ParserCreate("utf-8")
        self._data = b""
        self.document = XDocument()
        self._keep_blanks = keep_blanks
        self._container: XContainer = self.document
        self._scopes: list[_Scope] = [{"xml": XNamespace.XML.name, "": ""}]
        self._text: list[str] = []
        self._is_cdata = False
        self._preserving = [keep_blanks]

    def read(self, text: str) -> XDocument:
        """Read a document; raises `XmlException`."""
        parser = self._parser
        parser.ordered_attributes = True
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.CommentHandler = lambda data: self._put(XComment(data))
        parser.ProcessingInstructionHandler = lambda target, data: self._put(XProcessingInstruction(target, data))
        parser.StartCdataSectionHandler = self._start_cdata
        parser.EndCdataSectionHandler = self._end_cdata
        parser.StartDoctypeDeclHandler = _doctype
        parser.XmlDeclHandler = self._declare
        try:
            self._data = text.encode()
            parser.Parse(self._data, True)
        except (expat.ExpatError, UnicodeEncodeError):
            raise EvaluationError("XmlException") from None
        self._flush()
        return self.document

    def _declare(self, version: str, encoding: str | None, standalone: int) -> None:
        told = {1: "yes", 0: "no"}.get(standalone)
        self.document.declaration = XDeclaration(version, encoding, told)

    def _flush(self) -> None:
        text = "".join(self._text)
        self._text.clear()
        if text and (self._preserving[-1] or text.strip(_BLANKS)) and not isinstance(self._container, XDocument):
            self._put(XText(text))

    def _put(self, node: XNode) -> None:
        if self._text:
            self._flush()
        node.parent = self._container
        self._container.nodes.append(node)

    def _start_cdata(self) -> None:
        self._flush()

    def _end_cdata(self) -> None:
        text = "".join(self._text)
        self._text.clear()
        self._put(XCData(text))

    def _start(self, tag: str, attributes: Sequence[str]) -> None:
        self._flush()
        pairs = list(zip(attributes[::2], attributes[1::2], strict=True))
        declared = {name.partition(":")[2]: value for name, value in pairs if _declares(name)}
        scope = {**self._scopes[-1], **declared} if declared else self._scopes[-1]
        if declared:
            spend(len(scope))
        if any(prefix and not value for prefix, value in declared.items()):
            raise EvaluationError("XmlException")
        self._scopes.append(scope)
        element = XElement(self._name(tag, scope, ""))
        names: set[XName] = set()
        for name, value in pairs:
            found = _declaration_name(name) if _declares(name) else self._name(name, scope, None)
            if found in names:
                raise EvaluationError("XmlException")
            names.add(found)
            own = XAttribute(found, value)
            own.parent = element
            element.attributes.append(own)
        space = dict(pairs).get("xml:space")
        self._preserving.append(self._preserving[-1] if space is None else self._keep_blanks or space == "preserve")
        self._put(element)
        self._container = element

    def _end(self, _: str) -> None:
        self._flush()
        place = self._parser.CurrentByteIndex
        if not self._container.nodes and self._data[place - 2 : place] != b"/>":
            self._container.close()
        self._scopes.pop()
        self._preserving.pop()
        parent = self._container.parent
        self._container = self.document if parent is None else parent

    def _name(self, name: str, scope: _Scope, default: str | None) -> XName:
        """Resolve a name; an attribute without a prefix is in no namespace."""
        prefix, colon, local = name.partition(":")
        if not colon:
            return XName(name, XNamespace.NONE if default is None else XNamespace(scope[default]))
        if not prefix or not local or ":" in local or prefix not in scope:
            raise EvaluationError("XmlException")
        return XName(local, XNamespace(scope[prefix]))


def _declares(name: str) -> bool:
    return name == "xmlns" or name.startswith("xmlns:")


def _declaration_name(name: str) -> XName:
    prefix, colon, local = name.partition(":")
    return XName(local, XNamespace.XMLNS) if colon else XName(prefix, XNamespace.NONE)


def _doctype(*_: object) -> None:
    raise unsure("XML with a document type")


def read_document(text: str | None, *, keep_blanks: bool = False) -> XDocument:
    """`XDocument.Parse(text)`; raises `XmlException`, and gives up where there is a document type."""
    if text is None:
        raise EvaluationError("ArgumentNullException")
    made(len(text))
    passed(4 * len(text))
    return _Reader(keep_blanks=keep_blanks).read(text)


def read_element(text: str | None, *, keep_blanks: bool = False) -> XElement:
    """`XElement.Parse(text)`."""
    found = read_document(text, keep_blanks=keep_blanks).element
    if found is None:
        raise EvaluationError("XmlException")
    found.parent = None
    return found


# Writing

_Waiting = list[tuple[XNode | str, _Scope, _Scope, bool]]


class _Writer:
    """Writes nodes as an `XmlWriter` does without a declaration."""

    def __init__(self, *, indented: bool) -> None:
        self.parts: list[str] = []
        self._indented = indented
        self._mixed = False
        self._depth = 0

    def node(self, start: XNode, known: _Scope) -> None:
        """Write a node and what is in it, not by recursion; `known`: what is declared around it."""
        waiting: _Waiting = [(start, known, {}, False)]
        while waiting:
            node, outside, written, mixed = waiting.pop()
            spend()
            if isinstance(node, str):
                self._end(node, mixed=mixed)
            elif isinstance(node, XElement):
                self._start(node, outside, written, waiting)
            else:
                self._leaf(node)

    def _end(self, tag: str, *, mixed: bool) -> None:
        self._depth -= 1
        # A tag that begins with `<` follows its start at once.
        if not self._mixed and not tag.startswith("<"):
            self._break()
        self.parts.append(f"</{tag.removeprefix('<')}>")
        self._mixed = mixed

    def _start(self, element: XElement, outside: _Scope, written: _Scope, waiting: _Waiting) -> None:
        declared = {
            "" if one.name.namespace == XNamespace.NONE else one.name.local: one.value
            for one in element.attributes
            if one.is_declaration
        }
        spend(len(outside) + len(written) + len(element.attributes))
        known = {prefix: space for prefix, space in outside.items() if prefix not in declared} | declared
        needs = dict(written) | declared
        new: list[str] = []
        tag = _qualified(element.name, _element_prefix(element.name.namespace.name, known), needs, new, declared)
        attributes = "".join(_written(one, known, needs, new, declared) for one in element.attributes)
        # Declarations that the writer adds come last, and the newest of them first.
        more = "".join(f' {_declares_as(prefix)}="{_attribute(needs[prefix])}"' for prefix in reversed(new))
        if not self._mixed and self.parts:
            self._break()
        self.parts.append(f"<{tag}{attributes}{more}")
        if not element.nodes and not element.closed:
            self.parts.append(" />")
            return
        self.parts.append(">")
        waiting.append((tag if element.nodes else f"<{tag}", known, needs, self._mixed))
        self._depth += 1
        waiting.extend((node, known, needs, False) for node in reversed(element.nodes))

    def _leaf(self, node: XNode) -> None:
        if isinstance(node, XComment | XProcessingInstruction):
            if not self._mixed and self.parts:
                self._break()
            self.parts.append(_comment(node) if isinstance(node, XComment) else _instruction(node))
        elif isinstance(node, XText):
            self._mixed = True
            self.parts.append(_cdata(node.text) if isinstance(node, XCData) else _text(node.text))

    def _break(self) -> None:
        if self._indented:
            made(2 * self._depth)
            self.parts.append(NEW_LINE + "  " * self._depth)


def _element_prefix(space: str, known: _Scope) -> str:
    """Choose the prefix of an element, none where nothing is declared for its namespace."""
    return next((prefix for prefix in reversed(known) if known[prefix] == space), "") if space else ""


def _qualified(name: XName, prefix: str, needs: _Scope, new: list[str], declared: _Scope) -> str:
    """Write a name, and take note of a declaration that is missing."""
    space = name.namespace.name
    if needs.get(prefix, "") != space:
        if prefix in declared or prefix in new:
            # A writer refuses to give one prefix two namespaces at one element.
            raise EvaluationError("XmlException")
        needs[prefix] = space
        new.append(prefix)
    return f"{prefix}:{name.local}" if prefix else name.local


def _written(one: XAttribute, known: _Scope, needs: _Scope, new: list[str], declared: _Scope) -> str:
    name, space = one.name.local, one.name.namespace
    if one.is_declaration:
        name = name if space == XNamespace.NONE else _declares_as(name)
    elif space == XNamespace.XML:
        name = f"xml:{name}"
    elif space != XNamespace.NONE:
        prefix = next((prefix for prefix in reversed(known) if prefix and known[prefix] == space.name), None)
        if prefix is None:
            raise unsure("an attribute whose namespace has no prefix")
        name = _qualified(one.name, prefix, needs, new, declared)
    return f' {name}="{_attribute(one.value)}"'


def _declares_as(prefix: str) -> str:
    return f"xmlns:{prefix}" if prefix else "xmlns"


def _comment(node: XComment) -> str:
    if "--" in node.text or node.text.endswith("-"):
        raise unsure("a comment with two dashes")
    return f"<!--{_lines(node.text)}-->"


def _instruction(node: XProcessingInstruction) -> str:
    if "?>" in node.data:
        raise unsure("an instruction that holds its own end")
    return f"<?{node.target} {_lines(node.data)}?>" if node.data else f"<?{node.target}?>"


def _cdata(text: str) -> str:
    return f"<![CDATA[{_lines(_checked(text)).replace(']]>', ']]]]><![CDATA[>')}]]>"


def _text(text: str) -> str:
    return _lines(_escaped(text))


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", NEW_LINE)


def _attribute(text: str) -> str:
    found = _escaped(text).replace('"', "&quot;")
    return found.replace("\t", "&#x9;").replace("\n", "&#xA;").replace("\r", "&#xD;")


def _escaped(text: str) -> str:
    return _checked(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _checked(text: str) -> str:
    """Refuse characters that XML cannot hold."""
    passed(len(text))
    if _FORBIDDEN.search(text) is not None:
        raise EvaluationError("ArgumentException")
    return text


def _scope_of(node: XNode) -> _Scope:
    """Gather the namespaces that are declared around a node."""
    around: list[XElement] = []
    parent = node.parent
    while isinstance(parent, XElement):
        spend(1 + len(parent.attributes))
        around.append(parent)
        parent = parent.parent
    scope: _Scope = {}
    for element in reversed(around):
        for one in element.attributes:
            if one.is_declaration:
                prefix = "" if one.name.namespace == XNamespace.NONE else one.name.local
                scope.pop(prefix, None)
                scope[prefix] = one.value
    return scope


def write(node: XNode, *, indented: bool = True) -> str:
    """`ToString()`, or `ToString(SaveOptions.DisableFormatting)`."""
    writer = _Writer(indented=indented)
    if isinstance(node, XDocument):
        for one in node.nodes:
            writer.node(one, {})
    else:
        writer.node(node, _scope_of(node))
    return joined(writer.parts)


def write_attribute(attribute: XAttribute) -> str:
    """`XAttribute.ToString()`."""
    if attribute.name.namespace not in {XNamespace.NONE, XNamespace.XML, XNamespace.XMLNS}:
        raise unsure("the text of an attribute with a namespace")
    prefix = {XNamespace.XML: "xml:", XNamespace.XMLNS: "xmlns:"}.get(attribute.name.namespace, "")
    return f'{prefix}{attribute.name.local}="{_attribute(attribute.value)}"'
