import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from apim_emulator.pulumi.deploy import DeployError
from apim_emulator.pulumi.property_values import UNKNOWN
from components import KeyAuthApi, OpenAIAccount, OpenAIBackend, OpenAIBackendArgs
from definitions import UNREACHABLE, azure_openai, operation_ids, without_server
from options import ExistingResource, KeyDelivery, KeyOptions, KeySource, KeyVaultOptions, OpenAIOptions, Surface
from tests.components.conftest import GROUP, SERVICE, Azure, exporting
from tests.deployed import Deployed, deploy_component

SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
VARIANTS = [
    pytest.param(KeyOptions(source=source, delivery=delivery), id=f"{source.value}, {delivery.value}")
    for source in KeySource
    for delivery in KeyDelivery
]
IN_VAULT = KeyOptions(source=KeySource.KEY_VAULT)
DATED = '{"openapi": "3.0.0", "paths": {"/deployments/chat": {"post": {"operationId": "one"}}}}'


def deploy(azure: Azure, args: Any, *, preview: bool = False) -> Deployed:
    outputs = ("api_id", "subscription_key", "secondary_subscription_key")
    return deploy_component(exporting(lambda: KeyAuthApi("openai", args), *outputs), azure.cloud, preview=preview)


def keys_of(azure: Azure) -> set[str]:
    return {key for account in azure.cloud.accounts() for key in account.keys}


def test_left_out_the_key_is_a_secret_named_value_in_the_credentials_of_a_backend(azure: Azure) -> None:
    deployed = deploy(azure, azure.api_args(azure.account("oai")))

    named = deployed.one("NamedValue").inputs
    assert named["namedValueId"] == named["displayName"] == "openai-api-key"
    assert named["secret"] is True
    assert named["value"] in keys_of(azure)
    backend = deployed.one("Backend").inputs
    assert backend["credentials"] == {"header": {"api-key": ["{{openai-api-key}}"]}}
    assert backend["url"] == "https://oai.openai.azure.com/openai"
    assert '<set-backend-service backend-id="openai-key-backend-oai" />' in deployed.policy("openai")
    assert "{{" not in deployed.policy("openai")


def test_delivery_by_header_sets_the_header_and_uses_the_common_backend(azure: Azure) -> None:
    key = KeyOptions(delivery=KeyDelivery.HEADER)

    deployed = deploy(azure, azure.api_args(azure.account("oai"), key=key))

    assert deployed.all("Backend") == []
    policy = deployed.policy("openai")
    assert '<set-backend-service backend-id="openai-backend" />' in policy
    assert '<set-header name="api-key" exists-action="override">' in policy
    assert "<value>{{openai-api-key}}</value>" in policy


def test_a_vault_is_created_with_role_based_access(azure: Azure) -> None:
    deployed = deploy(azure, azure.api_args(azure.account("oai"), key=IN_VAULT))

    vault = deployed.one("Vault").inputs
    assert vault["properties"]["enableRbacAuthorization"] is True
    assert vault["properties"]["enablePurgeProtection"] is True
    assert vault["properties"]["tenantId"] == azure.cloud.tenant_id
    assert len(vault["vaultName"]) <= 24


def test_the_named_value_refers_to_the_secret(azure: Azure) -> None:
    deployed = deploy(azure, azure.api_args(azure.account("oai"), key=IN_VAULT))

    secret = deployed.one("Secret")
    named = deployed.one("NamedValue").inputs
    vault = deployed.one("Vault").inputs["vaultName"]
    identifier = named["keyVault"]["secretIdentifier"]
    assert identifier.rpartition("/")[0] == f"https://{vault}.vault.azure.net/secrets/{secret.inputs['secretName']}"
    assert secret.inputs["secretName"].startswith("key-openai-api-key-")
    assert "value" not in named
    assert secret.inputs["properties"]["value"] in keys_of(azure)


def test_the_gateway_may_read_the_secret_alone_before_the_named_value_exists(azure: Azure) -> None:
    deployed = deploy(azure, azure.api_args(azure.account("oai"), key=IN_VAULT))

    role = deployed.one("RoleAssignment")
    assert role.inputs["scope"] == deployed.one("Secret").id
    assert role.inputs["principalType"] == "ServicePrincipal"
    assert role.inputs["roleDefinitionId"].endswith(SECRETS_USER)
    assert role.name in deployed.waits_for(deployed.one("NamedValue"))
    assert not azure.cloud.has_role(azure.principal_id, SECRETS_USER, deployed.one("Vault").id)


