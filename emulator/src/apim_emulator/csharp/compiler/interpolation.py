"""Interpolated strings."""

import re

from tree_sitter import Node

from apim_emulator.csharp.compiler import conversions
from apim_emulator.csharp.compiler.operators import constant
from apim_emulator.csharp.compiler.scope import Compiler, rule
from apim_emulator.csharp.compiler.syntax import children, unescape
from apim_emulator.csharp.runtime import text
from apim_emulator.csharp.runtime.meter import joined
from apim_emulator.csharp.types import Run, Type, Typed


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
    return Typed(Type.STRING, lambda frame: joined([run(frame) for run in runs]))


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
    if pattern and compiler.source.between(node.end_byte, node.end_byte + 1) == "}":
        raise compiler.error(node, "versions of C# disagree on } after a format")
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
