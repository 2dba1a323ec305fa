"""`python -m sandbox rotate`: the keys of a stack are replaced while it is called."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.__main__ import main
from sandbox.rotation import with_key
from tests.deployed import ROOT
from tests.modes import PUBLISHER

pytestmark = pytest.mark.slow

PROGRAM = (
    "Pulumi.yaml",
    "__main__.py",
    "deployment.py",
    "components",
    "definitions",
    "options",
    "policies",
    "settings",
)


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Write a stack's config beside the program, and stand there."""
    for part in PROGRAM:
        (tmp_path / part).symlink_to(ROOT / part)
    monkeypatch.chdir(tmp_path)

    def write(**more: Any) -> None:
        given = {"gateway": PUBLISHER, "openai": {"deployments": [{"name": "chat", "model": "gpt-4o"}]}, **more}
        config = {"azure-native:location": "swedencentral"} | {f"openai-gateway:{key}": given[key] for key in given}
        (tmp_path / "Pulumi.sandbox.yaml").write_text(yaml.safe_dump({"config": config}), encoding="utf-8")

    return write


def test_every_key_is_replaced_and_no_call_fails(
    stack: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    entra = {"name": "entra", "path": "e/openai", "auth": "entra", "entra": {"backendAuth": "key"}}
    stack(auth="key", key={"source": "key-vault"}, apis=[{"name": "openai", "path": "openai"}, entra])

    assert main(["rotate", "--json"]) == 0

    done = json.loads(capsys.readouterr().out)
    account = done["steps"][1]["does"].removeprefix("regenerate key1 of account ")
    assert [step["does"] for step in done["steps"]] == [
        "present key2",
        f"regenerate key1 of account {account}",
        "present key1",
        f"regenerate key2 of account {account}",
        "regenerate the secondary key of subscription openai-callers",
        "put the new keys where callers find them",
        "callers move to the secondary key",
        "regenerate the primary key of subscription openai-callers",
        "put the new keys where callers find them",
        "callers move to the primary key",
    ]
    assert all(step["calls"] >= 6 and step["failed"] == 0 for step in done["steps"])
    assert done["failed"] == 0


def test_callers_of_an_api_that_leaves_its_keys_to_teams_present_a_teams(
    stack: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    stack(
        apis=[{"name": "openai", "path": "openai", "ownSubscription": False}],
        teams=[{"name": "red", "apis": ["openai"]}],
    )

    assert main(["rotate", "--json"]) == 0

    steps = json.loads(capsys.readouterr().out)["steps"]
    assert steps[0]["does"] == "regenerate the secondary key of subscription red_default"
    assert all(step["calls"] >= 3 and step["failed"] == 0 for step in steps)


def test_a_dry_run_lists_the_steps(stack: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    stack()

    assert main(["rotate", "--dry-run"]) == 0

    assert capsys.readouterr().out.splitlines()[0] == "1. regenerate the secondary key of subscription openai-callers"


def test_a_stack_without_any_key_has_nothing_to_rotate(
    stack: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    stack(auth="entra")

    assert main(["rotate"]) == 2

    assert "stack sandbox has no key to rotate: neither accounts nor callers use one" in capsys.readouterr().err


def test_a_key_is_set_where_the_config_names_it() -> None:
    config: dict[str, Any] = {"openai-gateway:apis": [{"name": "a"}, {"name": "b", "key": {"source": "key-vault"}}]}
    paths = (("openai-gateway:key", "accountKey"), ("openai-gateway:apis", 1, "key", "accountKey"))

    changed = with_key(config, paths, "key2")

    assert changed == {
        "openai-gateway:key": {"accountKey": "key2"},
        "openai-gateway:apis": [{"name": "a"}, {"name": "b", "key": {"source": "key-vault", "accountKey": "key2"}}],
    }
    assert "accountKey" not in config["openai-gateway:apis"][1]["key"]
