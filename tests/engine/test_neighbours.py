"""Two stacks on one adopted service and account: each has what it made, and neither touches the other's."""

from collections.abc import Callable
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
