import pytest

from apim_emulator.azure import Cloud, CloudError
from emulator.tests.azure.azure import OPENAI_USER, Azure

OTHER_TENANT = "99999999-9999-9999-9999-999999999999"
SCOPES = {"chat": "33333333-3333-3333-3333-333333333333", "embed": "44444444-4444-4444-4444-444444444444"}
GRANT = "ServicePrincipalDelegatedPermissionGrant"


def test_an_application_is_seen_with_all_that_was_added_to_it(azure: Azure) -> None:
    on, off = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
    common = {"allowedMemberTypes": ["Application"], "description": "d", "displayName": "n"}
    resource_id, application = azure.entra(
        "Application",
        displayName="api",
        api={"requestedAccessTokenVersion": 2},
        appRoles=[{"id": on, "value": "Chat.User", **common}, {"id": off, "value": "Old", "enabled": False, **common}],
    )
    azure.entra("ApplicationIdentifierUri", applicationId=resource_id, identifierUri="api://contoso")
    assert azure.cloud.applications() == ()
    _, principal = azure.entra("ServicePrincipal", clientId=application["clientId"], appRoleAssignmentRequired=True)
    client = azure.cloud.add_caller("client")
    azure.entra(
        "AppRoleAssignment",
        appRoleId=on,
        principalObjectId=client.service_principal_id,
        resourceObjectId=principal["objectId"],
    )

    found = next(found for found in azure.cloud.applications() if found.display_name == "api")

    assert found.service_principal_id == principal["objectId"]
    assert found.identifier_uris == ("api://contoso",)
    assert found.app_roles == {on: "Chat.User"}
    assert found.token_version == 2
    assert found.assignment_required
    assert found.assignments == {client.service_principal_id: {"Chat.User"}}
    assert found.tenant_id == azure.cloud.tenant_id


def test_clients_have_scopes_by_pre_authorization_and_by_consent(azure: Azure) -> None:
    scopes = [{"id": scope_id, "value": value} for value, scope_id in SCOPES.items()]
    off = {"id": "55555555-5555-5555-5555-555555555555", "value": "old", "enabled": False}
    application, api = azure.entra("Application", displayName="api", api={"oauth2PermissionScopes": [*scopes, off]})
    _, principal = azure.entra("ServicePrincipal", clientId=api["clientId"])
    allowed, asked = azure.cloud.add_caller("allowed"), azure.cloud.add_caller("asked")
    user = azure.cloud.add_user("ada@contoso.com")
    both = {"applicationId": application, "permissionIds": [SCOPES["chat"].upper(), off["id"]]}
    azure.entra("ApplicationPreAuthorized", authorizedClientId=allowed.client_id.upper(), **both)
    ends = {"resourceServicePrincipalObjectId": principal["objectId"]}
    client = {"servicePrincipalObjectId": asked.service_principal_id}
    consent, _ = azure.entra(GRANT, claimValues=["chat", "unknown"], **ends, **client)
    azure.entra(GRANT, "second", claimValues=["embed"], userObjectId=user.object_id, **ends, **client)

    def granted() -> object:
        return next(found for found in azure.cloud.applications() if found.client_id == api["clientId"]).granted

    expected = {
        (allowed.client_id, None): {"chat"},
        (asked.client_id, None): {"chat"},
        (asked.client_id, user.object_id): {"embed"},
    }
    assert granted() == expected
    token = f"azuread:index/servicePrincipalDelegatedPermissionGrant:{GRANT}"
    azure.administrator.update(token, consent, {"claimValues": ["embed"], **ends, **client})
    assert granted() == expected | {(asked.client_id, None): {"embed"}}
    azure.administrator.delete(consent)
    assert granted() == {key: value for key, value in expected.items() if key != (asked.client_id, None)}


def test_a_user_stays_the_same_with_a_password_of_its_own() -> None:
    cloud = Cloud()
    user = cloud.add_user("ada@contoso.com")

    assert cloud.add_user("ada@contoso.com") == user
    assert Cloud().add_user("ada@contoso.com").object_id == user.object_id
    assert Cloud().add_user("ada@contoso.com").password != user.password
    assert user.password not in repr(user)
    assert cloud.users() == (user,)


def test_an_existing_service_principal_can_be_used(azure: Azure) -> None:
    client = azure.cloud.add_caller("client")

    _, principal = azure.entra("ServicePrincipal", clientId=client.client_id, useExisting=True)

    assert principal["objectId"] == client.service_principal_id


def test_a_caller_has_a_stable_client_id_and_a_new_secret() -> None:
    first, second = Cloud().add_caller("client"), Cloud().add_caller("client")

    assert first.client_id == second.client_id
    assert first.secrets != second.secrets
    assert len(first.secrets) == 1
    assert first.secrets[0] not in repr(first)


def test_a_caller_may_come_from_another_tenant(azure: Azure) -> None:
    caller = azure.cloud.add_caller("stranger", OTHER_TENANT)
    account_id, _ = azure.account()

    assert caller.tenant_id == OTHER_TENANT
    assert azure.cloud.tenant_ids() == (azure.cloud.tenant_id, OTHER_TENANT)
    with pytest.raises(CloudError, match="PrincipalNotFound"):
        azure.role(caller.service_principal_id, account_id, OPENAI_USER)


def test_a_display_name_that_two_registrations_have_finds_neither(azure: Azure) -> None:
    for name in ("first", "second"):
        _, application = azure.entra("Application", name, displayName="hub")
        azure.entra("ServicePrincipal", name, clientId=application["clientId"])

    for function in ("getServicePrincipal", "getApplication"):
        with pytest.raises(CloudError, match="found multiple objects matching hub"):
            azure.cloud.invoke(f"azuread:index/{function}:{function}", {"displayName": "hub"})


def test_a_service_principal_has_the_uris_that_its_application_got_later(azure: Azure) -> None:
    application_id, application = azure.entra("Application", "hub", displayName="hub")
    client_id = application["clientId"]
    azure.entra("ServicePrincipal", "hub", clientId=client_id)
    azure.entra("ApplicationIdentifierUri", "hub", applicationId=application_id, identifierUri="api://hub")

    found = azure.cloud.invoke("azuread:index/getServicePrincipal:getServicePrincipal", {"clientId": client_id})

    assert found["servicePrincipalNames"] == [client_id, "api://hub"]
