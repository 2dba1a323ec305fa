"""Policy fragments, which documents include."""

from apim_emulator.azure.providers.apimanagement import FRAGMENT, PATH
from apim_emulator.azure.providers.apimanagement.policy import complete
from apim_emulator.azure.providers.apimanagement.references import refuse_while_used
from apim_emulator.azure.resource_types import Shape, arm_type

TYPE = arm_type(
    token=FRAGMENT,
    path=f"{PATH}/policyFragments",
    names="serviceName id",
    shape=Shape("resourceGroupName serviceName value", "description format id"),
    complete=complete,
    pattern=r"^\w$|^\w[\w-]{0,78}\w$",
    defaults={"format": "xml"},
    on_delete=refuse_while_used,
)
