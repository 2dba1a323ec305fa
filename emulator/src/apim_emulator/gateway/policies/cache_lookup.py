"""`cache-lookup`: answers a GET request with a response that `cache-store` kept."""

import json
from dataclasses import dataclass

from multidict import CIMultiDict

from apim_emulator.gateway.context.objects import Response
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Answered
from apim_emulator.gateway.loading.element import Element, Value
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.policies.cache_lookup_value import CACHING_TYPES
from apim_emulator.gateway.witness import note

CachedResponse = tuple[int, str | None, tuple[tuple[str, str], ...], bytes]
"""Status, reason, headers and body, as the gateway's cache holds them."""


@dataclass(frozen=True, slots=True)
class _Vary:
    """What tells apart calls that do not share a response."""

    by_developer: Value[bool]
    headers: list[Value[str]]
    parameters: list[Value[str]]

    def key(self, exchange: Exchange) -> str:
        """Name what a call looks for: URL and what it varies by; without named parameters, the whole query."""
        context = exchange.context
        original, subscription = context.request.original_url, context.subscription
        names = [name for value in self.parameters for name in value(context).split(";")]
        return "cache-lookup " + json.dumps(
            [
                None if context.api is None else context.api.id,
                original.path,
                [original.query.values(name.strip()) for name in names] if names else str(original.query),
                [context.request.headers.getall(value(context), []) for value in self.headers],
                # A developer is known by the subscription (inferred).
                subscription.id if subscription is not None and self.by_developer(context) else None,
            ]
        )


def _compile(element: Element, _site: Site) -> Run:
    # Without downstream caching the response's headers stay as they are (inferred).
    element.only("downstream-caching-type")
    element.boolean("must-revalidate", default=True)
    element.choice("caching-type", CACHING_TYPES, "prefer-external")
    element.only("vary-by-developer-groups")
    private = element.boolean("allow-private-response-caching", default=False)
    vary = _Vary(
        element.boolean("vary-by-developer"),
        element.texts("vary-by-header", strip=True),
        element.texts("vary-by-query-parameter", strip=True),
    )

    async def run(exchange: Exchange) -> None:
        request = exchange.context.request
        if request.method != "GET":
            note("not looked up: only GET requests are")
            return
        if "Authorization" in request.headers and not private(exchange.context):
            note("not looked up: the request has Authorization, and allow-private-response-caching is false")
            return
        key = vary.key(exchange)
        found = exchange.services.values.lookup(key)[1]
        if not isinstance(found, tuple):
            exchange.cache_key = key
            note("miss")
            return
        note("hit")
        kept: CachedResponse = found
        status, reason, headers, body = kept
        exchange.context.response = Response(status, reason, CIMultiDict(headers), body)
        raise Answered

    return run


POLICY = Policy("cache-lookup", _compile, sections=("inbound",), once=True)
