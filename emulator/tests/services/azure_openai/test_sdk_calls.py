"""The page of what the `openai` client may call: it is current, and nothing is ignored."""

import re

import pytest
from aiohttp import ClientSession

from apim_emulator.services.azure_openai.operations import OPERATIONS, V1
from emulator.tests.services.azure_openai import official
from emulator.tests.services.azure_openai.sdk_calls import COMMAND, PAGE, PREFIX, offered, page, parameters, refused
from emulator.tests.services.fake_control_plane import KEYS

pytestmark = pytest.mark.slow

HEADERS = {"api-key": KEYS[0]}


async def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == await page(), f"{PAGE.name} is not current; write it anew: {COMMAND}"


async def test_every_call_beside_the_offered_ones_is_refused() -> None:
    outcomes = await refused()

    assert [one for one in outcomes if one.answer[:4] not in ("400 ", "404:")] == []
    named = [one for one in outcomes if one.answer.startswith("400 ")]
    assert len(named) > 50
    assert [one for one in named if one.request.partition(" ")[2] not in one.answer] == []


async def test_every_operation_of_the_v1_api_is_called() -> None:
    called = [one.request for one in await offered()]
    served = [
        f"{operation.method} {re.sub('{.*?}', '[^/]+', operation.path.removeprefix(PREFIX))}"
        for operation in OPERATIONS
        if operation.path.startswith(f"{V1}/")
    ]

    assert [one for one in served if not any(re.fullmatch(one, request) for request in called)] == []


@official.requires_official
@pytest.mark.parametrize(
    ("operation", "path"),
    [
        ("chat.completions", "/chat/completions"),
        ("responses", "/responses"),
        ("embeddings", "/embeddings"),
        ("chat.completions", "/deployments/{deployment-id}/chat/completions"),
        ("embeddings", "/deployments/{deployment-id}/embeddings"),
        ("completions (dated API)", "/deployments/{deployment-id}/completions"),
    ],
)
def test_every_official_parameter_is_taken_or_refused_by_name(operation: str, path: str) -> None:
    taken, lacked = next((taken, lacked) for name, taken, lacked in parameters() if name == operation)

    assert official.parameters_of(path, dated=path.startswith("/deployments/")) - {*taken, *lacked} == set()
    assert set(taken) & set(lacked) == set()


@official.requires_official
@pytest.mark.parametrize(
    ("method", "path", "official_path", "body"),
    [
        ("GET", "/models", "/models", None),
        ("GET", "/models/gpt-4o-2024-11-20", "/models/{model}", None),
        ("POST", "/embeddings", "/embeddings", {"model": "small", "input": "red"}),
        ("GET", "/responses/ID", "/responses/{response_id}", None),
        ("GET", "/responses/ID/input_items", "/responses/{response_id}/input_items", None),
        ("DELETE", "/responses/ID", "/responses/{response_id}", None),
    ],
)
async def test_answers_have_the_official_shape(
    http: ClientSession, endpoint: str, *, method: str, path: str, official_path: str, body: object
) -> None:
    root = f"{endpoint}{PREFIX.lstrip('/')}"
    async with http.post(f"{root}/responses", json={"model": "chat", "input": "Hello"}, headers=HEADERS) as response:
        created = await response.json()
    url = root + path.replace("ID", created["id"])
    async with http.request(method, url, json=body, headers=HEADERS) as response:
        answer = await response.json()

    assert response.status == 200
    assert official.errors_of(method, official_path, answer) == []
