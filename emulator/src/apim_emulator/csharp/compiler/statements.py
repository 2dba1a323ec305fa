"""Statements: blocks, declarations, branches and loops."""

from collections.abc import Callable, Sequence

from tree_sitter import Node

from apim_emulator.csharp.compiler import conversions
from apim_emulator.csharp.compiler.creation import initialized_array
from apim_emulator.csharp.compiler.functions import declare_group
from apim_emulator.csharp.compiler.scope import Compiler, Execute, statement_rule
from apim_emulator.csharp.compiler.syntax import children, steps_of
from apim_emulator.csharp.library.sequences import element_type, enumerated, sequence
from apim_emulator.csharp.runtime.exceptions import EvaluationError
from apim_emulator.csharp.runtime.meter import spend
from apim_emulator.csharp.types import Frame, Type, Typed, Unassigned


class _Signal:
    """Marks how a statement ended, other than by `return`."""


ON = _Signal()
BREAK = _Signal()
CONTINUE = _Signal()

_NOTHING: Unassigned = frozenset()
_VALUELESS = {
    "assignment_expression",
    "invocation_expression",
    "postfix_unary_expression",
    "prefix_unary_expression",
    "object_creation_expression",
}


@statement_rule("block", "checked_statement")
def _block(compiler: Compiler, node: Node) -> tuple[Execute, bool]:
    if node.type == "checked_statement":
        if compiler.text(node.children[0]) != "unchecked":
            raise compiler.error(node, "checked is not supported")
        return compiler.statement(children(node)[0])
    with compiler.block():
        return _sequence(compiler, children(node))


def _sequence(compiler: Compiler, nodes: list[Node]) -> tuple[Execute, bool]:
    runs: list[Execute] = []
    reachable = True
    place = 0
    while place < len(nodes):
        node = nodes[place]
        place += 1
        if node.type == "local_function_statement":
            group = [node]
            while place < len(nodes) and nodes[place].type == "local_function_statement":
                group.append(nodes[place])
                place += 1
            runs.append(_quiet(declare_group(compiler, group)))
            continue
        run, goes_on = compiler.statement(node)
        if not goes_on:
            reachable, compiler.unassigned = False, _NOTHING
        runs.append(run)
    return _in_order(runs), reachable


def _quiet(run: Callable[[Frame], None]) -> Execute:
    def execute(frame: Frame) -> object:
        run(frame)
        return ON

    return execute


def _in_order(runs: Sequence[Execute]) -> Execute:
    if len(runs) == 1:
        return runs[0]

    def execute(frame: Frame) -> object:
        for run in runs:
            value = run(frame)
            if value is not ON:
                return value
        return ON

    return execute


def _embedded(compiler: Compiler, node: Node) -> tuple[Execute, bool]:
    """Compile the statement of an `if` or a loop."""
    if node.type in {"local_declaration_statement", "local_function_statement"}:
        raise compiler.error(node, "a declaration needs a block around it")
    with compiler.block():
        return compiler.statement(node)


@statement_rule("empty_statement")
def _empty(_compiler: Compiler, _node: Node) -> tuple[Execute, bool]:
    return lambda _: ON, True


@statement_rule("return_statement")
def _return(compiler: Compiler, node: Node) -> tuple[Execute, bool]:
    function, values = compiler.function, children(node)
    if compiler.finals:
        raise compiler.error(node, "return is not C# in a finally clause")
    if not values:
        if function.result != Type.VOID:
            raise compiler.error(node, "return needs a value here")
        return lambda _: None, False
    if function.result == Type.VOID:
        raise compiler.error(node, "return has no value here")
    found = compiler.expression(values[0])
    if function.result is not None:
        found = compiler.fitting(values[0], found, function.result)
    function.returned.append(found.type)
    return found.run, False


@statement_rule("expression_statement")
def _expression(compiler: Compiler, node: Node) -> tuple[Execute, bool]:
    inner = children(node)[0]
    if inner.type not in _VALUELESS or (
        inner.type == "prefix_unary_expression" and compiler.text(inner.children[0]) not in {"++", "--"}
    ):
        raise compiler.error(inner, "this is not a statement")
    return _quiet(compiler.any_expression(inner).run), True


# Declarations


