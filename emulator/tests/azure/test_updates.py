"""Changes in place: what follows from them, what stays, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import DEFINITION, OPENAI_USER, Azure

GUID = "11111111-1111-1111-1111-111111111111"
OTHER_GUID = "22222222-2222-2222-2222-222222222222"
DOCUMENT = '{"openapi": "3.0.0", "info": {}, "paths": {"/a": {"get": {"operationId": "ChatCompletions_Create"}}}}'


def policy(inbound: str) -> str:
    return f"<policies>\n<inbound>\n{inbound}\n</inbound>\n</policies>"


def role(guid: str, value: str) -> dict[str, Any]:
    return {"id": guid, "value": value, "allowedMemberTypes": ["Application"], "description": "d", "displayName": "n"}


def test_a_named_value_is_what_the_gateway_uses_next(azure: Azure) -> None:
    azure.service()
    named_value, _ = azure.named_value("key", value="one", secret=True)
    azure.api()
    azure.policy("<set-header name='api-key'><value>{{key}}</value></set-header>")

    outputs = azure.change("apimanagement:NamedValue", named_value, value="two")

    assert azure.cloud.gateways()[0].named_values == {"key": "two"}
    assert "value" not in outputs
    assert azure.cloud.read("azure-native:apimanagement:NamedValue", named_value) == outputs


def test_a_named_value_in_use_keeps_its_display_name(azure: Azure) -> None:
    azure.service()
    named_value, _ = azure.named_value("key")
    azure.api()
    policy_id, _ = azure.policy("<set-header name='api-key'><value>{{key}}</value></set-header>")

    with pytest.raises(CloudError, match="cannot be renamed") as refusal:
        azure.change("apimanagement:NamedValue", named_value, displayName="other")

    assert policy_id in refusal.value.message
    azure.cloud.delete(policy_id)
    azure.change("apimanagement:NamedValue", named_value, displayName="other")
    assert set(azure.cloud.gateways()[0].named_values) == {"other"}


def test_a_policy_is_checked_again(azure: Azure) -> None:
    azure.service()
    azure.api()
    policy_id, _ = azure.policy("<base />")

    with pytest.raises(CloudError, match="backend-id 'openai-backend' does not exist"):
        azure.change(
            "apimanagement:ApiPolicy", policy_id, value=policy("<set-backend-service backend-id='openai-backend' />")
        )
    assert azure.cloud.gateways()[0].apis[0].policy == policy("<base />")

    azure.backend()
    new = policy("<set-backend-service backend-id='openai-backend' />")
    azure.change("apimanagement:ApiPolicy", policy_id, value=new)
    assert azure.cloud.gateways()[0].apis[0].policy == new


def test_an_api_has_the_operations_of_its_new_definition_and_the_policies_of_those_that_stay(azure: Azure) -> None:
    azure.service()
    api_id, _ = azure.api()
    for operation in ("ChatCompletions_Create", "embeddings_create"):
        azure.apim(
            "ApiOperationPolicy", apiId="openai", operationId=operation, policyId="policy", value=policy("<base />")
        )

    azure.change("apimanagement:Api", api_id, path="new", format="openapi+json", value=DOCUMENT)

    (api,) = azure.cloud.gateways()[0].apis
    assert api.path == "new"
    assert [(found.name, found.method, found.policy) for found in api.operations] == [
        ("ChatCompletions_Create", "GET", policy("<base />"))
    ]
    azure.change("apimanagement:Api", api_id, format="openapi+json", value=DEFINITION)
    assert {found.name: found.policy for found in azure.cloud.gateways()[0].apis[0].operations}[
        "embeddings_create"
    ] is None


def test_a_subscription_keeps_its_keys_unless_given_others(azure: Azure) -> None:
    azure.service()
    inputs = {"sid": "caller", "displayName": "Caller", "scope": "/apis", "state": "active"}
    subscription, _ = azure.apim("Subscription", **inputs)
    args = {"resourceGroupName": "rg", "serviceName": "apim", "sid": "caller"}
    list_secrets = "azure-native:apimanagement:listSubscriptionSecrets"
    before = azure.cloud.invoke(list_secrets, args)

    azure.change("apimanagement:Subscription", subscription, state="suspended")

    assert azure.cloud.invoke(list_secrets, args) == before
    assert not azure.cloud.gateways()[0].subscriptions[1].active
    azure.change("apimanagement:Subscription", subscription, primaryKey="k" * 32)
    assert azure.cloud.invoke(list_secrets, args) == before | {"primaryKey": "k" * 32}


def test_an_account_keeps_its_keys_and_hides_them_without_local_authentication(azure: Azure) -> None:
    account, _ = azure.account()
    (before,) = azure.cloud.accounts()

    azure.change(
        "cognitiveservices:Account", account, properties={"customSubDomainName": "oai", "disableLocalAuth": True}
    )

    (after,) = azure.cloud.accounts()
    assert (after.keys, before.local_auth, after.local_auth) == (before.keys, True, False)
    with pytest.raises(CloudError, match="disableLocalAuth"):
        azure.cloud.invoke(
            "azure-native:cognitiveservices:listAccountKeys", {"resourceGroupName": "rg", "accountName": "oai"}
        )


def test_a_service_keeps_its_identity_while_it_has_one(azure: Azure) -> None:
    service, outputs = azure.service()
    first = outputs["identity"]["principalId"]
    user_assigned, _ = azure.identity()
    both = {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {user_assigned: {}}}

    kept = azure.change("apimanagement:ApiManagementService", service, identity=both)
    none = azure.change("apimanagement:ApiManagementService", service, identity=None)
    new = azure.change("apimanagement:ApiManagementService", service, identity={"type": "SystemAssigned"})

    assert kept["identity"]["principalId"] == first
    assert "identity" not in none
    assert new["identity"]["principalId"] != first
    assert azure.cloud.identity_tenant(first) is None
    assert [found.id for found in azure.cloud.gateways()[0].subscriptions] == ["master"]


def test_a_new_value_of_a_secret_is_a_new_version(azure: Azure) -> None:
    azure.vault()
    secret, made = azure.secret("one")

    changed = azure.change("keyvault:Secret", secret, properties={"value": "two"})

    assert changed["properties"]["secretUri"] == made["properties"]["secretUri"]
    assert changed["properties"]["secretUriWithVersion"] != made["properties"]["secretUriWithVersion"]


def test_an_application_and_its_service_principal_change_together(azure: Azure) -> None:
    application, outputs = azure.entra("Application", displayName="api", appRoles=[role(GUID, "Chat.User")])
    principal, _ = azure.entra("ServicePrincipal", clientId=outputs["clientId"])
    token = "azuread:index/application:Application"

    azure.administrator.update(token, application, {"displayName": "new", "appRoles": [role(OTHER_GUID, "Chat.Admin")]})

    (found,) = azure.cloud.applications()
    assert (found.display_name, found.app_roles, found.client_id) == (
        "new",
        {OTHER_GUID: "Chat.Admin"},
        outputs["clientId"],
    )
    read = azure.cloud.read("azuread:index/servicePrincipal:ServicePrincipal", principal)
    assert (read["displayName"], read["appRoleIds"]) == ("new", {"Chat.Admin": OTHER_GUID})
    client = azure.identity()[1]["principalId"]
    azure.entra(
        "AppRoleAssignment", appRoleId=OTHER_GUID, principalObjectId=client, resourceObjectId=principal.split("/")[2]
    )
    assert azure.cloud.applications()[0].assignments == {client: {"Chat.Admin"}}


def test_an_application_keeps_its_own_identifier_uri(azure: Azure) -> None:
    token = "azuread:index/application:Application"
    application, _ = azure.entra("Application", displayName="api", identifierUris=["api://one"])
    azure.entra("Application", "second", displayName="second", identifierUris=["api://two"])

    azure.administrator.update(token, application, {"displayName": "new", "identifierUris": ["api://one"]})

    with pytest.raises(CloudError, match="already has the identifier URI"):
        azure.administrator.update(token, application, {"displayName": "new", "identifierUris": ["api://two"]})


def test_a_service_principal_and_a_pre_authorization_change_in_place(azure: Azure) -> None:
    scope = {"id": GUID, "value": "chat"}
    application, outputs = azure.entra("Application", displayName="api", api={"oauth2PermissionScopes": [scope]})
    principal, made = azure.entra("ServicePrincipal", clientId=outputs["clientId"])
    inputs = {"applicationId": application, "authorizedClientId": OTHER_GUID, "permissionIds": [GUID]}
    allowed, _ = azure.entra("ApplicationPreAuthorized", **inputs)

    changed = azure.administrator.update(
        "azuread:index/servicePrincipal:ServicePrincipal",
        principal,
        {"clientId": outputs["clientId"], "appRoleAssignmentRequired": True},
    )

    assert azure.cloud.applications()[0].assignment_required
    assert changed["objectId"] == made["objectId"]
    with pytest.raises(CloudError, match="is not a scope"):
        azure.administrator.update(
            "azuread:index/applicationPreAuthorized:ApplicationPreAuthorized",
            allowed,
            inputs | {"permissionIds": [OTHER_GUID]},
        )


def test_a_role_assignment_changes_only_in_what_it_says(azure: Azure) -> None:
    account, _ = azure.account()
    principal = azure.identity()[1]["principalId"]
    assignment, _ = azure.role(principal, account, OPENAI_USER)

    assert azure.change("authorization:RoleAssignment", assignment, description="why")["description"] == "why"
    with pytest.raises(CloudError, match="PropertyChangeNotAllowed"):
        azure.change("authorization:RoleAssignment", assignment, scope=azure.group_id())

    assert azure.cloud.has_role(principal, OPENAI_USER, account)


def test_tags_of_a_resource_group_change_and_its_location_does_not(azure: Azure) -> None:
    assert azure.change("resources:ResourceGroup", azure.group_id(), tags={"a": "b"})["tags"] == {"a": "b"}
    with pytest.raises(CloudError, match="PropertyChangeNotAllowed: location of"):
        azure.change("resources:ResourceGroup", azure.group_id(), location="francecentral")


def test_a_name_and_a_location_left_out_stay(azure: Azure) -> None:
    token = "azure-native:managedidentity:UserAssignedIdentity"
    resource_id, outputs = azure.cloud.create(token, "auto", {"resourceGroupName": "rg"})

    changed = azure.cloud.update(token, resource_id, {"resourceGroupName": "rg", "tags": {"a": "b"}})

    assert changed == outputs | {"tags": {"a": "b"}}


Change = Callable[[Azure], object]


@pytest.mark.parametrize(
    ("create", "change", "message"),
    [
        pytest.param(
            lambda azure: (azure.service(), azure.api(), azure.api("second")),
            lambda azure: azure.change("apimanagement:Api", f"{azure.service_id()}/apis/second", path="openai"),
            "same Path 'openai' as API 'openai'",
            id="path-of-another-api",
        ),
        pytest.param(
            lambda azure: (azure.service(), azure.named_value("a"), azure.named_value("b")),
            lambda azure: azure.change(
                "apimanagement:NamedValue", f"{azure.service_id()}/namedValues/a", displayName="b"
            ),
            "displayName 'b' already exists",
            id="display-name-of-another-named-value",
        ),
        pytest.param(
            lambda azure: (
                azure.service(),
                azure.backend("a"),
                azure.backend("b"),
            ),
            lambda azure: azure.change(
                "apimanagement:Backend",
                f"{azure.service_id()}/backends/a",
                type="Pool",
                pool={"services": [{"id": "/backends/b"}]},
            ),
            "the type of a backend cannot be changed from Single to Pool",
            id="single-backend-to-pool",
        ),
        pytest.param(
            lambda azure: azure.service(),
            lambda azure: azure.change(
                "apimanagement:ApiManagementService", azure.service_id(), sku={"name": "BasicV2", "capacity": 99}
            ),
            "sku.capacity 99",
            id="capacity",
        ),
        pytest.param(
            lambda azure: azure.vault(softDeleteRetentionInDays=7, enablePurgeProtection=True),
            lambda azure: azure.change(
                "keyvault:Vault",
                f"{azure.group_id()}/providers/Microsoft.KeyVault/vaults/kv-contoso",
                properties={
                    "tenantId": azure.cloud.tenant_id,
                    "sku": {"family": "A", "name": "standard"},
                    "enableRbacAuthorization": True,
                    "softDeleteRetentionInDays": 7,
                },
            ),
            "enablePurgeProtection cannot be false",
            id="purge-protection-off",
        ),
        pytest.param(
            lambda azure: azure.vault(softDeleteRetentionInDays=7),
            lambda azure: azure.change(
                "keyvault:Vault",
                f"{azure.group_id()}/providers/Microsoft.KeyVault/vaults/kv-contoso",
                properties={
                    "tenantId": azure.cloud.tenant_id,
                    "sku": {"family": "A", "name": "standard"},
                    "enableRbacAuthorization": True,
                    "softDeleteRetentionInDays": 8,
                },
            ),
            "softDeleteRetentionInDays has been set already",
            id="retention",
        ),
        pytest.param(
            lambda azure: azure.entra("Application", displayName="api"),
            lambda azure: azure.cloud.update(
                "azuread:index/servicePrincipal:ServicePrincipal", "/servicePrincipals/x", {"clientId": GUID}
            ),
            "ResourceNotFound",
            id="what-does-not-exist",
        ),
        pytest.param(
            lambda azure: azure.service(),
            lambda azure: azure.change("apimanagement:ApiManagementService", azure.service_id(), colour="red"),
            "colour is not a property",
            id="unknown-property",
        ),
    ],
)
def test_a_change_is_refused_and_leaves_everything_as_it_was(
    azure: Azure, create: Change, change: Change, message: str
) -> None:
    create(azure)
    before, version = azure.cloud.gateways(), azure.cloud.version

    with pytest.raises(CloudError, match=message):
        change(azure)

    assert (azure.cloud.gateways(), azure.cloud.version) == (before, version)


def test_inputs_are_read_back_without_what_azure_never_returns(azure: Azure) -> None:
    azure.service()
    azure.vault()
    api, _ = azure.api()
    secret, _ = azure.secret("s3cr3t")
    hidden, _ = azure.named_value("hidden", value="s3cr3t", secret=True)
    shown, _ = azure.named_value("shown", value="text")
    azure.api("other", path="other")
    policy_id, _ = azure.policy("<base />")

    def inputs_of(kind: str, resource_id: str, **known: Any) -> dict[str, Any]:
        return azure.cloud.inputs_of(f"azure-native:{kind}", resource_id, known)

    assert inputs_of("apimanagement:Api", api).keys() & {"format", "value"} == set()
    assert inputs_of("apimanagement:Api", api)["path"] == "openai"
    assert inputs_of("keyvault:Secret", secret)["properties"] == {}
    assert "value" not in inputs_of("apimanagement:NamedValue", hidden)
    assert inputs_of("apimanagement:NamedValue", shown)["value"] == "text"
    assert inputs_of("apimanagement:ApiPolicy", policy_id)["value"] == policy("<base />")

    known = {"properties": {"value": "known", "contentType": "of old"}, "tags": {"of": "old"}}
    assert inputs_of("keyvault:Secret", secret, **known)["properties"] == {"value": "known"}
    assert inputs_of("apimanagement:NamedValue", hidden, value="known")["value"] == "known"
    assert inputs_of("apimanagement:NamedValue", shown, value="known")["value"] == "text"


def test_inputs_read_back_tell_names_and_locations_that_were_left_out(azure: Azure) -> None:
    token = "azure-native:managedidentity:UserAssignedIdentity"
    resource_id, outputs = azure.cloud.create(token, "auto", {"resourceGroupName": "rg"})

    assert azure.cloud.inputs_of(token, resource_id) == {
        "resourceGroupName": "rg",
        "resourceName": outputs["name"],
        "location": "swedencentral",
    }


def test_what_an_owner_made_is_adopted_rather_than_made_again(azure: Azure) -> None:
    token, inputs = "azuread:index/application:Application", {"displayName": "api"}
    made = azure.cloud.create(token, "app", inputs, owner="urn:app", adopt=True)

    assert azure.cloud.create(token, "app", inputs, owner="urn:app", adopt=True) == made
    others = [
        azure.cloud.create(token, "app", inputs, owner="urn:other", adopt=True),
        azure.cloud.create(token, "app", {"displayName": "new"}, owner="urn:app", adopt=True),
        azure.cloud.create(token, "app", inputs, owner="urn:app"),
        azure.cloud.create(token, "app", inputs, adopt=True),
    ]
    assert len({resource_id for resource_id, _ in [made, *others]}) == 5


def test_what_an_owner_has_heard_of_is_not_taken_for_what_it_asks_for_now(azure: Azure) -> None:
    token, inputs = "azuread:index/application:Application", {"displayName": "api"}
    first, _ = azure.cloud.create(token, "app", inputs, owner="urn:app", adopt=True)
    azure.cloud.note_answered(first)

    second, _ = azure.cloud.create(token, "app", inputs, owner="urn:app", adopt=True)

    assert azure.cloud.owned_by("urn:app") == [first, second]
    assert azure.cloud.owned_by("urn:other") == []


def test_an_owner_stays_through_an_update(azure: Azure) -> None:
    token, inputs = "azuread:index/application:Application", {"displayName": "api"}
    resource_id, _ = azure.administrator.create(token, "app", inputs, owner="urn:app")

    azure.administrator.update(token, resource_id, {"displayName": "new"})

    assert azure.administrator.owned_by("urn:app") == [resource_id]


def test_an_auto_named_resource_is_adopted(azure: Azure) -> None:
    token, inputs = "azure-native:managedidentity:UserAssignedIdentity", {"resourceGroupName": "rg"}

    made = azure.cloud.create(token, "auto", inputs, owner="urn:auto", adopt=True)

    assert azure.cloud.create(token, "auto", inputs, owner="urn:auto", adopt=True) == made
