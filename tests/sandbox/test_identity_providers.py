"""Several identity providers of one API, as callers with the OpenAI client and real tokens meet it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from openai import AsyncOpenAI, AuthenticationError, NotFoundError, RateLimitError

from apim_emulator.azure import Cloud, Deployer
from apim_emulator.pulumi.deploy import load_project
from apim_emulator.services.token_client import client_credentials_form, request_token
from sandbox.client import new_http_client
from sandbox.commands.up import describe
from sandbox.runtime import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

PROJECT = load_project(Path(__file__).parents[2])
PARTNER = "99999999-9999-4999-8999-999999999999"
"""Another tenant, in which a caller of ours was made a guest application."""
AUDIENCE = "https://ai.contoso.com"
ADOPTED = "11111111-1111-4111-8111-111111111111"
HOSTS = ("login.contoso.com", "login.fabrikam.com")
CONFIG: dict[str, Any] = {
    "azure-native:location": "swedencentral",
    "openai-gateway:gateway": {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com"},
    "openai-gateway:openai": {"deployments": [{"name": "chat", "model": "gpt-5.6-luna"}]},
    "openai-gateway:auth": "entra",
    "openai-gateway:identityProviders": [
        {"entra": {"requiredClaims": {"ver": "2.0"}}},
        {"entra": {"existing": {"clientId": ADOPTED, "audiences": [AUDIENCE]}, "tenantId": PARTNER, "roles": ["Chat"]}},
        *(
            {
                "jwt": {
                    "openidConfigUrls": [f"https://{host}/.well-known/openid-configuration"],
                    "issuers": [f"https://{host}/"],
                    "audiences": [AUDIENCE],
                }
            }
            for host in HOSTS
        ),
    ],
    "openai-gateway:apis": [{"name": "openai", "path": "openai/v1", "surface": "v1", "ownResponses": True}],
}
CHAT: Any = {"model": "chat", "messages": [{"role": "user", "content": "hi"}]}


async def deployed(**more: Any) -> AsyncIterator[Sandbox]:
    cloud = Cloud(deployer=Deployer.ADMINISTRATOR)
    cloud.add_caller("partner", PARTNER)
    async with Sandbox(cloud=cloud) as sandbox:
        await sandbox.deploy(PROJECT, {**CONFIG, **{f"openai-gateway:{key}": value for key, value in more.items()}})
        yield sandbox


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async for one in deployed():
        yield one


def client(sandbox: Sandbox, token: str) -> AsyncOpenAI:
    return AsyncOpenAI(api_key=token, base_url=f"{sandbox.url}/openai/v1", http_client=new_http_client(), max_retries=0)


async def chat(sandbox: Sandbox, token: str) -> Any:
    async with client(sandbox, token) as caller:
        return await caller.chat.completions.create(**CHAT)


def provider_token(sandbox: Sandbox, host: str, **claims: Any) -> str:
    provider = sandbox.providers[f"https://{host}/.well-known/openid-configuration"]
    return provider.issue(audience=AUDIENCE, subject="client", claims=claims)


def partner_token(sandbox: Sandbox, **claims: Any) -> str:
    given = {"aud": AUDIENCE, "roles": ["Chat"], **claims}
    return sandbox.entra.issue(AUDIENCE, client_id=ADOPTED, principal_id=ADOPTED, tenant_id=PARTNER, claims=given)


async def home_token(sandbox: Sandbox) -> str:
    caller = sandbox.callers.client
    scope = sandbox.deployment.outputs["openaiScopes"][-1]
    return await request_token(
        sandbox.token_url, client_credentials_form(caller.client_id, caller.secrets[0], scope=scope)
    )


async def test_callers_of_every_provider_chat_with_their_own_tokens(sandbox: Sandbox) -> None:
    tokens = [
        await home_token(sandbox),
        partner_token(sandbox),  # version 1.0, which says sts.windows.net
        *(provider_token(sandbox, host) for host in HOSTS),
    ]
    sandbox.openai.received.clear()

    for token in tokens:
        assert (await chat(sandbox, token)).choices

    assert [call.credential for call in sandbox.openai.received] == ["token"] * 4
    assert {call.principal_id for call in sandbox.openai.received} == {
        identity.principal_id for identity in sandbox.service.identities
    }


async def test_no_provider_speaks_for_another(sandbox: Sandbox) -> None:
    contoso, fabrikam = (f"https://{host}/" for host in HOSTS)
    home = sandbox.cloud.tenant_id
    forged = [
        provider_token(sandbox, HOSTS[0], iss=fabrikam),
        provider_token(sandbox, HOSTS[1], iss=contoso),
        provider_token(sandbox, HOSTS[0], iss=f"https://login.microsoftonline.com/{home}/v2.0", tid=home, ver="2.0"),
        provider_token(sandbox, HOSTS[0], iss=f"https://sts.windows.net/{PARTNER}/", tid=PARTNER, ver="1.0"),
        partner_token(sandbox, iss=f"https://sts.windows.net/{home}/", tid=home),
        partner_token(sandbox, iss=contoso),
        provider_token(sandbox, HOSTS[0], iss="https://login.contoso.com"),
        partner_token(sandbox, roles=["Other"]),
        "nonsense",
    ]
    sandbox.openai.received.clear()

    told: set[tuple[object, ...]] = set()
    async with aiohttp.ClientSession() as http:
        for token in forged:
            with pytest.raises(AuthenticationError):
                await chat(sandbox, token)
            headers = {"Authorization": f"Bearer {token}"}
            async with http.post(f"{sandbox.url}/openai/v1/chat/completions", json=CHAT, headers=headers) as answer:
                told.add((answer.status, answer.reason, answer.headers.get("WWW-Authenticate"), await answer.text()))
                told.add(tuple(sorted(name for name in answer.headers if name != "Date")))

    assert len(told) == 2, "whatever is wrong, the answer is the same"
    assert list(sandbox.openai.received) == []


async def test_a_response_is_not_found_by_the_same_subject_of_another_provider(sandbox: Sandbox) -> None:
    mine, theirs = (provider_token(sandbox, host) for host in HOSTS)
    async with client(sandbox, mine) as one, client(sandbox, theirs) as other:
        made = await one.responses.create(model="chat", input="hi")

        with pytest.raises(NotFoundError):
            await other.responses.retrieve(made.id)
        assert (await one.responses.retrieve(made.id)).id == made.id


async def test_equal_subjects_of_two_providers_have_an_amount_each() -> None:
    async for sandbox in deployed(limits=[{"per": "caller", "requestsPerMinute": 1}]):
        for host in HOSTS:
            assert (await chat(sandbox, provider_token(sandbox, host))).choices
            with pytest.raises(RateLimitError):
                await chat(sandbox, provider_token(sandbox, host))


async def test_the_sandbox_lists_callers_of_each_provider(sandbox: Sandbox) -> None:
    [api] = describe(sandbox, "test").apis

    assert [caller.name for caller in api.callers] == [
        *(caller.display_name for caller in sandbox.callers),
        *(f"{name}-{number}" for number in (3, 4) for name in ("client", "client-without-claims")),
    ]
    for caller in api.callers:
        token = await request_token(caller.token_url, caller.form)
        assert (await chat(sandbox, token)).choices
