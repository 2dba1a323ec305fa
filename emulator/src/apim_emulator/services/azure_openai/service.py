"""The service: all Azure OpenAI accounts behind one listener."""

import asyncio
import json
import re
import uuid
from array import array
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from math import ceil

from aiohttp import web

from apim_emulator.clock import Clock
from apim_emulator.model import Account, ControlPlane
from apim_emulator.services.azure_openai.authentication import Credential, authenticate, authorize, credential
from apim_emulator.services.azure_openai.exceptions import (
    AzureOpenAIError,
    public_access_disabled,
    resource_not_found,
    throttled,
    too_deep,
    version_not_supported,
)
from apim_emulator.services.azure_openai.generation import Answer, Stream
from apim_emulator.services.azure_openai.operations import OPERATIONS, V1, Call, Operation, refuse_unoffered
from apim_emulator.services.azure_openai.responses import ResponseStore
from apim_emulator.services.entra import Entra

API_VERSIONS = frozenset(
    {
        "2022-12-01",
        "2023-05-15",
        "2024-02-01",
        "2024-06-01",
        "2024-10-21",
        "2024-02-15-preview",
        "2024-03-01-preview",
        "2024-04-01-preview",
        "2024-05-01-preview",
        "2024-07-01-preview",
        "2024-08-01-preview",
        "2024-09-01-preview",
        "2024-10-01-preview",
        "2024-12-01-preview",
        "2025-01-01-preview",
        "2025-02-01-preview",
        "2025-03-01-preview",
        "2025-04-01-preview",
    }
)
"""Values of `api-version` that the dated API serves; any other is an unknown resource."""

V1_API_VERSIONS = frozenset({"v1", "preview"})
"""Values of `api-version` that the v1 API serves, `v1` if there is none (`AzureAIFoundryModelsApiVersion`)."""

REMEMBERED = 1000
"""Requests that `AzureOpenAI.received` holds, the latest ones."""

_AT_ONCE = 1024 * 1024
"""Bytes of an answer that may be joined and written at once, since nobody else is served meanwhile."""

MAX_BODY = 16 * 1024 * 1024
"""Bytes of a request body; images travel in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """A request that reached the service, without any credential's value."""

    host: str
    method: str
    path: str
    query: Mapping[str, str] = field(repr=False)
    """May hold a key, where a gateway forwards one that it got in the query."""
    headers: frozenset[str]
    """Names, in lower case."""
    credential: Credential | None
    """Credential that decided, whether it was accepted or not."""
    principal_id: str | None
    """Object ID in an accepted token."""
    content: bytes = field(repr=False)
    """The body as it arrived."""
    status: int

    @property
    def body(self) -> object:
        """JSON body, None where there is none or it is not JSON."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None


class AzureOpenAI:
    """Azure OpenAI for all accounts of a control plane; the `Host` header selects the account.

    Each serves the dated API and the v1 API, whatever its kind. Paths, parameters and answers follow the
    "Azure OpenAI REST API reference". Answers are deterministic.
    """

    app: web.Application
    """Serves every account's host to callers on the internet."""
    private_app: web.Application
    """Serves them to callers who come through a private endpoint."""
    received: deque[Received]
    """Latest requests, refused ones too; oldest first."""

    def __init__(self, control_plane: ControlPlane, entra: Entra, clock: Clock) -> None:
        """Ask the control plane anew on each request, and check tokens with `entra`'s keys."""
        self._control_plane = control_plane
        self._entra = entra
        self._clock = clock
        self.received = deque(maxlen=REMEMBERED)
        self._throttled: dict[str, float] = {}
        self._responses = ResponseStore()
        # One thread, since responses are state.
        self._models = ThreadPoolExecutor(1, "azure-openai")
        self.app = self._application(private=False)
        self.private_app = self._application(private=True)

    def _application(self, *, private: bool) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY)
        for operation in OPERATIONS:
            path = re.sub(r"\{.*?\}", "{name}", operation.path)
            app.router.add_route(operation.method, path, partial(self._serve, operation, private))
        app.router.add_route("*", "/{rest:.*}", partial(self._serve, None, private))
        return app

    def throttle(self, host: str, seconds: float) -> None:
        """Let the account at a host refuse all calls of its models from now on, as if its quota were spent.

        It is over after `seconds` of the emulator's clock.
        """
        self._throttled[host.lower()] = self._clock.now() + seconds

    async def _serve(self, operation: Operation | None, private: bool, request: web.Request) -> web.StreamResponse:
        content = await request.read()
        principal_id = None
        status = 200
        more: Mapping[str, str] = {}
        answer: Answer
        try:
            account = self._account(request.host)
            if not (private or account.public_access):
                raise public_access_disabled()
            principal_id = authenticate(request.headers, account, self._entra, bearer_keys=_is_v1(request))
            version = _api_version(request)
            if operation is None:
                refuse_unoffered(request.method, request.path)
                raise resource_not_found()
            if principal_id is not None:
                described = f"{operation.method} {operation.path}"
                authorize(self._control_plane, principal_id, account, operation.action, described)
            self._take_quota(account, operation, version)
            call = Call(
                account,
                request.match_info.get("name", ""),
                content,
                request.query,
                int(self._clock.now()),
                self._responses,
            )
            # The gateway may share the event loop, and nobody's calls wait for a model.
            answer, pieces = await asyncio.get_running_loop().run_in_executor(self._models, _answer, operation, call)
        except (AzureOpenAIError, RecursionError) as error:
            refusal = error if isinstance(error, AzureOpenAIError) else too_deep()
            status, answer, more = refusal.status, refusal.body, refusal.headers
            pieces = _encode(answer)
        self.received.append(_record(request, content, principal_id, status))
        headers = {**_headers(request, status), **more}
        return await _send(request, status, headers, pieces, streamed=isinstance(answer, Stream))

    def _take_quota(self, account: Account, operation: Operation, api_version: str) -> None:
        left = self._throttled.get(account.host.lower(), 0.0) - self._clock.now()
        if operation.throttled and left > 0:
            raise throttled(operation.throttled, api_version, ceil(left))

    def _account(self, host: str) -> Account:
        """Account that a `Host` header names, with or without a port."""
        names = {host.lower(), host.lower().partition(":")[0]}
        for account in self._control_plane.accounts():
            if account.host.lower() in names:
                return account
        raise resource_not_found()


