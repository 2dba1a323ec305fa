import asyncio

import pytest
from aiohttp import web

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.loading.plan import compile_plan
from emulator.tests.gateway.harness import Bench, gateway, header, inbound, reply

CHAT_PATH = "/api/deployments/d/chat/completions"
URL = "<set-url>https://other.openai.azure.com/check?a=1</set-url>"
WHY = header("X-Why", '@(context.LastError.Source + "/" + context.LastError.Reason)')
SHOW = "<return-response response-variable-name='seen'/>"


def send(*children: str, attributes: str = "") -> str:
    return f"<send-request response-variable-name='seen' {attributes}>{''.join(children)}</send-request>"


async def test_new_request_has_only_what_the_policy_says(gateway_bench: Bench) -> None:
    request = send(
        URL, "<set-method>PUT</set-method>", header("X-A", "1"), header("X-A", "2", "append"),
        "<set-body>@(\"b\" + 1)</set-body>", attributes="mode='new'",
    )  # fmt: skip
    gateway_bench.load(inbound(request, SHOW))

    response = await gateway_bench.call(CHAT_PATH, "POST", data=b"callers", headers={"Authorization": "callers"})

    assert (response.status, await response.json()) == (200, {"ok": True})
    (seen,) = gateway_bench.backend.calls
    assert (seen.method, seen.path, seen.body) == ("PUT", "/check?a=1", b"b1")
    assert seen.headers["Host"] == "other.openai.azure.com"
    assert seen.headers["X-A"] == "1,2"
    assert set(seen.headers) == {"Host", "X-A", "Content-Length"}


async def test_method_of_a_new_request_is_get(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(send(URL), SHOW))

    await gateway_bench.call(CHAT_PATH, "POST", data=b"callers")

    assert (gateway_bench.backend.last.method, gateway_bench.backend.last.body) == ("GET", b"")


async def test_copy_takes_method_headers_body_and_address_and_leaves_the_request_as_it_is(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(send(header("X-Copy", "1"), attributes="mode='copy'")))

    await gateway_bench.call(f"{CHAT_PATH}?q=1", "POST", data=b"callers", headers={"X-A": "a"})

    copy, original = gateway_bench.backend.calls
    assert (copy.method, copy.path, copy.body, copy.headers["X-A"]) == (
        "POST", "/openai/deployments/d/chat/completions?q=1", b"callers", "a",
    )  # fmt: skip
    assert (original.body, original.headers["X-A"]) == (b"callers", "a")
    assert ("X-Copy" in copy.headers, "X-Copy" in original.headers) == (True, False)


async def test_copy_in_outbound_has_no_body(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(outbound=send(URL, attributes="mode='copy'")))

    await gateway_bench.call(CHAT_PATH, "POST", data=b"callers")

    assert [call.body for call in gateway_bench.backend.calls] == [b"callers", b""]


async def test_identity_token_goes_with_the_request_only(gateway_bench: Bench) -> None:
    identity = "<authentication-managed-identity resource='https://cognitiveservices.azure.com'/>"
    gateway_bench.load(inbound(send(URL, identity)))

    await gateway_bench.call()

    sent, forwarded = gateway_bench.backend.calls
    assert sent.headers["Authorization"] == "Bearer token-1-of-system-principal"
    assert "Authorization" not in forwarded.headers


