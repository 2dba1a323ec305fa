"""Template deployments, for what no type of azure-native has: a template reaches Azure as it is written."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi_azure_native import resources

from components._names import shorten

_LONGEST_NAME = 64
"""Most characters of a deployment's name (ARM: `Microsoft.Resources/deployments`)."""


def deploy_template(
    name: str,
    template: pulumi.Input[dict[str, Any]],
    *,
    deployment_name: str,
    resource_group_name: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> resources.Deployment:
    """Deploy a template, from `template_of`; it is deployed again whenever it changes."""
    return resources.Deployment(
        name,
        deployment_name=shorten(deployment_name, _LONGEST_NAME),
        resource_group_name=resource_group_name,
        properties={"mode": resources.DeploymentMode.INCREMENTAL, "template": template},
        opts=opts,
    )


def template_of(given: Sequence[Mapping[str, Any]], **metadata: str) -> dict[str, Any]:
    """Return a template with resources whose values are all literal; `metadata` is of no meaning to Azure."""
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        **({"metadata": metadata} if metadata else {}),
        "resources": [_literal(resource) for resource in given],
    }


def _literal(value: Any) -> Any:
    """Return a value that the template language does not read as an expression."""
    if isinstance(value, Mapping):
        return {key: _literal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_literal(item) for item in value]
    return f"[{value}" if isinstance(value, str) and value.startswith("[") else value
