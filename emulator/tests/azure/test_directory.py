"""What the data plane sees of what was deployed."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from apim_emulator.azure import Cloud, CloudError
from apim_emulator.clock import Clock
from apim_emulator.model import ControlPlane, ManagedIdentity, ModelDeployment, Operation, PoolMember
from emulator.tests.azure.azure import DEFINITION, OPENAI_USER, SECRETS_USER, Azure

OTHER_TENANT = "99999999-9999-9999-9999-999999999999"
SECRET_URI = "https://kv-contoso.vault.azure.net/secrets/openai-key"


def test_the_cloud_is_a_directory(cloud: Cloud) -> None:
    directory: ControlPlane = cloud

    assert [*directory.gateways(), *directory.accounts(), *directory.applications()] == []


def test_an_api_has_the_operations_of_its_definition(azure: Azure) -> None:
    azure.service()
    azure.api(
        subscriptionRequired=False,
        serviceUrl="https://oai.openai.azure.com/openai",
        subscriptionKeyParameterNames={"header": "api-key", "query": "key"},
    )

    api = azure.cloud.gateways()[0].apis[0]

    chat = Operation(
        name="ChatCompletions_Create", method="POST", url_template="/deployments/{deployment-id}/chat/completions"
    )
    assert len(api.operations) == 2
    assert chat in api.operations
    assert (api.path, api.subscription_required, api.key_header, api.key_query, api.service_url) == (
        "openai",
        False,
        "api-key",
        "key",
        "https://oai.openai.azure.com/openai",
    )


@pytest.mark.parametrize(
    ("servers", "service_url"),
    [
        pytest.param([], "https://own.example/openai", id="no server"),
        pytest.param([{"url": "https://a.example/x"}], "https://a.example/x", id="a server"),
        pytest.param(
            [{"url": "http://a.example"}, {"url": "https://b.example"}], "https://b.example", id="first HTTPS"
        ),
        pytest.param([{"url": "http://a.example"}, {"url": "/openai"}], None, id="no HTTPS server"),
        pytest.param(
            [{"url": "https://{endpoint}/openai", "variables": {"endpoint": {"default": "a.example"}}}],
            "https://a.example/openai",
            id="variables have their defaults",
        ),
    ],
)
def test_the_server_of_a_definition_wins_over_the_service_url(
    azure: Azure, servers: list[Any], service_url: str | None
) -> None:
    azure.service()
    document = {**json.loads(DEFINITION), "servers": servers}

    _, outputs = azure.api(serviceUrl="https://own.example/openai", value=json.dumps(document))

    assert azure.cloud.gateways()[0].apis[0].service_url == service_url
    assert outputs["serviceUrl"] == (service_url or "")


@pytest.mark.parametrize(
    ("conduct", "template"),
    [
        pytest.param({}, "/models/{id}?api-version={api-version}&top={top}", id="left out"),
        pytest.param(
            {"translateRequiredQueryParametersConduct": "template"},
            "/models/{id}?api-version={api-version}&top={top}",
            id="template",
        ),
        pytest.param({"translateRequiredQueryParametersConduct": "query"}, "/models/{id}", id="query"),
    ],
)
def test_required_query_parameters_become_a_part_of_the_url_template(
    azure: Azure, conduct: dict[str, str], template: str
) -> None:
    azure.service()
    shared = [{"name": "api-version", "in": "query", "required": True}]
    own = [
        {"name": "top", "in": "query", "required": True},
        {"name": "skip", "in": "query"},
        {"name": "id", "in": "path", "required": True},
    ]
    paths = {"/models/{id}": {"parameters": shared, "get": {"operationId": "get", "parameters": own}}}

    azure.api(value=json.dumps({"openapi": "3.0.1", "paths": paths}), **conduct)

    assert [found.url_template for found in azure.cloud.gateways()[0].apis[0].operations] == [template]


@pytest.mark.parametrize("content_format", ["openapi+json", "openapi"])
def test_a_definition_can_be_given_in_full(azure: Azure, content_format: str) -> None:
    paths = {"/models": {"get": {"operationId": "List models"}, "parameters": []}, "/models/{id}": {"get": {}}}
    document = json.dumps({"openapi": "3.0.1", "info": {"title": "t"}, "paths": paths})
    azure.service()

    azure.api(format=content_format, value=document)

    assert azure.cloud.gateways()[0].apis[0].operations == (
        Operation(name="List-models", method="GET", url_template="/models"),
        Operation(name="get-models-id", method="GET", url_template="/models/{id}"),
    )


def test_an_api_needs_a_subscription_and_uses_the_default_key_names_unless_told_otherwise(azure: Azure) -> None:
    azure.service()
    azure.api()

    api = azure.cloud.gateways()[0].apis[0]

    assert (api.subscription_required, api.key_header, api.key_query) == (
        True,
        "Ocp-Apim-Subscription-Key",
        "subscription-key",
    )


def test_policies_are_found_at_every_scope(azure: Azure) -> None:
    azure.service()
    azure.api()
    azure.apim("Product", productId="p", displayName="p", state="published")
    azure.apim("ProductApi", productId="p", apiId="openai")
    azure.apim("PolicyFragment", id="shared", value="<fragment><base2 /></fragment>")
    azure.apim("Policy", policyId="policy", value="<policies><inbound /></policies>")
    azure.apim("ProductPolicy", productId="p", policyId="policy", value="<policies><outbound /></policies>")
    azure.apim(
        "ApiOperationPolicy",
        apiId="openai",
        operationId="embeddings_create",
        policyId="policy",
        value="<policies><backend /></policies>",
    )
    azure.policy("<include-fragment fragment-id='shared' />")

    gateway = azure.cloud.gateways()[0]

    assert gateway.policy == "<policies><inbound /></policies>"
    assert gateway.products[0].policy == "<policies><outbound /></policies>"
    assert gateway.products[0].api_ids == {"openai"}
    assert gateway.products[0].published
    assert gateway.fragments == {"shared": "<fragment><base2 /></fragment>"}
    assert gateway.apis[0].policy is not None
    assert "include-fragment" in gateway.apis[0].policy
    assert {operation.name: operation.policy for operation in gateway.apis[0].operations if operation.policy} == {
        "embeddings_create": "<policies><backend /></policies>"
    }


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("/apis/openai", "/apis/openai"),
        ("/products/p/", "/products/p"),
        ("/apis", "/apis"),
        ("{service}/apis/openai", "/apis/openai"),
        ("{service}", "/apis"),
    ],
)
def test_a_subscription_scope_has_one_form(azure: Azure, scope: str, expected: str) -> None:
    service_id, _ = azure.service()
    azure.api()
    azure.apim("Product", productId="p", displayName="p")

    azure.apim("Subscription", sid="s", displayName="s", scope=scope.format(service=service_id), state="active")

    found = {subscription.id: subscription for subscription in azure.cloud.gateways()[0].subscriptions}
    assert (found["s"].scope, found["s"].active) == (expected, True)
    assert found["master"].scope == "/apis"


def test_a_subscription_waits_for_approval_unless_it_is_created_active(azure: Azure) -> None:
    azure.service()
    azure.apim("Subscription", sid="s", displayName="s", scope="/apis", primaryKey="k1", secondaryKey="k2")

    found = next(found for found in azure.cloud.gateways()[0].subscriptions if found.id == "s")

    assert not found.active
    assert (found.primary_key, found.secondary_key) == ("k1", "k2")


def test_backends_have_their_credentials_and_members(azure: Azure) -> None:
    azure.service()
    azure.named_value("key")
    first, _ = azure.backend("first", credentials={"header": {"api-key": ["{{key}}"]}, "query": {"v": ["1"]}})
    azure.backend("second")
    services = [{"id": first, "priority": 1, "weight": 3}, {"id": "/backends/second"}]
    azure.apim("Backend", backendId="pool", type="Pool", pool={"services": services})

    backends = {backend.id: backend for backend in azure.cloud.gateways()[0].backends}

    assert backends["first"].header == {"api-key": ("{{key}}",)}
    assert backends["first"].query == {"v": ("1",)}
    assert backends["pool"].url is None
    assert backends["pool"].members == (
        PoolMember(backend_id="first", priority=1, weight=3),
        PoolMember(backend_id="second"),
    )


def test_named_values_are_known_by_display_name_and_secret_ones_marked(azure: Azure) -> None:
    azure.service()
    azure.named_value(namedValueId="id-1", displayName="shown", value="v", secret=True)
    azure.named_value("open")

    gateway = azure.cloud.gateways()[0]

    assert gateway.named_values == {"shown": "v", "open": "something"}
    assert gateway.secret_names == {"shown"}


def _principal(azure: Azure) -> str:
    return azure.cloud.gateways()[0].identities[0].principal_id


@pytest.mark.parametrize("scope", ["vault", "group", "subscription"])
def test_a_key_vault_named_value_is_read_with_the_role_on_the_vault_or_above(azure: Azure, scope: str) -> None:
    azure.service()
    vault_id, _ = azure.vault()
    azure.secret("from-vault")
    scopes = {"vault": vault_id, "group": "/".join(vault_id.split("/")[:5]), "subscription": vault_id[: 15 + 36]}
    azure.role(_principal(azure), scopes[scope], SECRETS_USER)

    azure.named_value("key", secret=True, keyVault={"secretIdentifier": SECRET_URI})

    assert azure.cloud.gateways()[0].named_values == {"key": "from-vault"}


def test_a_named_value_keeps_what_it_read_last_while_the_role_is_gone() -> None:
    clock = Clock(1_700_000_000)
    azure = Azure(Cloud(clock=clock))
    azure.service()
    vault_id, _ = azure.vault()
    secret_id, _ = azure.secret("old")
    assignment_id, _ = azure.role(_principal(azure), vault_id, SECRETS_USER)
    azure.named_value("key", secret=True, keyVault={"secretIdentifier": SECRET_URI})
    azure.cloud.delete(assignment_id)
    azure.change("keyvault:Secret", secret_id, properties={"value": "new"})

    clock.advance(4 * 3600)

    assert azure.cloud.gateways()[0].named_values == {"key": "old"}
    azure.role(_principal(azure), vault_id, SECRETS_USER)
    clock.advance(4 * 3600)
    assert azure.cloud.gateways()[0].named_values == {"key": "new"}


def test_a_user_assigned_identity_reads_the_vault_when_it_is_named(azure: Azure) -> None:
    identity_id, identity = azure.identity()
    azure.service(identity={"type": "UserAssigned", "userAssignedIdentities": {identity_id: {}}})
    vault_id, _ = azure.vault()
    azure.secret("from-vault")
    azure.role(identity["principalId"], vault_id, SECRETS_USER)
    reference = {"secretIdentifier": SECRET_URI, "identityClientId": identity["clientId"]}

    azure.named_value("key", secret=True, keyVault=reference)

    assert azure.cloud.gateways()[0].identities == (
        ManagedIdentity(principal_id=identity["principalId"], client_id=identity["clientId"], system_assigned=False),
    )
    assert azure.cloud.gateways()[0].named_values == {"key": "from-vault"}


def test_an_access_policy_opens_a_vault_that_is_not_in_rbac_mode(azure: Azure) -> None:
    azure.service()
    policy = {
        "tenantId": azure.cloud.tenant_id,
        "objectId": _principal(azure),
        "permissions": {"secrets": ["Get", "list"]},
    }
    azure.vault(enableRbacAuthorization=False, accessPolicies=[policy])
    azure.secret("from-vault")

    azure.named_value("key", secret=True, keyVault={"secretIdentifier": SECRET_URI})

    assert azure.cloud.gateways()[0].named_values == {"key": "from-vault"}


def test_accounts_have_their_host_and_models(azure: Azure) -> None:
    account_id, _ = azure.account("oai", disableLocalAuth=True)
    azure.deployment()
    azure.account("legacy", customSubDomainName=None)

    (account,) = azure.cloud.accounts()

    assert (account.id, account.host, account.local_auth) == (account_id, "oai.openai.azure.com", False)
    assert account.deployments == (ModelDeployment(name="gpt-4o", model="gpt-4o", version="2024-11-20"),)


def test_a_role_counts_on_its_scope_and_below_and_nowhere_else(azure: Azure) -> None:
    account_id, _ = azure.account("oai")
    other_id, _ = azure.account("oai-2")
    principal = azure.identity()[1]["principalId"]
    assignment_id, _ = azure.role(principal, account_id, OPENAI_USER)

    assert azure.cloud.has_role(principal.upper(), OPENAI_USER.upper(), account_id.upper())
    assert azure.cloud.has_role(principal, OPENAI_USER, f"{account_id}/deployments/gpt-4o")
    assert not azure.cloud.has_role(principal, OPENAI_USER, other_id)
    assert not azure.cloud.has_role(principal, SECRETS_USER, account_id)
    assert not azure.cloud.has_role(azure.cloud.deployer_object_id, OPENAI_USER, account_id)

    azure.cloud.delete(assignment_id)

    assert not azure.cloud.has_role(principal, OPENAI_USER, account_id)


def test_managed_identities_have_a_tenant_and_nobody_else(azure: Azure) -> None:
    azure.service()
    _, identity = azure.identity()

    assert azure.cloud.identity_tenant(identity["principalId"]) == azure.cloud.tenant_id
    assert azure.cloud.identity_tenant(_principal(azure)) == azure.cloud.tenant_id
    assert azure.cloud.identity_tenant(azure.cloud.deployer_object_id) is None


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


SCOPES = {"chat": "33333333-3333-3333-3333-333333333333", "embed": "44444444-4444-4444-4444-444444444444"}
GRANT = "ServicePrincipalDelegatedPermissionGrant"


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


def test_threads_see_whole_changes(azure: Azure) -> None:
    azure.service()

    def create(number: int) -> int:
        azure.api(f"api-{number}")
        return len([api for api in azure.cloud.gateways()[0].apis if len(api.operations) != 2])

    with ThreadPoolExecutor(8) as pool:
        incomplete = sum(pool.map(create, range(40)))

    assert incomplete == 0
    assert len(azure.cloud.gateways()[0].apis) == 40
