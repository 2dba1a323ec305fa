"""Requests that the gateway sends and does not wait for."""

import asyncio
from typing import Any

import pytest

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.policies import send_one_way_request
from apim_emulator.testing import BackendFunction, PolicyBench, Reply, Request

URL = "<set-url>https://hooks.example.com/x</set-url>"


def document(*children: str, section: str = "inbound", attributes: str = "") -> str:
    request = f"<send-one-way-request {attributes}>{''.join(children)}</send-one-way-request>"
    return f"<policies><{section}>{request}</{section}></policies>"


def hosts(answer: BackendFunction | None = None) -> dict[str, Any]:
    return {"hosts": {"hooks.example.com": answer or (lambda _: Reply(status_code=500))}}


def test_request_goes_out_before_the_policies_that_follow() -> None:
    body = "<set-method>POST</set-method><set-body>@(context.Request.Method)</set-body>"
    bench = PolicyBench(document(URL, body, attributes='mode="new" timeout="20"'), **hosts())

    response = bench.get("/a", headers={"X-A": "1"})

    hook, call = response.requests
    assert (hook.backend, hook.method, hook.text, "X-A" in hook.headers) == ("hooks.example.com", "POST", "GET", False)
    assert (call.backend, response.status_code, response.error) == ("backend", 200, None)


def test_copy_has_headers_and_body() -> None:
    bench = PolicyBench(document(URL, attributes='mode="copy"'), **hosts())

    hook, call = bench.post("/a", headers={"X-A": "1"}, data="text").requests

    assert (hook.method, hook.text, hook.headers["X-A"]) == ("POST", "text", "1")
    assert call.text == "text"


async def test_answer_is_not_waited_for() -> None:
    release = asyncio.Event()

    async def answer(_request: Request) -> Reply:
        await release.wait()
        return Reply()

    bench = PolicyBench(document(URL), **hosts(answer))

    response = await bench.asend()
    release.set()

    assert (response.status_code, len(response.requests)) == (200, 2)


async def test_no_more_than_so_many_are_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    release = asyncio.Event()

    async def answer(_request: Request) -> Reply:
        await release.wait()
        return Reply()

    monkeypatch.setattr(send_one_way_request, "_MOST", 1)
    bench = PolicyBench(document(URL), **hosts(answer))

    first, second = await bench.asend(), await bench.asend()
    release.set()

    assert [one.backend for one in first.requests] == ["hooks.example.com", "backend"]
    assert [one.backend for one in second.requests] == ["backend"]
    assert [entry.message for entry in second.traces] == ["not sent: too many requests under way"]


def test_failure_to_send_it_fails_nothing_and_is_traced() -> None:
    def answer(_request: Request) -> Reply:
        raise ConnectionError

    response = PolicyBench(document(URL), **hosts(answer)).get()

    assert (response.status_code, response.error) == (200, None)
    assert [entry.message for entry in response.traces] == ["not sent: BackendConnectionFailure"]


def test_expression_that_throws_fails_the_call() -> None:
    bench = PolicyBench(document(URL, '<set-body>@((string)context.Variables["x"])</set-body>'), **hosts())

    response = bench.get()

    assert (response.status_code, response.requests) == (500, ())


@pytest.mark.parametrize(
    ("children", "attributes", "reason"),
    [
        ("", "", "needs set-url unless mode is copy"),
        (URL, 'timeout="0"', "not a whole number"),
        (URL, 'response-variable-name="r"', "attribute is not supported"),
        (f"{URL}<proxy url='http://a'/>", "", "element is not supported"),
    ],
)
def test_what_it_does_not_take_is_refused(children: str, attributes: str, reason: str) -> None:
    with pytest.raises(PolicyLoadError, match=reason):
        PolicyBench(document(children, attributes=attributes))
