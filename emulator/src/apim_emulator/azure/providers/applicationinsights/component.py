"""Application Insights components, which keep their data in a Log Analytics workspace."""

from apim_emulator.azure.exceptions import ResourceNotFoundError, ValidationError
from apim_emulator.azure.providers.applicationinsights import COMPONENT, PATH
from apim_emulator.azure.providers.operationalinsights import WORKSPACE
from apim_emulator.azure.resource_types import Shape, Text, arm_type, get_function
from apim_emulator.azure.state import Resource, State

DIMENSIONS = "customMetricsOptedInType"
"""Where a component keeps whether custom metrics go to Azure's metrics store with dimensions.

No ARM type has the property; a template reaches it (Azure/bicep #6595).
"""
OPTED_IN = ("WithDimensions", "NoDimensions", "NoMeasurements", "Off")
"""What it may be (Azure/bicep #6595)."""
_ACCESS = Text(values=("Enabled", "Disabled"))


def _complete(state: State, resource: Resource, _group: Resource) -> None:
    outputs = resource.outputs
    workspace = resource.inputs.get("workspaceResourceId")
    if workspace is None:
        # The service has retired components without one ("Migrate to workspace-based resources"; inferred: the words).
        raise ValidationError("workspaceResourceId is missing; components without a workspace are retired")
    found = state.find(workspace)
    if found is None or found.token != WORKSPACE:
        raise ResourceNotFoundError("workspace", workspace, "workspaceResourceId")
    key = state.guid("instrumentation", resource.id)
    region = outputs["location"].replace(" ", "").lower()
    application = state.guid("application", resource.id)
    outputs |= {
        "appId": application,
        "applicationId": resource.name,
        "connectionString": (
            f"InstrumentationKey={key};IngestionEndpoint=https://{region}-0.in.applicationinsights.azure.com/;"
            f"LiveEndpoint=https://{region}.livediagnostics.monitor.azure.com/;ApplicationId={application}"
        ),
        "instrumentationKey": key,
        "provisioningState": "Succeeded",
        "tenantId": state.subscription_id,
    }
    outputs.setdefault("disableLocalAuth", False)
    # A PUT without it takes it away (inferred: a PUT replaces).
    resource.private.pop(DIMENSIONS, None)


TYPE = arm_type(
    token=COMPONENT,
    path=PATH,
    names="resourceName",
    shape=Shape(
        "kind resourceGroupName",
        "applicationType disableIpMasking disableLocalAuth flowType forceCustomerStorageForProfiler hockeyAppId "
        "immediatePurgeDataOn30Days ingestionMode location publicNetworkAccessForIngestion publicNetworkAccessForQuery "
        "requestSource resourceName retentionInDays samplingPercentage tags workspaceResourceId",
        applicationType=Text(values=("web", "other")),
        flowType=Text(values=("Bluefield",)),
        ingestionMode=Text(values=("ApplicationInsights", "ApplicationInsightsWithDiagnosticSettings", "LogAnalytics")),
        publicNetworkAccessForIngestion=_ACCESS,
        publicNetworkAccessForQuery=_ACCESS,
    ),
    complete=_complete,
    pattern=r"^[^%&\\?/]{0,259}[^%&\\?/.]$",
    # What pulumi-azure-native sends for properties left out (`ComponentArgs`).
    defaults={
        "applicationType": "web",
        "flowType": "Bluefield",
        "ingestionMode": "LogAnalytics",
        "publicNetworkAccessForIngestion": "Enabled",
        "publicNetworkAccessForQuery": "Enabled",
        "requestSource": "rest",
    },
)

GET = get_function("azure-native:applicationinsights:getComponent", PATH, "resourceName")
