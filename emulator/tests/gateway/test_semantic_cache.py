"""The semantic cache: what is near enough, what is never shared, and what a failure of the embeddings does."""

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from multidict import CIMultiDict

from apim_emulator.clock import Clock
from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.llm.semantic_cache import CachedResponse, CacheQuery, SemanticCache, unit
from apim_emulator.model import Backend
from emulator.tests.gateway.harness import BACKEND_URL, Bench, inbound, serve
from emulator.tests.gateway.models import CHAT_URL, chat, stream

STORE = "<llm-semantic-cache-store duration='60'/>"
EMBEDDINGS_URL = "https://embeddings.example/openai/deployments/ada/embeddings"
ANGLES = {"user: Hello": 0.0, "user: Hello!": 0.2, "user: Goodbye": 1.5}
"""Direction of each prompt's embedding; cosine distances from the first: 0.02 and 0.93."""


@dataclass
class Embeddings:
    """An embeddings deployment."""

    calls: list[tuple[str, str | None, Any]] = field(default_factory=list)
    status: int = 200
    body: Any = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        content = await request.json()
        self.calls.append((request.path_qs, request.headers.get("Authorization"), content))
        angle = ANGLES.get(content["input"], 0.0)
        answer = {"data": [{"embedding": [math.cos(angle), math.sin(angle)]}]} if self.body is None else self.body
        return web.json_response(answer, status=self.status)


@pytest.fixture
async def embeddings(gateway_bench: Bench) -> AsyncIterator[Embeddings]:
    service = Embeddings()
    async with serve(service.handle) as url:
        gateway_bench.network.route("embeddings.example", url)
        yield service


def lookup(more: str = "score-threshold='0.05'", inner: str = "") -> str:
    return f"<llm-semantic-cache-lookup embeddings-backend-id='embeddings' {more}>{inner}</llm-semantic-cache-lookup>"


def load(bench: Bench, *policies: str, outbound: str = STORE, **changes: Any) -> None:
    backends = (Backend(id="openai-backend", url=BACKEND_URL), Backend(id="embeddings", url=EMBEDDINGS_URL))
    bench.load(inbound(*(policies or (lookup(),)), outbound=outbound), backends=backends, **changes)


def said(text: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **more}


async def ask(bench: Bench, body: Any, path: str = CHAT_URL, **headers: str) -> aiohttp.ClientResponse:
    return await bench.call(path, "POST", json=body, headers=headers)


async def test_similar_prompt_gets_the_same_answer(gateway_bench: Bench, embeddings: Embeddings) -> None:
    load(gateway_bench)
    gateway_bench.backend.answer = chat(text="first")
    first = await ask(gateway_bench, said("Hello"))
    gateway_bench.backend.answer = chat(text="second")

    near, far = await ask(gateway_bench, said("Hello!")), await ask(gateway_bench, said("Goodbye"))

    assert await near.read() == await first.read()
    assert near.headers["Content-Type"] == "application/json; charset=utf-8"
    assert (await far.json())["choices"][0]["message"]["content"] == "second"
    assert len(gateway_bench.backend.calls) == 2
    assert [record.backend_called for record in gateway_bench.records] == [True, False, True]


async def test_embeddings_are_asked_for_with_the_system_assigned_identity(
    gateway_bench: Bench, embeddings: Embeddings
) -> None:
    load(gateway_bench)
    await ask(gateway_bench, said("Hello"))

    assert embeddings.calls == [
        (
            "/openai/deployments/ada/embeddings?api-version=2024-02-01",
            "Bearer token-1-of-system-principal",
            {"input": "user: Hello"},
        )
    ]
    assert gateway_bench.tokens.requests == [("system-principal", "https://cognitiveservices.azure.com")]


async def test_backend_credentials_instead_of_the_identity(gateway_bench: Bench, embeddings: Embeddings) -> None:
    load(gateway_bench, lookup("score-threshold='0' embeddings-backend-auth='header'"))
    await ask(gateway_bench, said("Hello"))

    assert embeddings.calls[0][1] is None


@pytest.mark.parametrize(
    ("threshold", "calls"), [("0", 2), ("0.01", 2), ("0.02", 1), ("1", 1)], ids=["0", "0.01", "0.02", "1"]
)
async def test_threshold_is_a_distance(
    gateway_bench: Bench, embeddings: Embeddings, threshold: str, calls: int
) -> None:
    load(gateway_bench, lookup(f"score-threshold='{threshold}'"))
    for text in ("Hello", "Hello!"):
        await ask(gateway_bench, said(text))

    assert len(gateway_bench.backend.calls) == calls


