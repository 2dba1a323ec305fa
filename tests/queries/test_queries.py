"""What the queries find in rows that are made up here. Those of real calls: tests/sandbox/test_alerts.py."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb_kql
import pytest

from apim_emulator.services.azure_monitor import COLUMNS
from queries import FOLDER, Value, names, query
from tests.kql import run

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SERVICE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ApiManagement/service/apim"
MONTHLY, DAILY = (f"x-ratelimit-remaining-product-{period}-tokens" for period in ("monthly", "daily"))
VALUES: dict[str, Value] = {
    "service": SERVICE,
    "apis": ["openai", 'with "quotes"'],
    "accounts": ["oai-a.openai.azure.com"],
    "codes": ["0", "429", "500"],
    "quotas": [("openai", "", MONTHLY, 1000), ("openai", "blue", DAILY, 10)],
    "prices": [
        ("chat", date(1970, 1, 1), date(2026, 11, 30), 1.0, 4.0),
        ("chat", date(2026, 11, 30), date(9999, 12, 31), 2.0, 8.0),
    ],
    "budget": 500,
}


def log(status: int, **more: Any) -> dict[str, Any]:
    row = {"TimeGenerated": NOW, "_ResourceId": SERVICE.lower(), "ApiId": "openai", "ResponseCode": status}
    return row | {"BackendResponseCode": status, "TotalTime": 20, "BackendTime": 10} | more


def metric(name: str, value: float, dimensions: dict[str, str] | None = None, at: datetime = NOW) -> dict[str, Any]:
    properties = {"API ID": "openai", "Product ID": "none", "Subscription ID": "none", "Model": "chat"}
    return {"TimeGenerated": at, "Name": name, "Sum": value, "Properties": properties | (dimensions or {})}


def found(name: str, **tables: Any) -> list[dict[str, Any]]:
    return run(query(name, VALUES), tables, COLUMNS)


@pytest.mark.parametrize("name", names())
def test_a_query_is_kql_as_it_stands_in_its_file(name: str) -> None:
    assert duckdb_kql.validate((FOLDER / f"{name}.kql").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", names())
def test_a_query_finds_nothing_in_an_empty_workspace(name: str) -> None:
    rows = found(name)

    assert all(value in (None, 0) for row in rows for value in row.values())


def test_a_query_needs_its_values() -> None:
    with pytest.raises(ValueError, match="query workbook/refusals needs apis"):
        query("workbook/refusals", {"service": "/s"})


def test_throttling_is_a_share_of_each_apis_calls() -> None:
    calls = [log(429)] * 5 + [log(200)] * 15 + [log(429, ApiId='with "quotes"')] * 19 + [log(429, ApiId="other")] * 99

    assert found("alerts/throttled", ApiManagementGatewayLogs=calls) == [
        {"ApiId": "openai", "Calls": 20, "Throttled": 5, "Percentage": 25.0}
    ]


def test_logs_of_another_service_do_not_count() -> None:
    calls = [log(429, _ResourceId=SERVICE.replace("apim", "other"))] * 20

    assert found("alerts/throttled", ApiManagementGatewayLogs=calls) == []


def test_calls_without_a_valid_credential_are_told_by_their_reason() -> None:
    calls = [
        *[log(401, LastErrorReason="TokenExpired", BackendResponseCode=None)] * 3,
        *[log(401, LastErrorReason=None)] * 2,
        *[log(401, LastErrorReason=None, BackendResponseCode=None)] * 4,
        log(403),
    ]

    rows = found("alerts/unauthorized", ApiManagementGatewayLogs=calls)

    told = {"TokenExpired": 3, "Azure OpenAI": 2, "API policy": 4}
    assert {row["Reason"]: row["Calls"] for row in rows} == told


def test_failures_are_those_of_azure_openai_alone() -> None:
    refused = [log(429, BackendResponseCode=None, LastErrorReason="RateLimitExceeded")] * 50
    unreachable = [log(503, BackendResponseCode=None, LastErrorReason="BackendConnectionFailure")]
    calls = [*refused, *unreachable, *[log(503, BackendResponseCode=500)] * 4, *[log(200)] * 15]

    assert found("alerts/backend-errors", ApiManagementGatewayLogs=calls) == [
        {"ApiId": "openai", "Calls": 20, "Failed": 5, "Percentage": 25.0}
    ]


def test_no_account_is_left_when_the_gateway_called_none() -> None:
    spent = log(503, BackendResponseCode=None, LastErrorSection="backend", LastErrorReason="BackendUnavailable")
    calls = [spent, log(503), spent | {"LastErrorReason": "Timeout"}, spent | {"LastErrorSection": "inbound"}]

    assert found("alerts/no-account-left", ApiManagementGatewayLogs=calls) == [{"ApiId": "openai", "Calls": 1}]


def test_an_account_that_fails_is_told_although_another_took_the_call() -> None:
    failed = {"TimeGenerated": NOW, "Target": "oai-a.openai.azure.com", "ResultCode": "429", "ItemCount": 2}
    others = [failed | {"ResultCode": "200"}, failed | {"Target": "login.microsoftonline.com"}]

    assert found("alerts/breaker-open", AppDependencies=[failed, failed, *others]) == [
        {"Target": "oai-a.openai.azure.com", "Failures": 4}
    ]


def test_what_is_left_of_a_quota_is_what_responses_told() -> None:
    calls = [
        log(200, ApimSubscriptionId="blue", ResponseHeaders={MONTHLY: "80", "x-other": "1"}),
        log(200, ApimSubscriptionId="blue", ResponseHeaders={MONTHLY: "50"}),
        log(200, ApimSubscriptionId="red", ResponseHeaders={MONTHLY: "900"}),
        log(200, ApimSubscriptionId="red", ResponseHeaders=None),
    ]

    rows = found("alerts/quota-near-its-end", ApiManagementGatewayLogs=calls)

    assert {row["ApimSubscriptionId"]: row["Percentage"] for row in rows} == {"blue": 5.0, "red": 90.0}


def test_a_quota_of_a_product_is_that_of_its_callers() -> None:
    calls = [log(200, ProductId=product, ResponseHeaders={DAILY: "1"}) for product in ("blue", "red")]

    assert [row["Percentage"] for row in found("alerts/quota-near-its-end", ApiManagementGatewayLogs=calls)] == [10.0]


def test_the_pace_of_a_day_is_compared_with_the_budget_of_a_month() -> None:
    metrics = [metric("Prompt Tokens", 5_000_000), metric("Completion Tokens", 1_250_000), metric("Total Tokens", 1)]

    assert found("alerts/spend", AppMetrics=metrics) == [{"Cost": 20.0, "Percentage": 120.0}]


def test_cost_is_by_team_and_model_at_the_price_of_the_day() -> None:
    yesterday = NOW - timedelta(days=1)
    metrics = [
        metric("Prompt Tokens", 1_000_000, {"Product ID": "blue", "Subscription ID": "one"}),
        metric("Completion Tokens", 1_000_000, {"Product ID": "blue", "Subscription ID": "two"}),
        metric("Completion Tokens", 1_000_000, {"Product ID": "blue"}, yesterday),
        metric("Prompt Tokens", 500_000, {"Subscription ID": "red"}),
        metric("Prompt Tokens", 250_000, {"Application": "app"}),
        metric("Prompt Tokens", 7, {"Model": "unknown"}),
    ]

    rows = found("workbook/cost", AppMetrics=metrics)

    assert [(row["Team"], row["Model"], row["Cost"], row["Unpriced"]) for row in rows] == [
        ("blue", "chat", 2 + 8 + 4, 0),
        ("red", "chat", 1, 0),
        ("app", "chat", 0.5, 0),
        ("none", "unknown", 0, 7),
    ]
    assert (rows[0]["Prompt"], rows[0]["Completion"]) == (1_000_000, 2_000_000)


def test_tokens_are_by_hour_and_model() -> None:
    rows = found("workbook/tokens", AppMetrics=[metric("Total Tokens", 3), metric("Total Tokens", 4)])

    assert rows == [{"Model": "chat", "TimeGenerated": NOW.replace(tzinfo=None), "Tokens": 7.0}]


def test_latency_is_of_calls_that_azure_openai_answered() -> None:
    calls = [log(200), log(401, BackendResponseCode=None, TotalTime=999)]

    (row,) = found("workbook/latency", ApiManagementGatewayLogs=calls)

    assert (row["Calls"], row["Median"], row["P95"], row["Backend95"]) == (1, 20, 20, 10)


def test_refusals_are_by_status_and_reason() -> None:
    limited = log(429, LastErrorReason="OpenAITokenLimitExceeded", BackendResponseCode=None)
    calls = [limited, limited, limited, log(200), log(400), *[log(403, BackendResponseCode=None)] * 2]

    rows = found("workbook/refusals", ApiManagementGatewayLogs=calls)

    assert [(row["ResponseCode"], row["Reason"], row["Calls"]) for row in rows] == [
        (429, "OpenAITokenLimitExceeded", 3),
        (403, "API policy", 2),
        (400, "Azure OpenAI", 1),
    ]
