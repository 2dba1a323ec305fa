"""An assistant that calls a hub's API with an identity and a key of its own; the hub is known by its names alone."""

import sys
from pathlib import Path

import pulumi
from pulumi_azure_native import managedidentity, resources

# Where the components are: this checkout, or the folder of a Git submodule.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from components import ApiClient

hub = pulumi.Config().require_object("hub")

group = resources.ResourceGroup("assistant")
identity = managedidentity.UserAssignedIdentity("assistant", resource_group_name=group.name)
client = ApiClient(
    "assistant",
    {
        "resource_group_name": hub["resourceGroup"],
        "service_name": hub["service"],
        "api": hub["api"],
        "product": hub["product"],
        "application": hub["application"],
        "role": hub["role"],
        "principal_id": identity.principal_id,
    },
)

pulumi.export("endpoint", client.endpoint)
pulumi.export("primaryKey", client.primary_key)
pulumi.export("secondaryKey", client.secondary_key)
pulumi.export("scope", client.scope)
pulumi.export("identityClientId", identity.client_id)
pulumi.export("identityObjectId", identity.principal_id)
