from typing import Any

import pytest

from apim_emulator.pulumi.deploy import DeployError
from components import Alerts
from options import AlertOptions, BreakerOptions, PriceOptions, TokenQuota
from tests.components.conftest import GROUP, SERVICE, Azure, exporting
from tests.deployed import Deployed, deploy_component
from tests.judges import errors_of_resource

READER = "73c42c96-874c-492b-b04d-ab87d138a893"
OPS = AlertOptions(email=["ops@contoso.com"])
EVERYTHING: dict[str, Any] = {
    "account_urls": ["https://oai-a.openai.azure.com/openai", "https://oai-b.openai.azure.com/openai"],
    "quotas": [TokenQuota(api_id="openai", header="x-ratelimit-remaining-product-monthly-tokens", amount=1000)],
    "budget": 500,
    "deployments": {"chat": "gpt-5.6-luna"},
}


def deploy(azure: Azure, alerts: Any = OPS, **more: Any) -> Deployed:
    workspace, _ = azure.create("operationalinsights:Workspace", {"workspaceName": "logs"})
    inputs: Any = {
        "resource_group_name": GROUP,
        "workspace_id": workspace,
        "service_id": f"{workspace.partition('/providers/')[0]}/providers/Microsoft.ApiManagement/service/{SERVICE}",
        "api_ids": ["openai", "team"],
        "alerts": alerts,
        **more,
    }
    return deploy_component(exporting(lambda: Alerts("alerts", inputs), "action_group_id", "rule_ids"), azure.cloud)


def rule(deployed: Deployed, name: str) -> dict[str, Any]:
    return dict(deployed.one("ScheduledQueryRule", f"alerts-{name}").inputs)


def test_there_is_a_rule_for_each_thing_that_can_be_told(azure: Azure) -> None:
    names = {found.name for found in deploy(azure, **EVERYTHING).all("ScheduledQueryRule")}

    assert names == {
        "alerts-backend-errors",
        "alerts-breaker-open",
        "alerts-no-account-left",
        "alerts-quota-near-its-end",
        "alerts-spend",
        "alerts-throttled",
        "alerts-unauthorized",
    }


def test_what_a_stack_lacks_has_no_rule(azure: Azure) -> None:
    names = {found.name for found in deploy(azure).all("ScheduledQueryRule")}

    assert names == {"alerts-throttled", "alerts-unauthorized", "alerts-backend-errors"}


def test_a_circuit_breaker_is_seen_where_calls_to_accounts_are(azure: Azure) -> None:
    names = {found.name for found in deploy(azure, **EVERYTHING, sees_accounts=False).all("ScheduledQueryRule")}

    assert "alerts-no-account-left" in names
    assert "alerts-breaker-open" not in names


def test_each_address_gets_a_mail(azure: Azure) -> None:
    deployed = deploy(azure, AlertOptions(email=["ops@contoso.com", "ai@contoso.com"]))

    group = deployed.one("ActionGroup")
    assert [found["emailAddress"] for found in group.inputs["emailReceivers"]] == ["ops@contoso.com", "ai@contoso.com"]
    assert rule(deployed, "throttled")["actions"]["actionGroups"] == [group.id]
    assert deployed.outputs["action_group_id"] == group.id


def test_an_action_group_of_ones_own_is_told(azure: Azure) -> None:
    inputs = {"actionGroupName": "ops", "location": "Global", "groupShortName": "ops"}
    group, _ = azure.create("monitor:ActionGroup", inputs)

    deployed = deploy(azure, AlertOptions(action_group=group))

    assert deployed.all("ActionGroup") == []
    assert rule(deployed, "throttled")["actions"]["actionGroups"] == [group]


