"""What the callers of a sandbox have spent: the tokens that its metrics count, at the prices that were deployed.

It is computed apart from the workbook's query, which tests hold it equal to.
"""

import json
import re
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from aiohttp import web

from apim_emulator.azure import Cloud
from apim_emulator.errors import EmulatorError
from apim_emulator.tracing.server import guarded

_TABLE = re.compile(r"^let prices = datatable\(.*?\) \[(?P<rows>.*)\];$", re.MULTILINE)
_ROW = re.compile(
    r'(?P<model>"(?:[^"\\]|\\.)*"), datetime\((?P<since>[\d-]+)\), datetime\((?P<until>[\d-]+)\), '
    r"(?P<input>[\d.e+-]+), (?P<output>[\d.e+-]+)"
)
_NOBODY = "none"
_TEAM = ("Product ID", "Subscription ID", "Application")
"""Dimensions that name a team, the first that has a value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """Dollars for a million tokens of a deployment, from a day until before another."""

    model: str
    since: date
    until: date
    input: float
    output: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """What a team has spent on a model."""

    team: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    """Dollars; None where tokens have no price."""


def deployed_prices(cloud: Cloud) -> list[Price]:
    """Return the prices with which the deployed workbook tells the cost. Raises `EmulatorError` where there is none."""
    contents = (item["content"] for workbook in cloud.workbooks() for item in json.loads(workbook)["items"])
    found = next((table for content in contents if (table := _TABLE.search(content.get("query", "")))), None)
    if found is None:
        raise EmulatorError("no workbook is deployed, so nothing has a price; set openai-gateway:observability")
    return [
        Price(
            model=json.loads(row["model"]),
            since=date.fromisoformat(row["since"]),
            until=date.fromisoformat(row["until"]),
            input=float(row["input"]),
            output=float(row["output"]),
        )
        for row in _ROW.finditer(found["rows"])
    ]


def spent(metrics: Iterable[Mapping[str, Any]], prices: Iterable[Price]) -> list[Spent]:
    """Return what rows of the table `AppMetrics` cost, by team and model, the dearest first."""
    by_model = defaultdict(list)
    for one in prices:
        by_model[one.model].append(one)
    tokens: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    costs: dict[tuple[str, str], float | None] = defaultdict(float)
    for row in metrics:
        if row["Name"] not in {"Prompt Tokens", "Completion Tokens"}:
            continue
        dimensions = row["Properties"]
        who = _team(dimensions), str(dimensions.get("Model", ""))
        tokens[who][row["Name"]] += row["Sum"]
        price = _price(by_model[who[1]], row["TimeGenerated"])
        so_far = costs[who]
        if price is None or so_far is None:
            costs[who] = None
        else:
            each = price.input if row["Name"] == "Prompt Tokens" else price.output
            costs[who] = so_far + row["Sum"] * each / 1_000_000
    rows = [
        Spent(
            team=team,
            model=model,
            prompt_tokens=round(count["Prompt Tokens"]),
            completion_tokens=round(count["Completion Tokens"]),
            cost=costs[team, model],
        )
        for (team, model), count in tokens.items()
    ]
    return sorted(rows, key=lambda row: (-(row.cost or 0), row.team, row.model))


def _team(dimensions: Mapping[str, str]) -> str:
    named = (dimensions.get(name) for name in _TEAM)
    return next((name for name in named if name and name != _NOBODY), _NOBODY)


def _price(prices: Iterable[Price], at: datetime) -> Price | None:
    return next((price for price in prices if price.since <= at.date() < price.until), None)


class SpendServer:
    """Tells other processes what was spent, below a path that cannot be guessed."""

    def __init__(self, rows: Callable[[], Sequence[Spent]]) -> None:
        """Take what computes the rows, which may raise `EmulatorError`."""
        self.path = f"/{secrets.token_urlsafe(16)}/"
        """What comes after the server's address."""
        self._rows = rows
        self.app = guarded()
        self.app.router.add_get(f"{self.path}spend.json", self._spend)

    async def _spend(self, _: web.Request) -> web.Response:
        try:
            return web.json_response({"spent": [asdict(row) for row in self._rows()]})
        except EmulatorError as error:
            return web.json_response({"error": str(error)})
