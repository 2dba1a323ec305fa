"""A group with Application Insights, a network and a role on the former."""

import pulumi
from pulumi_azure_native import applicationinsights, authorization, managedidentity, network, resources

group = resources.ResourceGroup("rg")
identity = managedidentity.UserAssignedIdentity("caller", resource_group_name=group.name)
insights = applicationinsights.Component(
    "insights", resource_group_name=group.name, kind="web", application_type="web", tags={"team": "ai"}
)
vnet = network.VirtualNetwork(
    "vnet", resource_group_name=group.name, address_space={"address_prefixes": ["10.0.0.0/16"]}
)
network.Subnet("apim", resource_group_name=group.name, virtual_network_name=vnet.name, address_prefix="10.0.0.0/24")
authorization.RoleAssignment(
    "publisher",
    scope=insights.id,
    principal_id=identity.principal_id,
    principal_type="ServicePrincipal",
    role_definition_id="/providers/Microsoft.Authorization/roleDefinitions/3913510d-42f4-4e42-8a64-420c390055eb",
)
pulumi.export("id", insights.id)
pulumi.export("name", insights.name)
