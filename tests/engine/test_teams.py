"""Teams come, change and go: the engine's own list of changes names nobody else's resources."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.stack import Stack

MODE = "identity-system-assigned"
LIMITS = [{"per": "product", "tokensPerMinute": 1000}]
ONE: dict[str, Any] = {"name": "one", "apis": ["openai"], "limits": LIMITS}
TWO: dict[str, Any] = {"name": "two", "apis": ["openai"], "models": ["gpt-5.6-luna"], "subscriptions": ["app", "batch"]}
THREE: dict[str, Any] = {"name": "three", "apis": ["openai"], "limits": LIMITS, "keys": {"vault": True}}
OF_THREE = {
    "three",
    "three-product",
    "three-product-policy",
    "three_openai-link",
    "three_default-subscription",
    "three-kv-suffix",
    "three-vault",
    "three_default-primary-key-suffix",
    "three_default-primary-secret",
    "three_default-secondary-key-suffix",
    "three_default-secondary-secret",
}


@pytest.fixture
def two(new_stack: Callable[[str], Stack]) -> Stack:
    """A stack with two teams."""
    made = new_stack(MODE)
    made.configure(MODE, teams=[ONE, TWO])
    made.up("--skip-preview")
    return made


def changes(stack: Stack) -> dict[str, str]:
    """What the engine is about to do, by the name of the resource; what stays the same is left out."""
    listed = json.loads(stack.run("preview", "--json", "--suppress-outputs"))
    return {
        step["urn"].rsplit("::", 1)[1]: step["op"]
        for step in listed["steps"]
        if step["op"] != "same" and "pulumi:pulumi:Stack" not in step["urn"]
    }


def test_a_third_team_changes_its_own_resources_alone(two: Stack) -> None:
    before, state = two.kept(), two.resources()
    two.configure(MODE, teams=[ONE, TWO, THREE])

    assert changes(two) == dict.fromkeys(OF_THREE, "create")
    two.up("--skip-preview")
    two.expect_no_changes()
    assert {key: body for key, body in two.kept().items() if key in before} == before

    two.configure(MODE, teams=[ONE, {**TWO, "models": ["text-embedding-3-large"]}, THREE])
    assert changes(two) == {"two-product-policy": "update"}

    two.configure(MODE, teams=[ONE, TWO])
    assert changes(two) == dict.fromkeys(OF_THREE, "delete")
    two.up("--skip-preview")
    two.expect_no_changes()
    assert two.resources().keys() == state.keys()

    two.configure(MODE, teams=[ONE, TWO, THREE])
    said = two.run("preview", fails=True)
    assert "/products/three" in said
    assert "pulumi import" in said
