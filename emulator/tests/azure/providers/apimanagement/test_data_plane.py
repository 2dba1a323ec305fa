"""What the data plane sees of what was deployed."""

import json
from typing import Any

import pytest

from apim_emulator.azure import Cloud
from apim_emulator.clock import Clock
from apim_emulator.model import ManagedIdentity, Operation, PoolMember
from emulator.tests.azure.azure import DEFINITION, SECRETS_USER, Azure

SECRET_URI = "https://kv-contoso.vault.azure.net/secrets/openai-key"


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
