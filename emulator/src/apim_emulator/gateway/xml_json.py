"""XML as JSON, by the rules of Json.NET's `XmlNodeConverter`, as API Management converts it too (inferred).

An attribute is `@name`; an element that holds text alone is that text, `<a />` is null and `<a></a>` an empty text;
elements of one name that stand beside one another become an array; text beside elements is `#text`.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from xml.parsers import expat

_DEEPEST = 128
_UTF_16 = {b"\xff\xfe", b"\xfe\xff"}
_ARRAYS = "http://james.newtonking.com/projects/json"
_BLANK = " \t\r\n"
Member = tuple[str, "Node | str"]


@dataclass(slots=True)
class Node:
    """An element."""

    attributes: list[tuple[str, str]]
    members: list[Member] = field(default_factory=list)
    """What it holds, by the name that it has in JSON."""
    is_empty_tag: bool = False


def media_type(header: str) -> str:
    """Tell `xml` or `json` of a media type, which may end in `+xml` or `+json`; empty for any other."""
    name = header.partition(";")[0].strip().lower()
    return next((kind for kind in ("xml", "json") if name.endswith((f"/{kind}", f"+{kind}"))), "")


def json_of_xml(data: bytes, several: bool) -> str:
    """Convert a document; with `several`, every element inside another becomes an array.

    Raises `ExpatError` for what is not well-formed, and `ValueError` for a prefix that is not declared, and for a
    DOCTYPE, a comment and Json.NET's own namespace: no source says what the service makes of those.
    """
    document = _Reader().read(data)
    parts: list[str] = []
    _write_members(document.members, False, several, parts)
    return "".join(parts)


class _Reader:
    def __init__(self) -> None:
        self._document = Node([])
        self._open = [self._document]
        self._known = Counter(("xml", "xmlns"))
        """How often each prefix is declared around the place."""
        self._declared: list[set[str]] = []
        self._in_cdata = False

    def read(self, data: bytes) -> Node:
        if data[:2] in _UTF_16:
            data, encoding = data.decode("utf-16").encode(), "utf-8"
        else:
            encoding = None
        parser = expat.ParserCreate(encoding)
        parser.ordered_attributes = parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = lambda _: self._end(data, parser.CurrentByteIndex)
        parser.CharacterDataHandler = self._text
        parser.StartCdataSectionHandler, parser.EndCdataSectionHandler = self._cdata_starts, self._cdata_ends
        parser.XmlDeclHandler = self._declaration
        parser.ProcessingInstructionHandler = lambda name, text: self._add(f"?{name}", text)
        parser.StartDoctypeDeclHandler = lambda *_: _refuse("a DOCTYPE")
        parser.CommentHandler = lambda _: _refuse("a comment")
        parser.Parse(data, True)
        return self._document

    def _add(self, name: str, value: Node | str) -> None:
        self._open[-1].members.append((name, value))

    def _start(self, name: str, attributes: list[str]) -> None:
        if len(self._open) > _DEEPEST:
            raise ValueError(f"more than {_DEEPEST} elements deep")
        if _ARRAYS in attributes:
            _refuse("Json.NET's own namespace")
        names = attributes[::2]
        declared = {one.removeprefix("xmlns:") for one in names if one.startswith("xmlns:")}
        self._known.update(declared)
        for one in (name, *names):
            if one.count(":") > 1 or (":" in one and self._known[one.partition(":")[0]] == 0):
                raise ValueError(f"the prefix of {one} is not declared")
        node = Node([(f"@{one}", value) for one, value in zip(names, attributes[1::2], strict=True)])
        self._add(name, node)
        self._open.append(node)
        self._declared.append(declared)

    def _end(self, data: bytes, place: int) -> None:
        # After an empty-element tag Expat stands behind it, else before the end tag.
        self._open.pop().is_empty_tag = data[place - 2 : place] == b"/>"
        self._known.subtract(self._declared.pop())

    def _text(self, text: str) -> None:
        if self._in_cdata:
            self._open[-1].members[-1] = ("#cdata-section", text)
        elif text.strip(_BLANK):
            self._add("#text", text)

    def _cdata_starts(self) -> None:
        self._in_cdata = True
        self._add("#cdata-section", "")

    def _cdata_ends(self) -> None:
        self._in_cdata = False

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        node = Node([("@version", version)])
        node.attributes += [("@encoding", encoding)] if encoding else []
        node.attributes += [("@standalone", "yes" if standalone else "no")] if standalone >= 0 else []
        self._add("?xml", node)


def _refuse(what: str) -> None:
    raise ValueError(f"it has {what}")


def _write_members(members: list[Member], inside: bool, several: bool, parts: list[str]) -> None:
    """Write what an element holds as one object, names in the order of their first."""
    groups: dict[str, list[Node | str]] = {}
    for name, value in members:
        groups.setdefault(name, []).append(value)
    parts.append("{")
    _write_groups(groups, inside and several, several, parts)
    parts.append("}")


def _write_groups(groups: dict[str, list[Node | str]], as_arrays: bool, several: bool, parts: list[str]) -> None:
    for place, (name, values) in enumerate(groups.items()):
        parts.append(f"{',' if place else ''}{_quoted(name)}:")
        is_array = len(values) > 1 or (as_arrays and isinstance(values[0], Node))
        parts.append("[" if is_array else "")
        for number, value in enumerate(values):
            parts.append("," if number else "")
            _write(value, several, parts)
        parts.append("]" if is_array else "")


def _write(value: Node | str, several: bool, parts: list[str]) -> None:
    if isinstance(value, str):
        parts.append(_quoted(value))
    elif value.attributes:
        own: dict[str, list[Node | str]] = {name: [text] for name, text in value.attributes}
        for name, member in value.members:
            own.setdefault(name, []).append(member)
        parts.append("{")
        _write_groups(own, several, several, parts)
        parts.append("}")
    elif not value.members:
        parts.append("null" if value.is_empty_tag else '""')
    elif len(value.members) == 1 and value.members[0][0] == "#text":
        _write(value.members[0][1], several, parts)
    else:
        _write_members(value.members, True, several, parts)


def _quoted(text: str) -> str:
    """Write a string as Json.NET does, which also escapes three line breaks of Unicode."""
    written = json.dumps(text, ensure_ascii=False)
    return written.replace("\x85", "\\u0085").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
