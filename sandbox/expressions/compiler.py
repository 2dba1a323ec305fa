"""C# expressions compiled once to closures over the allow-list; no Python code is generated or evaluated."""

import re
from collections.abc import Callable
from typing import Any

from tree_sitter import Node

from sandbox.expressions import arithmetic, members
from sandbox.expressions.errors import EvaluationError, ExpressionError
from sandbox.expressions.syntax import Source, character_literal, children, string_literal
from sandbox.expressions.types import NAMED, Frame, Run, Type, Typed

_INTEGER = re.compile(r"0[xX][0-9a-fA-F]{1,8}|[0-9]{1,10}", re.ASCII)


class Compiler:
    """Compiles the expressions of one source; `statements` adds locals and blocks."""

    def __init__(self, source: Source) -> None:
        """Start with nothing in scope but `context`."""
        self.source = source
        self.scope: dict[str, tuple[Type, int]] = {}
        self.slots = 1
        self._receivers: list[Typed] = []

    def error(self, node: Node, reason: str) -> ExpressionError:
        """Make an error at a node."""
        return self.source.error(node, reason)

    def converted(self, node: Node, target: Type) -> Typed:
        """Compile an expression in a place that needs a type."""
        found = self.expression(node)
        if not found.type.converts_to(target):
            hint = f"; cast it with ({target})" if found.type is Type.OBJECT and target.value in NAMED else ""
            raise self.error(node, f"this is {found.type} where {target} is needed{hint}")
        return found

    def expression(self, node: Node) -> Typed:
        """Compile any expression.

        Raises `ExpressionError`: outside the allow-list, or not surely what C# does.
        """
        compile_ = _EXPRESSIONS.get(node.type)
        if compile_ is None:
            raise self.error(node, f"{node.type.replace('_', ' ')} is not supported")
        return compile_(self, node)

    def slot(self) -> int:
        """Reserve a place in the frame."""
        self.slots += 1
        return self.slots - 1

    def named_type(self, node: Node | None) -> Type:
        """Look up a type that an expression names."""
        name = "" if node is None else self.source.text(node)
        found = NAMED.get(members.ALIASES.get(name, name))
        if node is not None and found is None:
            raise self.error(node, f"type {name} is not supported; supported are {', '.join(NAMED)}")
        assert found is not None  # noqa: S101 - the grammar has a type wherever this is called
        return found

    # Leaves

    def _string(self, node: Node) -> Typed:
        value = string_literal(self.source.text(node))
        if value is None:
            raise self.error(node, "this string literal is not supported")
        return Typed(Type.STRING, lambda _: value)

    def _character(self, node: Node) -> Typed:
        value = character_literal(self.source.text(node))
        if value is None:
            raise self.error(node, "this character literal is not supported")
        return Typed(Type.CHAR, lambda _: value)

    def _integer(self, node: Node) -> Typed:
        text = self.source.text(node)
        value = int(text, 16 if text[:2].lower() == "0x" else 10) if _INTEGER.fullmatch(text) else None
        if value is None or value > arithmetic.MAXIMUM:
            raise self.error(node, "only integers that fit in int are supported")
        return constant(value)

    def _boolean(self, node: Node) -> Typed:
        value = self.source.text(node) == "true"
        return Typed(Type.BOOL, lambda _: value)

    def _null(self, _node: Node) -> Typed:
        return Typed(Type.NULL, lambda _: None)

    def _identifier(self, node: Node) -> Typed:
        name = self.source.text(node)
        if name in self.scope:
            type_, slot = self.scope[name]
            return Typed(type_, lambda frame: frame[slot])
        if name == "context":
            return Typed(Type.CONTEXT, lambda frame: frame[0])
        raise self.error(node, f"name {name} is not supported here")

    def _parenthesized(self, node: Node) -> Typed:
        return self.expression(children(node)[0])

    # Operators

    def _binary(self, node: Node) -> Typed:
        left_node, operator, right_node = _operands(node)
        symbol = self.source.text(operator)
        left, right = self.expression(left_node), self.expression(right_node)
        try:
            found = arithmetic.binary(symbol, left, right)
        except arithmetic.RefusedError as refused:
            raise self.error(operator, str(refused)) from None
        if found is None:
            raise self.error(operator, f"{left.type} {symbol} {right.type} is not supported")
        return found

    def _unary(self, node: Node) -> Typed:
        operand_node = children(node)[0]
        symbol = self.source.text(node.children[0])
        if symbol == "-" and self.source.text(operand_node) == "2147483648":
            return constant(arithmetic.MINIMUM)
        operand = self.expression(operand_node)
        run = operand.run
        if symbol == "!" and operand.type is Type.BOOL:
            return Typed(Type.BOOL, lambda frame: not run(frame))
        if symbol == "-" and operand.type is Type.INT:
            if operand.constant is not None and operand.constant != arithmetic.MINIMUM:
                return constant(-operand.constant)
            return Typed(Type.INT, lambda frame: arithmetic.wrapped(-run(frame)))
        raise self.error(node, f"{symbol} on {operand.type} is not supported")

    def _conditional(self, node: Node) -> Typed:
        condition_node, yes_node, no_node = children(node)
        condition = self.converted(condition_node, Type.BOOL).run
        yes, no = self.expression(yes_node), self.expression(no_node)
        type_ = no.type if yes.type.converts_to(no.type) else yes.type
        if not no.type.converts_to(type_) or type_ is Type.NULL:
            raise self.error(node, f"no common type of {yes.type} and {no.type}")
        when, otherwise = yes.run, no.run
        return Typed(type_, lambda frame: when(frame) if condition(frame) else otherwise(frame))

    def _cast(self, node: Node) -> Typed:
        target = self.named_type(node.child_by_field_name("type"))
        operand_node = children(node)[-1]
        operand = self.expression(operand_node)
        if operand.type.converts_to(target):
            return Typed(target, operand.run, operand.constant if target is Type.INT else None)
        if operand.type is not Type.OBJECT:
            raise self.error(node, f"a cast from {operand.type} to {target} is not supported")
        run = operand.run
        return Typed(target, lambda frame: members.cast(run(frame), target))

    def _as(self, node: Node) -> Typed:
        operand_node, _, type_node = _operands(node)
        target, operand = self.named_type(type_node), self.expression(operand_node)
        if operand.type is not Type.OBJECT or not target.is_reference:
            raise self.error(node, f"{operand.type} as {target} is not supported")
        run = operand.run

        def evaluate(frame: Frame) -> object:
            value = run(frame)
            return value if value is not None and members.is_instance(value, target) else None

        return Typed(target, evaluate)

    # Members

    def _member(self, node: Node) -> Typed:
        static = self._static_name(node)
        if static in members.CONSTANTS:
            type_, value = members.CONSTANTS[static]
            return constant(value) if isinstance(value, int) else Typed(type_, lambda _: value)
        receiver, name_node = self._receiver(node)
        name = self.source.text(name_node)
        found = members.PROPERTIES.get(receiver.type, {}).get(name)
        if found is None:
            raise self.error(name_node, f"{receiver.type} has no supported property {name}")
        return Typed(found.type, _applied(receiver.run, found.call))

    def _invocation(self, node: Node) -> Typed:
        function, arguments_node = children(node)
        nodes = self._arguments(arguments_node)
        if function.type not in {"member_access_expression", "member_binding_expression"}:
            raise self.error(function, "only methods of supported types can be called")
        arguments = [self.expression(argument) for argument in nodes]
        static = self._static_name(function)
        if static in members.STATICS:
            call = self._overload(function, static, members.STATICS[static], arguments)
            return Typed(call.type, _called(call.call, [argument.run for argument in arguments]))
        receiver, name_node = self._receiver(function)
        if receiver.type is Type.VARIABLES and self.source.text(name_node).startswith("GetValueOrDefault"):
            return self._variable(node, receiver, name_node, arguments)
        name = self.source.text(name_node)
        overloads = members.METHODS.get(receiver.type, {}).get(name)
        if overloads is None:
            raise self.error(name_node, f"{receiver.type} has no supported method {name}")
        call = self._overload(name_node, name, overloads, arguments)
        return Typed(call.type, _applied(receiver.run, call.call, *(argument.run for argument in arguments)))

    def _variable(self, node: Node, receiver: Typed, name_node: Node, arguments: list[Typed]) -> Typed:
        """`Variables.GetValueOrDefault<T>(name[, default])`; without `<T>` the default's type is T."""
        if name_node.type == "generic_name":
            name, types = children(name_node)
            if self.source.text(name) != "GetValueOrDefault" or len(children(types)) != 1:
                raise self.error(name_node, "this method is not supported")
            type_ = self.named_type(children(types)[0])
        elif len(arguments) == 2 and arguments[1].type.value in NAMED:
            type_ = arguments[1].type
        else:
            raise self.error(name_node, "the type of the variable is not known; write GetValueOrDefault<string>(...)")
        signatures = [(Type.STRING,), (Type.STRING, type_)]
        if not any(_accepts(signature, arguments) for signature in signatures):
            raise self.error(node, f"GetValueOrDefault<{type_}> takes a name and a default of that type")
        zero: object = {Type.INT: 0, Type.BOOL: False}.get(type_)
        variables, key = receiver.run, arguments[0].run
        default = arguments[1].run if len(arguments) == 2 else lambda _: zero
        return Typed(type_, lambda frame: members.variable(variables(frame), key(frame), type_, default(frame)))

    def _element(self, node: Node) -> Typed:
        receiver_node, arguments_node = children(node)
        receiver = self._chained(receiver_node)
        arguments = [self.expression(argument) for argument in self._arguments(arguments_node)]
        found = members.INDEXERS.get(receiver.type)
        if found is None or not _accepts(found.parameters, arguments):
            raise self.error(node, f"this index of {receiver.type} is not supported")
        return Typed(found.type, _applied(receiver.run, found.call, arguments[0].run))

    def _conditional_access(self, node: Node) -> Typed:
        """`a?.b`: null when `a` is null."""
        receiver_node, rest_node = children(node)
        receiver = self.expression(receiver_node)
        if not receiver.type.is_reference:
            raise self.error(receiver_node, f"?. on {receiver.type} is not C#")
        slot, run = self.slot(), receiver.run
        self._receivers.append(Typed(receiver.type, lambda frame: frame[slot]))
        rest = self.expression(rest_node)
        self._receivers.pop()
        if not rest.type.is_reference:
            raise self.error(rest_node, f"?. that gives a nullable {rest.type} is not supported")

        def evaluate(frame: Frame) -> object:
            frame[slot] = run(frame)
            return None if frame[slot] is None else rest.run(frame)

        return Typed(rest.type, evaluate)

    def _receiver(self, node: Node) -> tuple[Typed, Node]:
        if node.type == "member_binding_expression":
            return self._receivers[-1], children(node)[0]
        receiver, name = children(node)
        return self._chained(receiver), name

    def _chained(self, node: Node) -> Typed:
        """Compile what a member is read from.

        The grammar reads `a?.b.c` as `(a?.b).c`, which throws where C# gives null.
        """
        if node.type == "conditional_access_expression":
            raise self.error(node, "a longer chain after ?. is not supported; put it in parentheses or test for null")
        return self.expression(node)

    def _static_name(self, node: Node) -> str:
        if node.type != "member_access_expression":
            return ""
        receiver, name = (self.source.text(child) for child in children(node))
        return "" if receiver in self.scope else f"{members.ALIASES.get(receiver, receiver)}.{name}"

    def _arguments(self, node: Node) -> list[Node]:
        found = []
        for argument in children(node):
            if argument.type != "argument" or len(argument.children) != 1:
                raise self.error(argument, "named, ref and out arguments are not supported")
            found.append(argument.children[0])
        return found

    def _overload(
        self, node: Node, name: str, overloads: tuple[members.Member, ...], arguments: list[Typed]
    ) -> members.Member:
        for overload in overloads:
            if _accepts(overload.parameters, arguments):
                return overload
        given = ", ".join(argument.type for argument in arguments)
        raise self.error(node, f"{name}({given}) is not supported")


