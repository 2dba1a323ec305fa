"""`llm-semantic-cache-store` and `azure-openai-semantic-cache-store`: keep an answer for similar prompts."""

from dataclasses import replace

from policies.semantic_cache_store import AzureOpenAISemanticCacheStore, LlmSemanticCacheStore
from sandbox.gateway.element import Element
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.policy import Policy, Run, Site
from sandbox.gateway.semantic_cache import MAX_RESPONSE, CachedResponse, CacheQuery, SemanticCache

_PERSONAL = ("Set-Cookie", "Content-Length")


class _Recorder:
    """Copies a body that passes, and stores it once it has passed whole."""

    def __init__(self, cache: SemanticCache, query: CacheQuery, response: CachedResponse, seconds: int) -> None:
        self._cache, self._query, self._response, self._seconds = cache, query, response, seconds
        self._body = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Copy the next bytes; no more than what the cache takes."""
        if len(self._body) <= MAX_RESPONSE:
            self._body += chunk

    def finish(self, *, complete: bool) -> None:
        """Store a complete body."""
        if complete:
            self._cache.store(self._query, replace(self._response, body=bytes(self._body)), self._seconds)


def _compile(element: Element, _site: Site) -> Run:
    duration = element.integer("duration", 1, 2**31 - 1)

    async def run(exchange: Exchange) -> None:
        """Store a 200 for which the look-up found nothing, streamed or not, without cookies (inferred)."""
        query, response = exchange.cache_query, exchange.response
        if query is None or response.status != 200:
            return
        exchange.cache_query = None
        headers = response.headers.copy()
        for name in _PERSONAL:
            headers.popall(name, None)
        kept = CachedResponse(response.status, headers, b"")
        seconds = duration(exchange.context)
        exchange.observe(_Recorder(exchange.services.semantic_cache, query, kept, seconds))

    return run


POLICY = Policy(LlmSemanticCacheStore, _compile)
AZURE_OPENAI = Policy(AzureOpenAISemanticCacheStore, _compile)
