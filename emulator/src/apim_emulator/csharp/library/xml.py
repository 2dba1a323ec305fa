"""`System.Xml.Linq`: XML as a tree."""

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from apim_emulator.csharp.library.collections import lazy
from apim_emulator.csharp.library.table import CONSTANTS, define, define_extensions
from apim_emulator.csharp.runtime import xml_text
from apim_emulator.csharp.runtime.exceptions import EvaluationError, needed, unsure
from apim_emulator.csharp.runtime.meter import spend
from apim_emulator.csharp.runtime.values import Lazy, LoadOptions, SaveOptions, XmlNodeType
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
    XObject,
    XProcessingInstruction,
    XText,
    content_text,
    name_of,
    named,
    namespace_of,
    pieces,
)
from apim_emulator.csharp.types import Type

# Names

define(
    "XNamespace",
    properties_={"NamespaceName: string": lambda space: space.name},
    methods={
        "Equals(object): bool": operator.eq,
        "GetName(string): XName": lambda space, local: named(local, space),
        "ToString(): string": str,
    },
    statics={"Get(string): XNamespace": lambda text: needed(namespace_of(text))},
)
CONSTANTS["XNamespace.None"] = (Type("XNamespace"), XNamespace.NONE)
CONSTANTS["XNamespace.Xml"] = (Type("XNamespace"), XNamespace.XML)
CONSTANTS["XNamespace.Xmlns"] = (Type("XNamespace"), XNamespace.XMLNS)
define(
    "XName",
    properties_={
        "LocalName: string": lambda name: name.local,
        "Namespace: XNamespace": lambda name: name.namespace,
        "NamespaceName: string": lambda name: name.namespace.name,
    },
    methods={"Equals(object): bool": operator.eq, "ToString(): string": str},
    statics={
        "Get(string): XName": lambda text: needed(name_of(text)),
        "Get(string, string): XName": lambda local, space: named(local, namespace_of(space)),
    },
)


# What all have


def _saved(options: SaveOptions) -> bool:
    """Whether options let a text be indented."""
    if options not in {SaveOptions["None"], SaveOptions.DisableFormatting}:
        raise unsure("these SaveOptions")
    return options == SaveOptions["None"]


def _keeps_blanks(options: LoadOptions) -> bool:
    if options not in {LoadOptions["None"], LoadOptions.PreserveWhitespace}:
        raise unsure("these LoadOptions")
    return options == LoadOptions.PreserveWhitespace


def _with_options(read: Callable[..., Any]) -> Callable[[str | None, LoadOptions], Any]:
    return lambda text, options: read(text, keep_blanks=_keeps_blanks(options))


def _parent(value: XObject) -> XElement | None:
    return value.parent if isinstance(value.parent, XElement) else None


def _document(value: XObject) -> XDocument | None:
    root = value.root()
    return root if isinstance(root, XDocument) else None


def _kind(value: XObject) -> XmlNodeType:
    for kind, name in _KINDS:
        if isinstance(value, kind):
            return XmlNodeType[name]
    raise unsure("the kind of this node")


_KINDS: tuple[tuple[type[XObject], str], ...] = (
    (XElement, "Element"), (XAttribute, "Attribute"), (XCData, "CDATA"), (XComment, "Comment"), (XText, "Text"),
    (XProcessingInstruction, "ProcessingInstruction"), (XDocument, "Document"),
)  # fmt: skip


def _around(start: XObject | None) -> Iterator[XElement]:
    while isinstance(start, XElement):
        spend()
        yield start
        start = start.parent


def _before(node: XNode, content: object) -> None:
    _put(node, content, 0)


def _after(node: XNode, content: object) -> None:
    _put(node, content, 1)


def _put(node: XNode, content: object, offset: int) -> None:
    parent = node.container()
    place = node.place() + offset
    for piece in pieces(content):
        if isinstance(piece, XAttribute):
            raise EvaluationError("ArgumentException")
        place = parent.take(piece, place)


def _replace(node: XNode, content: object) -> None:
    _put(node, content, 0)
    node.remove()


