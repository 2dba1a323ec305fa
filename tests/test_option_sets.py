"""Any set of options: it is refused with what contradicts, or its APIs are safe."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import aiohttp
import pytest
from hypothesis import example, given, settings

from apim_emulator.gateway import compile_plan
from apim_emulator.pulumi.deploy import load_project
from apim_emulator.services.token_client import client_credentials_form, request_token
from options import AuthMode, IdentityProviderOptions, JwtOptions, TeamOptions
from sandbox.runtime import Sandbox
from settings import ApiSettings
from tests.deployed import Deployed, deploy_program
from tests.judges import errors_of
from tests.option_sets import AUDIENCE, HOOK, PROVIDER, Config, accepted, keys_in, mend, refusals, stacks
from tests.refusals.answers import unlisted

PROJECT = load_project(Path(__file__).parents[1])
CALLER_HEADERS = {"api-key", "authorization", "ocp-apim-subscription-key"}
CALLER_QUERY = {"api-key", "subscription-key"}
STEPS = ("who", "spend", "safe", "known", "hook", "strip", "credential")
"""Steps of a request, in the order in which they must be taken."""
BY_NAME = {"auth", "accounts", "source", "sku"}
"""Options that a refusal may call by their name alone, as no more than one can be meant."""
TAGS = {
    "validate-azure-ad-token": "who",
    "validate-jwt": "who",
    "rate-limit-by-key": "spend",
    "llm-token-limit": "spend",
    "azure-openai-token-limit": "spend",
    "emit-metric": "spend",
    "llm-emit-token-metric": "spend",
    "azure-openai-emit-token-metric": "spend",
    "llm-content-safety": "safe",
    "llm-semantic-cache-lookup": "known",
    "azure-openai-semantic-cache-lookup": "known",
    "set-backend-service": "credential",
    "authentication-managed-identity": "credential",
}
_CACHE = {"scoreThreshold": 0.05, "duration": 60, "embeddings": "embed"}
CACHED: Config = {
    "azure-native:location": "swedencentral",
    "openai-gateway:gateway": {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com"},
    "openai-gateway:openai": {
        "accounts": [{"location": "swedencentral"}],
        "deployments": [{"name": "chat", "model": "gpt-4o"}, {"name": "embed", "model": "text-embedding-3-small"}],
    },
    "openai-gateway:limits": [{"per": "api", "requestsPerMinute": 10**5}],
    "openai-gateway:safety": {"shieldPrompt": True},
    "openai-gateway:apis": [
        {"name": "one", "path": "one/openai", "cache": {**_CACHE, "varyBy": "subscription"}, "auth": "key"},
        {"name": "two", "path": "two/openai", "cache": {**_CACHE, "varyBy": "caller"}, "auth": "entra"},
        {
            "name": "three",
            "path": "three/openai/v1",
            "surface": "v1",
            "cache": {**_CACHE, "varyBy": "caller"},
            "auth": "entra",
            "identityProviders": [
                {"entra": {"requiredClaims": {"ver": ["2.0"]}}},
                {
                    "jwt": {
                        "openidConfigUrls": [PROVIDER],
                        "audiences": [AUDIENCE],
                        "issuers": ["https://login.contoso.com/"],
                    }
                },
            ],
        },
    ],
}
"""A cache contradicts much else, so few sets at random have one."""


@settings(max_examples=300)
@given(config=stacks())
def test_a_refusal_names_each_option_that_contradicts_and_removing_what_it_names_is_enough(config: Config) -> None:
    """Each value is right by itself, so whatever is refused is refused because of another one."""
    for line in refusals(config):
        own, *others = keys_in(line)
        assert line.startswith(f"{own}: "), line
        assert {*others} - {own} or BY_NAME & set(re.findall(r"\w+", line.removeprefix(own))), line

    for _ in mend(config):
        pass
    assert accepted(config)


@pytest.mark.slow
@settings(max_examples=30)
@example(config=CACHED)
@given(config=stacks())
def test_every_policy_loads_and_takes_its_steps_in_order(config: Config) -> None:
    deployed = deploy_mended(config)

    [gateway] = [found for found in deployed.cloud.gateways() if found.apis]
    assert compile_plan(gateway)
    assert [problem for text in policies(deployed) for problem in unlisted(text)] == []
    for api in accepted(config).apis:
        inbound = ET.fromstring(deployed.policy(api.name)).find("inbound")
        assert inbound is not None
        taken = [step for child in inbound for step in steps(child)]
        assert inbound[0].tag == "base"
        assert all(STEPS.index(one) <= STEPS.index(other) for one, other in pairwise(taken)), taken
        assert set(taken) == expected(api)
        assert names(inbound, "set-header") >= CALLER_HEADERS
        assert names(inbound, "set-query-parameter") >= CALLER_QUERY - {"api-key"}


@pytest.mark.slow
@settings(max_examples=20)
@example(config=CACHED)
@given(config=stacks())
def test_the_official_schema_accepts_every_policy(config: Config) -> None:
    deployed = deploy_mended(config)
    sku = str(deployed.one("ApiManagementService").inputs["sku"]["name"])
    tier = "consumption" if sku == "Consumption" else "v2" if sku.endswith("V2") else "classic"

    assert [error for text in policies(deployed) for error in errors_of(text, tier)] == []


@pytest.mark.slow
@settings(max_examples=30)
@example(config=CACHED)
@given(config=stacks())
def test_no_set_of_options_opens_an_api_or_passes_on_a_callers_credential(config: Config) -> None:
    for _ in mend(config):
        pass
    asyncio.run(call_every_api(config))


async def call_every_api(config: Config) -> None:
    async with Sandbox() as sandbox, aiohttp.ClientSession() as http:
        outputs = (await sandbox.deploy(PROJECT, deepcopy(config))).outputs
        settings = accepted(config)
        for api in settings.apis:
            await call(sandbox, http, api, outputs)
            for team in settings.teams:
                await call_as_team(sandbox, http, api, team, outputs)


def url_of(sandbox: Sandbox, api: ApiSettings) -> str:
    """URL at which an API answers chat."""
    return f"{sandbox.url}/{api.path}{'' if api.api_version is None else '/deployments/chat'}/chat/completions"


async def call_as_team(
    sandbox: Sandbox, http: aiohttp.ClientSession, api: ApiSettings, team: TeamOptions, outputs: Mapping[str, Any]
) -> None:
    """Call an API with each key of a team, and with all else that the API wants."""
    allowed = 200 if team.models is None or "chat" in team.models else 403
    expected = allowed if api.name in team.apis else 401
    version = {} if api.api_version is None else {"api-version": api.api_version}
    body = {"model": "chat", "messages": [{"role": "user", "content": "hi"}]}
    keys = [key for kind in ("Primary", "Secondary") for key in outputs[f"{team.name}{kind}Keys"].values()]
    async for good in credentials(sandbox, api, outputs):
        for key in keys:
            sandbox.openai.received.clear()
            sent: Any = {"params": version, "headers": {**good, "api-key": key}, "json": body}
            async with http.post(url_of(sandbox, api), **sent) as response:
                assert response.status == expected, await response.text()
            assert bool(sandbox.openai.received) or expected != 200 or api.cache is not None
            assert not sandbox.openai.received or expected == 200


async def call(sandbox: Sandbox, http: aiohttp.ClientSession, api: ApiSettings, outputs: Mapping[str, Any]) -> None:
    """Call an API as strangers, then as a caller who sends more credentials than it wants."""
    url = url_of(sandbox, api)
    version = {} if api.api_version is None else {"api-version": api.api_version}
    body = {"model": "chat", "messages": [{"role": "user", "content": "hi"}]}

    async def post(headers: Mapping[str, str], query: Mapping[str, str] | None = None) -> tuple[int, str]:
        sent: Any = {"params": {**version, **(query or {})}, "headers": headers, "json": body}
        async with http.post(url, **sent) as response:
            return response.status, await response.text()

    async for good in credentials(sandbox, api, outputs):
        sandbox.openai.received.clear()
        for bad in strangers(good, api):
            assert (await post(bad))[0] == 401, bad
        assert (await post({}, {"api-key": "0" * 32}))[0] == 401
        assert list(sandbox.openai.received) == []

        others = {"Authorization": "Bearer none", "Ocp-Apim-Subscription-Key": "0" * 32}
        status, answer = await post({**others, **good}, {"subscription-key": "0" * 32})
        assert status == 200, answer
        [received] = [request for request in sandbox.openai.received if not request.path.endswith("/embeddings")]
        assert received.credential == ("key" if api.key else "token")
        assert received.headers & CALLER_HEADERS == {"api-key" if api.key else "authorization"}
        assert CALLER_QUERY.isdisjoint(received.query)


def strangers(good: Mapping[str, str], api: ApiSettings) -> Iterator[dict[str, str]]:
    """Yield what must not be enough: nothing, what nobody issued, and all that is right but one."""
    yield {}
    yield {"api-key": "0" * 32}
    yield {"Authorization": f"Bearer {'0' * 32}"}
    yield {name: value + "x" for name, value in good.items()}
    for name in good:
        yield {other: value for other, value in good.items() if other != name}
    if not api.bearer_keys and "Authorization" not in good:
        yield {"Authorization": f"Bearer {good['api-key']}"}


async def credentials(sandbox: Sandbox, api: ApiSettings, outputs: Mapping[str, Any]) -> AsyncIterator[dict[str, str]]:
    """Yield the headers of a caller who has all that the API wants, one of each identity provider."""
    found = {"api-key": str(outputs[f"{api.name}SubscriptionKey"])} if api.subscription_required else {}
    if api.auth is not AuthMode.ENTRA:
        yield {"Authorization": f"Bearer {found['api-key']}"} if api.bearer_keys else found
        return
    several = api.identity_providers or [IdentityProviderOptions(entra=api.entra, jwt=api.jwt)]
    for tokens in (provider.tokens for provider in several):
        if isinstance(tokens, JwtOptions):
            provider = sandbox.providers[tokens.openid_config_urls[0]]
            url, form = provider.token_url, client_credentials_form("client", provider.secret, audience=AUDIENCE)
        else:
            client, scope = sandbox.callers.client, outputs[f"{api.name}Scopes"][-1]
            url, form = sandbox.token_url, client_credentials_form(client.client_id, client.secrets[0], scope=scope)
        yield {**found, "Authorization": f"Bearer {await request_token(url, form)}"}


def deploy_mended(config: Config) -> Deployed:
    for _ in mend(config):
        pass
    return deploy_program(deepcopy(config))


def policies(deployed: Deployed) -> list[str]:
    found = deployed.all("ApiPolicy") + deployed.all("ProductPolicy")
    return [str(entry.inputs["value"]) for entry in found]


def expected(api: ApiSettings) -> set[str]:
    """Return the steps that an API's options ask for."""
    asked = {
        "spend": api.limits or api.metrics,
        "safe": api.safety,
        "known": api.cache,
        "hook": api.policy and api.policy.inbound,
    }
    return {"who", "strip", "credential", *(step for step, options in asked.items() if options)}


def names(section: ET.Element, tag: str) -> set[str]:
    """Names, in lower case, of what a section removes for every call."""
    return {child.get("name", "").lower() for child in section.findall(tag) if child.get("exists-action") == "delete"}


def steps(policy: ET.Element) -> Iterator[str]:
    """Yield the steps that a policy takes part in; one that only reads or routes the request is part of none."""
    name = policy.get("name", "")
    if policy.tag in {"set-header", "set-query-parameter"} and policy.get("exists-action") == "delete":
        yield "strip"
    elif policy.tag == "set-header":
        yield "hook" if name == HOOK else "credential"
    elif policy.tag == "choose":
        codes = {status.get("code") for status in policy.iter("set-status")}
        if "401" in codes:
            yield "who"
        yield from dict.fromkeys(TAGS[inner.tag] for inner in policy.iter() if inner.tag in TAGS)
    elif policy.tag in TAGS:
        yield TAGS[policy.tag]
