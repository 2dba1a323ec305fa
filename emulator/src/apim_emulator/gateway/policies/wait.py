"""`wait`: runs policies side by side.

What a failure does is inferred: with `for="all"` the first failure ends the others and is that of `wait`; with
`for="any"` the first to end decides, so one that fails first fails `wait` although another might still succeed.
"""

import asyncio

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site, Step, run_steps

_CHILDREN = frozenset(
    {
        "authentication-managed-identity", "cache-lookup-value", "cache-store-value", "choose", "forward-request",
        "send-request",
    }
)  # fmt: skip


def _compile(element: Element, site: Site) -> Run:
    mode = element.word("for", ("all", "any"), "all")
    children = element.policies()
    if not children:
        element.refuse("needs at least one policy")
    for child in children:
        if child.name not in _CHILDREN:
            child.refuse(f"may not stand directly in wait; allowed are {', '.join(sorted(_CHILDREN))}")
    steps = site.sequence(children)

    async def run(exchange: Exchange) -> None:
        await _side_by_side(steps, exchange, until_first=mode(exchange.context) == "any")

    return run


async def _side_by_side(steps: tuple[Step, ...], exchange: Exchange, *, until_first: bool) -> None:
    """Wait for all, or for the first to end, however it ends; what fails ends the others (inferred, as above)."""
    tasks = [asyncio.create_task(run_steps((step,), exchange)) for step in steps]
    try:
        ending = asyncio.FIRST_COMPLETED if until_first else asyncio.FIRST_EXCEPTION
        await asyncio.wait(tasks, return_when=ending)
        errors = [task.exception() for task in tasks if task.done()]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for error in errors:
        if error is not None:
            raise error


POLICY = Policy(
    "wait",
    _compile,
    sections=(
        "inbound",
        "backend",
        "outbound",
    ),
    holds_policies=True,
)
