"""Diagnostics of one API, each in place of the service's of the same ID."""

from apim_emulator.azure.providers.apimanagement import API_DIAGNOSTIC, PATH
from apim_emulator.azure.providers.apimanagement.diagnostics import INSIDE, NAMES, PATTERN, complete
from apim_emulator.azure.resource_types import Shape, arm_type

TYPE = arm_type(
    token=API_DIAGNOSTIC,
    path=f"{PATH}/apis/diagnostics",
    names="serviceName apiId diagnosticId",
    shape=Shape("apiId loggerId resourceGroupName serviceName", f"diagnosticId {NAMES}", **INSIDE),
    complete=complete,
    pattern=PATTERN,
)