@statement_rule("local_declaration_statement")
def _declaration_statement(compiler: Compiler, node: Node) -> tuple[Execute, bool]:
    *modifiers, declaration = children(node)
    words = [compiler.text(modifier) for modifier in modifiers]
    if words not in ([], ["const"]) or declaration.type != "variable_declaration":
        raise compiler.error(node, "this declaration is not supported")
    if len(node.children) > len(children(node)) + 1:
        raise compiler.error(node, "using declarations are not C# 7")
    return _declaration(compiler, declaration, constant=bool(words)), True


def _declaration(compiler: Compiler, node: Node, *, constant: bool = False) -> Execute:
    type_node, *declarators = children(node)
    implicit = type_node.type == "implicit_type"
    if implicit and (len(declarators) != 1 or constant):
        raise compiler.error(node, "var declares one variable")
    runs: list[Execute] = []
    for declarator in declarators:
        name_node, *values = children(declarator)
        if name_node.type != "identifier" or len(values) > 1:
            raise compiler.error(declarator, "this declaration is not supported")
        if not values:
            if implicit or constant:
                raise compiler.error(declarator, "this needs a value")
            _valueless(compiler, name_node, compiler.named_type(type_node), runs)
        else:
            type_ = None if implicit else compiler.named_type(type_node)
            runs.append(_initialized(compiler, name_node, type_, values[0], constant))
    return _in_order(runs)


def _valueless(compiler: Compiler, name_node: Node, type_: Type, runs: list[Execute]) -> None:
    variable = compiler.declare(name_node, type_)
    slot = variable.slot
    if variable.shared:

        def execute(frame: Frame) -> object:
            frame[slot] = [None]
            return ON

        runs.append(execute)
    else:
        runs.append(lambda _: ON)


def _initialized(compiler: Compiler, name_node: Node, type_: Type | None, value_node: Node, constant: bool) -> Execute:
    if value_node.type == "lambda_expression":
        return _function_variable(compiler, name_node, type_, value_node)
    # The name is in scope already, without a value.
    if value_node.type == "initializer_expression":
        if type_ is None or type_.name != "[]":
            raise compiler.error(value_node, "this initializer is not supported")
        value = initialized_array(compiler, value_node, type_)
    else:
        value = compiler.expression(value_node)
    if type_ is not None:
        value = compiler.fitting(value_node, value, type_)
    if value.type == Type.NULL:
        raise compiler.error(value_node, "var has no type here")
    variable = compiler.declare(name_node, value.type)
    if constant:
        if value.constant is None:
            raise compiler.error(value_node, "this is no constant")
        variable.constant, variable.fixed = value.constant, "it is a constant"
    return _quiet(compiler.initial(variable, value.run))


def _function_variable(compiler: Compiler, name_node: Node, type_: Type | None, node: Node) -> Execute:
    from apim_emulator.csharp.compiler.functions import compile_lambda, lambda_arity  # noqa: PLC0415

    if type_ is None or type_.name != "Func" or lambda_arity(node) != len(type_.args) - 1:
        raise compiler.error(node, "declare the lambda as a Func with its types")
    run, _ = compile_lambda(compiler, node, type_.args[:-1], type_.args[-1])
    variable = compiler.declare(name_node, type_)
    return _quiet(compiler.initial(variable, run))


_DISPOSABLE = {"AsymmetricAlgorithm", "HashAlgorithm", "X509Certificate"}


@statement_rule("using_statement")
def _using(compiler: Compiler, node: Node) -> tuple[Execute, bool]:
    """Compile `using (var x = ...)`; nothing that is supported does anything when it is disposed of."""
    declaration, body = children(node)
    if declaration.type != "variable_declaration":
        raise compiler.error(node, "only using (var x = ...) is supported")
    with compiler.block():
        first = _declaration(compiler, declaration)
        name_node = children(children(declaration)[1])[0]
        variable = compiler.variable(compiler.text(name_node))
        if variable is None or not any(one.name in _DISPOSABLE for one in variable.type.bases()):
            raise compiler.error(declaration, "only hash algorithms, keys and certificates can be disposed of")
        variable.fixed = "it is the variable of a using statement"
        run, goes_on = _embedded(compiler, body)
    return _in_order([first, run]), goes_on


# Branches


@statement_rule("if_statement")
def _if(compiler: Compiler, node: Node) -> tuple[Execute, bool]:
    condition_node, yes_node, *no_nodes = children(node)
    condition, true, false = compiler.condition(condition_node)
    test = condition.run
    compiler.unassigned = true
    yes, yes_goes_on = _embedded(compiler, yes_node)
    after = compiler.unassigned if yes_goes_on else _NOTHING
    compiler.unassigned = false
    no, no_goes_on = _embedded(compiler, no_nodes[0]) if no_nodes else ((lambda _: ON), True)
    compiler.unassigned = after | (compiler.unassigned if no_goes_on else _NOTHING)
    return lambda frame: yes(frame) if test(frame) else no(frame), yes_goes_on or no_goes_on


