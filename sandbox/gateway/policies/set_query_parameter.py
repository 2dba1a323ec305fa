"""`set-query-parameter`: sets, appends or deletes a query parameter of the request."""

from policies.set_query_parameter import SetQueryParameter
from sandbox.gateway.element import Element
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.policies.set_header import exists_action
from sandbox.gateway.policy import Policy, Run, Site


def _compile(element: Element, _site: Site) -> Run:
    name = element.text("name")
    action = exists_action(element)
    values = element.texts("value")

    async def run(exchange: Exchange) -> None:
        context = exchange.context
        query, key = context.request.query, name(context)
        chosen = action(context)
        if chosen == "skip" and query.values(key):
            return
        texts = [] if chosen == "delete" else [value(context) for value in values]
        if chosen != "append":
            query.remove(key)
        for text in texts:
            query.add(key, text)

    return run


POLICY = Policy(SetQueryParameter, _compile)
