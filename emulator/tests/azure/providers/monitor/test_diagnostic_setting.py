"""Diagnostic settings: where a service sends its logs, and what Azure Monitor refuses."""

from typing import Any

import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import Azure

LOGS = [{"category": "GatewayLogs", "enabled": True}, {"category": "GatewayLlmLogs", "enabled": False}]


@pytest.fixture
def workspace_id(azure: Azure) -> str:
    azure.service()
    return azure.workspace()[0]


def setting(azure: Azure, name: str = "logs", **inputs: Any) -> str:
    workspace = azure.cloud.workspaces()[0].id
    given = {"resourceUri": azure.service_id(), "workspaceId": workspace, "logs": LOGS}
    return azure.create("monitor:DiagnosticSetting", name=name, **given | inputs)[0]


def sent(azure: Azure) -> dict[str, int]:
    """Number of workspaces that each category of logs goes to."""
    return {category: len(found) for category, found in azure.cloud.gateways()[0].log_workspaces.items() if found}


@pytest.mark.usefixtures("workspace_id")
def test_categories_that_are_enabled_go_to_the_workspace(azure: Azure) -> None:
    made = setting(azure)

    assert sent(azure) == {"GatewayLogs": 1}
    azure.change("monitor:DiagnosticSetting", made, logs=[{"categoryGroup": "allLogs", "enabled": True}])
    assert {"GatewayLogs", "GatewayLlmLogs"} <= set(sent(azure))
    azure.cloud.delete(made)
    assert sent(azure) == {}


@pytest.mark.usefixtures("workspace_id")
@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        pytest.param({"workspaceId": None}, "at least one data sink needs to be specified", id="no sink"),
        pytest.param({"workspaceId": "/subscriptions/s"}, "/subscriptions/s", id="no such workspace"),
        pytest.param({"resourceUri": "/subscriptions/s/absent"}, "absent", id="no such resource"),
        pytest.param(
            {"logs": [{"category": "Gateway", "enabled": True}]}, "Category 'Gateway' is not supported", id="category"
        ),
        pytest.param(
            {"logs": [{"categoryGroup": "all", "enabled": True}]}, "Category group 'all' is not supported", id="group"
        ),
        pytest.param({"logs": [{"enabled": True}]}, "needs either category or categoryGroup", id="neither"),
        pytest.param(
            {"metrics": [{"category": "Capacity", "enabled": True}]},
            "supported categories are: 'AllMetrics'",
            id="metrics",
        ),
        pytest.param({"logAnalyticsDestinationType": "Own"}, "is not one of Dedicated, AzureDiagnostics", id="tables"),
        pytest.param({"name": "a/b"}, "name 'a/b' does not match", id="name"),
    ],
)
def test_it_refuses(azure: Azure, inputs: dict[str, Any], told: str) -> None:
    with pytest.raises(CloudError, match=told):
        setting(azure, **inputs)


def test_a_category_goes_to_a_workspace_once(azure: Azure, workspace_id: str) -> None:
    setting(azure)

    with pytest.raises(CloudError, match=f"Data sink '{workspace_id}' is already used in diagnostic setting 'logs'"):
        setting(azure, "others")

    setting(azure, "others", logs=[{"category": "GatewayLlmLogs", "enabled": True}])
    assert sent(azure) == {"GatewayLogs": 1, "GatewayLlmLogs": 1}


def test_consumption_has_no_logs(azure: Azure) -> None:
    azure.service(sku={"name": "Consumption", "capacity": 0})
    azure.workspace()

    with pytest.raises(CloudError, match="not supported in SkuType Consumption"):
        setting(azure)
