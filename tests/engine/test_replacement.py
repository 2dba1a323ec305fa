"""What Pulumi replaces comes back under another name, since Azure keeps the old one for a while; or not at all."""

import json
from collections.abc import Callable
from typing import Any

import yaml

from tests.engine.stack import Stack

UNASKED = {
    "developerPortalStatus",
    "disableGateway",
    "enableClientCertificate",
    "legacyPortalStatus",
    "natGatewayState",
    "restore",
    "virtualNetworkType",
}
"""Inputs of a service for which the SDK has a default."""

NAMES = {
    "ApiManagementService": "serviceName",
    "Account": "accountName",
    "Vault": "vaultName",
}


def names(stack: Stack) -> dict[str, str]:
    """Names of what Azure soft-deletes, by type."""
    found = {entry["type"].rsplit(":", 1)[1]: entry["inputs"] for entry in stack.resources().values()}
    return {kind: found[kind][key] for kind, key in NAMES.items() if kind in found}


def move(stack: Stack, location: str) -> None:
    path = stack.folder / "Pulumi.sandbox.yaml"
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["config"]["azure-native:location"] = location
    path.write_text(yaml.safe_dump(document), encoding="utf-8")


def forget_triggers(stack: Stack) -> None:
    """Leave the state as a version without replacement triggers left it."""
    exported = json.loads(stack.run("stack", "export"))
    removed = [entry.pop("replacementTrigger", None) for entry in exported["deployment"]["resources"]]
    assert any(removed)
    file = stack.folder / "state.json"
    file.write_text(json.dumps(exported), encoding="utf-8")
    stack.run("stack", "import", "--file", str(file))


def test_another_location_moves_everything_under_new_names(new_stack: Callable[[str], Stack]) -> None:
    stack = new_stack("key-key-vault-backend")
    stack.up("--skip-preview")
    before = names(stack)
    assert before.keys() == NAMES.keys()

    move(stack, "francecentral")
    stack.up()

    after = names(stack)
    assert not set(before.values()) & set(after.values())
    moved = [entry["inputs"]["location"] for entry in stack.resources().values() if "location" in entry["inputs"]]
    assert sorted(moved) == ["francecentral"] * 3 + ["swedencentral"]  # the config says where the account is
    stack.assert_in_step()
    stack.up("--expect-no-changes", "--skip-preview")


def test_what_the_program_leaves_to_the_service_never_reaches_the_provider(stack: Stack) -> None:
    inputs = stack.resources()[stack.urn("gateway-service")]["inputs"]

    assert not UNASKED & inputs.keys()


def test_a_stack_without_triggers_keeps_its_names(stack: Stack) -> None:
    before = names(stack)
    forget_triggers(stack)

    stack.up("--expect-no-changes")

    assert names(stack) == before
    move(stack, "francecentral")
    stack.up("--skip-preview")
    assert not set(before.values()) & set(names(stack).values())


def test_what_is_protected_is_neither_moved_nor_destroyed(stack: Stack) -> None:
    stack.configure("identity-system-assigned", protect=True)
    stack.up("--skip-preview")
    protected = {entry["urn"].rsplit("::", 1)[1] for entry in stack.state()["resources"] if entry.get("protect")}
    before = stack.kept()

    move(stack, "francecentral")
    refused = stack.up("--skip-preview", fails=True)
    stack.run("destroy", "--yes", fails=True)

    assert protected == {"openai-gateway", "gateway-service", "openai-swedencentral-account"}
    assert "marked for protection" in refused
    assert stack.kept() == before
