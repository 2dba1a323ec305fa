"""KQL as Azure Monitor runs it: on the rows of a workspace, by an open-source engine (duckdb-kql).

The engine's parser is made from Microsoft's grammar of the language, its results are measured against Microsoft's own
engine, and it refuses what it cannot translate. DuckDB keeps the rows.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import duckdb
import duckdb_kql

Row = Mapping[str, Any]
Columns = Mapping[str, Mapping[str, str]]
"""Kusto types by column, by table."""

_TYPES = {
    "string": "VARCHAR",
    "int": "INTEGER",
    "long": "BIGINT",
    "real": "DOUBLE",
    "bool": "BOOLEAN",
    "datetime": "TIMESTAMP",
    "dynamic": "JSON",
}
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")
_AGGREGATIONS: Mapping[str, Callable[[list[float]], float]] = {"Maximum": max, "Minimum": min, "Total": sum}
_OPERATORS = {"GreaterThan": float.__gt__, "LessThan": float.__lt__}


def run(query: str, tables: Mapping[str, Sequence[Row]], columns: Columns) -> list[dict[str, Any]]:
    """Return the rows of a query over the rows of tables. The query asks for no time of its own."""
    connection = _connection()
    schema = {}
    for table, types in columns.items():
        if table not in query:
            continue
        schema[table] = tuple(types)
        described = ", ".join(f'"{name}" {_TYPES[kind]}' for name, kind in types.items())
        connection.execute(f'CREATE OR REPLACE TABLE "{table}" ({described})')
        rows = [[_cell(row.get(name), kind) for name, kind in types.items()] for row in tables.get(table, ())]
        if rows:
            places = ", ".join("?" * len(types))
            connection.executemany(f'INSERT INTO "{table}" VALUES ({places})', rows)  # noqa: S608 - names of Azure's
    found = connection.sql(_translated(query, tuple(schema.items())))
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    return duckdb_kql.connect()


@cache
def _translated(query: str, schema: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    assert "now()" not in query
    assert "ago(" not in query
    return duckdb_kql.to_sql(query, schema={table: list(names) for table, names in schema})


def alerts(
    rule: Mapping[str, Any], tables: Mapping[str, Sequence[Row]], columns: Columns, now: datetime
) -> list[dict[str, Any]]:
    """Return what a log search alert rule fires for if it is evaluated `now`: the dimensions of each, and the value.

    As "Create or edit a log search alert rule" describes it, the query sees the rows of the window, its result is
    grouped by the dimensions, and each group's aggregate is compared with the threshold.
    """
    since = now - _length(rule["windowSize"])
    seen = {name: [row for row in rows if since < row["TimeGenerated"] <= now] for name, rows in tables.items()}
    fired = []
    for condition in rule["criteria"]["allOf"]:
        groups = defaultdict(list)
        dimensions = [dimension["name"] for dimension in condition["dimensions"]]
        for row in run(condition["query"], seen, columns):
            groups[tuple(row[name] for name in dimensions)].append(float(row[condition["metricMeasureColumn"]]))
        for group, values in groups.items():
            value = _AGGREGATIONS[condition["timeAggregation"]](values)
            if _OPERATORS[condition["operator"]](float(value), float(condition["threshold"])):
                fired.append({**dict(zip(dimensions, group, strict=True)), "value": value})
    return fired


def _length(duration: str) -> timedelta:
    match = _DURATION.fullmatch(duration)
    assert match
    days, hours, minutes = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


def _cell(value: Any, kind: str) -> Any:
    if value is None or kind != "dynamic":
        return value.replace(tzinfo=None) if isinstance(value, datetime) else value
    return json.dumps(value)
