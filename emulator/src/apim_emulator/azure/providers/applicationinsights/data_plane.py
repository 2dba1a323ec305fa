"""Components and workbooks as the data plane sees them."""

from apim_emulator.azure.providers.applicationinsights import COMPONENT, WORKBOOK
from apim_emulator.azure.state import State
from apim_emulator.model import Component


def components(state: State) -> tuple[Component, ...]:
    """All Application Insights components."""
    return tuple(
        Component(
            id=component.id,
            instrumentation_key=component.outputs["instrumentationKey"],
            workspace_id=component.outputs["workspaceResourceId"],
            local_auth=not component.outputs["disableLocalAuth"],
        )
        for component in state.of(COMPONENT)
    )


def workbooks(state: State) -> tuple[str, ...]:
    """Content of all workbooks, as JSON."""
    return tuple(str(workbook.outputs["serializedData"]) for workbook in state.of(WORKBOOK))
