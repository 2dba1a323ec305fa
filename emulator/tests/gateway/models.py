"""Model backends for tests: they answer with the tokens and texts that a test asks for."""

import json
from typing import Any

from aiohttp import web

from emulator.tests.gateway.harness import Handler

CHAT_URL = "/api/deployments/chat/chat/completions"
HELLO = {"messages": [{"role": "user", "content": "Hello"}]}
HELLO_TOKENS = 8
"""Estimate of `HELLO`: 2 for the text, 3 for the message, 3 for the answer's beginning."""


def chat(prompt: int = 0, completion: int = 0, text: str = "Hi", status: int = 200) -> Handler:
    """Answer a chat with a usage."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        return web.json_response({"choices": [{"message": {"content": text}}], "usage": usage}, status=status)

    return answer


def stream(*texts: str, usage: tuple[int, int] | None = None) -> Handler:
    """Answer with a stream of events, one for each text, and perhaps one with the usage."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for part in texts:
            await response.write(event({"choices": [{"delta": {"content": part}}], "usage": None}))
        if usage is not None:
            counts = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
            await response.write(event({"choices": [], "usage": counts}))
        await response.write(b"data: [DONE]\n\n")
        return response

    return answer


def event(content: dict[str, Any]) -> bytes:
    """Write a server-sent event."""
    return f"data: {json.dumps(content)}\n\n".encode()
