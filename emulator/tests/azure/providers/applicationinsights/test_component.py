"""Application Insights components: what they need, and the property that a template alone reaches."""

from typing import Any

import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import Azure

TOKEN = "azure-native:applicationinsights:Component"


@pytest.fixture
def azure(azure: Azure) -> Azure:
    azure.workspace()
    return azure


def write(azure: Azure, name: str = "appi-contoso", **properties: Any) -> None:
    resource = {
        "type": "Microsoft.Insights/components",
        "apiVersion": "2020-02-02",
        "name": name,
        "kind": "web",
        "properties": {"Application_Type": "web", **properties},
    }
    template = {"mode": "Incremental", "template": {"resources": [resource]}}
    azure.create("resources:Deployment", resourceGroupName="rg", deploymentName="write", properties=template)


def test_it_keeps_its_data_in_a_workspace(azure: Azure) -> None:
    made, outputs = azure.component(disableLocalAuth=True)

    (component,) = azure.cloud.components()
    assert (component.id, component.workspace_id) == (made, azure.cloud.workspaces()[0].id)
    assert not component.local_auth
    assert outputs["connectionString"].startswith(f"InstrumentationKey={outputs['instrumentationKey']};")


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        pytest.param({"workspaceResourceId": None}, "components without a workspace are retired", id="no workspace"),
        pytest.param({"workspaceResourceId": "/subscriptions/s"}, "/subscriptions/s", id="no such workspace"),
        pytest.param({"name": "appi."}, "resourceName 'appi.' does not match", id="a dot at the end"),
        pytest.param({"applicationType": "ios"}, "applicationType 'ios' is not one of web, other", id="type"),
        pytest.param({"disableLocalAuthentication": True}, "did you mean disableLocalAuth", id="unknown"),
    ],
)
def test_it_refuses(azure: Azure, inputs: dict[str, Any], told: str) -> None:
    with pytest.raises(CloudError, match=told):
        azure.component(**inputs)


def test_a_template_sets_what_azure_native_does_not_read(azure: Azure) -> None:
    made, _ = azure.component()
    read = azure.cloud.read(TOKEN, made)

    write(azure, CustomMetricsOptedInType="WithDimensions", DisableLocalAuth=True)

    assert azure.cloud.read(TOKEN, made) == read | {"disableLocalAuth": True}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param({"CustomMetricsOptedInType": "On"}, "'On' is not one of WithDimensions", id="value"),
        pytest.param({"name": "absent"}, "absent", id="no component"),
        pytest.param({"CustomMetrics": "On"}, "customMetrics is not a property of this type", id="unknown"),
    ],
)
def test_a_template_is_checked_like_the_resource(azure: Azure, given: dict[str, Any], told: str) -> None:
    azure.component()

    with pytest.raises(CloudError, match=told):
        write(azure, **given)


def test_a_template_leaves_a_component_to_who_made_it(azure: Azure) -> None:
    place = {"resourceGroupName": "rg", "resourceName": "appi-contoso"}
    inputs = {**place, "kind": "web", "workspaceResourceId": azure.cloud.workspaces()[0].id}
    made, _ = azure.cloud.create(TOKEN, "insights", inputs, owner="urn:insights")

    write(azure, Application_Type="web", CustomMetricsOptedInType="WithDimensions")

    assert azure.cloud.owned_by("urn:insights") == [made]
