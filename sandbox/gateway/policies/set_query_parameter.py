"""`set-query-parameter`: sets, appends or deletes a query parameter of the request."""

from sandbox.gateway.element import Element
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.policies.set_header import ACTIONS
from sandbox.gateway.policy import Policy, Run, Site


def _compile(element: Element, _site: Site) -> Run:
    name = element.text("name")
    action = element.choice("exists-action", ACTIONS, "override")
    values = element.texts("value")
    if (action == "delete") == bool(values):
        raise element.refused("delete takes no value, every other action at least one", "exists-action")

    async def run(exchange: Exchange) -> None:
        context = exchange.context
        query, key = context.request.query, name(context)
        if action == "skip" and query.values(key):
            return
        texts = [value(context) for value in values]
        if action != "append":
            query.remove(key)
        for text in texts:
            query.add(key, text)

    return run


POLICY = Policy("set-query-parameter", frozenset({"inbound", "backend"}), _compile)
