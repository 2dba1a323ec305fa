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
from pulumi_azure_native import apimanagement

from components._templates import deploy_template, template_of

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
    deploy_template(
        f"{name}-bearer-keys",
        pulumi.Output.all(
            properties=dict(properties), definition=definition, service=service_name, api=api_id, written=api.id
        ).apply(_template),
        deployment_name=f"{api_id}-bearer-keys",
        resource_group_name=resource_group_name,
        opts=opts,
    )


def _template(known: Mapping[str, Any]) -> dict[str, Any]:
    names = {**known["properties"]["subscriptionKeyParameterNames"], "bearer": "enabled"}
    api = {
        "type": "Microsoft.ApiManagement/service/apis",
        "apiVersion": "2024-05-01",
        "name": f"{known['service']}/{known['api']}",
        "properties": {**known["properties"], "subscriptionKeyParameterNames": names},
    }
    return template_of([api], definition=sha256(known["definition"].encode()).hexdigest())
