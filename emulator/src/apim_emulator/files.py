"""Files that people write: read within bounds, and YAML in which a key stands once in a mapping."""

from pathlib import Path
from typing import Any

import yaml

from apim_emulator.errors import EmulatorError

_LARGEST = 4 * 1024 * 1024
"""Bytes of a file that are read; what the service takes is less and checked later."""


def read_file(path: Path) -> bytes:
    """Read a file. Raises `EmulatorError`: it cannot be read, or it is too large."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise EmulatorError(f"{path}: {error.strerror}") from None
    if len(data) > _LARGEST:
        raise EmulatorError(f"{path}: larger than {_LARGEST} bytes")
    return data


def yaml_mistake(path: Path, error: yaml.MarkedYAMLError) -> str:
    """Tell a mistake in a YAML file with its place."""
    mark = error.problem_mark
    place = "" if mark is None else f":{mark.line + 1}:{mark.column + 1}"
    return f"{path}{place}: {error.problem or 'not YAML'}"


_MOST_VALUES = 1_000_000
"""Values of a YAML document once its aliases are written out."""


def _weight(node: yaml.Node, known: dict[int, int]) -> int:
    """Count the values in a node with its aliases written out. Raises `yaml.MarkedYAMLError` beyond `_MOST_VALUES`."""
    if id(node) in known:
        found = known[id(node)]
        if found == 0:
            raise yaml.MarkedYAMLError(problem="an alias contains itself", problem_mark=node.start_mark)
        return found
    known[id(node)] = 0
    inner = node.value if isinstance(node, yaml.CollectionNode) else ()
    children = [child for one in inner for child in (one if isinstance(one, tuple) else (one,))]
    known[id(node)] = 1 + sum(_weight(child, known) for child in children)
    if known[id(node)] > _MOST_VALUES:
        raise yaml.MarkedYAMLError(problem="aliases repeat too much", problem_mark=node.start_mark)
    return known[id(node)]


class _Bounded(yaml.SafeLoader):
    """Refuses aliases that make too much of a document, or that contain themselves."""

    def get_single_node(self) -> yaml.Node | None:
        """Return the document."""
        node: yaml.Node | None = super().get_single_node()
        if node is not None:
            _weight(node, {})
        return node


def read_yaml(text: str) -> Any:
    """Read a document as PyYAML does, within bounds. Raises `yaml.YAMLError`, and `RecursionError` for a deep one."""
    return yaml.load(text, _Bounded)  # noqa: S506 - a safe one


class UniqueKeys(_Bounded):
    """Refuses a key that stands twice in a mapping, of which PyYAML would take the last, in yaml.v3's words."""

    def compose_mapping_node(self, anchor: Any) -> Any:
        """Return the mapping as it is written: a key that a merge brings in later may stand here."""
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in lines:
                    problem = f'mapping key "{key.value}" already defined at line {lines[key.value]}'
                    raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
                lines[key.value] = key.start_mark.line + 1
        return node
