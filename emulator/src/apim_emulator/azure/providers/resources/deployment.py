"""Template deployments (Microsoft.Resources), as far as they change what exists in a way that no type has.

A template reaches Azure as it is written, so it can set what azure-native's types do not have and therefore drop:

- `subscriptionKeyParameterNames.bearer` of an API, with which its subscription keys are accepted as bearer tokens
  (Azure-Samples/AI-Gateway);
- `CustomMetricsOptedInType` of an Application Insights component, with which custom metrics keep their dimensions in
  Azure's metrics store (Azure/bicep #6595).

It also writes what exists, which azure-native does not create: tables of Log Analytics workspaces.

Reading the resource with azure-native does not return it, and writing the resource without it takes it away (inferred:
a PUT replaces).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from apim_emulator.azure.exceptions import ResourceNotFoundError, ValidationError
from apim_emulator.azure.providers.apimanagement import PATH
from apim_emulator.azure.providers.apimanagement import api as apis
from apim_emulator.azure.providers.applicationinsights import PATH as COMPONENTS
from apim_emulator.azure.providers.applicationinsights import component
from apim_emulator.azure.providers.operationalinsights import PATH as WORKSPACES
from apim_emulator.azure.providers.operationalinsights import TABLE, table
from apim_emulator.azure.providers.resources import DEPLOYMENT
from apim_emulator.azure.resource_types import Shape, Text, arm_type
from apim_emulator.azure.state import Resource, State

_RESOURCE = Shape("type apiVersion name properties", "dependsOn kind location tags")
_SDK_NAMES = {"type": "apiType", "apiType": "soapApiType"}
"""Properties of an API that azure-native calls otherwise than ARM."""
_OPTED_IN = "CustomMetricsOptedInType"


def _complete(state: State, resource: Resource, parent: Resource) -> None:
    template = resource.inputs["properties"].get("template")
    if not isinstance(template, Mapping):
        raise ValidationError("properties.template must be an object", "properties.template")
    for index, wanted in enumerate(template.get("resources", ())):
        at = f"properties.template.resources[{index}]"
        _RESOURCE.check(wanted, at)
        _refuse_expressions(wanted, at)
        if wanted["type"] not in _PUT:
            raise ValidationError(
                f"{at}.type {wanted['type']!r} is not modelled; {' and '.join(_PUT)} are", f"{at}.type"
            )
        _PUT[wanted["type"]](state, parent, wanted)
    resource.outputs["properties"] = {**resource.inputs["properties"], "provisioningState": "Succeeded"}


def _put_api(state: State, group: Resource, wanted: Mapping[str, Any]) -> None:
    """Write an API that exists, and keep its operations, as a PUT without a definition does."""
    service, _, name = wanted["name"].partition("/")
    resource_id = f"{group.id}/providers/{PATH}/{service}/apis/{name}"
    api = state.find(resource_id)
    if api is None:
        raise ResourceNotFoundError("API", resource_id, "name")
    properties = {_SDK_NAMES.get(key, key): value for key, value in wanted["properties"].items()}
    names = dict(properties.get("subscriptionKeyParameterNames") or {})
    bearer = names.pop("bearer", None)
    Text(values=("enabled",)).check(bearer, "subscriptionKeyParameterNames.bearer")
    inputs = {**api.inputs, **properties, "subscriptionKeyParameterNames": names}
    apis.TYPE.shape.check(inputs)
    assert apis.TYPE.update is not None  # noqa: S101  # APIs can change
    changed = apis.TYPE.update(state, api, inputs)
    if bearer is not None:
        changed.private[apis.BEARER] = bearer
    state.put(replace(changed, owner=api.owner))


def _put_component(state: State, group: Resource, wanted: Mapping[str, Any]) -> None:
    """Write a component that exists."""
    resource_id = f"{group.id}/providers/{COMPONENTS}/{wanted['name']}"
    found = state.find(resource_id)
    if found is None:
        raise ResourceNotFoundError("component", resource_id, "name")
    properties = {_component_name(key): value for key, value in wanted["properties"].items() if key != _OPTED_IN}
    opted_in = wanted["properties"].get(_OPTED_IN)
    Text(values=component.OPTED_IN).check(opted_in, _OPTED_IN)
    beside = {key: wanted[key] for key in ("kind", "location", "tags") if key in wanted}
    inputs = {**found.inputs, **properties, **beside}
    component.TYPE.shape.check(inputs)
    assert component.TYPE.update is not None  # noqa: S101  # components can change
    changed = component.TYPE.update(state, found, inputs)
    if opted_in is not None:
        changed.private[component.DIMENSIONS] = opted_in
    state.put(replace(changed, owner=found.owner))


def _component_name(arm: str) -> str:
    """Name by which azure-native calls a property of a component: `Application_Type` is `applicationType`."""
    first, *rest = arm.split("_")
    return "".join([first[:1].lower() + first[1:], *(word[:1].upper() + word[1:] for word in rest)])


def _put_table(state: State, group: Resource, wanted: Mapping[str, Any]) -> None:
    """Write a table, which a workspace has from the start if it is one of Azure's own."""
    workspace, _, name = wanted["name"].partition("/")
    resource_id = f"{group.id}/providers/{WORKSPACES}/{workspace}/tables/{name}"
    place = {"resourceGroupName": group.name, "workspaceName": workspace, "tableName": name}
    inputs = {**place, **wanted["properties"]}
    table.TYPE.shape.check(inputs)
    assert table.TYPE.update is not None  # noqa: S101  # tables can change
    state.put(table.TYPE.update(state, Resource(id=resource_id, token=TABLE, inputs={}), inputs))


_PUT: Mapping[str, Callable[[State, Resource, Mapping[str, Any]], None]] = {
    f"{PATH}/apis": _put_api,
    COMPONENTS: _put_component,
    f"{WORKSPACES}/tables": _put_table,
}


def _refuse_expressions(value: Any, at: str) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _refuse_expressions(inner, f"{at}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _refuse_expressions(inner, f"{at}[{index}]")
    elif isinstance(value, str) and value.startswith("[") and not value.startswith("[["):
        raise ValidationError(f"{at} is an expression of the template language, which is not modelled", at)


TYPE = arm_type(
    token=DEPLOYMENT,
    path="Microsoft.Resources/deployments",
    names="deploymentName",
    shape=Shape(
        "properties resourceGroupName",
        "deploymentName location tags",
        properties=Shape(
            "mode",
            "debugSetting expressionEvaluationOptions onErrorDeployment parameters parametersLink template "
            "templateLink",
            mode=Text(values=("Incremental", "Complete")),
        ),
    ),
    complete=_complete,
    pattern=r"^[-\w\._\(\)]{1,64}$",
)
