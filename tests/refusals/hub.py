"""A stack whose APIs refuse calls in every way that the program knows, in the sandbox."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import aiohttp

from apim_emulator.azure import Cloud, Deployer
from apim_emulator.clock import Clock
from apim_emulator.gateway import CallRecord
from apim_emulator.model import Account
from apim_emulator.pulumi.deploy import load_project
from apim_emulator.services.token_client import client_credentials_form, request_token
from sandbox.runtime import Sandbox
from tests.deployed import ROOT
from tests.modes import PUBLISHER

PROJECT = load_project(ROOT)
PROVIDER = "https://login.contoso.com/.well-known/openid-configuration"
AUDIENCE = "https://ai.contoso.com"
_JWT = {"openidConfigUrls": [PROVIDER], "issuers": ["https://login.contoso.com/"], "audiences": [AUDIENCE]}
_COPIED = """@(context.Request.Headers.GetValueOrDefault("api-key", ""))"""
_LEAK = f"<set-header name='X-Copy' exists-action='override'><value>{_COPIED}</value></set-header>"
_DEPLOYMENTS = [{"name": name, "model": "gpt-4o"} for name in ("chat", "small")]
_ONE = {"accounts": ["swedencentral"]}


def _api(name: str, **more: Any) -> dict[str, Any]:
    path = f"{name}/openai/v1" if more.get("surface") == "v1" else f"{name}/openai"
    return {"name": name, "path": path, **_ONE, **more}


def _spend(**amounts: Any) -> list[dict[str, Any]]:
    return [{"per": "subscription", **amounts}]


CONFIG: dict[str, Any] = {
    "azure-native:location": "swedencentral",
    "openai-gateway:gateway": PUBLISHER,
    "openai-gateway:openai": {
        "accounts": [
            {"location": "swedencentral", "deployments": _DEPLOYMENTS},
            {"location": "francecentral", "deployments": _DEPLOYMENTS[:1]},
        ]
    },
    "openai-gateway:apis": [
        _api("keyed"),
        _api("chosen", models=["chat"]),
        _api("pool", accounts=["swedencentral", "francecentral"]),
        _api("tokens", auth="entra", entra={"roles": ["Chat.User"], "scopes": ["access_as_user"]}),
        _api(
            "several",
            auth="entra",
            identityProviders=[{"entra": {"roles": ["Chat.User"]}}, {"jwt": _JWT}],
            limits=[{"per": "caller", "requestsPerMinute": 1}],
        ),
        _api("rate", limits=_spend(tokensPerMinute=10)),
        _api("quota", limits=_spend(tokenQuota=10, tokenQuotaPeriod="Monthly")),
        _api("v1", surface="v1", models=["chat"], ownResponses=True),
        _api("safe", safety={"categories": {"Hate": 4}, "outputType": "EightSeverityLevels"}),
        _api("bykey", auth="key"),
        _api("leak", policy={"inbound": _LEAK}),
    ],
    "openai-gateway:teams": [{"name": "research", "apis": ["keyed"], "models": ["small"]}],
}


class Answer(NamedTuple):
    """What a caller got, and what the gateway noted of the call."""

    status: int
    code: str | None
    message: str
    headers: Mapping[str, str]
    record: CallRecord | None
    """None: the call was refused before it was looked at."""


@dataclass
class Hub:
    """The stack, and calls of its APIs."""

    sandbox: Sandbox
    http: aiohttp.ClientSession
    records: list[CallRecord] = field(default_factory=list)

    def account(self, deployments: int) -> Account:
        """The account with that many deployments: 2 is the one of most APIs, 1 the other one of the pool."""
        [found] = [account for account in self.sandbox.cloud.accounts() if len(account.deployments) == deployments]
        return found

    def key(self, api: str) -> str:
        return str(self.sandbox.deployment.outputs[f"{api}SubscriptionKey"])

    def team_key(self) -> str:
        return str(self.sandbox.deployment.outputs["researchPrimaryKeys"]["default"])

    async def token(self, api: str) -> str:
        """A token that Microsoft Entra ID issues to a client without a role."""
        client, scope = self.sandbox.callers.client, self.sandbox.deployment.outputs[f"{api}Scopes"][-1]
        form = client_credentials_form(client.client_id, client.secrets[0], scope=scope)
        return await request_token(self.sandbox.token_url, form)

    def issued(self, subject: str | None = "client") -> str:
        """A token of the other provider."""
        return self.sandbox.providers[PROVIDER].issue(audience=AUDIENCE, subject="", claims={"sub": subject})

    async def call(
        self,
        api: str,
        path: str = "/deployments/chat/chat/completions",
        *,
        key: str | None = None,
        token: str | None = None,
        body: Any = None,
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call with the API's own subscription key, or with what is given instead."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        elif key is None:
            key = self.key(api)
        if key:
            sent["api-key"] = key
        url = f"{self.sandbox.url}/{api}/openai{path}"
        content = {"messages": [{"role": "user", "content": "Say hello."}]} if body is None else body
        arguments: dict[str, Any] = {"data": content} if isinstance(content, bytes) else {"json": content}
        if method != "POST":
            arguments = {}
        params = {} if "/v1/" in path else {"api-version": "2024-10-21"}
        before = len(self.records)
        async with self.http.request(method, url, headers=sent, params=params, **arguments) as response:
            found = json.loads(await response.text())
            record = self.records[before] if len(self.records) > before else None
            error = found.get("error") or found
            code = error.get("code")
            told = None if code is None else str(code)
            return Answer(response.status, told, str(error.get("message")), response.headers, record)


@asynccontextmanager
async def deployed() -> AsyncIterator[Hub]:
    records: list[CallRecord] = []
    cloud = Cloud(deployer=Deployer.ADMINISTRATOR)
    async with (
        Sandbox(cloud=cloud, clock=Clock(1_700_000_000), recorder=records.append) as sandbox,
        aiohttp.ClientSession() as http,
    ):
        await sandbox.deploy(PROJECT, CONFIG)
        yield Hub(sandbox, http, records)
