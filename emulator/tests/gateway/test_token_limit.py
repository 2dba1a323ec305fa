"""`llm-token-limit`: the recorded runs of the service, what is charged and when, and what is told."""

import asyncio
import gzip
import json
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from apim_emulator.gateway import PolicyLoadError
from emulator.tests.gateway.harness import Bench, Handler, inbound, reply
from emulator.tests.gateway.models import CHAT_URL, HELLO, HELLO_TOKENS, chat, event, stream

CLASSIC, V2 = "Developer", "BasicV2"
HEADERS = (
    "remaining-tokens-header-name='X-Left' tokens-consumed-header-name='X-Spent' "
    "remaining-quota-tokens-header-name='X-Quota'"
)


def limit(more: str = "tokens-per-minute='100'", *, estimate: bool = False, name: str = "llm-token-limit") -> str:
    return f"<{name} counter-key='all' estimate-prompt-tokens='{str(estimate).lower()}' {HEADERS} {more}/>"


async def ask(bench: Bench, answer: Handler, body: Any = None) -> aiohttp.ClientResponse:
    bench.backend.answer = answer
    return await bench.call(CHAT_URL, "POST", json=HELLO if body is None else body)


async def message(response: aiohttp.ClientResponse) -> str:
    return str(json.loads(await response.read())["message"])


# The recorded runs


async def test_classic_run_of_100_tokens_per_minute(gateway_bench: Bench) -> None:
    """59 tokens answered at 1.93 s, 55 at 17.71 s, refused at 33.0 s and 48.4 s, admitted at 63.5 s."""
    gateway_bench.load(inbound(limit(name="azure-openai-token-limit")), sku=CLASSIC)
    clock = gateway_bench.clock

    clock.advance(1.93)
    first = await ask(gateway_bench, chat(40, 19))
    clock.advance(15.78)
    second = await ask(gateway_bench, chat(40, 15))
    clock.advance(15.29)
    third = await ask(gateway_bench, chat())
    clock.advance(15.4)
    fourth = await ask(gateway_bench, chat())
    clock.advance(15.1)
    fifth = await ask(gateway_bench, chat(40, 15))

    assert [(one.headers["X-Spent"], one.headers["X-Left"]) for one in (first, second, fifth)] == [
        ("59", "41"),
        ("55", "0"),
        ("55", "0"),
    ]
    assert await message(third) == "Token limit is exceeded. Try again in 29 seconds."
    assert await message(fourth) == "Token limit is exceeded. Try again in 14 seconds."
    assert len(gateway_bench.backend.calls) == 3


async def test_v2_run_of_10_tokens_per_minute(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(limit("tokens-per-minute='10'")), sku=V2)
    assert (await ask(gateway_bench, chat(30, 10))).status == 200

    refused = await ask(gateway_bench, chat())

    assert (refused.status, refused.headers["Retry-After"]) == (429, "180")
    assert await refused.read() == (
        b'{ "statusCode": 429, "message": "Token limit is exceeded. Try again in 180 seconds." }'
    )
    gateway_bench.clock.advance(179)
    assert (await ask(gateway_bench, chat())).headers["Retry-After"] == "1"
    gateway_bench.clock.advance(1)
    assert (await ask(gateway_bench, chat())).status == 200


async def test_quota_message_names_the_time(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(limit("token-quota='10' token-quota-period='Hourly'")))
    # 22:13:20 UTC
    gateway_bench.clock.advance(25 * 60 + 7)
    await ask(gateway_bench, chat(11, 0))

    refused = await ask(gateway_bench, chat())

    assert (refused.status, refused.reason) == (403, "Forbidden")
    assert await message(refused) == "Token quota is exceeded. Try again in 21 minutes and 33 seconds."
    assert refused.headers["Retry-After"] == str(21 * 60 + 33)
    assert gateway_bench.records[-1].error == "OpenAITokenQuotaExceeded"


# Quotas