def _next(node: XNode) -> XNode | None:
    return next(node.following(), None)


def _previous(node: XNode) -> XNode | None:
    return None if node.parent is None else next(iter(list(node.preceding())[-1:]), None)


def _only_elements(nodes: Iterable[XNode], name: XName | None = None) -> Iterator[XElement]:
    for node in nodes:
        spend()
        if isinstance(node, XElement) and (name is None or node.name == name):
            yield node


def _by_name(nodes: Callable[[Any], Iterable[XNode]]) -> Callable[[Any, XName | None], Lazy]:
    """Keep the elements with a name; none have the name null."""

    def call(value: Any, name: XName | None) -> Lazy:
        return lazy(lambda: iter(()) if name is None else _only_elements(nodes(value), name))

    return call


def _any_name(nodes: Callable[[Any], Iterable[XNode]]) -> Callable[[Any], Lazy]:
    return lambda value: lazy(lambda: _only_elements(nodes(value)))


def _with_itself(element: XElement) -> Iterator[XNode]:
    yield element
    yield from element.descendants()


define(
    "XObject",
    properties_={
        "Document: XDocument": _document,
        "NodeType: XmlNodeType": _kind,
        "Parent: XElement": _parent,
    },
    methods={"Equals(object): bool": operator.is_},
)
define(
    "XNode",
    properties_={"NextNode: XNode": _next, "PreviousNode: XNode": _previous},
    methods={
        "AddAfterSelf(object): void": _after,
        "AddAfterSelf(params object[]): void": _after,
        "AddBeforeSelf(object): void": _before,
        "AddBeforeSelf(params object[]): void": _before,
        "Ancestors(): IEnumerable<XElement>": _any_name(lambda node: _around(node.parent)),
        "Ancestors(XName): IEnumerable<XElement>": _by_name(lambda node: _around(node.parent)),
        "ElementsAfterSelf(): IEnumerable<XElement>": _any_name(XNode.following),
        "ElementsAfterSelf(XName): IEnumerable<XElement>": _by_name(XNode.following),
        "ElementsBeforeSelf(): IEnumerable<XElement>": _any_name(XNode.preceding),
        "ElementsBeforeSelf(XName): IEnumerable<XElement>": _by_name(XNode.preceding),
        "NodesAfterSelf(): IEnumerable<XNode>": lambda node: lazy(node.following),
        "NodesBeforeSelf(): IEnumerable<XNode>": lambda node: lazy(node.preceding),
        "Remove(): void": XNode.remove,
        "ReplaceWith(object): void": _replace,
        "ReplaceWith(params object[]): void": _replace,
        "ToString(): string": xml_text.write,
        "ToString(SaveOptions): string": lambda node, options: xml_text.write(node, indented=_saved(options)),
    },
)


# Containers


def _first(container: XContainer, name: XName | None) -> XElement | None:
    return None if name is None else next(_only_elements(container.nodes, name), None)


def _add_first(container: XContainer, content: object) -> None:
    place = 0
    for piece in pieces(content):
        place = container.take(piece, place)


def _replace_nodes(container: XContainer, content: object) -> None:
    found = list(pieces(content))
    container.clear()
    container.add_all(found)


define(
    "XContainer",
    properties_={
        "FirstNode: XNode": lambda container: container.nodes[0] if container.nodes else None,
        "LastNode: XNode": lambda container: container.nodes[-1] if container.nodes else None,
    },
    methods={
        "Add(object): void": XContainer.add,
        "Add(params object[]): void": XContainer.add,
        "AddFirst(object): void": _add_first,
        "AddFirst(params object[]): void": _add_first,
        "DescendantNodes(): IEnumerable<XNode>": lambda container: lazy(container.descendants),
        "Descendants(): IEnumerable<XElement>": _any_name(XContainer.descendants),
        "Descendants(XName): IEnumerable<XElement>": _by_name(XContainer.descendants),
        "Element(XName): XElement": _first,
        "Elements(): IEnumerable<XElement>": _any_name(XContainer.live),
        "Elements(XName): IEnumerable<XElement>": _by_name(XContainer.live),
        "Nodes(): IEnumerable<XNode>": lambda container: lazy(container.live),
        "RemoveNodes(): void": XContainer.clear,
        "ReplaceNodes(object): void": _replace_nodes,
        "ReplaceNodes(params object[]): void": _replace_nodes,
    },
)


