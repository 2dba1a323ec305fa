"""Policy expressions: C# parsed with tree-sitter and compiled once to closures over an allow-list."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from tree_sitter import Node

from apim_emulator.csharp.compiler import (
    assignment,
    creation,
    expressions,
    functions,
    interpolation,
    member_access,
    statements,
    try_catch,
)
from apim_emulator.csharp.compiler.scope import Compiler
from apim_emulator.csharp.compiler.syntax import Source
from apim_emulator.csharp.library import (
    certificates,
    collections,
    dates,
    encoding,
    exceptions,
    json,
    linq,
    numbers,
    regex,
    rsa,
    xml,
)
from apim_emulator.csharp.library import text as text_members
from apim_emulator.csharp.library.table import Ambient
from apim_emulator.csharp.runtime.exceptions import EvaluationError, ExpressionError, StoppedError
from apim_emulator.csharp.runtime.meter import evaluated
from apim_emulator.csharp.types import Run, Type

__all__ = ["EvaluationError", "ExpressionError", "Type", "bodies_read", "compile_expression"]

_TABLES = (
    *(assignment, creation, expressions, functions, interpolation, member_access, statements, try_catch),
    *(certificates, collections, dates, encoding, exceptions, json, linq, numbers, regex, rsa, text_members, xml),
)
"""Modules that fill the tables of the compiler and of the library when they are imported."""


@lru_cache(maxsize=1024)  # documents share expressions, and so do the versions of one
def compile_expression(text: str, result: Type) -> Callable[[Ambient], Any]:
    """Compile `@(...)` or `@{...}` to a function of the context that gives a value of the result type.

    A `string` or `object` result may be None, as null is in C#. The function raises `EvaluationError` where C# throws,
    and where it gives up: beyond a bound of `meter`, or where it is not sure what .NET would do.

    Raises `ExpressionError`: the text is not C#, or it uses what is not surely evaluated as C# would.
    """
    source = Source(text)
    node = source.parse()
    compiled = Compiler(source, node)
    try:
        run = evaluated(_compiled, compiled, source, node, result)
    except RecursionError:
        raise ExpressionError("nested too deep") from None
    except EvaluationError as error:
        raise ExpressionError(f"a constant in it cannot be evaluated: {error}") from None
    slots = [None] * (compiled.function.size - 1)

    def evaluate(context: Ambient) -> Any:
        try:
            return evaluated(run, [context, *slots])
        except RecursionError:
            raise StoppedError("InsufficientExecutionStackException") from None

    return evaluate


@lru_cache(maxsize=1024)
def bodies_read(text: str) -> frozenset[str]:
    """Tell which bodies an expression reads: `Request`, `Response`. They must be in memory before it is evaluated.

    `Variables`: that of a message that a variable holds, and the expression does not name the call's own.

    Raises `ExpressionError` as `compile_expression` does.
    """
    source = Source(text)
    node = source.parse()
    compiled = Compiler(source, node)
    evaluated(_compiled, compiled, source, node, Type.OBJECT)
    return frozenset(name if name in compiled.named else "Variables" for name in compiled.reads)


def _compiled(compiled: Compiler, source: Source, node: Node, result: Type) -> Run:
    if not source.is_block:
        return compiled.converted(node, result).run
    compiled.function.result = result
    run, goes_on = compiled.statement(node)
    if goes_on:
        raise compiled.error(node, "not every path ends with return")
    return run
