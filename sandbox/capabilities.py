"""What the gateway does beside authenticating: each capability's config, and calls that show it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from openai import APIStatusError, AsyncAzureOpenAI, AsyncOpenAI, DefaultAsyncHttpxClient
from yarl import URL

from apim_emulator.cli.instructions import API_VERSION
from apim_emulator.clock import Clock
from apim_emulator.gateway import CallRecord
from apim_emulator.pulumi.deploy import Project
from sandbox.modes import CHAT_MODEL, EMBEDDING_MODEL, Config
from sandbox.outcome import Outcome
from sandbox.runtime import Sandbox

_SMALL_MODEL = "gpt-5.4-mini"
_PROMPT: Any = [{"role": "user", "content": "Say hello."}]
_HARMFUL: Any = [{"role": "user", "content": "trigger-hate-4"}]
"""What the stand-in for Azure AI Content Safety takes for hate of severity 4."""
_QUESTION = "Where is the office?"
_REWORDED = "The office is where?"
"""The same words, by which the stand-in's embeddings measure what texts mean."""
_CHAT = {"name": CHAT_MODEL, "model": CHAT_MODEL}
_SMALL = {"name": _SMALL_MODEL, "model": _SMALL_MODEL}
_EMBEDDING = {"name": EMBEDDING_MODEL, "model": EMBEDDING_MODEL}


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown(Outcome):
    """One call, and what came of it."""

    capability: str
    config: str
    """The config that matters, as YAML's flow style writes it."""
    call: str
    expected: str
    got: str
    milliseconds: float


class Caller:
    """A subscriber of the deployed API, with clients for both surfaces."""

    made: str
    """ID of the response that it made."""

    def __init__(
        self, sandbox: Sandbox, calls: list[CallRecord], http: DefaultAsyncHttpxClient, path: str, key: str
    ) -> None:
        """Call the only API of the sandbox, whose recorder fills `calls`, with a subscription's key."""
        self.sandbox = sandbox
        self.calls = calls
        self._http = http
        self.use(key, path)
        self.other = self
        """Another subscriber."""

    def use(self, key: str, path: str) -> None:
        """Call with another key, or another API, from now on."""
        url, http = f"{self.sandbox.url}/{path}", self._http
        self.dated = AsyncAzureOpenAI(
            base_url=url, api_key=key, api_version=API_VERSION, http_client=http, max_retries=0
        )
        self.v1 = AsyncOpenAI(base_url=url, api_key=key, http_client=http, max_retries=0)

    async def chat(self, model: str = CHAT_MODEL, **more: Any) -> Any:
        """Send a prompt; returns the raw response."""
        return await self.dated.chat.completions.with_raw_response.create(model=model, messages=_PROMPT, **more)

    def last_account(self) -> str:
        """Return the host of the account that answered the last call."""
        return self.sandbox.openai.received[-1].host


