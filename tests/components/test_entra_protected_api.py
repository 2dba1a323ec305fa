from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from apim_emulator.azure import Cloud, Deployer
from apim_emulator.pulumi.deploy import DeployError
from apim_emulator.pulumi.property_values import UNKNOWN
from components import EntraProtectedApi
from options import (
    AppRoleAssignmentOptions,
    BackendAuth,
    EntraOptions,
    ExistingApplication,
    JwtOptions,
    KeyDelivery,
    KeyOptions,
)
from policies import ClaimMatch, RequiredClaim
from tests.components.conftest import Azure, exporting
from tests.deployed import Deployed, deploy_component

CLIENT = "11111111-1111-4111-8111-111111111111"
OTHER_CLIENT = "22222222-2222-4222-8222-222222222222"
JWT = JwtOptions(openid_config_urls=["https://login.contoso.com/.well-known/openid-configuration"], audiences=["api"])
OUTPUTS = ("api_id", "audience", "client_id", "scopes", "subscription_key")


def deploy(azure: Azure, *, preview: bool = False, deployer: Deployer = Deployer.DEVELOPER, **more: Any) -> Deployed:
    args = azure.api_args(azure.account("oai"), **more)
    cloud = azure.cloud.acting_as(deployer)
    return deploy_component(exporting(lambda: EntraProtectedApi("openai", args), *OUTPUTS), cloud, preview=preview)


def validation(deployed: Deployed, policy: str) -> ET.Element:
    inbound = ET.fromstring(deployed.policy("openai")).find("inbound")
    assert inbound is not None
    assert [child.tag for child in inbound][:2] == ["base", policy], "who is calling is asked before anything else"
    return inbound[1]


def texts(element: ET.Element, path: str) -> list[str]:
    return [found.text or "" for found in element.findall(path)]


def test_the_registration_issues_v2_tokens_in_this_tenant_alone(azure: Azure) -> None:
    inputs = deploy(azure, entra=EntraOptions()).one("Application").inputs

    assert inputs["api"]["requestedAccessTokenVersion"] == 2
    assert inputs["signInAudience"] == "AzureADMyOrg"


def test_roles_and_scopes_are_defined_on_it(azure: Azure) -> None:
    entra = EntraOptions(roles=["Chat.User", "Chat.Admin"], scopes=["access_as_user"])

    inputs = deploy(azure, entra=entra).one("Application").inputs

    assert [role["value"] for role in inputs["appRoles"]] == ["Chat.User", "Chat.Admin"]
    assert {tuple(role["allowedMemberTypes"]) for role in inputs["appRoles"]} == {("Application", "User")}
    assert [scope["value"] for scope in inputs["api"]["oauth2PermissionScopes"]] == ["access_as_user"]


def test_ids_of_roles_and_scopes_survive_updates(azure: Azure) -> None:
    def ids(entra: EntraOptions) -> dict[str, str]:
        inputs = deploy(Azure(), entra=entra).one("Application").inputs
        found = [*inputs.get("appRoles", []), *inputs["api"].get("oauth2PermissionScopes", [])]
        return {entry["value"]: entry["id"] for entry in found}

    before = ids(EntraOptions(roles=["Chat.User"], scopes=["chat"]))
    after = ids(EntraOptions(roles=["Chat.Admin", "Chat.User"], scopes=["embed", "chat"]))

    assert before.items() <= after.items()
    assert len(set(after.values())) == 4


def test_callers_learn_audience_scopes_and_client_id(azure: Azure) -> None:
    deployed = deploy(azure, entra=EntraOptions(scopes=["access_as_user"]))

    client_id = deployed.one("Application").outputs["clientId"]
    uri = deployed.one("ApplicationIdentifierUri").inputs["identifierUri"]
    assert uri == f"api://{client_id}"
    assert deployed.outputs["audience"] == deployed.outputs["client_id"] == client_id
    assert deployed.outputs["scopes"] == [f"{uri}/access_as_user", f"{uri}/.default"]


def test_the_policy_demands_the_tenants_token_for_the_application(azure: Azure) -> None:
    deployed = deploy(azure, entra=EntraOptions(client_application_ids=[CLIENT, OTHER_CLIENT]))

    token = validation(deployed, "validate-azure-ad-token")
    assert token.get("tenant-id") == azure.cloud.tenant_id
    assert token.get("failed-validation-httpcode") == "401"
    assert texts(token, "audiences/audience") == [deployed.outputs["client_id"]]
    assert texts(token, "client-application-ids/application-id") == [CLIENT, OTHER_CLIENT]
    assert token.find("required-claims") is None


