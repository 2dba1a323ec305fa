"""C# syntax trees of expressions, from tree-sitter-c-sharp, with everything doubtful refused."""

import re
from collections.abc import Iterator

import tree_sitter_c_sharp
from tree_sitter import Language, Node, Parser

from apim_emulator.csharp.compiler.lexical import KEYWORDS, interpolated_escapes
from apim_emulator.csharp.runtime.exceptions import ExpressionError

MAX_SIZE = 16_384
"""Longest expression, in characters."""
MAX_DEPTH = 120
"""Deepest nesting of its syntax tree."""

_PARSER = Parser(Language(tree_sitter_c_sharp.language()))
_HEAD = "class C { object M() "
_EXPRESSION = (_HEAD + "=>\n", "\n; }")
_BLOCK = (_HEAD + "\n", "\n}")

_SIMPLE = {"0": "\0", "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_SIMPLE |= {"'": "'", '"': '"', "\\": "\\"}
_GENERIC = re.compile(rb"\.[ \t]*[A-Za-z_]\w*[ \t]*(?=<)")
_ANGLE = re.compile(rb"[\w \t.,\[\]?]*([<>])")
_CALL = re.compile(rb"\s*\(")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{1,4})|(.))", re.DOTALL)


class Source:
    """One expression's text and where it starts, to place errors."""

    def __init__(self, text: str) -> None:
        """Take the whole text, from `@(` or `@{` to the closing bracket."""
        if len(text) > MAX_SIZE:
            raise ExpressionError(f"longer than {MAX_SIZE} characters")
        if not (text[:2] == "@(" and text[-1:] == ")") and not (text[:2] == "@{" and text[-1:] == "}"):
            raise ExpressionError("an expression is @(...) or @{...} and nothing else")
        self.is_block = text[1] == "{"
        head, tail = _BLOCK if self.is_block else _EXPRESSION
        self._inner = text[1:] if self.is_block else text[2:-1]
        self._shift = 1 if self.is_block else 2
        self._bytes = f"{head}{self._inner}{tail}".encode()
        self.conditional: frozenset[int] = frozenset()
        """Places of `.` and `[` that a `?` stands before."""

    def parse(self) -> Node:
        """Return the expression's node, or the block's.

        Raises `ExpressionError`: not C#, nested too deep, or more than one expression.
        """
        root = self._parsed()
        for node, depth in _walk(root):
            # The grammar invents empty nodes, not always marked missing, to go on after an error.
            if node.is_error or node.is_missing or node.start_byte == node.end_byte:
                raise self.error(node, "this is not C#")
            if node.type == "identifier" and self.text(node) in KEYWORDS:
                raise self.error(node, f"{self.text(node)} is a keyword of C#, and no name")
            if depth > MAX_DEPTH:
                raise self.error(node, f"nested deeper than {MAX_DEPTH} levels")
        # The text must be exactly the body of the one method around it: it may not close it and go on.
        node = root
        for kind in ("class_declaration", "declaration_list", "method_declaration"):
            node = self._only(node, kind)
        body = node.child_by_field_name("body")
        if body is None or body.type != ("block" if self.is_block else "arrow_expression_clause"):
            raise self.error(node, "this is not one expression")
        if self.is_block:
            return body
        parts = children(body)
        if len(parts) != 1:
            raise self.error(body, "this is not one expression")
        return parts[0]

    def _parsed(self) -> Node:
        """Parse the text; what the grammar gets wrong is written in another way of the same length first.

        The `?` of `?.` has a wrong precedence there: it is left out, and `conditional` tells where it was. The `<` of
        `Name<T>(` may be a comparison there: the type arguments become part of the name. `""`, `{{` and `}}` of an
        interpolated string may be part of a hole there: they become other letters. `(x) + y` is a cast of `+y`
        there where `x` could name a type, which it never does in C#: the brackets are left out.
        """
        text = bytearray(self._bytes)
        for start, end in _type_arguments(self._bytes):
            text[start:end] = b"_" * (end - start)
        for place in interpolated_escapes(self._bytes):
            text[place : place + 2] = b"__"
        root = _PARSER.parse(bytes(text)).root_node
        found = [
            (child.start_byte, binding.start_byte)
            for node, _ in _walk(root)
            if node.type == "conditional_access_expression"
            for child, binding in zip(all_children(node)[1:], all_children(node)[2:], strict=False)
            if child.type == "?"
        ]
        brackets = [
            bracket.start_byte
            for node, _ in _walk(root)
            if _is_sum(node)
            for bracket in all_children(node)
            if not bracket.is_named
        ]
        if not found and not brackets:
            return root
        self.conditional = frozenset(start for _, start in found)
        for place in (*(place for place, _ in found), *brackets):
            text[place] = ord(" ")
        return _PARSER.parse(bytes(text)).root_node

    def text(self, node: Node) -> str:
        """Return the source text of a node."""
        return self._bytes[node.start_byte : node.end_byte].decode()

    def between(self, start: int, end: int) -> str:
        """Return the source text between two bytes."""
        return self._bytes[start:end].decode()

    def error(self, node: Node, reason: str) -> ExpressionError:
        """Make an error placed at a node."""
        row, column = node.start_point
        characters = len(self._bytes.split(b"\n")[row][:column].decode(errors="replace"))
        return ExpressionError(reason, max(row, 1), characters + 1 + (self._shift if row <= 1 else 0))

    def _only(self, node: Node, kind: str) -> Node:
        found = [child for child in children(node) if child.type not in {"identifier", "predefined_type"}]
        if len(found) != 1 or found[0].type != kind:
            raise self.error(node, "this is not one expression")
        return found[0]


