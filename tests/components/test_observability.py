from typing import Any

import pytest

from apim_emulator.pulumi.deploy import DeployError
from apim_emulator.pulumi.property_values import UNKNOWN
from components import Observability
from options import (
    AppInsightsOptions,
    ExistingComponent,
    ExistingResource,
    LogAnalyticsOptions,
    ObservabilityOptions,
    PromptOptions,
)
from tests.components.conftest import GROUP, SERVICE, Azure, exporting
from tests.deployed import Deployed, deploy_component, destroy
from tests.judges import errors_of_resource

PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"
NOTHING = {"headers": [], "body": {"bytes": 0}, "dataMasking": {"queryParams": [{"value": "*", "mode": "Hide"}]}}
PROMPTS = ObservabilityOptions(prompts=PromptOptions(max_bytes=1000, retention_days=7))
WITHOUT_INSIGHTS = ObservabilityOptions(app_insights=AppInsightsOptions(enabled=False))
WITHOUT_LOGS = ObservabilityOptions(log_analytics=LogAnalyticsOptions(gateway_logs=False))
API = {
    "serviceName": SERVICE,
    "path": "openai",
    "displayName": "Azure OpenAI",
    "protocols": ["https"],
    "apiType": "http",
}


@pytest.fixture
def apis(azure: Azure) -> dict[str, str]:
    """Resource IDs of two APIs of the service."""
    ids = {}
    for name in ("openai", "team"):
        ids[name], _ = azure.create("apimanagement:Api", {**API, "apiId": f"a-{name}", "path": name})
    return ids


@pytest.fixture
def inputs(azure: Azure, apis: dict[str, str]) -> dict[str, Any]:
    return {
        "resource_group_name": GROUP,
        "gateway_resource_group_name": GROUP,
        "service_name": SERVICE,
        "service_id": apis["openai"].partition("/apis/")[0],
        "principal_id": azure.principal_id,
        "api_ids": {"openai": apis["openai"]},
    }


def deploy(
    azure: Azure,
    inputs: dict[str, Any],
    observability: Any = None,
    *,
    preview: bool = False,
    after: Deployed | None = None,
    **more: Any,
) -> Deployed:
    given: Any = {**inputs, "observability": observability, **more}
    build = exporting(lambda: Observability("observability", given), "workspace_id", "component_id")
    return deploy_component(build, azure.cloud, preview=preview, after=after)


def logged(deployed: Deployed) -> dict[str, Any]:
    """Properties of the diagnostic that fills the gateway's logs."""
    return dict(deployed.one("Resource").inputs["properties"])


def workspace(azure: Azure, name: str = "log-shared") -> str:
    return azure.create("operationalinsights:Workspace", {"workspaceName": name})[0]


def component(azure: Azure, **more: Any) -> str:
    inputs = {"resourceName": "appi-shared", "location": "swedencentral", "kind": "web", "applicationType": "web"}
    return azure.create("applicationinsights:Component", {**inputs, **more})[0]


def adopting(*, role_assigned: bool = False) -> ObservabilityOptions:
    existing = ExistingComponent(name="appi-shared", resource_group=GROUP, role_assigned=role_assigned)
    return ObservabilityOptions(app_insights=AppInsightsOptions(existing=existing))


def test_a_workspace_and_a_component_are_created(azure: Azure, inputs: dict[str, Any]) -> None:
    deployed = deploy(azure, inputs)

    created, insights = deployed.one("Workspace"), deployed.one("Component")
    assert deployed.outputs == {"workspace_id": created.id, "component_id": insights.id}
    assert created.inputs["sku"] == {"name": "PerGB2018"}
    assert created.inputs["retentionInDays"] == 30
    assert insights.inputs["workspaceResourceId"] == created.id


def test_neither_takes_data_by_a_key(azure: Azure, inputs: dict[str, Any]) -> None:
    deployed = deploy(azure, inputs)

    assert deployed.one("Component").inputs["disableLocalAuth"] is True
    assert deployed.one("Workspace").inputs["features"]["disableLocalAuth"] is True


def test_names_are_given_or_unique(azure: Azure, inputs: dict[str, Any]) -> None:
    named = ObservabilityOptions(
        app_insights=AppInsightsOptions(name="appi-contoso"), log_analytics=LogAnalyticsOptions(name="log-contoso")
    )

    first = deploy(azure, inputs)
    second = deploy(azure, inputs, named, name_prefix="b-", api_ids={})

    suffix = first.one("RandomString").outputs["result"]
    assert first.one("Workspace").inputs["workspaceName"] == f"log-observability-{suffix}"
    assert second.one("Workspace").inputs["workspaceName"] == "log-contoso"
    assert second.one("Component").inputs["resourceName"] == "appi-contoso"
    assert second.all("RandomString") == []


