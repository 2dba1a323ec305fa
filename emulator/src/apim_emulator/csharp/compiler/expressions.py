"""Literals, names and operators, compiled once to closures; no Python code is generated or evaluated."""

import re
from collections.abc import Callable
from typing import Any

from tree_sitter import Node

from apim_emulator.csharp.compiler import conversions, operators
from apim_emulator.csharp.compiler.assignment import incremented
from apim_emulator.csharp.compiler.functions import is_function
from apim_emulator.csharp.compiler.operators import RefusedError, constant
from apim_emulator.csharp.compiler.scope import Compiler, rule
from apim_emulator.csharp.compiler.syntax import all_children, character_literal, children, string_literal
from apim_emulator.csharp.compiler.try_catch import thrown
from apim_emulator.csharp.runtime import system_convert
from apim_emulator.csharp.runtime.casts import is_instance
from apim_emulator.csharp.runtime.exceptions import EvaluationError
from apim_emulator.csharp.runtime.values import boxed, unboxed
from apim_emulator.csharp.types import RANGES, Frame, Type, Typed

_INTEGER = re.compile(r"(0[xX][0-9a-fA-F_]+|0[bB][01_]+|[0-9][0-9_]*)([uUlL]{0,2})", re.ASCII)
_REAL = re.compile(r"([0-9][0-9_]*)?(\.[0-9][0-9_]*)?([eE][+-]?[0-9]+)?[dD]?", re.ASCII)
_SUFFIXES = {
    "": ("int", "uint", "long", "ulong"),
    "u": ("uint", "ulong"),
    "l": ("long", "ulong"),
    "lu": ("ulong",),
}


@rule("string_literal", "verbatim_string_literal")
def _string(compiler: Compiler, node: Node) -> Typed:
    value = string_literal(compiler.text(node))
    if value is None:
        raise compiler.error(node, "this string literal is not supported")
    return constant(value, "string")


@rule("character_literal")
def _character(compiler: Compiler, node: Node) -> Typed:
    value = character_literal(compiler.text(node))
    if value is None:
        raise compiler.error(node, "this character literal is not supported")
    return constant(value, "char")


@rule("integer_literal")
def _integer(compiler: Compiler, node: Node) -> Typed:
    found = _INTEGER.fullmatch(compiler.text(node))
    names = None if found is None else _SUFFIXES.get("".join(sorted(found[2].lower())))
    if found is None or names is None:
        raise compiler.error(node, "this number is not supported")
    value = int(found[1].replace("_", ""), 0 if found[1][:2].lower() in {"0x", "0b"} else 10)
    for name in names:
        if value <= RANGES[name][1]:
            return constant(value, name)
    raise compiler.error(node, "this number is too large")


@rule("real_literal")
def _real(compiler: Compiler, node: Node) -> Typed:
    text = compiler.text(node)
    if not _REAL.fullmatch(text):
        raise compiler.error(node, "only numbers of type int, long and double are supported")
    value = float(text.rstrip("dD").replace("_", ""))
    if value == float("inf"):
        raise compiler.error(node, "this number is too large")
    return constant(value, "double")


@rule("boolean_literal")
def _boolean(compiler: Compiler, node: Node) -> Typed:
    return constant(compiler.text(node) == "true", "bool")


@rule("null_literal")
def _null(_compiler: Compiler, _node: Node) -> Typed:
    return Typed(Type.NULL, lambda _: None)


@rule("identifier")
def _identifier(compiler: Compiler, node: Node) -> Typed:
    name = compiler.text(node)
    variable = compiler.variable(name)
    if variable is not None:
        if is_function(variable):
            raise compiler.error(node, "a local function can only be called")
        return compiler.load(node, variable)
    if name == "context":
        return Typed(Type.CONTEXT, lambda frame: frame[0])
    raise compiler.error(node, f"name {name} is not supported here")


@rule("parenthesized_expression")
def _parenthesized(compiler: Compiler, node: Node) -> Typed:
    return compiler.expression(children(node)[0])


@rule("checked_expression")
def _unchecked(compiler: Compiler, node: Node) -> Typed:
    if compiler.text(node.children[0]) != "unchecked":
        raise compiler.error(node, "checked is not supported")
    return compiler.expression(children(node)[0])


@rule("default_expression")
def _default(compiler: Compiler, node: Node) -> Typed:
    type_node = node.child_by_field_name("type")
    if type_node is None:
        raise compiler.error(node, "default needs its type in parentheses")
    type_ = compiler.named_type(type_node)
    try:
        value = system_convert.zero(type_)
    except EvaluationError:
        raise compiler.error(node, f"default({type_}) is not supported") from None
    return Typed(type_, lambda _: value)


# Operators


