"""`throw`, `try`, `catch` and `finally`."""

from collections.abc import Callable

from tree_sitter import Node

from apim_emulator.csharp.compiler.scope import Compiler, Execute, rule, statement_rule
from apim_emulator.csharp.compiler.syntax import children
from apim_emulator.csharp.runtime.exceptions import BASES, EvaluationError, StoppedError, is_exception
from apim_emulator.csharp.types import Frame, Type, Typed


@rule("throw_expression")
def _throw_expression(compiler: Compiler, node: Node) -> Typed:
    raise compiler.error(node, "throw is supported as a statement and after ??")


@statement_rule("throw_statement")
def _throw(compiler: Compiler, node: Node) -> tuple[Execute, bool]:
    if not children(node):
        return _rethrow(compiler, node), False
    run = thrown(compiler, node)

    def execute(frame: Frame) -> object:
        raise run(frame)

    return execute, False


def thrown(compiler: Compiler, node: Node) -> Callable[[Frame], EvaluationError]:
    """Compile what a throw statement or expression throws: a new exception of a known type."""
    found = compiler.expression(children(node)[0])
    if not found.type.name.endswith("Exception"):
        raise compiler.error(node, "only exceptions can be thrown")
    run = found.run

    def make(frame: Frame) -> EvaluationError:
        error = run(frame)
        return error if isinstance(error, EvaluationError) else EvaluationError("NullReferenceException")

    return make


def _rethrow(compiler: Compiler, node: Node) -> Execute:
    slot = compiler.handled
    if slot is None:
        raise compiler.error(node, "throw; is C# only in a catch clause")

    def execute(frame: Frame) -> object:
        raise frame[slot]

    return execute


@statement_rule("try_statement")
def _try(compiler: Compiler, node: Node) -> tuple[Execute, bool]:
    body = node.child_by_field_name("body")
    clauses = [child for child in children(node) if child.type == "catch_clause"]
    finals = [children(child)[0] for child in children(node) if child.type == "finally_clause"]
    assert body is not None  # noqa: S101 - the grammar has one
    if not clauses and not finals:
        raise compiler.error(node, "try needs catch or finally")
    before = compiler.unassigned
    run, goes_on = compiler.statement(body)
    after = compiler.unassigned if goes_on else frozenset()
    handlers: list[tuple[str, int, Execute]] = []
    for clause in clauses:
        compiler.unassigned = before
        name, slot, handle, handle_goes_on = _catch(compiler, clause, [name for name, _, _ in handlers])
        handlers.append((name, slot, handle))
        if handle_goes_on:
            goes_on, after = True, after | compiler.unassigned
    execute = _handled(run, handlers) if handlers else run
    compiler.unassigned = after
    if finals:
        compiler.unassigned = before
        compiler.finals += 1
        final, final_goes_on = compiler.statement(finals[0])
        compiler.finals -= 1
        compiler.unassigned = after & compiler.unassigned
        return _finally(execute, final), goes_on and final_goes_on
    return execute, goes_on


def _catch(compiler: Compiler, node: Node, earlier: list[str]) -> tuple[str, int, Execute, bool]:
    body = node.child_by_field_name("body")
    assert body is not None  # noqa: S101 - the grammar has one
    declaration = next((child for child in children(node) if child.type == "catch_declaration"), None)
    if any(child.type == "catch_filter_clause" for child in children(node)):
        raise compiler.error(node, "when is not supported")
    name = "Exception"
    slot = compiler.function.slot()
    with compiler.block():
        bind: Execute | None = None
        if declaration is not None:
            type_node, name_node = declaration.child_by_field_name("type"), declaration.child_by_field_name("name")
            assert type_node is not None  # noqa: S101 - the grammar has one
            name = compiler.text(type_node).rpartition(".")[2]
            if name != "Exception" and name not in BASES:
                raise compiler.error(type_node, f"exception type {name} is not supported")
            if any(is_exception(name, other) for other in earlier):
                raise compiler.error(type_node, "a clause before catches it already")
            if name_node is not None:
                variable = compiler.declare(name_node, Type(name))
                bind = compiler.initial(variable, lambda frame: frame[slot])
        outer, compiler.handled = compiler.handled, slot
        run, goes_on = compiler.statement(body)
        compiler.handled = outer
    return name, slot, _bound(bind, run), goes_on


def _bound(bind: Execute | None, run: Execute) -> Execute:
    if bind is None:
        return run
    first = bind

    def execute(frame: Frame) -> object:
        first(frame)
        return run(frame)

    return execute


def _handled(run: Execute, handlers: list[tuple[str, int, Execute]]) -> Execute:
    def execute(frame: Frame) -> object:
        try:
            return run(frame)
        except StoppedError:
            raise
        except EvaluationError as error:
            caught = next((one for one in handlers if is_exception(error.exception, one[0])), None)
            if caught is None:
                raise
            frame[caught[1]] = error
        return caught[2](frame)

    return execute


def _finally(run: Execute, final: Execute) -> Execute:
    def execute(frame: Frame) -> object:
        try:
            result = run(frame)
        except StoppedError:
            raise
        except EvaluationError:
            final(frame)
            raise
        final(frame)
        return result

    return execute