def test_a_caller_needs_one_of_the_roles_and_every_required_claim(azure: Azure) -> None:
    claims = {"department": RequiredClaim(values=["research"], match=ClaimMatch.ALL)}

    deployed = deploy(azure, entra=EntraOptions(roles=["Chat.User", "Chat.Admin"], required_claims=claims))

    found = {
        claim.get("name"): (claim.get("match"), texts(claim, "value"))
        for claim in validation(deployed, "validate-azure-ad-token").findall("required-claims/claim")
    }
    assert found == {"department": ("all", ["research"]), "roles": ("any", ["Chat.User", "Chat.Admin"])}


@pytest.mark.parametrize("required", [True, False])
def test_entra_can_be_told_to_issue_tokens_to_assigned_principals_only(azure: Azure, required: bool) -> None:
    deployed = deploy(azure, entra=EntraOptions(assignment_required=required))

    principal = deployed.one("ServicePrincipal").inputs
    assert principal["appRoleAssignmentRequired"] is required
    assert principal["clientId"] == deployed.outputs["client_id"]


def test_clients_get_their_roles(azure: Azure) -> None:
    caller = azure.cloud.add_caller("batch")
    grant = AppRoleAssignmentOptions(principal_id=caller.service_principal_id, role="Chat.User")

    entra = EntraOptions(roles=["Chat.User"], role_assignments=[grant])
    deployed = deploy(azure, entra=entra, deployer=Deployer.ADMINISTRATOR)

    application = next(
        found for found in azure.cloud.applications() if found.client_id == deployed.outputs["client_id"]
    )
    assert application.assignments == {caller.service_principal_id: frozenset({"Chat.User"})}


def test_clients_are_pre_authorized_for_the_scopes(azure: Azure) -> None:
    entra = EntraOptions(scopes=["chat", "embed"], pre_authorized_client_ids=[CLIENT])

    deployed = deploy(azure, entra=entra)

    entry = deployed.one("ApplicationPreAuthorized").inputs
    scopes = deployed.one("Application").inputs["api"]["oauth2PermissionScopes"]
    assert entry["authorizedClientId"] == CLIENT
    assert entry["permissionIds"] == [scope["id"] for scope in scopes]


def test_the_registration_does_not_wait_for_api_management(azure: Azure) -> None:
    deployed = deploy(azure, entra=EntraOptions(roles=["Chat.User"]))

    assert deployed.waits_for(deployed.one("Application")) == set()
    assert deployed.waits_for(deployed.one("ServicePrincipal")) == {"openai-application"}


DEVELOPER, PIPELINE, ADMINISTRATOR = (Cloud().acting_as(each).deployer_object_id for each in Deployer)


def owners(deployed: Deployed) -> list[list[str]]:
    return [deployed.one(kind).outputs["owners"] for kind in ("Application", "ServicePrincipal")]


@pytest.mark.parametrize(
    ("deployer", "owner"),
    [
        pytest.param(Deployer.DEVELOPER, DEVELOPER, id="Application Developer"),
        pytest.param(Deployer.PIPELINE, PIPELINE, id="Application.ReadWrite.OwnedBy"),
        pytest.param(Deployer.ADMINISTRATOR, ADMINISTRATOR, id="Cloud Application Administrator"),
    ],
)
def test_who_deploys_owns_the_registration_and_so_may_complete_it(azure: Azure, deployer: Deployer, owner: str) -> None:
    entra = EntraOptions(roles=["Chat.User"], scopes=["chat"], pre_authorized_client_ids=[CLIENT])

    deployed = deploy(azure, entra=entra, deployer=deployer)

    assert owners(deployed) == [[owner], [owner]]


def test_owners_are_who_deploys_and_those_that_are_named(azure: Azure) -> None:
    entra = EntraOptions(owners=[PIPELINE.upper()])

    deployed = deploy(azure, entra=entra)

    assert owners(deployed) == [[DEVELOPER, PIPELINE]] * 2
    assert [message.text for message in deployed.deployment.messages] == [
        f"entra.owners of openai does not include the deployer, {DEVELOPER}: it becomes an owner of an app "
        "registration that it creates, and the owners of an existing one stay as they are; to change those, "
        "include the deployer"
    ]


