"""Members: properties, methods, indexers and what follows `?.`, looked up in the tables."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tree_sitter import Node

from apim_emulator.csharp.compiler import overloads
from apim_emulator.csharp.compiler.functions import compile_call
from apim_emulator.csharp.compiler.invocation import applied, called
from apim_emulator.csharp.compiler.overloads import Argument, Bound, Candidate
from apim_emulator.csharp.compiler.scope import Compiler, rule
from apim_emulator.csharp.compiler.syntax import all_children, children
from apim_emulator.csharp.library.sequences import sequence
from apim_emulator.csharp.library.table import (
    AMBIENT,
    BODIES,
    CONSTANTS,
    EXTENSIONS,
    INDEXERS,
    METHODS,
    PROPERTIES,
    STATICS,
    Member,
)
from apim_emulator.csharp.types import ALIASES, ENUMS, Frame, Type, Typed, parse, split_types, substituted

_CHAIN = {"member_access_expression", "invocation_expression", "element_access_expression"}


@rule("member_access_expression", "invocation_expression", "element_access_expression")
def _chain(compiler: Compiler, node: Node) -> Typed:
    """Compile a chain of members; where a receiver before `?.` is null, the whole chain is."""
    conditional = _first_conditional(compiler, node)
    if conditional is None:
        return _LINKS[node.type](compiler, node)
    receiver_node = children(conditional)[0]
    receiver = compiler.expression(receiver_node)
    if not receiver.type.is_reference or receiver.type == Type.NULL:
        raise compiler.error(receiver_node, f"?. on {receiver.type} is not C#")
    slot, run = compiler.function.slot(), receiver.run
    inner = receiver.type.args[0] if receiver.type.is_nullable else receiver.type
    compiler.bound[conditional.id] = Typed(inner, lambda frame: frame[slot])
    before, mark = compiler.unassigned, len(compiler.declared)
    rest = compiler.any_expression(node)
    compiler.unassigned = before | compiler.since(mark)
    go_on = rest.run

    def evaluate(frame: Frame) -> object:
        frame[slot] = value = run(frame)
        return None if value is None else go_on(frame)

    type_ = Type("?", (rest.type,)) if rest.type.is_value else rest.type
    return Typed(type_, evaluate)


def _first_conditional(compiler: Compiler, node: Node) -> Node | None:
    """Find the `?` that is evaluated first and whose receiver is not there yet."""
    found = None
    while node.type in _CHAIN and node.id not in compiler.bound:
        link = all_children(node)[1]
        place = link.start_byte
        if place in compiler.source.conditional and node.type != "invocation_expression":
            found = node
        node = children(node)[0]
    return found


def _receiver(compiler: Compiler, node: Node) -> Typed:
    """Compile what a link of a chain is asked of."""
    return compiler.bound.get(node.id) or compiler.expression(children(node)[0])


# Properties


def _member(compiler: Compiler, node: Node) -> Typed:
    receiver_node, name_node = children(node)
    static = static_name(compiler, receiver_node)
    if static is not None:
        return _static_property(compiler, name_node, static)
    return property_of(compiler, _receiver(compiler, node), name_node)


def property_of(compiler: Compiler, receiver: Typed, name_node: Node) -> Typed:
    """Read a property."""
    name = compiler.text(name_node)
    found = next(_members(PROPERTIES, receiver.type, name), None)
    if found is not None:
        one, bound = found[0]
        if receiver.type == Type.CONTEXT:
            compiler.named.add(name)
        if (message := BODIES.get(f"{receiver.type.name}.{name}")) is not None:
            compiler.reads.add(message)
        call, run = one.call, receiver.run
        reads = (lambda frame: call(run(frame))) if receiver.type.is_nullable else applied(receiver, call)
        return Typed(substituted(one.type, bound), reads)
    if receiver.type.name in {"()", "anonymous"} and name in receiver.type.names:
        place, values = receiver.type.names.index(name), receiver.run
        return Typed(receiver.type.args[place], lambda frame: values(frame)[place])
    raise compiler.error(name_node, f"{receiver.type} has no supported property {name}")


def _static_property(compiler: Compiler, name_node: Node, type_: str) -> Typed:
    name = f"{type_}.{compiler.text(name_node)}"
    if name in CONSTANTS:
        result, value = CONSTANTS[name]
        plain = isinstance(value, int | float | str | bool) and (result.is_numeric or result == Type.BOOL)
        plain = plain or result.name in ENUMS
        return Typed(result, lambda _: value, value if plain else None)
    if name in AMBIENT:
        result, call = AMBIENT[name]
        return Typed(result, lambda frame: call(frame[0]))
    raise compiler.error(name_node, f"{name} is not supported")


def static_name(compiler: Compiler, node: Node) -> str | None:
    """Tell which type a static member is asked of; None where the node is a value."""
    text = compiler.text(node)
    if node.type not in {"predefined_type", "identifier", "member_access_expression"}:
        return None
    if node.type == "identifier" and compiler.variable(text) is not None:
        return None
    try:
        name = parse(text).name
    except ValueError:
        return None
    name = ALIASES.get(name, name)
    known = name in STATICS or any(key.startswith(f"{name}.") for table in (CONSTANTS, AMBIENT) for key in table)
    return name if known else None


# Methods


def _invocation(compiler: Compiler, node: Node) -> Typed:
    function, arguments_node = children(node)
    if function.type == "identifier":
        return _called_by_name(compiler, node, function, arguments_node)
    if function.type != "member_access_expression":
        raise compiler.error(function, "only methods of supported types can be called")
    receiver_node, name_node = children(function)
    static = static_name(compiler, receiver_node)
    if static is not None:
        return _static_method(compiler, name_node, static, arguments_node)
    return method_of(compiler, _receiver(compiler, function), name_node, arguments_node)


def _called_by_name(compiler: Compiler, node: Node, function: Node, arguments_node: Node) -> Typed:
    name = compiler.text(function)
    variable = compiler.variable(name)
    if variable is not None and variable.type.name == "Func":
        nodes = []
        for argument in children(arguments_node):
            if len(argument.children) != 1:
                raise compiler.error(argument, "named, ref and out arguments are not supported here")
            nodes.append(argument.children[0])
        return compile_call(compiler, node, compiler.load(function, variable), nodes)
    if name == "nameof" and variable is None and len(children(arguments_node)) == 1:
        text = compiler.text(children(arguments_node)[0]).rpartition(".")[2]
        if compiler.variable(text) is None:
            raise compiler.error(node, "nameof is supported for local variables")
        return Typed(Type.STRING, lambda _: text, text)
    raise compiler.error(function, "only methods of supported types can be called")


def _split_name(compiler: Compiler, node: Node) -> tuple[str, tuple[Type, ...]]:
    """Take apart `Name<T>`, which is one identifier in the syntax tree."""
    name, bracket, types = compiler.text(node).partition("<")
    if not bracket or node.type != "identifier":
        return name, ()
    arguments = types.rstrip().removesuffix(">")
    return name.rstrip(), tuple(compiler.named_type(node, text.strip()) for text in split_types(arguments))


def method_of(compiler: Compiler, receiver: Typed, name_node: Node, arguments_node: Node) -> Typed:
    """Call a method of a value, or an extension method."""
    name, types = _split_name(compiler, name_node)
    arguments = compiled_arguments(compiler, arguments_node)
    members = [_with_types(group, types) for group in _members(METHODS, receiver.type, name)]
    for group in members:
        found = overloads.resolve(compiler, name_node, group, arguments)
        if found is not None:
            return Typed(found.result, called(compiler, name_node, found, arguments, receiver))
    extensions = _with_types([(one, {}) for one in EXTENSIONS.get(name, ())], types)
    if extensions and receiver.type.name not in {"JObject", "<null>"}:
        this = Argument(name_node, sequence(receiver))
        found = overloads.resolve(compiler, name_node, extensions, [this, *arguments])
        if found is not None:
            return Typed(found.result, called(compiler, name_node, found, [this, *arguments]))
    if not members and not extensions:
        raise compiler.error(name_node, f"{receiver.type} has no supported method {name}")
    raise _no_overload(compiler, name_node, name, arguments)


def _static_method(compiler: Compiler, name_node: Node, type_: str, arguments_node: Node) -> Typed:
    name, types = _split_name(compiler, name_node)
    arguments = compiled_arguments(compiler, arguments_node)
    full = f"{type_}.{name}"
    if f"{full}()" in AMBIENT and not arguments and not types:
        result, call = AMBIENT[f"{full}()"]
        return Typed(result, lambda frame: call(frame[0]))
    members = _with_types([(one, {}) for one in STATICS.get(type_, {}).get(name, ())], types)
    if not members:
        raise compiler.error(name_node, f"{full} is not supported")
    found = overloads.resolve(compiler, name_node, members, arguments)
    if found is None:
        raise _no_overload(compiler, name_node, full, arguments)
    return Typed(found.result, called(compiler, name_node, found, arguments))


def _no_overload(compiler: Compiler, node: Node, name: str, arguments: Sequence[Argument]) -> Exception:
    given = ", ".join("lambda" if one.value is None else str(one.value.type) for one in arguments)
    if name == "ToString" and not arguments:
        return compiler.error(node, "ToString() of this depends on the culture: give a format such as yyyy-MM-dd")
    return compiler.error(node, f"{name}({given}) is not supported")


def _with_types(members: Sequence[tuple[Member, Bound]], types: tuple[Type, ...]) -> list[tuple[Member, Bound]]:
    if not types:
        return list(members)
    return [
        (one, bound | dict(zip(one.generics, types, strict=True)))
        for one, bound in members
        if len(one.generics) == len(types)
    ]


def compiled_arguments(compiler: Compiler, node: Node) -> list[Argument]:
    """Compile the arguments of a call; lambdas wait."""
    return [_argument(compiler, argument) for argument in children(node)]


def _argument(compiler: Compiler, node: Node) -> Argument:
    if node.type != "argument":
        raise compiler.error(node, "this argument is not supported")
    name_node = node.child_by_field_name("name")
    name = "" if name_node is None else compiler.text(name_node)
    kind = compiler.text(node.children[0])
    value_node = children(node)[-1]
    if kind in {"ref", "in"}:
        raise compiler.error(node, "ref and in arguments are not supported")
    if kind == "out":
        if value_node.type == "declaration_expression":
            return Argument(value_node, None, name, None, value_node, is_out=True)
        variable = compiler.variable(compiler.text(value_node)) if value_node.type == "identifier" else None
        if variable is None or variable.fixed is not None:
            raise compiler.error(value_node, "out needs a local variable")
        return Argument(value_node, None, name, variable, is_out=True)
    if value_node.type == "lambda_expression":
        return Argument(value_node, None, name)
    return Argument(value_node, compiler.expression(value_node), name)


def _members(table: Any, type_: Type, name: str) -> Iterator[list[tuple[Member, Bound]]]:
    """Find members by name, those of the nearest base first."""
    for base in type_.lookup():
        found = table.get(base.name, {}).get(name)
        if found is not None:
            bound = bound_of(base)
            yield [(one, bound) for one in (found if isinstance(found, tuple) else (found,))]


_VARIABLES = {1: ("T",), 2: ("K", "V")}


def bound_of(type_: Type) -> Bound:
    """Name the type arguments of a receiver as the tables do: T, or K and V."""
    names = ("K", "T") if type_.name == "IGrouping" else _VARIABLES.get(len(type_.args), ())
    return dict(zip(names, type_.args, strict=False))


# Indexers


def _element(compiler: Compiler, node: Node) -> Typed:
    return _indexed(compiler, node, _receiver(compiler, node), children(node)[1])


def _indexed(compiler: Compiler, node: Node, receiver: Typed, arguments_node: Node) -> Typed:
    arguments = compiled_arguments(compiler, arguments_node)
    found = indexer(compiler, node, INDEXERS, receiver.type, arguments)
    if found is None:
        raise compiler.error(node, f"this index of {receiver.type} is not supported")
    return Typed(found.result, called(compiler, node, found, arguments, receiver))


def indexer(
    compiler: Compiler, node: Node, table: dict[str, tuple[Member, ...]], type_: Type, arguments: Sequence[Argument]
) -> Candidate | None:
    """Find the indexer that takes the arguments."""
    for base in type_.lookup():
        members = [(one, bound_of(base)) for one in table.get(base.name, ())]
        found = overloads.resolve(compiler, node, members, arguments) if members else None
        if found is not None:
            return found
    return None


_LINKS: dict[str, Callable[[Compiler, Node], Typed]] = {
    "member_access_expression": _member,
    "invocation_expression": _invocation,
    "element_access_expression": _element,
}
