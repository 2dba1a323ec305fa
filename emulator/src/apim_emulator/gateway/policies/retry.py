"""`retry`: runs policies again while a condition holds."""

from secrets import randbelow

from apim_emulator.gateway.context import Context
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Failure
from apim_emulator.gateway.loading.buffering import bodies_in, buffer_bodies
from apim_emulator.gateway.loading.document import Node
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site, Step, run_steps
from apim_emulator.gateway.witness import note

_NO_RESPONSE = frozenset({"Timeout", "BackendConnectionFailure", "BackendUnavailable", "BackendResponseFailure"})
"""Failures of a backend, after which the condition decides; every other failure goes to on-error at once."""
_LARGEST = 2**31 - 1


class _Waits:
    """How long to wait before each retry."""

    def __init__(self, element: Element) -> None:
        self._interval = element.integer("interval", 0, _LARGEST)
        self._delta = element.integer("delta", 1, _LARGEST) if element.has("delta") else None
        self._longest = element.integer("max-interval", 1, _LARGEST) if element.has("max-interval") else None
        self._fast = element.boolean("first-fast-retry", default=False)

    def seconds(self, number: int, context: Context) -> float:
        """Return the wait before a retry, counted from 1: fixed, growing by `delta`, or doubling up to a maximum."""
        if number == 1 and self._fast(context):
            return 0.0
        wait = float(self._interval(context))
        longest = None if self._longest is None else self._longest(context)
        if self._delta is not None:
            delta = self._delta(context)
            wait += (number - 1) * delta if longest is None else (2.0 ** (number - 1) - 1) * delta * _spread()
        return wait if longest is None else min(wait, float(longest))


def _spread() -> float:
    """Draw a factor of 0.8 to 1.2."""
    return 0.8 + randbelow(4001) / 10_000


def _compile(element: Element, site: Site) -> Run:
    condition = element.boolean("condition")
    count = element.integer("count", 1, 50)
    waits = _Waits(element)
    children = element.policies()
    for child in children:
        _refuse_wait(child)
    steps = site.sequence(children)
    element.done()  # here already: an attribute that is unknown may be no expression that compiles
    bodies = bodies_in(*element.node.attributes.values())

    async def run(exchange: Exchange) -> None:
        context = exchange.context
        retries = count(context)
        for number in range(1, retries + 2):
            failure = await _attempt(steps, exchange)
            await buffer_bodies(exchange, bodies)
            again = number <= retries and condition(context)
            if not again:
                why = "the condition does not hold" if number <= retries else "no retry is left"
                note("attempt {} is the last: {}", number, why)
                if failure is not None:
                    raise failure
                return
            seconds = waits.seconds(number, context)
            note("attempt {}: the condition holds, retry after {} s", number, seconds)
            await exchange.services.clock.sleep(seconds)

    return run


async def _attempt(steps: tuple[Step, ...], exchange: Exchange) -> Failure | None:
    """Run the policies; a backend that did not answer is a response to the condition (inferred).

    The condition also sees `context.LastError`, as that of `sf-resolve-condition` does in Microsoft's pages on Service
    Fabric; that it is empty again after an attempt that did get an answer is inferred.
    """
    context = exchange.context
    context.last_error = None
    try:
        await run_steps(steps, exchange)
    except Failure as failure:
        if failure.reason not in _NO_RESPONSE:
            raise
        context.response = failure.as_response(context.request_id)
        context.last_error = failure.last_error()
        return failure
    return None


def _refuse_wait(node: Node) -> None:
    if node.name == "wait":
        node.refuse("may not stand inside retry")
    for child in node.children:
        _refuse_wait(child)


POLICY = Policy("retry", _compile, holds_policies=True)