def test_calls_are_sent_as_the_gateways_identity(azure: Azure, inputs: dict[str, Any]) -> None:
    deployed = deploy(azure, inputs)

    logger, insights = deployed.one("Logger", "observability-insights-logger"), deployed.one("Component")
    assert set(logger.inputs["credentials"]) == {"connectionString", "identityClientId"}
    assert logger.inputs["credentials"]["identityClientId"] == "SystemAssigned"
    assert logger.inputs["resourceId"] == insights.id
    role = deployed.one("RoleAssignment").inputs
    assert (role["scope"], role["principalId"]) == (insights.id, azure.principal_id)
    assert role["roleDefinitionId"].endswith(f"/roleDefinitions/{PUBLISHER}")


def test_a_user_assigned_identity_sends_them_by_its_client_id(azure: Azure, inputs: dict[str, Any]) -> None:
    identity = {"resourceName": "id-gateway", "location": "swedencentral"}
    resource_id, outputs = azure.create("managedidentity:UserAssignedIdentity", identity)
    token, service_id = "azure-native:apimanagement:ApiManagementService", inputs["service_id"]
    attached = {"type": "UserAssigned", "userAssignedIdentities": {resource_id: {}}}
    azure.cloud.update(token, service_id, azure.cloud.inputs_of(token, service_id) | {"identity": attached})

    ids = {"principal_id": outputs["principalId"], "identity_client_id": outputs["clientId"]}
    deployed = deploy(azure, inputs, **ids)

    logger = deployed.one("Logger", "observability-insights-logger")
    assert logger.inputs["credentials"]["identityClientId"] == outputs["clientId"]


def test_the_connection_string_is_a_secret(azure: Azure, inputs: dict[str, Any]) -> None:
    logger = deploy(azure, inputs).one("Logger", "observability-insights-logger")

    assert "credentials" in logger.secret_inputs


def test_calls_are_recorded_with_their_metrics_and_without_content(azure: Azure, inputs: dict[str, Any]) -> None:
    deployed = deploy(azure, inputs, ObservabilityOptions(sampling=25))

    diagnostic = dict(deployed.one("ApiDiagnostic").inputs)
    assert diagnostic.pop("loggerId") == deployed.one("Logger", "observability-insights-logger").id
    assert diagnostic == {
        "resourceGroupName": GROUP,
        "serviceName": SERVICE,
        "apiId": "a-openai",
        "diagnosticId": "applicationinsights",
        "alwaysLog": "allErrors",
        "sampling": {"samplingType": "fixed", "percentage": 25},
        "verbosity": "information",
        "httpCorrelationProtocol": "W3C",
        "logClientIp": False,
        "metrics": True,
        "frontend": {"request": NOTHING, "response": NOTHING},
        "backend": {"request": NOTHING, "response": NOTHING},
    }


def test_every_call_and_its_tokens_are_in_the_gateways_logs(azure: Azure, inputs: dict[str, Any]) -> None:
    deployed = deploy(azure, inputs, ObservabilityOptions(sampling=25))

    diagnostic = deployed.one("Resource").inputs
    assert diagnostic["apiVersion"] == "2024-06-01-preview"
    assert (diagnostic["resourceProviderNamespace"], diagnostic["parentResourcePath"]) == (
        "Microsoft.ApiManagement",
        f"service/{SERVICE}/apis/a-openai",
    )
    assert (diagnostic["resourceType"], diagnostic["resourceName"]) == ("diagnostics", "azuremonitor")
    assert logged(deployed) == {
        "loggerId": deployed.one("Logger", "observability-logs-logger").id,
        "alwaysLog": "allErrors",
        "sampling": {"samplingType": "fixed", "percentage": 100},
        "verbosity": "information",
        "logClientIp": False,
        "frontend": {"request": NOTHING, "response": NOTHING},
        "backend": {"request": NOTHING, "response": NOTHING},
        "largeLanguageModel": {"logs": "enabled"},
    }


