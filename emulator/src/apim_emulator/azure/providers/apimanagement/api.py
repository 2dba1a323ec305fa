"""APIs and the operations that they are imported with."""

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.apimanagement import API, IDENTIFIER, OPERATION, PATH
from apim_emulator.azure.providers.apimanagement.api_definition import Definition, definition
from apim_emulator.azure.providers.apimanagement.api_operation import outputs
from apim_emulator.azure.resource_types import Shape, Text, arm_type, get_function
from apim_emulator.azure.state import Resource, State
from apim_emulator.model import Operation

_IMPORT = ("format", "value", "soapApiType", "translateRequiredQueryParametersConduct", "wsdlSelector")
"""Properties of an API that only say how it is imported."""


BEARER = "bearer"
"""Private value of an API whose subscription keys are accepted as bearer tokens: `enabled`. Only a template sets it."""


def _complete(state: State, resource: Resource, parent: Resource) -> None:
    inputs = resource.inputs
    path = inputs["path"]
    if path != path.strip("/"):
        raise ValidationError(f"path {path!r} may neither begin nor end with a slash", "path")
    for other in state.others(resource, under=parent.id):
        if other.outputs["path"].lower() == path.lower():
            # Two blanks, as Azure says it (Azure/apiops #343).
            raise ValidationError(
                f"Cannot create API '{resource.name}' with the same Path '{path}' as API '{other.name}'  unless it's a "
                "part of the same version set",
                "path",
            )
    content_format, value = inputs.get("format"), inputs.get("value")
    if (content_format is None) != (value is None):
        raise ValidationError("format and value go together: an import needs both", "format")
    if value is None and not inputs.get("displayName"):
        raise ValidationError("displayName is missing; an API without a definition needs it", "displayName")
    resource.outputs.setdefault("subscriptionRequired", True)
    resource.outputs.setdefault("displayName", resource.name)
    resource.outputs |= {"isCurrent": True, "apiRevision": "1"}
    resource.private.pop(BEARER, None)
    if content_format is not None and value is not None:
        conduct = inputs.get("translateRequiredQueryParametersConduct")
        _import(state, resource, definition(content_format, value, query_in_template=conduct != "query"))


def _import(state: State, resource: Resource, imported: Definition) -> None:
    """Take over a definition; without one, the operations of an API stay as they are (inferred)."""
    if imported.server is not None:
        resource.outputs["serviceUrl"] = imported.server
    resource.private.pop("definition", None)
    if imported.document is not None:
        resource.private["definition"] = imported.document
    _put_operations(state, resource.id, imported.operations)


def _put_operations(state: State, api_id: str, operations: tuple[Operation, ...]) -> None:
    """Make the operations of an API those of its definition; what is attached to those that stay, stays."""
    wanted = {f"{api_id}/operations/{operation.name}": operation for operation in operations}
    kept = {resource_id.lower() for resource_id in wanted}
    for old in state.of(OPERATION, under=api_id):
        if old.id.lower() not in kept:
            state.remove(old.id)
    for resource_id, operation in wanted.items():
        state.put(Resource(id=resource_id, token=OPERATION, inputs={}, outputs=outputs(operation)))


TYPE = arm_type(
    token=API,
    path=f"{PATH}/apis",
    names="serviceName apiId",
    shape=Shape(
        "path resourceGroupName serviceName",
        "apiId apiRevision apiRevisionDescription apiType apiVersion apiVersionDescription apiVersionSet "
        "apiVersionSetId authenticationSettings contact description displayName format isCurrent license "
        "protocols serviceUrl soapApiType sourceApiId subscriptionKeyParameterNames subscriptionRequired "
        "termsOfServiceUrl translateRequiredQueryParametersConduct value wsdlSelector",
        apiType=Text(values=("http", "soap", "websocket", "graphql", "odata", "grpc")),
        protocols=Text(values=("http", "https", "ws", "wss")),
        subscriptionKeyParameterNames=Shape("", "header query"),
    ),
    complete=_complete,
    pattern=IDENTIFIER,
    write_only=lambda _inputs: _IMPORT,
)

GET = get_function("azure-native:apimanagement:getApi", f"{PATH}/apis", "serviceName apiId")