@rule("binary_expression")
def _binary(compiler: Compiler, node: Node) -> Typed:
    left_node, operator, right_node = all_children(node)
    symbol = compiler.text(operator)
    if symbol in {"&&", "||"}:
        return _logic(compiler, left_node, symbol, right_node)
    left = compiler.expression(left_node)
    before, mark = compiler.unassigned, len(compiler.declared)
    if symbol == "??" and right_node.type == "throw_expression":
        return _or_throw(compiler, left, right_node)
    right = compiler.expression(right_node)
    if symbol == "??":
        compiler.unassigned = before | compiler.since(mark)
    try:
        found = operators.binary(symbol, left, right)
    except RefusedError as refused:
        raise compiler.error(operator, str(refused)) from None
    if found is None:
        raise compiler.error(operator, f"{left.type} {symbol} {right.type} is not supported")
    return found


def _logic(compiler: Compiler, left_node: Node, symbol: str, right_node: Node) -> Typed:
    left, left_true, left_false = compiler.condition(left_node)
    compiler.unassigned, mark = left_true if symbol == "&&" else left_false, len(compiler.declared)
    right, right_true, right_false = compiler.condition(right_node)
    skipped = compiler.since(mark)
    one, other = left.run, right.run
    if symbol == "&&":
        when = (right_true, left_false | skipped | right_false)
        compiler.unassigned = when[0] | when[1]
        folded = left.constant and right.constant if None not in {left.constant, right.constant} else None
        return Typed(Type.BOOL, lambda frame: one(frame) and other(frame), folded, when)
    when = (left_true | skipped | right_true, right_false)
    compiler.unassigned = when[0] | when[1]
    folded = left.constant or right.constant if None not in {left.constant, right.constant} else None
    return Typed(Type.BOOL, lambda frame: one(frame) or other(frame), folded, when)


def _or_throw(compiler: Compiler, left: Typed, node: Node) -> Typed:
    if not left.type.is_reference or left.type == Type.NULL:
        raise compiler.error(node, f"{left.type} ?? throw is not C#")
    one, other = left.run, thrown(compiler, node)

    def evaluate(frame: Frame) -> object:
        value = one(frame)
        if value is None:
            raise other(frame)
        return value

    return Typed(left.type.args[0] if left.type.is_nullable else left.type, evaluate)


@rule("prefix_unary_expression")
def _unary(compiler: Compiler, node: Node) -> Typed:
    operand_node = children(node)[0]
    symbol = compiler.text(node.children[0])
    literal = compiler.text(operand_node).lower()
    if symbol == "-" and literal == "2147483648":
        return constant(-(2**31), "int")
    if symbol == "-" and literal in {"9223372036854775808", "9223372036854775808l"}:
        return constant(-(2**63), "long")
    if symbol in {"++", "--"}:
        return incremented(compiler, operand_node, symbol, prefix=True)
    operand = compiler.expression(operand_node)
    try:
        found = operators.unary(symbol, operand)
    except RefusedError as refused:
        raise compiler.error(node, str(refused)) from None
    if found is None:
        raise compiler.error(node, f"{symbol} on {operand.type} is not supported")
    return found


@rule("conditional_expression")
def _conditional(compiler: Compiler, node: Node) -> Typed:
    condition_node, yes_node, no_node = children(node)
    condition, true, false = compiler.condition(condition_node)
    compiler.unassigned, start = true, len(compiler.declared)
    yes = compiler.expression(yes_node)
    after_yes, middle = compiler.unassigned, len(compiler.declared)
    compiler.unassigned = false | compiler.since(start)
    no = compiler.expression(no_node)
    compiler.unassigned |= after_yes | compiler.since(middle)
    one, other = conversions.converted(yes, no.type), conversions.converted(no, yes.type)
    if yes.type == no.type:
        one = yes
    elif (one is None) == (other is None):
        raise compiler.error(node, f"no common type of {yes.type} and {no.type}")
    chosen, rest = (one, no) if one is not None else (yes, other)
    if chosen is None or rest is None or chosen.type == Type.NULL:
        raise compiler.error(node, f"no common type of {yes.type} and {no.type}")
    test, when, otherwise = condition.run, chosen.run, rest.run
    folded = None
    if None not in {condition.constant, chosen.constant, rest.constant}:
        folded = chosen.constant if condition.constant else rest.constant
    return Typed(chosen.type, lambda frame: when(frame) if test(frame) else otherwise(frame), folded)


@rule("cast_expression")
def _cast(compiler: Compiler, node: Node) -> Typed:
    type_node, operand_node = children(node)
    target = compiler.named_type(type_node)
    operand = compiler.expression(operand_node)
    if (
        target.is_integral
        and isinstance(operand.constant, int | float)
        and not RANGES[target.name][0] <= operand.constant <= RANGES[target.name][1]
    ):
        raise compiler.error(node, f"this constant overflows {target}, an error in C#")
    try:
        found = conversions.compiled_cast(operand, target)
    except EvaluationError:
        raise compiler.error(node, f"this constant does not fit in {target}") from None
    if found is None:
        raise compiler.error(node, f"a cast from {operand.type} to {target} is not supported")
    return found


