"""Tables of members: what their signatures say, as C# writes them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from apim_emulator.csharp.types import Type, parse, split_types

Call = Callable[..., Any]


class Ambient(Protocol):
    """What `context` must know for the members that take no argument, such as `DateTime.UtcNow`."""

    @property
    def now(self) -> Callable[[], float]:
        """Unix time in seconds."""


@dataclass(frozen=True, slots=True)
class Member:
    """A property, an indexer, a constructor, or one overload of a method."""

    name: str
    type: Type
    call: Call
    """Gets the receiver, unless static, and the arguments; with `takes_types` it gets types and makes that function."""
    parameters: tuple[Type, ...] = ()
    names: tuple[str, ...] = ()
    generics: tuple[str, ...] = ()
    """Its own type parameters, in the order in which a caller may give them."""
    expands: bool = False
    """Whether the last parameter is `params`."""
    outs: frozenset[int] = frozenset()
    """Places of `out` parameters; the function gives their values after its own."""
    where: tuple[tuple[str, str], ...] = ()
    """What a type variable must be: `equatable` or `comparable`."""
    takes_types: bool = False


class Generic:
    """A function that depends on type arguments: called with them, it gives the function to call."""

    def __init__(self, make: Callable[..., Call]) -> None:
        """Take a function of the types, by the names of their variables."""
        self.make = make


_SIGNATURE = re.compile(
    r"(?P<name>[\w.]+)(?:<(?P<generics>[\w, ]+)>)?(?:\((?P<parameters>.*)\))?: (?P<type>.*?)(?: where (?P<where>.*))?"
)


def member(signature: str, call: Call | Generic) -> Member:
    """Read a signature such as `Split(params char[] separator): string[]`."""
    found = _SIGNATURE.fullmatch(signature)
    if found is None:
        raise ValueError(signature)
    parameters, names, outs, expands = [], [], set(), False
    for place, text in enumerate(split_types(found["parameters"] or "")):
        plain = text.removeprefix("this ")
        if plain.startswith("out "):
            outs.add(place)
            plain = plain.removeprefix("out ")
        if plain.startswith("params "):
            expands = True
            plain = plain.removeprefix("params ")
        type_text, _, name = plain.rpartition(" ") if re.search(r"[\]>?\w] \w+$", plain) else (plain, "", "")
        parameters.append(parse(type_text))
        names.append(name)
    where = tuple(
        (variable.strip(), constraint.strip())
        for variable, _, constraint in (part.partition(" is ") for part in split_types(found["where"] or ""))
    )
    return Member(
        found["name"],
        parse(found["type"]),
        call.make if isinstance(call, Generic) else call,
        tuple(parameters),
        tuple(names),
        tuple(split_types(found["generics"] or "")),
        expands,
        frozenset(outs),
        where,
        isinstance(call, Generic),
    )


Overloads = dict[str, tuple[Member, ...]]


def overloads(table: Mapping[str, Call | Generic]) -> Overloads:
    """Read a table of methods, by name."""
    found: Overloads = {}
    for signature, call in table.items():
        one = member(signature, call)
        found[one.name] = (*found.get(one.name, ()), one)
    return found


def properties(table: Mapping[str, Call]) -> dict[str, Member]:
    """Read a table of properties such as `Length: int`."""
    return {one.name: one for one in (member(signature, call) for signature, call in table.items())}


PROPERTIES: dict[str, dict[str, Member]] = {}
"""Properties by the name of the type that has them. Each Python function gets the value, which is never None."""
SETTERS: dict[str, dict[str, Member]] = {}
"""Properties that can be assigned: the function gets the object and the value."""
METHODS: dict[str, Overloads] = {}
"""Overloads of methods by the name of the type that has them."""
INDEXERS: dict[str, tuple[Member, ...]] = {}
"""Indexers by the name of the type that has them."""
INDEX_SETTERS: dict[str, tuple[Member, ...]] = {}
"""Indexers that can be assigned: the last parameter is the value."""
CONSTRUCTORS: dict[str, tuple[Member, ...]] = {}
"""Constructors by the name of the type; its type arguments are given."""
STATICS: dict[str, Overloads] = {}
"""Overloads of static methods by the name of the type."""
CONSTANTS: dict[str, tuple[Type, object]] = {}
"""Static fields and enumeration members, by `Type.Name`."""
AMBIENT: dict[str, tuple[Type, Callable[[Any], object]]] = {}
"""Static properties and methods whose value comes from the call's context, by `Type.Name` and `Type.Name()`."""
CHECKS: dict[str, Callable[..., object]] = {}
"""What a constant argument must pass, by the name of its parameter, with options; it raises `EvaluationError`."""
BODIES: dict[str, str] = {}
"""Properties that give a message's body, by `Type.Name`: which message it is."""
EXTENSIONS: Overloads = {}
"""Extension methods: the first parameter is the receiver, which may be null."""


def define(
    name: str,
    *,
    properties_: Mapping[str, Call] | None = None,
    setters: Mapping[str, Call] | None = None,
    methods: Mapping[str, Call | Generic] | None = None,
    indexers: Mapping[str, Call] | None = None,
    index_setters: Mapping[str, Call] | None = None,
    constructors: Mapping[str, Call | Generic] | None = None,
    statics: Mapping[str, Call | Generic] | None = None,
) -> None:
    """Put members of a type into the tables."""
    for named, found in ((PROPERTIES, properties_), (SETTERS, setters)):
        if found:
            named.setdefault(name, {}).update(properties(found))
    for several, entries in ((METHODS, methods), (STATICS, statics)):
        if entries:
            several.setdefault(name, {}).update(overloads(entries))
    for table, signatures in ((INDEXERS, indexers), (INDEX_SETTERS, index_setters), (CONSTRUCTORS, constructors)):
        if signatures:
            table[name] = tuple(member(signature, call) for signature, call in signatures.items())


def define_extensions(table: Mapping[str, Call | Generic]) -> None:
    """Put extension methods into their table."""
    for name, found in overloads(table).items():
        EXTENSIONS[name] = (*EXTENSIONS.get(name, ()), *found)