def test_whoever_of_the_named_deploys_the_owners_are_the_same(azure: Azure) -> None:
    entra = EntraOptions(owners=[PIPELINE, DEVELOPER])

    found = [
        deploy(Azure(), entra=entra, deployer=deployer) for deployer in (Deployer.DEVELOPER, Deployer.ADMINISTRATOR)
    ]

    assert owners(found[0]) == [[PIPELINE, DEVELOPER]] * 2
    assert owners(found[1]) == [[ADMINISTRATOR, PIPELINE, DEVELOPER]] * 2
    assert found[0].deployment.messages == ()


def test_app_roles_are_assigned_to_applications_by_administrators_alone(azure: Azure) -> None:
    caller = azure.cloud.add_caller("batch")
    grant = AppRoleAssignmentOptions(principal_id=caller.service_principal_id, role="Chat.User")

    with pytest.raises(
        DeployError, match=r"AppRoleAssignment .*: Authorization_RequestDenied: Insufficient privileges"
    ):
        deploy(azure, entra=EntraOptions(roles=["Chat.User"], role_assignments=[grant]))


def test_an_owner_that_is_no_object_id_is_refused(azure: Azure) -> None:
    with pytest.raises(DeployError, match=r"entra\.owners\[0\]: \"me\" is not valid; allowed: a GUID"):
        deploy(azure, entra=EntraOptions(owners=["me"]))


def test_owners_of_an_administrators_registration_are_not_changed(azure: Azure) -> None:
    entra = EntraOptions(existing=existing_application(azure), owners=[PIPELINE])

    with pytest.raises(DeployError, match=r"entra\.owners: a list cannot be set on an adopted app registration"):
        deploy(azure, entra=entra)


def existing_application(azure: Azure) -> ExistingApplication:
    inputs = {
        "displayName": "shared",
        "identifierUris": ["api://shared"],
        "appRoles": [
            {
                "id": "33333333-3333-4333-8333-333333333333",
                "value": "Chat.User",
                "displayName": "Chat.User",
                "description": "d",
                "allowedMemberTypes": ["Application"],
            }
        ],
    }
    administrator = azure.cloud.acting_as(Deployer.ADMINISTRATOR)
    client_id = administrator.create("azuread:index/application:Application", "shared", inputs)[1]["clientId"]
    administrator.create("azuread:index/servicePrincipal:ServicePrincipal", "shared", {"clientId": client_id})
    return ExistingApplication(client_id=client_id, audiences=[client_id, "api://shared"])


def test_a_registration_of_an_administrator_is_used_and_not_owned(azure: Azure) -> None:
    existing = existing_application(azure)
    tenant = "44444444-4444-4444-8444-444444444444"

    deployed = deploy(azure, entra=EntraOptions(existing=existing, tenant_id=tenant, scopes=["chat"]))

    assert not any(entry.type.startswith("azuread:") for entry in deployed.registrations)
    token = validation(deployed, "validate-azure-ad-token")
    assert token.get("tenant-id") == tenant
    assert texts(token, "audiences/audience") == existing.audiences
    assert deployed.outputs["audience"] == deployed.outputs["client_id"] == existing.client_id
    assert deployed.outputs["scopes"] == ["api://shared/chat", "api://shared/.default"]


def test_roles_of_an_administrators_registration_can_be_assigned(azure: Azure) -> None:
    caller = azure.cloud.add_caller("batch")
    grant = AppRoleAssignmentOptions(principal_id=caller.service_principal_id, role="Chat.User")
    entra = EntraOptions(existing=existing_application(azure), roles=["Chat.User"], role_assignments=[grant])

    deployed = deploy(azure, entra=entra, deployer=Deployer.ADMINISTRATOR)

    assert deployed.one("AppRoleAssignment").inputs["appRoleId"] == "33333333-3333-4333-8333-333333333333"
    assert validation(deployed, "validate-azure-ad-token").get("tenant-id") == azure.cloud.tenant_id