# Elements


def _new_element(name: XName | None, content: object = None) -> XElement:
    element = XElement(name)
    element.add(content)
    return element


def _copied(other: Any) -> Any:
    return needed(other).clone()


def _rename(element: XElement, name: XName | None) -> None:
    element.name = needed(name)


def _attributes(element: XElement, name: XName | None) -> Lazy:
    return lazy(lambda: iter(() if name is None else [one for one in element.attributes if one.name == name]))


def _set_attribute(element: XElement, name: XName | None, value: object) -> None:
    found = element.attribute(name)
    if value is None:
        if found is not None:
            found.remove()
    elif found is not None:
        found.assign(value)
    else:
        element.take_attribute(XAttribute(name, value))


def _set_element(element: XElement, name: XName | None, value: object) -> None:
    found = _first(element, name)
    if value is None:
        if found is not None:
            found.remove()
    elif found is not None:
        found.assign(content_text(value))
    else:
        element.add(_new_element(name, content_text(value)))


def _remove_attributes(element: XElement) -> None:
    for one in element.attributes:
        spend()
        one.parent = None
    element.attributes = []


def _remove_all(element: XElement) -> None:
    _remove_attributes(element)
    element.clear()


def _replace_all(element: XElement, content: object) -> None:
    found = list(pieces(content))
    _remove_all(element)
    element.add_all(found)


def _declared(element: XElement, wanted: Callable[[XAttribute], bool]) -> XAttribute | None:
    """Find the nearest declaration around an element, the first of those at one element."""
    for one in _around(element):
        spend(len(one.attributes))
        found = [attribute for attribute in one.attributes if attribute.is_declaration and wanted(attribute)]
        if found:
            return found[0]
    return None


def _default_namespace(element: XElement) -> XNamespace:
    found = _declared(element, lambda one: one.name.namespace == XNamespace.NONE)
    return XNamespace(found.value) if found is not None else XNamespace.NONE


def _namespace_of_prefix(element: XElement, prefix: str | None) -> XNamespace | None:
    if prefix is None:
        raise EvaluationError("ArgumentNullException")
    if not prefix:
        raise EvaluationError("ArgumentException")
    fixed = {"xml": XNamespace.XML, "xmlns": XNamespace.XMLNS}
    if prefix in fixed:
        return fixed[prefix]
    found = _declared(element, lambda one: one.name == XName(prefix, XNamespace.XMLNS))
    return None if found is None else XNamespace(found.value)


def _prefix_of_namespace(element: XElement, space: XNamespace | None) -> str | None:
    if space is None:
        raise EvaluationError("ArgumentNullException")
    fixed = {XNamespace.XML: "xml", XNamespace.XMLNS: "xmlns"}
    if space in fixed:
        return fixed[space]
    found = _declared(element, lambda one: one.value == space.name and one.name.namespace == XNamespace.XMLNS)
    if found is None:
        return None
    if _namespace_of_prefix(element, found.name.local) != space:
        raise unsure("a prefix that is declared anew")
    return found.name.local


