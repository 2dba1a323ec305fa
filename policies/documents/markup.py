"""Reads policies as people write them: XML, or as the portal shows it (`rawxml`), where expressions are not escaped.

In XML, a quote, `<` or `&` in an expression is an entity; the portal shows them unescaped. Both are read with Python's
expat: expressions are found by C#'s rules and escaped, and the result is parsed as XML. If a text is valid XML, an
expression with entities in it counts as escaped already.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import NamedTuple
from xml.etree import ElementTree as ET
from xml.parsers import expat

from policies.documents.expressions import expression_end
from policies.raw_element import Verbatim
from policies.shared.errors import PolicyError
from policies.shared.options import check_characters

_DEEPEST = 50
_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-fA-F]+|quot|apos|amp|lt|gt);")
_SKIPPED = re.compile(r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|</[^>]*>|<\?.*?\?>", re.DOTALL)
_TAG = re.compile(r"<[^\s/>\"'=<!?]+")
_ATTRIBUTE = re.compile(r"\s*[^\s=/>\"'<]+\s*=\s*([\"'])\s*")
_TAG_END = re.compile(r"\s*/?>")
_START = re.compile(r"\s*(?=@[({])")
_IN_ATTRIBUTE = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\t": "&#9;", "\n": "&#10;"}
_IN_TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


class MarkupError(PolicyError):
    """Policy text cannot be read; has the place of the mistake."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        """Create the error; line and column are counted from 1."""
        super().__init__(f"line {line}, column {column}: {reason}")
        self.reason = reason
        self.line = line
        self.column = column


class LocatedElement(Verbatim):
    """An element with the line and column of its start tag."""

    line: int
    column: int


def read(text: str, *, around: str | None = None) -> LocatedElement:
    """Parse text as one element, or as the content of an element named `around`.

    Comments are dropped.

    Raises:
        MarkupError: The text is not well-formed, is nested deeper than 50 elements, or has a document type, custom
            entities, processing instructions or namespaces.

    """
    text = text.removeprefix("\ufeff")
    if found := next(_illegal(text), None):
        raise MarkupError(found.reason, *_place(text, found.at))
    escaped = _Escaping(text, is_xml=_is_xml(text, around)).run()
    return _Reader(text, escaped, around).run()


class _Illegal(NamedTuple):
    at: int
    reason: str


class _Piece(NamedTuple):
    """A piece of the escaped text, and its place in the original."""

    out: int
    at: int
    is_copy: bool


class _Escaped(NamedTuple):
    text: str
    pieces: list[_Piece]

    def original(self, offset: int) -> int:
        """Return the offset in the original of an offset in the escaped text."""
        index = bisect_right(self.pieces, offset, key=lambda piece: piece.out) - 1
        if index < 0:
            return 0
        piece = self.pieces[index]
        return piece.at + (offset - piece.out if piece.is_copy else 0)


def _illegal(text: str) -> Iterator[_Illegal]:
    try:
        check_characters("text", text)
    except PolicyError as error:
        at = int(re.findall(r" at (\d+)", str(error))[-1])
        yield _Illegal(at, f"U+{ord(text[at]):04X} is a character that XML does not allow; remove it")


def _place(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def _is_xml(text: str, around: str | None) -> bool:
    try:
        _Reader(text, _Escaped(text, [_Piece(0, 0, is_copy=True)]), around).run()
    except MarkupError:
        return False
    return True


class _Escaping:
    """Copies a text and escapes its expressions."""

    def __init__(self, text: str, *, is_xml: bool) -> None:
        self._text = text
        self._is_xml = is_xml
        self._at = 0
        self._out: list[str] = []
        self._length = 0
        self._pieces: list[_Piece] = []

    def run(self) -> _Escaped:
        text = self._text
        self._content()
        while self._at < len(text):
            if (found := _SKIPPED.match(text, self._at)) is not None:
                self._put(found.end())
            elif (found := _TAG.match(text, self._at)) is not None:
                self._put(found.end())
                self._attributes()
            else:  # not well-formed, which the parser reports
                self._put(self._at + 1)
            self._content()
        return _Escaped("".join(self._out), self._pieces)

    def _put(self, end: int, table: Mapping[str, str] | None = None) -> None:
        piece = self._text[self._at : end]
        self._pieces.append(_Piece(self._length, self._at, is_copy=table is None))
        if table is not None:
            piece = "".join(table.get(letter, letter) for letter in piece.replace("\r\n", "\n"))
        self._out.append(piece)
        self._length += len(piece)
        self._at = end

    def _content(self) -> None:
        """Copy the text up to the next tag."""
        if (start := _START.match(self._text, self._at)) is not None:
            end = self._expression(start.end())
            if end is not None:
                self._put(start.end())
                self._put(end, _IN_TEXT)
        following = self._text.find("<", self._at)
        self._put(len(self._text) if following < 0 else following)

    def _attributes(self) -> None:
        text = self._text
        while (attribute := _ATTRIBUTE.match(text, self._at)) is not None:
            quote, first = attribute[1], attribute.end()
            end = self._expression(first) if text.startswith(("@(", "@{"), first) else None
            closing = None if end is None else re.compile(rf"\s*{quote}").match(text, end)
            if end is not None and closing is not None:
                self._put(first)
                self._put(end, _IN_ATTRIBUTE)
                self._put(closing.end())
            else:
                following = text.find(quote, first)
                self._put(len(text) if following < 0 else following + 1)
        if (closing := _TAG_END.match(text, self._at)) is not None:
            self._put(closing.end())

    def _expression(self, at: int) -> int | None:
        """Return the end of the expression at `at`, or None if it must not be escaped."""
        end = expression_end(self._text, at + 1)
        if end is None or (self._is_xml and _ENTITY.search(self._text, at, end)):
            return None
        return end


class _Reader:
    """Parses an escaped text into elements with their places in the original."""

    def __init__(self, text: str, escaped: _Escaped, around: str | None) -> None:
        self._text = text
        self._escaped = escaped
        head, tail = ("", "") if around is None else (f"<{around}>", f"</{around}>")
        self._head = len(head)
        self._data = f"{head}{escaped.text}{tail}".encode()
        # Maps bytes to characters, since expat counts bytes.
        self._bytes = None if escaped.text.isascii() else list(accumulate(len(c.encode()) for c in escaped.text))
        self._builder = ET.TreeBuilder(element_factory=LocatedElement)
        self._parser = parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = lambda *_: self._refuse("a document type is not allowed; remove it")
        parser.ProcessingInstructionHandler = lambda *_: self._refuse(
            "a processing instruction is not allowed; remove it"
        )
        parser.CharacterDataHandler = self._builder.data
        self._depth = 0

    def run(self) -> LocatedElement:
        try:
            self._parser.Parse(self._data, True)
        except expat.ExpatError as error:
            reason = f"is not well-formed: {expat.ErrorString(error.code)}"
            raise MarkupError(reason, *self._at(self._parser.ErrorByteIndex)) from None
        root = self._builder.close()
        assert isinstance(root, LocatedElement)  # noqa: S101  # the builder's factory
        return root

    def _at(self, offset: int) -> tuple[int, int]:
        """Return line and column of a byte of the data."""
        offset = max(offset - self._head, 0)
        if self._bytes is not None:
            offset = bisect_right(self._bytes, offset)
        return _place(self._text, min(self._escaped.original(offset), len(self._text)))

    def _refuse(self, reason: str) -> None:
        raise MarkupError(reason, *self._at(self._parser.CurrentByteIndex))

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._refuse(f"is nested deeper than {_DEEPEST} elements; make it flatter")
        for name in (tag, *attributes):
            if ":" in name or name == "xmlns":
                self._refuse(f"{name} has a namespace, which policies do not have; remove it")
        element = self._builder.start(tag, attributes)
        assert isinstance(element, LocatedElement)  # noqa: S101  # the builder's factory
        element.line, element.column = self._at(self._parser.CurrentByteIndex)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        self._builder.end(tag)
