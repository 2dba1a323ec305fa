"""Components as the data plane sees them."""

from apim_emulator.azure.providers.applicationinsights import COMPONENT
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
