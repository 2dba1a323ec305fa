"""Policies made from the fields of their types: whatever a type accepts, its fields and their kinds being all known."""

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin

from hypothesis import strategies as st

from policies import DecryptionKey, Dimension, Policy, PolicyError, RequiredClaim
from policies.shared.options import Options
from tests.policies.records import RECORDS
from tests.policies.values import CACHED, MODULUS, SECRET, VARIABLE, literals

T = TypeVar("T", bound=Options)

EXAMPLES: Sequence[Options] = (
    DecryptionKey(certificate_id="a"),
    Dimension(name="API ID"),
    RequiredClaim(values=["a"]),
    *(example for record in RECORDS.values() for example in record.examples),
)
"""Some of each type, from which others are made by changing fields; two of those whose fields exclude each other."""

_TEXTS = [
    "", " ", "a", "A", "*", "-", "200", "GET", "connect", "PATCH" * 8, "x-name", "Host", "Content-Length", "Server",
    "https://a.example/b?c=d", "http://localhost:80/", "http://a.example", "app://x", "/path/{a}?b={c}", "//",
    "10.0.0.1", "10.0.0.9", "::1", "application/json", "2026-01-31T00:00:00Z", "common", "a.b-c_d", "API ID",
    MODULUS, "AQAB", "11111111-1111-1111-1111-111111111111", "https://login.microsoftonline.com/contoso.com/",
    "{{a b}}", "a @(b)", "a @{b}", '@("text")', '@{\n return "a<b";\n}', "@(context.RequestId.ToString())", "#/a",
    "{ \"a\": 1 }",
]  # fmt: skip
"""Texts of the forms that one field or another wants, and those that none does."""
_INTEGERS = [-1, 0, 1, 2, 7, 8, 50, 200, 299, 300, 301, 404, 599, 600, 102_400, 2**31 - 1, 2**31, 2**63 - 1, 2**63]
_CHANGES = st.integers(0, 8)
_SECRETS = st.none() | st.just(f"{{{{{SECRET}}}}}")
"""For a field that no representation shows: the policy's text refers to the secret."""
_NAMED = re.compile(r"\{\{([A-Za-z0-9._-]+)\}\}")
_LONGS = {"token_quota"}
"""Fields whose expression the service wants to be a `long`."""


def policies(kind: type[T]) -> st.SearchStrategy[T]:
    """Build policies of a type: its example, changed field by field as long as the type accepts it."""
    return _changed(kind)  # type: ignore[return-value]


@st.composite
def _changed(draw: st.DrawFn, kind: type[Options]) -> Options:
    found = draw(_EXAMPLES_OF[kind])
    fields: dict[str, Any] = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for _ in range(draw(_CHANGES)):
        names = draw(_FIELDS_OF[kind])
        plain = {name: draw(_values(fields[name].type) if fields[name].repr else _SECRETS) for name in names}
        spelled = {name: _spelled(draw, fields[name], value) for name, value in plain.items()}
        # The plain values first: that an expression would yield what is not allowed, no type can know.
        if _replaced(found, **plain) is not None:
            found = _replaced(found, **spelled) or found
    return found


def _names(kind: type[Options]) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]


# A strategy is validated when it is first drawn from: each is made once.
_EXAMPLES_OF: dict[type[Options], st.SearchStrategy[Options]] = {
    kind: st.sampled_from([example for example in EXAMPLES if type(example) is kind]) for kind in map(type, EXAMPLES)
}
_FIELDS_OF: dict[type[Options], st.SearchStrategy[list[str]]] = {
    kind: st.lists(st.sampled_from(_names(kind)), min_size=1, max_size=2, unique=True) for kind in _EXAMPLES_OF
}
"""One or two fields of a type."""


def each(kind: type[T]) -> Iterator[T]:
    """Go through every field of a type: each member of a closed set, and some of the other values that it accepts."""
    for example in EXAMPLES:
        if type(example) is kind:
            yield example
            for field in dataclasses.fields(kind):  # type: ignore[arg-type]
                accepted = (_replaced(example, **{field.name: value}) for value in _some_of(field))
                yield from (found for found in accepted if found is not None)


def _some_of(field: Any) -> Iterator[Any]:
    return _some(field.type) if field.repr else iter([f"{{{{{SECRET}}}}}"])


def _some(annotation: Any) -> Iterator[Any]:
    found = kinds(annotation)
    for kind in found:
        if kind is NoneType:
            yield None
        elif get_origin(kind) is list:
            yield from ([item] for item in _some(get_args(kind)[0]))
        elif get_origin(kind) is dict:
            yield from ({key: item} for key in ("x", 200) for item in _some(get_args(kind)[1]))
        elif kind in _SOME:
            # Text beside another kind spells that one.
            yield from [] if kind is str and set(found) - {str, NoneType} else _SOME[kind]
        elif kind is Policy:
            yield VARIABLE
        else:
            yield from each(kind) if issubclass(kind, Options) else kind


def _replaced(options: T, **changes: Any) -> T | None:
    try:
        return dataclasses.replace(options, **changes)  # type: ignore[type-var]
    except PolicyError:
        return None


def kinds(annotation: Any) -> tuple[Any, ...]:
    """Return the kinds of value that a field takes."""
    return get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)


@cache
def _values(annotation: Any) -> st.SearchStrategy[Any]:
    """Draw values of a field's kinds, but text beside another kind, which spells that one."""
    found = kinds(annotation)
    typed = [kind for kind in found if kind not in (str, NoneType)]
    return st.one_of([_of(kind) for kind in typed or [str]] + [st.none()] * (NoneType in found))


def _of(kind: Any) -> st.SearchStrategy[Any]:
    if get_origin(kind) is list:
        return st.lists(_values(get_args(kind)[0]), max_size=2)
    if get_origin(kind) is dict:
        return st.dictionaries(*map(_values, get_args(kind)), max_size=2)
    if kind is Policy:
        return st.sampled_from([VARIABLE, CACHED])
    if issubclass(kind, Options):
        return _changed(kind)
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    return _SCALARS[kind]


_SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: st.sampled_from(_TEXTS) | literals,
    bool: st.booleans(),
    int: st.sampled_from(_INTEGERS) | st.integers(0, 2**31),
    float: st.floats(0, 1) | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0, 1, -1]),
}
_SOME: dict[Any, Sequence[Any]] = {
    str: ["x", "/x", "10.0.0.5", "https://x.example", "2026-01-31T00:00:00Z", '@("x")'],
    bool: [True, False],
    int: [2, 404],
    float: [0.5],
}


def _spelled(draw: st.DrawFn, field: Any, value: Any) -> Any:
    """Write a value as itself, as an expression that yields it, or as the named value that has its own name."""
    spellings = _spellings(field, value)
    return spellings[draw(st.integers(0, len(spellings) - 1))] if len(spellings) > 1 else value


def _spellings(field: Any, value: Any) -> list[Any]:
    if not isinstance(value, str | int | float) or str not in kinds(field.type):
        return [value]
    if isinstance(value, str) and not isinstance(value, Enum):
        return [value, f"{{{{{value}}}}}"] if field.repr else [value]
    text = str(value).lower() if isinstance(value, bool) else str(value)
    code = f'"{text}"' if isinstance(value, Enum) else f"{text}L" if field.name in _LONGS else text
    return [value, f"@({code})", f"{{{{{text}}}}}"]


def named_values(text: str) -> Mapping[str, str]:
    """Give the named values of a document their own names as values."""
    return {name: name for name in _NAMED.findall(text)}
