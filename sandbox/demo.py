"""The demo: deploys every auth mode, calls it as callers that must be accepted or refused, and shows capabilities."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path
from time import perf_counter

from openai import APIError, APIStatusError, DefaultAsyncHttpxClient
from yarl import URL

from apim_emulator.azure import Cloud
from apim_emulator.gateway import CallRecord
from apim_emulator.pulumi.deploy import load_project
from apim_emulator.services.azure_openai import Received
from apim_emulator.services.token_client import client_credentials_form, password_form, request_token
from sandbox.applications import find_application
from sandbox.callers import BadToken, entra_tokens, provider_tokens
from sandbox.capabilities import Capability, Shown, show
from sandbox.client import Client, Credentials, new_http_client
from sandbox.modes import AUDIENCE, CHAT_MODEL, EMBEDDING_MODEL, MODES, PROVIDER, ROLE, Mode
from sandbox.outcome import Outcome
from sandbox.runtime import Sandbox

ANSWERED = "200"
BY_SERVICE = "401 from Azure OpenAI"
_NOBODY = "from the gateway"
"""Reason of a refusal by the API's own policy rather than by a validation."""

PROJECT = Path(__file__).resolve().parent.parent
"""Folder of the Pulumi program."""

_PROMPT = "Who may call you?"
_FIRST_RECOVERS = 20
"""Seconds after which the first account of a pool accepts calls again."""
_CALLER_CREDENTIALS = frozenset({"api-key", "ocp-apim-subscription-key", "subscription-key", "authorization"})
_OWN_HEADER = {"key": "api-key", "token": "authorization"}

Ask = Callable[[Client], Awaitable[bool]]
"""Makes a call and returns whether its answer is as expected. Raises `openai.APIError`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row(Outcome):
    """One call of the demo."""

    mode: str
    caller: str
    expected: str
    """Status and, for a refusal, the gateway's `context.LastError.Reason` or that it came from Azure OpenAI."""
    got: str
    milliseconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """All calls of a demo."""

    rows: Sequence[Row]
    capabilities: Sequence[Shown]
    seconds: float
    """Duration of the whole demo."""
    setup_seconds: float
    """Duration of the modes' deployments in it."""

    @property
    def failed(self) -> int:
        """Number of calls with an unexpected outcome."""
        calls: tuple[Outcome, ...] = (*self.rows, *self.capabilities)
        return sum(not call.passed for call in calls)


async def run(
    modes: Sequence[Mode] = MODES,
    capabilities: Sequence[Capability] = (),
    started: Callable[[str], None] = lambda _: None,
) -> Report:
    """Deploy each mode and each capability to its own sandbox and call it; `started` gets the name of each before."""
    project = load_project(PROJECT)
    begin = perf_counter()
    rows: list[Row] = []
    setup = 0.0
    async with new_http_client() as http:
        for mode in modes:
            started(mode.name)
            mark = perf_counter()
            calls: asyncio.Queue[CallRecord] = asyncio.Queue()
            async with Sandbox(cloud=Cloud(deployer=mode.deployer), recorder=calls.put_nowait) as sandbox:
                await sandbox.deploy(project, mode.stack_config(sandbox))
                setup += perf_counter() - mark
                rows += [row async for row in Calls(mode, sandbox, calls, http).rows()]
        shown: list[Shown] = []
        for capability in capabilities:
            started(capability.name)
            shown += [one async for one in show(project, http, capability)]
    return Report(rows=tuple(rows), capabilities=tuple(shown), seconds=perf_counter() - begin, setup_seconds=setup)


@dataclass(frozen=True, slots=True)
class _Answer:
    """The outcome of a call."""

    status: int | None
    """None: the answer was not as expected."""
    refusal: APIStatusError | None
    reason: str | None
    """`context.LastError.Reason`."""
    arrived: Sequence[Received]
    """The requests that reached Azure OpenAI."""


