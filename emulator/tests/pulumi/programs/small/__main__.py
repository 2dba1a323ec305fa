"""Account and gateway with the account's key in a secret named value, all names left to the providers."""

import pulumi
from pulumi_azure_native import apimanagement, cognitiveservices, resources
from small_names import subdomain  # type: ignore[import-not-found]  # beside the program, as Pulumi finds it

config = pulumi.Config()
group = resources.ResourceGroup("group")
account = cognitiveservices.Account(
    "account",
    resource_group_name=group.name,
    kind="OpenAI",
    sku={"name": "S0"},
    properties={"custom_sub_domain_name": subdomain(config.require("owner"))},
)
service = apimanagement.ApiManagementService(
    "service",
    resource_group_name=group.name,
    publisher_name=config.require("owner"),
    publisher_email="ai@contoso.com",
    sku={"name": "BasicV2", "capacity": config.require_object("sizes")["small"]},
    identity={"type": "SystemAssigned"},
)
keys = cognitiveservices.list_account_keys_output(account_name=account.name, resource_group_name=group.name)
apimanagement.NamedValue(
    "key",
    resource_group_name=group.name,
    service_name=service.name,
    display_name="openai-api-key",
    secret=True,
    value=pulumi.Output.secret(keys.key1),
)
pulumi.log.warn("look at this")
pulumi.export("greeting", config.require("greeting"))
pulumi.export("gatewayUrl", service.gateway_url)
pulumi.export("endpoint", account.properties.endpoint)
pulumi.export("principalId", service.identity.apply(lambda identity: identity and identity.principal_id))
pulumi.export("key", pulumi.Output.secret(keys.key1))
