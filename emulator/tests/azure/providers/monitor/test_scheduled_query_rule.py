"""What Azure Monitor refuses of a log search alert rule."""

from typing import Any

import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import Azure

CONDITION = {"query": "AppMetrics", "timeAggregation": "Count", "operator": "GreaterThan", "threshold": 0}


def workspace(azure: Azure, name: str = "logs") -> str:
    return azure.create("operationalinsights:Workspace", resourceGroupName="rg", workspaceName=name)[0]


def inputs(azure: Azure, condition: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "resourceGroupName": "rg",
        "ruleName": "rule",
        "kind": "LogAlert",
        "severity": 2,
        "evaluationFrequency": "PT5M",
        "windowSize": "PT15M",
        "scopes": more.pop("scopes", None) or [workspace(azure)],
        "criteria": {"allOf": [CONDITION | (condition or {})]},
        **more,
    }


def test_a_rule_runs_with_an_identity(azure: Azure) -> None:
    identity, _ = azure.create("managedidentity:UserAssignedIdentity", resourceGroupName="rg", resourceName="reader")
    given = {"type": "UserAssigned", "userAssignedIdentities": [identity]}

    _, outputs = azure.create("monitor:ScheduledQueryRule", **inputs(azure, identity=given))

    assert outputs["identity"]["userAssignedIdentities"][identity]["principalId"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        pytest.param({"severity": 5}, "severity 5 is not 0 to 4", id="severity"),
        pytest.param({"severity": None}, "severity is missing", id="no severity"),
        pytest.param({"evaluationFrequency": "PT7M"}, "evaluationFrequency 'PT7M' is not one of", id="frequency"),
        pytest.param({"windowSize": "P3D"}, "windowSize 'P3D' is not one of", id="window"),
        pytest.param({"evaluationFrequency": "PT1H"}, "PT1H is longer than windowSize PT15M", id="longer than window"),
        pytest.param({"muteActionsDuration": "PT5M"}, "needs autoMitigate to be false", id="mute and resolve"),
        pytest.param(
            {"evaluationFrequency": "P1D", "windowSize": "P1D"}, "autoMitigate is not possible", id="resolve once a day"
        ),
        pytest.param({"scopes": ["/subscriptions/s/nothing"]}, "scope .* was not found", id="no such scope"),
        pytest.param(
            {"actions": {"actionGroups": ["/subscriptions/s/x"]}}, "action group .* was not found", id="group"
        ),
        pytest.param({"ruleName": "what?"}, "ruleName 'what\\?' does not match", id="name"),
        pytest.param({"criteria": {"allOf": []}}, "a rule needs a condition", id="no condition"),
    ],
)
def test_a_rule_is_refused_for(azure: Azure, changed: dict[str, Any], told: str) -> None:
    with pytest.raises(CloudError, match=told):
        azure.create("monitor:ScheduledQueryRule", **inputs(azure, **changed))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        pytest.param({"query": None}, "query is missing", id="no query"),
        pytest.param({"operator": "MoreThan"}, "'MoreThan' is not one of", id="operator"),
        pytest.param({"timeAggregation": "Total"}, "Total needs a metricMeasureColumn", id="no column"),
        pytest.param({"metricMeasureColumn": "Sum"}, "Count takes no metricMeasureColumn", id="a column to count"),
        pytest.param({"query": "AppMetrics | evaluate pivot(Name)"}, "cannot use pivot", id="pivot"),
        pytest.param({"query": "AppMetrics | extend AggregatedValue = 1"}, "cannot use AggregatedValue", id="reserved"),
        pytest.param({"query": "AppMetrics" * 10_000}, "at most 65536 are allowed", id="size"),
        pytest.param(
            {"dimensions": [{"name": f"d{i}", "operator": "Include", "values": ["*"]} for i in range(7)]},
            "more than 6 dimensions",
            id="dimensions",
        ),
        pytest.param(
            {"failingPeriods": {"minFailingPeriodsToAlert": 3, "numberOfEvaluationPeriods": 2}},
            "3 failing periods of 2",
            id="periods",
        ),
    ],
)
def test_a_condition_is_refused_for(azure: Azure, changed: dict[str, Any], told: str) -> None:
    with pytest.raises(CloudError, match=told):
        azure.create("monitor:ScheduledQueryRule", **inputs(azure, changed))


def test_a_rule_that_runs_every_minute_takes_fewer_operators(azure: Azure) -> None:
    with pytest.raises(CloudError, match="cannot use union"):
        azure.create(
            "monitor:ScheduledQueryRule",
            **inputs(azure, {"query": "union AppMetrics, AppTraces"}, evaluationFrequency="PT1M"),
        )


def test_a_rule_keeps_its_scope(azure: Azure) -> None:
    rule, _ = azure.create("monitor:ScheduledQueryRule", **inputs(azure))

    with pytest.raises(CloudError, match=r"scopes of .* cannot be changed"):
        azure.change("monitor:ScheduledQueryRule", rule, scopes=[workspace(azure, "other")])