async def test_entries_expire(gateway_bench: Bench, embeddings: Embeddings) -> None:
    load(gateway_bench)
    for pause in (0, 59, 1):
        gateway_bench.clock.advance(pause)
        await ask(gateway_bench, said("Hello"))

    assert len(gateway_bench.backend.calls) == 2


@pytest.mark.parametrize(
    ("inner", "one", "other"),
    [
        pytest.param("", (said("Hello"), CHAT_URL), (said("Hello", temperature=1), CHAT_URL), id="parameters"),
        pytest.param(
            "", (said("Hello"), CHAT_URL), (said("Hello"), CHAT_URL.replace("/chat/", "/other/", 1)), id="path"
        ),
        pytest.param("", (said("Hello"), CHAT_URL), (said("Hello"), f"{CHAT_URL}?a=1"), id="query"),
        pytest.param(
            "<vary-by>@(context.Request.OriginalUrl.Path)</vary-by>",
            (said("Hello", user="a"), CHAT_URL),
            (said("Hello", user="b"), CHAT_URL),
            id="user",
        ),
    ],
)
async def test_what_never_shares_an_answer(
    gateway_bench: Bench, embeddings: Embeddings, inner: str, one: tuple[Any, str], other: tuple[Any, str]
) -> None:
    load(gateway_bench, lookup(inner=inner))
    for body, path in (one, other):
        await ask(gateway_bench, body, path)

    assert len(gateway_bench.backend.calls) == 2


async def test_vary_by_divides_the_cache(gateway_bench: Bench, embeddings: Embeddings) -> None:
    vary = '<vary-by>@(context.Request.Headers.GetValueOrDefault("X-Team", ""))</vary-by>'
    load(gateway_bench, lookup(inner=vary))
    for team in ("a", "b", "a"):
        await ask(gateway_bench, said("Hello"), **{"X-Team": team})

    assert len(gateway_bench.backend.calls) == 2


async def test_system_messages_may_be_ignored(gateway_bench: Bench, embeddings: Embeddings) -> None:
    load(gateway_bench, lookup("score-threshold='0.05' ignore-system-messages='true'"))
    await ask(gateway_bench, {"messages": [{"role": "system", "content": "Be kind"}, *said("Hello")["messages"]]})

    assert embeddings.calls[0][2] == {"input": "user: Hello"}


async def test_long_dialogues_skip_the_cache(gateway_bench: Bench, embeddings: Embeddings) -> None:
    load(gateway_bench, lookup("score-threshold='0.05' max-message-count='1'"))
    for _ in range(2):
        await ask(gateway_bench, {"messages": said("Hello")["messages"] * 2})

    assert (len(gateway_bench.backend.calls), embeddings.calls) == (2, [])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}"], ids=["empty", "broken", "list", "no prompt"])
async def test_request_without_prompt_passes(gateway_bench: Bench, embeddings: Embeddings, body: bytes) -> None:
    load(gateway_bench)

    assert (await gateway_bench.call(CHAT_URL, "POST", data=body)).status == 200
    assert embeddings.calls == []


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(500, None, id="status"),
        pytest.param(200, {"data": []}, id="no embedding"),
        pytest.param(200, {"data": [{"embedding": [0.0, 0.0]}]}, id="no direction"),
        pytest.param(200, [1], id="no object"),
    ],
)
async def test_failure_of_the_embeddings_fails_no_call(
    gateway_bench: Bench, embeddings: Embeddings, status: int, body: Any
) -> None:
    load(gateway_bench)
    embeddings.status, embeddings.body = status, body

    assert (await ask(gateway_bench, said("Hello"))).status == 200
    (entry,) = gateway_bench.records[-1].traces
    assert (entry.source, entry.severity) == ("llm-semantic-cache-lookup", "error")


async def test_without_an_external_cache_every_call_goes_on(gateway_bench: Bench, embeddings: Embeddings) -> None:
    load(gateway_bench, semantic_cache=False)
    for _ in range(2):
        assert (await ask(gateway_bench, said("Hello"))).status == 200

    assert (len(gateway_bench.backend.calls), embeddings.calls) == (2, [])
    assert gateway_bench.records[-1].traces[0].message == (
        "cache lookup failed: there is no external cache with RediSearch"
    )


async def test_identity_that_gets_no_token_fails_no_call(gateway_bench: Bench, embeddings: Embeddings) -> None:
    load(gateway_bench)
    gateway_bench.tokens.refuse = True

    assert (await ask(gateway_bench, said("Hello"))).status == 200
    assert gateway_bench.records[-1].traces[0].message == "cache lookup failed: TokenRequestFailed"