Ask = Callable[[Caller], Awaitable[str]]
"""Makes one call and returns what came of it. Raises `openai.APIStatusError` if it is refused."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Capability:
    """A capability, the config that turns it on, and calls that show it."""

    name: str
    shown: str
    """The config that matters, for people."""
    steps: tuple[tuple[str, str, Ask], ...]
    """Each call, its expected outcome, and how it is made."""
    api: Config
    """What the API's entry in `apis` has."""
    openai: Config | None = None
    path: str = "openai"
    more: Config | None = None
    """Further keys of the config."""

    def stack_config(self) -> dict[str, Any]:
        """Return the whole config, with full keys."""
        more = dict(self.more or {})
        return {
            "azure-native:location": "swedencentral",
            "openai-gateway:gateway": {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com"},
            "openai-gateway:openai": self.openai or {"deployments": [_CHAT, _SMALL, _EMBEDDING]},
            "openai-gateway:apis": [{"name": "openai", "path": self.path, **self.api}, *(more.pop("apis", []))],
            **{f"openai-gateway:{key}": value for key, value in more.items()},
        }


async def show(project: Project, http: DefaultAsyncHttpxClient, capability: Capability) -> AsyncIterator[Shown]:
    """Deploy a capability to a sandbox of its own, and make its calls in order."""
    calls: list[CallRecord] = []
    async with Sandbox(clock=Clock(1_700_000_000), recorder=calls.append) as sandbox:
        await sandbox.deploy(project, capability.stack_config())
        keys = sandbox.deployment.outputs["openaiSubscriptionKey"], _add_subscription(sandbox)
        caller, caller.other = (Caller(sandbox, calls, http, capability.path, key) for key in keys)
        for what, expected, ask in capability.steps:
            mark = perf_counter()
            try:
                got = await ask(caller)
            except APIStatusError as error:
                got = _refused(error)
            yield Shown(
                capability=capability.name,
                config=capability.shown,
                call=what,
                expected=expected,
                got=got,
                milliseconds=(perf_counter() - mark) * 1000,
            )


def _add_subscription(sandbox: Sandbox) -> str:
    """Add a subscription to the deployed API, as its owner does for another team, and return its key."""
    api = next(entry for entry in sandbox.deployment.registrations if entry.type.endswith(":Api"))
    place = {name: api.inputs[name] for name in ("resourceGroupName", "serviceName")}
    inputs = {**place, "sid": "another-team", "displayName": "Another team", "scope": api.id, "state": "active"}
    sandbox.cloud.create("azure-native:apimanagement:Subscription", "another-team", inputs)
    sandbox.gateway.load(sandbox.service)
    function = "azure-native:apimanagement:listSubscriptionSecrets"
    return str(sandbox.cloud.invoke(function, {**place, "sid": "another-team"})["primaryKey"])


def _refused(error: APIStatusError) -> str:
    """Describe a refusal: status, code if there is one, and whether it says when to try again."""
    code = f" {error.code}" if isinstance(error.code, str) else ""
    told = ", Retry-After" if error.response.headers.get("Retry-After", "").isdecimal() else ""
    return f"{error.status_code}{code}{told}"


async def _status(caller: Caller) -> str:
    return str((await caller.chat()).status_code)


def _answered_by(model: str) -> Ask:
    async def ask(caller: Caller) -> str:
        answer = await caller.chat(model)
        return f"{answer.status_code} from {answer.parse().model.partition('-20')[0]}"

    return ask


def _left(header: str) -> Ask:
    async def ask(caller: Caller) -> str:
        answer = await caller.chat()
        return f"{answer.status_code}, {answer.headers.get(header)} left"

    return ask


def _as_team(team: str, model: str = CHAT_MODEL, path: str = "openai") -> Ask:
    async def ask(caller: Caller) -> str:
        caller.use(caller.sandbox.deployment.outputs[f"{team}PrimaryKeys"]["default"], path)
        return str((await caller.chat(model)).status_code)

    return ask


async def _harm(caller: Caller) -> str:
    await caller.dated.chat.completions.create(model=CHAT_MODEL, messages=_HARMFUL)
    return "200"


async def _embed(caller: Caller) -> str:
    await caller.dated.embeddings.create(model=EMBEDDING_MODEL, input="hello")
    return "200"


def _with_region(ask: Ask) -> Ask:
    """Also tell the region of the account that answered, which its backend is called after."""

    async def told(caller: Caller) -> str:
        status = await ask(caller)
        host = caller.last_account()
        # An account may have a second backend, whose name goes on after the region.
        backend = min((one.id for one in caller.sandbox.service.backends if host in (one.url or "")), key=len)
        return f"{status} from {backend.rpartition('-')[2]}"

    return told


def _without_quota(ask: Ask) -> Ask:
    """Let the account that answered last run out of quota before the call."""

    async def asked(caller: Caller) -> str:
        caller.sandbox.openai.throttle(caller.last_account(), 60)
        return await ask(caller)

    return asked


async def _reported(caller: Caller) -> str:
    """Also tell whether the call was reported as one beyond an amount in shadow."""
    status = await _status(caller)
    names = {metric.name for metric in caller.calls[-1].metrics}
    return f"{status}, reported" if "Calls beyond a shadow limit" in names else status


async def _metrics(caller: Caller) -> str:
    """Also tell the metrics that the call sent, and by what they can be split."""
    status = await _status(caller)
    sent = caller.calls[-1].metrics
    return f"{status}: {', '.join(sorted(metric.name for metric in sent))} by {', '.join(sent[0].dimensions)}"


async def _straight_to_account(caller: Caller) -> str:
    """Call the account that answered last as everybody on the internet can."""
    host = caller.last_account()
    url = caller.sandbox.network.target(URL(f"https://{host}/openai"))
    outside = AsyncAzureOpenAI(
        base_url=str(url), api_key="any", api_version=API_VERSION, default_headers={"Host": host}, max_retries=0
    )
    async with outside:
        await outside.chat.completions.create(model=CHAT_MODEL, messages=_PROMPT)
    return "200"


async def _recorded(caller: Caller) -> str:
    """Also tell what Application Insights has of the call: its outcome, and its tokens by what they can be split by."""
    status = await _status(caller)
    request, tokens = (caller.sandbox.telemetry.table(name) for name in ("AppRequests", "AppMetrics"))
    total = next(row for row in reversed(tokens) if row["Name"] == "Total Tokens")
    split = total["Properties"]
    by = ", ".join(split[name] for name in ("API ID", "Subscription ID", "Model"))
    return f"{status}, recorded: {request[-1]['ResultCode']}, {total['Sum']:.0f} tokens by {by}"


async def _content(caller: Caller) -> str:
    """Also tell what the gateway's logs have of the prompt and the answer."""
    status = await _status(caller)
    rows = caller.sandbox.telemetry.table("ApiManagementGatewayLlmLog")
    last = [row for row in rows if row["CorrelationId"] == rows[-1]["CorrelationId"]]
    kept = [text for row in last for text in (row["RequestMessages"], row["ResponseMessages"]) if text is not None]
    sizes = [len(text if isinstance(text, str) else json.dumps(text, separators=(",", ":"))) for text in kept]
    return f"{status}, logged: {f'{max(sizes)} bytes at most' if sizes else 'neither prompt nor answer'}"


async def _usage(caller: Caller) -> str:
    stream = await caller.dated.chat.completions.create(model=CHAT_MODEL, messages=_PROMPT, stream=True)
    chunks = [chunk async for chunk in stream]
    return "200, with usage" if chunks[-1].usage is not None else "200"


async def _respond(caller: Caller) -> str:
    first = await caller.v1.responses.create(model=CHAT_MODEL, input="Say hello.")
    more = await caller.v1.responses.create(model=CHAT_MODEL, input="Again.", previous_response_id=first.id)
    return f"200, {more.status}"


def _source(caller: Caller) -> str:
    """Tell whether the model or the cache answered the last call."""
    return f"200 from the {'model' if caller.calls[-1].backend_called else 'cache'}"


def _asked(prompt: str) -> Ask:
    async def ask(caller: Caller) -> str:
        await caller.dated.chat.completions.create(model=CHAT_MODEL, messages=[{"role": "user", "content": prompt}])
        return _source(caller)

    return ask


def _streamed(prompt: str) -> Ask:
    async def ask(caller: Caller) -> str:
        messages: Any = [{"role": "user", "content": prompt}]
        stream = await caller.dated.chat.completions.create(model=CHAT_MODEL, messages=messages, stream=True)
        assert [chunk async for chunk in stream]  # noqa: S101  # a stream has chunks
        return _source(caller)

    return ask


def _by_another(ask: Ask) -> Ask:
    return lambda caller: ask(caller.other)


async def _make_response(caller: Caller) -> str:
    caller.made = caller.other.made = (await caller.v1.responses.create(model=CHAT_MODEL, input="Say hello.")).id
    return "200"


async def _show_response(caller: Caller) -> str:
    found = await caller.v1.responses.retrieve(caller.made)
    return f"200, {found.status}"


async def _continue_response(caller: Caller) -> str:
    await caller.v1.responses.create(model=CHAT_MODEL, input="Again.", previous_response_id=caller.made)
    return "200"


async def _models(caller: Caller) -> str:
    found = [model.id async for model in caller.v1.models.list()]
    return "200" if found else "200, no models"


CAPABILITIES = (
    Capability(
        name="models and aliases",
        shown="models: [gpt-5.6-luna, {name: fast, deployment: gpt-5.4-mini}]",
        api={"models": [CHAT_MODEL, {"name": "fast", "deployment": _SMALL_MODEL}]},
        steps=(
            ("a listed model", f"200 from {CHAT_MODEL}", _answered_by(CHAT_MODEL)),
            ("an alias", f"200 from {_SMALL_MODEL}", _answered_by("fast")),
            ("a model that is not listed", "403 model_not_found", _answered_by(_SMALL_MODEL)),
        ),
    ),
    Capability(
        name="accounts with different models",
        shown="accounts: [{deployments: [A]}, {deployments: [A, B]}]",
        api={},
        openai={
            "accounts": [
                {"location": "swedencentral", "priority": 1, "deployments": [_CHAT]},
                {"location": "francecentral", "priority": 2, "deployments": [_CHAT, _EMBEDDING]},
            ],
        },
        steps=(
            ("a model of both", "200 from swedencentral", _with_region(_status)),
            ("a model of the second alone", "200 from francecentral", _with_region(_embed)),
            ("a model of neither", "404 DeploymentNotFound", _answered_by("gpt-4")),
        ),
    ),
    Capability(
        name="failover",
        shown="accounts: [{priority: 1}, {priority: 2}]",
        api={},
        openai={
            "accounts": [
                {"location": "swedencentral", "priority": 1},
                {"location": "francecentral", "priority": 2},
            ],
            "deployments": [_CHAT],
        },
        steps=(
            ("a call", "200 from swedencentral", _with_region(_status)),
            ("the first account has no quota", "200 from francecentral", _without_quota(_with_region(_status))),
            ("no account has quota", "503 NoCapacity, Retry-After", _without_quota(_status)),
        ),
    ),
    Capability(
        name="requests per minute",
        shown="limits: [{per: subscription, requestsPerMinute: 2}]",
        api={"limits": [{"per": "subscription", "requestsPerMinute": 2}]},
        steps=(
            ("the first call", "200, 1 left", _left("x-ratelimit-remaining-subscription-requests")),
            ("the second call", "200, 0 left", _left("x-ratelimit-remaining-subscription-requests")),
            ("the third call", "429, Retry-After", _status),
        ),
    ),
    Capability(
        name="token quota",
        shown="limits: [{per: api, tokenQuota: 1, tokenQuotaPeriod: Daily}]",
        api={"limits": [{"per": "api", "tokenQuota": 1, "tokenQuotaPeriod": "Daily"}]},
        steps=(
            ("a call that uses it up", "200", _status),
            ("the next call", "403, Retry-After", _status),
        ),
    ),
    Capability(
        name="a limit in shadow",
        shown="limits: [{per: subscription, tokensPerMinute: 1, shadow: true}]",
        api={"limits": [{"per": "subscription", "tokensPerMinute": 1, "shadow": True}]},
        steps=(
            ("a call that uses it up", "200", _reported),
            ("the next call", "200, reported", _reported),
        ),
    ),
    Capability(
        name="teams",
        shown="teams: [{name: one, apis: [openai], models: [gpt-5.6-luna], limits: [...]}, {name: two, apis: [other]}]",
        api={},
        more={
            "apis": [{"name": "other", "path": "other/openai"}],
            "teams": [
                {
                    "name": "one",
                    "apis": ["openai"],
                    "models": [CHAT_MODEL],
                    "limits": [{"per": "product", "requestsPerMinute": 2}],
                },
                {"name": "two", "apis": ["other"]},
            ],
        },
        steps=(
            ("the first team, on its API", "200", _as_team("one")),
            ("the first team, another model", "403 model_not_found", _as_team("one", _SMALL_MODEL)),
            ("the first team, the second team's API", "401", _as_team("one", path="other/openai")),
            ("the second team, on its API", "200", _as_team("two", path="other/openai")),
            ("the second team, the first team's API", "401", _as_team("two")),
            ("the first team, its second call", "200", _as_team("one")),
            ("the first team, its third call", "429, Retry-After", _as_team("one")),
            ("the second team all the same", "200", _as_team("two", _SMALL_MODEL, "other/openai")),
        ),
    ),
    Capability(
        name="metrics of tokens",
        shown="metrics: {namespace: openai, dimensions: {API ID: api, Key: subscription}}",
        api={"metrics": {"namespace": "openai", "dimensions": {"API ID": "api", "Key": "subscription"}}},
        steps=(("a call", "200: Completion Tokens, Prompt Tokens, Total Tokens by API ID, Key", _metrics),),
    ),
    Capability(
        name="usage in streams",
        shown="includeUsage: true",
        api={"includeUsage": True},
        steps=(("a stream", "200, with usage", _usage),),
    ),
    Capability(
        name="observability",
        shown="observability: {appInsights: create}",
        api={},
        more={"observability": {"appInsights": "create"}},
        steps=(
            (
                "a call",
                f"200, recorded: 200, 14 tokens by openai, openai-callers, {CHAT_MODEL}",
                _recorded,
            ),
            (
                "another subscription's call",
                f"200, recorded: 200, 14 tokens by openai, another-team, {CHAT_MODEL}",
                _by_another(_recorded),
            ),
            ("a call's content", "200, logged: neither prompt nor answer", _content),
        ),
    ),
    Capability(
        name="prompts in logs",
        shown="observability: {prompts: {maxBytes: 40, retentionDays: 30}}",
        api={},
        more={"observability": {"prompts": {"maxBytes": 40, "retentionDays": 30}}},
        steps=(("a call's content", "200, logged: 40 bytes at most", _content),),
    ),
    Capability(
        name="content safety",
        shown="safety: {categories: {Hate: 4}}",
        api={"safety": {"categories": {"Hate": 4}}},
        steps=(("a harmless prompt", "200", _status), ("a harmful prompt", "403", _harm)),
    ),
    Capability(
        name="semantic cache",
        shown=f"cache: {{scoreThreshold: 0.05, duration: 60, embeddings: {EMBEDDING_MODEL}, varyBy: subscription}}",
        api={
            "cache": {
                "scoreThreshold": 0.05,
                "duration": 60,
                "embeddings": EMBEDDING_MODEL,
                "varyBy": "subscription",
            }
        },
        steps=(
            ("a question", "200 from the model", _asked(_QUESTION)),
            ("the question in other words", "200 from the cache", _asked(_REWORDED)),
            ("the question from another subscription", "200 from the model", _by_another(_asked(_QUESTION))),
            ("the question in a stream", "200 from the model", _streamed(_QUESTION)),
            ("another question", "200 from the model", _asked("Who works there?")),
        ),
    ),
    Capability(
        name="responses that belong to their caller",
        shown="surface: v1, ownResponses: true",
        api={"surface": "v1", "ownResponses": True, "bearerKeys": True},
        path="openai/v1",
        steps=(
            ("a response", "200", _make_response),
            ("shown to another subscription", "404", _by_another(_show_response)),
            ("continued by another subscription", "404", _by_another(_continue_response)),
            ("shown to its caller", "200, completed", _show_response),
        ),
    ),
    Capability(
        name="private network",
        shown="network: {mode: private}",
        api={},
        more={
            "gateway": {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com", "sku": "StandardV2"},
            "network": {"mode": "private"},
        },
        steps=(
            ("through the gateway", "200", _status),
            ("straight to the account", "403 AccessDenied", _straight_to_account),
        ),
    ),
    Capability(
        name="chosen operations",
        shown="operations: [ChatCompletions_Create]",
        api={"operations": ["ChatCompletions_Create"]},
        steps=(("chat", "200", _status), ("embeddings", "404", _embed)),
    ),
    Capability(
        name="v1, Responses with a plain OpenAI client",
        shown="surface: v1, bearerKeys: true",
        api={"surface": "v1", "bearerKeys": True},
        path="openai/v1",
        steps=(("two responses, one after the other", "200, completed", _respond), ("models", "200", _models)),
    ),
)
