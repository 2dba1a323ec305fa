"""Policy documents as people write them in the portal: XML in which expressions are not escaped.

API Management calls this format `rawxml`. A document is read in two steps: expressions are found by C#'s own rules for
strings, comments and brackets and escaped, then a hardened XML parser reads the result. Places in messages are those of
the text as it was given. The format `xml` is read the same way without the first step.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree
from lxml.etree import ErrorTypes

_NAME = re.compile(r"[^\s=/><\"']+")
_SPACE = re.compile(r"\s*")
_START = re.compile(r"@[({]")
_ENTITY = re.compile(r"&(?:#[0-9]+|#x[0-9a-fA-F]+|quot|apos|amp|lt|gt);")
_LETTERS = {"quot": '"', "apos": "'", "amp": "&", "lt": "<", "gt": ">"}
_BARE = re.compile(rf"<|&(?!{_ENTITY.pattern[1:]})")
"""What XML takes for markup."""
_STRING = re.compile(r'(\$@|@\$|\$|@)?"')
_CHARACTER = re.compile(r"'(?:[^'\\\n]|\\[^\n][0-9a-fA-F]{0,8})'")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_MAX_DEPTH = 50
_SCANS = 20
"""How often the text may be read in search of ends of expressions that have none."""

_REASONS: Mapping[int, str] = {
    ErrorTypes.ERR_DOCUMENT_EMPTY: "the document is empty or does not begin with an element",
    ErrorTypes.ERR_DOCUMENT_END: "there is something after the end of the document, or it is cut off",
    ErrorTypes.ERR_TAG_NAME_MISMATCH: "the end tag is not that of the element that is open",
    ErrorTypes.ERR_TAG_NOT_FINISHED: "an element has no end tag",
    ErrorTypes.ERR_ATTRIBUTE_REDEFINED: "an attribute is given twice",
    ErrorTypes.ERR_UNDECLARED_ENTITY: "an entity is not one of XML's own; write &amp; for &",
}
"""What libxml2 found; its own texts may quote a value."""
_ATTRIBUTE = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\t": "&#9;", "\n": "&#10;"}
_TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


class DocumentError(ValueError):
    """A document that is not read, with the place in the text as it was given."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        """Tell the reason and the place, both counted from 1."""
        super().__init__(f"line {line}, column {column}: {reason}")
        self.reason = reason
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was read."""

    root: etree._Element
    positions: tuple[tuple[int, int], ...]
    """Line and column of each element's start tag, in document order."""


def parse(text: str, *, raw: bool) -> Document:
    """Read a document; `raw`: its expressions are not escaped. Comments and processing instructions are left out.

    An expression that is escaped all the same is read as XML, and one that is escaped in part, such as `&amp;&amp;`
    beside quotes, is read as C# whose operators are escaped. The service tolerates both (inferred).

    Raises `DocumentError`: not well-formed, or with a document type or entity declaration.
    """
    source = _Source(text, raw=raw)
    source.scan()
    escaped = "".join(source.pieces)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True, encoding="utf-8",
    )  # fmt: skip
    try:
        root = etree.fromstring(escaped.encode("utf-8", "surrogatepass"), parser)
    except etree.XMLSyntaxError as error:
        place = source.original(_offset(escaped, error.lineno or 1, error.offset or 1))
        reason = _REASONS.get(error.code, "escape <, & and quotes")
        raise source.error(f"not well-formed XML: {reason}", place) from None
    return Document(root, tuple(source.position(offset) for offset in source.tags))


def escaped(text: str) -> str:
    """Turn a raw document into plain XML of the same meaning; raises `DocumentError`."""
    source = _Source(text, raw=True)
    source.scan()
    return "".join(source.pieces)


