"""Bodies that expressions read."""

import asyncio
import gzip

import pytest
from aiohttp import web

from emulator.tests.gateway.harness import Bench, header, inbound, reply

RAW = {"policy_format": "rawxml"}
CHAT_PATH = "/api/deployments/d/chat/completions"
MODEL = 'context.Request.Body.As<JObject>(preserveContent: true)["model"]'
WHY = header("X-Why", '@(context.LastError.Source + "/" + context.LastError.Reason)')


async def test_expression_reads_the_request_and_the_backend_gets_it_all_the_same(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(header("X-Model", f"@((string){MODEL})")))

    await gateway_bench.call(CHAT_PATH, "POST", json={"model": "gpt-4o"})

    seen = gateway_bench.backend.last
    assert (seen.headers["X-Model"], seen.body) == ("gpt-4o", b'{"model": "gpt-4o"}')


async def test_request_is_read_without_its_content_encoding_and_passed_on_with_it(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(header("X-Model", f"@((string){MODEL})")))
    data = gzip.compress(b'{"model": "gpt-4o"}')

    await gateway_bench.call(CHAT_PATH, "POST", data=data, headers={"Content-Encoding": "gzip"})

    seen = gateway_bench.backend.last
    # The stand-in decompresses what it gets.
    assert (seen.headers["X-Model"], seen.body) == ("gpt-4o", b'{"model": "gpt-4o"}')
    assert (seen.headers["Content-Encoding"], seen.headers["Content-Length"]) == ("gzip", str(len(data)))


async def test_body_that_is_not_preserved_is_gone(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(header("X-Body", "@(context.Request.Body.As<string>())")))

    await gateway_bench.call(CHAT_PATH, "POST", data=b"text")

    seen = gateway_bench.backend.last
    assert (seen.headers["X-Body"], seen.body, seen.headers["Content-Length"]) == ("text", b"", "0")


@pytest.mark.parametrize(
    "expression",
    [
        "@{ var message = context.Request; var body = message.Body; return body.As<string>(true); }",
        '@(((IRequest)context.Variables["kept"]).Body.As<string>(true))',
    ],
    ids=["local variable", "variable of the call"],
)
async def test_body_is_read_by_another_name(gateway_bench: Bench, expression: str) -> None:
    kept = '<set-variable name="kept" value="@(context.Request)" />'
    gateway_bench.load(inbound(kept + header("X-Body", expression)), api=RAW)

    await gateway_bench.call(CHAT_PATH, "POST", data=b"text")

    assert gateway_bench.backend.last.headers["X-Body"] == "text"


async def test_set_body_puts_back_what_it_read(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound('<set-body>@(context.Request.Body.As<string>() + "!")</set-body>'), api=RAW)

    await gateway_bench.call(CHAT_PATH, "POST", data=b"text")

    assert gateway_bench.backend.last.body == b"text!"


async def test_request_without_a_body_has_none(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(reply('@(context.Request.Body == null ? "none" : "some")')))

    assert (await gateway_bench.call()).headers["X-Value"] == "none"
    assert (await gateway_bench.call(CHAT_PATH, "POST", data=b"x")).headers["X-Value"] == "some"


async def test_expression_reads_the_response(gateway_bench: Bench) -> None:
    body = '<set-body>@("<" + context.Response.Body.As<string>() + ">")</set-body>'
    gateway_bench.load(inbound(outbound=body), api=RAW)

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=gzip.compress(b"text"), headers={"Content-Encoding": "gzip"})

    gateway_bench.backend.answer = answer
    response = await gateway_bench.call()

    assert await response.text() == "<text>"
    assert "Content-Encoding" not in response.headers


async def test_response_that_is_not_preserved_is_gone(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(outbound=header("X-Body", "@(context.Response.Body.As<string>())")))

    response = await gateway_bench.call()

    assert (response.headers["X-Body"], await response.read()) == ('{"ok": true}', b"")


FIRST_READ = (
    "<choose><when condition='@(context.Response.StatusCode == 200)'>" + header("X-First", "1") + "</when>"
    """<when condition="@(context.Response.Body.As<string>(preserveContent: true) == "")">"""
    "<set-body>empty</set-body></when></choose>"
)
OTHER_READ = header(
    "X-First",
    '@(context.Variables.ContainsKey("r") ? ((IResponse)context.Variables["r"]).Body.As<string>() : "1")',
)


@pytest.mark.parametrize("outbound", [FIRST_READ, OTHER_READ], ids=["condition not reached", "another response"])
async def test_what_is_not_read_does_not_hold_back_the_response(gateway_bench: Bench, outbound: str) -> None:
    gateway_bench.load(inbound(backend="<forward-request buffer-response='false'/>", outbound=outbound), api=RAW)
    release = asyncio.Event()

    async def events(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"data: 1")
        await release.wait()
        return response

    gateway_bench.backend.answer = events
    async with gateway_bench.client.get("/api/models") as response:
        assert await response.content.readany() == b"data: 1"
        release.set()
        assert response.headers["X-First"] == "1"


async def test_retry_reads_the_response_of_each_attempt(gateway_bench: Bench) -> None:
    condition = '@(context.Response.Body.As<string>(preserveContent: true) == "busy")'
    gateway_bench.load(
        inbound(backend=f'<retry condition="{condition}" count="5" interval="1"><forward-request/></retry>'), api=RAW
    )

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(text="busy" if len(gateway_bench.backend.calls) < 3 else "done")

    gateway_bench.backend.answer = answer

    assert await (await gateway_bench.call()).text() == "done"
    assert len(gateway_bench.backend.calls) == 3


async def test_response_of_send_request_is_read(gateway_bench: Bench) -> None:
    send = (
        "<send-request mode='new' response-variable-name='seen'><set-url>https://b.openai.azure.com/x</set-url>"
        "</send-request>"
    )
    read = reply('@(((IResponse)context.Variables["seen"]).Body.As<JObject>()["ok"].ToString())')
    gateway_bench.load(inbound(send, read))

    assert (await gateway_bench.call()).headers["X-Value"] == "True"


@pytest.mark.parametrize("encoding", ["br", "gzip"], ids=["unknown", "broken"])
async def test_body_that_cannot_be_decoded_is_told_to_on_error(gateway_bench: Bench, encoding: str) -> None:
    gateway_bench.load(inbound(header("X-Body", "@(context.Request.Body.As<string>())"), on_error=WHY))

    response = await gateway_bench.call(CHAT_PATH, "POST", data=b"x", headers={"Content-Encoding": encoding})

    assert (response.status, response.headers["X-Why"]) == (500, "set-header/BodyNotReadable")
