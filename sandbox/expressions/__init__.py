"""Policy expressions: C# parsed with tree-sitter and compiled once to closures over an allow-list."""

from collections.abc import Callable
from typing import Any

from sandbox.expressions.compiler import Compiler
from sandbox.expressions.context import Context
from sandbox.expressions.errors import EvaluationError, ExpressionError
from sandbox.expressions.statements import Block
from sandbox.expressions.syntax import Source
from sandbox.expressions.types import Type

__all__ = ["Context", "EvaluationError", "ExpressionError", "Type", "compile_expression"]


def compile_expression(text: str, result: Type) -> Callable[[Context], Any]:
    """Compile `@(...)` or `@{...}` to a function of the context that gives a value of the result type.

    A `string` or `object` result may be None, as null is in C#. The function raises `EvaluationError` where C# throws.

    Raises `ExpressionError`: the text is not C#, or it uses what is not surely evaluated as C# would.
    """
    source = Source(text)
    node = source.parse()
    compiler = Compiler(source)
    run = Block(compiler, result).compile(node) if source.is_block else compiler.converted(node, result).run
    slots = [None] * (compiler.slots - 1)
    return lambda context: run([context, *slots])
