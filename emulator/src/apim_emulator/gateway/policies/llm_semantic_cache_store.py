"""`llm-semantic-cache-store` and `azure-openai-semantic-cache-store`: keep an answer for similar prompts."""

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.http.observe import BodyKeeper
from apim_emulator.gateway.llm.semantic_cache import MAX_RESPONSE, CachedResponse
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.witness import note

_PERSONAL = ("Set-Cookie", "Content-Length")


def _compile(element: Element, _site: Site) -> Run:
    duration = element.integer("duration", 1, 2**31 - 1)

    async def run(exchange: Exchange) -> None:
        """Store a 200 for which the look-up found nothing, streamed or not, without cookies (inferred)."""
        query, response = exchange.cache_query, exchange.response
        if query is None or response.status != 200:
            note("not kept: {}", "no look-up missed" if query is None else f"the status is {response.status}")
            return
        exchange.cache_query = None
        headers = response.headers.copy()
        for name in _PERSONAL:
            headers.popall(name, None)
        status, seconds, cache = response.status, duration(exchange.context), exchange.services.semantic_cache
        note("kept for {} s once it has passed whole", seconds)

        def keep(body: bytes) -> None:
            cache.store(query, CachedResponse(status, headers, body), seconds)

        exchange.observe(BodyKeeper(MAX_RESPONSE, keep))

    return run


POLICY = Policy("llm-semantic-cache-store", _compile, sections=("outbound",), once=True)
AZURE_OPENAI = Policy("azure-openai-semantic-cache-store", _compile, sections=("outbound",), once=True)
