"""`llm-content-safety`: prompts and answers that are blocked, streams that stop, and a checker that fails."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.llm.safety_check import windows
from apim_emulator.model import Backend, BackendIdentity
from apim_emulator.services.content_safety import ContentSafety
from apim_emulator.services.signing import InvalidTokenError
from emulator.tests.gateway.harness import BACKEND_URL, Bench, Handler, header, inbound, reply, serve
from emulator.tests.gateway.models import CHAT_URL, chat, event, stream

URL = "https://safety.cognitiveservices.azure.com"
KEY = {"Ocp-Apim-Subscription-Key": ("safety-key",)}
HATE = "<categories output-type='EightSeverityLevels'><category name='Hate' threshold='4'/></categories>"
REFUSAL = b'{ "statusCode": 403, "message": "Request failed content safety check." }'


def verify(token: str) -> Mapping[str, object]:
    if token != "good-token":
        raise InvalidTokenError("unknown")
    return {"aud": "https://cognitiveservices.azure.com"}


@pytest.fixture
async def checker(gateway_bench: Bench) -> AsyncIterator[ContentSafety]:
    service = ContentSafety(verify, ("safety-key",), {"rivals": ("Fabrikam",)})
    async with TestServer(service.app) as server:
        gateway_bench.network.route("safety.cognitiveservices.azure.com", str(server.make_url("")))
        yield service


def safety(attributes: str = "", inner: str = HATE) -> str:
    return f"<llm-content-safety backend-id='safety' {attributes}>{inner}</llm-content-safety>"


def load(bench: Bench, *policies: str, credentials: Any = KEY, **sections: str) -> None:
    backends = (Backend(id="openai-backend", url=BACKEND_URL), Backend(id="safety", url=URL, header=credentials))
    bench.load(inbound(*policies, **sections), backends=backends)


async def ask(bench: Bench, content: Any, answer: Handler | None = None, **headers: str) -> aiohttp.ClientResponse:
    bench.backend.answer = answer or chat()
    body = {"messages": [{"role": "user", "content": content}]}
    return await bench.call(CHAT_URL, "POST", json=body, headers=headers)


# Prompts


@pytest.mark.parametrize(
    ("text", "status"),
    [
        pytest.param("hello", 200, id="harmless"),
        pytest.param("trigger-hate-3", 200, id="below the threshold"),
        pytest.param("trigger-hate-4", 403, id="at the threshold"),
        pytest.param("trigger-violence-7", 200, id="another category"),
    ],
)
async def test_prompts(gateway_bench: Bench, checker: ContentSafety, text: str, status: int) -> None:
    load(gateway_bench, safety())

    response = await ask(gateway_bench, text)

    assert response.status == status
    assert len(gateway_bench.backend.calls) == (1 if status == 200 else 0)


async def test_refusal_is_that_of_the_service(gateway_bench: Bench, checker: ContentSafety) -> None:
    told = '@(context.LastError.Source + "/" + context.LastError.Reason)'
    show = f"<set-header name='X-Error'><value>{told}</value></set-header>"
    load(gateway_bench, safety(), on_error=show)

    refused = await ask(gateway_bench, "trigger-hate-7")

    assert (refused.status, await refused.read()) == (403, REFUSAL)
    assert refused.headers["X-Error"] == "llm-content-safety/ContentSafetyCheckFailed"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"messages": [{"role": "system", "content": "trigger-hate-7"}]}, id="system message"),
        pytest.param({"messages": [{"content": [{"type": "text", "text": "trigger-hate-7"}]}]}, id="content part"),
        pytest.param({"messages": [{"content": [[[[[[[[[[{"text": "trigger-hate-7"}]]]]]]]]]]}]}, id="deep"),
        pytest.param({"prompt": ["x", "trigger-hate-7"]}, id="completion"),
        pytest.param({"input": "trigger-hate-7"}, id="embeddings"),
        pytest.param({"input": "x", "instructions": "trigger-hate-7"}, id="instructions"),
        pytest.param({"messages": [], "prompt": "trigger-hate-7"}, id="both"),
    ],
)
async def test_every_text_of_a_request_is_checked(gateway_bench: Bench, checker: ContentSafety, body: Any) -> None:
    load(gateway_bench, safety())

    assert (await gateway_bench.call(CHAT_URL, "POST", json=body)).status == 403


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(b"{", {}, id="broken JSON"),
        pytest.param(b"[]", {}, id="list"),
        pytest.param(b"[" * 100_000, {}, id="deep JSON"),
        pytest.param(b"x", {"Content-Encoding": "br"}, id="unknown encoding"),
    ],
)
async def test_what_cannot_be_checked_does_not_pass(
    gateway_bench: Bench, checker: ContentSafety, body: bytes, headers: dict[str, str]
) -> None:
    load(gateway_bench, safety())

    assert (await gateway_bench.call(CHAT_URL, "POST", data=body, headers=headers)).status == 403
    assert gateway_bench.backend.calls == []


async def test_compressed_prompt_is_checked(gateway_bench: Bench, checker: ContentSafety) -> None:
    load(gateway_bench, safety())
    body = gzip.compress(json.dumps({"prompt": "trigger-hate-7"}).encode())

    response = await gateway_bench.call(CHAT_URL, "POST", data=body, headers={"Content-Encoding": "gzip"})

    assert response.status == 403


@pytest.mark.parametrize(("length", "status"), [(10_000, 200), (10_001, 403)])
async def test_prompt_longer_than_the_checker_takes(
    gateway_bench: Bench, checker: ContentSafety, length: int, status: int
) -> None:
    load(gateway_bench, safety())

    assert (await ask(gateway_bench, "x" * length)).status == status


async def test_request_without_body_passes(gateway_bench: Bench, checker: ContentSafety) -> None:
    load(gateway_bench, safety())

    assert (await gateway_bench.call()).status == 200


async def test_shield(gateway_bench: Bench, checker: ContentSafety) -> None:
    load(gateway_bench, safety("shield-prompt='true'", ""))

    assert [(await ask(gateway_bench, text)).status for text in ("trigger-attack", "hello")] == [403, 200]


async def test_blocklist(gateway_bench: Bench, checker: ContentSafety) -> None:
    load(gateway_bench, safety(inner="<blocklists><id>rivals</id></blocklists>"))

    assert [(await ask(gateway_bench, text)).status for text in ("Buy Fabrikam", "hello")] == [403, 200]


async def test_four_levels_are_the_default(gateway_bench: Bench, checker: ContentSafety) -> None:
    load(gateway_bench, safety(inner="<categories><category name='Hate' threshold='5'/></categories>"))

    assert (await ask(gateway_bench, "trigger-hate-5")).status == 200


# The checker


async def test_authorization_of_the_call_goes_along_where_the_backend_has_no_credentials(
    gateway_bench: Bench, checker: ContentSafety
) -> None:
    load(gateway_bench, header("Authorization", "Bearer good-token"), safety(), credentials={})
    passed = await ask(gateway_bench, "hello")
    load(gateway_bench, safety(), header("Authorization", "Bearer good-token"), credentials={})

    assert (passed.status, (await ask(gateway_bench, "hello")).status) == (200, 403)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        pytest.param(500, {}, id="status"),
        pytest.param(200, [], id="no object"),
        pytest.param(200, {}, id="nothing"),
        pytest.param(200, {"categoriesAnalysis": [{"category": "Violence", "severity": 0}]}, id="other category"),
        pytest.param(200, {"categoriesAnalysis": [{"category": "Hate", "severity": "x"}]}, id="no severity"),
    ],
)
async def test_checker_that_does_not_answer_blocks(gateway_bench: Bench, status: int, answer: Any) -> None:
    async def handle(_request: web.Request) -> web.StreamResponse:
        return web.json_response(answer, status=status)

    async with serve(handle) as url:
        gateway_bench.network.route("safety.cognitiveservices.azure.com", url)
        load(gateway_bench, safety("shield-prompt='false'"))

        assert (await ask(gateway_bench, "hello")).status == 403


async def test_checker_that_is_not_there_blocks(gateway_bench: Bench) -> None:
    load(gateway_bench, safety("shield-prompt='true'"))

    assert (await ask(gateway_bench, "hello")).status == 403


# Answers


@pytest.mark.parametrize(
    "sections",
    [
        pytest.param({"policy": safety("enforce-on-completions='true'")}, id="from inbound"),
        pytest.param({"outbound": safety()}, id="in outbound"),
    ],
)
@pytest.mark.parametrize(("text", "status"), [("hello", 200), ("trigger-hate-4", 403)], ids=["harmless", "harmful"])
async def test_answers(
    gateway_bench: Bench, checker: ContentSafety, sections: dict[str, str], text: str, status: int
) -> None:
    policies = [sections["policy"]] if "policy" in sections else []
    load(gateway_bench, *policies, outbound=sections.get("outbound", "<base/>"))

    response = await ask(gateway_bench, "hello", chat(text=text))

    assert response.status == status
    assert (await response.read() == REFUSAL) is (status == 403)


async def test_answers_pass_unchecked_where_only_prompts_are(gateway_bench: Bench, checker: ContentSafety) -> None:
    load(gateway_bench, safety())

    assert (await ask(gateway_bench, "hello", chat(text="trigger-hate-7"))).status == 200


async def test_refused_answer_goes_through_on_error(gateway_bench: Bench, checker: ContentSafety) -> None:
    load(gateway_bench, safety("enforce-on-completions='true'"), on_error=reply("@(context.LastError.Source)"))

    response = await ask(gateway_bench, "hello", chat(text="trigger-hate-7"))

    assert response.headers["X-Value"] == "llm-content-safety"


async def test_long_answer_is_checked_in_windows(gateway_bench: Bench, checker: ContentSafety) -> None:
    load(gateway_bench, outbound=safety("window-size='100'"))
    texts = ["x " * 10_000 + end for end in ("hello", "trigger-hate-7")]

    assert [(await ask(gateway_bench, "hello", chat(text=text))).status for text in texts] == [200, 403]


@pytest.mark.parametrize(("overlap", "status"), [(0, 200), (20, 403)])
async def test_overlap_finds_what_a_window_cuts(
    gateway_bench: Bench, checker: ContentSafety, overlap: int, status: int
) -> None:
    load(gateway_bench, outbound=safety(f"window-size='40' window-overlap-size='{overlap}'"))

    assert (await ask(gateway_bench, "hello", chat(text="x " * 16 + "trigger-hate-7"))).status == status


@pytest.mark.parametrize("status", [400, 500])
async def test_failures_of_the_backend_are_not_checked(
    gateway_bench: Bench, checker: ContentSafety, status: int
) -> None:
    load(gateway_bench, outbound=safety())

    assert (await ask(gateway_bench, "hello", chat(text="trigger-hate-7", status=status))).status == status


async def test_answer_in_an_unknown_encoding_does_not_pass(gateway_bench: Bench, checker: ContentSafety) -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x", headers={"Content-Encoding": "br", "Content-Type": "application/json"})

    load(gateway_bench, outbound=safety())

    assert (await ask(gateway_bench, "hello", answer)).status == 403


async def test_plain_text_answer_is_checked(gateway_bench: Bench, checker: ContentSafety) -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(text="trigger-hate-7")

    load(gateway_bench, outbound=safety())

    assert (await ask(gateway_bench, "hello", answer)).status == 403


# Streams


async def test_harmless_stream_passes_whole(gateway_bench: Bench, checker: ContentSafety) -> None:
    load(gateway_bench, outbound=safety("window-size='10'"))

    response = await ask(gateway_bench, "hello", stream("one ", "two ", "three ", "four "))

    sent = b"".join(
        event({"choices": [{"delta": {"content": text}}], "usage": None})
        for text in ("one ", "two ", "three ", "four ")
    )
    assert await response.read() == sent + b"data: [DONE]\n\n"


async def test_harmful_stream_stops_without_a_status(gateway_bench: Bench, checker: ContentSafety) -> None:
    load(gateway_bench, outbound=safety("window-size='15'"))

    response = await ask(gateway_bench, "hello", stream("good words here ", "trigger-hate-7 ", "never sent "))
    text = await response.text()

    assert response.status == 200
    assert "good words" in text
    assert "trigger" not in text
    assert "never sent" not in text
    assert "DONE" not in text


async def test_harm_in_the_last_window_stops_the_stream(gateway_bench: Bench, checker: ContentSafety) -> None:
    load(gateway_bench, safety("enforce-on-completions='true'"))

    response = await ask(gateway_bench, "hello", stream("short trigger-hate-7"))

    assert (response.status, await response.read()) == (200, b"")


async def test_overlap_finds_what_two_windows_of_a_stream_share(gateway_bench: Bench, checker: ContentSafety) -> None:
    load(gateway_bench, outbound=safety("window-size='14' window-overlap-size='13'"))

    response = await ask(gateway_bench, "hello", stream("x trigger-hate", "-7 more and more"))

    text = await response.text()
    assert "x trigger-hate" in text
    assert "-7 more" not in text


async def test_windows_of_a_stream_pass_as_they_are_checked(gateway_bench: Bench, checker: ContentSafety) -> None:
    load(gateway_bench, outbound=safety("window-size='5'"), backend="<forward-request buffer-response='false'/>")
    release = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(event({"choices": [{"delta": {"content": "first "}}]}))
        await release.wait()
        await response.write(event({"choices": [{"delta": {"content": "second"}}]}))
        return response

    gateway_bench.backend.answer = answer
    async with gateway_bench.client.post(CHAT_URL, json={"prompt": "x"}) as response:
        assert b"first" in await response.content.readany()
        release.set()
        assert b"second" in await response.content.read()


async def test_stream_stops_where_the_checker_fails(gateway_bench: Bench) -> None:
    load(gateway_bench, outbound=safety("window-size='3'"))

    response = await ask(gateway_bench, "hello", stream("hello"))

    assert (response.status, await response.read()) == (200, b"")


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
async def test_lines_of_a_stream_end_in_three_ways(gateway_bench: Bench, checker: ContentSafety, ending: bytes) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(event({"choices": [{"delta": {"content": "trigger-hate-7"}}]}).replace(b"\n", ending))
        return response

    load(gateway_bench, outbound=safety())

    assert await (await ask(gateway_bench, "hello", answer)).read() == b""


async def test_stopped_stream_is_not_cached_and_is_charged(gateway_bench: Bench, checker: ContentSafety) -> None:
    limit = (
        "<llm-token-limit counter-key='k' tokens-per-minute='1000' estimate-prompt-tokens='false' "
        "remaining-tokens-header-name='X-Left'/>"
    )
    load(gateway_bench, limit, outbound=safety("window-size='4'"))
    await ask(gateway_bench, "hello", stream("trigger-hate-7"))

    left = int((await ask(gateway_bench, "hello", chat())).headers["X-Left"])

    assert left < 1000


# Loading


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        pytest.param(safety().replace("'safety'", "'none'"), "backend does not exist", id="backend"),
        pytest.param(safety(inner="<categories/>"), "needs at least one category", id="no category"),
        pytest.param(safety(inner=HATE.replace("Hate", "Spam")), "is not one of Hate, SelfHarm", id="category"),
        pytest.param(safety(inner=HATE.replace("'4'", "'8'")), "is not a whole number, 0 to 7", id="threshold"),
        pytest.param(safety(inner=HATE.replace("Eight", "Nine")), "is not one of FourSeverityLevels", id="levels"),
        pytest.param(safety("window-size='0'"), "is not a whole number", id="window"),
    ],
)
async def test_refused_documents(gateway_bench: Bench, policy: str, reason: str) -> None:
    with pytest.raises(PolicyLoadError, match=reason):
        load(gateway_bench, policy)


def test_windows_cover_the_text() -> None:
    assert list(windows("abcdefg", 3, 0)) == ["abc", "def", "g"]
    assert list(windows("abcdefg", 3, 1)) == ["abc", "cde", "efg"]
    assert list(windows("", 3, 1)) == [""]


# Who the gateway is to the service


async def test_the_backends_identity_takes_the_place_of_the_calls_token(
    gateway_bench: Bench, checker: ContentSafety
) -> None:
    identity = BackendIdentity(resource="https://cognitiveservices.azure.com")
    backends = (Backend(id="openai-backend", url=BACKEND_URL), Backend(id="safety", url=URL, identity=identity))
    gateway_bench.load(inbound(safety()), backends=backends)

    response = await ask(gateway_bench, "hello", Authorization="Bearer good-token")

    assert response.status == 403  # the gateway's token, which this checker does not know, and not the caller's


async def test_a_principal_without_a_role_is_refused() -> None:
    service = ContentSafety(verify, allowed=lambda host, principal_id: (host, principal_id) == ("127.0.0.1", "known"))
    async with TestServer(service.app) as server, aiohttp.ClientSession() as http:
        url = server.make_url("/contentsafety/text:analyze").with_query({"api-version": "2024-09-01"})
        async with http.post(url, json={"text": "x"}, headers={"Authorization": "Bearer good-token"}) as response:
            assert (response.status, (await response.json())["error"]["code"]) == (401, "PermissionDenied")
