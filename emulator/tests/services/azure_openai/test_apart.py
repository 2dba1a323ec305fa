"""A stand-in model works apart from the event loop that it may share with the gateway."""

import json
import threading
from array import array
from typing import Any

import openai
import pytest
from aiohttp import web

from apim_emulator.services.azure_openai import embeddings, service
from emulator.tests.services.fake_control_plane import KEYS

MANY = [f"text number {number}" for number in range(64)]


async def test_models_work_in_a_thread_of_their_own(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[int] = set()
    unit_vector = embeddings._unit_vector

    def noted(text: str, dimensions: int) -> "array[float]":
        threads.add(threading.get_ident())
        return unit_vector(text, dimensions)

    monkeypatch.setattr(embeddings, "_unit_vector", noted)

    async with openai.AsyncOpenAI(base_url=f"{endpoint}openai/v1/", api_key=KEYS[0], max_retries=0) as client:
        found = await client.embeddings.create(model="small", input=MANY)

    assert len(found.data) == len(MANY)
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_an_answer_is_written_item_by_item() -> None:
    vector = array("d", [0.5]) * 100
    answer = {"object": "list", "data": [{"embedding": vector}] * 50, "usage": {"total_tokens": 1}, "model": None}

    pieces = list(service._json(answer))

    assert json.loads(b"".join(pieces)) == {**answer, "data": [{"embedding": [0.5] * 100}] * 50}
    assert max(map(len, pieces)) < 1_000


@pytest.mark.parametrize("answer", [{}, {"data": []}, {"data": [1], "more": []}])
def test_an_answer_without_items_is_json_too(answer: dict[str, Any]) -> None:
    assert json.loads(b"".join(service._json(answer))) == answer


async def test_a_large_answer_is_sent_piece_by_piece(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_AT_ONCE", 100_000)
    sent: list[int] = []
    write = web.StreamResponse.write

    async def noted(response: web.StreamResponse, data: bytes) -> None:
        sent.append(len(data))
        await write(response, data)

    monkeypatch.setattr(web.StreamResponse, "write", noted)

    async with openai.AsyncOpenAI(base_url=f"{endpoint}openai/v1/", api_key=KEYS[0], max_retries=0) as client:
        found = await client.embeddings.with_raw_response.create(model="small", input=MANY, encoding_format="float")

    assert len(found.parse().data) == len(MANY)
    assert int(found.headers["Content-Length"]) == sum(sent) == len(found.content)
    assert max(sent) < 100_000