def test_a_role_that_an_administrators_registration_lacks_is_refused(azure: Azure) -> None:
    grant = AppRoleAssignmentOptions(principal_id=CLIENT, role="Admin")
    entra = EntraOptions(existing=existing_application(azure), roles=["Admin"], role_assignments=[grant])

    with pytest.raises(DeployError, match=r"has no role Admin; it has Chat\.User"):
        deploy(azure, entra=entra)


def test_an_existing_registration_without_audiences_is_refused(azure: Azure) -> None:
    with pytest.raises(DeployError, match=r"entra\.existing\.audiences: is missing; list the audiences"):
        deploy(azure, entra=EntraOptions(existing=ExistingApplication(client_id=CLIENT)))


def test_a_tenant_cannot_be_chosen_for_a_registration_that_is_created(azure: Azure) -> None:
    with pytest.raises(DeployError, match=f'entra.tenant_id: "{CLIENT}" cannot be set for a new app registration'):
        deploy(azure, entra=EntraOptions(tenant_id=CLIENT))


def test_another_providers_tokens_are_validated_and_no_app_is_registered(azure: Azure) -> None:
    jwt = JwtOptions(
        openid_config_urls=JWT.openid_config_urls,
        audiences=["https://ai.contoso.com", "second"],
        issuers=["https://login.contoso.com/"],
        required_claims={"scope": RequiredClaim(values=["chat"], match=ClaimMatch.ANY, separator=" ")},
    )

    deployed = deploy(azure, jwt=jwt)

    token = validation(deployed, "validate-jwt")
    assert (
        token.attrib.items()
        >= {
            "header-name": "Authorization",
            "require-scheme": "Bearer",
            "require-expiration-time": "true",
            "require-signed-tokens": "true",
            "failed-validation-httpcode": "401",
        }.items()
    )
    assert [found.get("url") for found in token.findall("openid-config")] == jwt.openid_config_urls
    assert texts(token, "audiences/audience") == jwt.audiences
    assert texts(token, "issuers/issuer") == jwt.issuers
    claim = token.find("required-claims/claim")
    assert claim is not None
    assert claim.attrib == {"name": "scope", "match": "any", "separator": " "}
    assert not any(entry.type.startswith("azuread:") for entry in deployed.registrations)
    assert deployed.outputs["audience"] == "https://ai.contoso.com"
    assert "client_id" not in deployed.outputs


def test_behind_the_token_the_gateway_presents_its_identity(azure: Azure) -> None:
    deployed = deploy(azure, entra=EntraOptions())

    assert "<authentication-managed-identity" in deployed.policy("openai")
    assert deployed.one("RoleAssignment").name in deployed.waits_for(deployed.one("ApiPolicy"))
    assert deployed.all("NamedValue") == []


@pytest.mark.parametrize("delivery", list(KeyDelivery))
def test_behind_the_token_the_gateway_presents_a_key(azure: Azure, delivery: KeyDelivery) -> None:
    entra = EntraOptions(backend_auth=BackendAuth.KEY)

    deployed = deploy(azure, entra=entra, key=KeyOptions(delivery=delivery))

    assert "<authentication-managed-identity" not in deployed.policy("openai")
    assert deployed.all("RoleAssignment") == []
    assert "openai-api-key" in deployed.waits_for(deployed.one("ApiPolicy"))


def test_behind_another_providers_token_too(azure: Azure) -> None:
    jwt = JwtOptions(openid_config_urls=JWT.openid_config_urls, audiences=["a"], backend_auth=BackendAuth.KEY)

    assert deploy(azure, jwt=jwt).one("NamedValue").name == "openai-api-key"


def test_the_callers_token_does_not_reach_the_backend(azure: Azure) -> None:
    policy = deploy(azure, entra=EntraOptions()).policy("openai")

    validated = policy.index("</validate-azure-ad-token>") if "</validate-azure-ad-token>" in policy else -1
    removed = policy.index('<set-header name="Authorization" exists-action="delete" />')
    assert validated < removed < policy.index("<set-backend-service")


@pytest.mark.parametrize("required", [True, False])
def test_a_subscription_key_can_be_demanded_beside_the_token(azure: Azure, required: bool) -> None:
    deployed = deploy(azure, entra=EntraOptions(), subscription_required=required)

    assert deployed.one("Api").inputs["subscriptionRequired"] is required
    assert len(deployed.all("Subscription")) == int(required)
    assert ("subscription_key" in deployed.deployment.secret_outputs) is required


