"""Policy documents at every scope, and fragments."""

from apim_emulator.azure.apimanagement import documents
from apim_emulator.azure.apimanagement.references import exists, format_of, refuse_while_used, service_id
from apim_emulator.azure.apimanagement.tokens import (
    API_POLICY,
    FRAGMENT,
    OPERATION_POLICY,
    PATH,
    POLICY,
    PRODUCT_POLICY,
)
from apim_emulator.azure.arm import arm_type
from apim_emulator.azure.errors import invalid
from apim_emulator.azure.shape import Shape
from apim_emulator.azure.state import Resource, ResourceType, State


def _complete(state: State, resource: Resource, _parent: Resource) -> None:
    value = resource.inputs["value"]
    if not isinstance(value, str):
        raise invalid("value must be the text of a policy document", "value")
    service = service_id(resource)
    holder = state.find(service)
    sku = holder.outputs["sku"]["name"] if holder else ""
    root = "fragment" if resource.token == FRAGMENT else "policies"
    content_format = format_of(resource)
    documents.check(value, content_format, root=root, sku=sku)
    documents.require(value, content_format, lambda reference: exists(state, service, reference))


def _policy(token: str, path: str, names: str) -> ResourceType:
    return arm_type(
        token,
        f"{PATH}{path}/policies",
        f"serviceName {names} policyId",
        Shape(f"{names} resourceGroupName serviceName value", "format policyId"),
        _complete,
        pattern="^policy$",
        defaults={"format": "xml"},
    )


TYPES = (
    _policy(POLICY, "", ""),
    _policy(PRODUCT_POLICY, "/products", "productId"),
    _policy(API_POLICY, "/apis", "apiId"),
    _policy(OPERATION_POLICY, "/apis/operations", "apiId operationId"),
    arm_type(
        FRAGMENT,
        f"{PATH}/policyFragments",
        "serviceName id",
        Shape("resourceGroupName serviceName value", "description format id"),
        _complete,
        pattern=r"^\w$|^\w[\w-]{0,78}\w$",
        defaults={"format": "xml"},
        on_delete=refuse_while_used,
    ),
)
