"""`python -m operations rotate`, with stand-ins for the two command lines that it runs."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from operations.__main__ import main
from tests.modes import PUBLISHER

pytestmark = pytest.mark.slow

GROUP = "/subscriptions/s/resourceGroups/rg/providers"
ACCOUNT = f"{GROUP}/Microsoft.CognitiveServices/accounts/oai-1"
SUBSCRIPTION = f"{GROUP}/Microsoft.ApiManagement/service/apim/subscriptions/openai-callers"
CONFIG = {
    "azure-native:location": {"value": "swedencentral", "secret": False},
    "openai-gateway:gateway": {"value": json.dumps(PUBLISHER), "objectValue": PUBLISHER, "secret": False},
    "openai-gateway:auth": {"value": "key", "secret": False},
}
STATE = {
    "deployment": {
        "resources": [
            {"type": "openai-gateway:index:OpenAIBackend", "outputs": {"idsByAccount": {"account": ACCOUNT}}},
            {"type": "azure-native:apimanagement:Subscription", "id": SUBSCRIPTION},
        ]
    }
}
NOTE = """#!{python}
import json, pathlib, sys
folder, arguments = pathlib.Path({folder!r}), sys.argv[1:]
answer = folder / (arguments[0] + ".json")
if answer.exists() and "set" not in arguments:
    print(answer.read_text())
else:
    with (folder / "ran").open("a") as ran:
        ran.write(json.dumps([{tool!r}, *arguments]) + chr(10))
    sys.exit({fails!r})
"""


class Machine:
    """A PATH with a `pulumi` and an `az` that note how they were called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answer("config", CONFIG)
        self.answer("stack", STATE)
        self.install("pulumi")
        self.install("az")

    def answer(self, command: str, what: Any) -> None:
        (self.folder / f"{command}.json").write_text(json.dumps(what), encoding="utf-8")

    def install(self, tool: str, *, fails: Any = 0) -> None:
        """Install a tool; it ends with the text or code `fails`."""
        text = NOTE.format(python=sys.executable, folder=str(self.folder), tool=tool, fails=fails)
        (self.folder / tool).write_text(text, encoding="utf-8")
        (self.folder / tool).chmod(0o755)

    @property
    def ran(self) -> list[list[str]]:
        noted = self.folder / "ran"
        return [json.loads(line) for line in noted.read_text(encoding="utf-8").splitlines()] if noted.exists() else []


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    return made


@pytest.fixture
def refused(capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*arguments: str, code: int = 2) -> str:
        assert main(["rotate", *arguments]) == code
        out, err = capfd.readouterr()
        assert out == ""
        return err

    return run


def config_set(key: str) -> list[str]:
    return ["pulumi", "config", "set", "--path", "openai-gateway:key.accountKey", key, "--stack", "prod"]


def regenerate(key: str) -> list[str]:
    url = f"{ACCOUNT}/regenerateKey?api-version=2025-06-01"
    body = json.dumps({"keyName": key})
    return ["az", "rest", "--method", "post", "--url", url, "--body", body, "--output", "none"]


UP = ["pulumi", "up", "--yes", "--skip-preview", "--stack", "prod"]


def test_the_accounts_keys_are_replaced_one_after_the_other(machine: Machine) -> None:
    assert main(["rotate", "--stack", "prod", "--yes", "--settle", "0"]) == 0

    assert machine.ran == [config_set("key2"), UP, regenerate("Key1"), config_set("key1"), UP, regenerate("Key2")]


def test_a_dry_run_prints_the_same_commands_and_runs_none(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rotate", "--stack", "prod", "--dry-run", "--json"]) == 0

    assert machine.ran == []
    out, err = capsys.readouterr()
    steps = json.loads(out)["steps"]
    assert [step["does"] for step in steps] == [
        "present key2",
        "regenerate key1 of account oai-1",
        "present key1",
        "regenerate key2 of account oai-1",
    ]
    assert steps[0]["commands"] == [" ".join(config_set("key2")), " ".join(UP), "sleep 60"]
    assert all(command in err for step in steps for command in step["commands"])


@pytest.mark.parametrize("name", ["openai-callers", "all"])
@pytest.mark.parametrize("key", ["primary", "secondary"])
def test_a_subscriptions_key_is_replaced_and_published(machine: Machine, name: str, key: str) -> None:
    assert main(["rotate", "-s", "prod", "--subscription", name, "--key", key, "-y"]) == 0

    url = f"{SUBSCRIPTION}/regenerate{key.title()}Key?api-version=2024-05-01"
    assert machine.ran == [["az", "rest", "--method", "post", "--url", url, "--output", "none"], UP]


def test_a_step_that_fails_ends_the_rotation(machine: Machine, refused: Callable[..., str]) -> None:
    machine.install("az", fails=3)

    said = refused("-s", "prod", "-y", "--settle", "0", code=1)

    assert "ended with 3; calls go on. Mend the cause, and run the command again" in said
    assert machine.ran == [config_set("key2"), UP, regenerate("Key1")]


def test_nothing_begins_without_consent(machine: Machine, refused: Callable[..., str]) -> None:
    said = refused("-s", "prod")

    assert "1. present key2" in said
    assert "there is no terminal to confirm this; add --yes, or --dry-run to see the commands" in said
    assert machine.ran == []


def test_a_stack_without_account_keys_names_its_subscriptions(machine: Machine, refused: Callable[..., str]) -> None:
    machine.answer("config", {key: value for key, value in CONFIG.items() if not key.endswith("auth")})

    assert refused("-s", "prod") == (
        "error: stack prod calls Azure OpenAI without a key, so no account key is in use; to replace the keys of"
        " callers, add --subscription ID; it has openai-callers\n"
    )


def test_a_subscription_that_is_not_there_is_told_with_those_that_are(
    machine: Machine, refused: Callable[..., str]
) -> None:
    assert refused("-s", "prod", "--subscription", "nobody") == (
        "error: --subscription nobody: stack prod has no such subscription; allowed: all, openai-callers\n"
    )


def test_an_account_that_is_not_deployed_yet_needs_up(machine: Machine, refused: Callable[..., str]) -> None:
    machine.answer("stack", {"deployment": {}})

    assert (
        refused("-s", "prod") == "error: stack prod has not deployed the account 'account' yet; run pulumi up first\n"
    )


def test_a_stack_that_is_not_there_is_told_by_pulumi(machine: Machine, refused: Callable[..., str]) -> None:
    (machine.folder / "config.json").unlink()
    machine.install("pulumi", fails="error: no stack named 'nope' found")

    assert refused("-s", "nope") == (
        "error: pulumi config --json --show-secrets --stack nope: no stack named 'nope' found\n"
    )


def test_missing_tools_are_told_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: Callable[..., str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    said = refused("-s", "prod")

    assert "pulumi is not on the PATH: install" in said
    assert "az is not on the PATH: install" in said


def test_a_mistake_in_the_command_is_one_line(refused: Callable[..., str]) -> None:
    assert refused("-s", "prod", "--key", "third").count("\n") == 1
