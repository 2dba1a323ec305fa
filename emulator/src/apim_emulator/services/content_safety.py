"""A stand-in Azure AI Content Safety that finds only trigger words, so that tests and demonstrations harm nobody.

- `trigger-hate-4` is hate of severity 4; likewise `trigger-selfharm-`, `trigger-sexual-` and `trigger-violence-`, each
  with 0 to 7. The highest of a category counts.
- `trigger-attack` is an attack on the prompt.
- A term of a blocklist is found as it is, in upper or lower case.

Paths, parameters and answers are those of "Azure AI Content Safety REST API", Analyze Text and Shield Prompt.
"""

import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from apim_emulator.services.entra.grants import COGNITIVE_SERVICES
from apim_emulator.services.signing import InvalidTokenError

__all__ = ["COGNITIVE_SERVICES_USER", "ContentSafety"]

COGNITIVE_SERVICES_USER = "a97b65f3-24c7-4388-baec-2e87135dc908"
"""Role definition *Cognitive Services User*, which a principal needs to call the service by token."""

CATEGORIES = ("Hate", "SelfHarm", "Sexual", "Violence")
LONGEST_TEXT = 10_000
API_VERSIONS = frozenset({"2023-10-01", "2024-09-01"})

_SEVERITY = re.compile(r"\btrigger-(hate|selfharm|sexual|violence)-([0-7])\b", re.IGNORECASE)
_ATTACK = re.compile(r"\btrigger-attack\b", re.IGNORECASE)


class _RefusedError(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"code": code, "message": message}}


class ContentSafety:
    """Checks texts for callers who hold a key, or a token for Azure AI services."""

    app: web.Application
    """Serves a resource's host, such as `NAME.cognitiveservices.azure.com`, to callers on the internet."""
    private_app: web.Application
    """Serves it to callers who come through a private endpoint."""

    def __init__(
        self,
        verify: Callable[[str], Mapping[str, object]],
        keys: tuple[str, ...] = (),
        blocklists: Mapping[str, tuple[str, ...]] | None = None,
        *,
        allowed: Callable[[str, str], bool] = lambda _host, _principal_id: True,
        is_public: Callable[[str], bool] = lambda _host: True,
    ) -> None:
        """Take what verifies tokens and gives their claims, the keys, and the terms of each blocklist.

        `allowed` tells whether a principal may call the resource with a host; by default its role is not asked for.
        `is_public` tells whether the resource answers callers on the internet.
        """
        self._verify = verify
        self._allowed = allowed
        self._keys = keys
        self._blocklists = blocklists or {}
        self._is_public = is_public
        self.app = self._application(middlewares=[self._only_public])
        self.private_app = self._application()

    def _application(self, middlewares: Sequence[Middleware] = ()) -> web.Application:
        app = web.Application(middlewares=middlewares)
        app.router.add_post("/contentsafety/text:analyze", self._analyze)
        app.router.add_post("/contentsafety/text:shieldPrompt", self._shield)
        return app

    @web.middleware
    async def _only_public(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self._is_public(request.url.host or ""):
            return await handler(request)
        message = "Public access is disabled. Please configure private endpoint."
        return web.json_response({"error": {"code": "AccessDenied", "message": message}}, status=403)

    async def _analyze(self, request: web.Request) -> web.Response:
        return await self._answer(request, self._analysis)

    async def _shield(self, request: web.Request) -> web.Response:
        return await self._answer(request, _attacks)

    async def _answer(self, request: web.Request, answer: Callable[[dict[str, Any]], object]) -> web.Response:
        try:
            self._authenticate(request)
            if request.query.get("api-version") not in API_VERSIONS:
                raise _RefusedError(404, "404", "Resource not found")
            body = json.loads(await request.read())
            if not isinstance(body, dict):
                raise _invalid("The request body is not a JSON object.")
            return web.json_response(answer(body))
        except _RefusedError as refused:
            return web.json_response(refused.body, status=refused.status)
        except (ValueError, RecursionError):
            invalid = _invalid("The request body is not valid JSON.")
            return web.json_response(invalid.body, status=invalid.status)

    def _authenticate(self, request: web.Request) -> None:
        key = request.headers.get("Ocp-Apim-Subscription-Key")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if key is not None:
            given = key.encode("utf-8", "surrogateescape")
            matches = [hmac.compare_digest(given, known.encode()) for known in self._keys]
            if any(matches):
                return
        elif scheme.lower() == "bearer":
            try:
                claims = self._verify(token.strip())
            except InvalidTokenError:
                claims = {}
            if claims.get("aud") in {COGNITIVE_SERVICES, f"{COGNITIVE_SERVICES}/"}:
                if not self._allowed(request.url.host or "", str(claims.get("oid"))):
                    raise _RefusedError(401, "PermissionDenied", "The principal lacks the required data action.")
                return
        raise _RefusedError(401, "401", "Access denied due to invalid subscription key or wrong API endpoint.")

    def _analysis(self, body: dict[str, Any]) -> object:
        text = _text(body.get("text"), "text")
        categories = _names(body.get("categories", list(CATEGORIES)), "categories")
        if not set(categories) <= set(CATEGORIES):
            raise _invalid("A category is unknown.")
        levels = body.get("outputType", "FourSeverityLevels")
        if levels not in {"FourSeverityLevels", "EightSeverityLevels"}:
            raise _invalid("The outputType is unknown.")
        found = dict.fromkeys(CATEGORIES, 0)
        for name, severity in _SEVERITY.findall(text):
            category = next(known for known in CATEGORIES if known.lower() == name.lower())
            found[category] = max(found[category], int(severity))
        if levels == "FourSeverityLevels":
            found = {category: severity - severity % 2 for category, severity in found.items()}
        return {
            "blocklistsMatch": self._matches(text, _names(body.get("blocklistNames", []), "blocklistNames")),
            "categoriesAnalysis": [{"category": name, "severity": found[name]} for name in categories],
        }

    def _matches(self, text: str, names: list[str]) -> list[dict[str, str]]:
        matches = []
        for name in names:
            if name not in self._blocklists:
                raise _RefusedError(404, "NotFound", "The blocklist is not found.")
            for number, term in enumerate(self._blocklists[name], 1):
                if term.lower() in text.lower():
                    item = {"blocklistName": name, "blocklistItemId": str(number), "blocklistItemText": term}
                    matches.append(item)
        return matches


def _attacks(body: dict[str, Any]) -> object:
    prompt = _text(body.get("userPrompt", ""), "userPrompt")
    documents = [_text(document, "documents") for document in _names(body.get("documents", []), "documents")]
    return {
        "userPromptAnalysis": {"attackDetected": _ATTACK.search(prompt) is not None},
        "documentsAnalysis": [{"attackDetected": _ATTACK.search(document) is not None} for document in documents],
    }


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise _invalid(f"The {name} is missing or no string.")
    if len(value) > LONGEST_TEXT:
        raise _invalid(f"The {name} is longer than {LONGEST_TEXT} characters.")
    return value


def _names(value: object, name: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _invalid(f"The {name} is no list of strings.")
    return value


def _invalid(message: str) -> _RefusedError:
    return _RefusedError(400, "InvalidRequestBody", message)