def test_the_gateways_logs_go_to_the_workspace_in_tables_of_their_own(azure: Azure, inputs: dict[str, Any]) -> None:
    deployed = deploy(azure, inputs)

    setting = deployed.one("DiagnosticSetting").inputs
    assert (setting["resourceUri"], setting["workspaceId"]) == (inputs["service_id"], deployed.one("Workspace").id)
    assert setting["logAnalyticsDestinationType"] == "Dedicated"
    assert {log["category"] for log in setting["logs"] if log["enabled"]} == {"GatewayLogs", "GatewayLlmLogs"}


def test_every_api_is_observed(azure: Azure, inputs: dict[str, Any], apis: dict[str, str]) -> None:
    deployed = deploy(azure, inputs, api_ids=apis)

    assert [found.name for found in deployed.all("ApiDiagnostic")] == [
        "observability-openai-calls",
        "observability-team-calls",
    ]
    assert [found.name for found in deployed.all("Resource")] == [
        "observability-openai-logs",
        "observability-team-logs",
    ]


def test_headers_that_are_asked_for_are_logged_of_responses_alone(azure: Azure, inputs: dict[str, Any]) -> None:
    deployed = deploy(azure, inputs, response_headers={"openai": ["x-ratelimit-remaining-tokens"], "other": ["a"]})

    assert logged(deployed)["frontend"] == {
        "request": NOTHING,
        "response": {**NOTHING, "headers": ["x-ratelimit-remaining-tokens"]},
    }


def test_prompts_are_logged_if_they_are_asked_for_up_to_a_size(azure: Azure, inputs: dict[str, Any]) -> None:
    messages = {"messages": "all", "maxSizeInBytes": 1000}

    assert logged(deploy(azure, inputs, PROMPTS))["largeLanguageModel"] == {
        "logs": "enabled",
        "requests": messages,
        "responses": messages,
    }


def test_nothing_is_logged_before_it_is_known_how_long_prompts_are_kept(azure: Azure, inputs: dict[str, Any]) -> None:
    deployed = deploy(azure, inputs, PROMPTS)

    retention = deployed.one("Deployment", "observability-retention")
    (table,) = retention.inputs["properties"]["template"]["resources"]
    name = str(deployed.one("Workspace").inputs["workspaceName"])
    assert table["name"] == f"{name}/ApiManagementGatewayLlmLog"
    assert table["properties"] == {"retentionInDays": 7, "totalRetentionInDays": 7}
    assert "observability-retention" in deployed.waits_for(deployed.one("Resource"))


def test_prompts_are_no_longer_logged_once_they_are_turned_off(azure: Azure, inputs: dict[str, Any]) -> None:
    on = deploy(azure, inputs, PROMPTS)

    off = deploy(azure, inputs, after=on)

    resource = off.one("Resource")
    assert resource.id == on.one("Resource").id
    assert azure.cloud.read(resource.type, resource.id)["properties"]["largeLanguageModel"] == {"logs": "enabled"}


def test_metrics_keep_their_dimensions_in_a_component_that_is_created(azure: Azure, inputs: dict[str, Any]) -> None:
    deployed = deploy(azure, inputs)

    (written,) = deployed.one("Deployment").inputs["properties"]["template"]["resources"]
    assert written["name"] == deployed.one("Component").outputs["name"]
    assert written["properties"]["CustomMetricsOptedInType"] == "WithDimensions"
    assert written["properties"]["WorkspaceResourceId"] == deployed.one("Workspace").id
    assert written["properties"]["DisableLocalAuth"] is True


def test_a_component_is_adopted_without_owning_it(azure: Azure, inputs: dict[str, Any]) -> None:
    shared = workspace(azure)
    insights = component(azure, workspaceResourceId=shared)

    deployed = deploy(azure, inputs, adopting())

    for kind in ("Component", "Workspace", "Deployment"):
        assert deployed.all(kind) == []
    assert deployed.outputs == {"workspace_id": shared, "component_id": insights}
    assert deployed.one("RoleAssignment").inputs["scope"] == insights
    assert deployed.one("DiagnosticSetting").inputs["workspaceId"] == shared


def test_a_role_that_the_owner_has_given_is_not_given_again(azure: Azure, inputs: dict[str, Any]) -> None:
    component(azure, workspaceResourceId=workspace(azure))

    assert deploy(azure, inputs, adopting(role_assigned=True)).all("RoleAssignment") == []


def test_a_workspace_is_adopted_without_owning_it(azure: Azure, inputs: dict[str, Any]) -> None:
    shared = workspace(azure)
    logs = LogAnalyticsOptions(existing=ExistingResource(name="log-shared", resource_group=GROUP))

    deployed = deploy(azure, inputs, ObservabilityOptions(log_analytics=logs, prompts=PromptOptions(max_bytes=1000)))

    assert deployed.all("Workspace") == []
    assert deployed.outputs["workspace_id"] == shared
    assert deployed.one("Component").inputs["workspaceResourceId"] == shared
    assert [found.name for found in deployed.all("Deployment")] == ["observability-dimensions"]


