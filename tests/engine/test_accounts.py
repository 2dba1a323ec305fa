"""What happens to the backends of a stack whose accounts become more or fewer."""

from collections.abc import Callable

import pytest

from tests.engine.stack import Stack

ALONE = {"openai-backend-swedencentral"}
POOLED = {"openai-backend-swedencentral", "openai-backend-francecentral", "openai-pool"}
FORMERLY = (
    ('child = f"{stem}-{account.key}"', 'child = f"{stem}-{account.key}" if pooled else stem'),
    ("    if len(members) == 1:", '    name = name.replace("-pool", "-backend")\n    if len(members) == 1:'),
)
"""How the backends of an API's accounts were named before a pool had an ID of its own."""


def backends(stack: Stack) -> set[str]:
    """Names of the backends without a credential."""
    kept = [key.rpartition("/backends/")[2] for key in stack.kept() if "/backends/" in key]
    return {name for name in kept if "-key-" not in name}


def policy(stack: Stack) -> str:
    (found,) = [body for key, body in stack.kept().items() if key.endswith("/apis/openai/policies/policy")]
    return str(found["outputs"]["value"])


def test_a_second_account_joins_and_leaves_while_the_policy_names_what_exists(
    new_stack: Callable[[str], Stack],
) -> None:
    stack = new_stack("identity-system-assigned")
    stack.up("--skip-preview")
    assert backends(stack) == ALONE

    for mode, expected, named in (
        ("identity-pool", POOLED, "openai-pool"),
        ("identity-system-assigned", ALONE, "openai-backend-swedencentral"),
    ):
        stack.configure(mode)
        stack.up()
        stack.assert_in_step()
        assert backends(stack) == expected
        assert f'backend-id="{named}"' in policy(stack)
    stack.up("--expect-no-changes", "--skip-preview")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param("key-named-value-backend", "key-named-value-backend", ALONE, id="one account"),
        pytest.param("identity-pool", "identity-pool", POOLED, id="a pool"),
        pytest.param("identity-system-assigned", "identity-pool", POOLED, id="one account and a second with it"),
    ],
)
def test_a_stack_of_before_moves_to_the_new_ids_with_its_next_up(
    new_stack: Callable[[str], Stack], before: str, after: str, expected: set[str]
) -> None:
    stack = new_stack(before)
    module = stack.folder / "components" / "_backends.py"
    today = module.read_text(encoding="utf-8")
    former = today
    for now, then in FORMERLY:
        assert now in former
        former = former.replace(now, then)
    module.write_text(former, encoding="utf-8")
    stack.up("--skip-preview")
    assert "openai-backend" in backends(stack)
    stack.configure(after)
    if before != after:
        assert "the type of a backend cannot be changed from Single to Pool" in stack.up("--skip-preview", fails=True)

    module.write_text(today, encoding="utf-8")
    stack.up("--skip-preview")

    assert backends(stack) == expected
    stack.assert_in_step()
    stack.up("--expect-no-changes", "--skip-preview")


def test_an_account_becomes_a_foundry_resource_in_place(new_stack: Callable[[str], Stack]) -> None:
    mode, account = "identity-system-assigned", "azure-native:cognitiveservices:Account"
    stack = new_stack(mode)
    stack.up("--skip-preview")
    (id_,) = [found["id"] for found in stack.resources().values() if found["type"] == account]
    inputs = stack.cloud().inputs_of(account, id_)

    stack.cloud().update(account, id_, {**inputs, "kind": "AIServices"})
    stack.expect_no_changes()
    stack.configure(mode, openai={"accounts": {"location": "swedencentral", "kind": "OpenAI"}})
    stack.up("--refresh", "--skip-preview")

    assert stack.kept()[id_]["outputs"]["kind"] == "OpenAI"
    stack.assert_in_step()
