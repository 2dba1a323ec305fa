import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

import sandbox.demo
from apim_emulator.pulumi.deploy import Deployment, Project
from sandbox.capabilities import CAPABILITIES, Capability
from sandbox.demo import run
from sandbox.modes import MODES, Mode
from sandbox.runtime import Sandbox

pytestmark = pytest.mark.slow

REFUSED = {
    "key": {"no key", "wrong key"},
    "entra": {
        "no token", "expired token", "wrong audience", "wrong tenant", "wrong client", "missing role",
        "tampered signature", "no signature (alg none)", "signed by somebody else", "key instead of a token",
    },
    "jwt": {
        "no token", "expired token", "wrong audience", "wrong issuer", "missing role", "tampered signature",
        "no signature (alg none)", "signed by somebody else", "token of Microsoft Entra ID", "key instead of a token",
    },
}  # fmt: skip
REFUSED["entra or jwt"] = REFUSED["entra"] | REFUSED["jwt"]
REFUSED_USERS = {
    "user without the scope", "user with a role and without the scope", "user with a longer scope",
    "user with the scope in capitals", "user with a role and no scope at all",
}  # fmt: skip


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
async def test_mode_lets_in_and_refuses_whom_it_must(mode: Mode) -> None:
    started: list[str] = []

    report = await run([mode], started=started.append)

    name = "key" if mode.caller == "key" else "token"
    answered = {f"{name}, chat", f"{name}, streamed chat", f"{name}, embeddings", f"{name} and stray credentials"}
    refused = REFUSED[mode.caller]
    if mode.name in {"Entra, managed identity", "Entra, key", "v1: Entra, key"}:
        answered |= {"token for a user, chat"}
        refused = refused | REFUSED_USERS
    if mode.caller == "entra or jwt":
        answered |= {"token for a user, chat", "another provider's token, chat"}
        refused = refused | REFUSED_USERS
    assert [row for row in report.rows if not row.passed] == []
    assert {row.caller for row in report.rows if row.got == "200"} == answered
    assert {row.caller for row in report.rows if re.fullmatch(r"401 (\w+|from the gateway)", row.got)} >= refused
    by_service = [row.caller for row in report.rows if row.got == "401 from Azure OpenAI"]
    assert by_service == ([f"{name}, role removed"] if mode.credential == "token" else [])
    assert {row.got for row in report.rows if "account" in row.caller or "both" in row.caller} == (
        {"200 (first 429, second 200)", "503, Retry-After (second 429)"} if "pool" in mode.name else set()
    )
    assert started == [mode.name]
    assert 0 < report.setup_seconds < report.seconds


@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda capability: capability.name)
async def test_capability_does_what_it_says(capability: Capability) -> None:
    report = await run([], [capability])

    assert [shown for shown in report.capabilities if not shown.passed] == []
    assert len(report.capabilities) == len(capability.steps) > 0
    assert report.failed == 0


async def test_a_capability_that_is_turned_off_is_not_as_expected() -> None:
    models = next(found for found in CAPABILITIES if "models" in found.api)

    report = await run([], [replace(models, api={})])

    assert [shown.got for shown in report.capabilities if not shown.passed] != []
    assert report.failed > 0


def test_modes_are_all_that_the_config_offers() -> None:
    configs = [mode.stack_config(Sandbox()) for mode in MODES]

    def seen(key: str, *names: str) -> set[tuple[str, ...]]:
        blocks = [config.get(f"openai-gateway:{key}", {}) for config in configs]
        return {tuple(block[name] for name in names) for block in blocks if all(name in block for name in names)}

    assert seen("key", "source", "delivery") == set(product(("named-value", "key-vault"), ("backend", "header")))
    assert seen("gateway", "identity") == {("system-assigned",), ("user-assigned",)}
    assert seen("entra", "backendAuth") == seen("jwt", "backendAuth") == {("key",), ("managed-identity",)}
    assert len({mode.name for mode in MODES}) == len(MODES) >= 12


def without(pattern: str) -> Callable[[str], str]:
    return lambda policy: re.sub(pattern, "", policy, flags=re.DOTALL)


VALIDATION = r"<validate-(azure-ad-token|jwt) .*</validate-\1>"
CLAIMS = "<required-claims>.*</required-claims>"
EITHER = "<choose>.*?</choose>"
ADOPTED = "Entra: adopted app, managed identity"
CLIENTS = "<client-application-ids>.*</client-application-ids>"


@pytest.mark.parametrize(
    ("mode", "weaken", "caller", "got"),
    [
        pytest.param(ADOPTED, without(VALIDATION), "no token", "200", id="no validation"),
        pytest.param(ADOPTED, without(VALIDATION), "tampered signature", "200", id="no validation of signatures"),
        pytest.param(ADOPTED, without(CLAIMS), "missing role", "200", id="no role demanded"),
        pytest.param("Entra, key", without(EITHER), "missing role", "200", id="no role or scope demanded"),
        pytest.param("Entra, key", without(EITHER), "user without the scope", "200", id="no scope demanded"),
        pytest.param(
            "Entra, key",
            without(VALIDATION),
            "no token",
            "500 ExpressionValueEvaluationFailure",
            id="roles and scopes of no validated token",
        ),
        pytest.param("Entra, key", without(CLIENTS), "wrong client", "200", id="no client demanded"),
        pytest.param("another provider's JWT, key", without(CLAIMS), "missing role", "200", id="no claim demanded"),
        pytest.param(
            "key: named value, header",
            without('<set-header name="Authorization" exists-action="delete" />'),
            "key and stray credentials",
            "200, but the caller's authorization reached Azure OpenAI",
            id="credentials of the caller not stripped",
        ),
        pytest.param(
            "managed identity: system-assigned",
            without('<set-header name="api-key" exists-action="delete" />'),
            "key, chat",
            "403 from Azure OpenAI",
            id="subscription key not stripped",
        ),
        pytest.param(
            "key: pool of accounts",
            lambda policy: re.sub('(?<=<retry condition=")[^"]*', "@(false)", policy),
            "key, first account throttled",
            "429, Retry-After (first 429)",
            id="no other account tried",
        ),
        pytest.param(
            "key: pool of accounts",
            without("<choose>(?!.*<choose>).*?</choose>"),
            "key, both throttled",
            "503, Retry-After (second 429), naming openai-key-pool",
            id="spent pool told as it is",
        ),
    ],
)
async def test_a_weaker_policy_fails_the_demo(
    mode: str, weaken: Callable[[str], str], caller: str, got: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Weak(Sandbox):
        async def deploy(self, project: Project, config: Mapping[str, Any], stack: str = "sandbox") -> Deployment:
            deployment = await super().deploy(project, config, stack)
            apis = tuple(replace(api, policy=weaken(api.policy or "")) for api in self.service.apis)
            assert apis != self.service.apis
            self.gateway.load(replace(self.service, apis=apis))
            return deployment

    monkeypatch.setattr(sandbox.demo, "Sandbox", Weak)

    report = await run([found for found in MODES if found.name == mode])

    (row,) = [row for row in report.rows if row.caller == caller]
    assert row.got == got
    assert not row.passed
    assert report.failed >= 1