async def test_only_successes_are_stored(gateway_bench: Bench, embeddings: Embeddings) -> None:
    load(gateway_bench)
    gateway_bench.backend.answer = chat(status=429)
    for _ in range(2):
        await ask(gateway_bench, said("Hello"))

    assert len(gateway_bench.backend.calls) == 2


async def test_cookies_are_not_shared(gateway_bench: Bench, embeddings: Embeddings) -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response({}, headers={"Set-Cookie": "session=1", "X-Kept": "yes"})

    load(gateway_bench)
    gateway_bench.backend.answer = answer
    first, second = await ask(gateway_bench, said("Hello")), await ask(gateway_bench, said("Hello"))

    assert ("Set-Cookie" in first.headers, "Set-Cookie" in second.headers) == (True, False)
    assert second.headers["X-Kept"] == "yes"


async def test_outbound_runs_for_a_hit(gateway_bench: Bench, embeddings: Embeddings) -> None:
    mark = "<set-header name='X-Out'><value>ran</value></set-header>"
    load(gateway_bench, outbound=STORE + mark)
    await ask(gateway_bench, said("Hello"))

    assert (await ask(gateway_bench, said("Hello"))).headers["X-Out"] == "ran"


async def test_hit_costs_no_tokens(gateway_bench: Bench, embeddings: Embeddings) -> None:
    limit = (
        "<llm-token-limit counter-key='k' tokens-per-minute='1000' estimate-prompt-tokens='false' "
        "remaining-tokens-header-name='X-Left'/>"
    )
    load(gateway_bench, limit, lookup())
    gateway_bench.backend.answer = chat(10, 10)
    left = [(await ask(gateway_bench, said("Hello"))).headers["X-Left"] for _ in range(3)]

    assert left == ["980", "980", "980"]


async def test_stream_is_stored_while_it_passes(gateway_bench: Bench, embeddings: Embeddings) -> None:
    load(gateway_bench)
    gateway_bench.backend.answer = stream("a", "b")

    first, second = (
        await ask(gateway_bench, said("Hello", stream=True)),
        await ask(gateway_bench, said("Hello", stream=True)),
    )

    assert await first.read() == await second.read()
    assert second.headers["Content-Type"] == "text/event-stream"
    assert len(gateway_bench.backend.calls) == 1


async def test_stream_that_breaks_off_is_not_stored(gateway_bench: Bench, embeddings: Embeddings) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: {}\n\n")
        assert request.transport is not None
        request.transport.abort()
        return response

    load(gateway_bench)
    gateway_bench.backend.answer = answer
    with pytest.raises(aiohttp.ClientError):
        await ask(gateway_bench, said("Hello"))
    gateway_bench.backend.answer = None
    await ask(gateway_bench, said("Hello"))

    assert len(gateway_bench.backend.calls) == 2


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        pytest.param(lookup("score-threshold='1.1'"), "must be a number, 0 to 1", id="threshold"),
        pytest.param(lookup("score-threshold='nan'"), "must be a number, 0 to 1", id="nan"),
        pytest.param(lookup("").replace("'embeddings'", "'none'"), "backend does not exist", id="backend"),
        pytest.param(lookup("score-threshold='0' embeddings-backend-auth='key'"), "is not one of", id="auth"),
    ],
)
async def test_refused_documents(gateway_bench: Bench, policy: str, reason: str) -> None:
    with pytest.raises(PolicyLoadError, match=reason):
        load(gateway_bench, policy)


def test_cache_is_bounded() -> None:
    cache = SemanticCache(Clock(0))
    response = CachedResponse(200, CIMultiDict(), b"x" * 1_000_000)
    for number in range(200):
        cache.store(CacheQuery((number,), (1.0,)), response, 60)

    kept = [number for number in range(200) if cache.find(CacheQuery((number,), (1.0,)), 0) is not None]
    assert kept == list(range(200 - len(kept), 200))
    assert len(kept) <= 67


def test_vectors_have_length_1() -> None:
    assert unit([3.0, 4.0]) == (0.6, 0.8)
    assert unit([0.0]) is None
    assert unit([math.inf]) is None


async def test_lookups_at_the_same_time_do_not_disturb_each_other(gateway_bench: Bench, embeddings: Embeddings) -> None:
    load(gateway_bench)

    found = await asyncio.gather(*(ask(gateway_bench, said(text)) for text in ("Hello", "Goodbye") * 3))

    assert [response.status for response in found] == [200] * 6
