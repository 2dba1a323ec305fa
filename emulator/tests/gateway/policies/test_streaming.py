"""Streams beside every policy: those that need no whole body hold back no part of it."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from apim_emulator.testing import BackendFunction, PolicyBench, Reply, Request, Response, event_stream
from emulator.tests.gateway.policies.record import document
from emulator.tests.gateway.policies.records import RECORDS
from emulator.tests.gateway.policies.stand_ins import CHAT, JSON

EVENTS = ({"choices": [{"delta": {"content": "Hel"}}]}, {"choices": [{"delta": {"content": "lo"}}]})
PARTS = tuple(f"data: {text}\n\n".encode() for text in (*map(json.dumps, EVENTS), "[DONE]"))
STREAM = {**CHAT, "stream": True}
UNBUFFERED = '<forward-request buffer-response="false"/>'
OUTER = f"<policies><backend>{UNBUFFERED}</backend></policies>"
PASSES = sorted(
    name
    for name, record in RECORDS.items()
    if record.calls_backend and not (record.whole_response and record.example.section == "outbound")
)
WHOLE_RESPONSES = {
    name: record.whole_response for name, record in sorted(RECORDS.items()) if record.whole_response is not None
}


def streaming(_: Request) -> Reply:
    return event_stream(*EVENTS)


@pytest.mark.parametrize("name", PASSES)
def test_parts_of_a_stream_pass_one_by_one(name: str) -> None:
    response = streamed(name, streaming)

    assert response.chunks == PARTS
    assert (response.broken, response.error) == (False, None)


@pytest.mark.parametrize("name", PASSES)
def test_stream_that_breaks_off_is_not_passed_off_as_whole(name: str) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield PARTS[0]
        raise ConnectionResetError

    response = streamed(name, lambda _: Reply(content=parts(), headers={"Content-Type": "text/event-stream"}))

    assert (response.content, response.broken) == (PARTS[0], True)


def streamed(name: str, model: BackendFunction) -> Response:
    """Call a policy in front of a model, with nothing else that would hold back a stream."""
    example = RECORDS[name].example
    element = example.element.replace("<forward-request ", '<forward-request buffer-response="false" ')
    bench = replace(example, element=element).load(backend=model, global_policy=OUTER)
    return example.post(bench, json=STREAM)


@pytest.mark.parametrize("name", WHOLE_RESPONSES)
def test_policy_that_reads_the_response_waits_for_all_of_it(name: str) -> None:
    whole, example = WHOLE_RESPONSES[name], RECORDS[name].example
    bench = replace(example, element=whole.element, section="outbound").load(backend=streaming, global_policy=OUTER)

    response = example.post(bench, json=STREAM, headers=JSON)

    assert (response.status_code, len(response.chunks)) == (200, 1)
    assert response.content == whole.becomes(b"".join(PARTS))


def test_tokens_of_a_stream_are_counted_when_it_ends() -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}}
    metric, limit = (RECORDS[name].example.element for name in ("llm-emit-token-metric", "llm-token-limit"))
    bench = PolicyBench(
        document(metric + limit.replace("me", "limit")),
        backend=lambda _: event_stream(*EVENTS, usage), global_policy=OUTER, sku="Developer",
    )  # fmt: skip

    first = bench.post("/chat", json=STREAM)
    second = bench.post("/chat", json=STREAM)

    assert {metric.name: metric.value for metric in first.metrics} == {
        "Total Tokens": 9, "Prompt Tokens": 7, "Completion Tokens": 2,
    }  # fmt: skip
    assert first.status_code == 200
    assert second.status_code == 429


def test_stream_is_cached_as_it_passes_and_answers_the_next_prompt() -> None:
    example = RECORDS["llm-semantic-cache-store"].example
    bench = example.load(backend=streaming, global_policy=OUTER)

    first, second = (example.post(bench, json=STREAM) for _ in range(2))

    assert (first.chunks, second.content) == (PARTS, b"".join(PARTS))
    assert [request.backend for request in second.requests] == ["embeddings"]


def test_stream_is_kept_whole_as_it_passes_and_answers_the_next_call() -> None:
    example = RECORDS["cache-store"].example
    bench = example.load(backend=streaming, global_policy=OUTER)

    first, second = (example.post(bench) for _ in range(2))

    assert (first.chunks, second.content) == (PARTS, b"".join(PARTS))
    assert second.headers["Content-Type"] == first.headers["Content-Type"] == "text/event-stream"
    assert (len(first.requests), second.requests) == (1, ())


def test_stream_that_breaks_off_is_not_kept() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield PARTS[0]
        raise ConnectionResetError

    answers = iter((Reply(content=parts()), event_stream(*EVENTS)))
    example = RECORDS["cache-store"].example
    bench = example.load(backend=lambda _: next(answers), global_policy=OUTER)

    first, second = (example.post(bench) for _ in range(2))

    assert (first.content, first.broken) == (PARTS[0], True)
    assert (second.chunks, second.broken, len(second.requests)) == (PARTS, False, 1)


def test_harm_stops_a_stream_without_a_status() -> None:
    example = RECORDS["llm-content-safety"].example
    element = example.element.replace('id="me"', 'id="me" window-size="3"')
    bench = replace(example, element=element, section="outbound").load(
        backend=lambda _: event_stream({"choices": [{"delta": {"content": "bad"}}]}, *EVENTS), global_policy=OUTER
    )

    response = bench.post("/chat", json=STREAM)

    assert (response.status_code, response.chunks) == (200, ())


def test_chunked_request_is_read_by_policies_and_forwarded_whole() -> None:
    set_body = '<set-body>@(context.Request.Body.As&lt;string&gt;() + "!")</set-body>'

    response = PolicyBench(document(set_body)).post("/chat", data=[b"a", b"b"])

    assert response.requests[0].text == "ab!"