@pytest.mark.parametrize("more", [{}, {"entra": EntraOptions(), "jwt": JWT}], ids=["neither", "both"])
def test_one_kind_of_token_is_demanded(azure: Azure, more: dict[str, Any]) -> None:
    with pytest.raises(DeployError, match="exactly one of entra, jwt and identity_providers is required"):
        deploy(azure, **more)


def test_roles_are_demanded_in_one_place(azure: Azure) -> None:
    entra = EntraOptions(roles=["Chat.User"], required_claims={"roles": RequiredClaim(values=["Chat.Admin"])})

    with pytest.raises(DeployError, match=r"entra\.required_claims\.roles: conflicts with entra\.roles"):
        deploy(azure, entra=entra)


def test_roles_may_be_demanded_of_users_beside_their_scopes(azure: Azure) -> None:
    role = RequiredClaim(values=["Chat.User"])
    entra = EntraOptions(roles=["Chat.User"], scopes=["chat"], required_claims={"roles": role})

    claims = validation(deploy(azure, entra=entra), "validate-azure-ad-token").findall("required-claims/claim")

    assert [claim.get("name") for claim in claims] == ["roles"]


def test_scopes_are_demanded_in_one_place(azure: Azure) -> None:
    entra = EntraOptions(scopes=["chat"], required_claims={"scp": RequiredClaim(values=["embed"])})

    with pytest.raises(
        DeployError, match=r"entra\.required_claims\.scp: conflicts with entra\.scopes, of which a user's"
    ):
        deploy(azure, entra=entra)


def test_scopes_alone_are_a_claim_of_the_token(azure: Azure) -> None:
    token = validation(deploy(azure, entra=EntraOptions(scopes=["chat", "embed"])), "validate-azure-ad-token")

    claim = token.find("required-claims/claim")
    assert claim is not None
    assert claim.attrib == {"name": "scp", "match": "any", "separator": " "}
    assert texts(claim, "value") == ["chat", "embed"]


def test_roles_and_scopes_are_demanded_right_after_the_token(azure: Azure) -> None:
    deployed = deploy(azure, entra=EntraOptions(roles=["Chat.User"], scopes=["chat"]))

    inbound = ET.fromstring(deployed.policy("openai")).find("inbound")
    assert inbound is not None
    assert [child.tag for child in inbound][:3] == ["base", "validate-azure-ad-token", "choose"]


def warnings(azure: Azure, entra: dict[str, Any]) -> list[str]:
    """What is told of options that another language sends."""
    return [message.text for message in deploy(azure, entra=entra).deployment.messages]


def test_an_api_that_lets_in_everybody_of_the_tenant_is_warned_about(azure: Azure) -> None:
    open_to_all = "entra: accepts every application of the tenant, as each can get a token for it; list "
    existing = existing_application(azure)
    adopted = {"client_id": existing.client_id, "audiences": existing.audiences}

    assert warnings(azure, {}) == [
        f"{open_to_all}entra.roles, entra.scopes or entra.client_application_ids, or set entra.assignment_required"
    ]
    assert warnings(Azure(), {"existing": adopted}) == [
        f"{open_to_all}entra.roles, entra.scopes or entra.client_application_ids"
    ]


@pytest.mark.parametrize(
    "entra",
    [
        {"roles": ["Chat.User"]},
        {"scopes": ["chat"]},
        {"client_application_ids": [CLIENT]},
        {"required_claims": {"department": {"values": ["research"]}}},
        {"assignment_required": True},
    ],
    ids=lambda entra: next(iter(entra)),
)
def test_an_api_that_says_who_may_call_is_not(azure: Azure, entra: dict[str, Any]) -> None:
    assert warnings(azure, entra) == []


