"""Tables of Log Analytics workspaces: how long each keeps its rows, and on which plan."""

from dataclasses import replace

from apim_emulator.azure.exceptions import ConflictError, ResourceNotFoundError
from apim_emulator.azure.providers.operationalinsights import PATH, TABLE
from apim_emulator.azure.providers.operationalinsights.exceptions import InvalidParameterError
from apim_emulator.azure.resource_types import ResourceType, Shape, Text, arm_type
from apim_emulator.azure.state import Properties, Resource, State

_DAYS = range(4, 731)
"""Days for which a table may keep rows for queries ("Tables - Create Or Update"); -1 is the workspace's."""
_MOST_DAYS_IN_ALL = 4383
_OWN = ("_CL", "_SRCH", "_RST")
"""How the names of tables end that are not Azure's."""


def _complete(_state: State, resource: Resource, workspace: Resource) -> None:
    if "schema" not in resource.inputs and resource.name.endswith(_OWN):
        # A table that is not Azure's own needs its columns (azure-rest-api-specs #18340).
        raise ResourceNotFoundError("table", resource.name, "tableName")
    days = resource.inputs.get("retentionInDays", -1)
    if days != -1 and days not in _DAYS:
        raise InvalidParameterError(
            f"retentionInDays {days} is not {_DAYS.start} to {_DAYS.stop - 1}, or -1 for the workspace's",
            "retentionInDays",
        )
    kept = workspace.outputs["retentionInDays"] if days == -1 else days
    total = resource.inputs.get("totalRetentionInDays", -1)
    if total != -1 and not kept <= total <= _MOST_DAYS_IN_ALL:
        raise InvalidParameterError(
            f"totalRetentionInDays {total} is not {kept} to {_MOST_DAYS_IN_ALL}, or -1 for retentionInDays",
            "totalRetentionInDays",
        )
    in_all = kept if total == -1 else total
    resource.outputs |= {
        "archiveRetentionInDays": in_all - kept,
        "plan": resource.inputs.get("plan", "Analytics"),
        "provisioningState": "Succeeded",
        "retentionInDays": kept,
        "retentionInDaysAsDefault": days == -1,
        "totalRetentionInDays": in_all,
        "totalRetentionInDaysAsDefault": total == -1,
    }


def _refuse_azures_own(tables: ResourceType) -> ResourceType:
    """Refuse to create what a workspace has from the start: azure-native reads it first (`CanCreate`)."""

    def create(state: State, logical_name: str, inputs: Properties) -> Resource:
        made = tables.create(state, logical_name, inputs)
        if not made.name.endswith(_OWN):
            raise ConflictError(f"cannot create already existing resource '{made.id}'", made.id)
        return made

    return replace(tables, create=create)


TYPE = _refuse_azures_own(
    arm_type(
        token=TABLE,
        path=f"{PATH}/tables",
        names="workspaceName tableName",
        shape=Shape(
            "resourceGroupName workspaceName",
            "plan restoredLogs retentionInDays schema searchResults tableName totalRetentionInDays",
            plan=Text(values=("Analytics", "Basic")),
            schema=Shape("", "columns description displayName name"),
        ),
        complete=_complete,
        pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$",
    )
)
