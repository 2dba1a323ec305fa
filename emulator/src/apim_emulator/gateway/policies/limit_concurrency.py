"""`limit-concurrency`: lets only so many calls into the policies inside it at a time."""

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Failure
from apim_emulator.gateway.loading.buffering import bodies_in, buffer_bodies
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site, run_steps
from apim_emulator.gateway.witness import note


def _compile(element: Element, site: Site) -> Run:
    key = element.text("key")
    limit = element.required_whole("max-count", 1, 2**31 - 1)
    bodies = bodies_in(element.node.attributes["key"])
    steps = site.sequence(element.policies())

    async def run(exchange: Exchange) -> None:
        await buffer_bodies(exchange, bodies)
        running, name = exchange.services.running, key(exchange.context)
        note("{} of {} calls are inside with key {}", running.get(name, 0), limit, name)
        if running.get(name, 0) >= limit:
            # The reason is inferred; the status is documented.
            raise Failure(429, "Too Many Requests", "ConcurrencyLimitExceeded")
        running[name] = running.get(name, 0) + 1
        try:
            await run_steps(steps, exchange)
        finally:
            running[name] -= 1
            if not running[name]:
                del running[name]

    return run


POLICY = Policy("limit-concurrency", _compile, holds_policies=True)
