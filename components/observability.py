"""What is kept of calls: a Log Analytics workspace, Application Insights, and what the gateway sends to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NotRequired, TypedDict

import pulumi
from pulumi_azure_native import apimanagement, applicationinsights, monitor, operationalinsights, resources

from components._arm import name_of
from components._clashes import NAMES, report_clash
from components._inputs import raise_mistakes, read_options
from components._names import shorten, unique_name
from components._roles import MONITORING_METRICS_PUBLISHER, assign_role
from components._subscriptions import child_options, invoke_options
from components._templates import deploy_template, template_of
from options import ExistingComponent, ObservabilityOptions, PromptOptions
from options.observability import (
    LOGGED_MODELS,
    check_observability_tier,
    creates_workspace,
    has_gateway_logs,
)

_LONGEST_ID = 80
_LLM_VERSION = "2024-06-01-preview"
"""First version of ARM's types in which diagnostics have `largeLanguageModel` (Azure/bicep-types-az)."""
_NOTHING: Mapping[str, Any] = {
    "headers": [],
    "body": {"bytes": 0},
    "dataMasking": {"queryParams": [{"value": "*", "mode": "Hide"}]},
}
"""What is recorded of a request or response beside its outcome: a header or parameter may be a credential, and a body
would be held back until it is whole ("Configure API for server-sent events")."""
_MESSAGE: Any = {
    "headers": [],
    "body": {"bytes": 0},
    "data_masking": {"query_params": [{"value": "*", "mode": apimanagement.DataMaskingMode.HIDE}]},
}
_OUTCOME: Any = {"request": _MESSAGE, "response": _MESSAGE}
"""The same of both, in the SDK's words."""


class ObservabilityArgs(TypedDict):
    """Inputs of `Observability`."""

    resource_group_name: pulumi.Input[str]
    """Resource group of the workspace and the component that are created."""
    gateway_resource_group_name: pulumi.Input[str]
    """Resource group of the API Management service."""
    service_name: pulumi.Input[str]
    """API Management service that is observed."""
    service_id: pulumi.Input[str]
    """Resource ID of the service."""
    gateway_subscription_id: NotRequired[str | None]
    """Subscription of the service. Defaults to that of the component's own provider."""
    consumption: NotRequired[bool]
    """Whether the service is of the pricing tier Consumption, which has no gateway logs. Defaults to false."""
    sku: NotRequired[pulumi.Input[str]]
    """Pricing tier of the service, such as `ApiGateway.sku`; what the tier lacks is refused. By default nothing is."""
    name_prefix: NotRequired[str]
    """Prefix of the names of all that has no unique name, such as the loggers on the service. Defaults to none."""
    observability: NotRequired[ObservabilityOptions | None]
    """What is created or adopted, and what is kept. By default all but prompts, in a new workspace."""
    api_ids: dict[str, pulumi.Input[str]]
    """Resource IDs of the APIs whose calls are recorded, each by a name that stays the same."""
    response_headers: NotRequired[dict[str, list[str]]]
    """Headers of responses that the gateway's logs keep, by the API's name in `api_ids`. Defaults to none."""
    principal_id: pulumi.Input[str]
    """Object ID of the gateway's identity, which sends to Application Insights."""
    identity_client_id: NotRequired[pulumi.Input[str | None]]
    """Client ID of that identity. Defaults to the system-assigned identity."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete or replace the workspace that is created. Defaults to false."""


