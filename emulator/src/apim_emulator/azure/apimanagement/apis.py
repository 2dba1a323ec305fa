"""APIs, the products that bundle them and the subscriptions that open them."""

import re
from dataclasses import asdict
from functools import partial

from apim_emulator.azure.apimanagement.openapi import Definition, definition
from apim_emulator.azure.apimanagement.tokens import (
    API,
    IDENTIFIER,
    OPERATION,
    PATH,
    PRODUCT,
    PRODUCT_API,
    SUBSCRIPTION,
)
from apim_emulator.azure.arm import arm_type, described, existing
from apim_emulator.azure.errors import invalid, not_found
from apim_emulator.azure.keys import new_keys
from apim_emulator.azure.shape import Shape, Text
from apim_emulator.azure.state import Invoke, Properties, Resource, State, text
from apim_emulator.model import Operation

_IMPORT = ("format", "value", "soapApiType", "translateRequiredQueryParametersConduct", "wsdlSelector")
"""Properties of an API that only say how it is imported."""


def _complete_api(state: State, resource: Resource, parent: Resource) -> None:
    inputs = resource.inputs
    path = inputs["path"]
    if path != path.strip("/"):
        raise invalid(f"path {path!r} may neither begin nor end with a slash", "path")
    for other in state.others(resource, under=parent.id):
        if other.outputs["path"].lower() == path.lower():
            # Two blanks, as Azure says it (Azure/apiops #343).
            raise invalid(
                f"Cannot create API '{resource.name}' with the same Path '{path}' as API '{other.name}'  unless it's a "
                "part of the same version set",
                "path",
            )
    content_format, value = inputs.get("format"), inputs.get("value")
    if (content_format is None) != (value is None):
        raise invalid("format and value go together: an import needs both", "format")
    if value is None and not inputs.get("displayName"):
        raise invalid("displayName is missing; an API without a definition needs it", "displayName")
    imported = Definition()
    if content_format is not None and value is not None:
        conduct = inputs.get("translateRequiredQueryParametersConduct")
        imported = definition(content_format, value, query_in_template=conduct != "query")
    resource.outputs.setdefault("subscriptionRequired", True)
    resource.outputs.setdefault("displayName", resource.name)
    resource.outputs |= {"isCurrent": True, "apiRevision": "1"}
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
        state.put(Resource(id=resource_id, token=OPERATION, inputs={}, outputs=asdict(operation)))


def _complete_product(_state: State, resource: Resource, _parent: Resource) -> None:
    resource.outputs.setdefault("subscriptionRequired", True)
    resource.outputs.setdefault("state", "notPublished")


def _complete_product_api(state: State, resource: Resource, parent: Resource) -> None:
    service = parent.id.rsplit("/products/", 1)[0]
    if state.find(f"{service}/apis/{resource.name}") is None:
        raise not_found("API", resource.name, "apiId")


def _complete_subscription(state: State, resource: Resource, parent: Resource) -> None:
    scope = _scope(state, parent, text(resource.inputs, "scope"))
    given = resource.inputs.get("state", "submitted")
    keys = new_keys(resource.inputs, resource.private.get("keys"))
    if any(set(keys) & set(other.private["keys"]) for other in state.others(resource, under=parent.id)):
        raise invalid("another subscription already has one of the keys", "primaryKey")
    resource.private |= {"keys": keys, "scope": scope}
    resource.outputs |= {"state": given, "scope": parent.id + scope}


def _scope(state: State, service: Resource, given: str) -> str:
    """`/apis`, `/apis/{apiId}` or `/products/{productId}`, from that form or from a resource ID."""
    relative = given.rstrip("/")
    if relative.lower().startswith(service.id.lower()):
        relative = relative[len(service.id) :] or "/apis"
    if not re.fullmatch(r"/apis|/apis/[^/]+|/products/[^/]+", relative):
        raise invalid(
            f"scope {given!r} must be /apis, /apis/{{apiId}}, /products/{{productId}} or the ID of one of them in "
            "this service",
            "scope",
        )
    if relative != "/apis" and state.find(service.id + relative) is None:
        raise not_found("the scope of the subscription", given, "scope")
    return relative


def _list_secrets(state: State, args: Properties) -> Properties:
    primary, secondary = _child(state, args, "subscriptions", "sid").private["keys"]
    return {"primaryKey": primary, "secondaryKey": secondary}


def _get(collection: str, parameter: str, state: State, args: Properties) -> Properties:
    return described(_child(state, args, collection, parameter))


def _child(state: State, args: Properties, collection: str, parameter: str) -> Resource:
    """Return what an invoke asks for of a service."""
    service = existing(state, PATH, args, "serviceName")
    found = state.find(f"{service.id}/{collection}/{text(args, parameter)}")
    if found is None:
        raise not_found(collection, args[parameter], parameter)
    return found


TYPES = (
    arm_type(
        API,
        f"{PATH}/apis",
        "serviceName apiId",
        Shape(
            "path resourceGroupName serviceName",
            "apiId apiRevision apiRevisionDescription apiType apiVersion apiVersionDescription apiVersionSet "
            "apiVersionSetId authenticationSettings contact description displayName format isCurrent license "
            "protocols serviceUrl soapApiType sourceApiId subscriptionKeyParameterNames subscriptionRequired "
            "termsOfServiceUrl translateRequiredQueryParametersConduct value wsdlSelector",
            apiType=Text(values=("http", "soap", "websocket", "graphql", "odata", "grpc")),
            protocols=Text(values=("http", "https", "ws", "wss")),
            subscriptionKeyParameterNames=Shape("", "header query"),
        ),
        _complete_api,
        pattern=IDENTIFIER,
        write_only=lambda _inputs: _IMPORT,
    ),
    arm_type(
        PRODUCT,
        f"{PATH}/products",
        "serviceName productId",
        Shape(
            "displayName resourceGroupName serviceName",
            "approvalRequired description productId state subscriptionRequired subscriptionsLimit terms",
            state=Text(values=("notPublished", "published")),
        ),
        _complete_product,
        pattern=IDENTIFIER,
    ),
    arm_type(
        PRODUCT_API,
        f"{PATH}/products/apis",
        "serviceName productId apiId",
        Shape("productId resourceGroupName serviceName", "apiId"),
        _complete_product_api,
    ),
    arm_type(
        SUBSCRIPTION,
        f"{PATH}/subscriptions",
        "serviceName sid",
        Shape(
            "displayName resourceGroupName scope serviceName",
            "allowTracing appType notify ownerId primaryKey secondaryKey sid state",
            state=Text(values=("suspended", "active", "expired", "submitted", "rejected", "cancelled")),
        ),
        _complete_subscription,
        pattern=IDENTIFIER,
        write_only=lambda _inputs: ("appType", "notify", "primaryKey", "secondaryKey"),
    ),
)

_LOOKUPS = (
    ("Api", "apis", "apiId"),
    ("Backend", "backends", "backendId"),
    ("NamedValue", "namedValues", "namedValueId"),
    ("Subscription", "subscriptions", "sid"),
)

INVOKES: dict[str, Invoke] = {
    "azure-native:apimanagement:listSubscriptionSecrets": _list_secrets,
    **{
        f"azure-native:apimanagement:get{kind}": partial(_get, collection, parameter)
        for kind, collection, parameter in _LOOKUPS
    },
}
