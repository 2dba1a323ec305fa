"""Loggers: Application Insights, an event hub or Azure Monitor, as targets of diagnostics and policies."""

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.apimanagement import LOGGER, PATH
from apim_emulator.azure.providers.apimanagement.diagnostics import diagnostics
from apim_emulator.azure.providers.managedidentity.identities import identities
from apim_emulator.azure.resource_types import Shape, Text, arm_type, get_function
from apim_emulator.azure.state import Resource, State

_APPLICATION_INSIGHTS, _EVENT_HUB, _AZURE_MONITOR = "applicationInsights", "azureEventHub", "azureMonitor"
_TAKES = {
    _APPLICATION_INSIGHTS: {"instrumentationKey", "connectionString", "identityClientId"},
    _EVENT_HUB: {"name", "connectionString", "endpointAddress", "identityClientId"},
    _AZURE_MONITOR: set[str](),
}
"""Credentials by type of logger ("Logger - Create Or Update", its examples)."""


def _complete(state: State, resource: Resource, service: Resource) -> None:
    kind = resource.inputs["loggerType"]
    credentials = resource.inputs.get("credentials") or {}
    before = state.find(resource.id)
    if before is not None and before.inputs["loggerType"] != kind:
        # Inferred: no document, sample or issue shows such a change.
        raise ValidationError(f"the type of a logger cannot be changed from {before.inputs['loggerType']} to {kind}")
    if unknown := sorted(credentials.keys() - _TAKES[kind]):
        raise ValidationError(f"{', '.join(unknown)} is no credential of a logger of type {kind}", "credentials")
    secrets = [credentials[name] for name in ("instrumentationKey", "connectionString") if credentials.get(name)]
    if kind == _APPLICATION_INSIGHTS and not secrets:
        # Azure/apiops #163 quotes code and target of what is missing.
        raise ValidationError("instrumentationKey or connectionString is missing; one is required", "credentials")
    if kind == _EVENT_HUB and not credentials.get("name"):
        raise ValidationError("name is missing; it is required", "credentials")
    if (client_id := credentials.get("identityClientId")) is not None:
        _require_identity(state, service, client_id)
    if secrets:
        # The service keeps them in a named value and gives that out (Azure/apiops, `Logger-Credentials--ID`).
        hidden = f"{{{{Logger-Credentials--{state.guid('logger', resource.id)[:24].replace('-', '')}}}}}"
        resource.outputs["credentials"] = {
            name: hidden if value in secrets else value for name, value in credentials.items()
        }
    resource.outputs.setdefault("isBuffered", True)
    resource.private["credentials"] = dict(credentials)


def _require_identity(state: State, service: Resource, client_id: str) -> None:
    """Refuse an identity that the service does not have (inferred: that it is checked, and the words)."""
    found = identities(state, service)
    system = client_id.lower() == "systemassigned"
    if not any(one.system_assigned if system else one.client_id.lower() == client_id.lower() for one in found):
        raise ValidationError(f"the service has no identity {client_id!r}", "credentials.identityClientId")


def _refuse_while_used(state: State, logger: Resource) -> None:
    """Refuse to delete a logger that a diagnostic needs (inferred: the words)."""
    service = logger.id.rpartition("/loggers/")[0]
    if users := [found.id for found in diagnostics(state, service) if found.private["logger"] == logger.id.lower()]:
        raise ValidationError(
            f"the Logger '{logger.name}' cannot be deleted: it is used by the following entities: {', '.join(users)}",
            logger.id,
        )


TYPE = arm_type(
    token=LOGGER,
    path=f"{PATH}/loggers",
    names="serviceName loggerId",
    shape=Shape(
        "loggerType resourceGroupName serviceName",
        "credentials description isBuffered loggerId resourceId",
        loggerType=Text(values=(_APPLICATION_INSIGHTS, _EVENT_HUB, _AZURE_MONITOR)),
    ),
    complete=_complete,
    pattern=r"^[^*#&+:<>?]{1,256}$",
    write_only=lambda _inputs: ("credentials",),
    on_delete=_refuse_while_used,
)

GET = get_function("azure-native:apimanagement:getLogger", f"{PATH}/loggers", "serviceName loggerId")