class _Source:
    """Copies a document piece by piece and escapes its expressions on the way."""

    def __init__(self, text: str, *, raw: bool) -> None:
        self._text = text
        self._raw = raw
        self._at = 0
        self._out = 0
        self._budget = _SCANS * (len(text) + 100)
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self._places: list[tuple[int, int, bool]] = []
        self.pieces: list[str] = []
        self.tags: list[int] = []

    def position(self, offset: int) -> tuple[int, int]:
        """Return line and column of an offset, counted from 1."""
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def error(self, reason: str, offset: int) -> DocumentError:
        """Make an error at an offset of the text as it was given."""
        return DocumentError(reason, *self.position(offset))

    def original(self, offset: int) -> int:
        """Return where in the text as it was given a place of the result comes from."""
        index = bisect_right(self._places, (offset, len(self._text), True)) - 1
        if index < 0:
            return 0
        out, place, is_copy = self._places[index]
        return min(place + (offset - out if is_copy else 0), max(len(self._text) - 1, 0))

    def scan(self) -> None:
        """Go through the whole text; raises `DocumentError`."""
        text = self._text
        if text.startswith("\ufeff"):
            self._at = 1
        if text.startswith("<?xml", self._at) and (end := text.find("?>", self._at)) >= 0:
            # The text is no longer in the encoding that it declares.
            self._at = end + 2
        while self._at < len(text):
            if text[self._at] != "<":
                self._element_text()
            elif text.startswith("<!--", self._at):
                self._through("-->", "comment without end")
            elif text.startswith("<![CDATA[", self._at):
                self._through("]]>", "CDATA section without end")
            elif text.startswith("<!", self._at):
                raise self.error("a document type or entity declaration is not allowed", self._at)
            elif text.startswith("<?", self._at):
                self._through("?>", "processing instruction without end")
            elif text.startswith("</", self._at):
                self._through(">", "end tag without end")
            else:
                self._start_tag()

    def _copy(self, end: int) -> None:
        self._put(self._text[self._at : end], is_copy=True)
        self._at = end

    def _put(self, piece: str, *, is_copy: bool) -> None:
        if piece:
            self._places.append((self._out, self._at, is_copy))
            self.pieces.append(piece)
            self._out += len(piece)

    def _escape(self, end: int, table: dict[str, str], piece: str) -> None:
        piece = piece.replace("\r\n", "\n").replace("\r", "\n")
        self._put("".join(table.get(letter, letter) for letter in piece), is_copy=False)
        self._at = end

    def _through(self, mark: str, reason: str) -> None:
        end = self._text.find(mark, self._at)
        if end < 0:
            raise self.error(reason, self._at)
        self._copy(end + len(mark))

    def _element_text(self) -> None:
        while self._at < len(self._text):
            stop = self._text.find("<", self._at)
            stop = len(self._text) if stop < 0 else stop
            start = _START.search(self._text, self._at, stop) if self._raw else None
            if start is None:
                return self._copy(stop)
            self._copy(start.start())
            end, entities = self._expression_end()
            if end is None or (entities and (end <= stop or self._escaped_expression(stop) is not None)):
                # Escaped already, or no expression at all: XML as it is.
                return self._copy(stop)
            self._escape(end, _TEXT, self._decoded(end, entities))
        return None

    def _start_tag(self) -> None:
        text = self._text
        self.tags.append(self._at)
        name = _NAME.match(text, self._at + 1)
        if name is None:
            raise self.error("not well-formed XML: < must be escaped", self._at)
        self._copy(name.end())
        while True:
            self._copy(_end(_SPACE, text, self._at))
            if text.startswith("/>", self._at):
                return self._copy(self._at + 2)
            if text.startswith(">", self._at):
                return self._copy(self._at + 1)
            attribute = _NAME.match(text, self._at)
            if attribute is None:
                raise self.error("not well-formed XML: an attribute or the end of the tag is missing", self._at)
            self._copy(attribute.end())
            self._copy(_end(_SPACE, text, self._at))
            if not text.startswith("=", self._at):
                raise self.error("not well-formed XML: an attribute needs a value", self._at)
            self._copy(_end(_SPACE, text, self._at + 1))
            self._attribute_value()

    def _attribute_value(self) -> None:
        text, opening = self._text, self._at
        quote = text[opening : opening + 1]
        if quote not in {'"', "'"}:
            raise self.error("not well-formed XML: an attribute needs its value in quotes", opening)
        self._copy(opening + 1)
        first = _end(_SPACE, text, self._at)
        if self._raw and _START.match(text, first):
            self._copy(first)
            end, entities = self._expression_end()
            stop = text.find(quote, self._at)
            if entities and (whole := self._escaped_expression(stop)) is not None:
                # An XML parser would make blanks of the line breaks, which end C#'s comments.
                self._escape(stop, _ATTRIBUTE, whole)
                return self._copy(stop + 1)
            if end is not None and text.startswith(quote, _end(_SPACE, text, end)):
                self._escape(end, _ATTRIBUTE, self._decoded(end, entities))
                return self._copy(_end(_SPACE, text, end) + 1)
        end = text.find(quote, self._at)
        if end < 0:
            raise self.error("not well-formed XML: an attribute's value has no end", opening)
        return self._copy(end + 1)

    def _expression_end(self) -> tuple[int | None, list[tuple[int, int]]]:
        """Find the end of the expression that starts here, and the entities in its code; None where it has no end."""
        code = self._code(self._text, self._at + 1)
        return code.found, code.entities

    def _code(self, text: str, start: int) -> "_Code":
        code = _Code(text, self._budget)
        code.found = code.end(start)
        self._budget = code.budget
        if self._budget < 0:
            raise self.error("too many expressions without an end", self._at)
        return code

    def _escaped_expression(self, stop: int) -> str | None:
        """Read the expression from here to `stop` as XML; None where it is not escaped as a whole."""
        if stop < 0 or _BARE.search(self._text, self._at, stop):
            return None
        text = _ENTITY.sub(_letter, self._text[self._at : stop])
        end = self._code(text, 1).found
        return text if end is not None and not text[end:].strip() else None

    def _decoded(self, end: int, entities: list[tuple[int, int]]) -> str:
        """Return the expression that starts here without the escapes of its code; what strings hold stays."""
        pieces, at = [], self._at
        for start, stop in entities:
            pieces += [self._text[at:start], _ENTITY.sub(_letter, self._text[start:stop])]
            at = stop
        return "".join([*pieces, self._text[at:end]])