def _is_v1(request: web.Request) -> bool:
    return request.path.startswith(f"{V1}/")


def _api_version(request: web.Request) -> str:
    if not _is_v1(request):
        version = request.query.get("api-version", "")
        if version not in API_VERSIONS:
            raise resource_not_found()
        return version
    version = request.query.get("api-version", "v1")
    if version not in V1_API_VERSIONS:
        raise version_not_supported()
    return version


def _answer(operation: Operation, call: Call) -> tuple[Answer, list[bytes]]:
    answer = operation.answer(call)
    return answer, _encode(answer)


def _record(request: web.Request, content: bytes, principal_id: str | None, status: int) -> Received:
    return Received(
        host=request.host,
        method=request.method,
        path=request.path,
        query=dict(request.query),
        headers=frozenset(name.lower() for name in request.headers),
        credential=credential(request.headers, bearer_keys=_is_v1(request)),
        principal_id=principal_id,
        content=content,
        status=status,
    )


def _encode(answer: Answer) -> list[bytes]:
    """Body of an answer, or the events of a stream."""
    if not isinstance(answer, Stream):
        return list(_json(answer))
    names = (f"event: {event['type']}\n" if answer.typed else "" for event in answer.events)
    events = [f"{name}data: {json.dumps(event)}\n\n" for name, event in zip(names, answer.events, strict=True)]
    return [event.encode() for event in (events if answer.typed else [*events, "data: [DONE]\n\n"])]


def _json(answer: Mapping[str, object]) -> Iterator[bytes]:
    """Write an answer, the items of its lists one by one: to write it at once keeps every other thread waiting."""
    between = "{"
    for name, value in answer.items():
        yield f"{between}{json.dumps(name)}: ".encode()
        if isinstance(value, list):
            for number, item in enumerate(value):
                yield f"{', ' if number else '['}{json.dumps(item, default=array.tolist)}".encode()
            yield b"]" if value else b"[]"
        else:
            yield json.dumps(value).encode()
        between = ", "
    yield b"}" if answer else b"{}"


async def _send(
    request: web.Request, status: int, headers: Mapping[str, str], pieces: Sequence[bytes], *, streamed: bool
) -> web.StreamResponse:
    size = sum(map(len, pieces))
    if not streamed and size <= _AT_ONCE:
        return web.Response(
            body=b"".join(pieces), status=status, headers=headers, content_type="application/json", charset="utf-8"
        )
    if streamed:
        more = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
    else:
        more = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(size)}
    response = web.StreamResponse(status=status, headers={**headers, **more})
    await response.prepare(request)
    for piece in pieces:
        await response.write(piece)
    await response.write_eof()
    return response


def _headers(request: web.Request, status: int) -> dict[str, str]:
    """Headers that the service adds; region and what remains of the rate limit are made up."""
    headers = {
        "apim-request-id": str(uuid.uuid4()),
        "x-ms-region": "Sweden Central",
        "x-content-type-options": "nosniff",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
    }
    if "x-ms-client-request-id" in request.headers:
        headers["x-ms-client-request-id"] = request.headers["x-ms-client-request-id"]
    if status == 200:
        headers |= {"x-ratelimit-remaining-requests": "99", "x-ratelimit-remaining-tokens": "99000"}
    return headers