def test_a_user_assigned_identity_reads_the_secret_by_its_client_id(azure: Azure) -> None:
    identity = {"resourceName": "id-gateway", "location": "swedencentral"}
    resource_id, outputs = azure.create("managedidentity:UserAssignedIdentity", identity)
    service = {
        "serviceName": "apim-user",
        "location": "swedencentral",
        "sku": {"name": "StandardV2", "capacity": 1},
        "publisherName": "C",
        "publisherEmail": "a@b.example",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {resource_id: {}}},
    }
    azure.create("apimanagement:ApiManagementService", service)
    args = azure.api_args(azure.account("oai"), key=IN_VAULT) | {
        "service_name": "apim-user",
        "principal_id": outputs["principalId"],
        "identity_client_id": outputs["clientId"],
    }

    deployed = deploy(azure, args)

    assert deployed.one("NamedValue").inputs["keyVault"]["identityClientId"] == outputs["clientId"]


def test_the_vault_is_protected_and_nothing_else(azure: Azure) -> None:
    key = KeyOptions(source=KeySource.KEY_VAULT)

    deployed = deploy(azure, azure.api_args(azure.account("oai"), key=key, protect=True))

    assert [entry.type for entry in deployed.registrations if entry.protected] == ["azure-native:keyvault:Vault"]
    assert deployed.one("RandomString", "openai-kv-suffix").replacement_trigger == {"resourceGroup": GROUP}


def test_a_vault_of_somebody_else_is_used_and_not_owned(azure: Azure) -> None:
    azure.vault("kv-shared")
    vault = KeyVaultOptions(existing=ExistingResource(name="kv-shared", resource_group=GROUP))
    key = KeyOptions(source=KeySource.KEY_VAULT, vault=vault, named_value="team-key")

    deployed = deploy(azure, azure.api_args(azure.account("oai"), key=key))

    assert deployed.all("Vault") == []
    assert deployed.one("Secret").inputs["vaultName"] == "kv-shared"
    assert deployed.one("Secret").inputs["secretName"] == "team-key"
    assert deployed.one("NamedValue").inputs["displayName"] == "team-key"


def test_a_named_value_that_cannot_name_a_secret_is_refused(azure: Azure) -> None:
    key = KeyOptions(source=KeySource.KEY_VAULT, named_value="team.key")

    with pytest.raises(DeployError, match=r'key\.named_value: "team.key" cannot name a Key Vault secret'):
        deploy(azure, azure.api_args(azure.account("oai"), key=key))


def test_a_vault_with_access_policies_is_refused(azure: Azure) -> None:
    azure.vault("kv-old", rbac=False)
    vault = KeyVaultOptions(existing=ExistingResource(name="kv-old", resource_group=GROUP))

    with pytest.raises(DeployError, match="kv-old uses access policies"):
        deploy(azure, azure.api_args(azure.account("oai"), key=KeyOptions(source=KeySource.KEY_VAULT, vault=vault)))


def test_a_vault_needs_an_identity_to_read_it(azure: Azure) -> None:
    args = azure.api_args(azure.account("oai"), key=IN_VAULT)
    del args["principal_id"]

    with pytest.raises(DeployError, match="source key-vault needs principal_id"):
        deploy(azure, args)


@pytest.mark.parametrize("source", list(KeySource))
def test_each_account_of_a_pool_is_called_with_its_own_key(azure: Azure, source: KeySource) -> None:
    both = azure.account("oai-a"), azure.account("oai-b")

    deployed = deploy(azure, azure.api_args(*both, key=KeyOptions(source=source)))

    for account in both:
        backend = deployed.one("Backend", f"openai-key-backend-{account.key}").inputs
        assert backend["credentials"] == {"header": {"api-key": [f"{{{{openai-api-key-{account.key}}}}}"]}}
        assert backend["url"] == account.url
        assert backend["circuitBreaker"]["rules"][0]["acceptRetryAfter"] is True
    pool = deployed.one("Backend", "openai-key-pool").inputs
    assert len(pool["pool"]["services"]) == 2
    assert "credentials" not in pool
    gateway = azure.cloud.gateways()[0]
    own = {found.host.split(".")[0]: set(found.keys) for found in azure.cloud.accounts()}
    assert all(gateway.named_values[f"openai-api-key-{account.key}"] in own[account.key] for account in both)


def test_one_header_for_a_pool_is_refused(azure: Azure) -> None:
    args = azure.api_args(azure.account("oai-a"), azure.account("oai-b"), key=KeyOptions(delivery=KeyDelivery.HEADER))

    with pytest.raises(DeployError, match=r'key\.delivery: "header" cannot give each of 2 accounts its own key'):
        deploy(azure, args)