define(
    "XElement",
    properties_={
        "FirstAttribute: XAttribute": lambda element: element.attributes[0] if element.attributes else None,
        "HasAttributes: bool": lambda element: bool(element.attributes),
        "HasElements: bool": lambda element: next(_only_elements(element.nodes), None) is not None,
        "IsEmpty: bool": lambda element: not element.nodes and not element.closed,
        "LastAttribute: XAttribute": lambda element: element.attributes[-1] if element.attributes else None,
        "Name: XName": lambda element: element.name,
        "Value: string": lambda element: element.value,
    },
    setters={"Name: XName": _rename, "Value: string": XElement.assign},
    methods={
        "AncestorsAndSelf(): IEnumerable<XElement>": _any_name(_around),
        "AncestorsAndSelf(XName): IEnumerable<XElement>": _by_name(_around),
        "Attribute(XName): XAttribute": XElement.attribute,
        "Attributes(): IEnumerable<XAttribute>": lambda element: lazy(lambda: iter(element.attributes)),
        "Attributes(XName): IEnumerable<XAttribute>": _attributes,
        "DescendantNodesAndSelf(): IEnumerable<XNode>": lambda element: lazy(lambda: _with_itself(element)),
        "DescendantsAndSelf(): IEnumerable<XElement>": _any_name(_with_itself),
        "DescendantsAndSelf(XName): IEnumerable<XElement>": _by_name(_with_itself),
        "GetDefaultNamespace(): XNamespace": _default_namespace,
        "GetNamespaceOfPrefix(string): XNamespace": _namespace_of_prefix,
        "GetPrefixOfNamespace(XNamespace): string": _prefix_of_namespace,
        "RemoveAll(): void": _remove_all,
        "RemoveAttributes(): void": _remove_attributes,
        "ReplaceAll(object): void": _replace_all,
        "ReplaceAll(params object[]): void": _replace_all,
        "SetAttributeValue(XName, object): void": _set_attribute,
        "SetElementValue(XName, object): void": _set_element,
        "SetValue(object): void": lambda element, value: element.assign(content_text(needed(value))),
    },
    constructors={
        "new(XName): XElement": XElement,
        "new(XName, object): XElement": _new_element,
        "new(XName, params object[]): XElement": _new_element,
        "new(XElement): XElement": _copied,
    },
    statics={
        "Parse(string): XElement": xml_text.read_element,
        "Parse(string, LoadOptions): XElement": _with_options(xml_text.read_element),
    },
)


def _beside(attribute: XAttribute, offset: int) -> XAttribute | None:
    parent = attribute.parent
    if not isinstance(parent, XElement):
        return None
    spend(len(parent.attributes))
    place = next(at for at, one in enumerate(parent.attributes) if one is attribute) + offset
    return parent.attributes[place] if 0 <= place < len(parent.attributes) else None


define(
    "XAttribute",
    properties_={
        "IsNamespaceDeclaration: bool": lambda attribute: attribute.is_declaration,
        "Name: XName": lambda attribute: attribute.name,
        "NextAttribute: XAttribute": lambda attribute: _beside(attribute, 1),
        "PreviousAttribute: XAttribute": lambda attribute: _beside(attribute, -1),
        "Value: string": lambda attribute: attribute.value,
    },
    setters={"Value: string": XAttribute.assign},
    methods={
        "Remove(): void": XAttribute.remove,
        "SetValue(object): void": XAttribute.assign,
        "ToString(): string": xml_text.write_attribute,
    },
    constructors={
        "new(XName, object): XAttribute": XAttribute,
        "new(XAttribute): XAttribute": _copied,
    },
)


# Documents and what is in them besides elements


def _new_document(content: object = None) -> XDocument:
    document = XDocument()
    document.add(content)
    return document


def _declared_document(declaration: XDeclaration | None, content: object) -> XDocument:
    document = _new_document(content)
    document.declaration = declaration
    return document


def _set_declaration(document: XDocument, declaration: XDeclaration | None) -> None:
    document.declaration = declaration


define(
    "XDocument",
    properties_={
        "Declaration: XDeclaration": lambda document: document.declaration,
        "Root: XElement": lambda document: document.element,
    },
    setters={"Declaration: XDeclaration": _set_declaration},
    constructors={
        "new(): XDocument": XDocument,
        "new(params object[]): XDocument": _new_document,
        "new(XDeclaration, params object[]): XDocument": _declared_document,
        "new(XDocument): XDocument": _copied,
    },
    statics={
        "Parse(string): XDocument": xml_text.read_document,
        "Parse(string, LoadOptions): XDocument": _with_options(xml_text.read_document),
    },
)
define(
    "XDeclaration",
    properties_={
        "Encoding: string": lambda declaration: declaration.encoding,
        "Standalone: string": lambda declaration: declaration.standalone,
        "Version: string": lambda declaration: declaration.version,
    },
    methods={"ToString(): string": str},
    constructors={"new(string, string, string): XDeclaration": XDeclaration},
)


