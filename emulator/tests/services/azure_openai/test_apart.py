"""A stand-in model works apart from the event loop that it may share with the gateway."""

import json
import threading
from typing import Any

import openai
import pytest

from apim_emulator.services.azure_openai import embeddings, service
from emulator.tests.services.fake_control_plane import KEYS

MANY = [f"text number {number}" for number in range(64)]


async def test_models_work_in_a_thread_of_their_own(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[int] = set()
    unit_vector = embeddings._unit_vector

    def noted(text: str, dimensions: int) -> list[float]:
        threads.add(threading.get_ident())
        return unit_vector(text, dimensions)

    monkeypatch.setattr(embeddings, "_unit_vector", noted)

    async with openai.AsyncOpenAI(base_url=f"{endpoint}openai/v1/", api_key=KEYS[0], max_retries=0) as client:
        found = await client.embeddings.create(model="small", input=MANY)

    assert len(found.data) == len(MANY)
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_an_answer_is_written_item_by_item(monkeypatch: pytest.MonkeyPatch) -> None:
    longest = 0
    dumps = json.dumps

    def noted(value: Any) -> str:
        nonlocal longest
        text = dumps(value)
        longest = max(longest, len(text))
        return text

    answer = {"object": "list", "data": [{"embedding": [0.5] * 100}] * 50, "usage": {"total_tokens": 1}, "model": None}
    monkeypatch.setattr(json, "dumps", noted)

    assert json.loads(service._json(answer)) == answer
    assert longest < 1_000
