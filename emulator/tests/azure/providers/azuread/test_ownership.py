"""Who may change app registrations: owners and administrators, as Microsoft Graph has it."""

from collections.abc import Callable
from typing import Any

import pytest

from apim_emulator.azure import Cloud, CloudError, Deployer

APPLICATION = "azuread:index/application:Application"
PRINCIPAL = "azuread:index/servicePrincipal:ServicePrincipal"
URI = "azuread:index/applicationIdentifierUri:ApplicationIdentifierUri"
PASSWORD = "azuread:index/applicationPassword:ApplicationPassword"
PRE_AUTHORIZED = "azuread:index/applicationPreAuthorized:ApplicationPreAuthorized"
GRANT = "azuread:index/servicePrincipalDelegatedPermissionGrant:ServicePrincipalDelegatedPermissionGrant"
ASSIGNMENT = "azuread:index/appRoleAssignment:AppRoleAssignment"
DENIED = r"^Authorization_RequestDenied: Insufficient privileges to complete the operation\.$"

ROLE, SCOPE, CLIENT = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "123")
LEAST = pytest.mark.parametrize("deployer", [Deployer.DEVELOPER, Deployer.PIPELINE])
ALL = pytest.mark.parametrize("deployer", list(Deployer))


def registration(*owners: str) -> dict[str, Any]:
    role = {"id": ROLE, "value": "Chat.User", "displayName": "r", "description": "r", "allowedMemberTypes": ["User"]}
    scopes = {"oauth2PermissionScopes": [{"id": SCOPE, "value": "chat"}]}
    owned = {"owners": list(owners)} if owners else {}
    return {"displayName": "api", "appRoles": [role], "api": scopes, **owned}


class Owned:
    """An application and its service principal, registered by an administrator for some owners."""

    def __init__(self, cloud: Cloud, *owners: str) -> None:
        administrator = cloud.acting_as(Deployer.ADMINISTRATOR)
        self.inputs = registration(*owners)
        self.id, made = administrator.create(APPLICATION, "api", self.inputs)
        self.principal_inputs = {"clientId": made["clientId"], "owners": list(owners)}
        self.principal_id, principal = administrator.create(PRINCIPAL, "api", self.principal_inputs)
        self.uri_id, _ = administrator.create(URI, "api", {"applicationId": self.id, "identifierUri": "api://contoso"})
        self.object_id = principal["objectId"]


CHANGES: dict[str, Callable[[Cloud, Owned], object]] = {
    "update": lambda cloud, app: cloud.update(APPLICATION, app.id, {**app.inputs, "displayName": "new"}),
    "identifier URI": lambda cloud, app: cloud.create(
        URI, "second", {"applicationId": app.id, "identifierUri": "api://second"}
    ),
    "identifier URI, removed": lambda cloud, app: cloud.delete(app.uri_id),
    "client secret": lambda cloud, app: cloud.create(PASSWORD, "api", {"applicationId": app.id}),
    "pre-authorized client": lambda cloud, app: cloud.create(
        PRE_AUTHORIZED, "api", {"applicationId": app.id, "authorizedClientId": CLIENT, "permissionIds": [SCOPE]}
    ),
    "service principal": lambda cloud, app: cloud.update(
        PRINCIPAL, app.principal_id, {**app.principal_inputs, "appRoleAssignmentRequired": True}
    ),
    "service principal, deleted": lambda cloud, app: cloud.delete(app.principal_id),
    "role of a user": lambda cloud, app: cloud.create(
        ASSIGNMENT,
        "api",
        {
            "appRoleId": ROLE,
            "principalObjectId": cloud.acting_as(Deployer.DEVELOPER).deployer_object_id,
            "resourceObjectId": app.object_id,
        },
    ),
    "delete": lambda cloud, app: cloud.delete(app.id),
}


@ALL
def test_a_new_registration_belongs_to_those_it_names_and_not_to_its_creator(cloud: Cloud, deployer: Deployer) -> None:
    acting = cloud.acting_as(deployer)

    application, outputs = acting.create(APPLICATION, "api", registration())

    assert outputs["owners"] == []
    assert cloud.read(APPLICATION, application)["owners"] == []
    if deployer is not Deployer.ADMINISTRATOR:
        with pytest.raises(CloudError, match=DENIED):
            acting.create(URI, "api", {"applicationId": application, "identifierUri": "api://contoso"})
        with pytest.raises(CloudError, match=DENIED):
            acting.create(PRINCIPAL, "api", {"clientId": outputs["clientId"]})


@pytest.mark.parametrize("change", CHANGES)
@ALL
def test_an_owner_manages_what_it_owns(cloud: Cloud, deployer: Deployer, change: str) -> None:
    acting = cloud.acting_as(deployer)
    application = Owned(cloud, acting.deployer_object_id)

    CHANGES[change](acting, application)


