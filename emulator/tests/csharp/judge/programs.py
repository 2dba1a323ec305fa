"""Expressions and blocks of any supported shape, generated from the tables of members, operators and statements."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeVar

from hypothesis import strategies as st

from apim_emulator.csharp.library import table
from apim_emulator.csharp.types import Type, parse, substituted
from emulator.tests.csharp.values import ORDINARY

PATTERNS = (
    "[0-9]+",
    "a",
    "(a|b)c?",
    "^\\\\s*\\\\w+",
    "x*",
    "\\\\b",
    "(?<n>[a-z])([0-9]?)",
    "[^,]+$",
    "a.c",
    "(?:ab)+",
    "l{1,2}",
)
FORMATS = {
    "DateTime": ("yyyy-MM-ddTHH:mm:ss.fffZ", "R", "s", "u", "o", "dd MMM yyyy", "HH:mm"),
    "number": ("D3", "X", "x4", "N0", "F2", "000", "0.0#"),
}
PATHS = ("a", "a.b", "$.d[1]", "a.b[0]", "['a']", "x.y", "d[9]")
WANTED = (
    "string", "int", "bool", "long", "double", "char", "JToken", "JObject", "JArray", "string[]", "List<int>",
    "IEnumerable<string>", "IEnumerable<int>", "DateTime", "TimeSpan", "byte[]", "Dictionary<string, int>", "int?",
    "object", "Guid", "DateTimeOffset",
)  # fmt: skip
_CHOICES = {
    "T": "string int",
    "U": "string int",
    "K": "string int",
    "V": "int",
    "R": "string int bool",
    "A": "int string",
    "E": "int",
}


@dataclass(frozen=True)
class Producer:
    """A member that gives a value of a type, with concrete type arguments."""

    kind: str
    owner: str
    member: table.Member
    bound: dict[str, Type] = field(hash=False)


def _concrete(one: table.Member, receiver: Type | None) -> Iterator[dict[str, Type]]:
    """Choose type arguments: each variable takes each of its choices, all at once."""
    names = {argument.name for type_ in (*one.parameters, one.type) for argument in _variables(type_)}
    bound = {} if receiver is None else dict(zip(_names(receiver), receiver.args, strict=False))
    free = sorted(names - set(bound))
    for turn in range(3 if free else 1):
        yield bound | {
            name: parse(_CHOICES.get(name, "int").split()[turn % len(_CHOICES.get(name, "int").split())])
            for name in free
        }


def _names(type_: Type) -> tuple[str, ...]:
    return ("T",) if len(type_.args) == 1 else ("K", "V")


def _variables(type_: Type) -> Iterator[Type]:
    if type_.is_variable:
        yield type_
    for argument in type_.args:
        yield from _variables(argument)


def _of_values() -> Iterator[tuple[str, str, table.Member, Type | None]]:
    """List properties, methods and indexers of the types that there are values of."""
    for text in ORDINARY:
        for base in parse(text).lookup():
            methods = table.METHODS.get(base.name, {}).values()
            for kind, members in (
                ("property", list(table.PROPERTIES.get(base.name, {}).values())),
                ("method", [one for several in methods for one in several]),
                ("index", list(table.INDEXERS.get(base.name, ()))),
            ):
                yield from ((kind, text, one, base) for one in members)


def _of_types() -> Iterator[tuple[str, str, table.Member, Type | None]]:
    """List static methods, extension methods and constructors."""
    for name, methods in table.STATICS.items():
        # Mono rounds halves away from zero where .NET documents the even number.
        yield from (("static", name, one, None) for found in methods.values() for one in found if one.name != "Round")
    for several in table.EXTENSIONS.values():
        yield from (("extension", "", one, None) for one in several)
    for name, constructors in table.CONSTRUCTORS.items():
        for one in constructors:
            # A key by chance has no expected hash.
            if name in ORDINARY and not parse(name).args and (one.parameters or not name.startswith("HMAC")):
                yield "new", name, one, None


def producers() -> dict[str, list[Producer]]:
    """List what gives each type."""
    found: dict[str, list[Producer]] = {}
    for kind, owner, one, receiver in chain(_of_values(), _of_types()):
        for bound in _concrete(one, receiver):
            result = str(substituted(one.type, bound))
            if not one.outs and result in ORDINARY:
                found.setdefault(result, []).append(Producer(kind, owner, one, bound))
    return found


_PRODUCERS = producers()
_ARITHMETIC = {"int": "+ - * / % & | ^", "long": "+ - * / %", "double": "+ - * /", "string": "+"}
_COMPARED = ("int", "long", "double", "string", "char", "bool", "DateTime", "TimeSpan", "Guid", "int?", "JTokenType")
T = TypeVar("T")


class Writer:
    """Writes one program, choosing with hypothesis."""

    def __init__(self, draw: Callable[..., Any]) -> None:
        """Start with no variable in scope."""
        self._draw = draw
        self.scope: dict[str, str] = {}
        self.count = 0

    def choose(self, options: Sequence[T]) -> T:
        """Choose one of several."""
        chosen: T = self._draw(st.sampled_from(options))
        return chosen

    def number(self, high: int) -> int:
        """Choose a number below `high`."""
        chosen: int = self._draw(st.integers(0, high - 1))
        return chosen

    def name(self) -> str:
        """Make a new name."""
        self.count += 1
        return f"v{self.count}"

    def expression(self, type_: str, depth: int) -> str:
        """Write an expression of a type."""
        variables = [name for name, kind in self.scope.items() if kind == type_]
        if variables and self.number(3) == 0:
            return self.choose(variables)
        options = _PRODUCERS.get(type_, [])
        if depth <= 0 or not options or self.number(8) == 0:
            return self.choose(ORDINARY[type_]) if type_ in ORDINARY else self._fallback(type_)
        way = self.number(10)
        if way == 0 and type_ != "object":
            condition, yes, no = (self.expression(kind, depth - 1) for kind in ("bool", type_, type_))
            return f"({condition} ? {yes} : {no})"
        if way <= 2 and type_ in _ARITHMETIC:
            return self._operation(type_, depth)
        if way <= 3 and type_ == "bool":
            return self._comparison(depth)
        if way == 4 and type_ in {"string", "int", "bool", "double"}:
            return self._from_token(type_, depth)
        if way == 5 and type_ == "string":
            return self._interpolation(depth)
        return self._member(self.choose(options), depth)

    def _fallback(self, type_: str) -> str:
        return f"default({type_})"

    def _operation(self, type_: str, depth: int) -> str:
        symbol = self.choose(_ARITHMETIC[type_].split())
        other = self.choose(("string", "int", "bool", "char", "JToken", "double")) if type_ == "string" else type_
        return f"({self.expression(type_, depth - 1)} {symbol} {self.expression(other, depth - 1)})"

    def _comparison(self, depth: int) -> str:
        if self.number(3) == 0:
            one, other = self.expression("bool", depth - 1), self.expression("bool", depth - 1)
            return f"({one} {self.choose(('&&', '||'))} !{other})"
        type_ = self.choose(_COMPARED)
        ordered = type_ in {"int", "long", "double", "char", "DateTime", "TimeSpan", "int?"}
        symbol = self.choose(("==", "!=", ">", ">=") if ordered else ("==", "!="))
        return f"({self.expression(type_, depth - 1)} {symbol} {self.expression(type_, depth - 1)})"

    def _from_token(self, type_: str, depth: int) -> str:
        token = self.expression("JToken", depth - 1)
        if self.number(2):
            return f"(({type_}){token})"
        return f"{token}.Value<{type_}>()"

    def _interpolation(self, depth: int) -> str:
        holes = [self.expression(self.choose(("string", "int", "bool", "double")), min(depth - 1, 1)) for _ in range(2)]
        if any("\\" in hole or "?" in hole or ":" in hole for hole in holes):
            return self.choose(ORDINARY["string"])
        return f'$"<{{{holes[0]}}}-{{{{x}}}}{{{holes[1]},5}}>"'

    def _member(self, found: Producer, depth: int) -> str:
        one = found.member
        types = [substituted(parameter, found.bound) for parameter in one.parameters]
        explicit = (
            f"<{', '.join(str(found.bound[name]) for name in one.generics)}>"
            if found.kind != "index" and self._needs(one)
            else ""
        )
        if found.kind == "extension":
            receiver, *types = types
            arguments = self._arguments(one, types, depth)
            return f"{self.receiver(str(receiver), depth)}.{one.name}{explicit}({arguments})"
        if found.kind == "property":
            return f"{self.receiver(found.owner, depth)}.{one.name}"
        arguments = self._arguments(one, types, depth)
        if found.kind == "index":
            return f"{self.receiver(found.owner, depth)}[{arguments}]"
        if found.kind == "static":
            return f"{found.owner}.{one.name}{explicit}({arguments})"
        if found.kind == "new":
            return f"new {found.owner}({arguments})"
        return f"{self.receiver(found.owner, depth)}.{one.name}{explicit}({arguments})"

    def _needs(self, one: table.Member) -> bool:
        """Whether the arguments do not tell the type arguments."""
        told = {variable.name for type_ in one.parameters for variable in _variables(type_)}
        return not set(one.generics) <= told

    def receiver(self, type_: str, depth: int) -> str:
        """Write something to ask for a member."""
        text = self.expression(type_, depth - 1)
        return (
            text if text[-1] in ')"' and text[0] in '("' and text.count("(") <= 1 and " " not in text else f"({text})"
        )

    def _arguments(self, one: table.Member, types: list[Type], depth: int) -> str:
        written = []
        for place, type_ in enumerate(types):
            name = one.names[place + len(one.names) - len(types)] if one.names else ""
            if name == "pattern":
                written.append(f'"{self.choose(PATTERNS)}"')
            elif one.expands and place == len(types) - 1:
                written += [self.argument(type_.args[0], depth, one) for _ in range(self.number(4))]
            else:
                written.append(self.argument(type_, depth, one))
        return ", ".join(written)

    def argument(self, type_: Type, depth: int, one: table.Member) -> str:
        """Write one argument."""
        if type_.name in {"Func", "Predicate"}:
            return self._lambda(type_, depth)
        text = str(type_)
        if text == "string" and one.name == "SelectToken":
            return f'"{self.choose(PATHS)}"'
        if text == "string" and one.name == "ToString" and len(one.parameters) == 1:
            kind = "DateTime" if "Date" in str(one.call) or (one.type.name == "string" and self.number(2)) else "number"
            return f'"{self.choose(FORMATS[kind])}"'
        return self.expression(text, depth - 2)

    def _lambda(self, type_: Type, depth: int) -> str:
        inputs = type_.args if type_.name == "Predicate" else type_.args[:-1]
        result = "bool" if type_.name == "Predicate" else str(type_.args[-1])
        names = [self.name() for _ in inputs]
        outer = dict(self.scope)
        self.scope |= dict(zip(names, map(str, inputs), strict=True))
        body = self.expression(result, min(depth - 2, 2))
        self.scope = outer
        head = names[0] if len(names) == 1 else f"({', '.join(names)})"
        return f"{head} => {body}"

    # Statements

    def block(self, depth: int) -> str:
        """Write the statements of a block that returns."""
        lines = [self.statement(depth) for _ in range(1 + self.number(4))]
        result = self.choose([*self.scope.values(), "string", "int"])
        return " ".join([*lines, f"return {self.expression(result, 2)};"])

    def statement(self, depth: int) -> str:
        """Write one statement; declarations stay in scope."""
        way = self.number(9)
        if way <= 2 or depth <= 0:
            return self._declaration()
        if way == 3:
            return self._assignment()
        inner = self._inner(depth - 1)
        if way == 4:
            return f"if ({self.expression('bool', 2)}) {{ {inner} }} else {{ {self._inner(depth - 1)} }}"
        if way == 5:
            name = self.name()
            end = f"if ({self.expression('bool', 1)}) {self.choose(('break', 'continue'))};"
            return f"for (int {name} = 0; {name} < {self.number(4)}; {name}++) {{ {inner} {end} }}"
        if way == 6:
            caught = self.choose(("Exception", "FormatException", "InvalidOperationException e", "ArgumentException"))
            return f"try {{ {inner} }} catch ({caught}) {{ {self._inner(depth - 1)} }}"
        if way == 7:
            return self._foreach(depth)
        return self._switch(depth)

    def _inner(self, depth: int) -> str:
        outer = dict(self.scope)
        text = " ".join(self.statement(depth) for _ in range(1 + self.number(2)))
        if self.number(6) == 0:
            text += f" if ({self.expression('bool', 1)}) return {self.expression('string', 1)};"
        self.scope = outer
        return text

    def _declaration(self) -> str:
        type_ = self.choose(WANTED)
        value, name = self.expression(type_, 3), self.name()
        self.scope[name] = type_
        return f"{type_} {name} = {value};"

    def _assignment(self) -> str:
        numbers = [
            name
            for name, kind in self.scope.items()
            if kind in {"int", "long", "string", "double"} and name.startswith("v")
        ]
        if not numbers:
            return self._declaration()
        name = self.choose(numbers)
        kind = self.scope[name]
        if kind in {"int", "long"} and self.number(3) == 0:
            return f"{name}{self.choose(('++', '--'))};"
        symbol = self.choose(("=", "+=") if kind == "string" else ("=", "+=", "-=", "*="))
        return f"{name} {symbol} {self.expression(kind, 2)};"

    def _foreach(self, depth: int) -> str:
        source, item = self.choose(
            (("IEnumerable<int>", "int"), ("string[]", "string"), ("JArray", "JToken"), ("string", "char"))
        )
        values, name = self.expression(source, 2), self.name()
        outer = dict(self.scope)
        # The variable cannot be assigned to, so only types are used that no assignment is written for.
        self.scope |= {name: item} if item in {"JToken", "char"} else {}
        body = self._inner(depth - 1)
        self.scope = outer
        return f"foreach (var {name} in {values}) {{ {body} }}"

    def _switch(self, depth: int) -> str:
        cases = " ".join(
            f"case {label}: {self._inner(depth - 1)} break;"
            for label in ('"a"', '"abc"', '"true"')[: 1 + self.number(3)]
        )
        return f"switch ({self.expression('string', 2)}) {{ {cases} default: {self._inner(depth - 1)} break; }}"


@st.composite
def programs(draw: Callable[..., object]) -> str:
    """Write an expression or a block."""
    writer = Writer(draw)
    if writer.number(2):
        return f"@({writer.expression(writer.choose(WANTED), 1 + writer.number(4))})"
    return f"@{{ {writer.block(1 + writer.number(2))} }}"