@pytest.mark.parametrize(
    ("period", "wait"),
    [
        # From Tuesday, 14 November 2023, 22:13:20 UTC.
        pytest.param("Hourly", "46 minutes and 40 seconds", id="hour"),
        pytest.param("Daily", "1 hour, 46 minutes and 40 seconds", id="day"),
        pytest.param("Weekly", "5 days, 1 hour, 46 minutes and 40 seconds", id="week from Monday"),
        pytest.param("Monthly", "16 days, 1 hour, 46 minutes and 40 seconds", id="month"),
        pytest.param("Yearly", "47 days, 1 hour, 46 minutes and 40 seconds", id="year"),
    ],
)
async def test_quota_periods_are_those_of_the_calendar(gateway_bench: Bench, period: str, wait: str) -> None:
    gateway_bench.load(inbound(limit(f"token-quota='10' token-quota-period='{period}'")))
    await ask(gateway_bench, chat(11, 0))

    refused = await ask(gateway_bench, chat())
    gateway_bench.clock.advance(float(refused.headers["Retry-After"]))

    assert await message(refused) == f"Token quota is exceeded. Try again in {wait}."
    assert (await ask(gateway_bench, chat())).status == 200


@pytest.mark.parametrize("quota", ["@(59L)", "@((long)59)", "@{ long most = 59; return most; }"])
async def test_quota_may_be_an_expression_of_type_long(gateway_bench: Bench, quota: str) -> None:
    gateway_bench.load(inbound(limit(f"token-quota='{quota}' token-quota-period='Daily'")), sku=CLASSIC)
    spent = [(await ask(gateway_bench, chat(40, 20))).status for _ in range(2)]

    assert spent == [200, 403]


async def test_quota_that_is_spent_exactly_is_not_exceeded(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(limit("token-quota='10' token-quota-period='Daily'")))

    first = await ask(gateway_bench, chat(10, 0))
    second = await ask(gateway_bench, chat(1, 0))
    third = await ask(gateway_bench, chat())

    assert [(one.status, one.headers["X-Quota"]) for one in (first, second, third)] == [
        (200, "0"),
        (200, "0"),
        (403, "0"),
    ]


async def test_quota_without_period_never_starts_over(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(limit("token-quota='10'")))
    await ask(gateway_bench, chat(11, 0))
    gateway_bench.clock.advance(10 * 365 * 86_400)

    refused = await ask(gateway_bench, chat())

    assert (refused.status, await message(refused)) == (403, "Token quota is exceeded.")
    assert "Retry-After" not in refused.headers


async def test_rate_and_quota_are_both_charged(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(limit("tokens-per-minute='100' token-quota='1000' token-quota-period='Daily'")))

    response = await ask(gateway_bench, chat(20, 10))

    assert (response.headers["X-Left"], response.headers["X-Quota"], response.headers["X-Spent"]) == ("70", "970", "30")


# What is charged


async def test_estimate_refuses_before_the_backend_is_called(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(limit("tokens-per-minute='20'", estimate=True)), sku=CLASSIC)
    await ask(gateway_bench, chat(10, 5))

    refused = await ask(gateway_bench, chat())

    assert await message(refused) == "Token limit is exceeded. Try again in 60 seconds."
    assert len(gateway_bench.backend.calls) == 1


async def test_prompt_that_never_fits_is_told_no_time(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(limit("tokens-per-minute='5'", estimate=True)))

    refused = await ask(gateway_bench, chat())

    assert (refused.status, await message(refused)) == (429, "Token limit is exceeded.")
    assert "Retry-After" not in refused.headers


