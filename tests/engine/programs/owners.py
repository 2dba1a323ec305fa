"""One resource of each kind of owner. Another `round` in the config updates most and replaces the rest."""

import pulumi
import pulumi_azuread as azuread
from pulumi_azure_native import apimanagement, authorization, managedidentity, resources
from pulumi_random import RandomPassword, RandomString

ROLES = ("acdd72a7-3385-48ef-bd42-f606fba81ae7", "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd")
"""Reader, and Cognitive Services OpenAI User."""

round_ = pulumi.Config().require_int("round")
group = resources.ResourceGroup("group", location="swedencentral", tags={"round": str(round_)})
suffix = RandomString("suffix", length=8, special=False, upper=False)
password = RandomPassword("password", length=24, special=False, keepers={"round": str(round_)})
identity = managedidentity.UserAssignedIdentity(
    "identity", resource_group_name=group.name, tags={"round": str(round_ // 2)}
)
service = apimanagement.ApiManagementService(
    "service",
    resource_group_name=group.name,
    service_name=suffix.result.apply("apim-{}".format),
    publisher_name="Contoso",
    publisher_email="ai@contoso.com",
    sku={"name": "BasicV2", "capacity": 1},
)
apimanagement.NamedValue(
    "value",
    resource_group_name=group.name,
    service_name=service.name,
    named_value_id="value",
    display_name="value",
    secret=True,
    value=password.result,
)
owners = [azuread.get_client_config().object_id]
application = azuread.Application("application", display_name="Callers", notes=f"round {round_}", owners=owners)
azuread.ServicePrincipal("principal", client_id=application.client_id, owners=owners)
authorization.RoleAssignment(
    "role",
    scope=group.id,
    principal_id=identity.principal_id,
    principal_type="ServicePrincipal",
    role_definition_id=f"/providers/Microsoft.Authorization/roleDefinitions/{ROLES[round_ % len(ROLES)]}",
)
pulumi.export("name", group.name)
