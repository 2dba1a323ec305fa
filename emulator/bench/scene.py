"""Calls as a person makes them who builds a gateway for Azure OpenAI: what the pictures of the trace pages show."""

import asyncio
import itertools

from apim_emulator.model import Backend, CircuitBreaker, Operation, PoolMember
from apim_emulator.testing import PolicyBench, Reply, Request
from apim_emulator.tracing import TraceRecorder

CHAT = "/openai/deployments/{}/chat/completions?api-version=2024-10-21"
_DOCUMENT = """<policies>
    <inbound>
        <base />
        <validate-azure-ad-token tenant-id="contoso.onmicrosoft.com" output-token-variable-name="token">
            <audiences>
                <audience>api://openai-gateway</audience>
            </audiences>
            <required-claims>
                <claim name="roles" match="any">
                    <value>Chat.User</value>
                </claim>
            </required-claims>
        </validate-azure-ad-token>
        <set-variable name="team" value='@(((Jwt)context.Variables["token"]).Claims.GetValueOrDefault("azp", ""))' />
        <llm-token-limit counter-key='@((string)context.Variables["team"])' tokens-per-minute="1000"
            estimate-prompt-tokens="true" remaining-tokens-header-name="x-tokens-left" />
        <llm-emit-token-metric namespace="openai">
            <dimension name="API ID" />
            <dimension name="team" value='@((string)context.Variables["team"])' />
        </llm-emit-token-metric>
        <choose>
            <when condition='@(context.Request.Headers.GetValueOrDefault("x-priority", "") == "high")'>
                <set-backend-service backend-id="provisioned" />
            </when>
            <otherwise>
                <set-backend-service backend-id="regions" />
            </otherwise>
        </choose>
        <set-header name="api-key" exists-action="delete" />
        <authentication-managed-identity resource="https://cognitiveservices.azure.com" />
    </inbound>
    <backend>
        <retry condition="@(context.Response.StatusCode == 429)" count="2" interval="0">
            <forward-request buffer-request-body="true" />
        </retry>
    </backend>
    <outbound>
        <base />
        <set-header name="x-region" exists-action="override">
            <value>@(context.Response.Headers.GetValueOrDefault("x-ms-region", "unknown"))</value>
        </set-header>
    </outbound>
    <on-error>
        <base />
    </on-error>
</policies>
"""


TOLD = {"Host": "127.0.0.1:8080", "User-Agent": "OpenAI/Python 3.54.0", "Content-Type": "application/json"}
"""What every caller sends."""
PROMPT = {"messages": [{"role": "user", "content": "Why is the sky blue?"}]}


def play(recorder: TraceRecorder) -> None:
    """Make the calls."""
    answer = itertools.count()

    async def sweden(request: Request) -> Reply:
        if next(answer) in {2, 3}:
            return Reply(status_code=429, headers={"Retry-After": "20"}, json={"error": {"code": "429"}})
        return await _model(request)

    bench = PolicyBench(
        _DOCUMENT,
        hosts={
            "sweden.openai.azure.com": sweden,
            "france.openai.azure.com": _model,
            "provisioned.openai.azure.com": _broken,
        },
        entities=_BACKENDS,
        trace=recorder,
        api={"id": "azure-openai", "path": "openai", "operations": _OPERATIONS},
    )
    token = bench.entra.token("api://openai-gateway", roles=["Chat.User"])
    foreign = bench.entra.token("https://management.azure.com", roles=["Reader"])
    for model, credential, more in (
        ("gpt-4o", token, {}),
        ("gpt-4o-mini", token, {}),
        ("gpt-4o", foreign, {}),
        ("gpt-4o", token, {"api-key": "left-over-of-another-time"}),
        ("gpt-4o", token, {"x-priority": "high"}),
        ("gpt-4o-mini", token, {}),
    ):
        headers = {**TOLD, "Authorization": f"Bearer {credential}", **more}
        bench.post(CHAT.format(model), headers=headers, json=PROMPT)
        bench.clock.advance(7)
    bench.get("/openai/models", headers=TOLD)
    for _ in range(2):
        bench.post(CHAT.format("gpt-4o"), headers={**TOLD, "Authorization": f"Bearer {token}"}, json=PROMPT)


_OPERATIONS = (
    Operation(
        name="ChatCompletions_Create", method="POST", url_template="/deployments/{deployment-id}/chat/completions"
    ),
)
_BREAKER = CircuitBreaker(interval=60, trip_duration=20, count=1, status_codes=((429, 429),), accept_retry_after=True)
_BACKENDS = (
    Backend(id="sweden", url="https://sweden.openai.azure.com/openai", circuit_breaker=_BREAKER),
    Backend(id="france", url="https://france.openai.azure.com/openai", circuit_breaker=_BREAKER),
    Backend(id="provisioned", url="https://provisioned.openai.azure.com/openai"),
    Backend(
        id="regions", members=(PoolMember(backend_id="sweden", priority=1), PoolMember(backend_id="france", priority=2))
    ),
)


async def _model(request: Request) -> Reply:
    await asyncio.sleep(0.32 if "mini" in request.url else 0.84)
    usage = {"prompt_tokens": 14, "completion_tokens": 220, "total_tokens": 234}
    choice = {"index": 0, "message": {"role": "assistant", "content": "Rayleigh."}, "finish_reason": "stop"}
    return Reply(json={"choices": [choice], "usage": usage}, headers={"x-ms-region": request.backend.partition(".")[0]})


def _broken(_: Request) -> Reply:
    raise ConnectionResetError