@rule("as_expression")
def _as(compiler: Compiler, node: Node) -> Typed:
    operand_node, _, type_node = all_children(node)
    target, operand = compiler.named_type(type_node), compiler.expression(operand_node)
    test = _test_of(operand.type, target)
    if not target.is_reference or test is None:
        raise compiler.error(node, f"{operand.type} as {target} is not supported")
    run = operand.run

    def evaluate(frame: Frame) -> object:
        value = run(frame)
        return unboxed(value) if test(value) else None

    return Typed(target, evaluate)


@rule("is_expression")
def _is(compiler: Compiler, node: Node) -> Typed:
    operand_node, _, type_node = all_children(node)
    return _type_test(compiler, compiler.expression(operand_node), type_node)


def _type_test(compiler: Compiler, operand: Typed, type_node: Node) -> Typed:
    target, run = compiler.named_type(type_node), operand.run
    test = _test_of(operand.type, target)
    if test is None:
        raise compiler.error(type_node, f"{operand.type} is {target} is not supported")
    return Typed(Type.BOOL, lambda frame: test(run(frame)))


def _test_of(source: Type, target: Type) -> Callable[[Any], bool] | None:
    """Tell how a value of a static type is tested for another; None where values cannot answer it."""
    inner = source.args[0] if source.is_nullable else source
    if inner in {target, target.args[0] if target.is_nullable else target} or source.refers_to(target):
        return None if source == Type.NULL else lambda value: value is not None
    if source == Type.OBJECT or any(
        source.base(root) is not None and target.base(root) is not None
        for root in ("JToken", "XObject", "AsymmetricAlgorithm")
    ):
        return lambda value: value is not None and is_instance(value, target)
    return None


@rule("is_pattern_expression")
def _is_pattern(compiler: Compiler, node: Node) -> Typed:
    operand_node, _, pattern = all_children(node)
    operand = compiler.expression(operand_node)
    if pattern.type == "declaration_pattern":
        return _declaration_pattern(compiler, operand, pattern)
    if pattern.type != "constant_pattern":
        raise compiler.error(pattern, f"{pattern.type.replace('_', ' ')} is not supported")
    constant_node = children(pattern)[0]
    inner = _tested(compiler, constant_node)
    if inner is not constant_node:
        compiler.known[inner.id] = _is_constant(compiler, operand, inner, pattern)
        return compiler.expression(constant_node)
    return _is_constant(compiler, operand, constant_node, pattern)


def _tested(compiler: Compiler, node: Node) -> Node:
    """Find what `is` tests: the grammar takes all of `x is T && y` after `is` for one constant."""
    first = node.child_by_field_name("left") or node.child_by_field_name("condition")
    sign = node.child_by_field_name("operator")
    if node.type == "conditional_expression" and first is not None:
        return _tested(compiler, first)
    if node.type == "binary_expression" and first is not None and sign is not None:
        return _tested(compiler, first) if compiler.text(sign) in _LOOSER else node
    return node


_LOOSER = {"&&", "||", "&", "|", "^", "==", "!=", "??"}
"""Operators that bind less than `is`."""


def _is_constant(compiler: Compiler, operand: Typed, constant_node: Node, pattern: Node) -> Typed:
    run = operand.run
    if constant_node.type == "identifier" and compiler.variable(compiler.text(constant_node)) is None:
        return _type_test(compiler, operand, constant_node)
    expected = compiler.expression(constant_node)
    if expected.type == Type.NULL and operand.type.is_reference:
        return Typed(Type.BOOL, lambda frame: run(frame) is None)
    value = expected.constant
    if value is None or operand.type not in {Type.OBJECT, expected.type} or expected.type == Type.DOUBLE:
        raise compiler.error(pattern, f"{operand.type} is {expected.type} constant is not supported")
    if operand.type != Type.OBJECT:
        return Typed(Type.BOOL, lambda frame: run(frame) == value)
    box = boxed(expected.type)
    expected_value = value if box is None else box(value)

    def evaluate(frame: Frame) -> bool:
        found = run(frame)
        return type(found) is type(expected_value) and found == expected_value

    return Typed(Type.BOOL, evaluate)


def _declaration_pattern(compiler: Compiler, operand: Typed, pattern: Node) -> Typed:
    type_node, name_node = children(pattern)
    if type_node.type == "implicit_type" or name_node.type != "identifier":
        raise compiler.error(pattern, "this pattern is not supported")
    target = compiler.named_type(type_node)
    test = _test_of(operand.type, target)
    if target.is_nullable or test is None:
        raise compiler.error(pattern, f"{operand.type} is {target} is not supported")
    before = compiler.unassigned
    variable = compiler.declare(name_node, target)
    unassigned = compiler.unassigned
    run = operand.run
    put = compiler.initial(variable, lambda frame: frame[holder])
    holder = compiler.function.slot()
    compiler.unassigned = unassigned

    def evaluate(frame: Frame) -> bool:
        value = run(frame)
        if not test(value):
            frame[variable.slot] = [None] if variable.shared else None
            return False
        frame[holder] = unboxed(value)
        put(frame)
        return True

    return Typed(Type.BOOL, evaluate, None, (before, unassigned))
