"""`new`: objects, arrays, anonymous objects, tuples, and their initializers."""

from collections.abc import Callable
from typing import Any

from tree_sitter import Node

from apim_emulator.csharp.compiler import assignment, conversions, overloads
from apim_emulator.csharp.compiler.invocation import argument_runs
from apim_emulator.csharp.compiler.member_access import bound_of, compiled_arguments
from apim_emulator.csharp.compiler.overloads import Argument
from apim_emulator.csharp.compiler.scope import Compiler, rule
from apim_emulator.csharp.compiler.syntax import children
from apim_emulator.csharp.library.table import CONSTRUCTORS, METHODS
from apim_emulator.csharp.runtime.exceptions import EvaluationError, StoppedError
from apim_emulator.csharp.runtime.meter import MAX_LENGTH, elements
from apim_emulator.csharp.runtime.system_convert import zero
from apim_emulator.csharp.runtime.values import Anonymous, Array
from apim_emulator.csharp.types import Frame, Run, Type, Typed, array

Fill = Callable[[Frame, Any], None]
"""Part of an initializer: puts something into the new object."""


@rule("object_creation_expression")
def _object(compiler: Compiler, node: Node) -> Typed:
    type_node = node.child_by_field_name("type")
    arguments_node = node.child_by_field_name("arguments")
    initializer = node.child_by_field_name("initializer")
    if type_node is None:
        raise compiler.error(node, "this creation is not supported")
    if arguments_node is None and initializer is None:
        raise compiler.error(node, "new needs its arguments in parentheses, or an initializer")
    type_ = compiler.named_type(type_node)
    arguments = [] if arguments_node is None else compiled_arguments(compiler, arguments_node)
    members = [(one, bound_of(type_)) for one in CONSTRUCTORS.get(type_.name, ())]
    if not members:
        raise compiler.error(node, f"new {type_} is not supported")
    found = overloads.resolve(compiler, node, members, arguments)
    if found is None:
        raise compiler.error(node, f"new {type_} with these arguments is not supported")
    call, runs = overloads.bind(found), argument_runs(found)
    if found.member.takes_types or found.member.name != "new":
        raise compiler.error(node, f"new {type_} is not supported")
    create = _creates(call, type_, runs)
    if initializer is None:
        return Typed(type_, create)
    slot = compiler.function.slot()
    fills = _fills(compiler, initializer, Typed(type_, lambda frame: frame[slot]))

    def evaluate(frame: Frame) -> object:
        value = create(frame)
        for fill in fills:
            frame[slot] = value
            fill(frame, value)
        return value

    return Typed(type_, evaluate)


def _creates(call: Callable[..., Any], type_: Type, runs: list[Run]) -> Run:
    """Call a constructor; those of generic types get the type first."""
    if type_.args:
        return lambda frame: call(type_, *[run(frame) for run in runs])
    return lambda frame: call(*[run(frame) for run in runs])


def _fills(compiler: Compiler, node: Node, new: Typed) -> list[Fill]:
    fills = []
    for part in children(node):
        if part.type == "assignment_expression":
            fills.append(_assigned(compiler, part, new))
        elif part.type == "initializer_expression":
            fills.append(_added(compiler, part, new, children(part)))
        else:
            fills.append(_added(compiler, part, new, [part]))
    return fills


def _assigned(compiler: Compiler, node: Node, new: Typed) -> Fill:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None or right is None or right.type == "initializer_expression":
        raise compiler.error(node, "this initializer is not supported")
    if left.type == "element_binding_expression":
        target = assignment.element(compiler, node, new, left)
    elif left.type == "identifier":
        target = assignment.member(compiler, new, left)
    else:
        raise compiler.error(left, "this initializer is not supported")
    value = compiler.converted(right, target.type).run
    prepare, put = target.prepare, target.store()

    def fill(frame: Frame, _value: object) -> None:
        if prepare is not None:
            prepare(frame)
        put(frame, value(frame))

    return fill


def _added(compiler: Compiler, node: Node, new: Typed, values: list[Node]) -> Fill:
    arguments = [Argument(value, compiler.expression(value)) for value in values]
    for base in new.type.lookup():
        members = [(one, bound_of(base)) for one in METHODS.get(base.name, {}).get("Add", ())]
        found = overloads.resolve(compiler, node, members, arguments) if members else None
        if found is not None:
            call, runs = overloads.bind(found), argument_runs(found)
            return lambda _frame, value: call(value, *[run(_frame) for run in runs]) and None
    raise compiler.error(node, f"{new.type} has no supported Add for this")


# Arrays