async def test_without_estimate_the_call_that_crosses_the_limit_passes(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(limit("tokens-per-minute='5'")))

    assert [(await ask(gateway_bench, chat(500, 0))).status for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(("sku", "expected"), [(CLASSIC, 429), (V2, 200)])
async def test_limit_that_is_used_up_exactly(gateway_bench: Bench, sku: str, expected: int) -> None:
    gateway_bench.load(inbound(limit("tokens-per-minute='10'")), sku=sku)
    await ask(gateway_bench, chat(10, 0))

    assert (await ask(gateway_bench, chat())).status == expected


async def test_failed_calls_cost_nothing(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(limit()))

    response = await ask(gateway_bench, chat(500, 500, status=429))

    assert (response.status, response.headers["X-Left"], response.headers["X-Spent"]) == (429, "100", "0")


async def test_answer_without_usage_is_estimated(gateway_bench: Bench) -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"choices": [{"message": {"content": "x" * 40}}]})

    gateway_bench.load(inbound(limit()))

    assert (await ask(gateway_bench, answer)).headers["X-Spent"] == str(HELLO_TOKENS + 10)


async def test_usage_in_a_compressed_answer_is_read(gateway_bench: Bench) -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        body = gzip.compress(json.dumps({"usage": {"prompt_tokens": 7, "total_tokens": 7}}).encode())
        return web.Response(body=body, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})

    gateway_bench.load(inbound(limit()))

    response = await ask(gateway_bench, answer)

    assert response.headers["X-Spent"] == "7"
    assert (await response.json())["usage"]["prompt_tokens"] == 7


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        pytest.param(HELLO, HELLO_TOKENS, id="chat"),
        pytest.param({"prompt": "x" * 9}, 3, id="completion"),
        pytest.param({"prompt": ["x" * 8, "y" * 4]}, 3, id="several prompts"),
        pytest.param({"input": [1, 2, 3]}, 3, id="embeddings of tokens"),
        pytest.param(
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "abcd"}, {"type": "image_url"}]}]},
            1207,
            id="image",
        ),
        pytest.param({"other": "x" * 100}, 0, id="no prompt"),
        pytest.param([], 0, id="no object"),
    ],
)
async def test_prompt_estimates(gateway_bench: Bench, body: Any, tokens: int) -> None:
    variable = "tokens-consumed-variable-name='spent' tokens-per-minute='5000'"
    gateway_bench.load(
        inbound(limit(variable, estimate=True), reply('@(((int)context.Variables["spent"]).ToString())'))
    )

    assert (await ask(gateway_bench, chat(), body)).headers["X-Value"] == str(tokens)


@pytest.mark.parametrize(
    ("more", "spent"),
    [
        pytest.param("ignore-prompt='true'", "5", id="prompt ignored"),
        pytest.param("prompt-type='chat-completion'", "35", id="type given"),
    ],
)
async def test_what_of_the_usage_counts(gateway_bench: Bench, more: str, spent: str) -> None:
    gateway_bench.load(inbound(limit(f"tokens-per-minute='100' {more}")))

    assert (await ask(gateway_bench, chat(30, 5))).headers["X-Spent"] == spent


async def test_keys_are_shared_by_both_names_and_all_scopes(gateway_bench: Bench) -> None:
    other = limit(name="azure-openai-token-limit")
    gateway_bench.load(inbound(limit()), policy=f"<policies><inbound>{other}</inbound></policies>")

    assert (await ask(gateway_bench, chat(20, 0))).headers["X-Left"] == "60"


async def test_variables_hold_the_consumption_in_outbound(gateway_bench: Bench) -> None:
    more = "tokens-per-minute='100' tokens-consumed-variable-name='spent' remaining-tokens-variable-name='left'"
    shown = '@(((int)context.Variables["spent"]) + "/" + ((int)context.Variables["left"]))'
    gateway_bench.load(inbound(limit(more), outbound=f"<set-header name='X-Both'><value>{shown}</value></set-header>"))

    assert (await ask(gateway_bench, chat(20, 10))).headers["X-Both"] == "30/70"


async def test_refusal_goes_through_on_error(gateway_bench: Bench) -> None:
    told = '@(context.LastError.Source + "/" + context.LastError.Reason)'
    gateway_bench.load(inbound(limit("tokens-per-minute='5'", estimate=True), on_error=reply(told)))

    assert (await ask(gateway_bench, chat())).headers["X-Value"] == "llm-token-limit/OpenAITokenLimitExceeded"


