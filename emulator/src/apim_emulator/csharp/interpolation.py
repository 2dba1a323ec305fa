"""Interpolated strings, and the composite formats of `string.Format`."""

import re
from collections.abc import Sequence
from functools import lru_cache

from tree_sitter import Node

from apim_emulator.csharp import conversions, text
from apim_emulator.csharp.errors import EvaluationError, unsure
from apim_emulator.csharp.meter import bounded
from apim_emulator.csharp.operators import constant
from apim_emulator.csharp.scope import Compiler, rule
from apim_emulator.csharp.syntax import children, unescape
from apim_emulator.csharp.types import Run, Type, Typed

_HOLE = re.compile(r"\{\{|\}\}|\{(\d{1,4}) *(?:, *(-?\d{1,7}) *)?(?::([^{}]*))?\}|[{}]", re.ASCII)


_MAX_WIDTH = 1_000_000
"""Widths from here on throw."""


@rule("interpolated_string_expression")
def _interpolated(compiler: Compiler, node: Node) -> Typed:
    start = compiler.text(node.children[0])
    if start not in {"$", "$@", "@$"} or node.children[1].type != '"':
        raise compiler.error(node, "this interpolated string is not supported")
    verbatim = "@" in start
    runs: list[Run] = []
    place = node.children[1].end_byte
    for hole in [*(child for child in node.children if child.type == "interpolation"), node.children[-1]]:
        literal = _literal(compiler, node, compiler.source.between(place, hole.start_byte), verbatim)
        place = hole.end_byte
        if literal:
            runs.append(constant(literal, "string").run)
        if hole.type == "interpolation":
            runs.append(_hole(compiler, hole, verbatim))
    if len(runs) == 1:
        return Typed(Type.STRING, runs[0])
    return Typed(Type.STRING, lambda frame: bounded("".join([run(frame) for run in runs])))


def _literal(compiler: Compiler, node: Node, raw: str, verbatim: bool) -> str:
    value = raw.replace('""', '"') if verbatim else unescape(raw)
    if value is None or (not verbatim and "\n" in raw) or re.search(r"(?<!\{)(\{\{)*\{(?!\{)", value):
        raise compiler.error(node, "this interpolated string is not supported")
    return value.replace("{{", "{").replace("}}", "}")


def _hole(compiler: Compiler, node: Node, verbatim: bool) -> Run:
    width, pattern = 0, ""
    inner = [child for child in children(node) if child.type != "interpolation_brace"]
    for child in inner[1:]:
        if child.type == "interpolation_alignment_clause":
            found = compiler.expression(children(child)[0])
            if not isinstance(found.constant, int):
                raise compiler.error(child, "the alignment is no constant")
            width = found.constant
        elif child.type == "interpolation_format_clause":
            pattern = compiler.text(child)[1:]
            if not pattern or (not verbatim and "\\" in pattern) or "{" in pattern or "}" in pattern:
                raise compiler.error(child, "this format is not supported")
        else:
            raise compiler.error(child, "this interpolated string is not supported")
    if not verbatim and "\n" in compiler.text(node):
        raise compiler.error(node, "a line break within { } is not C# 7")
    return _formatted(compiler, inner[0], width, pattern)


def _formatted(compiler: Compiler, node: Node, width: int, pattern: str) -> Run:
    found = compiler.expression(node)
    if node.type == "conditional_expression":
        raise compiler.error(node, "put the conditional in parentheses")
    run: Run | None = None
    simple = text.in_concatenation(found.type)
    if simple is not None and not pattern:
        inner, to_text = found.run, simple
        run = inner if found.type == Type.STRING and found.constant is not None else lambda frame: to_text(inner(frame))
    else:
        if not pattern and (found.type.args[0] if found.type.is_nullable else found.type).name.startswith("DateTime"):
            raise compiler.error(node, f"the text of a {found.type} {text.CULTURE}")
        if not text.is_sure_format(found.type, pattern):
            raise compiler.error(node, f"the format {pattern} of a {found.type} is not supported")
        boxed = conversions.converted(found, Type.OBJECT)
        if boxed is None or (simple is None and not pattern):
            raise compiler.error(node, f"the text of {found.type} is not supported")
        value = boxed.run
        run = lambda frame: text.formatted(value(frame), pattern)  # noqa: E731 - one of two ways
    if not width:
        return run
    whole = run
    return lambda frame: text.aligned(whole(frame), width)


@lru_cache(maxsize=256)
def composite_parts(pattern: str) -> tuple[str | tuple[int, int, str], ...] | None:
    """Split a composite format, once, into literals and holes; None where .NET throws."""
    found: list[str | tuple[int, int, str]] = []
    place = 0
    for match in _HOLE.finditer(pattern):
        found.append(pattern[place : match.start()])
        place = match.end()
        if match[0] in {"{{", "}}"}:
            found.append(match[0][0])
        elif match[1] is None:
            return None
        elif match[3] is not None and pattern.startswith("}", place):
            raise unsure("a brace after a composite format's hole")
        else:
            found.append((int(match[1]), int(match[2] or 0), match[3] or ""))
    return (*found, pattern[place:])


def composite(pattern: str | None, arguments: Sequence[object] | None) -> str:
    """`string.Format(format, args)` of boxed arguments."""
    if pattern is None or arguments is None:
        raise EvaluationError("ArgumentNullException")
    found = composite_parts(pattern)
    if found is None:
        raise unsure("this composite format") if "{ " in pattern else EvaluationError("FormatException")
    pieces = []
    for piece in found:
        if isinstance(piece, str):
            pieces.append(piece)
            continue
        index, width, spec = piece
        if index >= len(arguments):
            raise EvaluationError("FormatException")
        if abs(width) >= _MAX_WIDTH:
            raise EvaluationError("FormatException")
        value = text.formatted(arguments[index], spec)
        pieces.append(text.aligned(value, width) if width else value)
    return bounded("".join(pieces))
