"""Streams beside every policy: those that need no whole body hold back no part of it."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from apim_emulator.gateway.policies import POLICIES
from apim_emulator.testing import BackendFunction, PolicyBench, Reply, Request, Response, event_stream
from emulator.tests.gateway.policies.elements import CHAT, PLACES, call, document

EVENTS = ({"choices": [{"delta": {"content": "Hel"}}]}, {"choices": [{"delta": {"content": "lo"}}]})
PARTS = tuple(f"data: {text}\n\n".encode() for text in (*map(json.dumps, EVENTS), "[DONE]"))
UNBUFFERED = '<forward-request buffer-response="false"/>'
OUTER = f"<policies><backend>{UNBUFFERED}</backend></policies>"
ANSWERS_ITSELF = {"mock-response", "return-response"}
"""Policies after which no backend is called."""
OWN_BODY = {
    "set-body": '<set-body id="me">@(context.Response.Body.As&lt;string&gt;())</set-body>',
    "find-and-replace": '<find-and-replace id="me" from="lo" to="LO"/>',
    "validate-content": PLACES["validate-content"].element.replace(
        'unspecified-content-type-action="prevent"', 'unspecified-content-type-action="ignore"'
    ),
}
"""Policies that read the whole response in outbound."""


def streaming(_: Request) -> Reply:
    return event_stream(*EVENTS)


@pytest.mark.parametrize("name", sorted(POLICIES.keys() - ANSWERS_ITSELF))
def test_parts_of_a_stream_pass_one_by_one(name: str) -> None:
    response = streamed(name, streaming)

    assert response.chunks == PARTS
    assert (response.broken, response.error) == (False, None)


@pytest.mark.parametrize("name", sorted(POLICIES.keys() - ANSWERS_ITSELF))
def test_stream_that_breaks_off_is_not_passed_off_as_whole(name: str) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield PARTS[0]
        raise ConnectionResetError

    response = streamed(name, lambda _: Reply(content=parts(), headers={"Content-Type": "text/event-stream"}))

    assert (response.content, response.broken) == (PARTS[0], True)


def streamed(name: str, model: BackendFunction) -> Response:
    """Call a policy in front of a model, with nothing else that would hold back a stream."""
    place = PLACES[name]
    element = place.element.replace("<forward-request ", '<forward-request buffer-response="false" ')
    options: dict[str, Any] = {"backend": model}
    if "backends" in place.bench:
        options["backends"] = {**place.bench["backends"], "east": model}
    bench = replace(place, element=element).ready(**options, global_policy=OUTER)
    return call(bench, name, {**CHAT, "stream": True})


@pytest.mark.parametrize("name", sorted(OWN_BODY))
def test_policy_that_reads_the_response_waits_for_all_of_it(name: str) -> None:
    element = OWN_BODY[name]
    bench = PolicyBench(
        document(element, "outbound"),
        backend=streaming, global_policy=OUTER, api=PLACES[name].bench.get("api"),
    )  # fmt: skip

    response = bench.post("/chat", json={**CHAT, "stream": True}, headers={"Content-Type": "application/json"})

    assert (response.status_code, len(response.chunks)) == (200, 1)
    assert response.content == b"".join(PARTS).replace(b"lo", b"LO" if name == "find-and-replace" else b"lo")


def test_tokens_of_a_stream_are_counted_when_it_ends() -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}}
    both = PLACES["llm-emit-token-metric"].element + PLACES["llm-token-limit"].element.replace("me", "limit")
    bench = PolicyBench(
        document(both),
        backend=lambda _: event_stream(*EVENTS, usage), global_policy=OUTER, sku="Developer",
    )  # fmt: skip

    first = bench.post("/chat", json={**CHAT, "stream": True})
    second = bench.post("/chat", json={**CHAT, "stream": True})

    assert {metric.name: metric.value for metric in first.metrics} == {
        "Total Tokens": 9, "Prompt Tokens": 7, "Completion Tokens": 2,
    }  # fmt: skip
    assert first.status_code == 200
    assert second.status_code == 429


def test_stream_is_cached_as_it_passes_and_answers_the_next_prompt() -> None:
    place = PLACES["llm-semantic-cache-store"]
    bench = place.ready(backend=streaming, global_policy=OUTER)
    prompt = {**CHAT, "stream": True}

    first, second = bench.post("/chat", json=prompt), bench.post("/chat", json=prompt)

    assert (first.chunks, second.content) == (PARTS, b"".join(PARTS))
    assert [request.backend for request in second.requests] == ["embeddings"]


def test_stream_is_kept_whole_as_it_passes_and_answers_the_next_call() -> None:
    bench = PLACES["cache-store"].ready(backend=streaming, global_policy=OUTER)

    first, second = call(bench, "cache-store"), call(bench, "cache-store")

    assert (first.chunks, second.content) == (PARTS, b"".join(PARTS))
    assert second.headers["Content-Type"] == first.headers["Content-Type"] == "text/event-stream"
    assert (len(first.requests), second.requests) == (1, ())


def test_stream_that_breaks_off_is_not_kept() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield PARTS[0]
        raise ConnectionResetError

    answers = iter((Reply(content=parts()), event_stream(*EVENTS)))
    bench = PLACES["cache-store"].ready(backend=lambda _: next(answers), global_policy=OUTER)

    first, second = call(bench, "cache-store"), call(bench, "cache-store")

    assert (first.content, first.broken) == (PARTS[0], True)
    assert (second.chunks, second.broken, len(second.requests)) == (PARTS, False, 1)


def test_harm_stops_a_stream_without_a_status() -> None:
    bench = PLACES["llm-content-safety"].ready(
        backend=lambda _: event_stream({"choices": [{"delta": {"content": "bad"}}]}, *EVENTS),
        global_policy=OUTER,
    )
    bench.load(document(PLACES["llm-content-safety"].element.replace('id="me"', 'id="me" window-size="3"'), "outbound"))

    response = bench.post("/chat", json={**CHAT, "stream": True})

    assert (response.status_code, response.chunks) == (200, ())


def test_chunked_request_is_read_by_policies_and_forwarded_whole() -> None:
    set_body = '<set-body>@(context.Request.Body.As&lt;string&gt;() + "!")</set-body>'

    response = PolicyBench(document(set_body)).post("/chat", data=[b"a", b"b"])

    assert response.requests[0].text == "ab!"
