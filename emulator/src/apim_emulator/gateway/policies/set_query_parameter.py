"""`set-query-parameter`: sets, appends or deletes a query parameter of the request."""

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.policies.set_header import exists_action
from apim_emulator.gateway.witness import note


def _compile(element: Element, _site: Site) -> Run:
    name = element.text("name")
    action = exists_action(element)
    values = element.texts("value")

    async def run(exchange: Exchange) -> None:
        context = exchange.context
        query, key = context.request.query, name(context)
        chosen = action(context)
        if chosen == "skip" and query.values(key):
            note("{}: skipped, it exists", key)
            return
        texts = [] if chosen == "delete" else [value(context) for value in values]
        if chosen != "append":
            query.remove(key)
        for text in texts:
            query.add(key, text)

    return run


POLICY = Policy(
    "set-query-parameter",
    _compile,
    sections=(
        "inbound",
        "backend",
    ),
)