def test_an_account_that_refuses_keys_leaves_an_api_that_reaches_nothing(azure: Azure) -> None:
    account = azure.account("oai", local_auth=False)

    with pytest.raises(DeployError):
        deploy(azure, azure.api_args(account))

    (gateway,) = azure.cloud.gateways()
    assert [(api.policy, urlsplit(api.service_url).hostname) for api in gateway.apis] == [
        (None, "api-without-its-policy.invalid")
    ]
    assert gateway.named_values == {}
    assert all(account.url != backend.url for backend in gateway.backends)


@pytest.mark.parametrize(("account_key", "told"), [("key1", {"key2": "other"}), ("key2", {"key1": "other"})])
def test_a_key_that_azure_does_not_tell_is_refused_with_a_remedy(
    azure: Azure, monkeypatch: pytest.MonkeyPatch, account_key: str, told: dict[str, str]
) -> None:
    account, invoke = azure.account("oai"), azure.cloud.invoke
    monkeypatch.setattr(
        azure.cloud,
        "invoke",
        lambda token, *args, **more: told if token.endswith(":listAccountKeys") else invoke(token, *args, **more),
    )

    with pytest.raises(
        DeployError, match=r"^.*account /subscriptions/\S+/accounts/oai has no API key; enable local auth"
    ):
        deploy(azure, azure.api_args(account, key={"account_key": account_key}))


@pytest.mark.parametrize("key", VARIANTS)
def test_the_key_is_a_secret_everywhere(azure: Azure, key: KeyOptions) -> None:
    deployed = deploy(azure, azure.api_args(azure.account("oai"), key=key))

    keys = keys_of(azure)
    leaks = [
        (entry.name, name)
        for entry in deployed.registrations
        for values, secret in ((entry.inputs, entry.secret_inputs), (entry.outputs, entry.secret_outputs))
        for name, value in values.items()
        if name not in secret and any(found in repr(value) for found in keys)
    ]
    assert leaks == []
    assert not any(found in repr(deployed.deployment) for found in keys)


@pytest.mark.parametrize("key", VARIANTS)
def test_the_policy_goes_live_after_the_key_can_be_read(azure: Azure, key: KeyOptions) -> None:
    deployed = deploy(azure, azure.api_args(azure.account("oai"), key=key))

    assert "openai-api-key" in deployed.waits_for(deployed.one("ApiPolicy"))


def test_callers_need_a_subscription_key(azure: Azure) -> None:
    deployed = deploy(azure, azure.api_args(azure.account("oai")))

    api = deployed.one("Api")
    assert api.inputs["subscriptionRequired"] is True
    assert api.inputs["subscriptionKeyParameterNames"] == {"header": "api-key", "query": "api-key"}
    subscription = deployed.one("Subscription").inputs
    assert subscription["scope"] == deployed.outputs["api_id"] == api.id
    assert subscription["state"] == "active"
    assert subscription["allowTracing"] is False
    assert {"subscription_key", "secondary_subscription_key"} <= deployed.deployment.secret_outputs
    pairs = [(found.primary_key, found.secondary_key) for found in azure.cloud.gateways()[0].subscriptions]
    assert (deployed.outputs["subscription_key"], deployed.outputs["secondary_subscription_key"]) in pairs


def test_the_definition_is_imported_by_version_and_in_full(azure: Azure) -> None:
    deployed = deploy(azure, azure.api_args(azure.account("oai"), api_version="2024-06-01"))

    api = deployed.one("Api").inputs
    assert (api["format"], api["value"]) == ("openapi+json", without_server(azure_openai("2024-06-01"), title="openai"))
    assert api["protocols"] == ["https"]
    assert api["path"] == "team/openai"


def test_a_definition_of_ones_own_takes_its_place(azure: Azure) -> None:
    definition = (
        '{"openapi": "3.0.0", "servers": [{"url": "https://somebody.example"}],'
        ' "paths": {"/x": {"get": {"operationId": "x", "responses": {}}}}}'
    )

    deployed = deploy(azure, azure.api_args(azure.account("oai"), definition=definition))

    api = deployed.one("Api").inputs
    assert api["format"] == "openapi+json"
    assert json.loads(api["value"]) == {
        **json.loads(definition),
        "servers": [{"url": UNREACHABLE}],
        "info": {"version": "1", "title": "openai"},
    }


def test_an_api_without_its_policy_reaches_nothing(azure: Azure) -> None:
    deployed = deploy(azure, azure.api_args(azure.account("oai")))

    assert deployed.one("Api").outputs["serviceUrl"] == UNREACHABLE


