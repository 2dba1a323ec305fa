"""The stand-in content safety service: what it finds, and whom it answers."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from apim_emulator.services.content_safety import ContentSafety
from apim_emulator.services.entra import Entra
from emulator.tests.services.fake_control_plane import IDENTITY

KEY = {"Ocp-Apim-Subscription-Key": "the-key"}
ANALYZE = "contentsafety/text:analyze?api-version=2024-09-01"
SHIELD = "contentsafety/text:shieldPrompt?api-version=2024-09-01"


@pytest.fixture
async def checker(entra: Entra) -> AsyncIterator[str]:
    service = ContentSafety(entra.verify, ("the-key",), {"rivals": ("Fabrikam",)})
    async with TestServer(service.app) as server:
        yield str(server.make_url("/"))


async def ask(http: ClientSession, url: str, body: Any, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    async with http.post(url, json=body, headers=KEY if headers is None else headers) as response:
        return response.status, await response.json()


@pytest.mark.parametrize(
    ("text", "levels", "expected"),
    [
        pytest.param("hello", "EightSeverityLevels", [0, 0, 0, 0], id="harmless"),
        pytest.param("Trigger-Hate-5.", "EightSeverityLevels", [5, 0, 0, 0], id="eight levels"),
        pytest.param("trigger-hate-5", "FourSeverityLevels", [4, 0, 0, 0], id="four levels"),
        pytest.param("trigger-hate-2 trigger-hate-6", "EightSeverityLevels", [6, 0, 0, 0], id="highest"),
        pytest.param(
            "trigger-selfharm-1 trigger-sexual-2 trigger-violence-3", "EightSeverityLevels", [0, 1, 2, 3], id="all"
        ),
    ],
)
async def test_severities(http: ClientSession, checker: str, text: str, levels: str, expected: list[int]) -> None:
    status, answer = await ask(http, checker + ANALYZE, {"text": text, "outputType": levels})

    assert status == 200
    assert [found["severity"] for found in answer["categoriesAnalysis"]] == expected
    assert answer["blocklistsMatch"] == []


async def test_only_the_categories_asked_for_are_answered(http: ClientSession, checker: str) -> None:
    _, answer = await ask(http, checker + ANALYZE, {"text": "trigger-hate-6", "categories": ["Violence"]})

    assert answer["categoriesAnalysis"] == [{"category": "Violence", "severity": 0}]


async def test_blocklist_terms_are_found(http: ClientSession, checker: str) -> None:
    _, answer = await ask(http, checker + ANALYZE, {"text": "by fabrikam", "blocklistNames": ["rivals"]})

    assert answer["blocklistsMatch"] == [
        {"blocklistName": "rivals", "blocklistItemId": "1", "blocklistItemText": "Fabrikam"}
    ]


@pytest.mark.parametrize(("prompt", "expected"), [("please trigger-attack now", True), ("hello", False)])
async def test_attacks(http: ClientSession, checker: str, prompt: str, expected: bool) -> None:
    _, answer = await ask(http, checker + SHIELD, {"userPrompt": prompt, "documents": ["trigger-attack"]})

    assert answer == {
        "userPromptAnalysis": {"attackDetected": expected},
        "documentsAnalysis": [{"attackDetected": True}],
    }


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param(ANALYZE, {"text": "x" * 10_001}, 400, id="too long"),
        pytest.param(ANALYZE, {}, 400, id="no text"),
        pytest.param(ANALYZE, [], 400, id="no object"),
        pytest.param(ANALYZE, {"text": "x", "categories": ["Bad"]}, 400, id="unknown category"),
        pytest.param(ANALYZE, {"text": "x", "categories": "Hate"}, 400, id="categories no list"),
        pytest.param(ANALYZE, {"text": "x", "outputType": "Two"}, 400, id="unknown output type"),
        pytest.param(ANALYZE, {"text": "x", "blocklistNames": ["none"]}, 404, id="unknown blocklist"),
        pytest.param(SHIELD, {"userPrompt": 1}, 400, id="prompt no string"),
        pytest.param("contentsafety/text:analyze?api-version=1", {"text": "x"}, 404, id="unknown API version"),
    ],
)
async def test_refused_requests(http: ClientSession, checker: str, path: str, body: Any, status: int) -> None:
    answered, answer = await ask(http, checker + path, body)

    assert answered == status
    assert set(answer) == {"error"}


async def test_a_body_that_is_no_json_is_refused(http: ClientSession, checker: str) -> None:
    async with http.post(checker + ANALYZE, data=b"{", headers=KEY) as response:
        assert response.status == 400


async def test_a_token_for_azure_ai_services_is_accepted(http: ClientSession, checker: str, entra: Entra) -> None:
    token, _ = entra.managed_identity_token(IDENTITY.principal_id, "https://cognitiveservices.azure.com")

    status, _ = await ask(http, checker + ANALYZE, {"text": "hello"}, {"Authorization": f"Bearer {token}"})

    assert status == 200


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"Ocp-Apim-Subscription-Key": "other"}, id="wrong key"),
        pytest.param({"Authorization": "Bearer nonsense"}, id="no token"),
        pytest.param({"Authorization": "Basic the-key"}, id="other scheme"),
    ],
)
async def test_others_are_refused(http: ClientSession, checker: str, headers: dict[str, str]) -> None:
    status, _ = await ask(http, checker + ANALYZE, {"text": "hello"}, headers)

    assert status == 401


async def test_a_token_for_another_resource_is_refused(http: ClientSession, checker: str, entra: Entra) -> None:
    token, _ = entra.managed_identity_token(IDENTITY.principal_id, "https://vault.azure.net")

    status, _ = await ask(http, checker + ANALYZE, {"text": "hello"}, {"Authorization": f"Bearer {token}"})

    assert status == 401


async def test_a_resource_without_public_access_answers_private_endpoints_alone(
    http: ClientSession, entra: Entra
) -> None:
    service = ContentSafety(entra.verify, ("the-key",), is_public=lambda host: host != "127.0.0.1")

    async with TestServer(service.app) as public, TestServer(service.private_app) as private:
        refused = await ask(http, f"{public.make_url('/')}{ANALYZE}", {"text": "hello"})
        answered = await ask(http, f"{private.make_url('/')}{ANALYZE}", {"text": "hello"})

    message = "Public access is disabled. Please configure private endpoint."
    assert refused == (403, {"error": {"code": "AccessDenied", "message": message}})
    assert answered[0] == 200
