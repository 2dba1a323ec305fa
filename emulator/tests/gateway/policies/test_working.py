"""What every policy does when nothing is wrong."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from apim_emulator.gateway.policies import POLICIES
from apim_emulator.gateway.telemetry import EventHubMessage
from apim_emulator.testing import Response
from emulator.tests.gateway.policies.elements import ANSWER, CHAT, PLACES, call

Look = Callable[[Response], object]


def variable(response: Response) -> object:
    found = response.variables["v"]
    return getattr(found, "status", found)


def sent(look: Callable[[Any], object]) -> Look:
    """Look at the request that the backend got last."""
    return lambda response: look(response.requests[-1])


def backends(response: Response) -> object:
    return [request.backend for request in response.requests]


def tokens(response: Response) -> object:
    return {metric.name: metric.value for metric in response.metrics}


DONE: dict[str, tuple[Look, object]] = {
    "authentication-basic": (sent(lambda request: request.headers.getall("Authorization")), ["Basic dXNlcjpwYXNz"]),
    "authentication-managed-identity": (
        sent(lambda request: request.headers["Authorization"]), "Bearer identity-token.system-assigned.https://a.example",
    ),
    "cache-lookup": (lambda response: (response.json(), backends(response)), (ANSWER, ["backend"])),
    "cache-lookup-value": (variable, "1"),
    "cache-remove-value": (variable, "-"),
    "cache-store": (lambda response: (response.json(), backends(response)), (ANSWER, ["backend"])),
    "cache-store-value": (variable, "1"),
    "check-header": (lambda response: response.status_code, 200),
    "choose": (variable, "1"),
    "cors": (lambda response: response.headers["Access-Control-Allow-Origin"], "https://a.example"),
    "emit-metric": (tokens, {"calls": 2}),
    "find-and-replace": (sent(lambda request: request.json()["messages"][0]["content"]), "Bye"),
    "forward-request": (lambda response: (response.json(), len(response.requests)), (ANSWER, 1)),
    "ip-filter": (lambda response: response.status_code, 200),
    "limit-concurrency": (variable, "1"),
    "llm-content-safety": (backends, ["checker", "backend"]),
    "llm-emit-token-metric": (tokens, {"Total Tokens": 15, "Prompt Tokens": 10, "Completion Tokens": 5}),
    "llm-semantic-cache-lookup": (backends, ["embeddings", "backend"]),
    "llm-semantic-cache-store": (lambda response: response.json(), ANSWER),
    "llm-token-limit": (lambda response: response.status_code, 200),
    "log-to-eventhub": (lambda response: response.events, (EventHubMessage("l", "hello"),)),
    "mock-response": (lambda response: (response.status_code, response.text, backends(response)), (200, "first", [])),
    "quota": (lambda response: response.status_code, 200),
    "quota-by-key": (lambda response: response.status_code, 200),
    "rate-limit": (lambda response: response.status_code, 200),
    "rate-limit-by-key": (lambda response: response.status_code, 200),
    "retry": (lambda response: (response.status_code, len(response.requests)), (200, 1)),
    "return-response": (lambda response: (response.reason, backends(response)), ("Teapot", [])),
    "rewrite-uri": (sent(lambda request: request.path), "/other"),
    "send-one-way-request": (backends, ["audit.test", "backend"]),
    "send-request": (variable, 202),
    "set-backend-service": (sent(lambda request: request.backend), "east"),
    "set-body": (sent(lambda request: request.text), "new"),
    "set-header": (sent(lambda request: request.headers["X-A"]), "1"),
    "set-method": (sent(lambda request: request.method), "PUT"),
    "set-query-parameter": (sent(lambda request: request.params), {"q": ["1"]}),
    "set-status": (lambda response: (response.status_code, response.reason, response.json()), (418, "Teapot", ANSWER)),
    "set-variable": (variable, "1"),
    "trace": (lambda response: [(one.source, one.message) for one in response.traces], [("s", "hello")]),
    "validate-azure-ad-token": (lambda response: response.status_code, 200),
    "validate-content": (lambda response: response.status_code, 200),
    "validate-headers": (lambda response: response.status_code, 200),
    "validate-jwt": (lambda response: response.status_code, 200),
    "validate-parameters": (lambda response: response.status_code, 200),
    "validate-status-code": (lambda response: response.status_code, 200),
    "wait": (variable, 202),
}  # fmt: skip
DONE |= {
    name.replace("llm-", "azure-openai-"): DONE[name]
    for name in ("llm-emit-token-metric", "llm-semantic-cache-lookup", "llm-semantic-cache-store", "llm-token-limit")
}


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_policy_does_its_work(name: str) -> None:
    look, expected = DONE[name]

    response = call(PLACES[name].ready(), name)

    assert look(response) == expected
    assert response.error is None


OTHER_FORMS = {
    "set-body": '<set-variable name="v" value="w"/><set-body template="liquid">ne{{context.Variables["v"]}}</set-body>',
    "trace": '<trace source="s"> hello </trace>',
}
"""Elements that do what the usual ones do."""


@pytest.mark.parametrize("name", sorted(OTHER_FORMS))
def test_other_form_does_the_same(name: str) -> None:
    look, expected = DONE[name]

    response = call(replace(PLACES[name], element=OTHER_FORMS[name]).ready(), name)

    assert look(response) == expected
    assert response.error is None


@pytest.mark.parametrize("name", ["cache-lookup", "cache-store"])
def test_response_of_the_cache_answers_those_alone_whom_it_is_for(name: str) -> None:
    bench = PLACES[name].ready()

    first, second = call(bench, name), call(bench, name)
    other = bench.post("/chat", json=CHAT, headers={"Authorization": "Bearer b"})

    assert (second.content, second.headers["Content-Type"]) == (first.content, first.headers["Content-Type"])
    assert [backends(response) for response in (first, second, other)] == [["backend"], [], ["backend"]]


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_policy_is_in_the_trace_under_its_own_id(name: str) -> None:
    place = PLACES[name]

    trace = call(place.ready(), name).trace

    assert trace is not None
    (span,) = (span for span in trace.spans if span.policy_id == "me")
    assert (span.policy, span.section, span.scope, span.path) == (name, place.section, place.scope, name)
    assert span.error is None


def test_every_policy_is_here_once() -> None:
    """Whoever adds a policy adds it here and to the other modules of this folder."""
    assert sorted(DONE) == sorted(PLACES) == sorted(POLICIES)
