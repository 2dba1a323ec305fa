"""Assignments: to variables, indexers and properties; compound ones, `++` and `--`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tree_sitter import Node

from apim_emulator.csharp.compiler import conversions, operators
from apim_emulator.csharp.compiler.invocation import applied, argument_runs
from apim_emulator.csharp.compiler.member_access import bound_of, compiled_arguments, indexer
from apim_emulator.csharp.compiler.operators import RefusedError
from apim_emulator.csharp.compiler.overloads import Argument, Candidate, bind
from apim_emulator.csharp.compiler.scope import Compiler, rule
from apim_emulator.csharp.compiler.syntax import all_children, children
from apim_emulator.csharp.library.table import INDEX_SETTERS, INDEXERS, SETTERS
from apim_emulator.csharp.runtime.exceptions import EvaluationError
from apim_emulator.csharp.types import Frame, Run, Type, Typed, substituted

Put = Callable[[Frame, object], object]


@dataclass(frozen=True, slots=True)
class Target:
    """What is assigned to: evaluated once, then read and written."""

    type: Type
    prepare: Run | None
    """Evaluates the object and the index, before the value."""
    load: Callable[[], Run]
    store: Callable[[], Put]


@rule("assignment_expression")
def _assignment(compiler: Compiler, node: Node) -> Typed:
    target_node, operator_node, value_node = all_children(node)
    symbol = compiler.text(operator_node)
    target = _target(compiler, target_node)
    if symbol == "=":
        value = compiler.converted(value_node, target.type)
        return Typed(target.type, _stored(target, value.run))
    return _compound(compiler, operator_node, target, symbol.removesuffix("="), compiler.expression(value_node))


def _compound(compiler: Compiler, node: Node, target: Target, symbol: str, value: Typed) -> Typed:
    old = Typed(target.type, target.load())
    try:
        found = operators.binary(symbol, old, value) if symbol not in {"??", "&&", "||"} else None
    except RefusedError as refused:
        raise compiler.error(node, str(refused)) from None
    if found is None:
        raise compiler.error(node, f"{target.type} {symbol}= {value.type} is not supported")
    result = conversions.converted(found, target.type)
    if result is None and (symbol in {"<<", ">>"} or conversions.converted(value, target.type) is not None):
        result = conversions.compiled_cast(found, target.type)
    if result is None:
        raise compiler.error(node, f"{target.type} {symbol}= {value.type} is not supported")
    return Typed(target.type, _stored(target, result.run))


@rule("postfix_unary_expression")
def _postfix(compiler: Compiler, node: Node) -> Typed:
    operand, operator = all_children(node)
    symbol = compiler.text(operator)
    if symbol not in {"++", "--"}:
        raise compiler.error(operator, f"{symbol} is not supported")
    return incremented(compiler, operand, symbol, prefix=False)


def incremented(compiler: Compiler, node: Node, symbol: str, *, prefix: bool) -> Typed:
    """Compile `++` and `--`."""
    target = _target(compiler, node)
    load = target.load()
    changed = operators.binary(symbol[0], Typed(target.type, load), operators.constant(1, "int"))
    cast = None if changed is None else conversions.compiled_cast(changed, target.type)
    if cast is None or not target.type.is_numeric:
        raise compiler.error(node, f"{symbol} on {target.type} is not supported")
    if prefix:
        return Typed(target.type, _stored(target, cast.run))
    return Typed(target.type, _stored(target, cast.run, load))


def _stored(target: Target, value: Run, gives: Run | None = None) -> Run:
    """Evaluate, store, and give the new value, or what was there before."""
    prepare, put = target.prepare, target.store()

    def execute(frame: Frame) -> object:
        if prepare is not None:
            prepare(frame)
        before = None if gives is None else gives(frame)
        after = value(frame)
        put(frame, after)
        return after if gives is None else before

    return execute


def _target(compiler: Compiler, node: Node) -> Target:
    if node.type == "identifier":
        return _variable(compiler, node)
    if any(place in range(node.start_byte, node.end_byte) for place in compiler.source.conditional):
        raise compiler.error(node, "?. cannot be assigned to")
    if node.type == "element_access_expression":
        receiver_node, arguments_node = children(node)
        return element(compiler, node, compiler.expression(receiver_node), arguments_node)
    if node.type == "member_access_expression":
        receiver_node, name_node = children(node)
        return member(compiler, compiler.expression(receiver_node), name_node)
    raise compiler.error(node, "this cannot be assigned to")


def _variable(compiler: Compiler, node: Node) -> Target:
    variable = compiler.variable(compiler.text(node))
    if variable is None:
        raise compiler.error(node, f"{compiler.text(node)} is not a local variable")
    if variable.fixed is not None:
        raise compiler.error(node, f"{variable.name} cannot be assigned to: {variable.fixed}")
    return Target(variable.type, None, lambda: compiler.load(node, variable).run, lambda: compiler.store(variable))


def element(compiler: Compiler, node: Node, receiver: Typed, arguments_node: Node) -> Target:
    """Make an indexer a target."""
    arguments = compiled_arguments(compiler, arguments_node)
    for base in receiver.type.lookup():
        for one in INDEX_SETTERS.get(base.name, ()):
            type_ = substituted(one.type, bound_of(base))
            value = Argument(node, Typed(type_, lambda frame: None))
            found = indexer(compiler, node, {base.name: (one,)}, base, [*arguments, value])
            if found is not None:
                reader = indexer(compiler, node, INDEXERS, receiver.type, arguments)
                return _element_target(compiler, node, receiver, found, reader)
    raise compiler.error(node, f"this index of {receiver.type} cannot be assigned to")


def _element_target(
    compiler: Compiler, node: Node, receiver: Typed, found: Candidate, reader: Candidate | None
) -> Target:
    slots = compiler.function.slot(), compiler.function.slot()
    load = None if reader is None else _reads(bind(reader), slots)
    return Target(
        found.types[-1],
        _prepared(receiver, argument_runs(found)[0], slots),
        lambda: load or _unreadable(compiler, node),
        lambda: _writes(bind(found), slots),
    )


def _unreadable(compiler: Compiler, node: Node) -> Run:
    raise compiler.error(node, "this index cannot be read")


def _prepared(receiver: Typed, key: Run, slots: tuple[int, int]) -> Run:
    run, (object_slot, key_slot) = receiver.run, slots

    def prepare(frame: Frame) -> None:
        value = run(frame)
        frame[key_slot] = key(frame)
        frame[object_slot] = value

    return prepare


def _reads(call: Callable[..., Any], slots: tuple[int, int]) -> Run:
    return applied(Typed(Type.OBJECT, lambda frame: frame[slots[0]]), call, lambda frame: frame[slots[1]])


def _writes(call: Callable[..., Any], slots: tuple[int, int]) -> Put:
    def put(frame: Frame, value: object) -> None:
        if frame[slots[0]] is None:
            raise EvaluationError("NullReferenceException")
        call(frame[slots[0]], frame[slots[1]], value)

    return put


def member(compiler: Compiler, receiver: Typed, name_node: Node) -> Target:
    """Make a property a target; only `=` is supported."""
    name = compiler.text(name_node)
    found = (SETTERS.get(base.name, {}).get(name) for base in receiver.type.lookup())
    one = next((setter for setter in found if setter is not None), None)
    if one is None:
        raise compiler.error(name_node, f"{name} of {receiver.type} cannot be assigned to")
    slot, run, call = compiler.function.slot(), receiver.run, one.call

    def prepare(frame: Frame) -> None:
        frame[slot] = run(frame)

    def put(frame: Frame, value: object) -> None:
        if frame[slot] is None:
            raise EvaluationError("NullReferenceException")
        call(frame[slot], value)

    return Target(one.type, prepare, lambda: _unreadable(compiler, name_node), lambda: put)
