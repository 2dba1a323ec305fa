"""`cache-store`: keeps the response of a call for which `cache-lookup` found none."""

from apim_emulator.gateway.cache import MAX_VALUE
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.http.observe import BodyKeeper
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.policies.cache_lookup import CachedResponse
from apim_emulator.gateway.witness import note

_PERSONAL = frozenset({"set-cookie", "content-length"})


def _compile(element: Element, _site: Site) -> Run:
    duration = element.integer("duration", 1, 2**31 - 1)
    wanted = element.boolean("cache-response") if element.has("cache-response") else None

    async def run(exchange: Exchange) -> None:
        """Keep the response as it is now, without cookies (inferred), once its body has passed whole."""
        context, response, key = exchange.context, exchange.response, exchange.cache_key
        if key is None:
            note("not kept: cache-lookup looked for nothing")
            return
        if not (response.status == 200 if wanted is None else wanted(context)):
            note("not kept: {}", "the status is not 200" if wanted is None else "cache-response is false")
            return
        exchange.cache_key = None
        status, reason, seconds, cache = response.status, response.reason, duration(context), exchange.services.values
        headers = tuple((name, value) for name, value in response.headers.items() if name.lower() not in _PERSONAL)
        note("kept for {} s once it has passed whole", seconds)

        def keep(body: bytes) -> None:
            kept: CachedResponse = (status, reason, headers, body)
            cache.store(key, kept, seconds)

        exchange.observe(BodyKeeper(MAX_VALUE, keep))

    return run


POLICY = Policy("cache-store", _compile, sections=("outbound",), once=True)