def _set_text(node: XText, value: str | None) -> None:
    node.value = value


for _name, _class in (("XText", XText), ("XCData", XCData), ("XComment", XComment)):
    define(
        _name,
        properties_={"Value: string": lambda node: node.text},
        setters={"Value: string": _set_text},
        constructors={f"new(string): {_name}": _class, f"new({_name}): {_name}": _copied},
    )
define(
    "XProcessingInstruction",
    properties_={"Data: string": lambda node: node.data, "Target: string": lambda node: node.target},
    constructors={"new(string, string): XProcessingInstruction": XProcessingInstruction},
)


# Sequences of them


def _each(nodes: Callable[[Any], Iterable[Any]]) -> Callable[[Any], Iterator[Any]]:
    """Go through what each of several leads to; null among them is left out."""

    def through(values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            if value is not None:
                yield from nodes(value)

    return through


def _several(nodes: Callable[[Any], Iterable[XNode]]) -> Callable[[Any], Lazy]:
    find = _any_name(_each(nodes))
    return lambda values: find(needed(values))


def _several_named(nodes: Callable[[Any], Iterable[XNode]]) -> Callable[[Any, XName | None], Lazy]:
    find = _by_name(_each(nodes))
    return lambda values, name: find(needed(values), name)


def _attributes_of(values: Iterable[XElement] | None, name: XName | None = None) -> Lazy:
    found = needed(values)

    def attributes() -> Iterator[XAttribute]:
        for element in found:
            spend(len(element.attributes))
            yield from [one for one in element.attributes if name is None or one.name == name]

    return lazy(attributes)


def _named_attributes(values: Iterable[XElement] | None, name: XName | None) -> Lazy:
    return lazy(lambda: iter(())) if name is None else _attributes_of(values, name)


def _remove_each(values: Iterable[Any] | None) -> None:
    for value in list(needed(values)):
        if value is not None:
            spend()
            value.remove()


def _nodes_of(values: Iterable[XContainer] | None) -> Lazy:
    found, through = needed(values), _each(XContainer.live)
    return lazy(lambda: through(found))


define_extensions(
    {
        "Ancestors<T>(this IEnumerable<T>): IEnumerable<XElement> where T is node": _several(
            lambda node: _around(node.parent)
        ),
        "Attributes(this IEnumerable<XElement>): IEnumerable<XAttribute>": _attributes_of,
        "Attributes(this IEnumerable<XElement>, XName): IEnumerable<XAttribute>": _named_attributes,
        "Descendants<T>(this IEnumerable<T>): IEnumerable<XElement> where T is container": _several(
            XContainer.descendants
        ),
        "Descendants<T>(this IEnumerable<T>, XName): IEnumerable<XElement> where T is container": _several_named(
            XContainer.descendants
        ),
        "DescendantsAndSelf(this IEnumerable<XElement>): IEnumerable<XElement>": _several(_with_itself),
        "DescendantsAndSelf(this IEnumerable<XElement>, XName): IEnumerable<XElement>": _several_named(_with_itself),
        "Elements<T>(this IEnumerable<T>): IEnumerable<XElement> where T is container": _several(XContainer.live),
        "Elements<T>(this IEnumerable<T>, XName): IEnumerable<XElement> where T is container": _several_named(
            XContainer.live
        ),
        "Nodes<T>(this IEnumerable<T>): IEnumerable<XNode> where T is container": _nodes_of,
        "Remove<T>(this IEnumerable<T>): void where T is node": _remove_each,
        "Remove(this IEnumerable<XAttribute>): void": _remove_each,
    }
)