@statement_rule("switch_statement")
def _switch(compiler: Compiler, node: Node) -> tuple[Execute, bool]:
    value_node, body = children(node)
    value = compiler.expression(value_node)
    run, before = value.run, compiler.unassigned
    places: dict[object, int] = {}
    default: int | None = None
    bodies: list[Execute] = []
    goes_on, after = False, _NOTHING
    with compiler.block(), compiler.loop(is_switch=True) as loop:
        for section in children(body):
            labels, statements = _labels(compiler, section)
            for label in labels:
                if label is None:
                    if default is not None:
                        raise compiler.error(section, "default appears twice")
                    default = len(bodies)
                    continue
                constant = _label(compiler, label, value.type)
                if constant in places:
                    raise compiler.error(label, "this case appears twice")
                places[constant] = len(bodies)
            if not statements:
                continue
            compiler.unassigned = before
            section_run, section_goes_on = _sequence(compiler, statements)
            if section_goes_on:
                raise compiler.error(section, "a section must end with break, return, continue or throw")
            bodies.append(section_run)
        if default is None:
            goes_on, after = True, before
        goes_on = goes_on or bool(loop.breaks)
        for state in loop.breaks:
            after |= state
    compiler.unassigned = after
    if len(bodies) <= max([*places.values(), default or 0], default=-1):
        raise compiler.error(node, "the last section has no statements")
    chosen = default

    def execute(frame: Frame) -> object:
        place = places.get(run(frame), chosen)
        result = ON if place is None else bodies[place](frame)
        return ON if result is BREAK else result

    return execute, goes_on


def _labels(compiler: Compiler, section: Node) -> tuple[list[Node | None], list[Node]]:
    word = section.children[0].type
    if word == "default":
        return [None], children(section)
    pattern, *statements = children(section)
    if word != "case" or pattern.type != "constant_pattern" or any(one.type == "when_clause" for one in statements):
        raise compiler.error(section, "only cases with constants are supported")
    return [children(pattern)[0]], statements


def _label(compiler: Compiler, node: Node, type_: Type) -> object:
    found = compiler.expression(node)
    if found.type == Type.NULL and (type_ == Type.STRING or type_.is_nullable):
        return None
    type_ = type_.args[0] if type_.is_nullable else type_
    converted = conversions.converted(found, type_)
    if converted is None or converted.constant is None or type_ in {Type.DOUBLE, Type.OBJECT}:
        raise compiler.error(node, f"a case of {type_} must be a constant of that type")
    constant: object = converted.constant
    return constant


# Loops


@statement_rule("break_statement")
def _break(compiler: Compiler, node: Node) -> tuple[Execute, bool]:
    loop = compiler.loops[-1] if compiler.loops else None
    if loop is None or compiler.finals:
        raise compiler.error(node, "break is not C# here")
    loop.breaks.append(compiler.unassigned)
    return lambda _: BREAK, False


@statement_rule("continue_statement")
def _continue(compiler: Compiler, node: Node) -> tuple[Execute, bool]:
    if compiler.finals or all(loop.is_switch for loop in compiler.loops):
        raise compiler.error(node, "continue is not C# here")
    return lambda _: CONTINUE, False


def _after(breaks: list[Unassigned], state: Unassigned) -> Unassigned:
    for one in breaks:
        state |= one
    return state


@statement_rule("while_statement")
def _while(compiler: Compiler, node: Node) -> tuple[Execute, bool]:
    condition_node, body_node = children(node)
    with compiler.block():
        condition, true, false = compiler.condition(condition_node)
        compiler.unassigned = true
        with compiler.loop() as loop:
            body, _ = _embedded(compiler, body_node)
        endless = condition.constant is True
        compiler.unassigned = _after(loop.breaks, _NOTHING if endless else false)
    return _looped(condition.run, body, lambda _: None, steps_of(node)), not endless or bool(loop.breaks)


def _looped(test: Execute, body: Execute, update: Execute, steps: int) -> Execute:
    def execute(frame: Frame) -> object:
        while test(frame):
            spend(steps)
            value = body(frame)
            if value is not ON and value is not CONTINUE:
                return ON if value is BREAK else value
            update(frame)
        return ON

    return execute