@rule("array_creation_expression")
def _array(compiler: Compiler, node: Node) -> Typed:
    type_node, *rest = children(node)
    initializer = rest[0] if rest else None
    element_node, rank = type_node.child_by_field_name("type"), type_node.child_by_field_name("rank")
    if element_node is None or rank is None or element_node.type == "array_type":
        raise compiler.error(node, "this array is not supported")
    element, sizes = compiler.named_type(element_node), children(rank)
    if compiler.text(rank).count(",") or len(sizes) > 1:
        raise compiler.error(rank, "arrays of several dimensions are not supported")
    if initializer is not None:
        found = _items(compiler, initializer, element)
        if sizes:
            raise compiler.error(rank, "leave out the size of an array with its items")
        return found
    if not sizes:
        raise compiler.error(node, "the array needs a size or items")
    size = compiler.converted(sizes[0], Type.INT).run
    try:
        value = zero(element)
    except EvaluationError:
        raise compiler.error(node, f"an array of {element} is not supported") from None

    def evaluate(frame: Frame) -> Array:
        count = size(frame)
        if count < 0:
            raise EvaluationError("OverflowException")
        if count > MAX_LENGTH:
            raise StoppedError("InsufficientMemoryException", "an array that is too large")
        return Array(element, [value] * count)

    return Typed(array(element), evaluate)


def _items(compiler: Compiler, node: Node, element: Type) -> Typed:
    runs = [compiler.converted(item, element).run for item in children(node)]
    return Typed(array(element), lambda frame: Array(element, [run(frame) for run in runs]))


@rule("implicit_array_creation_expression")
def _implicit_array(compiler: Compiler, node: Node) -> Typed:
    initializer = children(node)[-1]
    if initializer.type != "initializer_expression":
        raise compiler.error(node, "this array is not supported")
    items = [compiler.expression(item) for item in children(initializer)]
    candidates = [
        item.type
        for item in items
        if item.type != Type.NULL and all(conversions.converted(other, item.type) is not None for other in items)
    ]
    if not candidates or len(set(candidates)) > 1:
        raise compiler.error(node, "the items have no common type")
    element = candidates[0]
    found = [conversions.converted(item, element) for item in items]
    runs = [item.run for item in found if item is not None]
    return Typed(array(element), lambda frame: Array(element, [run(frame) for run in runs]))


def initialized_array(compiler: Compiler, node: Node, type_: Type) -> Typed:
    """Compile `{ 1, 2 }` in the declaration of an array."""
    return _items(compiler, node, type_.args[0])


# Anonymous objects and tuples


@rule("anonymous_object_creation_expression")
def _anonymous(compiler: Compiler, node: Node) -> Typed:
    names, values = [], []
    pieces: list[list[Node]] = [[]]
    for child in node.children[2:-1]:
        if child.type == ",":
            pieces.append([])
        elif child.type != "comment":
            pieces[-1].append(child)
    for piece in filter(None, pieces):
        if len(piece) == 3 and piece[1].type == "=":
            names.append(compiler.text(piece[0]))
        elif len(piece) == 1 and piece[0].type in {"identifier", "member_access_expression"}:
            names.append(compiler.text(piece[0]).rpartition(".")[2])
        else:
            raise compiler.error(piece[0], "this member needs a name")
        values.append(compiler.expression(piece[-1]))
    if len(set(names)) != len(names) or any(value.type == Type.NULL for value in values):
        raise compiler.error(node, "members need different names and a type")
    boxes = [conversions.implicit(value.type, Type.OBJECT) for value in values]
    if None in boxes:
        raise compiler.error(node, "a member of this type is not supported")
    type_ = Type("anonymous", tuple(value.type for value in values), tuple(names))
    runs = [value.run for value in values]

    def evaluate(frame: Frame) -> Anonymous:
        elements(len(runs))
        return Anonymous(type_, [run(frame) for run in runs])

    return Typed(type_, evaluate)


@rule("tuple_expression")
def _tuple(compiler: Compiler, node: Node) -> Typed:
    names, values = [], []
    for place, argument in enumerate(children(node)):
        name_node = argument.child_by_field_name("name")
        names.append(f"Item{place + 1}" if name_node is None else compiler.text(name_node))
        values.append(compiler.expression(children(argument)[-1]))
    if any(value.type == Type.NULL for value in values) or len(values) > 7:
        raise compiler.error(node, "this tuple is not supported")
    runs = [value.run for value in values]
    type_ = Type("()", tuple(value.type for value in values), tuple(names))
    return Typed(type_, lambda frame: tuple(run(frame) for run in runs))
