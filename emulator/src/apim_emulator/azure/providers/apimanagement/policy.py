"""The policy of the global scope, and what the policies of all scopes have in common."""

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.apimanagement import (
    FRAGMENT,
    PATH,
    POLICY,
    policy_document,
)
from apim_emulator.azure.providers.apimanagement.references import exists, format_of, service_id
from apim_emulator.azure.resource_types import ResourceType, Shape, arm_type
from apim_emulator.azure.state import Resource, State


def complete(state: State, resource: Resource, _parent: Resource) -> None:
    """Check a document or a fragment as the service does when it is saved."""
    value = resource.inputs["value"]
    if not isinstance(value, str):
        raise ValidationError("value must be the text of a policy document", "value")
    service = service_id(resource)
    holder = state.find(service)
    sku = holder.outputs["sku"]["name"] if holder else ""
    root = "fragment" if resource.token == FRAGMENT else "policies"
    content_format = format_of(resource)
    policy_document.check(value, content_format, root=root, sku=sku)
    policy_document.require_references(value, content_format, lambda reference: exists(state, service, reference))


def policy_type(token: str, path: str, names: str) -> ResourceType:
    """Describe the policy below ARM `path` and `names`, relative to the service."""
    return arm_type(
        token=token,
        path=f"{PATH}{path}/policies",
        names=f"serviceName {names} policyId",
        shape=Shape(f"{names} resourceGroupName serviceName value", "format policyId"),
        complete=complete,
        pattern="^policy$",
        defaults={"format": "xml"},
    )


TYPE = policy_type(token=POLICY, path="", names="")
