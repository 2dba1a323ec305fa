"""Overload resolution and inference of type arguments, as far as C#'s rules are needed for the tables of members."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tree_sitter import Node

from apim_emulator.csharp.compiler import conversions
from apim_emulator.csharp.compiler.conversions import Change, same
from apim_emulator.csharp.compiler.functions import compile_lambda, lambda_arity
from apim_emulator.csharp.compiler.scope import Compiler, Variable
from apim_emulator.csharp.library.table import Member
from apim_emulator.csharp.types import ENUMS, RANGES, Run, Type, Typed, substituted

Bound = dict[str, Type]


@dataclass(slots=True)
class Argument:
    """An argument: compiled already, a lambda that waits for the types of its parameters, or a variable for `out`."""

    node: Node
    value: Typed | None
    name: str = ""
    out: Variable | None = None
    """Variable that takes the value."""
    out_node: Node | None = None
    """Declaration `out var x` whose type the method tells."""
    is_out: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """An overload that can be called with the arguments, and how."""

    member: Member
    bound: Bound
    types: tuple[Type, ...]
    """What each argument is converted to."""
    given: tuple[Type, ...]
    """What each argument is."""
    runs: tuple[Run, ...]
    changes: tuple[Change, ...]
    expanded: bool
    result: Type


def resolve(
    compiler: Compiler, node: Node, members: Iterable[tuple[Member, Bound]], arguments: Sequence[Argument]
) -> Candidate | None:
    """Choose the best of several overloads; None where none can be called.

    Raises `ExpressionError`: two are as good.
    """
    found: list[Candidate] = []
    for one, bound in members:
        for expanded in (False, True) if one.expands else (False,):
            candidate = _candidate(compiler, one, dict(bound), arguments, expanded)
            if candidate is not None:
                found.append(candidate)
                break
    if not found:
        return None
    best = [one for one in found if all(other is one or _is_better(one, other) for other in found)]
    if len(best) != 1:
        raise compiler.error(node, f"{found[0].member.name} is ambiguous with these arguments")
    return best[0]


def _candidate(
    compiler: Compiler, one: Member, bound: Bound, arguments: Sequence[Argument], expanded: bool
) -> Candidate | None:
    parameters = _parameters(one, len(arguments), expanded)
    if parameters is None or not _names_fit(one, arguments):
        return None
    sources: list[Typed | None] = []
    for place, (parameter, argument) in enumerate(zip(parameters, arguments, strict=True)):
        if argument.is_out != (place in one.outs):
            return None
        if argument.value is not None and not unify(parameter, argument.value, bound):
            return None
        sources.append(argument.value)
    for place, argument in enumerate(arguments):
        if argument.value is None and not argument.is_out:
            sources[place] = _lambda(compiler, argument.node, substituted(parameters[place], bound), bound)
            if sources[place] is None:
                return None
    for name, argument in zip(one.names, arguments, strict=False):
        if argument.value is not None and argument.value.type in _AMBIGUOUS.get(name, ()):
            raise compiler.error(argument.node, f"{one.name} is ambiguous in C#, between decimal and double: cast")
    known = all(name in bound for name in one.generics)
    if not known or not all(_fulfils(bound.get(variable), constraint) for variable, constraint in one.where):
        return None
    return _finished(one, bound, parameters, sources, expanded)


_AMBIGUOUS = {"real": {*map(Type, RANGES), Type.CHAR}, "signed": {Type("ulong")}}
"""By the name of a `double` that C# also has as `decimal`: types that it converts to both alike."""


def _finished(
    one: Member, bound: Bound, parameters: tuple[Type, ...], sources: list[Typed | None], expanded: bool
) -> Candidate | None:
    types = tuple(substituted(parameter, bound) for parameter in parameters)
    given, runs, changes = [], [], []
    for type_, source in zip(types, sources, strict=True):
        given.append(type_ if source is None else source.type)
        if source is None:
            continue
        change = _change(source, type_)
        if change is None:
            return None
        runs.append(source.run)
        changes.append(change)
    result = substituted(one.type, bound)
    return Candidate(one, bound, types, tuple(given), tuple(runs), tuple(changes), expanded, result)


def _change(source: Typed, type_: Type) -> Change | None:
    if source.type == type_ or conversions.implicit_constant(source, type_):
        return same
    if source.type.name == type_.name == "Func":
        return _function_change(source.type, type_)
    return conversions.implicit(source.type, type_)


def _function_change(source: Type, target: Type) -> Change | None:
    """Convert what a lambda gives."""
    change = conversions.implicit(source.args[-1], target.args[-1])
    if change is None or change is same:
        return change
    found = change
    return lambda function: lambda *arguments: found(function(*arguments))


def _parameters(one: Member, count: int, expanded: bool) -> tuple[Type, ...] | None:
    if not expanded:
        return one.parameters if len(one.parameters) == count else None
    fixed = one.parameters[:-1]
    if count < len(fixed):
        return None
    return (*fixed, *(one.parameters[-1].args[0],) * (count - len(fixed)))


def _names_fit(one: Member, arguments: Sequence[Argument]) -> bool:
    """Named arguments are supported where they stand in their own places."""
    return all(
        not argument.name or (place < len(one.names) and one.names[place] == argument.name)
        for place, argument in enumerate(arguments)
    )


