"""OpenID Connect providers: their metadata and keys, fetched over HTTP and cached."""

import asyncio
from contextlib import closing
from dataclasses import dataclass

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from apim_emulator.clock import Clock
from apim_emulator.gateway.http.transport import Transport
from apim_emulator.gateway.tokens.jwks import SigningKey, from_jwks
from apim_emulator.gateway.tokens.strict import strict_json
from apim_emulator.gateway.witness import Sending, note
from apim_emulator.network import HostRefusedError

CACHE_SECONDS = 3600
"""How long metadata and keys are used (validate-jwt: every hour)."""
RETRY_SECONDS = 300
"""Shortest time between fetches for an unknown key or after a failed one (validate-jwt: 5 minutes)."""

_MAX_DOCUMENT = 1_048_576
_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a provider says of itself."""

    issuer: str
    keys: tuple[SigningKey, ...]


class OpenIdProvider:
    """One OpenID configuration endpoint."""

    def __init__(self, url: URL, transport: Transport, clock: Clock) -> None:
        """Fetch nothing yet."""
        self._url = url
        self._transport = transport
        self._clock = clock
        self._metadata: Metadata | None = None
        self._fetched = float("-inf")
        self._attempted = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def metadata(self, key_id: str | None) -> Metadata | None:
        """Return the metadata, refreshed for a key ID that it lacks; None while the provider cannot be asked.

        One fetch serves all calls that need it and goes on when they are gone; whoever finds the key waits for none.
        """
        if self._is_known(key_id):
            return self._fresh()
        if self._is_idle() and self._clock.now() - self._attempted >= RETRY_SECONDS:
            self._fetching = asyncio.create_task(self._refresh())
        elif not self._is_idle():
            note("waits for keys of {} that another call asks for", str(self._url))
        if self._fetching is not None and not self._is_idle():
            await asyncio.shield(self._fetching)
        return self._fresh()

    def _is_idle(self) -> bool:
        return self._fetching is None or self._fetching.done()

    def _fresh(self) -> Metadata | None:
        return self._metadata if self._clock.now() - self._fetched < CACHE_SECONDS else None

    def _is_known(self, key_id: str | None) -> bool:
        fresh = self._fresh()
        return fresh is not None and (key_id is None or any(key.key_id == key_id for key in fresh.keys))

    async def _refresh(self) -> None:
        now = self._attempted = self._clock.now()
        found = await self._fetch()
        if found is not None:
            self._metadata, self._fetched = found, now

    async def _fetch(self) -> Metadata | None:
        try:
            document = await self._get(self._url)
            if not isinstance(document, dict):
                return None
            issuer, keys_url = document.get("issuer"), document.get("jwks_uri")
            if not isinstance(issuer, str) or not isinstance(keys_url, str):
                return None
            return Metadata(issuer, tuple(from_jwks(await self._get(URL(keys_url)), issuer)))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, HostRefusedError):
            return None

    async def _get(self, url: URL) -> object:
        headers = CIMultiDict({"Host": url.authority, "Accept": "application/json"})
        data = bytearray()
        purpose = "openid-config" if url == self._url else "keys"
        with Sending(purpose, "GET", url) as sending:
            async with asyncio.timeout(_SECONDS):
                response = await self._transport.send("GET", url, headers, None)
                sending.answered(response.status)
                with closing(response):
                    async for chunk in response.content.iter_any():
                        data += chunk
                        if len(data) > _MAX_DOCUMENT:
                            break
        if response.status != 200 or len(data) > _MAX_DOCUMENT:
            raise ValueError("no document")
        return strict_json(bytes(data))


_MOST = 256
"""How many providers are remembered: an expression may name another in each call."""


class OpenIdProviders:
    """The providers of all policies, one for each URL."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        """Start without any."""
        self._providers: dict[str, OpenIdProvider] = {}
        self._transport = transport
        self._clock = clock

    def get(self, url: str) -> OpenIdProvider:
        """Return the provider of a configuration URL that a policy names."""
        found = self._providers.pop(url, None) or OpenIdProvider(URL(url), self._transport, self._clock)
        self._providers[url] = found
        if len(self._providers) > _MOST:
            del self._providers[next(iter(self._providers))]
        return found
