"""Diagnostic settings: where a resource sends its logs and metrics."""

from collections.abc import Mapping
from typing import Any

from apim_emulator.azure.exceptions import ConflictError, ResourceNotFoundError
from apim_emulator.azure.providers.apimanagement import SERVICE
from apim_emulator.azure.providers.monitor import DIAGNOSTIC_SETTING
from apim_emulator.azure.providers.monitor.exceptions import BadRequestError
from apim_emulator.azure.providers.operationalinsights import WORKSPACE
from apim_emulator.azure.resource_types import ResourceType, Shape, Text, always, auto_name, required_text
from apim_emulator.azure.state import Properties, Resource, State

_LOGS: Mapping[str, tuple[str, ...]] = {
    "allLogs": (
        "DeveloperPortalAuditLogs",
        "GatewayLlmLogs",
        "GatewayLogs",
        "GatewayMCPLogs",
        "WebSocketConnectionLogs",
    ),
    "audit": ("DeveloperPortalAuditLogs",),
}
"""Categories of API Management's logs, by group ("Supported logs for Microsoft.ApiManagement/service")."""
_SINKS = ("eventHubAuthorizationRuleId", "marketplacePartnerId", "serviceBusRuleId", "storageAccountId", "workspaceId")
_NAME = Text(r"^[^%&*+/?<>:\\]{1,260}$")


def _create(state: State, logical_name: str, inputs: Properties) -> Resource:
    uri = required_text(inputs, "resourceUri").strip("/")
    name = inputs.get("name") or auto_name(state, DIAGNOSTIC_SETTING, logical_name)
    _NAME.check(name, "name")
    resource_id = f"/{uri}/providers/Microsoft.Insights/diagnosticSettings/{name}"
    state.require_free(resource_id)
    return _filled(state, resource_id, {**inputs, "name": name})


def _filled(state: State, resource_id: str, inputs: Properties) -> Resource:
    target = state.find(resource_id.rpartition("/providers/")[0])
    if target is None:
        raise ResourceNotFoundError("resource", resource_id.rpartition("/providers/")[0], "resourceUri")
    sinks = {name: inputs[name] for name in _SINKS if inputs.get(name)}
    if not sinks:
        raise BadRequestError(
            "at least one data sink needs to be specified: workspaceId, storageAccountId, an event hub or a partner"
        )
    if "workspaceId" in sinks:
        workspace = state.find(sinks["workspaceId"])
        if workspace is None or workspace.token != WORKSPACE:
            raise ResourceNotFoundError("workspace", sinks["workspaceId"], "workspaceId")
    resource = Resource(id=resource_id, token=DIAGNOSTIC_SETTING, inputs=inputs)
    if target.token == SERVICE:
        _check_categories(target, inputs)
        _refuse_same_sink(state, target, resource, sinks)
    kept = {name: value for name, value in inputs.items() if name not in {"resourceUri", "name"}}
    resource.outputs = {**kept, "name": resource.name, "type": "Microsoft.Insights/diagnosticSettings"}
    return resource


def _check_categories(service: Resource, inputs: Properties) -> None:
    if service.outputs["sku"]["name"] == "Consumption":
        # "Feature-based comparison of the Azure API Management tiers"; code and words are inferred.
        raise BadRequestError("resource logs are not supported in SkuType Consumption", "logs")
    for log in inputs.get("logs") or ():
        category, group = log.get("category"), log.get("categoryGroup")
        if (category is None) == (group is None):
            raise BadRequestError("each of logs needs either category or categoryGroup", "logs")
        if category is not None and category not in _LOGS["allLogs"]:
            raise BadRequestError(f"Category '{category}' is not supported.", "logs")
        if group is not None and group.lower() not in {name.lower() for name in _LOGS}:
            raise BadRequestError(f"Category group '{group}' is not supported.", "logs")
    for metric in inputs.get("metrics") or ():
        if metric.get("category") != "AllMetrics":
            raise BadRequestError(
                f"Metric category '{metric.get('category')}' is not supported, supported categories are: 'AllMetrics'",
                "metrics",
            )


def _refuse_same_sink(state: State, service: Resource, resource: Resource, sinks: Mapping[str, Any]) -> None:
    mine = set(categories(resource))
    for other in state.others(resource, under=service.id):
        for name, sink in sinks.items():
            if str(other.inputs.get(name, "")).lower() != sink.lower():
                continue
            for category in sorted(mine & set(categories(other))):
                raise ConflictError(
                    f"Data sink '{sink}' is already used in diagnostic setting '{other.name}' for category "
                    f"'{category}'. Data sinks can't be reused in different settings on the same category for the "
                    "same resource.",
                    name,
                )


def categories(setting: Resource) -> tuple[str, ...]:
    """List the categories of logs that a setting sends."""
    groups = {name.lower(): found for name, found in _LOGS.items()}
    return tuple(
        dict.fromkeys(
            category
            for log in setting.inputs.get("logs") or ()
            if log.get("enabled")
            for category in (groups[log["categoryGroup"].lower()] if log.get("categoryGroup") else [log["category"]])
        )
    )


_RETENTION = Shape("days enabled")

TYPE = ResourceType(
    token=DIAGNOSTIC_SETTING,
    shape=Shape(
        "resourceUri",
        "eventHubAuthorizationRuleId eventHubName logAnalyticsDestinationType logs marketplacePartnerId metrics name "
        "serviceBusRuleId storageAccountId workspaceId",
        logAnalyticsDestinationType=Text(values=("Dedicated", "AzureDiagnostics")),
        logs=Shape("enabled", "category categoryGroup retentionPolicy", retentionPolicy=_RETENTION),
        metrics=Shape("enabled", "category retentionPolicy timeGrain", retentionPolicy=_RETENTION),
    ),
    create=_create,
    update=lambda state, setting, inputs: _filled(state, setting.id, inputs),
    immutable={"name": always, "resourceUri": always},
    assigned=frozenset({"name"}),
)
