"""A key in Key Vault under the real engine, with the roles that the README asks of who deploys."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.stack import Stack
from tests.modes import GROUP, POOL

ADOPTED = {
    "source": "key-vault",
    "vault": {"existing": {"name": "kv-shared", "resourceGroup": GROUP}, "secretsOfficer": True},
}


def take_officers_away(stack: Stack) -> list[dict[str, Any]]:
    """Delete the deployer's role on the adopted vault, and return what to create to give it back."""
    found = [body for key, body in stack.kept().items() if "/vaults/kv-shared/providers/" in key and not body["owner"]]
    for assignment in found:
        stack.cloud().delete(assignment["id"])
    return [assignment["inputs"] for assignment in found]


def secrets(stack: Stack) -> list[dict[str, Any]]:
    return [found for found in stack.resources().values() if found["type"] == "azure-native:keyvault:Secret"]


@pytest.fixture
def stack(new_stack: Callable[[str], Stack]) -> Stack:
    """A stack whose key is in a vault of its own."""
    made = new_stack("key-key-vault-backend")
    made.up("--skip-preview")
    return made


def test_a_stack_is_destroyed_without_a_role_in_its_own_vault(stack: Stack) -> None:
    stack.run("destroy", "--yes")

    assert not stack.resources()
    stack.assert_in_step()


def test_accounts_come_and_go_without_a_role_in_the_stacks_own_vault(stack: Stack) -> None:
    stack.configure("key-key-vault-backend", openai=POOL)
    stack.up("--skip-preview")
    assert len(secrets(stack)) == 2

    stack.configure("key-key-vault-backend")
    stack.up("--skip-preview")
    assert len(secrets(stack)) == 1
    stack.expect_no_changes()

    stack.run("destroy", "--yes")
    stack.assert_in_step()


def test_from_a_vault_of_its_own_to_an_adopted_one_and_out_of_key_vault(stack: Stack) -> None:
    stack.provide_shared()

    stack.configure("key-key-vault-backend", key=ADOPTED)
    stack.up("--skip-preview")
    (secret,) = secrets(stack)
    assert secret["inputs"]["vaultName"] == "kv-shared"
    stack.assert_in_step()

    stack.configure("key-named-value-backend")
    (officer,) = take_officers_away(stack)
    assert "Caller is not authorized to perform action on resource" in stack.up("--skip-preview", fails=True)
    stack.cloud().create("azure-native:authorization:RoleAssignment", "officer", officer)
    stack.up("--skip-preview")
    assert not secrets(stack)

    stack.configure("key-key-vault-backend", key=ADOPTED)
    stack.up("--skip-preview")
    (again,) = secrets(stack)
    assert again["id"] == secret["id"]
    stack.expect_no_changes()


def test_a_role_that_takes_its_time_is_waited_for(new_stack: Callable[[str], Stack]) -> None:
    stack = new_stack("key-key-vault-header")

    said = stack.up("--skip-preview", faults={"role_delay": 1.0})

    assert "Key Vault refuses the gateway until its new role takes effect" in said
    assert "retrying create due to on-error hook request (1/100)" in said
    stack.assert_in_step()
    assert "Key Vault refuses" not in stack.up("--expect-no-changes")


@pytest.mark.parametrize("rotation", ["versioned", "refresh"])
def test_the_keys_are_rotated_by_two_runs_of_up(new_stack: Callable[[str], Stack], rotation: str) -> None:
    stack = new_stack("key-key-vault-backend")
    key = {"source": "key-vault", "rotation": rotation}
    stack.configure("key-key-vault-backend", key=key)
    stack.up("--skip-preview")
    (account,) = stack.cloud().accounts()

    def presented() -> str:
        (gateway,) = stack.cloud().gateways()
        return gateway.named_values["openai-api-key"]

    assert presented() == account.keys[0]
    stack.configure("key-key-vault-backend", key={**key, "accountKey": "key2"})
    stack.up("--skip-preview")
    assert presented() == account.keys[1]
    stack.cloud().regenerate_key(account.id, "key1")
    stack.configure("key-key-vault-backend", key=key)
    stack.up("--skip-preview")
    assert presented() == stack.cloud().accounts()[0].keys[0] != account.keys[0]
    stack.expect_no_changes()
