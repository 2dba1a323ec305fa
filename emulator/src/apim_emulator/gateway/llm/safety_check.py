"""Checks texts with Azure AI Content Safety (its operations Analyze Text and Shield Prompt)."""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

from apim_emulator.gateway.backends.call import BackendCallError, pick, post_json
from apim_emulator.gateway.backends.targets import Endpoint, Target
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.http.bodies import TooLargeError
from apim_emulator.gateway.http.observe import StreamStoppedError
from apim_emulator.gateway.llm.model_text import Json, Lines, completion_text, event_object
from apim_emulator.gateway.witness import note

LONGEST_TEXT = 10_000
"""Characters that the service takes at once."""
_API_VERSION = "2024-09-01"
_MAX_HELD = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Check:
    """What texts of one call are checked for."""

    exchange: Exchange
    backend: Target
    output_type: str
    thresholds: Mapping[str, int]
    """Severity from which on a category is blocked."""
    blocklists: tuple[str, ...]

    async def is_safe(self, text: str, *, shield: bool = False) -> bool:
        """Tell whether a text may pass; raises `BackendCallError` where the service does not tell."""
        endpoint = pick(self.exchange, self.backend)
        if shield and await self._is_attack(text, endpoint):
            return False
        return await self._is_harmless(text, endpoint) if self.thresholds or self.blocklists else True

    async def _is_attack(self, text: str, endpoint: Endpoint) -> bool:
        answer = await self._post(endpoint, "text:shieldPrompt", {"userPrompt": text, "documents": []})
        analysis = answer.get("userPromptAnalysis")
        detected = analysis.get("attackDetected") if isinstance(analysis, dict) else None
        if not isinstance(detected, bool):
            raise BackendCallError(f"{endpoint.name} did not tell about attacks")
        note("prompt shield: {}", "an attack" if detected else "no attack")
        return detected

    async def _is_harmless(self, text: str, endpoint: Endpoint) -> bool:
        request: dict[str, object] = {"text": text, "outputType": self.output_type}
        if self.thresholds:
            request["categories"] = list(self.thresholds)
        if self.blocklists:
            request |= {"blocklistNames": list(self.blocklists), "haltOnBlocklistHit": False}
        answer = await self._post(endpoint, "text:analyze", request)
        try:
            severities = {found["category"]: int(found["severity"]) for found in answer["categoriesAnalysis"]}
            severe = [category for category, threshold in self.thresholds.items() if severities[category] >= threshold]
        except (KeyError, TypeError, ValueError):
            raise BackendCallError(f"{endpoint.name} did not tell every severity") from None
        for category, threshold in self.thresholds.items():
            place = "reaches" if category in severe else "is below"
            note("{}: severity {} {} the threshold {}", category, severities[category], place, threshold)
        listed = bool(self.blocklists and answer.get("blocklistsMatch"))
        if self.blocklists:
            note("blocklists {}: {}", ", ".join(self.blocklists), "a match" if listed else "no match")
        return not severe and not listed

    async def _post(self, endpoint: Endpoint, operation: str, body: Json) -> Json:
        """Call the service, as the backend's managed identity or with its other credentials ("llm-content-safety").

        That the call's `Authorization` goes along to a backend without any is inferred.
        """
        path = f"{endpoint.path}/contentsafety/{operation}?api-version={_API_VERSION}"
        authorization = self.exchange.context.request.headers.get("Authorization")
        return await post_json(self.exchange, endpoint, path, body, authorization, purpose="content safety")


def windows(text: str, size: int, overlap: int) -> Iterator[str]:
    """Split a text into windows that overlap."""
    start = 0
    while True:
        yield text[start : start + size]
        if start + size >= len(text):
            return
        start += size - overlap


async def guarded(
    chunks: AsyncIterable[bytes], is_safe: Callable[[str], Awaitable[bool]], size: int, overlap: int
) -> AsyncIterator[bytes]:
    """Pass server-sent events on once a window of their text was found safe; stop at the first that is not."""
    held, lines, text, seen = bytearray(), Lines(), "", 0

    async def check() -> None:
        for window in windows(text, size, overlap):
            try:
                safe = await is_safe(window)
            except BackendCallError as error:
                note("content safety gave no verdict: {}", str(error))
                safe = False
            if not safe:
                note("the stream is stopped: {} characters of it may not pass", len(window))
                raise StreamStoppedError

    def event_text(line: bytes) -> str:
        try:
            return completion_text(event_object(line))
        except TooLargeError:
            raise StreamStoppedError from None

    async for chunk in chunks:
        for one in lines.add(chunk):
            held += one
            text += event_text(one)
            if len(text) >= size:
                await check()
                yield bytes(held)
                held.clear()
                text = text[-overlap:] if overlap else ""
                seen = len(text)
        if len(held) + lines.waiting > _MAX_HELD:
            raise StreamStoppedError
    line = lines.rest()
    text += event_text(line)
    if len(text) > seen:
        await check()
    yield bytes(held) + line