def constant(value: int) -> Typed:
    """Make an `int` that C# knows at compile time."""
    return Typed(Type.INT, lambda _: value, value)


def _operands(node: Node) -> tuple[Node, Node, Node]:
    left, operator, right = (child for child in node.children if child.type != "comment")
    return left, operator, right


def _accepts(parameters: tuple[Type, ...], arguments: list[Typed]) -> bool:
    return len(parameters) == len(arguments) and all(
        argument.type.converts_to(parameter) for parameter, argument in zip(parameters, arguments, strict=True)
    )


def _applied(receiver: Run, call: Callable[..., Any], *arguments: Run) -> Run:
    """Call a member of a value; a null value throws."""

    def evaluate(frame: Frame) -> object:
        value = receiver(frame)
        if value is None:
            raise EvaluationError("NullReferenceException")
        return call(value, *[argument(frame) for argument in arguments])

    return evaluate


def _called(call: Callable[..., Any], arguments: list[Run]) -> Run:
    return lambda frame: call(*[argument(frame) for argument in arguments])


_EXPRESSIONS: dict[str, Callable[[Compiler, Node], Typed]] = {
    "string_literal": Compiler._string,
    "verbatim_string_literal": Compiler._string,
    "character_literal": Compiler._character,
    "integer_literal": Compiler._integer,
    "boolean_literal": Compiler._boolean,
    "null_literal": Compiler._null,
    "identifier": Compiler._identifier,
    "parenthesized_expression": Compiler._parenthesized,
    "binary_expression": Compiler._binary,
    "prefix_unary_expression": Compiler._unary,
    "conditional_expression": Compiler._conditional,
    "cast_expression": Compiler._cast,
    "as_expression": Compiler._as,
    "member_access_expression": Compiler._member,
    "member_binding_expression": Compiler._member,
    "invocation_expression": Compiler._invocation,
    "element_access_expression": Compiler._element,
    "conditional_access_expression": Compiler._conditional_access,
}
