"""What was spent: the same number by the sandbox and by the query of the deployed workbook."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apim_emulator.azure import Cloud
from apim_emulator.errors import EmulatorError
from apim_emulator.services.azure_monitor import COLUMNS
from components import Workbook
from options import PriceOptions
from sandbox.spend import Spent, deployed_prices, spent
from tests.components.conftest import GROUP, SERVICE, Azure, exporting
from tests.deployed import deploy_component
from tests.kql import run

NOW = datetime(2026, 12, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def cloud() -> Cloud:
    azure = Azure()
    workspace, _ = azure.create("operationalinsights:Workspace", {"workspaceName": "logs"})
    group = workspace.partition("/providers/")[0]
    inputs: Any = {
        "resource_group_name": GROUP,
        "resource_group_id": group,
        "workspace_id": workspace,
        "service_id": f"{group}/providers/Microsoft.ApiManagement/service/{SERVICE}",
        "api_ids": ["openai"],
        "display_name": "Gateway",
        "deployments": {"chat": "gpt-5.6-sol", "small": "gpt-4o-mini"},
        "prices": [PriceOptions(model="gpt-5.6-sol", input=3.3, output=17, since="2026-12-01")],
    }
    deploy_component(exporting(lambda: Workbook("gateway", inputs), "workbook_id"), azure.cloud)
    return azure.cloud


def rows(count: int) -> list[dict[str, Any]]:
    """Metrics of calls within three days; the seed is fixed."""
    chance = random.Random(12)  # noqa: S311 - no secret
    made = []
    for _ in range(count):
        at = NOW - timedelta(minutes=chance.randrange(3 * 24 * 60))
        team = chance.choice([("blue", "one"), ("none", "one"), ("red", "two"), ("none", "none")])
        dimensions = {"API ID": "openai", "Product ID": team[0], "Subscription ID": team[1], "Application": "none"}
        dimensions["Model"] = chance.choice(["chat", "small", "unpriced"])
        for name in ("Prompt Tokens", "Completion Tokens", "Total Tokens"):
            tokens = chance.randrange(100_000)
            made.append({"TimeGenerated": at, "Name": name, "Sum": float(tokens), "Properties": dimensions})
    return made


def query_of(cloud: Cloud) -> str:
    [content] = cloud.workbooks()
    return next(str(item["content"]["query"]) for item in json.loads(content)["items"] if item["name"] == "cost")


def test_the_sandbox_and_the_workbook_tell_the_same_cost(cloud: Cloud) -> None:
    metrics = rows(60)

    told = spent(metrics, deployed_prices(cloud))

    queried = run(query_of(cloud), {"AppMetrics": metrics}, COLUMNS)
    assert {(row["Team"], row["Model"]) for row in queried} == {(row.team, row.model) for row in told}
    by_team = {(row.team, row.model): row for row in told}
    for row in queried:
        ours = by_team[row["Team"], row["Model"]]
        assert (ours.prompt_tokens, ours.completion_tokens) == (row["Prompt"], row["Completion"])
        assert (ours.cost is None) == (row["Unpriced"] > 0)
        assert ours.cost is None or ours.cost == pytest.approx(row["Cost"])
    assert sum(row.cost or 0 for row in told) > 0


def test_a_price_applies_from_its_day_on(cloud: Cloud) -> None:
    dimensions = {"API ID": "openai", "Product ID": "blue", "Model": "chat"}
    metrics = [
        {"TimeGenerated": at, "Name": "Prompt Tokens", "Sum": 1_000_000.0, "Properties": dimensions}
        for at in (datetime(2026, 11, 30, 23, 59, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    ]

    assert spent(metrics, deployed_prices(cloud)) == [
        Spent(team="blue", model="chat", prompt_tokens=2_000_000, completion_tokens=0, cost=4 + 3.3)
    ]


def test_without_a_workbook_nothing_has_a_price() -> None:
    with pytest.raises(EmulatorError, match="no workbook is deployed"):
        deployed_prices(Cloud())
