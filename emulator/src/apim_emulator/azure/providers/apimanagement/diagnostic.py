"""Diagnostics of all APIs of a service."""

from apim_emulator.azure.providers.apimanagement import DIAGNOSTIC, PATH
from apim_emulator.azure.providers.apimanagement.diagnostics import INSIDE, NAMES, PATTERN, complete
from apim_emulator.azure.resource_types import Shape, arm_type

TYPE = arm_type(
    token=DIAGNOSTIC,
    path=f"{PATH}/diagnostics",
    names="serviceName diagnosticId",
    shape=Shape("loggerId resourceGroupName serviceName", f"diagnosticId {NAMES}", **INSIDE),
    complete=complete,
    pattern=PATTERN,
)
