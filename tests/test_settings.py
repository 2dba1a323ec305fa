"""Stack config that is accepted, and what becomes of it."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import fields
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from pulumi.runtime.config import CONFIG
from pydantic.alias_generators import to_camel

from apim_emulator.pulumi.project_yaml import read
from options import (
    AccountOptions,
    AdditionalLocationOptions,
    ApiOptions,
    AppInsightsOptions,
    AuthMode,
    BackendAuth,
    BreakerOptions,
    DeploymentOptions,
    EntraOptions,
    ExistingAccount,
    ExistingApplication,
    ExistingDnsZones,
    ExistingNetwork,
    ExistingResource,
    GatewayOptions,
    HostnameOptions,
    InboundEndpointOptions,
    JwtOptions,
    KeyDelivery,
    KeyOptions,
    KeySource,
    KeyVaultOptions,
    LimitOptions,
    LogAnalyticsOptions,
    MetricsOptions,
    MetricSource,
    ModelOptions,
    NetworkOptions,
    ObservabilityOptions,
    OpenAIOptions,
    PolicyOptions,
    PromptOptions,
    RetryOptions,
    retirements,
)
from options.retirements import RETIREMENTS
from policies import ClaimMatch, RequiredClaim
from settings import ApiSettings, Settings, SettingsError, from_stack, load
from settings.schema import Stack

ROOT = Path(__file__).parents[1]
GUID = "11111111-2222-3333-4444-555555555555"
JWT = {"openidConfigUrls": ["https://login.example.com/openid-configuration"], "audiences": ["api"]}
PROVIDERS = [
    {"entra": {"roles": ["Chat.User"]}},
    {"jwt": {**JWT, "issuers": ["https://login.example.com"], "requiredClaims": {"scope": "chat"}}},
]
CHAT = {"name": "gpt-4o", "model": "gpt-4o"}
PLACE = {"resourceGroup": "rg"}
RIGHT: dict[str, Any] = {
    "azure-native:location": "swedencentral",
    "openai-gateway:gateway": {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com"},
    "openai-gateway:openai": {"deployments": [{"name": "gpt-4o", "model": "gpt-4o"}]},
}


def settings(folder: Path = ROOT, **config: Any) -> Settings:
    return load({**RIGHT, **{f"openai-gateway:{key}": value for key, value in config.items()}}, folder)


def only_api(folder: Path = ROOT, **config: Any) -> ApiSettings:
    [api] = settings(folder, **config).apis
    return api


def api(**config: Any) -> dict[str, Any]:
    return {"name": "openai", "path": "openai", **config}


# Defaults and shorthands


def test_least_config_publishes_one_api_by_managed_identity() -> None:
    least = settings()

    assert least.location == "swedencentral"
    assert least.gateway == GatewayOptions(publisher_name="Contoso", publisher_email="ai@contoso.com")
    assert least.openai.accounts == [AccountOptions()]
    assert least.apis == (
        ApiSettings(
            name="openai",
            path="openai",
            auth=AuthMode.MANAGED_IDENTITY,
            accounts=("account",),
            backend_auth=BackendAuth.MANAGED_IDENTITY,
            subscription_required=True,
            api_version="2024-10-21",
            models_known=True,
        ),
    )
    assert least.key_accounts == []
    assert least.warnings == ()


def test_a_date_without_quotes_is_what_was_typed() -> None:
    config = read(
        """
        openai: {deployments: [{name: gpt-4o, model: gpt-4o, version: 2024-11-20}]}
        apis: [{name: openai, path: openai, apiVersion: 2024-06-01}]
        """
    )

    found = settings(**config)

    assert found.openai.deployments[0].version == "2024-11-20"
    assert found.apis[0].api_version == "2024-06-01"


@pytest.mark.parametrize("off", ["off", False, {"enabled": False}], ids=str)
def test_application_insights_and_prompts_are_turned_off_by_one_word(off: Any) -> None:
    found = settings(observability={"appInsights": off, "prompts": "off"})

    assert found.observability == ObservabilityOptions(app_insights=AppInsightsOptions(enabled=False))
    assert found.apis[0].metrics is None


@pytest.mark.parametrize("on", ["create", {}, {"name": "appi"}], ids=str)
def test_what_is_observed_has_metrics_by_team_caller_and_model(on: Any) -> None:
    apis = [
        {"name": "keyed", "path": "keyed/openai"},
        {"name": "tokens", "path": "tokens/openai", "auth": "entra"},
        {"name": "own", "path": "own/openai", "metrics": {"namespace": "mine"}},
    ]
    found = settings(observability={"appInsights": on, "sampling": 50}, apis=apis)

    assert found.observability is not None
    assert found.observability.app_insights.enabled
    keyed, tokens, own = (api.metrics for api in found.apis)
    team = {"Product ID": MetricSource.PRODUCT, "Subscription ID": MetricSource.SUBSCRIPTION}
    api, model = {"API ID": MetricSource.API}, {"Model": MetricSource.MODEL}
    assert keyed == MetricsOptions(namespace="openai-gateway", dimensions={**api, **team, **model})
    caller = {"Application": MetricSource.APPLICATION}
    assert tokens == MetricsOptions(namespace="openai-gateway", dimensions={**api, **caller, **model})
    assert own == MetricsOptions(namespace="mine")


def test_metrics_are_not_split_by_models_that_nobody_knows() -> None:
    accounts = [{"existing": {"name": "oai-hub", "resourceGroup": "rg-hub"}}]

    found = settings(openai={"accounts": accounts}, observability={"sampling": 10})

    assert found.apis[0].metrics is not None
    assert "Model" not in found.apis[0].metrics.dimensions


def test_nothing_is_observed_unasked() -> None:
    assert settings().observability is settings(observability={}).observability is None


def test_one_account_need_not_be_a_list() -> None:
    accounts = settings(openai={"accounts": {"existing": {"name": "aoai", "resourceGroup": "rg"}}}).openai.accounts

    assert accounts == [AccountOptions(existing=ExistingAccount(name="aoai", resource_group="rg"))]


@pytest.mark.parametrize("block", ["entra", "jwt"])
@pytest.mark.parametrize("where", ["stack", "api"])
@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        pytest.param("eng", RequiredClaim(values=["eng"]), id="value"),
        pytest.param(["eng", "ops"], RequiredClaim(values=["eng", "ops"]), id="values"),
        pytest.param(
            {"values": ["eng"], "match": "any", "separator": " "},
            RequiredClaim(values=["eng"], match=ClaimMatch.ANY, separator=" "),
            id="in full",
        ),
    ],
)
def test_required_claim_has_shorthands(block: str, where: str, claim: Any, expected: RequiredClaim) -> None:
    tokens = {**(JWT if block == "jwt" else {}), "requiredClaims": {"groups": claim}}
    config = {block: tokens} if where == "stack" else {"apis": [api(**{block: tokens})]}

    assert getattr(only_api(auth="entra", **config), block).required_claims == {"groups": expected}


@pytest.mark.parametrize("number", [2, "2", 2.0], ids=repr)
def test_whole_number_may_be_written_as_text(number: Any) -> None:
    assert settings(gateway={**RIGHT["openai-gateway:gateway"], "capacity": number}).gateway.capacity == 2


@pytest.mark.parametrize("value", [True, "true"], ids=repr)
def test_boolean_may_be_written_as_text(value: Any) -> None:
    assert only_api(auth="entra", apis=[api(subscriptionRequired=value)]).subscription_required is True


@pytest.mark.parametrize(
    "url",
    [
        "https://login.example.com/openid-configuration",
        "http://127.0.0.1:8080/openid-configuration",
        "http://127.8.9.10/",
        "http://localhost/",
        "http://[::1]:8080/",
    ],
)
def test_provider_is_reached_over_https_or_on_this_machine(url: str) -> None:
    jwt = only_api(auth="entra", jwt={**JWT, "openidConfigUrls": [url], "issuers": [url]}).jwt

    assert jwt is not None
    assert jwt.openid_config_urls == jwt.issuers == [url]


def test_policy_file_is_read_section_by_section(tmp_path: Path) -> None:
    (tmp_path / "policy.xml").write_text(
        '<!-- ours -->\n<policies><inbound><trace source="@(a["b"])"/></inbound><outbound/></policies>'
    )

    found = only_api(tmp_path, apis=[api(policyFile="policy.xml")]).policy

    assert found == PolicyOptions(inbound='<trace source="@(a[&quot;b&quot;])" />')


def test_policies_may_stand_in_config() -> None:
    found = only_api(apis=[api(policy={"inbound": "<trace />", "onError": "<trace />"})]).policy

    assert found == PolicyOptions(inbound="<trace />", on_error="<trace />")


def test_definition_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_text('{"openapi": "3.0.1", "paths": {"/models": {"get": {}}}}')

    assert only_api(tmp_path, apis=[api(definitionFile="openapi.json")]).definition == (
        '{"openapi": "3.0.1", "paths": {"/models": {"get": {}}}}'
    )


@pytest.mark.parametrize("region", ["swedencentral", "Sweden Central", "EastUS2"])
def test_a_region_is_known_in_every_spelling_that_azure_takes(region: str) -> None:
    accounts = {"accounts": [{"location": region}], "deployments": [CHAT]}

    assert load({**RIGHT, "azure-native:location": region, "openai-gateway:openai": accounts}, ROOT).warnings == ()


def test_a_misspelt_location_of_the_stack_is_warned_about() -> None:
    [warning] = load({**RIGHT, "azure-native:location": "westeuorpe"}, ROOT).warnings

    assert warning.startswith('azure-native:location: "westeuorpe" is not a region')
    assert warning.endswith("did you mean westeurope?")


def test_keys_of_other_namespaces_are_left_to_their_readers() -> None:
    others = {"azure-native:subscriptionId": "x", "azuread:tenantId": "x", "my-app:auth": "x", "gateway:sku": "x"}

    assert load({**RIGHT, **others}, ROOT) == load(RIGHT, ROOT)


def test_everything_may_be_adopted() -> None:
    identity = (
        f"/subscriptions/{GUID}/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/apim"
    )
    adopted = settings(
        gateway={"existing": {"name": "apim", "resourceGroup": "rg"}, "identity": identity},
        openai={"accounts": {"existing": {"name": "aoai", "resourceGroup": "rg"}}},
        auth="entra",
        entra={"existing": {"clientId": GUID, "audiences": [GUID]}, "roles": ["Chat.User"]},
    )

    assert adopted.gateway.existing == ExistingResource(name="apim", resource_group="rg")
    assert adopted.apis[0].identity == identity
    assert adopted.warnings == ()


# Modes and inheritance


@pytest.mark.parametrize(
    ("config", "backend_auth", "subscription_required", "blocks"),
    [
        pytest.param({"auth": "key"}, "key", True, {"key"}, id="key"),
        pytest.param({"auth": "managed-identity"}, "managed-identity", True, set(), id="managed identity"),
        pytest.param({"auth": "entra"}, "managed-identity", False, {"entra"}, id="entra"),
        pytest.param(
            {"auth": "entra", "entra": {"backendAuth": "key"}}, "key", False, {"entra", "key"}, id="entra key"
        ),
        pytest.param({"auth": "entra", "jwt": JWT}, "managed-identity", False, {"jwt"}, id="jwt"),
        pytest.param(
            {"auth": "entra", "jwt": {**JWT, "backendAuth": "key"}}, "key", False, {"jwt", "key"}, id="jwt key"
        ),
    ],
)
def test_mode_decides_what_an_api_has(
    config: dict[str, Any], backend_auth: str, subscription_required: bool, blocks: set[str]
) -> None:
    result = settings(**config)
    [found] = result.apis

    assert found.backend_auth == backend_auth
    assert found.subscription_required is subscription_required
    assert {name for name in ("key", "entra", "jwt") if getattr(found, name) is not None} == blocks
    assert bool(result.key_accounts) is (backend_auth == "key")


@pytest.mark.parametrize("auth", list(AuthMode))
def test_auth_alone_moves_a_stack_to_another_mode(auth: AuthMode) -> None:
    blocks: dict[str, Any] = {"key": {"source": "key-vault"}, "entra": {"roles": ["Chat.User"]}}

    assert only_api(auth=str(auth), **blocks).auth is auth


@pytest.mark.parametrize(
    ("stack", "own", "expected"),
    [
        pytest.param({}, {}, ("entra", []), id="neither has a block"),
        pytest.param({"entra": {"roles": ["Stack"]}}, {}, ("entra", ["Stack"]), id="the stack's entra"),
        pytest.param({"jwt": JWT}, {}, ("jwt", ["api"]), id="the stack's jwt"),
        pytest.param({"entra": {}, "jwt": JWT}, {}, ("jwt", ["api"]), id="the default of Pulumi.yaml beside jwt"),
        pytest.param({"entra": {"roles": ["Stack"]}, "jwt": {}}, {}, ("entra", ["Stack"]), id="and beside entra"),
        pytest.param(
            {"entra": {"roles": ["Stack"]}}, {"entra": {"roles": ["Own"]}}, ("entra", ["Own"]), id="entra over entra"
        ),
        pytest.param({"entra": {"roles": ["Stack"]}}, {"jwt": JWT}, ("jwt", ["api"]), id="jwt over entra"),
        pytest.param({"jwt": JWT}, {"entra": {"roles": ["Own"]}}, ("entra", ["Own"]), id="entra over jwt"),
        pytest.param({"jwt": JWT}, {"entra": {}}, ("entra", []), id="entra as it comes over jwt"),
    ],
)
def test_nearest_block_decides_whose_tokens(
    stack: dict[str, Any], own: dict[str, Any], expected: tuple[str, list[str]]
) -> None:
    found = only_api(auth="entra", **stack, apis=[api(**own)])

    if found.jwt:
        assert (("jwt", found.jwt.audiences), found.entra) == (expected, None)
    else:
        assert found.entra is not None
        assert ("entra", found.entra.roles) == expected


@pytest.mark.parametrize(
    ("stack", "own", "expected"),
    [
        pytest.param({"identityProviders": PROVIDERS}, {}, PROVIDERS, id="the stack's"),
        pytest.param({"entra": {}, "jwt": {}, "identityProviders": PROVIDERS}, {}, PROVIDERS, id="beside defaults"),
        pytest.param({"entra": {"roles": ["A"]}}, {"identityProviders": PROVIDERS}, PROVIDERS, id="over entra"),
        pytest.param({"jwt": JWT}, {"identityProviders": PROVIDERS}, PROVIDERS, id="over jwt"),
        pytest.param(
            {"identityProviders": PROVIDERS}, {"identityProviders": PROVIDERS[:1]}, PROVIDERS[:1], id="its own"
        ),
        pytest.param({"identityProviders": PROVIDERS}, {"entra": {}}, None, id="entra over providers"),
        pytest.param({"identityProviders": PROVIDERS}, {"jwt": JWT}, None, id="jwt over providers"),
    ],
)
def test_nearest_block_decides_which_providers(
    stack: dict[str, Any], own: dict[str, Any], expected: list[dict[str, Any]] | None
) -> None:
    found = only_api(auth="entra", **stack, apis=[api(**own)])

    assert [found.entra is None and found.jwt is None, len(found.identity_providers or ())] == [
        expected is not None,
        len(expected or ()),
    ]
    if expected:
        assert found.backend_auth == "managed-identity"
        assert [provider.kind for provider in found.identity_providers or ()] == [next(iter(one)) for one in expected]


def test_a_team_gets_its_role_in_the_tenant_of_the_login() -> None:
    existing = {"clientId": "11111111-2222-3333-4444-555555555555", "audiences": ["api"]}
    partner = {"existing": existing, "tenantId": "99999999-2222-3333-4444-555555555555", "roles": ["Partner"]}
    own = api(identityProviders=[{"entra": partner}, *PROVIDERS])
    team = {"name": "research", "apis": ["openai"], "principals": ["11111111-2222-3333-4444-555555555555"]}

    [found] = settings(auth="entra", apis=[own], teams=[{**team, "role": "Chat.User"}]).apis

    assert found.registration is not None
    assert found.registration.roles == ["Chat.User"]
    with pytest.raises(SettingsError, match="is not an app role"):
        settings(auth="entra", apis=[own], teams=[{**team, "role": "Partner"}])


def test_api_overrides_what_the_stack_says() -> None:
    own = {
        "auth": "key",
        "key": {"source": "key-vault", "delivery": "header", "namedValue": "own"},
        "apiVersion": "2024-06-01",
    }
    one, two = settings(
        key={"namedValue": "stack"}, apis=[api(auth="key"), {"name": "two", "path": "two/openai", **own}]
    ).apis

    assert one.key == KeyOptions(named_value="stack")
    assert two.key == KeyOptions(source=KeySource.KEY_VAULT, delivery=KeyDelivery.HEADER, named_value="own")
    assert (one.api_version, two.api_version) == ("2024-10-21", "2024-06-01")


@pytest.mark.parametrize("own", [None, "user-assigned"], ids=["inherited", "own"])
def test_identity_is_the_gateways_unless_the_api_has_its_own(own: str | None) -> None:
    gateway = {**RIGHT["openai-gateway:gateway"], "identity": "system-assigned" if own else "user-assigned"}

    assert only_api(gateway=gateway, apis=[api(identity=own)]).identity == "user-assigned"


def test_token_api_may_demand_a_subscription_key_too() -> None:
    assert only_api(auth="entra", apis=[api(subscriptionRequired=True)]).subscription_required is True


ACCOUNTS = [{"location": "swedencentral"}, {"location": "swedencentral"}, {"existing": {**PLACE, "name": "oai"}}]


def test_an_api_uses_all_accounts_unless_it_names_some() -> None:
    apis = [api(), api(name="some", path="some/openai", accounts=["oai", "swedencentral-2"])]

    found = settings(openai={"accounts": ACCOUNTS, "deployments": [CHAT]}, apis=apis)

    assert [one.accounts for one in found.apis] == [
        ("swedencentral", "swedencentral-2", "oai"),
        ("oai", "swedencentral-2"),
    ]


def test_keys_are_accepted_where_an_api_uses_them_alone() -> None:
    apis = [api(), api(name="keyed", path="keyed/openai", auth="key", accounts=["swedencentral-2"])]

    assert settings(openai={"accounts": ACCOUNTS, "deployments": [CHAT]}, apis=apis).key_accounts == ["swedencentral-2"]


def test_apis_by_key_keep_keys_apart() -> None:
    adopted = {"source": "key-vault", "vault": {"existing": {"name": "kv-contoso", "resourceGroup": "rg"}}}
    one, two = settings(auth="key", key=adopted, apis=[api(), {"name": "two", "path": "two/openai"}]).apis

    assert one.key == two.key  # in one vault, under the name of each API
    assert not one.creates_vault


def test_new_vaults_of_several_apis_have_names_of_their_own() -> None:
    vault = {"source": "key-vault"}
    apis = settings(auth="key", key=vault, apis=[api(), {"name": "two", "path": "two/openai"}]).apis

    assert all(found.creates_vault for found in apis)


# Warnings


@pytest.mark.parametrize(
    ("config", "warning"),
    [
        pytest.param(
            {"apis": [api(path="chat")]},
            'openai-gateway:apis[0].path: "chat" does not end in openai, where the OpenAI SDKs look '
            "below their azure_endpoint; append /openai, or have callers give the API's whole URL as base_url",
            id="path that SDKs cannot call",
        ),
        pytest.param(
            {"apis": [api(path="myopenai")]},
            'openai-gateway:apis[0].path: "myopenai" does not end in openai, where the OpenAI SDKs look '
            "below their azure_endpoint; append /openai, or have callers give the API's whole URL as base_url",
            id="path whose last segment only ends so",
        ),
        pytest.param(
            {"openai": {"accounts": [{"location": "swedencentrall"}], "deployments": [CHAT]}},
            'openai-gateway:openai.accounts[0].location: "swedencentrall" is not a region that Azure offered on '
            "2026-11-29; Azure refuses it unless it is newer; did you mean swedencentral?",
            id="misspelt region",
        ),
        pytest.param(
            {"openai": {"deployments": [{**CHAT, "model": "gpt4o"}]}},
            'openai-gateway:openai.deployments[0].model: "gpt4o" is not a model that Azure offered on 2026-11-29; '
            "Azure refuses it unless it is newer; did you mean gpt-4o?",
            id="misspelt model",
        ),
        pytest.param(
            {"openai": {"deployments": [{**CHAT, "sku": "GlobalStandrad"}]}},
            'openai-gateway:openai.deployments[0].sku: "GlobalStandrad" is not a deployment SKU that Azure offered on '
            "2026-11-29; Azure refuses it unless it is newer; did you mean GlobalStandard?",
            id="misspelt SKU of a deployment",
        ),
        pytest.param(
            {"openai": {"accounts": [{"location": "moonbase"}], "deployments": [CHAT]}},
            'openai-gateway:openai.accounts[0].location: "moonbase" is not a region that Azure offered on '
            "2026-11-29; Azure refuses it unless it is newer",
            id="region like no other",
        ),
        pytest.param(
            {"gateway": {**RIGHT["openai-gateway:gateway"], "capacity": "1"}},
            'openai-gateway:gateway.capacity: "1" is text where a number is expected; write it without quotes',
            id="number in quotes",
        ),
        pytest.param(
            {"jwt": JWT},
            "openai-gateway:jwt: has no effect, as no API uses it; remove it, or change auth",
            id="jwt that no API uses",
        ),
        pytest.param(
            {"entra": {"roles": ["Chat.User"]}},
            "openai-gateway:entra: has no effect, as no API uses it; remove it, or change auth",
            id="entra that no API uses",
        ),
        pytest.param(
            {"auth": "entra", "entra": {"roles": ["Chat.User"]}, "apis": [api(jwt=JWT)]},
            "openai-gateway:entra: has no effect, as no API uses it; remove it, or change auth",
            id="entra that each API overrides",
        ),
        pytest.param(
            {"key": {"delivery": "header"}},
            "openai-gateway:key: has no effect, as no API uses it; remove it, or change auth",
            id="key that no API uses",
        ),
        pytest.param(
            {
                "auth": "key",
                "key": {"source": "key-vault", "vault": {"existing": {"name": "kv-contoso", "resourceGroup": "rg"}}},
            },
            "openai-gateway:key.vault.existing: is a vault in which the deployer can delete the secret, or recover a "
            "deleted one of the same name, only with the role Key Vault Secrets Officer; assign that role to the "
            "deployer, then set openai-gateway:key.vault.secretsOfficer to true",
            id="role on an adopted vault",
        ),
        pytest.param(
            {"openai": {}},
            "openai-gateway:openai.deployments: is empty; the new accounts serve no model until one is listed",
            id="no deployments",
        ),
        pytest.param(
            {
                "openai": {
                    "accounts": {"existing": {"name": "aoai", "resourceGroup": "rg"}},
                    "deployments": [{"name": "gpt-4o", "model": "gpt-4o"}],
                }
            },
            "openai-gateway:openai.deployments: has no effect, as every account is adopted and keeps its own; "
            "remove it",
            id="deployments of adopted accounts",
        ),
        pytest.param(
            {"openai": {**RIGHT["openai-gateway:openai"], "accounts": {"priority": 1}}},
            "openai-gateway:openai.accounts[0].priority: 1 has no effect on a single account; remove it, or add "
            "accounts to make a pool",
            id="priority of a single account",
        ),
        pytest.param(
            {"openai": {**RIGHT["openai-gateway:openai"], "accounts": {"weight": 0}}},
            "openai-gateway:openai.accounts[0].weight: 0 has no effect on a single account; remove it, or add accounts "
            "to make a pool",
            id="weight of a single account",
        ),
        pytest.param(
            {"openai": {"deployments": [{"name": "o3", "model": "o3-mini", "version": "2025-01-31"}]}},
            'openai-gateway:openai.deployments[0].version: "2025-01-31" was retired on 2026-10-01, according to '
            "Microsoft's schedule of 2026-09-02; deploy a newer model",
            id="version that is retired",
        ),
        pytest.param(
            {"openai": {"deployments": [{"name": "o3", "model": "o3-mini"}]}},
            'openai-gateway:openai.deployments[0].model: "o3-mini" was retired on 2026-10-01, according to '
            "Microsoft's schedule of 2026-09-02; deploy a newer model",
            id="model that is retired in all versions",
        ),
        pytest.param(
            {"openai": {"accounts": {"deployments": [{"name": "gpt", "model": "gpt-5", "version": "2025-08-07"}]}}},
            'openai-gateway:openai.accounts[0].deployments[0].version: "2025-08-07" will be retired on 2027-02-09, '
            "according to Microsoft's schedule of 2026-09-02; deploy a newer model",
            id="version that is retired soon",
        ),
        pytest.param(
            {
                "openai": {
                    "deployments": [
                        {**CHAT, "sku": "ProvisionedManaged", "versionUpgrade": "OnceNewDefaultVersionAvailable"}
                    ]
                }
            },
            'openai-gateway:openai.deployments[0].versionUpgrade: "OnceNewDefaultVersionAvailable" has no effect, as '
            "Azure does not upgrade deployments of the SKU ProvisionedManaged; remove it",
            id="upgrade of a provisioned deployment",
        ),
        pytest.param(
            {"openai": {"accounts": {"deployments": [CHAT]}, "deployments": [CHAT]}},
            "openai-gateway:openai.deployments: has no effect, as every new account lists its own; remove it",
            id="common deployments that no account has",
        ),
        pytest.param(
            {"openai": {"accounts": {"deployments": []}}},
            "openai-gateway:openai.accounts[0].deployments: is empty; the account serves no model until one is listed",
            id="account without deployments",
        ),
        pytest.param(
            {
                "openai": {
                    "accounts": [
                        {"name": "oai-a"},
                        {"name": "oai-b", "deployments": [CHAT, {**CHAT, "name": "mini"}]},
                        {"existing": {"name": "oai-c", "resourceGroup": "rg"}},
                    ],
                    "deployments": [CHAT],
                }
            },
            "openai-gateway:openai.accounts[0].deployments: do not include mini, so calls that the pool sends here "
            "get 404; deploy the same models in all accounts, or list the deployments of the existing ones",
            id="pool in which it is not known who serves what",
        ),
        pytest.param(
            {
                "openai": {"accounts": [{"name": "oai-a"}, {"name": "oai-b"}], "deployments": [CHAT]},
                "apis": [api(accounts=["oai-b"])],
            },
            "openai-gateway:openai.accounts[0]: is not used by any API; remove it, or list it in the accounts of "
            "an API",
            id="account that no API uses",
        ),
        pytest.param(
            {"apis": [{"name": "openai", "path": "openai", "surface": "v1"}]},
            'openai-gateway:apis[0].path: "openai" does not end in openai/v1, where clients of Azure OpenAI look for '
            "the v1 API; append what is missing, or have callers give the API's whole URL as base_url",
            id="path of the other surface",
        ),
        pytest.param(
            {
                "openai": {"accounts": [{"name": "oai-a"}, {"name": "oai-b"}], "deployments": [CHAT]},
                "apis": [{"name": "openai", "path": "openai/v1", "surface": "v1"}],
            },
            "openai-gateway:apis[0].accounts: are 2, and only the one that made a response can show it, so calls about "
            "stored responses may get 404; list one account, or leave those calls out of "
            "openai-gateway:apis[0].operations",
            id="stored responses behind a pool",
        ),
    ],
)
def test_warning_does_not_stop_a_deployment(config: dict[str, Any], warning: str) -> None:
    assert settings(**config).warnings == (warning,)


def test_both_surfaces_are_published_beside_each_other() -> None:
    chosen = ["createChatCompletion", "createResponse"]
    found = settings(
        openai={"accounts": [{"name": "oai-a"}, {"name": "oai-b"}], "deployments": [CHAT]},
        apis=[api(), {"name": "v1", "path": "openai/v1", "surface": "v1", "operations": chosen}],
    )

    assert [(one.surface, one.api_version, one.operations) for one in found.apis] == [
        ("dated", "2024-10-21", None),
        ("v1", None, chosen),
    ]
    assert found.warnings == ()


def test_accounts_of_a_pool_may_spill_over_each_in_its_own_way() -> None:
    provisioned = {"name": "gpt-4o", "model": "gpt-4o", "sku": "GlobalProvisionedManaged", "spillover": "overflow"}
    overflow = {"name": "overflow", "model": "gpt-4o"}
    accounts = [{"name": "oai-a"}, {"name": "oai-b", "deployments": [CHAT]}]

    assert not settings(openai={"accounts": accounts, "deployments": [provisioned, overflow]}).warnings


def test_a_version_is_no_cause_for_a_warning_until_its_retirement_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    openai = {"deployments": [{**CHAT, "version": "2024-11-20"}, {"name": "new", "model": "gpt-4o", "version": "x"}]}
    retires = date(2027, 4, 14)
    told = {}
    for days in (91, 90, 89, 0, -1):
        day = retires - timedelta(days=days)
        monkeypatch.setattr(retirements, "today", lambda day=day: day)
        told[days] = [line.split(", according")[0].rpartition('" ')[2] for line in settings(openai=openai).warnings]

    soon, past = "will be retired on 2027-04-14", "was retired on 2027-04-14"
    assert told == {91: [], 90: [], 89: [soon], 0: [past], -1: [past]}


@given(st.sampled_from([(model, version) for model, found in RETIREMENTS.items() for version in found]))
def test_a_model_lives_at_least_as_long_as_any_of_its_versions(known: tuple[str, str]) -> None:
    model, version = known
    last, own = retirements.retirement(model, None), retirements.retirement(model, version)

    assert last is not None
    assert own is not None
    assert last >= own


def test_apis_whose_accounts_serve_the_same_models_need_no_warning() -> None:
    mini = {**CHAT, "name": "mini"}
    openai = {"accounts": [{"name": "oai-a"}, {"name": "oai-b", "deployments": [mini]}], "deployments": [CHAT]}
    apis = [api(accounts=["oai-a"]), api(name="mini", path="mini/openai", accounts=["oai-b"])]

    assert settings(openai=openai, apis=apis).warnings == ()


OPEN = (
    "accepts every application of the tenant, as each can get a token for it; list {0}.roles, {0}.scopes or "
    "{0}.clientApplicationIds, or set {0}.assignmentRequired"
)


@pytest.mark.parametrize(
    ("config", "key"),
    [
        pytest.param({"auth": "entra"}, "openai-gateway:entra", id="no block at all"),
        pytest.param({"auth": "entra", "entra": {"backendAuth": "key"}}, "openai-gateway:entra", id="stack"),
        pytest.param(
            {
                "auth": "entra",
                "entra": {"roles": ["Chat.User"]},
                "apis": [{"name": "a", "path": "a/openai"}, {"name": "b", "path": "b/openai", "entra": {}}],
            },
            "openai-gateway:apis[1].entra",
            id="one API",
        ),
    ],
)
def test_an_api_that_lets_in_everybody_of_the_tenant_is_warned_about(config: dict[str, Any], key: str) -> None:
    assert settings(**config).warnings == (f"{key}: {OPEN.format(key)}",)


def test_an_api_that_says_who_may_call_is_not_warned_about() -> None:
    assert settings(auth="entra", entra={"scopes": ["chat"]}).warnings == ()


def test_warning_hides_no_mistake() -> None:
    two = [api(path="chat"), {"name": "two", "path": "chat"}]

    with pytest.raises(
        SettingsError, match=r'apis\[1\]\.path: "chat" is already used by openai-gateway:apis\[0\]\.path'
    ) as e:
        settings(apis=two)

    assert len(str(e.value).splitlines()) == 1


def test_pool_has_priorities_and_weights() -> None:
    accounts = [{"name": "aoai-one", "priority": 0, "weight": 100}, {"name": "aoai-two", "priority": 100, "weight": 0}]
    result = settings(openai={**RIGHT["openai-gateway:openai"], "accounts": accounts})

    assert [(account.priority, account.weight) for account in result.openai.accounts] == [(0, 100), (100, 0)]
    assert result.warnings == ()


# Files of the project


def declared() -> dict[str, dict[str, Any]]:
    config: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]
    return {key.removeprefix("openai-gateway:"): declaration for key, declaration in config.items()}


def test_every_key_is_declared_and_every_declaration_is_a_key() -> None:
    assert list(declared()) == [to_camel(name) for name in Stack.model_fields]


def test_every_declaration_says_what_the_key_is() -> None:
    kinds = {
        "auth": "string",
        "protect": "boolean",
        "apis": "array",
        "identityProviders": "array",
        "limits": "array",
        "teams": "array",
        "tokenPolicies": "string",
    }

    for key, declaration in declared().items():
        assert declaration["type"] == kinds.get(key, "object")
        assert declaration["description"]
        if declaration["type"] == "array":
            assert declaration["items"] == {"type": "object"}


def test_declared_defaults_are_those_of_the_program() -> None:
    defaults = {key: declaration["default"] for key, declaration in declared().items() if "default" in declaration}

    assert {to_camel(name) for name in Stack.model_fields} - set(defaults) == {"gateway"}
    assert settings(**defaults) == settings(openai={})


def test_declarations_name_every_option() -> None:
    kinds: dict[str, list[Any]] = {
        "gateway": [GatewayOptions, ExistingResource, HostnameOptions, AdditionalLocationOptions],
        "openai": [OpenAIOptions, AccountOptions, DeploymentOptions, BreakerOptions],
        "key": [KeyOptions, KeyVaultOptions],
        "entra": [EntraOptions, ExistingApplication],
        "jwt": [JwtOptions],
        "limits": [LimitOptions],
        "network": [NetworkOptions, ExistingNetwork, ExistingDnsZones, InboundEndpointOptions],
        "metrics": [MetricsOptions],
        "observability": [ObservabilityOptions, AppInsightsOptions, LogAnalyticsOptions, PromptOptions],
        "apis": [ApiOptions, RetryOptions, ModelOptions],
    }
    names = {(key, to_camel(field.name)) for key, kinds in kinds.items() for kind in kinds for field in fields(kind)}

    assert {
        (key, name) for key, name in names if not re.search(rf"\b{name}\b", declared()[key]["description"])
    } == set()


@pytest.mark.parametrize("stack", ["dev", "sandbox"])
def test_stack_of_the_project_is_right(stack: str) -> None:
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]

    result = load(config, ROOT)

    assert result.warnings == ()
    assert result.apis[0].auth is AuthMode.MANAGED_IDENTITY
    assert [deployment.model for deployment in result.openai.deployments] == ["gpt-5.6-luna", "text-embedding-3-large"]


# Pulumi


@pytest.fixture
def pulumi_config() -> Iterator[None]:
    token = CONFIG.set({})
    yield
    pulumi.runtime.set_all_config({}, [])
    CONFIG.reset(token)


@pytest.mark.usefixtures("pulumi_config")
def test_stack_config_comes_from_pulumi_as_json_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({"azure-native:location": "norwayeast", "aws:region": "eu-north-1"}))
    pulumi.runtime.set_all_config(
        {
            "openai-gateway:gateway": json.dumps(RIGHT["openai-gateway:gateway"]),
            "openai-gateway:apis": '[{"name": "chat", "path": "chat/openai"}]',
            "openai-gateway:auth": "key",
        }
    )

    found = from_stack()

    assert found.location == "norwayeast"
    assert [(one.name, one.auth) for one in found.apis] == [("chat", AuthMode.KEY)]


@pytest.mark.usefixtures("pulumi_config")
def test_misspelt_and_broken_keys_of_a_stack_are_told() -> None:
    pulumi.runtime.set_all_config(
        {
            "azure-native:location": "norwayeast",
            "openai-gateway:gateway": "{broken",
            "openai-gateway:apiz": "[]",
            "openai-gateway:auth": "hunter2",
        },
        ["openai-gateway:auth"],
    )

    with pytest.raises(pulumi.RunError) as refused:
        from_stack()

    assert str(refused.value).splitlines() == [
        "the stack's config has mistakes; nothing was deployed:",
        "openai-gateway:apiz: is not a known key; allowed: auth, gateway, openai, key, entra, jwt, identityProviders, "
        "safety, cache, network, protect, limits, metrics, tokenPolicies, observability, apis, teams; "
        "did you mean apis?",
        "openai-gateway:auth: the value (not shown) is not allowed; allowed: key, managed-identity, entra",
        'openai-gateway:gateway: "{broken" is given where a mapping is expected',
    ]


def test_settings_load_without_pulumi() -> None:
    program = "import sys, settings; sys.exit('pulumi' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0  # noqa: S603


# Anything at all

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["\ud800", "@(", "{{x}}", "1"]),
    lambda items: st.lists(items, max_size=3) | st.dictionaries(st.text(), items, max_size=3),
    max_leaves=8,
)
BLOCKS: dict[str, Any] = {
    "key": {"source": "key-vault", "delivery": "backend", "namedValue": "a", "vault": {"existing": {"name": "kv-a"}}},
    "entra": {
        "existing": {"clientId": GUID, "audiences": [GUID]},
        "tenantId": GUID,
        "roles": ["Chat.User"],
        "scopes": ["chat"],
        "requiredClaims": {"groups": {"values": ["a"], "match": "any", "separator": " "}, "scp": ["x"]},
        "roleAssignments": [{"principalId": GUID, "role": "Chat.User"}],
        "assignmentRequired": False,
    },
    "jwt": {**JWT, "issuers": ["https://login.example.com/"], "requiredClaims": {"scp": "x"}},
}
RICH: dict[str, Any] = {
    **RIGHT,
    **{f"openai-gateway:{key}": block for key, block in BLOCKS.items()},
    "openai-gateway:auth": "entra",
    "openai-gateway:openai": {
        "accounts": [{"name": "aoai-one", "priority": 1, "weight": 2, "disableLocalAuth": True}, {"location": "x"}],
        "deployments": [{"name": "gpt-4o", "model": "gpt-4o", "capacity": 1, "version": "1", "sku": "Standard"}],
    },
    "openai-gateway:apis": [api(auth="key", definitionFile="openapi.json"), {"name": "b", "path": "b", **BLOCKS}],
}


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict | list):
        for part, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(item, (*path, part))


def planted(path: tuple[Any, ...], junk: Any) -> dict[str, Any]:
    config = deepcopy(RICH)
    place: Any = config
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = junk
    return config


def loads_or_tells(config: dict[str, Any]) -> None:
    try:
        result = load(config, ROOT)
    except SettingsError as error:
        lines = str(error).split("\n")
        assert all(re.fullmatch(r"(openai-gateway|azure-native):\S.*: \S.*", line) for line in lines)
        assert all(line.isprintable() for line in lines)
    else:
        assert result.apis


@given(st.dictionaries(st.sampled_from(sorted(RICH)) | st.text().map("openai-gateway:{}".format), JSON, max_size=4))
@example({"openai-gateway:0:0": None})
@example({"openai-gateway:azure-native:location": 1})
def test_any_json_loads_or_is_told(config: dict[str, Any]) -> None:
    loads_or_tells({**RIGHT, **config})


@given(st.sampled_from(list(paths(RICH))).flatmap(lambda path: JSON.map(lambda junk: planted(path, junk))))
def test_any_json_within_a_rich_config_loads_or_is_told(config: dict[str, Any]) -> None:
    loads_or_tells(config)


@pytest.mark.parametrize(
    ("api", "told"),
    [({}, True), ({"ownResponses": True}, False), ({"operations": ["createChatCompletion"]}, False)],
    ids=["as it is", "own responses", "chat alone"],
)
def test_teams_that_could_read_each_others_stored_responses_are_warned_about(api: dict[str, Any], told: bool) -> None:
    shared = {"name": "v1", "path": "openai/v1", "surface": "v1", **api}
    teams = [{"name": name, "apis": apis} for name, apis in (("a", ["v1"]), ("b", ["chat"]), ("c", ["chat", "v1"]))]

    found = settings(apis=[{"name": "chat", "path": "openai"}, shared], teams=teams).warnings

    key, other = "openai-gateway:teams[2].apis[1]", "openai-gateway:teams[0].apis[0]"
    assert bool(found) is told
    assert all(one.startswith(f'{key}: "v1" is in another team by {other}, and each could read') for one in found)


@pytest.mark.parametrize(
    ("key", "expected"), [("appInsights", "create, off or a mapping"), ("prompts", "off or a mapping")]
)
def test_a_word_in_the_place_of_a_mapping_is_told_with_those_that_may_stand_there(key: str, expected: str) -> None:
    with pytest.raises(SettingsError, match=f'observability.{key}: "crate" is given where {expected} is expected'):
        settings(observability={key: "crate"})
