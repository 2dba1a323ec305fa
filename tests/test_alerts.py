"""What the program's own deployment tells its alerts: its APIs, its teams' quotas, its accounts, its prices."""

from typing import Any

import pytest

from tests.deployed import Deployed, deploy_program

CONFIG: dict[str, Any] = {
    "azure-native:location": "swedencentral",
    "openai-gateway:gateway": {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com", "namePrefix": "ai-"},
    "openai-gateway:openai": {
        "accounts": [{"location": "swedencentral"}, {"location": "francecentral"}],
        "deployments": [{"name": "chat", "model": "gpt-4o"}],
        "breaker": {"count": 3, "statusCodes": ["429"]},
    },
    "openai-gateway:apis": [
        {
            "name": "openai",
            "path": "openai",
            "limits": [{"per": "product", "tokenQuota": 900, "tokenQuotaPeriod": "Monthly"}],
        },
        {"name": "other", "path": "other/openai"},
    ],
    "openai-gateway:teams": [
        {
            "name": "blue",
            "apis": ["openai", "other"],
            "limits": [
                {"per": "product", "tokenQuota": 500, "tokenQuotaPeriod": "Monthly"},
                {"per": "subscription", "tokenQuota": 50, "tokenQuotaPeriod": "Daily", "shadow": True},
            ],
        }
    ],
    "openai-gateway:observability": {"alerts": {"email": "ops@contoso.com"}, "budget": 100},
}
MONTHLY = "x-ratelimit-remaining-product-monthly-tokens"
OF_TEAM = "x-ratelimit-remaining-team-product-monthly-tokens"


@pytest.fixture(scope="module")
def deployed() -> Deployed:
    return deploy_program(CONFIG)


def query(deployed: Deployed, rule: str) -> str:
    condition = deployed.one("ScheduledQueryRule", f"alerts-{rule}").inputs["criteria"]["allOf"][0]
    return str(condition["query"])


def test_a_quota_is_that_of_an_api_or_of_a_team_on_it(deployed: Deployed) -> None:
    of_team = [f'"{api}", "ai-blue", "{OF_TEAM}", 500' for api in ("ai-openai", "ai-other")]
    rows = ", ".join([f'"ai-openai", "", "{MONTHLY}", 900', *of_team])

    assert f"[{rows}];" in query(deployed, "quota-near-its-end")


def test_its_header_is_the_one_that_the_policy_sets(deployed: Deployed) -> None:
    product = str(deployed.one("ProductPolicy").inputs["value"])

    assert f'remaining-quota-tokens-header-name="{OF_TEAM}"' in product
    assert f'remaining-quota-tokens-header-name="{MONTHLY}"' in deployed.policy("openai")


def test_no_other_header_of_responses_is_logged(deployed: Deployed) -> None:
    logged = {
        found.name: found.inputs["properties"]["frontend"]["response"]["headers"]
        for found in deployed.all("Resource")
        if found.inputs["resourceType"] == "diagnostics"
    }

    assert logged == {"observability-openai-logs": [MONTHLY, OF_TEAM], "observability-other-logs": [OF_TEAM]}


def test_alerts_are_about_the_apis_and_accounts_of_the_stack(deployed: Deployed) -> None:
    hosts = [str(found.outputs["properties"]["endpoint"])[len("https://") : -1] for found in deployed.all("Account")]

    assert 'let apis = dynamic(["ai-openai", "ai-other"]);' in query(deployed, "throttled")
    asked = query(deployed, "breaker-open")
    assert all(f'"{host}"' in asked for host in hosts)
    assert 'let codes = dynamic(["0", "429"]);' in asked
    condition = deployed.one("ScheduledQueryRule", "alerts-breaker-open").inputs["criteria"]["allOf"][0]
    assert (condition["operator"], condition["threshold"]) == ("GreaterThan", 2)


def test_alerts_and_workbook_have_the_same_prices(deployed: Deployed) -> None:
    prices = '["chat", datetime(1970-01-01), datetime(9999-12-31), 2.5, 10.0];'

    assert prices in query(deployed, "spend")
    assert prices.replace('"', '\\"') in deployed.one("Workbook", "workbook-workbook").inputs["serializedData"]


def test_without_observability_there_is_none_of_it() -> None:
    config = {key: value for key, value in CONFIG.items() if key != "openai-gateway:observability"}

    deployed = deploy_program(config)

    for kind in ("ActionGroup", "ScheduledQueryRule", "Workbook"):
        assert deployed.all(kind) == []