def children(node: Node) -> list[Node]:
    """Named children without comments."""
    return [child for child in node.named_children if child.type != "comment"]


def steps_of(node: Node) -> int:
    """Tell how many steps a round of a loop or a call takes: one, and more where a lot is written in it."""
    return 1 + node.descendant_count // 64


def all_children(node: Node) -> list[Node]:
    """All children, operators and keywords too, without comments."""
    return [child for child in node.children if child.type != "comment"]


def string_literal(text: str) -> str | None:
    """Decode a regular or verbatim literal; None where it is neither or holds half a surrogate pair."""
    if text.startswith('@"') and text.endswith('"'):
        return text[2:-1].replace('""', '"')
    if text.startswith('"') and text.endswith('"') and not text.startswith('"""') and "\n" not in text:
        return unescape(text[1:-1])
    return None


def character_literal(text: str) -> str | None:
    """Decode a character literal; None where it is not one UTF-16 unit."""
    value = unescape(text[1:-1])
    return value if value is not None and len(value) == 1 and ord(value) < 0x10000 else None


def unescape(text: str) -> str | None:
    """Decode the escapes of a regular literal; None where one is wrong or a surrogate pair is broken."""

    def unit(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        return chr(int(code, 16)) if code else _SIMPLE[match[4]]

    try:
        # Two \u escapes may be one character: join the halves, refuse a lone one.
        return _ESCAPE.sub(unit, text).encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except (KeyError, ValueError, OverflowError):
        return None


def _type_arguments(text: bytes) -> Iterator[tuple[int, int]]:
    """Find type arguments: a bracket after a name that a call follows, with pairs of brackets inside alone."""
    for match in _GENERIC.finditer(text):
        at, depth = match.end(), 0
        while found := _ANGLE.match(text, at):
            at = found.end()
            depth += 1 if found[1] == b"<" else -1
            if not depth:
                break
        if found and _CALL.match(text, at):
            yield match.end(), at


def _is_sum(node: Node) -> bool:
    """Tell what is `(x) + y` in C# although the grammar takes it for a cast of `+y`."""
    if node.type != "cast_expression":
        return False
    type_, value = children(node)
    is_name = type_.type in {"identifier", "qualified_name"} or (type_.type == "array_type" and _has_index(type_))
    return is_name and value.type == "prefix_unary_expression" and value.children[0].type in {"+", "-", "&", "*"}


def _has_index(type_: Node) -> bool:
    rank = type_.child_by_field_name("rank")
    return rank is not None and bool(rank.named_children)


def _walk(root: Node) -> Iterator[tuple[Node, int]]:
    stack = [(root, 0)]
    while stack:
        node, depth = stack.pop()
        yield node, depth
        stack.extend((child, depth + 1) for child in reversed(node.children))