def _lambda(compiler: Compiler, node: Node, parameter: Type, bound: Bound) -> Typed | None:
    """Compile a lambda for a parameter such as `Func<T, bool>`, and infer what its result tells."""
    if parameter.name not in {"Func", "Predicate", "Action"}:
        return None
    inputs = parameter.args if parameter.name != "Func" else parameter.args[:-1]
    declared = {"Func": parameter.args[-1], "Predicate": Type.BOOL, "Action": Type.VOID}[parameter.name]
    if lambda_arity(node) != len(inputs):
        return None
    known = tuple(substituted(one, bound) for one in inputs)
    if any(_has_variable(one) for one in known):
        return None
    if declared == Type.VOID:
        run, _ = compile_lambda(compiler, node, known, Type.VOID)
        return Typed(Type(parameter.name, known), run)
    wanted = None if _has_variable(declared) else declared
    run, result = compile_lambda(compiler, node, known, wanted if parameter.name == "Predicate" else None)
    if not unify(declared, Typed(result, run), bound):
        return None
    return Typed(Type("Func", (*known, result)) if parameter.name == "Func" else Type("Predicate", known), run)


def _has_variable(type_: Type) -> bool:
    return type_.is_variable or any(map(_has_variable, type_.args))


def unify(parameter: Type, found: Typed, bound: Bound) -> bool:
    """Bind the type variables of a parameter to fit an argument; False where it does not fit."""
    argument = found.type
    if parameter.is_variable:
        known = bound.get(parameter.name)
        if known is None:
            if argument in {Type.NULL, Type.VOID}:
                return False
            bound[parameter.name] = argument
            return True
        return conversions.implicit_constant(found, known) or conversions.implicit(argument, known) is not None
    if not _has_variable(parameter):
        return conversions.implicit_constant(found, parameter) or conversions.implicit(argument, parameter) is not None
    if argument == Type.NULL:
        return not _has_variable(substituted(parameter, bound))
    base = argument.base(parameter.name)
    if base is None or len(base.args) != len(parameter.args):
        return False
    return all(_unify_exactly(one, other, bound) for one, other in zip(parameter.args, base.args, strict=True))


def _unify_exactly(parameter: Type, argument: Type, bound: Bound) -> bool:
    if parameter.is_variable:
        return bound.setdefault(parameter.name, argument) == argument
    if parameter.name != argument.name or len(parameter.args) != len(argument.args):
        return False
    return all(_unify_exactly(one, other, bound) for one, other in zip(parameter.args, argument.args, strict=True))


_TOKENS = {"JToken", "JValue", "JObject", "JArray", "JProperty"}
_EQUATABLE = {*RANGES, "char", "bool", "string", "Guid", "DateTime", "DateTimeOffset", "TimeSpan", *ENUMS, *_TOKENS}
_COMPARABLE = {*RANGES, "char", "bool", "double", "DateTime", "DateTimeOffset", "TimeSpan"}

_CONSTRAINTS = {
    "equatable": _EQUATABLE,
    "comparable": _COMPARABLE,
    "text": {"string"},
    "container": {"XContainer", "XElement", "XDocument"},
    "node": {"XNode", "XContainer", "XElement", "XDocument", "XText", "XCData", "XComment", "XProcessingInstruction"},
}


def _fulfils(type_: Type | None, constraint: str) -> bool:
    """Whether a type is of a kind, such as those whose values .NET compares as Python does."""
    if type_ is None:
        return False
    inner = type_.args[0] if type_.is_nullable else type_
    return inner.name in _CONSTRAINTS[constraint]


def _is_better(one: Candidate, other: Candidate) -> bool:
    """C#'s rules for the better function member, as far as the tables need them."""
    better = worse = False
    for given, first, second in zip(one.given, one.types, other.types, strict=True):
        compared = _compare(given, first, second)
        better, worse = better or compared > 0, worse or compared < 0
    if better or worse:
        return better and not worse
    if one.expanded != other.expanded:
        return other.expanded
    if bool(one.member.generics) != bool(other.member.generics):
        return not one.member.generics
    return len(one.member.parameters) > len(other.member.parameters) and one.expanded


def _compare(given: Type, first: Type, second: Type) -> int:
    if first == second:
        return 0
    if given.name == first.name == second.name == "Func":
        return _compare(given.args[-1], first.args[-1], second.args[-1])
    if given in {first, second}:
        return 1 if given == first else -1
    forth, back = conversions.implicit(first, second), conversions.implicit(second, first)
    if forth is None and back is None:
        return (first.name in _SIGNED and second.name in _UNSIGNED) - (
            first.name in _UNSIGNED and second.name in _SIGNED
        )
    return (forth is not None) - (back is not None)


_SIGNED, _UNSIGNED = {"sbyte", "short", "int", "long"}, {"byte", "ushort", "uint", "ulong"}


def bind(candidate: Candidate) -> Callable[..., Any]:
    """Give the function to call, with its types filled in; raises `EvaluationError` for types that it does not take."""
    one = candidate.member
    if not one.takes_types:
        return one.call
    call: Callable[..., Any] = one.call(*[candidate.bound[name] for name in one.generics])
    return call
