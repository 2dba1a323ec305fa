"""Tables of workspaces: those of Azure exist, and how long each keeps its rows."""

from typing import Any

import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import Azure

LLM = "ApiManagementGatewayLlmLog"
COLUMNS = {"name": "Own_CL", "columns": [{"name": "TimeGenerated", "type": "datetime"}]}


@pytest.fixture
def azure(azure: Azure) -> Azure:
    azure.workspace()
    return azure


def table(azure: Azure, name: str, **inputs: Any) -> tuple[str, dict[str, Any]]:
    place = {"resourceGroupName": "rg", "workspaceName": "log-contoso", "tableName": name}
    return azure.create("operationalinsights:Table", **place | inputs)


def write(azure: Azure, name: str = f"log-contoso/{LLM}", **properties: Any) -> str:
    kind = "Microsoft.OperationalInsights/workspaces/tables"
    resource = {"type": kind, "apiVersion": "2023-09-01", "name": name, "properties": properties}
    template = {"mode": "Incremental", "template": {"resources": [resource]}}
    return azure.create("resources:Deployment", resourceGroupName="rg", deploymentName="days", properties=template)[0]


def test_azures_own_exist_so_they_are_not_created(azure: Azure) -> None:
    with pytest.raises(CloudError, match="cannot create already existing resource"):
        table(azure, LLM, retentionInDays=7)


def test_a_template_writes_them_nevertheless(azure: Azure) -> None:
    deployment = write(azure, retentionInDays=7, totalRetentionInDays=7)

    assert azure.cloud.workspaces()[0].tables[LLM] == 7
    azure.cloud.delete(deployment)
    assert azure.cloud.workspaces()[0].tables[LLM] == 7


def test_a_table_of_ones_own_is_created_with_its_columns(azure: Azure) -> None:
    _, outputs = table(azure, "Own_CL", schema=COLUMNS, totalRetentionInDays=90)

    assert (outputs["retentionInDays"], outputs["archiveRetentionInDays"]) == (30, 60)


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        pytest.param({"retentionInDays": 3}, "retentionInDays 3 is not 4 to 730", id="too short"),
        pytest.param({"retentionInDays": 731}, "retentionInDays 731 is not 4 to 730", id="too long"),
        pytest.param(
            {"retentionInDays": 60, "totalRetentionInDays": 30}, "totalRetentionInDays 30 is not 60", id="in all"
        ),
        pytest.param({"plan": "Free"}, "plan 'Free' is not one of Analytics, Basic", id="plan"),
        pytest.param({"days": 7}, "days is not a property of this type", id="unknown"),
    ],
)
def test_it_refuses(azure: Azure, properties: dict[str, Any], told: str) -> None:
    with pytest.raises(CloudError, match=told):
        write(azure, **properties)


def test_a_table_of_ones_own_needs_its_columns(azure: Azure) -> None:
    with pytest.raises(CloudError, match="Own_CL"):
        table(azure, "Own_CL")