class Observability(pulumi.ComponentResource):
    """Logs and metrics of the gateway's APIs: where they go, and what they hold."""

    workspace_id: pulumi.Output[str]
    """Resource ID of the Log Analytics workspace, known once everything is sent there."""
    component_id: pulumi.Output[str] | None
    """Resource ID of the Application Insights component, if there is one."""

    def __init__(self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("openai-gateway:index:Observability", name, {}, opts)
        options = read_options(
            ObservabilityOptions, args.get("observability") or ObservabilityOptions(), "observability"
        )
        logs = has_gateway_logs(options, "Consumption" if args.get("consumption") else None)
        insights = options.app_insights if options.app_insights.enabled else None
        adopted = None if insights is None or insights.existing is None else self._adopt(insights.existing)
        self._tier = _checked_tier(options, args.get("sku"), logs=logs)

        workspace = self._workspace(name, args, options, adopted)
        sent: list[pulumi.Input[Any]] = []
        component: _Component | None = None
        if insights is not None:
            component = adopted or self._component(name, args, options, workspace)
            sent += self._send_calls(name, args, options, component)
        if logs:
            sent += self._send_logs(name, args, options, workspace)

        self.workspace_id = pulumi.Output.all(workspace, *sent).apply(lambda known: str(known[0]))
        self.component_id = None if component is None else component.id
        self.register_outputs({"workspaceId": self.workspace_id, "componentId": self.component_id})

    def _adopt(self, existing: ExistingComponent) -> "_Component":
        found = applicationinsights.get_component_output(
            resource_name=existing.name,
            resource_group_name=existing.resource_group,
            opts=invoke_options(self, existing.subscription_id),
        )

        return _Component(
            id=found.id,
            connection_string=found.connection_string,
            # All have one: those without are retired ("Migrate to workspace-based Application Insights resources").
            workspace_id=found.apply(lambda component: component.workspace_resource_id or ""),
            role_assigned=existing.role_assigned,
        )

    def _workspace(
        self, name: str, args: ObservabilityArgs, options: ObservabilityOptions, adopted: "_Component | None"
    ) -> pulumi.Output[str]:
        """Return the resource ID of the workspace, created or adopted."""
        logs = options.log_analytics
        if logs.existing is not None:
            return operationalinsights.get_workspace_output(
                workspace_name=logs.existing.name,
                resource_group_name=logs.existing.resource_group,
                opts=invoke_options(self, logs.existing.subscription_id),
            ).id
        if adopted is not None:
            return adopted.workspace_id
        return operationalinsights.Workspace(
            f"{name}-workspace",
            workspace_name=logs.name
            or unique_name(
                name, "log", limit=63, replaced_on={"resourceGroup": args["resource_group_name"]}, parent=self
            ),
            resource_group_name=args["resource_group_name"],
            sku={"name": operationalinsights.WorkspaceSkuNameEnum.PER_GB2018},
            retention_in_days=logs.retention_days or 30,
            features={"disable_local_auth": True, "enable_log_access_using_only_resource_permissions": True},
            opts=pulumi.ResourceOptions(parent=self, protect=args.get("protect")),
        ).id

    def _component(
        self, name: str, args: ObservabilityArgs, options: ObservabilityOptions, workspace: pulumi.Output[str]
    ) -> "_Component":
        """Create the component, and have its metrics keep their dimensions in Azure's metrics store."""
        component = applicationinsights.Component(
            f"{name}-component",
            resource_name_=options.app_insights.name,
            resource_group_name=args["resource_group_name"],
            kind="web",
            application_type=applicationinsights.ApplicationType.WEB,
            workspace_resource_id=workspace,
            disable_local_auth=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        deploy_template(
            f"{name}-dimensions",
            pulumi.Output.all(
                name=component.name, location=component.location, workspace=workspace, written=component.id
            ).apply(_with_dimensions),
            deployment_name=f"{args.get('name_prefix', '')}{name}-dimensions",
            resource_group_name=args["resource_group_name"],
            opts=pulumi.ResourceOptions(parent=self),
        )
        return _Component(
            id=component.id, connection_string=component.connection_string, workspace_id=workspace, role_assigned=False
        )

    def _send_calls(
        self, name: str, args: ObservabilityArgs, options: ObservabilityOptions, component: "_Component"
    ) -> list[pulumi.Input[Any]]:
        """Send calls and metrics to Application Insights, as the gateway's identity."""
        roles = []
        if not component.role_assigned:
            role = assign_role(
                f"{name}-role",
                scope=component.id,
                principal_id=args["principal_id"],
                role=MONITORING_METRICS_PUBLISHER,
                parent=self,
            )
            roles.append(role.id)
        client = pulumi.Output.from_input(args.get("identity_client_id"))
        logger = self._logger(
            f"{name}-insights",
            args,
            type=apimanagement.LoggerType.APPLICATION_INSIGHTS,
            resource_id=component.id,
            credentials={
                "connectionString": pulumi.Output.secret(component.connection_string),
                "identityClientId": client.apply(lambda given: given or "SystemAssigned"),
            },
        )
        diagnostics = [
            apimanagement.ApiDiagnostic(
                f"{name}-{api}-calls",
                diagnostic_id="applicationinsights",
                resource_group_name=args["gateway_resource_group_name"],
                service_name=args["service_name"],
                api_id=name_of(api_id),
                logger_id=logger.id,
                always_log=apimanagement.AlwaysLog.ALL_ERRORS,
                sampling={"sampling_type": apimanagement.SamplingType.FIXED, "percentage": options.sampling},
                verbosity=apimanagement.Verbosity.INFORMATION,
                http_correlation_protocol=apimanagement.HttpCorrelationProtocol.W3_C,
                log_client_ip=False,
                metrics=True,
                frontend=_OUTCOME,
                backend=_OUTCOME,
                opts=child_options(self, args.get("gateway_subscription_id")),
            )
            for api, api_id in args["api_ids"].items()
        ]
        return [*roles, *(diagnostic.id for diagnostic in diagnostics)]

    def _send_logs(
        self, name: str, args: ObservabilityArgs, options: ObservabilityOptions, workspace: pulumi.Output[str]
    ) -> list[pulumi.Input[Any]]:
        """Send the gateway's logs to the workspace: a row for each call, and others for its tokens and its prompt."""
        setting = monitor.DiagnosticSetting(
            f"{name}-logs",
            name=f"{args.get('name_prefix', '')}{name}",
            resource_uri=pulumi.Output.all(args["service_id"], self._tier).apply(lambda known: str(known[0])),
            workspace_id=workspace,
            log_analytics_destination_type="Dedicated",
            logs=[{"category": category, "enabled": True} for category in ("GatewayLogs", "GatewayLlmLogs")],
            opts=pulumi.ResourceOptions(parent=self),
        )
        place = {"resourceUri": args["service_id"], "name": f"{args.get('name_prefix', '')}{name}"}
        opts = pulumi.InvokeOutputOptions(parent=self)
        report_clash(setting, "monitor:getDiagnosticSetting", place, kind=NAMES, opts=opts)
        logger = self._logger(f"{name}-logs", args, type=apimanagement.LoggerType.AZURE_MONITOR)
        # Until it is sure how long prompts are kept, none is.
        before = self._keep_prompts(name, args, options, workspace)
        headers = args.get("response_headers") or {}
        diagnostics = [
            resources.Resource(
                f"{name}-{api}-logs",
                api_version=_LLM_VERSION,
                resource_group_name=args["gateway_resource_group_name"],
                resource_provider_namespace="Microsoft.ApiManagement",
                parent_resource_path=pulumi.Output.concat("service/", args["service_name"], "/apis/", name_of(api_id)),
                resource_type="diagnostics",
                resource_name_="azuremonitor",
                properties=logger.id.apply(
                    partial(_logged, prompts=options.prompts, response_headers=headers.get(api) or [])
                ),
                opts=child_options(self, args.get("gateway_subscription_id"), depends_on=before),
            )
            for api, api_id in args["api_ids"].items()
        ]
        return [setting.id, *(diagnostic.id for diagnostic in diagnostics)]

    def _keep_prompts(
        self, name: str, args: ObservabilityArgs, options: ObservabilityOptions, workspace: pulumi.Output[str]
    ) -> Sequence[pulumi.Resource]:
        """Set how long the created workspace keeps prompts.

        By a template, since azure-native creates no table that exists, and Azure's own exist in every workspace.
        """
        if options.prompts is None or options.prompts.retention_days is None or not creates_workspace(options):
            return []
        days = options.prompts.retention_days
        template = pulumi.Output.from_input(name_of(workspace)).apply(
            lambda known: template_of(
                [
                    {
                        "type": "Microsoft.OperationalInsights/workspaces/tables",
                        "apiVersion": "2023-09-01",
                        "name": f"{known}/{LOGGED_MODELS}",
                        "properties": {"retentionInDays": days, "totalRetentionInDays": days},
                    }
                ]
            )
        )
        return [
            deploy_template(
                f"{name}-retention",
                template,
                deployment_name=f"{args.get('name_prefix', '')}{name}-retention",
                resource_group_name=args["resource_group_name"],
                opts=pulumi.ResourceOptions(parent=self),
            )
        ]

    def _logger(
        self,
        name: str,
        args: ObservabilityArgs,
        *,
        type: apimanagement.LoggerType,  # noqa: A002 - the service's own word
        resource_id: pulumi.Input[str] | None = None,
        credentials: Mapping[str, pulumi.Input[str]] | None = None,
    ) -> apimanagement.Logger:
        logger_id = shorten(f"{args.get('name_prefix', '')}{name}", _LONGEST_ID)
        logger = apimanagement.Logger(
            f"{name}-logger",
            logger_id=logger_id,
            resource_group_name=args["gateway_resource_group_name"],
            service_name=args["service_name"],
            logger_type=type,
            resource_id=resource_id,
            credentials=credentials,
            is_buffered=True,
            opts=child_options(self, args.get("gateway_subscription_id")),
        )
        place = {
            "resourceGroupName": args["gateway_resource_group_name"],
            "serviceName": args["service_name"],
            "loggerId": logger_id,
        }
        opts = invoke_options(self, args.get("gateway_subscription_id"))
        report_clash(logger, "apimanagement:getLogger", place, kind=NAMES, opts=opts)
        return logger


@dataclass(frozen=True, kw_only=True, slots=True)
class _Component:
    """An Application Insights component."""

    id: pulumi.Output[str]
    connection_string: pulumi.Output[str]
    workspace_id: pulumi.Output[str]
    role_assigned: bool


def _checked_tier(options: ObservabilityOptions, sku: pulumi.Input[str] | None, *, logs: bool) -> pulumi.Output[bool]:
    """Return an output that fails if the service's pricing tier has not what is asked for."""
    asked = replace(options, log_analytics=replace(options.log_analytics, gateway_logs=logs))

    def check(tier: str | None) -> bool:
        if tier is not None:
            raise_mistakes(check_observability_tier(asked, ("observability",), tier, ("sku",)))
        return True

    return pulumi.Output.from_input(sku).apply(check)


def _with_dimensions(known: Mapping[str, str]) -> dict[str, Any]:
    """Return the template that writes the component again, with the property that no type has (Azure/bicep #6595)."""
    component = {
        "type": "Microsoft.Insights/components",
        "apiVersion": "2020-02-02",
        "name": known["name"],
        "location": known["location"],
        "kind": "web",
        "properties": {
            "Application_Type": "web",
            "Flow_Type": "Bluefield",
            "Request_Source": "rest",
            "IngestionMode": "LogAnalytics",
            "WorkspaceResourceId": known["workspace"],
            "DisableLocalAuth": True,
            "CustomMetricsOptedInType": "WithDimensions",
        },
    }
    return template_of([component])


def _logged(logger_id: str, *, prompts: PromptOptions | None, response_headers: Sequence[str]) -> dict[str, Any]:
    """Return the properties of a diagnostic that logs every call, in the words of ARM's types."""
    messages = {} if prompts is None else {"messages": "all", "maxSizeInBytes": prompts.max_bytes}
    return {
        "loggerId": logger_id,
        "alwaysLog": "allErrors",
        "logClientIp": False,
        "verbosity": "information",
        "sampling": {"samplingType": "fixed", "percentage": 100},
        "frontend": {"request": _NOTHING, "response": {**_NOTHING, "headers": list(response_headers)}},
        "backend": {"request": _NOTHING, "response": _NOTHING},
        "largeLanguageModel": {
            "logs": "enabled",
            **({"requests": messages, "responses": messages} if messages else {}),
        },
    }