# Streams


async def test_stream_is_estimated_and_charged_at_its_end(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(limit()))

    first = await ask(gateway_bench, stream("x" * 20, "y" * 20, usage=(90, 90)), {**HELLO, "stream": True})
    second = await ask(gateway_bench, chat())

    assert (first.headers["X-Left"], "X-Spent" in first.headers) == ("100", False)
    assert (await first.text()).endswith("data: [DONE]\n\n")
    assert second.headers["X-Left"] == str(100 - HELLO_TOKENS - 10)


async def test_chunks_of_a_stream_are_not_held_back(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(limit(), backend="<forward-request buffer-response='false'/>"))
    release = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(event({"choices": [{"delta": {"content": "one"}}]}))
        await release.wait()
        await response.write(b"data: [DONE]\n\n")
        return response

    gateway_bench.backend.answer = answer
    async with gateway_bench.client.post(CHAT_URL, json=HELLO) as response:
        assert b"one" in await response.content.readany()
        release.set()
        assert await response.content.read() == b"data: [DONE]\n\n"


async def test_stream_that_the_caller_leaves_is_charged_for_what_came(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(limit("tokens-per-minute='5000'"), backend="<forward-request buffer-response='false'/>"))
    closed = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(event({"choices": [{"delta": {"content": "x" * 4000}}]}))
        try:
            await asyncio.Event().wait()
        finally:
            closed.set()
        return response

    gateway_bench.backend.answer = answer
    async with gateway_bench.client.post(CHAT_URL, json=HELLO) as response:
        await response.content.readany()
        response.close()
    await closed.wait()

    assert (await ask(gateway_bench, chat())).headers["X-Left"] == str(5000 - HELLO_TOKENS - 1000)


async def test_events_may_be_cut_anywhere(gateway_bench: Bench) -> None:
    data = event({"choices": [{"delta": {"content": "x" * 40}}]}) + b"data: [DONE]\n\n"

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        for byte in data:
            await response.write(bytes([byte]))
        return response

    gateway_bench.load(inbound(limit()))
    await ask(gateway_bench, answer)

    assert (await ask(gateway_bench, chat())).headers["X-Left"] == str(100 - HELLO_TOKENS - 10)


# Loading


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        pytest.param(
            "counter-key='k' estimate-prompt-tokens='true'", "needs tokens-per-minute, token-quota", id="none"
        ),
        pytest.param("estimate-prompt-tokens='true' tokens-per-minute='1'", "counter-key", id="no key"),
        pytest.param("counter-key='k' tokens-per-minute='1'", "estimate-prompt-tokens", id="no estimate"),
        pytest.param(
            "counter-key='k' estimate-prompt-tokens='true' tokens-per-minute='1' token-quota-period='Daily'",
            "needs token-quota",
            id="period alone",
        ),
        pytest.param(
            "counter-key='k' estimate-prompt-tokens='true' token-quota='1' token-quota-period='Fortnightly'",
            "is not one of Indefinite, Hourly",
            id="period",
        ),
        pytest.param(
            "counter-key='k' estimate-prompt-tokens='true' token-quota='@(5)' token-quota-period='Daily'",
            "token-quota: an expression must be of type long",
            id="quota of type int",
        ),
        pytest.param(
            "counter-key='k' estimate-prompt-tokens='true' tokens-per-minute='0'", "is not a whole number", id="zero"
        ),
    ],
)
async def test_refused_documents(gateway_bench: Bench, attributes: str, reason: str) -> None:
    with pytest.raises(PolicyLoadError, match=reason):
        gateway_bench.load(inbound(f"<llm-token-limit {attributes}/>"))


async def test_consumption_tier_has_no_token_limit(gateway_bench: Bench) -> None:
    with pytest.raises(PolicyLoadError, match="is not available in Consumption"):
        gateway_bench.load(inbound(limit()), sku="Consumption")
