"""A model's version that Azure moves on is no drift, and one that is pinned is."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from apim_emulator.azure import Cloud
from tests.engine.stack import Stack

DEPLOYMENT = "azure-native:cognitiveservices:Deployment"


def upgrade(cloud: Cloud, resource_id: str, version: str) -> None:
    """Do as Azure does when a new version becomes the default."""
    inputs: dict[str, Any] = cloud.inputs_of(DEPLOYMENT, resource_id)
    properties = {**inputs["properties"], "model": {**inputs["properties"]["model"], "version": version}}
    cloud.update(DEPLOYMENT, resource_id, {**inputs, "properties": properties})


@pytest.mark.parametrize(
    ("options", "drifts"),
    [
        pytest.param({}, False, id="no version"),
        pytest.param(
            {"version": "2024-08-06", "versionUpgrade": "OnceNewDefaultVersionAvailable"}, False, id="one to begin with"
        ),
        pytest.param({"version": "2024-08-06"}, True, id="pinned"),
    ],
)
def test_only_a_pinned_version_is_put_back(
    new_stack: Callable[[str], Stack], options: dict[str, str], *, drifts: bool
) -> None:
    stack = new_stack("identity-system-assigned")
    stack.configure(
        "identity-system-assigned", openai={"deployments": [{"name": "gpt-4o", "model": "gpt-4o", **options}]}
    )
    stack.up("--skip-preview")
    (deployment,) = [found for found in stack.resources().values() if found["type"] == DEPLOYMENT]

    upgrade(stack.cloud(), deployment["id"], "2024-11-20")
    said = stack.run("preview", "--refresh", "--json")

    steps = [step["op"] for step in json.loads(said)["steps"] if step["urn"].endswith("::openai-account-gpt-4o")]
    assert ("update" in steps) == drifts
    stack.up("--refresh", "--skip-preview")
    body = stack.kept()[deployment["id"]]
    assert body["outputs"]["properties"]["model"]["version"] == ("2024-08-06" if drifts else "2024-11-20")