def test_people_read_which_api_a_registration_and_its_permissions_are_of(azure: Azure) -> None:
    entra = EntraOptions(roles=["Chat.User"], scopes=["chat"])
    title = "openai (openai-gateway/prod)"

    deployed = deploy(azure, entra=entra, display_name=title, subscription_required=True)

    application = deployed.one("Application").inputs
    (role,), (scope,) = application["appRoles"], application["api"]["oauth2PermissionScopes"]
    assert application["displayName"] == deployed.one("Api").inputs["displayName"] == title
    assert deployed.one("Subscription").inputs["displayName"] == f"{title} callers"
    assert (role["displayName"], role["description"]) == (
        "Chat.User",
        f"Lets its holder call {title} with the role Chat.User.",
    )
    assert scope["adminConsentDisplayName"] == f"Call {title} for users: chat"
    assert scope["userConsentDisplayName"] == f"Call {title} for you: chat"
    assert scope["adminConsentDescription"].startswith(f"Lets the application call {title} on behalf of the signed-in")
    assert scope["userConsentDescription"].startswith(f"Lets the application call {title} on your behalf")


def test_names_for_people_fit(azure: Azure) -> None:
    entra = EntraOptions(scopes=["s" * 120])

    deployed = deploy(azure, entra=entra, display_name="n" * 400, subscription_required=True)

    application = deployed.one("Application").inputs
    (scope,) = application["api"]["oauth2PermissionScopes"]
    assert len(application["displayName"]) == 120
    assert len(deployed.one("Subscription").inputs["displayName"]) == 100
    assert len(deployed.one("Api").inputs["displayName"]) == 300
    assert {len(scope[f"{who}ConsentDisplayName"]) for who in ("admin", "user")} == {100}


def test_another_providers_tokens_need_an_audience(azure: Azure) -> None:
    with pytest.raises(DeployError, match=r"jwt\.audiences: is empty"):
        deploy(azure, jwt=JwtOptions(openid_config_urls=JWT.openid_config_urls, audiences=[]))


def test_a_managed_identity_needs_its_principal(azure: Azure) -> None:
    args = azure.api_args(azure.account("oai"), entra=EntraOptions())
    del args["principal_id"]

    with pytest.raises(DeployError, match="backend_auth managed-identity needs principal_id"):
        deploy_component(lambda: EntraProtectedApi("openai", args), azure.cloud)


def test_roles_that_exist_already_are_not_made_again(azure: Azure) -> None:
    deployed = deploy(azure, entra=EntraOptions(), role_assignment_ids=["/some/assignment"])

    assert deployed.all("RoleAssignment") == []


def test_at_preview_the_audience_of_a_new_registration_is_unknown(azure: Azure) -> None:
    deployed = deploy(azure, entra=EntraOptions(scopes=["chat"]), preview=True)

    assert deployed.outputs["audience"] is UNKNOWN
    assert deployed.outputs["scopes"] is UNKNOWN
    assert deployed.one("ApiPolicy").inputs["value"] is UNKNOWN


MANY = {"department": RequiredClaim(values=[f"department-{number:04}" for number in range(500)])}
TOO_LARGE = "policy document has 2[0-9]{4} bytes; the limit for Consumption is 16 KiB; move parts to fragments"


@pytest.mark.parametrize("preview", [pytest.param(True, id="preview"), pytest.param(False, id="update")])
@pytest.mark.parametrize(
    "tokens",
    [
        pytest.param({"entra": EntraOptions(required_claims=MANY)}, id="entra"),
        pytest.param({"jwt": replace(JWT, required_claims=MANY)}, id="jwt"),
    ],
)
def test_a_policy_that_the_tier_does_not_take_is_refused(
    azure: Azure, tokens: dict[str, Any], *, preview: bool
) -> None:
    with pytest.raises(DeployError, match=TOO_LARGE):
        deploy(azure, **tokens, sku="Consumption", preview=preview)

    assert [api for gateway in azure.cloud.gateways() for api in gateway.apis if api.policy] == []


@pytest.mark.parametrize("sku", ["StandardV2", None])
def test_other_tiers_take_a_policy_of_that_size(azure: Azure, sku: str | None) -> None:
    tier: dict[str, Any] = {} if sku is None else {"sku": sku}

    deployed = deploy(azure, entra=EntraOptions(required_claims=MANY), **tier)

    assert "department-0499" in deployed.policy("openai")


def test_options_may_arrive_as_the_component_host_sends_them(azure: Azure) -> None:
    sent = {
        "roles": ["Chat.User"],
        "required_claims": {"dept": {"values": ["r"], "match": "any"}},
        "backend_auth": "managed-identity",
    }

    token = validation(deploy(azure, entra=sent), "validate-azure-ad-token")

    assert [claim.get("name") for claim in token.findall("required-claims/claim")] == ["dept", "roles"]