def test_without_application_insights_there_are_the_gateways_logs(azure: Azure, inputs: dict[str, Any]) -> None:
    deployed = deploy(azure, inputs, WITHOUT_INSIGHTS)

    for kind in ("Component", "ApiDiagnostic", "RoleAssignment", "Deployment"):
        assert deployed.all(kind) == []
    assert deployed.outputs == {"workspace_id": deployed.one("Workspace").id}
    assert [found.inputs["loggerType"] for found in deployed.all("Logger")] == ["azureMonitor"]


@pytest.mark.parametrize(
    ("observability", "more"),
    [pytest.param(WITHOUT_LOGS, {}, id="turned off"), pytest.param(None, {"consumption": True}, id="Consumption")],
)
def test_without_the_gateways_logs_there_is_application_insights(
    azure: Azure, inputs: dict[str, Any], observability: Any, more: dict[str, Any]
) -> None:
    deployed = deploy(azure, inputs, observability, **more)

    for kind in ("DiagnosticSetting", "Resource"):
        assert deployed.all(kind) == []
    assert [found.inputs["loggerType"] for found in deployed.all("Logger")] == ["applicationInsights"]
    assert deployed.one("Workspace").id == deployed.outputs["workspace_id"]


def test_an_adopted_service_without_such_logs_is_told_before_it_is_changed(
    azure: Azure, inputs: dict[str, Any]
) -> None:
    logs = ObservabilityOptions(log_analytics=LogAnalyticsOptions(gateway_logs=True))

    with pytest.raises(DeployError, match="gateway_logs: true conflicts with sku Consumption, which has no such logs"):
        deploy(azure, inputs, logs, preview=True, sku="Consumption")


@pytest.mark.parametrize(
    ("observability", "told"),
    [
        ({"prompts": {"max_bytes": 1000}}, "observability.prompts.retention_days: is missing; say for how many days"),
        ({"sampling": 101.0}, "observability.sampling: 101 is not valid; allowed: a percentage from 0 to 100"),
        ({"sampel": 1}, "observability"),
    ],
)
def test_options_that_cannot_be_are_refused(
    azure: Azure, inputs: dict[str, Any], observability: Any, told: str
) -> None:
    with pytest.raises(DeployError, match=told):
        deploy(azure, inputs, observability)


def test_a_prefix_keeps_stacks_apart(azure: Azure, inputs: dict[str, Any], apis: dict[str, str]) -> None:
    deploy(azure, inputs)

    deployed = deploy(azure, inputs, name_prefix="b-", api_ids={"team": apis["team"]})

    assert deployed.one("DiagnosticSetting").inputs["name"] == "b-observability"
    assert [found.inputs["loggerId"] for found in deployed.all("Logger")] == [
        "b-observability-insights",
        "b-observability-logs",
    ]


def test_what_another_stack_has_is_told_at_preview(azure: Azure, inputs: dict[str, Any]) -> None:
    deploy(azure, inputs)

    with pytest.raises(DeployError, match="exist on the service already") as told:
        deploy(azure, inputs, preview=True)

    for name in ("observability-insights", "observability-logs", "diagnosticSettings/observability"):
        assert name in str(told.value)


def test_a_preview_knows_nothing_yet(azure: Azure, inputs: dict[str, Any]) -> None:
    assert deploy(azure, inputs, preview=True).outputs == {"workspace_id": UNKNOWN, "component_id": UNKNOWN}


def test_the_workspace_alone_is_protected(azure: Azure, inputs: dict[str, Any]) -> None:
    deployed = deploy(azure, inputs, protect=True)

    assert [found.name for found in deployed.registrations if found.protected] == ["observability-workspace"]


def test_all_of_it_can_be_deleted(azure: Azure, inputs: dict[str, Any]) -> None:
    destroyed = destroy(deploy(azure, inputs, PROMPTS))

    assert destroyed.registrations == ()


def test_azure_resource_manager_accepts_every_resource(azure: Azure, inputs: dict[str, Any]) -> None:
    for found in deploy(azure, inputs, PROMPTS).registrations:
        if found.type.startswith("azure-native:"):
            assert errors_of_resource(found.type, found.inputs) == [], found.name
