import json
from typing import Any
from uuid import UUID

from components import Workbook
from queries import FOLDER
from tests.components.conftest import GROUP, SERVICE, Azure, exporting
from tests.deployed import Deployed, deploy_component
from tests.judges import errors_of_resource


def deploy(azure: Azure, name: str = "gateway") -> Deployed:
    workspace, _ = azure.create("operationalinsights:Workspace", {"workspaceName": f"logs-{name}"})
    group = workspace.partition("/providers/")[0]
    inputs: Any = {
        "resource_group_name": GROUP,
        "resource_group_id": group,
        "workspace_id": workspace,
        "service_id": f"{group}/providers/Microsoft.ApiManagement/service/{SERVICE}",
        "api_ids": ["openai"],
        "display_name": "Gateway",
        "deployments": {"chat": "gpt-4o"},
    }
    return deploy_component(exporting(lambda: Workbook(name, inputs), "workbook_id"), azure.cloud)


def test_its_queries_are_the_files(azure: Azure) -> None:
    inputs = deploy(azure).one("Workbook", "gateway-workbook").inputs

    items = json.loads(inputs["serializedData"])["items"][1:]
    assert [item["name"] for item in items] == ["cost", "tokens", "latency", "refusals"]
    assert {item["name"] for item in items} == {path.stem for path in (FOLDER / "workbook").iterdir()}
    for item in items:
        shown = item["content"]["query"]
        lines = (FOLDER / "workbook" / f"{item['name']}.kql").read_text(encoding="utf-8").splitlines()
        assert [line for line in shown.splitlines() if not line.startswith("let ")] == [
            line for line in lines if not line.startswith("let ")
        ]


def test_each_query_runs_in_the_workspace_for_the_time_that_is_chosen(azure: Azure) -> None:
    deployed = deploy(azure)

    time, *items = json.loads(deployed.one("Workbook", "gateway-workbook").inputs["serializedData"])["items"]
    assert time["content"]["parameters"][0]["name"] == "Time"
    for item in items:
        assert item["content"]["timeContextFromParameter"] == "Time"
        assert item["content"]["crossComponentResources"][0].endswith("/workspaces/logs-gateway")


def test_its_name_is_a_guid_that_stays(azure: Azure) -> None:
    first, other = (deploy(azure, name).one("Workbook", f"{name}-workbook").inputs for name in ("gateway", "other"))

    assert UUID(first["resourceName"]) != UUID(other["resourceName"])
    assert (
        first["resourceName"] == deploy(Azure(), "gateway").one("Workbook", "gateway-workbook").inputs["resourceName"]
    )


def test_azures_type_takes_it(azure: Azure) -> None:
    inputs = deploy(azure).one("Workbook", "gateway-workbook").inputs

    assert errors_of_resource("azure-native:applicationinsights:Workbook", inputs) == []
