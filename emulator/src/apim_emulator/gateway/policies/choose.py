"""`choose`: runs the policies of the first `when` that holds, or of `otherwise`."""

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.loading.buffering import bodies_in, buffer_bodies
from apim_emulator.gateway.loading.element import Element, Value
from apim_emulator.gateway.loading.policy import Policy, Run, Site, Step, run_steps
from apim_emulator.gateway.witness import note


def _compile(element: Element, site: Site) -> Run:
    branches: list[tuple[Value[bool], frozenset[str], tuple[Step, ...], str]] = []
    whens = element.children("when")
    if not whens:
        element.refuse("needs at least one when")
    for number, node in enumerate(whens, 1):
        when = Element(node)
        condition = when.boolean("condition")
        name = f"when[{number}]" if len(whens) > 1 else "when"
        bodies = bodies_in(when.node.attributes["condition"])
        steps = site.inside(name).sequence(when.policies())
        branches.append((condition, bodies, steps, node.written.get("condition", "")))
        when.done()
    otherwise = element.child("otherwise")
    rest: tuple[Step, ...] = ()
    if otherwise is not None:
        if otherwise.attributes or otherwise.text.strip():
            otherwise.refuse("takes policies only")
        if element.node.children[-1] is not otherwise:
            otherwise.refuse("must come last")
        rest = site.inside("otherwise").sequence(otherwise.children)

    async def run(exchange: Exchange) -> None:
        for number, (condition, bodies, steps, written) in enumerate(branches, 1):
            await buffer_bodies(exchange, bodies)
            holds = condition(exchange.context)
            note("when {} of {} {}: {}", number, len(branches), "is taken" if holds else "does not hold", written)
            if holds:
                return await run_steps(steps, exchange)
        note("otherwise is taken" if otherwise is not None else "nothing is taken, there is no otherwise")
        return await run_steps(rest, exchange)

    return run


POLICY = Policy("choose", _compile, holds_policies=True)
