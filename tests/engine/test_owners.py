"""An app registration through the hands of several deployers, each with the least role that is documented."""

from collections.abc import Callable
from typing import Any

import pytest

from apim_emulator.azure import Deployer
from tests.engine.stack import Stack
from tests.modes import ENTRA

DENIED = "Insufficient privileges to complete the operation."


@pytest.fixture
def entra(new_stack: Callable[[str], Stack]) -> Stack:
    """A stack with an app registration, deployed by a person with the role Application Developer."""
    made = new_stack("entra-identity")
    made.up("--skip-preview")
    return made


def owners(stack: Stack) -> list[list[str]]:
    """Owners of the application and of its service principal, as the directory has them."""
    kept = {
        key.split("/")[1]: body for key, body in stack.kept().items() if body["owner"] and body["outputs"].get("owners")
    }
    return [kept[kind]["outputs"]["owners"] for kind in ("applications", "servicePrincipals")]


def object_id(stack: Stack, deployer: Deployer) -> str:
    return stack.cloud().acting_as(deployer).deployer_object_id


def name_owners(stack: Stack, *named: str, **more: Any) -> None:
    stack.configure("entra-identity", entra={**ENTRA, "owners": list(named), **more})


@pytest.mark.parametrize("deployer", [Deployer.DEVELOPER, Deployer.PIPELINE])
def test_the_least_roles_bring_a_registration_up_and_down(
    new_stack: Callable[[str], Stack], deployer: Deployer
) -> None:
    stack = new_stack("entra-identity")
    stack.sign_in(deployer)

    stack.up("--skip-preview")
    assert owners(stack) == [[object_id(stack, deployer)]] * 2
    stack.configure("entra-identity", entra={**ENTRA, "scopes": ["access_as_user", "embed"]})
    stack.up("--skip-preview")
    stack.expect_no_changes()
    stack.run("destroy", "--yes")

    assert not stack.resources()


def test_who_runs_it_next_changes_no_owners(entra: Stack) -> None:
    person, pipeline = (object_id(entra, deployer) for deployer in (Deployer.DEVELOPER, Deployer.PIPELINE))

    entra.sign_in(Deployer.PIPELINE)
    entra.up("--expect-no-changes", "--skip-preview")
    name_owners(entra, pipeline)
    entra.sign_in(Deployer.DEVELOPER)
    said = entra.up("--expect-no-changes", "--skip-preview")
    assert f"does not include the deployer, {person}" in said

    assert owners(entra) == [[person]] * 2


def test_a_pipeline_takes_over_once_an_owner_has_named_both(entra: Stack) -> None:
    person, pipeline = (object_id(entra, deployer) for deployer in (Deployer.DEVELOPER, Deployer.PIPELINE))

    name_owners(entra, person, pipeline)
    entra.sign_in(Deployer.PIPELINE)
    assert DENIED in entra.up("--skip-preview", fails=True)
    assert owners(entra) == [[person]] * 2
    entra.sign_in(Deployer.DEVELOPER)
    entra.up("--skip-preview")
    assert owners(entra) == [[person, pipeline]] * 2

    entra.sign_in(Deployer.ADMINISTRATOR)
    entra.expect_no_changes()
    entra.sign_in(Deployer.PIPELINE)
    entra.expect_no_changes()
    name_owners(entra, pipeline, assignmentRequired=True)
    entra.up("--skip-preview")
    assert owners(entra) == [[pipeline]] * 2
    entra.run("destroy", "--yes")
    assert not entra.resources()