class Calls:
    """The calls of one mode."""

    def __init__(
        self, mode: Mode, sandbox: Sandbox, records: asyncio.Queue[CallRecord], http: DefaultAsyncHttpxClient
    ) -> None:
        """Prepare the calls to `sandbox`, whose recorder fills `records`."""
        self._mode = mode
        self._sandbox = sandbox
        self._records = records
        self._http = http

    async def rows(self) -> AsyncIterator[Row]:
        """Call as accepted callers, then as refused ones, and finally without the gateway's role.

        In between, the accounts of a pool run out of quota.
        """
        good = await self._accepted()
        name = "key" if self._mode.caller == "key" else "token"
        for what, ask in (("chat", _chat), ("streamed chat", _stream), ("embeddings", _embed)):
            yield await self._row(f"{name}, {what}", ANSWERED, good, ask)
        stray = {"Ocp-Apim-Subscription-Key": "stray"} | ({"Authorization": "Bearer stray"} if good.key else {})
        more = Credentials(key=good.key, token=good.token, headers=stray)
        yield await self._row(f"{name} and stray credentials", ANSWERED, more)
        if self._hosts():
            async for row in self._failover(name, good):
                yield row
        if (user := await self._for_user()) is not None:
            yield await self._row("token for a user, chat", ANSWERED, user)
        if self._mode.caller == "entra or jwt":
            yield await self._row("another provider's token, chat", ANSWERED, await self._of_provider())
        for what, reason, bad in self._refused():
            yield await self._row(what, f"401 {reason}", bad)
        if self._mode.credential == "token":
            self._sandbox.revoke_roles()
            yield await self._row(f"{name}, role removed", BY_SERVICE, good)

    async def _accepted(self) -> Credentials:
        sandbox, outputs = self._sandbox, self._sandbox.deployment.outputs
        if self._mode.caller == "key":
            return Credentials(key=outputs["openaiSubscriptionKey"])
        if self._mode.caller == "jwt":
            return await self._of_provider()
        client = sandbox.callers.client
        form = client_credentials_form(client.client_id, client.secrets[0], scope=outputs["openaiScopes"][-1])
        return Credentials(token=await request_token(sandbox.token_url, form))

    async def _of_provider(self) -> Credentials:
        provider = self._sandbox.providers[PROVIDER]
        form = client_credentials_form("client", provider.secret, audience=AUDIENCE)
        return Credentials(token=await request_token(provider.token_url, form))

    async def _for_user(self) -> Credentials | None:
        """Return what the client presents on behalf of a user, or None if the registration has no scopes."""
        sandbox = self._sandbox
        if "entra" not in self._mode.caller:
            return None
        scope, *applications = sandbox.deployment.outputs["openaiScopes"]
        if not applications:
            return None
        form = password_form(sandbox.callers.client, sandbox.callers.user, scope)
        return Credentials(token=await request_token(sandbox.token_url, form))

    def _refused(self) -> Iterator[tuple[str, str, Credentials]]:
        """Yield each refused caller, the reason, and its credentials."""
        sandbox = self._sandbox
        if self._mode.caller == "key":
            yield "no key", "SubscriptionKeyNotFound", Credentials()
            yield "wrong key", "SubscriptionKeyInvalid", Credentials(key="0" * 32)
            return
        key = sandbox.service.subscriptions[0].primary_key
        # Several providers validate only what names one of them.
        several = self._mode.caller == "entra or jwt"
        yield "no token", _NOBODY if several else "TokenNotPresent", Credentials()
        yield "key instead of a token", _NOBODY if several else "TokenNotPresent", Credentials(key=key)
        yield "not a token", _NOBODY if several else "JwtInvalid", Credentials(token="no-token")  # noqa: S106 - no secret
        tokens: list[BadToken] = []
        if "entra" in self._mode.caller:
            application = find_application(sandbox.cloud, sandbox.deployment.outputs["openaiAudience"])
            tokens += entra_tokens(sandbox.entra, application, sandbox.callers, ROLE) if application else []
        if "jwt" in self._mode.caller:
            tokens += provider_tokens(sandbox.providers[PROVIDER], AUDIENCE, {"roles": [ROLE]})
            reason = "TokenAudienceNotAllowed" if several else "TokenSignatureKeyNotFound"
            yield "token of Microsoft Entra ID", reason, Credentials(token=self._entra_token())
        for bad in tokens:
            nobody = several and bad.what in {"wrong tenant", "wrong issuer"}
            yield bad.what, _NOBODY if nobody else bad.reason, Credentials(token=bad.token)

    def _entra_token(self) -> str:
        """Return an Entra token with the claims that the other provider's token would have."""
        client = self._sandbox.callers.client
        return self._sandbox.entra.issue(
            AUDIENCE,
            client_id=client.client_id,
            principal_id=client.service_principal_id,
            claims={"roles": [ROLE]},
        )

    async def _failover(self, name: str, good: Credentials) -> AsyncIterator[Row]:
        """Let one account after the other run out of quota, and recover."""
        openai, hosts = self._sandbox.openai, self._hosts()
        outcome = partial(self._pool_outcome, hosts)
        openai.throttle(hosts[0], _FIRST_RECOVERS)
        yield await self._row(f"{name}, first account throttled", "200 (first 429, second 200)", good, outcome=outcome)
        yield await self._row(f"{name}, soon after", "200 (second 200)", good, outcome=outcome)
        openai.throttle(hosts[1], 2 * _FIRST_RECOVERS)
        yield await self._row(f"{name}, both throttled", "503, Retry-After (second 429)", good, outcome=outcome)
        yield await self._row(f"{name}, soon after", "503, Retry-After (none)", good, outcome=outcome)
        self._sandbox.clock.advance(_FIRST_RECOVERS)
        yield await self._row(f"{name}, after Retry-After", "200 (first 200)", good, outcome=outcome)

    def _hosts(self) -> list[str]:
        """Return the hosts of a pool's accounts in the order of their priorities, or none if there is no pool."""
        backends = {backend.id: backend for backend in self._sandbox.service.backends}
        members = next((backend.members for backend in backends.values() if backend.members), ())
        ordered = sorted(members, key=attrgetter("priority"))
        return [str(URL(backends[member.backend_id].url or "").host) for member in ordered]

    async def _row(
        self,
        caller: str,
        expected: str,
        credentials: Credentials,
        ask: Ask | None = None,
        *,
        outcome: Callable[[_Answer], str] | None = None,
    ) -> Row:
        received = self._sandbox.openai.received
        before = len(received)
        client = Client(f"{self._sandbox.url}/{self._mode.path}", credentials, self._http)
        status, refusal = None, None
        mark = perf_counter()
        try:
            status = 200 if await (ask or _chat)(client) else None
        except APIStatusError as error:
            status, refusal = error.status_code, error
        except APIError:
            status = None
        milliseconds = (perf_counter() - mark) * 1000
        record = await asyncio.wait_for(self._records.get(), timeout=10)
        answer = _Answer(status, refusal, record.error, list(received)[before:])
        got = (outcome or self._outcome)(answer)
        return Row(mode=self._mode.name, caller=caller, expected=expected, got=got, milliseconds=milliseconds)

    def _pool_outcome(self, hosts: Sequence[str], answer: _Answer) -> str:
        """Describe what the caller got and from which accounts; a refusal must say when to retry and name none."""
        numbers = dict(zip(hosts, ("first", "second"), strict=True))
        asked = ", ".join(f"{numbers[call.host]} {call.status}" for call in answer.arrived) or "none"
        if answer.refusal is None:
            return f"{answer.status} ({asked})"
        refusal = answer.refusal.response
        told = ", Retry-After" if refusal.headers.get("Retry-After", "").isdecimal() else ""
        seen = f"{refusal.reason_phrase} {dict(refusal.headers)} {refusal.text}"
        named = [backend.id for backend in self._sandbox.service.backends if backend.id in seen]
        named += [host for host in hosts if host.partition(".")[0] in seen]
        return f"{answer.status}{told} ({asked}){f', naming {named[0]}' if named else ''}"

    def _outcome(self, answer: _Answer) -> str:
        status, reason, arrived = answer.status, answer.reason, answer.arrived
        if status is None:
            return "no sensible answer"
        if status != 200 and reason is None:
            return f"{status} from {'Azure OpenAI' if arrived else 'the gateway'}"
        if status != 200:
            return f"{status} {reason}{', but it reached Azure OpenAI' if arrived else ''}"
        if len(arrived) != 1:
            return f"{status}, with {len(arrived)} calls of Azure OpenAI"
        call = arrived[0]
        leaked = (_CALLER_CREDENTIALS - {_OWN_HEADER[self._mode.credential]}) & (call.headers | call.query.keys())
        if leaked:
            return f"{status}, but the caller's {', '.join(sorted(leaked))} reached Azure OpenAI"
        identities = {identity.principal_id for identity in self._sandbox.service.identities}
        if call.credential != self._mode.credential or not {call.principal_id} <= identities | {None}:
            return f"{status}, but Azure OpenAI was not called with the gateway's {self._mode.credential}"
        return f"{status}"


async def _chat(client: Client) -> bool:
    return _PROMPT in await client.chat(CHAT_MODEL, _PROMPT)


async def _stream(client: Client) -> bool:
    pieces = [piece async for piece in client.stream(CHAT_MODEL, _PROMPT)]
    return len(pieces) > 1 and _PROMPT in "".join(pieces)


async def _embed(client: Client) -> bool:
    return len(await client.embed(EMBEDDING_MODEL, _PROMPT)) > 1
