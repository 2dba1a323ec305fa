"""Template deployments (Microsoft.Resources), as far as they change APIs of API Management.

A template reaches Azure as it is written, so it can set what azure-native's types do not have and therefore drop:
`subscriptionKeyParameterNames.bearer` of an API, with which its subscription keys are accepted as bearer tokens
(Azure-Samples/AI-Gateway; no ARM type has it). Reading the API with azure-native does not return it, and writing the
API without it takes it away (inferred: a PUT replaces).
"""

from collections.abc import Mapping
from typing import Any

from apim_emulator.azure.exceptions import ResourceNotFoundError, ValidationError
from apim_emulator.azure.providers.apimanagement import PATH
from apim_emulator.azure.providers.apimanagement import api as apis
from apim_emulator.azure.providers.resources import DEPLOYMENT
from apim_emulator.azure.resource_types import Shape, Text, arm_type
from apim_emulator.azure.state import Resource, State

_RESOURCE = Shape("type apiVersion name properties", "dependsOn")
_SDK_NAMES = {"type": "apiType", "apiType": "soapApiType"}
"""Properties of an API that azure-native calls otherwise than ARM."""


def _complete(state: State, resource: Resource, parent: Resource) -> None:
    template = resource.inputs["properties"].get("template")
    if not isinstance(template, Mapping):
        raise ValidationError("properties.template must be an object", "properties.template")
    for index, wanted in enumerate(template.get("resources", ())):
        at = f"properties.template.resources[{index}]"
        _RESOURCE.check(wanted, at)
        _refuse_expressions(wanted, at)
        if wanted["type"] != f"{PATH}/apis":
            raise ValidationError(f"{at}.type {wanted['type']!r} is not modelled; {PATH}/apis is", f"{at}.type")
        _put_api(state, parent, wanted)
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
    state.put(changed)


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