@pytest.mark.parametrize("change", CHANGES)
@LEAST
def test_everybody_else_is_refused(cloud: Cloud, deployer: Deployer, change: str) -> None:
    other = cloud.acting_as(Deployer.ADMINISTRATOR).deployer_object_id
    application = Owned(cloud, other)
    before = cloud.version

    with pytest.raises(CloudError, match=DENIED):
        CHANGES[change](cloud.acting_as(deployer), application)

    assert cloud.version == before


@pytest.mark.parametrize("change", CHANGES)
def test_an_administrator_owns_nothing_and_manages_everything(cloud: Cloud, change: str) -> None:
    application = Owned(cloud, cloud.deployer_object_id)

    CHANGES[change](cloud.acting_as(Deployer.ADMINISTRATOR), application)


def test_a_person_who_owns_it_shares_it(cloud: Cloud) -> None:
    pipeline = cloud.acting_as(Deployer.PIPELINE)
    application = Owned(cloud, cloud.deployer_object_id)
    shared = registration(cloud.deployer_object_id, pipeline.deployer_object_id.upper())

    changed = cloud.update(APPLICATION, application.id, shared)

    assert changed["owners"] == [cloud.deployer_object_id, pipeline.deployer_object_id]
    assert CHANGES["identifier URI"](pipeline, application)


def test_a_pipeline_that_owns_it_shares_it_with_nobody(cloud: Cloud) -> None:
    pipeline = cloud.acting_as(Deployer.PIPELINE)
    application = Owned(cloud, pipeline.deployer_object_id)
    shared = registration(pipeline.deployer_object_id, cloud.deployer_object_id)

    with pytest.raises(CloudError, match=DENIED):
        pipeline.update(APPLICATION, application.id, shared)
    with pytest.raises(CloudError, match=DENIED):
        pipeline.create(APPLICATION, "second", shared)


def test_a_pipeline_changes_a_service_principal_only_where_it_owns_the_application_too(cloud: Cloud) -> None:
    pipeline = cloud.acting_as(Deployer.PIPELINE)
    application = Owned(cloud, pipeline.deployer_object_id)
    cloud.acting_as(Deployer.ADMINISTRATOR).update(APPLICATION, application.id, registration())

    with pytest.raises(CloudError, match=DENIED):
        CHANGES["service principal"](pipeline, application)


def test_an_owner_must_exist(cloud: Cloud) -> None:
    with pytest.raises(CloudError, match=rf"^Request_ResourceNotFound: Resource '{CLIENT}' does not exist"):
        cloud.create(APPLICATION, "api", registration(CLIENT))


@LEAST
def test_an_owner_assigns_no_role_to_an_application(cloud: Cloud, deployer: Deployer) -> None:
    acting = cloud.acting_as(deployer)
    application = Owned(cloud, acting.deployer_object_id)
    caller = cloud.add_caller("client").service_principal_id
    inputs = {"appRoleId": ROLE, "principalObjectId": caller, "resourceObjectId": application.object_id}

    with pytest.raises(CloudError, match=DENIED):
        acting.create(ASSIGNMENT, "api", inputs)
    made, _ = cloud.acting_as(Deployer.ADMINISTRATOR).create(ASSIGNMENT, "api", inputs)
    with pytest.raises(CloudError, match=DENIED):
        acting.delete(made)


@LEAST
def test_an_owner_consents_to_nothing_for_others(cloud: Cloud, deployer: Deployer) -> None:
    acting = cloud.acting_as(deployer)
    application = Owned(cloud, acting.deployer_object_id)
    inputs = {
        "resourceServicePrincipalObjectId": application.object_id,
        "servicePrincipalObjectId": cloud.add_caller("client").service_principal_id,
        "claimValues": ["chat"],
    }

    with pytest.raises(CloudError, match=DENIED):
        acting.create(GRANT, "api", inputs)
    made, _ = cloud.acting_as(Deployer.ADMINISTRATOR).create(GRANT, "api", inputs)
    for change in (lambda: acting.update(GRANT, made, {**inputs, "claimValues": []}), lambda: acting.delete(made)):
        with pytest.raises(CloudError, match=DENIED):
            change()


@pytest.mark.parametrize("name", ["resourceServicePrincipalObjectId", "servicePrincipalObjectId", "userObjectId"])
def test_a_consent_is_between_those_that_exist(cloud: Cloud, name: str) -> None:
    application = Owned(cloud)
    ends = dict.fromkeys(("resourceServicePrincipalObjectId", "servicePrincipalObjectId"), application.object_id)

    with pytest.raises(CloudError, match=rf"^Request_ResourceNotFound: .*'{CLIENT}' does not exist"):
        cloud.acting_as(Deployer.ADMINISTRATOR).create(GRANT, "api", {**ends, "claimValues": ["chat"], name: CLIENT})