async def test_redirect_is_not_followed(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(send(URL), SHOW))

    async def redirect(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": "http://127.0.0.1:1/"})

    gateway_bench.backend.answer = redirect

    assert (await gateway_bench.call(allow_redirects=False)).status == 307
    assert len(gateway_bench.backend.calls) == 1


async def failed(bench: Bench, how: str) -> None:
    """Make the service fail."""
    hung = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if how == "hangs":
            await hung.wait()
        assert request.transport is not None
        if how == "breaks":
            request.transport.abort()
        response = web.StreamResponse()
        response.content_length = 10
        await response.prepare(request)
        await response.write(b"half")
        request.transport.close()
        return response

    bench.backend.answer = answer


@pytest.mark.parametrize(
    ("how", "url", "reason"),
    [
        pytest.param("hangs", URL, "Timeout", id="hangs"),
        pytest.param("breaks", URL, "BackendConnectionFailure", id="breaks"),
        pytest.param("half", URL, "BackendConnectionFailure", id="breaks off"),
        pytest.param(
            "", "<set-url>https://elsewhere.example.com/</set-url>", "BackendConnectionFailure", id="no route"
        ),
        pytest.param("", "<set-url>file:///etc/passwd</set-url>", "BackendConnectionFailure", id="not http"),
        pytest.param("", "<set-url>http://127.0.0.1:1/</set-url>", "BackendConnectionFailure", id="nobody listens"),
    ],
)
@pytest.mark.parametrize("ignored", ["true", "false"])
async def test_service_that_does_not_answer(
    gateway_bench: Bench, how: str, url: str, reason: str, ignored: str
) -> None:
    null = reply('@(context.Variables["seen"] == null ? "null" : "response")')
    limit = 50 if how == "hangs" else 5000
    attributes = f"timeout-ms='{limit}' ignore-error='{ignored}'"
    gateway_bench.load(inbound(send(url, attributes=attributes), null, on_error=WHY))
    await failed(gateway_bench, how)

    response = await gateway_bench.call()

    if ignored == "true":
        assert (response.status, response.headers["X-Value"]) == (200, "null")
    else:
        assert (response.status, response.headers["X-Why"]) == (500, f"send-request/{reason}")


@pytest.mark.parametrize(("attributes", "status"), [("", 200), ("fail-on-error-status-code='true'", 500)])
async def test_error_status_is_a_response_unless_it_is_told_to_fail(
    gateway_bench: Bench, attributes: str, status: int
) -> None:
    gateway_bench.load(inbound(send(URL, attributes=attributes), "<return-response/>"))

    async def missing(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=404)

    gateway_bench.backend.answer = missing

    assert (await gateway_bench.call()).status == status


async def test_header_with_a_line_break_is_not_sent(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(send(URL, header("X-A", '@("a\\r\\nX-B: 1")'))))

    assert (await gateway_bench.call()).status == 500
    assert gateway_bench.backend.calls == []


@pytest.mark.parametrize(
    "url", ["https://other.openai.azure.com/a b\\r\\nX-Evil: 1", "https://x\\r\\n.openai.azure.com"]
)
async def test_line_break_in_a_url_stays_in_the_url(gateway_bench: Bench, url: str) -> None:
    gateway_bench.load(inbound(send(f'<set-url>@("{url}")</set-url>'), "<return-response/>"))

    await gateway_bench.call()

    assert all("X-Evil" not in call.headers for call in gateway_bench.backend.calls)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        pytest.param(send(), "needs set-url unless mode is copy", id="no URL"),
        pytest.param(send(URL, attributes="mode='old'"), "'old' is not one of new, copy", id="mode"),
        pytest.param(send("<set-method>GET</set-method>", URL), "children must come in the order", id="order"),
        pytest.param(send(URL, URL), "appears twice", id="two URLs"),
        pytest.param(send(URL, "<proxy url='http://x'/>"), "proxy: element is not supported", id="proxy"),
        pytest.param(send(URL, attributes="timeout='1' timeout-ms='1'"), "exclude each other", id="two timeouts"),
        pytest.param(send(URL, attributes="timeout='0'"), "is not a whole number", id="no time"),
        pytest.param(send(URL).replace("'seen'", "''"), "must not be empty", id="no variable"),
    ],
)
def test_send_request_is_refused_with_the_reason(policy: str, message: str) -> None:
    with pytest.raises(PolicyLoadError, match=message):
        compile_plan(gateway(inbound(policy)))