class _Code:
    """Finds the bracket that closes another one, by C#'s rules for strings and comments."""

    def __init__(self, text: str, budget: int) -> None:
        self._text = text
        self.budget = budget
        self.entities: list[tuple[int, int]] = []
        """Where entities are that C# has not."""
        self.found: int | None = None
        """The offset after the expression, once it was looked for."""

    def end(self, start: int, depth: int = 0) -> int | None:
        """Return the offset after the bracket that closes the one at `start`; None where none does."""
        text, stack, at = self._text, [_CLOSING[self._text[start]]], start + 1
        while at < len(text) and self.budget >= 0:
            self.budget -= 1
            letter = text[at]
            following = self._skipped(at, letter, depth)
            if following is None:
                return None
            if following > at:
                self.budget -= following - at
                at = following
                continue
            at += 1
            if letter in _CLOSING:
                stack.append(_CLOSING[letter])
            elif letter in ")]}":
                if stack.pop() != letter:
                    return None
                if not stack:
                    return at
        return None

    def _skipped(self, at: int, letter: str, depth: int) -> int | None:
        """Return the offset after the string, character or comment at `at`, if any; None where it has no end."""
        text = self._text
        if letter in '"$@' and (string := _STRING.match(text, at)):
            return self._string(string.end(), string[1] or "", depth)
        if letter == "'":
            character = _CHARACTER.match(text, at)
            return None if character is None else character.end()
        if letter == "/" and text.startswith("//", at):
            end = text.find("\n", at)
            return None if end < 0 else end
        if letter == "/" and text.startswith("/*", at):
            end = text.find("*/", at + 2)
            return None if end < 0 else end + 2
        if letter == "&" and (entity := _ENTITY.match(text, at)):
            self.entities.append(entity.span())
            return entity.end()
        return at

    def _string(self, at: int, prefix: str, depth: int) -> int | None:
        """Return the offset after a string whose first letter is at `at`."""
        text, verbatim, interpolated = self._text, "@" in prefix, "$" in prefix
        while at < len(text):
            letter, pair = text[at], text[at : at + 2]
            if (pair == '""' and verbatim) or (interpolated and pair in {"{{", "}}"}):
                at += 2
            elif letter == '"':
                return at + 1
            elif letter == "\\" and not verbatim:
                at += 2
            elif letter == "\n" and not verbatim:
                return None
            elif letter == "{" and interpolated:
                hole = self.end(at, depth + 1) if depth < _MAX_DEPTH else None
                if hole is None:
                    return None
                at = hole
            else:
                at += 1
        return None


def _letter(entity: re.Match[str]) -> str:
    """Return what an entity stands for; one that no letter has stays."""
    name = entity[0][1:-1]
    if not name.startswith("#"):
        return _LETTERS[name]
    code = int(f"0{name[1:]}", 16) if name[1] == "x" else int(name[1:8])
    return chr(code) if code < 0x110000 else entity[0]


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Return where a pattern that always matches ends."""
    match = pattern.match(text, at)
    return at if match is None else match.end()


def _offset(text: str, line: int, column: int) -> int:
    """Return the offset of a place that libxml2 gives, whose columns count bytes."""
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
    stop = text.find("\n", start)
    encoded = text[start : len(text) if stop < 0 else stop].encode("utf-8", "surrogatepass")
    return start + len(encoded[: max(column - 1, 0)].decode("utf-8", "replace"))
