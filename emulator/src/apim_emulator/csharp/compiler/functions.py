"""Lambdas, local functions and calls of them. Each call has a frame of its own; shared variables live in cells."""

from collections.abc import Callable
from typing import Any

from tree_sitter import Node

from apim_emulator.csharp.compiler.scope import Compiler, Execute, Function, Variable
from apim_emulator.csharp.compiler.syntax import children, steps_of
from apim_emulator.csharp.runtime.exceptions import EvaluationError
from apim_emulator.csharp.runtime.meter import spend
from apim_emulator.csharp.types import Frame, Run, Type, Typed

_LOCAL_FUNCTION = "it is a local function"


def is_function(variable: Variable) -> bool:
    """Whether a name stands for a local function."""
    return variable.fixed == _LOCAL_FUNCTION


def lambda_arity(node: Node) -> int:
    """Count the parameters of a lambda."""
    parameters = node.child_by_field_name("parameters")
    return 1 if parameters is None or parameters.type == "implicit_parameter" else len(children(parameters))


def compile_lambda(
    compiler: Compiler, node: Node, parameters: tuple[Type, ...], result: Type | None
) -> tuple[Run, Type]:
    """Compile a lambda whose parameters' types are known; None as the result infers it.

    The first of what it gives makes a Python function of the arguments.
    """
    parameter_node, body = node.child_by_field_name("parameters"), node.child_by_field_name("body")
    if parameter_node is None or body is None or any(child.type == "modifier" for child in node.children):
        raise compiler.error(node, "this lambda is not supported")
    names = [parameter_node] if parameter_node.type == "implicit_parameter" else children(parameter_node)
    with compiler.inside(node) as function:
        variables = [_parameter(compiler, name, type_) for name, type_ in zip(names, parameters, strict=True)]
        run, type_ = _body(compiler, function, body, result)
    return _creation(function, variables, run, steps_of(node)), type_


def _parameter(compiler: Compiler, node: Node, type_: Type) -> Variable:
    if node.type == "parameter":
        type_node, name_node = node.child_by_field_name("type"), node.child_by_field_name("name")
        if name_node is None or len(children(node)) != (1 if type_node is None else 2):
            raise compiler.error(node, "this parameter is not supported")
        if type_node is not None and compiler.named_type(type_node) != type_:
            raise compiler.error(node, f"the parameter is {type_} here")
        node = name_node
    variable = compiler.declare(node, type_)
    compiler.unassigned -= {variable}
    return variable


def _body(compiler: Compiler, function: Function, body: Node, result: Type | None) -> tuple[Run, Type]:
    if body.type != "block":
        expression = children(body)[0] if body.type == "arrow_expression_clause" else body
        found = compiler.any_expression(expression) if result in {None, Type.VOID} else compiler.expression(expression)
        if result == Type.VOID:
            return found.run, Type.VOID
        if result is not None:
            found = compiler.fitting(expression, found, result)
        if found.type in {Type.NULL, Type.VOID}:
            raise compiler.error(body, "the type of this lambda's result is not known")
        return found.run, found.type
    function.result = result
    execute, goes_on = compiler.statement(body)
    if result is None:
        types = set(function.returned)
        if len(types) != 1 or Type.NULL in types:
            raise compiler.error(body, "the type of this lambda's result is not known")
        result = types.pop()
    if goes_on and result != Type.VOID:
        raise compiler.error(body, "not every path ends with return")
    return (execute if result != Type.VOID else _without_result(execute)), result


def _without_result(execute: Execute) -> Run:
    def run(frame: Frame) -> None:
        execute(frame)

    return run


def _creation(function: Function, variables: list[Variable], body: Run, steps: int) -> Run:
    slots = [(variable.slot, variable.shared) for variable in variables]
    captured = function.captured

    def create(frame: Frame) -> Callable[..., Any]:
        base: Frame = [None] * function.size
        base[0] = frame[0]
        for outer, inner in captured:
            base[inner] = frame[outer]

        def call(*arguments: Any) -> Any:
            spend(steps)
            own = base.copy()
            for (slot, shared), argument in zip(slots, arguments, strict=True):
                own[slot] = [argument] if shared else argument
            return body(own)

        def call_one(argument: Any) -> Any:
            spend(steps)
            own = base.copy()
            own[place] = argument
            return body(own)

        if len(slots) == 1 and not slots[0][1]:
            place = slots[0][0]
            return call_one
        return call

    return create


def declare_group(compiler: Compiler, nodes: list[Node]) -> Callable[[Frame], None]:
    """Compile local functions that stand together; each can call the others."""
    declared = [(node, _signature(compiler, node)) for node in nodes]
    variables = []
    for node, type_ in declared:
        name = node.child_by_field_name("name")
        assert name is not None  # noqa: S101 - the grammar has one
        variable = compiler.declare(name, type_)
        variable.fixed = _LOCAL_FUNCTION
        variable.shared = True
        variables.append(variable)
    compiler.unassigned -= set(variables)
    creations = [
        (variable.slot, _local_function(compiler, node, type_))
        for variable, (node, type_) in zip(variables, declared, strict=True)
    ]

    def execute(frame: Frame) -> None:
        for slot, _ in creations:
            frame[slot] = [None]
        for slot, create in creations:
            frame[slot][0] = create(frame)

    return execute


def _signature(compiler: Compiler, node: Node) -> Type:
    type_node, parameters = node.child_by_field_name("type"), node.child_by_field_name("parameters")
    if type_node is None or parameters is None or node.child_by_field_name("type_parameters") is not None:
        raise compiler.error(node, "this local function is not supported")
    if any(child.type in {"modifier", "attribute_list"} for child in node.children):
        raise compiler.error(node, "modifiers of local functions are not supported")
    types = []
    for parameter in children(parameters):
        found = parameter.child_by_field_name("type")
        if found is None or len(children(parameter)) != 2 or parameter.type != "parameter":
            raise compiler.error(parameter, "this parameter is not supported")
        types.append(compiler.named_type(found))
    result = Type.VOID if compiler.text(type_node) == "void" else compiler.named_type(type_node)
    return Type("Func", (*types, result))


def _local_function(compiler: Compiler, node: Node, type_: Type) -> Run:
    parameters, body = node.child_by_field_name("parameters"), node.child_by_field_name("body")
    if parameters is None or body is None:
        raise compiler.error(node, "this local function is not supported")
    with compiler.inside(node) as function:
        variables = [
            _parameter(compiler, parameter, parameter_type)
            for parameter, parameter_type in zip(children(parameters), type_.args[:-1], strict=True)
        ]
        run, _ = _body(compiler, function, body, type_.args[-1])
    return _creation(function, variables, run, steps_of(node))


def compile_call(compiler: Compiler, node: Node, callee: Typed, arguments: list[Node]) -> Typed:
    """Call a local function or a `Func`."""
    *parameters, result = callee.type.args
    if len(parameters) != len(arguments):
        raise compiler.error(node, f"this takes {len(parameters)} arguments")
    run = callee.run
    runs = [
        compiler.converted(argument, parameter).run for argument, parameter in zip(arguments, parameters, strict=True)
    ]

    def evaluate(frame: Frame) -> Any:
        function = run(frame)
        if function is None:
            raise EvaluationError("NullReferenceException")
        return function(*[argument(frame) for argument in runs])

    return Typed(result, evaluate)