@statement_rule("do_statement")
def _do(compiler: Compiler, node: Node) -> tuple[Execute, bool]:
    body_node, condition_node = children(node)
    with compiler.block():
        before = compiler.unassigned
        with compiler.loop() as loop:
            body, goes_on = _embedded(compiler, body_node)
        if not goes_on:
            compiler.unassigned = before
        condition, _, false = compiler.condition(condition_node)
        compiler.unassigned = _after(loop.breaks, false)
    test, steps = condition.run, steps_of(node)

    def execute(frame: Frame) -> object:
        while True:
            spend(steps)
            value = body(frame)
            if value is not ON and value is not CONTINUE:
                return ON if value is BREAK else value
            if not test(frame):
                return ON

    return execute, condition.constant is not True or bool(loop.breaks)


@statement_rule("for_statement")
def _for(compiler: Compiler, node: Node) -> tuple[Execute, bool]:
    body_node, condition_node = node.child_by_field_name("body"), node.child_by_field_name("condition")
    assert body_node is not None  # noqa: S101 - the grammar has one
    with compiler.block():
        first = [_first(compiler, one) for one in node.children_by_field_name("initializer") if one.type != ","]
        test: Execute = lambda _: True  # noqa: E731 - no condition
        endless, false = True, _NOTHING
        if condition_node is not None:
            condition, true, false = compiler.condition(condition_node)
            compiler.unassigned = true
            test, endless = condition.run, condition.constant is True
        state = compiler.unassigned
        with compiler.loop() as loop:
            body, _ = _embedded(compiler, body_node)
        after_body, compiler.unassigned = compiler.unassigned, state
        updates = [compiler.any_expression(one).run for one in node.children_by_field_name("update") if one.type != ","]
        del after_body
        compiler.unassigned = _after(loop.breaks, _NOTHING if endless else false)
    loop_run = _looped(test, body, _all(updates), steps_of(node))
    return _in_order([*first, loop_run]), not endless or bool(loop.breaks)


def _first(compiler: Compiler, node: Node) -> Execute:
    if node.type == "variable_declaration":
        return _declaration(compiler, node)
    return _quiet(compiler.any_expression(node).run)


def _all(runs: Sequence[Execute]) -> Execute:
    if len(runs) == 1:
        return runs[0]

    def execute(frame: Frame) -> None:
        for run in runs:
            run(frame)

    return execute


@statement_rule("foreach_statement")
def _foreach(compiler: Compiler, node: Node) -> tuple[Execute, bool]:
    type_node, name_node = node.child_by_field_name("type"), node.child_by_field_name("left")
    source_node, body_node = node.child_by_field_name("right"), node.child_by_field_name("body")
    if (
        type_node is None
        or name_node is None
        or name_node.type != "identifier"
        or body_node is None
        or source_node is None
    ):
        raise compiler.error(node, "this foreach is not supported")
    given = compiler.expression(source_node)
    source = sequence(given)
    element = element_type(source.type)
    if element is None:
        raise compiler.error(source_node, f"{source.type} cannot be enumerated")
    with compiler.block():
        type_ = element
        if type_node.type != "implicit_type":
            type_ = compiler.named_type(type_node)
        elif source.type.name == "MatchCollection":
            raise compiler.error(type_node, "write foreach (Match ...); var is object in .NET Framework")
        item = compiler.function.slot()
        cast = conversions.compiled_cast(Typed(element, lambda frame: frame[item]), type_)
        if cast is None:
            raise compiler.error(type_node, f"{element} does not convert to {type_}")
        variable = compiler.declare(name_node, type_)
        variable.fixed = "it is the variable of foreach"
        bind = compiler.initial(variable, cast.run)
        before = compiler.unassigned
        with compiler.loop() as loop:
            body, _ = _embedded(compiler, body_node)
        compiler.unassigned = _after(loop.breaks, before)
    run, source_type, steps = source.run, source.type, steps_of(node)

    def execute(frame: Frame) -> object:
        values = run(frame)
        if values is None:
            raise EvaluationError("NullReferenceException")
        for value in enumerated(values, source_type):
            spend(steps)
            frame[item] = value
            bind(frame)
            result = body(frame)
            if result is not ON and result is not CONTINUE:
                return ON if result is BREAK else result
        return ON

    return execute, True