def test_the_rules_read_the_workspace_as_an_identity_with_one_role(azure: Azure) -> None:
    deployed = deploy(azure)

    identity, role = deployed.one("UserAssignedIdentity"), deployed.one("RoleAssignment")
    assert role.inputs["principalId"] == identity.outputs["principalId"]
    assert role.inputs["roleDefinitionId"].endswith(f"/roleDefinitions/{READER}")
    for found in deployed.all("ScheduledQueryRule"):
        assert found.inputs["identity"] == {"type": "UserAssigned", "userAssignedIdentities": [identity.id]}
        assert [role.inputs["scope"]] == found.inputs["scopes"]
        assert "alerts-role" in deployed.waits_for(found)


def test_thresholds_are_the_options(azure: Azure) -> None:
    alerts = AlertOptions(email=["a@b.example"], throttled=1, unauthorized=2, backend_errors=3, quota_left=4)

    deployed = deploy(azure, alerts, **EVERYTHING | {"breaker": BreakerOptions(count=6)})

    thresholds = {
        found.name.removeprefix("alerts-"): found.inputs["criteria"]["allOf"][0]["threshold"]
        for found in deployed.all("ScheduledQueryRule")
    }
    assert thresholds == {
        "throttled": 1,
        "unauthorized": 2,
        "backend-errors": 3,
        "quota-near-its-end": 4,
        "breaker-open": 5,
        "no-account-left": 0,
        "spend": 100,
    }


def test_the_queries_are_about_this_stack(azure: Azure) -> None:
    deployed = deploy(azure, **EVERYTHING | {"breaker": BreakerOptions(status_codes=["429", "503-504"])})

    def query(name: str) -> str:
        return str(rule(deployed, name)["criteria"]["allOf"][0]["query"])

    assert f'/providers/Microsoft.ApiManagement/service/{SERVICE}";' in query("throttled")
    assert 'let apis = dynamic(["openai", "team"]);' in query("throttled")
    assert 'let accounts = dynamic(["oai-a.openai.azure.com", "oai-b.openai.azure.com"]);' in query("breaker-open")
    assert 'let codes = dynamic(["0", "429", "503", "504"]);' in query("breaker-open")
    assert '["openai", "", "x-ratelimit-remaining-product-monthly-tokens", 1000];' in query("quota-near-its-end")
    assert '["chat", datetime(1970-01-01), datetime(9999-12-31), 0.2, 1.2];' in query("spend")
    assert "let budget = 500.0;" in query("spend")


def test_prices_of_ones_own_replace_the_programs(azure: Azure) -> None:
    prices = [PriceOptions(model="gpt-5.6-luna", input=1, output=6), PriceOptions(model="own", input=0, output=0)]

    deployed = deploy(azure, **EVERYTHING | {"prices": prices})

    query = rule(deployed, "spend")["criteria"]["allOf"][0]["query"]
    assert '["chat", datetime(1970-01-01), datetime(9999-12-31), 1.0, 6.0];' in query


def test_azures_types_take_everything(azure: Azure) -> None:
    deployed = deploy(azure, **EVERYTHING)

    assert errors_of_resource("azure-native:monitor:ActionGroup", deployed.one("ActionGroup").inputs) == []


def test_each_alert_names_its_runbook(azure: Azure) -> None:
    for found in deploy(azure, **EVERYTHING).all("ScheduledQueryRule"):
        runbook = f"docs/operations.md#alert-{found.name.removeprefix('alerts-')}"
        assert found.inputs["actions"]["customProperties"] == {"runbook": runbook}
        assert found.inputs["description"].endswith(f"What to do: {runbook}")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param({"alerts": {}}, "alerts: tells nobody; give alerts.email or alerts.action_group", id="nobody"),
        pytest.param({"alerts": {"email": ["ops"]}}, 'email\\[0\\]: "ops" is not valid; allowed: an email', id="email"),
        pytest.param({"alerts": {"email": ["a@b.c"], "throttled": 101.0}}, "throttled: 101 is not valid", id="share"),
        pytest.param({"quotas": [{"api_id": "a", "header": "h", "amount": 0.0}]}, "amount: 0 is not valid", id="quota"),
    ],
)
def test_options_that_cannot_be_are_refused(azure: Azure, given: dict[str, Any], told: str) -> None:
    with pytest.raises(DeployError, match=told):
        deploy(azure, **given)
