"""Log Analytics workspaces."""

from apim_emulator.azure.providers.operationalinsights import PATH, WORKSPACE
from apim_emulator.azure.providers.operationalinsights.exceptions import (
    InvalidParameterError,
    WorkspaceNameNotUniqueError,
)
from apim_emulator.azure.resource_types import Shape, SoftDelete, Text, arm_type, get_function
from apim_emulator.azure.state import Resource, State

_FEWEST_DAYS, _MOST_DAYS = 30, 730
"""Days for which rows are kept, with the usual pricing tier ("Workspaces - Create Or Update")."""
_KEPT = 14 * 24 * 3600.0
"""Seconds for which a deleted workspace can be recovered ("Delete and recover an Azure Log Analytics workspace")."""


def _complete(state: State, resource: Resource, _group: Resource) -> None:
    days = resource.outputs.setdefault("retentionInDays", _FEWEST_DAYS)
    if not _FEWEST_DAYS <= days <= _MOST_DAYS:
        raise InvalidParameterError(
            f"retentionInDays {days} is not {_FEWEST_DAYS} to {_MOST_DAYS}, as the pricing tier PerGB2018 asks for",
            "retentionInDays",
        )
    resource.outputs.setdefault("sku", {"name": "PerGB2018"})
    resource.outputs |= {"customerId": state.guid("workspace", resource.id), "provisioningState": "Succeeded"}


_SOFT_DELETE = SoftDelete(
    retention=lambda _workspace: _KEPT,
    asks_to_restore=lambda _inputs: False,
    name_taken=lambda workspace: WorkspaceNameNotUniqueError(
        f"the workspace name {workspace.name!r} is not unique: a deleted workspace keeps it for 14 days",
        "workspaceName",
    ),
    not_deleted=lambda workspace: WorkspaceNameNotUniqueError(f"there is no deleted workspace {workspace.name!r}"),
    # Its name is unique below its resource group, where a new one recovers it ("Workspaces - Delete").
    global_name=False,
    recovered_unasked=lambda _state, _workspace: True,
)


TYPE = arm_type(
    token=WORKSPACE,
    path=PATH,
    names="workspaceName",
    shape=Shape(
        "resourceGroupName",
        "defaultDataCollectionRuleResourceId features forceCmkForQuery identity location "
        "publicNetworkAccessForIngestion publicNetworkAccessForQuery retentionInDays sku tags workspaceCapping "
        "workspaceName",
        features=Shape(
            "",
            "clusterResourceId disableLocalAuth enableDataExport enableLogAccessUsingOnlyResourcePermissions "
            "immediatePurgeDataOn30Days",
        ),
        identity=Shape("type", "userAssignedIdentities"),
        publicNetworkAccessForIngestion=Text(values=("Enabled", "Disabled")),
        publicNetworkAccessForQuery=Text(values=("Enabled", "Disabled")),
        sku=Shape("name", "capacityReservationLevel"),
        workspaceCapping=Shape("", "dailyQuotaGb"),
    ),
    complete=_complete,
    pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]$",
    soft_delete=_SOFT_DELETE,
)

GET = get_function("azure-native:operationalinsights:getWorkspace", PATH, "workspaceName")
