"""Time: what each policy that counts or keeps something does as the clock moves."""

from dataclasses import replace
from typing import Any

import pytest

from apim_emulator.gateway.policies import POLICIES
from apim_emulator.model import Backend, CircuitBreaker
from apim_emulator.testing import PolicyBench, Reply
from emulator.tests.gateway.policies.elements import CHAT, PLACES, document

LIMITS = {
    "quota": (3600, 3599),
    "quota-by-key": (2800, 2799),  # a window begins with the hour, and the bench's clock stands at 22:13:20
    "rate-limit": (60, 59),
    "rate-limit-by-key": (60, 59),
    "llm-token-limit": (60, 59),
    "azure-openai-token-limit": (60, 59),
}
"""Seconds after which a second call passes, and after which it does not yet."""
KEPT = {"cache-store-value", "cache-lookup-value"}
WITHOUT_TIME = POLICIES.keys() - LIMITS.keys() - KEPT - {
    "authentication-managed-identity", "cache-lookup", "cache-store", "forward-request", "llm-semantic-cache-lookup",
    "llm-semantic-cache-store", "azure-openai-semantic-cache-lookup", "azure-openai-semantic-cache-store", "retry",
    "validate-azure-ad-token", "validate-jwt", "set-backend-service",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_limit_is_over_when_it_says(name: str) -> None:
    enough, early = LIMITS[name]
    place = PLACES[name]
    bench = place.ready()
    call: dict[str, Any] = {"json": CHAT, **place.call}

    first, second = bench.post("/chat", **call), bench.post("/chat", **call)
    bench.clock.advance(early)
    third = bench.post("/chat", **call)
    bench.clock.advance(enough - early)
    fourth = bench.post("/chat", **call)

    assert [first.status_code, fourth.status_code] == [200, 200]
    assert second.status_code == third.status_code != 200
    assert (second.headers["Retry-After"], third.headers["Retry-After"]) == (str(enough), str(enough - early))


@pytest.mark.parametrize(
    ("name", "amount", "passed", "seconds"),
    [
        pytest.param("rate-limit", 6, 6, 10, id="rate-limit"),
        pytest.param("rate-limit-by-key", 6, 6, 10, id="rate-limit-by-key"),
        # 15 tokens a call; one more passes while what is used does not exceed the limit.
        pytest.param("llm-token-limit", 60, 5, 15, id="llm-token-limit"),
        pytest.param("azure-openai-token-limit", 60, 5, 15, id="azure-openai-token-limit"),
    ],
)
def test_bucket_of_a_v2_tier_refills_evenly(name: str, amount: int, passed: int, seconds: int) -> None:
    usual = PLACES[name]
    element = usual.element.replace('calls="1"', f'calls="{amount}"').replace('minute="10"', f'minute="{amount}"')
    bench = replace(usual, element=element).ready(sku="StandardV2")
    call: dict[str, Any] = {"json": CHAT, **usual.call}

    before = [bench.post("/chat", **call) for _ in range(passed + 1)]
    bench.clock.advance(seconds - 1)
    early = bench.post("/chat", **call)
    bench.clock.advance(1)
    after = [bench.post("/chat", **call).status_code for _ in range(2)]

    assert [one.status_code for one in before] == [200] * passed + [429]
    assert (before[-1].headers["Retry-After"], early.headers["Retry-After"]) == (str(seconds), "1")
    assert after == [200, 429]


def test_cached_value_is_kept_for_its_duration() -> None:
    store = "<choose><when condition='@(context.Request.Method == \"POST\")'>{}</when></choose>".format(
        '<cache-store-value key="k" value="1" duration="60"/>'
    )
    bench = PolicyBench(document(f'{store}<cache-lookup-value key="k" variable-name="v" default-value="none"/>'))

    bench.post()
    bench.clock.advance(59)
    early = bench.get().variables["v"]
    bench.clock.advance(1)

    assert (early, bench.get().variables["v"]) == ("1", "none")


@pytest.mark.parametrize("name", ["cache-lookup", "cache-store"])
def test_cached_response_is_kept_for_its_duration(name: str) -> None:
    place = PLACES[name]
    bench = place.ready()

    backends = []
    for seconds in (0, 59, 1):
        bench.clock.advance(seconds)
        backends.append([request.backend for request in bench.post("/chat", json=CHAT, **place.call).requests])

    assert backends == [["backend"], [], ["backend"]]


@pytest.mark.parametrize("prefix", ["llm", "azure-openai"])
def test_semantic_cache_keeps_answers_for_their_duration(prefix: str) -> None:
    bench = PLACES[f"{prefix}-semantic-cache-store"].ready()

    backends = []
    for seconds in (0, 59, 1):
        bench.clock.advance(seconds)
        backends.append([request.backend for request in bench.post("/chat", json=CHAT).requests])

    assert backends == [["embeddings", "backend"], ["embeddings"], ["embeddings", "backend"]]


def test_retry_waits_by_the_clock() -> None:
    bench = PLACES["retry"].ready(backend=lambda _: Reply(status_code=503))
    start = bench.clock.now()

    response = bench.post("/chat", json=CHAT)

    assert (response.status_code, len(response.requests), bench.clock.now() - start) == (503, 3, 20)


@pytest.mark.parametrize("name", ["validate-azure-ad-token", "validate-jwt"])
def test_token_is_accepted_until_it_expires(name: str) -> None:
    bench = PLACES[name].ready()
    headers = {"Authorization": f"Bearer {bench.entra.token('api://chat')}"}

    statuses = []
    for seconds in (0, 3599, 1):
        bench.clock.advance(seconds)
        statuses.append(bench.post("/chat", headers=headers).status_code)

    assert statuses == [200, 200, 401]


@pytest.mark.parametrize("name", ["validate-azure-ad-token", "validate-jwt"])
def test_token_of_the_future_is_not_accepted_yet(name: str) -> None:
    bench = PLACES[name].ready()
    headers = {"Authorization": f"Bearer {bench.entra.token('api://chat', age=-60)}"}

    before = bench.post("/chat", headers=headers)
    bench.clock.advance(60)

    assert (before.status_code, before.error and before.error.message) == (401, "JWT is not valid yet. Access denied.")
    assert bench.post("/chat", headers=headers).status_code == 200


def test_identity_token_is_asked_for_again_when_it_expires() -> None:
    asked = []

    class Bench(PolicyBench):
        def managed_identity_token(self, principal_id: str, resource: str) -> tuple[str, float]:
            asked.append(self.clock.now())
            return f"token-{len(asked)}", self.clock.now() + 600

    bench = Bench(document(PLACES["authentication-managed-identity"].element))
    tokens = []
    for seconds in (0, 599, 1):
        bench.clock.advance(seconds)
        tokens.append(bench.get().requests[0].headers["Authorization"])

    assert tokens == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


def test_breaker_of_the_chosen_backend_closes_in_time() -> None:
    rule = CircuitBreaker(interval=60, trip_duration=30, count=1, status_codes=((500, 599),))
    bench = PLACES["set-backend-service"].ready(
        backends={"east": lambda _: Reply(status_code=500)}, entities=(Backend(id="east", circuit_breaker=rule),)
    )

    statuses = []
    for seconds in (0, 0, 29, 1):
        bench.clock.advance(seconds)
        statuses.append(bench.post("/chat").status_code)

    assert statuses == [500, 503, 503, 500]


@pytest.mark.parametrize("name", sorted(WITHOUT_TIME))
def test_other_policies_do_the_same_at_any_time(name: str) -> None:
    place = PLACES[name]
    bench = place.ready()
    call: dict[str, Any] = {"json": CHAT, **place.call}

    first = bench.post("/chat", **call)
    bench.clock.advance(10 * 365 * 86_400)
    second = bench.post("/chat", **call)

    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert [request.content for request in first.requests] == [request.content for request in second.requests]
