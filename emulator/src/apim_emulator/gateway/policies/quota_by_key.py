"""`quota-by-key`: refuses calls beyond a volume for each value of a key, shared by all scopes."""

import re
from contextlib import suppress
from datetime import datetime

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.limits.call_quota import call_quota
from apim_emulator.gateway.limits.call_rate import MAX_CALLS
from apim_emulator.gateway.limits.counters import short
from apim_emulator.gateway.limits.quota_counter import every
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site, deferred
from apim_emulator.gateway.witness import note

_MIN_PERIOD = 300
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def _compile(element: Element, site: Site) -> Run:
    quota = call_quota(element)
    period = element.whole("renewal-period", 0, MAX_CALLS)
    if period is None or 0 < period < _MIN_PERIOD:
        element.refuse(f"needs 0 or at least {_MIN_PERIOD} seconds", "renewal-period")
    windows = every(period or 0, _start(element))
    counter_key = element.text("counter-key")
    condition = element.boolean("increment-condition", default=True)
    amount = element.integer("increment-count", 0, MAX_CALLS, default=1)
    late = element.computed("increment-condition") or element.computed("increment-count")
    location = site.location(element)

    async def run(exchange: Exchange) -> None:
        context = exchange.context
        name = short(counter_key(context))
        key = ("quota", name, period)
        window = windows(exchange.services.clock.now())

        async def count(exchange: Exchange) -> None:
            if name not in exchange.counted and condition(context):
                exchange.counted.add(name)
                quota.count(exchange, key, window, amount(context))

        counted = name in exchange.counted
        quota.check(exchange, key, window, 0 if counted else 1 if late else max(1, amount(context)))
        if counted:
            note("{} was counted for this call already", name)
        if late:
            exchange.on_end.append(deferred(count, location))
        else:
            await count(exchange)

    return run


def _start(element: Element) -> float:
    text = element.literal("first-period-start", "0001-01-01T00:00:00Z") or ""
    moment = None
    if _DATE_TIME.fullmatch(text) is not None:
        with suppress(ValueError):
            moment = datetime.fromisoformat(text).timestamp()
    return element.needed(moment, "must have the form yyyy-MM-ddTHH:mm:ssZ", "first-period-start")


POLICY = Policy(
    "quota-by-key",
    _compile,
    sections=("inbound",),
    missing_in=(
        "Consumption",
        "v2",
    ),
)
