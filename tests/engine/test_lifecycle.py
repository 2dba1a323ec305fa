from collections.abc import Callable, Iterator

import pytest

from tests.engine.stack import Stack
from tests.modes import GROUP, MODES

SUBSCRIPTION = "openai-subscription"


def test_up_again_changes_nothing(stack: Stack) -> None:
    stack.assert_in_step()

    stack.up("--expect-no-changes")
    stack.expect_no_changes()


def test_a_preview_creates_nothing(new_stack: Callable[[str], Stack]) -> None:
    stack = new_stack("entra-identity")

    said = stack.run("preview")

    assert "to create" in said
    assert not stack.kept()


WALKED = ("key-named-value-backend", "key-key-vault-header", "identity-user-assigned", "entra-identity", "jwt-key")


def transitions(modes: tuple[str, ...]) -> Iterator[str]:
    """Walk that goes from each mode to each other once, back to where it began."""
    steps = {mode: [other for other in modes if other != mode] for mode in modes}
    path, walk = [modes[0]], []
    while path:
        if steps[path[-1]]:
            path.append(steps[path[-1]].pop())
        else:
            walk.append(path.pop())
    return reversed(walk)


def test_a_change_of_config_moves_a_stack_from_each_mode_to_each_other(new_stack: Callable[[str], Stack]) -> None:
    first, *others = transitions(WALKED)
    stack = new_stack(first)
    stack.up()
    moves = {(first, first)}

    for before, after in zip([first, *others], others, strict=False):
        stack.configure(after)
        stack.up()
        stack.assert_in_step()
        stack.up("--expect-no-changes", "--skip-preview")
        moves.add((before, after))

    assert len(moves) == 1 + len(WALKED) * (len(WALKED) - 1)


@pytest.mark.parametrize("mode", sorted(set(MODES) - set(WALKED)))
def test_a_mode_is_deployed_and_destroyed(new_stack: Callable[[str], Stack], mode: str) -> None:
    stack = new_stack(mode)
    stack.provide_shared()

    stack.up()
    stack.expect_no_changes()
    stack.assert_in_step()
    stack.run("destroy", "--yes")

    assert not stack.resources()
    stack.assert_in_step()


def test_the_callers_key_survives_a_change_of_mode(stack: Stack) -> None:
    before = stack.run("stack", "output", "openaiSubscriptionKey", "--show-secrets")

    stack.configure("entra-key", apis=[{"name": "openai", "path": "openai", "subscriptionRequired": True}])
    stack.up("--skip-preview")

    assert stack.run("stack", "output", "openaiSubscriptionKey", "--show-secrets") == before


def test_a_change_behind_the_engine_s_back_is_found_and_undone(stack: Stack) -> None:
    cloud, service = stack.cloud(), stack.resources()[stack.urn("gateway-service")]
    cloud.update(service["type"], service["id"], {**service["inputs"], "tags": {"environment": "somebody else's"}})

    stack.run("preview", "--refresh", "--expect-no-changes", fails=True)
    said = stack.run("refresh", "--yes")
    assert "1 updated" in said
    assert stack.resources()[stack.urn("gateway-service")]["inputs"]["tags"] == {"environment": "somebody else's"}
    stack.up()

    assert cloud.read(service["type"], service["id"])["tags"] == service["outputs"]["tags"]
    stack.expect_no_changes()


def test_what_somebody_deleted_is_found_and_made_again(stack: Stack) -> None:
    found = stack.resources()[stack.urn(SUBSCRIPTION)]
    stack.cloud().delete(found["id"])

    stack.run("refresh", "--yes")
    assert stack.urn("openai-api")
    assert not [urn for urn in stack.resources() if urn.endswith(SUBSCRIPTION)]
    stack.up()

    stack.assert_in_step()
    stack.expect_no_changes()


def test_an_adopted_resource_is_imported(stack: Stack) -> None:
    urn = stack.urn(SUBSCRIPTION)
    found = stack.resources()[urn]
    stack.run("state", "delete", urn, "--yes")

    stack.run(
        "import",
        found["type"],
        SUBSCRIPTION,
        found["id"],
        "--parent",
        f"parent={found['parent']}",
        "--yes",
        "--protect=false",
        "--generate-code=false",
    )

    assert stack.resources()[urn]["inputs"] == found["inputs"]
    stack.up("--expect-no-changes")


def test_a_resource_of_somebody_else_is_imported(stack: Stack) -> None:
    stack.provide_shared()
    account = "azure-native:cognitiveservices:Account"
    (shared,) = [key for key in stack.kept() if key.endswith("/accounts/oai-shared")]

    stack.run("import", account, "shared", shared, "--yes", "--protect=false", "--generate-code=false")

    inputs = stack.resources()[stack.urn("shared")]["inputs"]
    assert (inputs["accountName"], inputs["resourceGroupName"]) == ("oai-shared", GROUP)
    stack.run("refresh", "--yes", "--expect-no-changes")


def test_a_name_that_is_taken_is_refused_by_name(stack: Stack) -> None:
    urn = stack.urn(SUBSCRIPTION)
    found = stack.resources()[urn]
    stack.run("state", "delete", urn, "--yes")
    stack.cloud().delete(found["id"])
    stack.cloud().create(found["type"], "somebody else's", found["inputs"])

    assert f"{found['type']} {SUBSCRIPTION} {found['id']}" in stack.up(fails=True)
    assert "cannot create already existing resource" in stack.up("--skip-preview", fails=True)


def test_a_failure_keeps_what_was_created_before_it(new_stack: Callable[[str], Stack]) -> None:
    stack = new_stack("identity-system-assigned")

    said = stack.up(fails=True, faults={"fail": {"azure-native:apimanagement:Api": "InternalServerError"}})

    assert "InternalServerError" in said
    assert stack.urn("gateway-service")
    stack.assert_in_step()
    stack.up()
    stack.assert_in_step()


def test_a_plugin_that_crashes_loses_nothing(new_stack: Callable[[str], Stack]) -> None:
    stack = new_stack("identity-system-assigned")

    stack.up("--skip-preview", fails=True, faults={"crash_after": 5})
    stack.up("--skip-preview")  # a preview would take what is not in the state for somebody else's, see `make up`

    stack.assert_in_step()
    stack.expect_no_changes()


def test_a_targeted_destroy_takes_the_target_alone(stack: Stack) -> None:
    before = stack.resources()

    stack.run("destroy", "--yes", "--target", stack.urn(SUBSCRIPTION))

    gone = before.keys() - stack.resources().keys()
    assert [urn.rsplit("::", 1)[1] for urn in gone] == [SUBSCRIPTION]
    stack.assert_in_step()
    stack.up()
    stack.expect_no_changes()


def test_a_stack_that_was_destroyed_is_made_again_while_its_names_are_still_taken(stack: Stack) -> None:
    stack.run("destroy", "--yes")
    assert not stack.kept()

    stack.up("--skip-preview")

    stack.assert_in_step()
    stack.expect_no_changes()
