"""How calls of members are evaluated: receivers that may be null, conversions of arguments, `params` and `out`."""

from collections.abc import Callable, Sequence
from typing import Any

from tree_sitter import Node

from apim_emulator.csharp.compiler.conversions import Change, same
from apim_emulator.csharp.compiler.overloads import Argument, Candidate, bind
from apim_emulator.csharp.compiler.scope import Compiler
from apim_emulator.csharp.compiler.syntax import children
from apim_emulator.csharp.library.table import CHECKS
from apim_emulator.csharp.runtime.exceptions import EvaluationError
from apim_emulator.csharp.runtime.values import Array
from apim_emulator.csharp.types import Frame, Run, Type, Typed, substituted

_OPTIONS = Type("RegexOptions")


def _null() -> EvaluationError:
    return EvaluationError("NullReferenceException")


def applied(receiver: Typed, call: Callable[..., Any], *arguments: Run) -> Run:
    """Call a function with a value and arguments; a null value throws."""
    run = receiver.run
    if not arguments:

        def evaluate(frame: Frame) -> object:
            value = run(frame)
            if value is None:
                raise _null()
            return call(value)

        return evaluate
    if len(arguments) == 1:
        first = arguments[0]

        def evaluate_one(frame: Frame) -> object:
            value = run(frame)
            argument = first(frame)
            if value is None:
                raise _null()
            return call(value, argument)

        return evaluate_one

    def evaluate_all(frame: Frame) -> object:
        value = run(frame)
        given = [argument(frame) for argument in arguments]
        if value is None:
            raise _null()
        return call(value, *given)

    return evaluate_all


def called(
    compiler: Compiler, node: Node, found: Candidate, arguments: Sequence[Argument], receiver: Typed | None = None
) -> Run:
    """Compile the call of the overload that was chosen."""
    _check(compiler, found, arguments)
    try:
        call, runs = bind(found), argument_runs(found)
    except EvaluationError as error:
        raise compiler.error(node, _reason(error)) from None
    if any(argument.is_out for argument in arguments):
        call, extra = _with_outs(compiler, found, arguments, call)
        runs = [*extra, *runs]
        if receiver is not None:
            return _out_call(receiver.run, call, runs)
        return lambda frame: call(*[run(frame) for run in runs])
    if receiver is not None:
        if receiver.type.is_nullable:
            inner = receiver.run
            return lambda frame: call(inner(frame), *[run(frame) for run in runs])
        return applied(receiver, call, *runs)
    if len(runs) == 1:
        first = runs[0]
        return lambda frame: call(first(frame))
    if len(runs) == 2:
        one, other = runs
        return lambda frame: call(one(frame), other(frame))
    return lambda frame: call(*[run(frame) for run in runs])


def _check(compiler: Compiler, found: Candidate, arguments: Sequence[Argument]) -> None:
    """Refuse constants that a function will not take, such as a pattern outside the subset; what it reads is kept."""
    options = [one.value.constant for one in arguments if one.value is not None and one.value.type == _OPTIONS]
    for name, argument in zip(found.member.names, arguments, strict=False):
        check = CHECKS.get(name)
        if check is None or argument.value is None or not isinstance(argument.value.constant, str):
            continue
        try:
            check(argument.value.constant, *(one for one in options if one is not None))
        except EvaluationError as error:
            raise compiler.error(argument.node, _reason(error)) from None


def _reason(error: EvaluationError) -> str:
    return f"not supported: {str(error).rpartition(': ')[2]}"


def argument_runs(found: Candidate) -> list[Run]:
    """How the arguments are evaluated and converted; what `params` takes becomes an array."""
    runs = [
        run if change is same else _changed(run, change) for run, change in zip(found.runs, found.changes, strict=True)
    ]
    if not found.expanded:
        return runs
    fixed = len(found.member.parameters) - 1
    element = substituted(found.member.parameters[-1].args[0], found.bound)
    rest = runs[fixed:]
    return [*runs[:fixed], lambda frame: Array(element, [run(frame) for run in rest])]


def _changed(run: Run, change: Change) -> Run:
    return lambda frame: change(run(frame))


def _with_outs(
    compiler: Compiler, found: Candidate, arguments: Sequence[Argument], call: Callable[..., Any]
) -> tuple[Callable[..., Any], list[Run]]:
    """Store what a method gives for its `out` parameters."""
    stores: list[Callable[[Frame, Any], object]] = []
    for argument, type_ in zip(arguments, found.types, strict=True):
        if not argument.is_out:
            continue
        if argument.out_node is not None:
            type_node, name_node = children(argument.out_node)
            if type_node.type != "implicit_type" and compiler.named_type(type_node) != type_:
                raise compiler.error(type_node, f"the out parameter is {type_}")
            variable = compiler.declare(name_node, type_)
            slot, shared = variable.slot, variable.shared
            compiler.unassigned -= {variable}
            stores.append(_put(slot, shared=shared))
        elif argument.out is not None:
            if argument.out.type != type_:
                raise compiler.error(argument.node, f"the out parameter is {type_}")
            stores.append(compiler.store(argument.out))

    def store(frame: Frame, *given: object) -> object:
        value, *outs = call(*given)
        for put, out in zip(stores, outs, strict=True):
            put(frame, out)
        return value

    return store, [lambda frame: frame]


def _put(slot: int, *, shared: bool) -> Callable[[Frame, Any], None]:
    def put(frame: Frame, value: Any) -> None:
        frame[slot] = [value] if shared else value

    return put


def _out_call(receiver: Run, call: Callable[..., Any], runs: list[Run]) -> Run:
    def evaluate(frame: Frame) -> object:
        value = receiver(frame)
        given = [run(frame) for run in runs]
        if value is None:
            raise _null()
        return call(given[0], value, *given[1:])

    return evaluate
