"""What tokens cost, by model and day, for the metrics that count them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from options.mistakes import Key, Mistake
from options.openai import OpenAIOptions, deployments_of, served_by
from options.rules import Rule, Rules, matches

AS_OF = date(2026, 9, 29)
"""Day from which the prices of `PRICES` are known."""

PRICES: Mapping[str, tuple[float, float]] = {
    "gpt-4.1": (2, 8),
    "gpt-4.1-mini": (0.4, 1.6),
    "gpt-4.1-nano": (0.1, 0.4),
    "gpt-4o": (2.5, 10),
    "gpt-4o-mini": (0.15, 0.6),
    "gpt-5": (1.25, 10),
    "gpt-5-codex": (1.25, 10),
    "gpt-5-mini": (0.25, 2),
    "gpt-5-nano": (0.05, 0.4),
    "gpt-5-pro": (15, 120),
    "gpt-5.1": (1.25, 10),
    "gpt-5.1-codex": (1.25, 10),
    "gpt-5.1-codex-max": (1.25, 10),
    "gpt-5.1-codex-mini": (0.25, 2),
    "gpt-5.2": (1.75, 14),
    "gpt-5.2-codex": (1.75, 14),
    "gpt-5.3-codex": (1.75, 14),
    "gpt-5.4": (2.5, 15),
    "gpt-5.4-mini": (0.75, 4.5),
    "gpt-5.4-nano": (0.2, 1.25),
    "gpt-5.4-pro": (30, 180),
    "gpt-5.5": (5, 30),
    "gpt-5.6-luna": (0.2, 1.2),
    "gpt-5.6-sol": (4, 20),
    "gpt-5.6-terra": (2, 12),
    "o1": (15, 60),
    "o3": (2, 8),
    "o3-mini": (1.1, 4.4),
    "o4-mini": (1.1, 4.4),
    "text-embedding-3-large": (0.13, 0),
    "text-embedding-3-small": (0.02, 0),
    "text-embedding-ada-002": (0.1, 0),
}
"""Dollars for a million tokens of prompts and of answers, by model: list prices of the SKU `GlobalStandard`.

Source: the entries `azure/MODEL` of LiteLLM's `model_prices_and_context_window.json`, commit e1d16f5, since Microsoft
publishes no list that a program may keep. "Azure OpenAI Service pricing" is Microsoft's own page.
"""

FIRST, LAST = date(1970, 1, 1), date(9999, 12, 31)
"""The days between which a price without dates applies."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PriceOptions:
    """What the tokens of a model cost."""

    model: str
    """Model, such as `gpt-5.6-luna`, or, for an adopted account, the deployment."""
    input: float
    """US dollars for a million tokens of prompts."""
    output: float
    """US dollars for a million tokens of answers."""
    since: str | None = None
    """First day of the price, in UTC, such as `2026-11-01`. Until then the price before it applies: that of another
    entry, or else the program's own. Defaults to always."""


class Price(NamedTuple):
    """What the tokens of a deployment cost within a period."""

    deployment: str
    since: date
    until: date
    """Day after the last one."""
    input: float
    """US dollars for a million tokens."""
    output: float


def _amount(key: Key, value: object) -> Iterator[Mistake]:
    if isinstance(value, bool) or (isinstance(value, int | float) and value < 0):
        yield Mistake(key=key, value=value, problem="is not valid; allowed: US dollars for a million tokens, from 0")


def _day(key: Key, value: object) -> Iterator[Mistake]:
    if isinstance(value, str):
        try:
            date.fromisoformat(value)
        except ValueError:
            problem = "is not valid; allowed: a day such as 2026-11-01, in quotes"
            yield Mistake(key=key, value=value, problem=problem)


_model: Rule = matches("[A-Za-z0-9][A-Za-z0-9_.-]*", "a model's name, such as gpt-5.6-luna")
VALUES: Rules = {"model": (_model,), "input": (_amount,), "output": (_amount,), "since": (_day,)}


def check_prices(prices: Sequence[PriceOptions]) -> Iterator[Mistake]:
    """Yield prices of the same model from the same day."""
    first: dict[tuple[str, str | None], int] = {}
    for i, price in enumerate(prices):
        if (twin := first.setdefault((price.model, price.since), i)) != i:
            problem = "has a price from that day at {0}; remove one of the two, or give it another since"
            yield Mistake(key=(i, "model"), value=price.model, problem=problem, about=((twin, "model"),))


def prices_of(deployments: Mapping[str, str], own: Iterable[PriceOptions]) -> list[Price]:
    """Return the prices of deployments, given by name with their models; one without a price has none in the result."""
    found = []
    for deployment, model in deployments.items():
        days = {FIRST: PRICES[model]} if model in PRICES else {}
        days |= {
            FIRST if price.since is None else date.fromisoformat(price.since): (price.input, price.output)
            for price in own
            if price.model == model
        }
        starts = sorted(days)
        for number, day in enumerate(starts):
            until = starts[number + 1] if number + 1 < len(starts) else LAST
            paid = days[day]
            found.append(Price(deployment, day if number else FIRST, until, float(paid[0]), float(paid[1])))
    return found


def models_by_deployment(openai: OpenAIOptions, offered: Iterable[str] = ()) -> dict[str, list[str]]:
    """Return the models that deployments have, by name: several if accounts have different ones under one name.

    What adopted accounts have is not known, so a deployment of theirs stands for its model. `offered` are deployments
    that APIs offer, which an account may have that does not list its own.
    """
    found: dict[str, list[str]] = {}
    for account in openai.accounts:
        if account.existing is None:
            pairs = [(deployment.name, deployment.model) for deployment in deployments_of(account, openai)]
        else:
            pairs = [(name, name) for name in account.existing.deployments or ()]
        for name, model in pairs:
            if model not in found.setdefault(name, []):
                found[name].append(model)
    if any(served_by(account, openai) is None for account in openai.accounts):
        for name in offered:
            found.setdefault(name, [name])
    return found


def check_priced(
    key: Key, budget: Key, models: Mapping[str, Sequence[str]], prices: Sequence[PriceOptions]
) -> Iterator[Mistake]:
    """Refuse deployments whose tokens have no price, or several, for the budget; `key` is where prices are given."""
    known = {*PRICES, *(price.model for price in prices)}
    unpriced = list(dict.fromkeys(model for named in models.values() for model in named if model not in known))
    if unpriced:
        problem = (
            f"has no price for {', '.join(unpriced)}, which {{0}} needs; add {{model: {unpriced[0]}, input: DOLLARS, "
            "output: DOLLARS}, for a million tokens, or remove the budget"
        )
        yield Mistake(key=key, problem=problem, about=(budget,))
        return
    for deployment, named in models.items():
        if len({tuple(price[1:] for price in prices_of({deployment: model}, prices)) for model in named}) > 1:
            problem = (
                f"cannot tell what the deployment {deployment} costs, which is {' in one account and '.join(named)} in "
                "another, and {0} has to know; give them different names, or remove the budget"
            )
            yield Mistake(key=key, problem=problem, about=(budget,))
