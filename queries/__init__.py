"""KQL that the alert rules and the workbook run in the Log Analytics workspace, a query a file.

Each file is a whole query. What differs from stack to stack stands in its `let` statements, a line each, with a value
in the file that matches nothing; `query` puts the stack's own values there.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

FOLDER = Path(__file__).parent

Value = str | float | Sequence[str] | Sequence[Sequence[str | float | date]]
"""Text, a number, a list of texts, or the rows of a table."""

_LET = re.compile(r"^let (?P<name>\w+) = (?P<value>.*);$", re.MULTILINE)


def names() -> list[str]:
    """Return the names of all queries, such as `alerts/throttled`."""
    return sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.kql"))


def query(name: str, values: Mapping[str, Value]) -> str:
    """Return a query with values for its `let` statements; those that it does not have are left out.

    Raises:
        ValueError: a `let` statement that matches nothing has no value.

    """
    text = (FOLDER / f"{name}.kql").read_text(encoding="utf-8")

    def filled(match: re.Match[str]) -> str:
        let, default = match["name"], match["value"]
        if let in values:
            return f"let {let} = {_literal(values[let], default)};"
        if default in {'""', "dynamic([])"} or default.endswith(" []"):
            raise ValueError(f"query {name} needs {let}")
        return match[0]

    return _LET.sub(filled, text)


def _literal(value: Value, default: str) -> str:
    """Write a value as KQL; `default` is the one that it replaces, which says what it is."""
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, int | float):
        return repr(float(value))
    if default.startswith("datatable"):
        rows: Iterable[Sequence[str | float | date]] = (row for row in value if not isinstance(row, str))
        return f"{default.removesuffix('[]')}[{', '.join(_cell(cell) for row in rows for cell in row)}]"
    return f"dynamic({json.dumps(list(map(str, value)))})"


def _cell(value: str | float | date) -> str:
    if isinstance(value, date):
        return f"datetime({value.isoformat()})"
    return json.dumps(value) if isinstance(value, str) else repr(value)
