"""Which API and operation a request path belongs to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from apim_emulator.gateway.context.query import Query
from apim_emulator.model import Operation


@dataclass(slots=True)
class _Level:
    """The choices for the next segment of a path."""

    literals: dict[str, "_Level"] = field(default_factory=dict)
    parameter: "_Level | None" = None
    operation: "_End | None" = None
    wildcard: "_End | None" = None


_Names = tuple[tuple[int, str, bool], ...]
"""A template's parameters: which segment, the name, and whether it takes the rest of the path."""
_End = tuple[Operation, _Names, tuple[str, ...]]
"""An operation, the parameters of its path, and the query parameters that it needs."""


@dataclass(frozen=True, slots=True)
class Match:
    """An operation and its template parameters, in the encoding in which they arrived."""

    operation: Operation
    parameters: Mapping[str, str]


class Operations:
    """An API's operations, by method and URL template. Paths are compared with case (inferred)."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        """Compile the templates; raises `ValueError` for one that is not supported or given twice."""
        self._methods: dict[str, _Level] = {}
        for operation in operations:
            self._add(operation)

    def match(self, method: str, path: str, query: Query) -> Match | None:
        """Find the operation of a raw path below the API's and a query; a literal segment wins over a parameter."""
        root = self._methods.get(method)
        segments = path.split("/")[1:]
        found = None if root is None else _find(root, segments)
        if found is None:
            return None
        parameters = _parameters(found[1], segments)
        for name in found[2]:
            value = query.given(name)
            if value is None:
                return None
            parameters[name] = value
        return Match(found[0], parameters)

    def _add(self, operation: Operation) -> None:
        level = self._methods.setdefault(operation.method.upper(), _Level())
        segments = operation.path.removeprefix("/").split("/")
        end = (operation, _names(segments), tuple(Query(operation.url_template.partition("?")[2]).names()))
        for number, segment in enumerate(segments, 1):
            if segment.startswith("{*") and segment.endswith("}") and number == len(segments):
                if level.wildcard is not None:
                    raise ValueError(f"{operation.method} {operation.url_template} appears twice")
                level.wildcard = end
                return
            if segment.startswith("{") and segment.endswith("}"):
                level.parameter = level.parameter or _Level()
                level = level.parameter
            elif "{" in segment or "*" in segment:
                raise ValueError(f"template {operation.url_template}: a parameter must be a whole segment")
            else:
                level = level.literals.setdefault(segment, _Level())
        if level.operation is not None:
            raise ValueError(f"{operation.method} {operation.url_template} appears twice")
        level.operation = end


class ApiPaths:
    """The APIs of a service by path; the longest prefix wins."""

    def __init__(self, paths: Mapping[str, str]) -> None:
        """Take API IDs by path, without slashes at the ends."""
        self._paths = sorted(((f"/{path}" if path else "", api) for path, api in paths.items()), key=_by_length)

    def match(self, path: str) -> tuple[str, str] | None:
        """Find the API of a raw path, and the path below it."""
        for prefix, api in self._paths:
            if path == prefix or path.startswith(f"{prefix}/"):
                return api, path[len(prefix) :] or "/"
        return None


def _by_length(entry: tuple[str, str]) -> int:
    return -len(entry[0])


def _names(segments: list[str]) -> _Names:
    return tuple(
        (index, segment.strip("{*}"), segment.startswith("{*"))
        for index, segment in enumerate(segments)
        if segment.startswith("{")
    )


def _find(level: _Level, segments: list[str]) -> _End | None:
    """Search with a stack: literals first, then the parameter, then a wildcard."""
    stack: list[tuple[_Level, int, bool]] = [(level, 0, False)]
    while stack:
        here, index, only_wildcard = stack.pop()
        if only_wildcard:
            return here.wildcard
        if index == len(segments):
            if here.operation is not None:
                return here.operation
            continue
        segment = segments[index]
        if here.wildcard is not None:
            stack.append((here, index, True))
        if here.parameter is not None and segment:
            stack.append((here.parameter, index + 1, False))
        if segment in here.literals:
            stack.append((here.literals[segment], index + 1, False))
    return None


def _parameters(names: _Names, segments: list[str]) -> dict[str, str]:
    return {name: "/".join(segments[index:]) if rest else segments[index] for index, name, rest in names}
