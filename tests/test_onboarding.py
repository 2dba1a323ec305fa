"""The page for a team's first call: its code is run as it stands, against a gateway with the team that it shows."""

import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from pytest_asyncio import fixture

from apim_emulator.azure import Cloud, Deployer
from apim_emulator.pulumi.deploy import load_project
from sandbox.runtime import Sandbox
from tests.deployed import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

PAGE = (ROOT / "docs" / "onboarding.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
CURL, WITH_TOKEN = (text for language, text in BLOCKS if language == "sh")
(PYTHON,) = (text for language, text in BLOCKS if language == "python")
(TYPESCRIPT,) = (text for language, text in BLOCKS if language == "ts")
(TEAMS,) = (yaml.safe_load(text) for language, text in BLOCKS if language == "yaml")
MODULES = ROOT / "tests" / "onboarding" / "node_modules"
"""What `make judges` installs."""


class Team(NamedTuple):
    """The sandbox, and what the page has a team export."""

    sandbox: Sandbox
    environment: Mapping[str, str]


@fixture(scope="module", loop_scope="module")
async def team() -> AsyncIterator[Team]:
    async with Sandbox(cloud=Cloud(deployer=Deployer.ADMINISTRATOR)) as sandbox:
        client = sandbox.callers.client
        (shown,) = TEAMS["openai-gateway:teams"]
        more = {"apis": [*shown["apis"], "assist"], "principals": [client.service_principal_id]}
        entra = {"auth": "entra", "entra": {"roles": ["Chat.User"]}, "subscriptionRequired": True}
        models = [{"name": name, "model": name} for name in ("gpt-5.6-luna", "gpt-5.4-mini")]
        config: dict[str, Any] = {
            "azure-native:location": "swedencentral",
            "openai-gateway:gateway": {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com"},
            "openai-gateway:openai": {"deployments": models},
            "openai-gateway:apis": [
                {"name": "openai", "path": "openai"},
                {"name": "assist", "path": "assist/openai", **entra},
            ],
            "openai-gateway:teams": [{**shown, **more}],
        }
        outputs = (await sandbox.deploy(load_project(ROOT), config)).outputs
        assert outputs["openaiUrl"].endswith("/openai")
        environment = {
            "PATH": os.environ["PATH"],
            "NO_PROXY": "127.0.0.1",
            "AZURE_OPENAI_ENDPOINT": sandbox.url,
            "AZURE_OPENAI_API_KEY": outputs["researchPrimaryKeys"]["default"],
            "TOKEN_ENDPOINT": sandbox.token_url,
            "CLIENT_ID": client.client_id,
            "CLIENT_SECRET": client.secrets[0],
            "SCOPE": outputs["assistScopes"][-1],
        }
        yield Team(sandbox, environment)


async def run(environment: Mapping[str, str], *command: str, folder: Path | None = None) -> tuple[int, str]:
    """Exit code and output of a command that takes part in the sandbox's own loop."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, said.decode()


def answer(said: str) -> str:
    return str(json.loads(said)["choices"][0]["message"]["content"])


async def test_curl_gets_an_answer(team: Team) -> None:
    code, said = await run(team.environment, "sh", "-c", CURL)

    assert code == 0, said
    assert answer(said) == "You said: Hello"


async def test_python_gets_an_answer(team: Team) -> None:
    code, said = await run(team.environment, sys.executable, "-c", PYTHON)

    assert (code, said) == (0, "You said: Hello\n")


async def test_typescript_gets_an_answer(team: Team, tmp_path: Path) -> None:
    """The text is JavaScript too."""
    if shutil.which("node") is None or not MODULES.is_dir():
        pytest.skip("OpenAI's SDK of JavaScript is not there: needs node, and npm ci in tests/onboarding")
    (tmp_path / "node_modules").symlink_to(MODULES)
    (tmp_path / "call.mjs").write_text(TYPESCRIPT, encoding="utf-8")

    code, said = await run(team.environment, "node", "call.mjs", folder=tmp_path)

    assert (code, said) == (0, "You said: Hello\n")


async def test_curl_gets_an_answer_with_a_token_and_the_key(team: Team) -> None:
    code, said = await run(team.environment, "sh", "-c", WITH_TOKEN)

    assert code == 0, said
    assert answer(said) == "You said: Hello"


@pytest.mark.parametrize(
    ("block", "changes", "told"),
    [
        (CURL, {"AZURE_OPENAI_API_KEY": ""}, "missing subscription key"),
        (CURL, {"AZURE_OPENAI_API_KEY": "0" * 32}, "invalid subscription key"),
        (WITH_TOKEN, {"AZURE_OPENAI_API_KEY": "0" * 32}, "invalid subscription key"),
        (CURL.replace("gpt-5.6-luna", "gpt-5.4-mini"), {}, "model_not_found"),
        (CURL.replace('"$AZURE_OPENAI_ENDPOINT/', '"$AZURE_OPENAI_ENDPOINT/assist/'), {}, "401"),
    ],
    ids=["no key", "wrong key", "a token and a wrong key", "another model", "no token"],
)
async def test_a_refusal_says_what_the_page_says(team: Team, block: str, changes: dict[str, str], told: str) -> None:
    code, said = await run({**team.environment, **changes}, "sh", "-c", block)

    assert code != 0
    assert told in said
