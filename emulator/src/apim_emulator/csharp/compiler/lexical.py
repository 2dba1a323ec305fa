"""Words and strings of C# that the grammar of the syntax trees does not tell well."""

import re
from collections.abc import Iterator

KEYWORDS = frozenset(
    {
        "abstract",
        "as",
        "base",
        "bool",
        "break",
        "byte",
        "case",
        "catch",
        "char",
        "checked",
        "class",
        "const",
        "continue",
        "decimal",
        "default",
        "delegate",
        "do",
        "double",
        "else",
        "enum",
        "event",
        "explicit",
        "extern",
        "false",
        "finally",
        "fixed",
        "float",
        "for",
        "foreach",
        "goto",
        "if",
        "implicit",
        "in",
        "int",
        "interface",
        "internal",
        "is",
        "lock",
        "long",
        "namespace",
        "new",
        "null",
        "object",
        "operator",
        "out",
        "override",
        "params",
        "private",
        "protected",
        "public",
        "readonly",
        "ref",
        "return",
        "sbyte",
        "sealed",
        "short",
        "sizeof",
        "stackalloc",
        "static",
        "string",
        "struct",
        "switch",
        "this",
        "throw",
        "true",
        "try",
        "typeof",
        "uint",
        "ulong",
        "unchecked",
        "unsafe",
        "ushort",
        "using",
        "virtual",
        "void",
        "volatile",
        "while",
    }
)
"""Words that C# reserves (C# reference, "C# keywords"); none is a name without an `@`."""

_MARK = re.compile(
    rb"""//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\\n])*'|(?P<plain>"(?:\\.|[^"\\])*"|@"(?:""|[^"])*")"""
    rb"""|(?P<start>\$@|@\$|\$)"|(?P<brace>[{}])""",
    re.DOTALL,
)
_PIECE = {
    False: re.compile(rb'\\.|(?P<escape>\{\{|\}\})|(?P<end>[{"])', re.DOTALL),
    True: re.compile(rb'(?P<escape>""|\{\{|\}\})|(?P<end>[{"])'),
}
"""What counts in an interpolated string, by whether it is verbatim."""


def interpolated_escapes(code: bytes) -> Iterator[int]:
    """Find where `""`, `{{` and `}}` stand for one letter: in the literal parts of interpolated strings."""
    holes: list[tuple[bool, int]] = []
    depth = 0
    at = 0
    while mark := _MARK.search(code, at):
        at = mark.end()
        verbatim = None
        if mark["start"]:
            verbatim = b"@" in mark["start"]
        elif mark["brace"] == b"{":
            depth += 1
        elif mark["brace"] and depth:
            depth -= 1
        elif mark["brace"] and holes:
            verbatim, depth = holes.pop()
        if verbatim is None:
            continue
        places, at = _literal(code, at, verbatim=verbatim)
        yield from places
        if code[at - 1 : at] == b"{":
            holes.append((verbatim, depth))
            depth = 0


def _literal(code: bytes, at: int, *, verbatim: bool) -> tuple[list[int], int]:
    """Go through a literal part; gives the places of its escapes, and where it ends: after a brace or a quote."""
    places: list[int] = []
    while piece := _PIECE[verbatim].search(code, at):
        at = piece.end()
        if piece["end"]:
            return places, at
        if piece["escape"]:
            places.append(piece.start())
    return places, len(code)
