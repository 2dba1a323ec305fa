"""Two stacks on one adopted service and account: each has what it made, and neither touches the other's."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.stack import Stack
from tests.modes import EXISTING, GROUP

MODE = "existing-gateway-and-account"
TEAM: dict[str, Any] = {
    "gateway": {"existing": EXISTING, "namePrefix": "team-"},
    "openai": {"accounts": [{"existing": {"name": "oai-shared", "resourceGroup": GROUP, "roleAssigned": True}}]},
    "apis": [{"name": "openai", "path": "team/openai"}],
}


@pytest.fixture
def first(new_stack: Callable[[str], Stack]) -> Stack:
    """The stack that came first."""
    made = new_stack(MODE)
    made.provide_shared()
    made.up("--skip-preview")
    return made


@pytest.fixture
def second(first: Stack) -> Stack:
    """Another team's stack, not deployed yet."""
    return first.neighbour("team", MODE)


def test_two_stacks_stand_on_one_service(first: Stack, second: Stack) -> None:
    second.configure(MODE, **TEAM)

    second.up()
    second.assert_in_step()
    second.expect_no_changes()
    first.expect_no_changes()
    second.run("destroy", "--yes")

    first.assert_in_step()
    first.expect_no_changes()
    assert not second.resources()


def test_what_another_stack_has_is_told_with_both_remedies_before_anything_is_created(
    first: Stack, second: Stack
) -> None:
    before = first.kept()

    said = second.run("up", "--yes", fails=True)

    assert second.resources().keys() == set()
    assert first.kept() == before
    assert "gateway.namePrefix" in said
    assert "roleAssigned" in said
    assert "pulumi import" in said
    assert "Traceback" not in said


def test_without_a_preview_the_provider_refuses_what_exists(first: Stack, second: Stack) -> None:
    said = second.up("--skip-preview", fails=True)

    assert "cannot create already existing resource" in said
    first.expect_no_changes()


def test_what_is_ones_own_is_taken_over_by_an_import(first: Stack, second: Stack, tmp_path: Path) -> None:
    components = [
        {"type": "openai-gateway:index:ManagedIdentityApi", "name": "openai", "component": True},
        {"type": "openai-gateway:index:OpenAIBackend", "name": "backend", "logicalName": "openai", "component": True},
    ]
    told = re.findall(r"^ +(azure-native:\S+) (\S+) (/subscriptions/\S+)$", second.up(fails=True), re.MULTILINE)
    of_api = ("azure-native:apimanagement:Api", "azure-native:apimanagement:Subscription")
    children = [
        {"type": kind, "name": name, "id": id_, "parent": "openai" if kind in of_api else "backend"}
        for kind, name, id_ in told
    ]
    file = tmp_path / "import.json"
    file.write_text(json.dumps({"resources": [*components, *children]}), encoding="utf-8")

    second.run("import", "--yes", "--file", str(file), "--protect=false", "--generate-code=false")
    second.run("preview")

    assert {urn.rsplit("::", 1)[1] for urn in second.resources()} >= {name for _, name, _ in told} != set()
