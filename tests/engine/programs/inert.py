"""A group with a registry, a network and a role on the former."""

import pulumi
from pulumi_azure_native import authorization, containerregistry, managedidentity, network, resources

group = resources.ResourceGroup("rg")
identity = managedidentity.UserAssignedIdentity("caller", resource_group_name=group.name)
registry = containerregistry.Registry(
    "images", resource_group_name=group.name, sku={"name": "Basic"}, tags={"team": "ai"}
)
vnet = network.VirtualNetwork(
    "vnet", resource_group_name=group.name, address_space={"address_prefixes": ["10.0.0.0/16"]}
)
network.Subnet("apim", resource_group_name=group.name, virtual_network_name=vnet.name, address_prefix="10.0.0.0/24")
authorization.RoleAssignment(
    "reader",
    scope=registry.id,
    principal_id=identity.principal_id,
    principal_type="ServicePrincipal",
    role_definition_id="/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7",
)
pulumi.export("id", registry.id)
pulumi.export("name", registry.name)
