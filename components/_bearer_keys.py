"""Subscription keys that callers may send as bearer tokens, where the plain OpenAI client puts its key.

API Management takes them on an API whose `subscriptionKeyParameterNames` have `bearer: enabled`
(Azure-Samples/AI-Gateway). No ARM type has that property, and azure-native sends only what its types have, so a
template deployment sets it: a template reaches Azure as it is written.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import pulumi
from pulumi_azure_native import apimanagement, resources

from components._names import shorten

_LONGEST_NAME = 64
"""Most characters of a deployment's name (ARM: `Microsoft.Resources/deployments`)."""
_NOTE = "A subscription key is also accepted as bearer token."


def noted(definition: str) -> str:
    """Return a definition that says so in its description.

    The note is also a difference by which Pulumi writes the API anew when keys are no longer accepted, which takes the
    property away.
    """
    document = json.loads(definition)
    said = document["info"].get("description")
    document["info"] = {**document["info"], "description": f"{said} {_NOTE}" if isinstance(said, str) else _NOTE}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def accept_bearer_keys(
    name: str,
    properties: Mapping[str, Any],
    *,
    api: apimanagement.Api,
    api_id: str,
    definition: pulumi.Input[str],
    service_name: pulumi.Input[str],
    resource_group_name: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> None:
    """Deploy a template that writes the API again with `properties`, ARM's, and keeps the operations that it has.

    Whatever makes Pulumi write the API, which takes the property away, also changes the template: the properties, or
    the definition, whose digest the template carries.
    """
    resources.Deployment(
        f"{name}-bearer-keys",
        deployment_name=shorten(f"{api_id}-bearer-keys", _LONGEST_NAME),
        resource_group_name=resource_group_name,
        properties={
            "mode": resources.DeploymentMode.INCREMENTAL,
            "template": pulumi.Output.all(
                properties=dict(properties), definition=definition, service=service_name, api=api_id, written=api.id
            ).apply(_template),
        },
        opts=opts,
    )


def _template(known: Mapping[str, Any]) -> dict[str, Any]:
    names = {**known["properties"]["subscriptionKeyParameterNames"], "bearer": "enabled"}
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "metadata": {"definition": sha256(known["definition"].encode()).hexdigest()},
        "resources": [
            {
                "type": "Microsoft.ApiManagement/service/apis",
                "apiVersion": "2024-05-01",
                "name": f"{known['service']}/{known['api']}",
                "properties": {
                    **{key: _literal(value) for key, value in known["properties"].items()},
                    "subscriptionKeyParameterNames": names,
                },
            }
        ],
    }


def _literal(value: Any) -> Any:
    """Return a value that the template language does not read as an expression."""
    return f"[{value}" if isinstance(value, str) and value.startswith("[") else value