def test_a_definition_of_another_surface_is_refused(azure: Azure) -> None:
    definition = '{"openapi": "3.0.0", "paths": {"/chat/completions": {"post": {"responses": {}}}}}'

    with pytest.raises(DeployError, match=r"definition: has the path '/chat/completions' of the v1 API"):
        deploy(azure, azure.api_args(azure.account("oai"), definition=definition))


def test_the_v1_surface_is_imported_and_called_below_openai_v1(azure: Azure) -> None:
    both = azure.account("oai-a"), azure.account("oai-b")

    deployed = deploy(azure, azure.api_args(*both, path="team/openai/v1", surface=Surface.V1))

    imported = json.loads(deployed.one("Api").inputs["value"])
    assert imported["info"] == {**imported["info"], "title": "openai", "version": "v1"}
    assert next(iter(imported["paths"])) == "/chat/completions"
    urls = [entry.inputs["url"] for entry in deployed.all("Backend") if "url" in entry.inputs]
    assert urls == [f"https://{name}.openai.azure.com/openai/v1" for name in ("oai-a", "oai-b")]


@pytest.mark.parametrize(
    ("surface", "chosen"), [("dated", "ChatCompletions_Create"), ("v1", "createResponse")], ids=["dated", "v1"]
)
def test_an_api_offers_the_operations_that_are_chosen(azure: Azure, surface: str, chosen: str) -> None:
    args = azure.api_args(azure.account("oai"), surface=surface, operations=[chosen])

    value = deploy(azure, args).one("Api").inputs["value"]

    assert operation_ids(value) == [chosen]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"surface": "v1", "api_version": "2024-10-21"}, 'api_version: "2024-10-21" conflicts with surface: v1 has no'),
        ({"surface": "v1", "operations": ["chat"]}, r'operations\[0\]: "chat" is not an operation of the API'),
        ({"operations": []}, "operations: is empty; list operations"),
        ({"api_version": "2023-05-15", "operations": ["Images"]}, r"operations\[0\].* is not an operation of the API"),
        ({"surface": "v1", "definition": DATED}, "definition: has the path '/deployments/chat' of the dated API"),
        ({"definition": DATED, "operations": ["two"]}, r'operations\[0\]: "two" .*; allowed: one'),
    ],
)
def test_what_the_surface_does_not_offer_is_refused(azure: Azure, inputs: dict[str, Any], said: str) -> None:
    with pytest.raises(DeployError, match=said):
        deploy(azure, azure.api_args(azure.account("oai"), **inputs))


def test_an_api_version_that_is_not_known_is_refused(azure: Azure) -> None:
    with pytest.raises(
        DeployError, match=r"api_version: \"2024-12-21\" is not a stable version; allowed: 2022-12-01, "
    ):
        deploy(azure, azure.api_args(azure.account("oai"), api_version="2024-12-21"))


@pytest.mark.parametrize("name", ["api-key", "Ocp-Apim-Subscription-Key", "Authorization"])
def test_what_callers_present_is_removed_before_the_backend_is_chosen(azure: Azure, name: str) -> None:
    policy = deploy(azure, azure.api_args(azure.account("oai"))).policy("openai")

    removed = policy.index(f'<set-header name="{name}" exists-action="delete" />')
    assert removed < policy.index("<set-backend-service")


def test_at_preview_key_and_policy_are_unknown_and_the_key_is_still_secret(azure: Azure) -> None:
    def program() -> None:
        backend = OpenAIBackend(
            "new",
            OpenAIBackendArgs(
                resource_group_name=GROUP,
                gateway_resource_group_name=GROUP,
                service_name=SERVICE,
                openai=OpenAIOptions(),
                key_accounts=["account"],
            ),
        )
        assert isinstance(backend.accounts[0], OpenAIAccount)
        KeyAuthApi("openai", azure.api_args(*backend.accounts))

    deployed = deploy_component(program, azure.cloud, preview=True)

    assert deployed.one("NamedValue").inputs["value"] is UNKNOWN
    assert "value" in deployed.one("NamedValue").secret_inputs
    assert deployed.one("ApiPolicy").inputs["value"] is UNKNOWN


def test_inputs_may_arrive_as_the_component_host_sends_them(azure: Azure) -> None:
    account = azure.account("oai")
    args = azure.api_args(key={"source": "key-vault", "delivery": "header"}) | {
        "accounts": [{"key": "oai", "id": account.id, "url": account.url, "priority": 1.0, "weight": 2.0}]
    }

    deployed = deploy(azure, args)

    assert len(deployed.all("Vault")) == 1
    assert "{{openai-api-key}}" in deployed.policy("openai")
