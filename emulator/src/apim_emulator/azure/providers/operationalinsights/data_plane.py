"""Workspaces as the data plane sees them."""

from apim_emulator.azure.providers.operationalinsights import TABLE, WORKSPACE
from apim_emulator.azure.state import State
from apim_emulator.model import Workspace


def workspaces(state: State) -> tuple[Workspace, ...]:
    """All Log Analytics workspaces."""
    return tuple(
        Workspace(
            id=workspace.id,
            retention=workspace.outputs["retentionInDays"],
            tables={
                table.name: table.outputs["totalRetentionInDays"]
                for table in state.of(TABLE, under=workspace.id)
                if not table.outputs["totalRetentionInDaysAsDefault"] or not table.outputs["retentionInDaysAsDefault"]
            },
        )
        for workspace in state.of(WORKSPACE)
    )
