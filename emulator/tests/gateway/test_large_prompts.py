"""Prompts, and answers, that are too large to be read while others wait."""

import gzip
import io
import json
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from apim_emulator.gateway.http.bodies import TooLargeError
from apim_emulator.gateway.llm.model_text import MAX_BYTES, MAX_VALUES, Lines, read_object
from emulator.tests.gateway.harness import Bench, inbound
from emulator.tests.gateway.models import CHAT_URL, chat
from emulator.tests.gateway.test_token_limit import ask, limit

MANY = b'{"messages":[' + b"{}," * 3_000_000 + b"{}]}"
"""8 MiB, and 9 kB when compressed."""
POLICIES = {
    "llm-token-limit": limit(estimate=True),
    "llm-emit-token-metric": "<llm-emit-token-metric><dimension name='API ID'/></llm-emit-token-metric>",
}


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what was parsed as JSON of a model."""
    sizes: list[int] = []
    loads = json.loads

    def noted(text: str | bytes) -> Any:
        sizes.append(len(text))
        return loads(text)

    monkeypatch.setattr(json, "loads", noted)
    return sizes


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        pytest.param(gzip.compress(MANY), "gzip", id="large once it is decompressed"),
        pytest.param(b'{"messages":[' + b"{}," * MAX_VALUES + b"{}]}", "identity", id="values"),
        pytest.param(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "identity", id="depth"),
        pytest.param(b'{"prompt":"' + b"x" * MAX_BYTES + b'"}', "identity", id="bytes"),
    ],
)
async def test_a_prompt_that_is_too_large_is_refused_and_not_parsed(
    gateway_bench: Bench, parsed: list[int], policy: str, body: bytes, encoding: str
) -> None:
    gateway_bench.load(inbound(POLICIES[policy]))
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}

    response = await gateway_bench.call(CHAT_URL, "POST", data=io.BytesIO(body), headers=headers)

    assert response.status == 413
    assert gateway_bench.backend.calls == []
    assert all(size < 300_000 for size in parsed)


async def test_many_content_encodings_are_not_undone(gateway_bench: Bench, parsed: list[int]) -> None:
    gateway_bench.load(inbound(POLICIES["llm-token-limit"]))
    gateway_bench.backend.answer = chat()
    body = b'{"prompt": "hello"}'
    for _ in range(50):
        body = gzip.compress(body)
    headers = {"Content-Type": "application/json", "Content-Encoding": ", ".join(["gzip"] * 50)}

    assert (await gateway_bench.call(CHAT_URL, "POST", data=body, headers=headers)).status == 200
    assert not [size for size in parsed if size == len('{"prompt": "hello"}')]


async def test_an_answer_that_is_too_large_is_charged_by_its_length(gateway_bench: Bench, parsed: list[int]) -> None:
    gateway_bench.load(inbound(limit("tokens-per-minute='10000000'")))
    text = json.dumps({"choices": [{}] * MAX_VALUES, "usage": {"prompt_tokens": 1, "completion_tokens": 1}})

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=text, content_type="application/json")

    response = await ask(gateway_bench, answer)

    assert int(response.headers["X-Spent"]) >= len(text) // 4


@pytest.mark.parametrize("text", [b"[" * 10_000, b"[" * MAX_VALUES, b"," * MAX_VALUES + b",", b'"' + b"x" * MAX_BYTES])
def test_what_is_too_large_is_not_read(text: bytes) -> None:
    with pytest.raises(TooLargeError):
        read_object(text)


@given(st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r", b"\r\n", b"\n\n", b"d\ne", b""])))
def test_lines_are_the_same_however_they_are_cut(chunks: list[bytes]) -> None:
    lines = Lines()

    found = [line for chunk in chunks for line in lines.add(chunk)]
    waiting = lines.waiting
    rest = lines.rest()

    whole = b"".join(chunks)
    assert b"".join([*found, rest]) == whole
    assert waiting == len(rest)
    assert [text for line in [*found, rest] for text in line.splitlines() if text] == [
        text for text in whole.splitlines() if text
    ]
    assert not rest.endswith((b"\n", b"\r"))
    assert all(line.endswith((b"\n", b"\r")) for line in found)


def test_a_line_that_arrives_byte_by_byte_is_joined_once() -> None:
    lines = Lines()
    joined = 0

    for _ in range(10_000):
        joined += sum(map(len, lines.add(b"x")))
    joined += sum(map(len, lines.add(b"\n")))

    assert joined == 10_001
