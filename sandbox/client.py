"""The OpenAI client that callers of the gateway use."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from openai import APIStatusError, AsyncAzureOpenAI, AsyncOpenAI, DefaultAsyncHttpxClient, Omit

from apim_emulator.cli.instructions import API_VERSION


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """What a caller presents, which may be nothing."""

    key: str | None = field(default=None, repr=False)
    """Subscription key, in the header `api-key`."""
    token: str | None = field(default=None, repr=False)
    """Access token, in the header `Authorization`."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Additional headers."""


def new_http_client() -> DefaultAsyncHttpxClient:
    """Return an HTTP client for `Client`, which ignores any proxy in the environment."""
    return DefaultAsyncHttpxClient(trust_env=False)


class Client:
    """One caller's OpenAI client for an API, without retries and without settings from the environment.

    Each call raises `openai.APIError`, or its subclass `APIStatusError` if it is refused.
    """

    def __init__(self, api_url: str, credentials: Credentials, http_client: DefaultAsyncHttpxClient) -> None:
        """Create a client for the API at `api_url`: the v1 API if that ends in `/openai/v1`, else the dated one."""
        self._headers: dict[str, Any] = dict(credentials.headers)
        self._openai: AsyncOpenAI
        if api_url.endswith("/openai/v1"):
            self._headers["api-key"] = credentials.key or Omit()
            if credentials.token is None:
                self._headers.setdefault("Authorization", Omit())
            self._openai = AsyncOpenAI(
                base_url=api_url, api_key=credentials.token or "none", http_client=http_client, max_retries=0
            )
            return
        login: dict[str, Any] = {"api_key": credentials.key or "none"}
        if credentials.token is not None:
            login = {"azure_ad_token": credentials.token}
            if credentials.key is not None:
                self._headers["api-key"] = credentials.key
        elif credentials.key is None:
            self._headers["api-key"] = Omit()
        self._openai = AsyncAzureOpenAI(
            base_url=api_url, api_version=API_VERSION, http_client=http_client, max_retries=0, **login
        )

    async def chat(self, model: str, prompt: str) -> str:
        """Send a prompt and return the answer."""
        completion = await self._openai.chat.completions.create(
            model=model, messages=[{"role": "user", "content": prompt}], extra_headers=self._headers
        )
        return completion.choices[0].message.content or ""

    async def stream(self, model: str, prompt: str) -> AsyncIterator[str]:
        """Send a prompt and yield the answer piece by piece."""
        chunks = await self._openai.chat.completions.create(
            model=model, messages=[{"role": "user", "content": prompt}], stream=True, extra_headers=self._headers
        )
        async for chunk in chunks:
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content

    async def embed(self, model: str, text: str) -> list[float]:
        """Return the embedding of a text."""
        answer = await self._openai.embeddings.create(model=model, input=text, extra_headers=self._headers)
        return answer.data[0].embedding


def refusal(error: APIStatusError) -> str:
    """Return the message of a refused call, from API Management or Azure OpenAI, or else the reason phrase."""
    message = error.body.get("message") if isinstance(error.body, Mapping) else None
    return message if isinstance(message, str) else error.response.reason_phrase
