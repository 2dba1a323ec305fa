"""`llm-semantic-cache-lookup` and `azure-openai-semantic-cache-lookup`: answer a prompt as a similar one before it."""

import hashlib
import json
from dataclasses import dataclass

from apim_emulator.gateway.backends.call import BackendCallError, pick, post_json
from apim_emulator.gateway.backends.targets import Target
from apim_emulator.gateway.context.objects import Response
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Answered, Failure
from apim_emulator.gateway.llm.model_text import PROMPT_FIELDS, Json, texts
from apim_emulator.gateway.llm.semantic_cache import CacheQuery, unit
from apim_emulator.gateway.loading.element import Element, Value
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.telemetry import TraceEntry
from apim_emulator.gateway.witness import note

_RESOURCE = "https://cognitiveservices.azure.com"
_API_VERSION = "2024-02-01"
_SYSTEM = frozenset({"system", "developer"})


@dataclass(frozen=True, slots=True)
class _Lookup:
    threshold: float
    embeddings: Target
    with_identity: bool
    ignore_system: Value[bool]
    most_messages: Value[int] | None
    cache_id: str | None
    vary_by: list[Value[str]]

    async def query(self, exchange: Exchange) -> CacheQuery | None:
        """Embed the prompt; None for a request that is not looked up."""
        request = await exchange.read_prompt()
        prompt = self._prompt(request, exchange)
        if not prompt:
            return None
        if not exchange.services.semantic_cache.connected:
            raise BackendCallError("there is no external cache with RediSearch")
        vector = await self._embed(prompt, exchange)
        return CacheQuery(self._partition(request, exchange), vector)

    def _prompt(self, request: Json, exchange: Exchange) -> str:
        """Join roles and texts of a dialogue, or take the prompt; empty: the dialogue is too long, or there is none."""
        messages = request.get("messages")
        if not isinstance(messages, list):
            return "\n".join(texts(request.get("prompt")))
        dialogue = [message for message in messages if isinstance(message, dict)]
        if self.ignore_system(exchange.context):
            dialogue = [message for message in dialogue if message.get("role") not in _SYSTEM]
        if self.most_messages is not None and len(dialogue) > self.most_messages(exchange.context):
            return ""
        return "\n".join(f"{message.get('role')}: {text}" for message in dialogue for text in texts(message))

    def _partition(self, request: Json, exchange: Exchange) -> tuple[object, ...]:
        """Tell apart what must never share an answer: everything but the prompt itself.

        What the caller sent is kept as a digest, whose size does not depend on the caller.
        """
        context = exchange.context
        rest = {name: value for name, value in request.items() if name not in PROMPT_FIELDS}
        sent = (context.request.path, str(context.request.query), rest, [value(context) for value in self.vary_by])
        return (
            self.cache_id,
            exchange.target,
            None if context.api is None else context.api.id,
            None if context.operation is None else context.operation.id,
            hashlib.sha256(json.dumps(sent, sort_keys=True).encode()).digest(),
        )

    async def _embed(self, prompt: str, exchange: Exchange) -> tuple[float, ...]:
        """Ask the embeddings deployment; the backend's URL ends with its path (inferred: the API version)."""
        endpoint = pick(exchange, self.embeddings)
        token = exchange.services.identities.token(None, _RESOURCE) if self.with_identity else None
        path = endpoint.path if endpoint.path.endswith("/embeddings") else f"{endpoint.path}/embeddings"
        answer = await post_json(
            exchange, endpoint, f"{path}?api-version={_API_VERSION}", {"input": prompt},
            None if token is None else f"Bearer {token}", purpose="embeddings",
        )  # fmt: skip
        try:
            vector = unit([float(value) for value in answer["data"][0]["embedding"]])
        except (KeyError, IndexError, TypeError, ValueError):
            vector = None
        if vector is None:
            raise BackendCallError(f"{endpoint.name} did not answer with an embedding")
        return vector


def _compile(element: Element, site: Site) -> Run:
    lookup = _lookup(element, site)

    async def run(exchange: Exchange) -> None:
        """Answer from the cache; a look-up that fails is traced and the call goes on."""
        try:
            query = await lookup.query(exchange)
        except (BackendCallError, Failure, RecursionError) as error:
            reason = error.reason if isinstance(error, Failure) else str(error)
            exchange.traces.append(TraceEntry(element.node.name, "error", f"cache lookup failed: {reason}"))
            return
        if query is None:
            note("not looked up: there is no prompt, or it has too many messages")
            return
        found = exchange.services.semantic_cache.find(query, lookup.threshold)
        if found is None:
            exchange.cache_query = query
            return
        exchange.context.response = Response(found.status, None, found.headers.copy(), found.body)
        raise Answered

    return run


def _lookup(element: Element, site: Site) -> _Lookup:
    known = site.backends.get(element.literal("embeddings-backend-id") or "")
    backend = element.needed(known, "backend does not exist", "embeddings-backend-id")
    return _Lookup(
        _threshold(element),
        backend,
        element.choice("embeddings-backend-auth", ("system-assigned", "header"), "system-assigned")
        == "system-assigned",
        element.boolean("ignore-system-messages", default=False),
        element.integer("max-message-count", 1, 2**31 - 1) if element.has("max-message-count") else None,
        element.literal("cache-id"),
        element.texts("vary-by", strip=True),
    )


def _threshold(element: Element) -> float:
    try:
        number = float(element.literal("score-threshold") or "")
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        element.refuse("must be a number, 0 to 1", "score-threshold")
    return number


POLICY = Policy("llm-semantic-cache-lookup", _compile, sections=("inbound",), once=True)
AZURE_OPENAI = Policy("azure-openai-semantic-cache-lookup", _compile, sections=("inbound",), once=True)
