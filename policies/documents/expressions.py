"""Finds the end of a policy expression by C#'s rules for strings, characters, comments and brackets."""

import re

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_NEXT = re.compile(r"""//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\\n])+'|(?:\$@|@\$|\$|@)?"|[()\[\]{}]""", re.DOTALL)
_TEXT = re.compile(r'\\.|[{}"\n]', re.DOTALL)
_VERBATIM = re.compile(r'""|[{}"]')
_DEEPEST = 50


def expression_end(text: str, start: int) -> int | None:
    """Return the offset after the bracket that closes the one at `start`, or None if there is none."""
    return _code_end(text, start, 0)


def _code_end(text: str, start: int, depth: int) -> int | None:
    open_brackets, at = [_CLOSING[text[start]]], start + 1
    while (token := _NEXT.search(text, at)) is not None:
        found, at = token[0], token.end()
        if found in _CLOSING:
            open_brackets.append(_CLOSING[found])
        elif found in ")]}":
            if open_brackets.pop() != found:
                return None
            if not open_brackets:
                return at
        elif found.endswith('"'):
            end = _string_end(text, at, found, depth)
            if end is None:
                return None
            at = end
    return None


def _string_end(text: str, at: int, opening: str, depth: int) -> int | None:
    """Return the offset after a string that begins at `at`; code in an interpolation's braces is skipped as code."""
    verbatim, interpolated = "@" in opening, "$" in opening
    pattern = _VERBATIM if verbatim else _TEXT
    while (token := pattern.search(text, at)) is not None:
        found, at = token[0], token.end()
        if found == '"':
            return at
        if found == "\n":
            return None
        if interpolated and found in "{}" and text.startswith(found, at):
            at += 1
        elif interpolated and found == "{":
            end = _code_end(text, token.start(), depth + 1) if depth < _DEEPEST else None
            if end is None:
                return None
            at = end
    return None
