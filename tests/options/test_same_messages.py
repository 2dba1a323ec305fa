"""Stack config and the components report mistakes in the same words."""

from pathlib import Path
from typing import Any

import pulumi
import pytest

from components._inputs import read_options
from options import (
    AccountOptions,
    AdditionalLocationOptions,
    AlertOptions,
    AppInsightsOptions,
    BreakerOptions,
    DeploymentOptions,
    EntraOptions,
    ExistingApplication,
    ExistingNetwork,
    ExistingResource,
    GatewayOptions,
    GatewaySku,
    HostnameOptions,
    IdentityProviderOptions,
    JwtOptions,
    KeyOptions,
    KeyRotation,
    KeyVaultOptions,
    LimitOptions,
    LimitPer,
    LogAnalyticsOptions,
    MetricsOptions,
    MetricSource,
    NetworkOptions,
    ObservabilityOptions,
    OpenAIOptions,
    OwnerOptions,
    PolicyOptions,
    PriceOptions,
    PromptOptions,
    RetryOptions,
    SafetyAccountOptions,
    SafetyOptions,
    SafetyWindowOptions,
    TeamKeysOptions,
    TeamOptions,
    mistakes_in,
)
from settings import SettingsError, load

PUBLISHER: dict[str, Any] = {"publisher_name": "Contoso", "publisher_email": "ai@contoso.com"}
GUID = "11111111-2222-3333-4444-555555555555"
RIGHT: dict[str, Any] = {
    "azure-native:location": "swedencentral",
    "openai-gateway:gateway": {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com"},
    "openai-gateway:openai": {"deployments": [{"name": "gpt-4o", "model": "gpt-4o"}]},
    "openai-gateway:auth": "entra",
}
EXISTING = {"name": "shared", "resourceGroup": "rg"}
OWN = {"name": "shared", "resource_group": "rg"}

CASES = [
    pytest.param(
        "safety",
        SafetyOptions(
            account=SafetyAccountOptions(name="-cs"),
            categories={"Hate": 7, "Bad": 1},
            blocklists=["a", "a"],
            window=SafetyWindowOptions(size=1, overlap=1),
        ),
        {
            "account": {"name": "-cs"},
            "categories": {"Hate": 7, "Bad": 1},
            "blocklists": ["a", "a"],
            "window": {"size": 1, "overlap": 1},
        },
        id="content safety",
    ),
    pytest.param(
        "network", NetworkOptions(address_space="10.0.0.0/30"), {"addressSpace": "10.0.0.0/30"}, id="address space"
    ),
    pytest.param(
        "network",
        NetworkOptions(existing=ExistingNetwork(endpoint_subnet="a")),
        {"existing": {"endpointSubnet": "a"}},
        id="adopted network",
    ),
    pytest.param("gateway", GatewayOptions(), {}, id="no publisher"),
    pytest.param(
        "gateway",
        GatewayOptions(**PUBLISHER, sku=GatewaySku.BASIC, capacity=3, name="-apim"),
        {
            "publisherName": "Contoso",
            "publisherEmail": "ai@contoso.com",
            "sku": "Basic",
            "capacity": 3,
            "name": "-apim",
        },
        id="capacity and name",
    ),
    pytest.param(
        "gateway",
        GatewayOptions(
            **PUBLISHER,
            sku=GatewaySku.PREMIUM,
            zones=[1, 4],
            capacity=3,
            additional_locations=[
                AdditionalLocationOptions(location="w e", zones=[1, 1]),
                AdditionalLocationOptions(location="W e", capacity=13),
            ],
            hostnames=[HostnameOptions(name="ai", vault=ExistingResource(**OWN), certificate="a.b")],
        ),
        {
            "publisherName": "Contoso",
            "publisherEmail": "ai@contoso.com",
            "sku": "Premium",
            "zones": [1, 4],
            "capacity": 3,
            "additionalLocations": [{"location": "w e", "zones": [1, 1]}, {"location": "W e", "capacity": 13}],
            "hostnames": [{"name": "ai", "vault": EXISTING, "certificate": "a.b"}],
        },
        id="zones, locations and hostnames",
    ),
    pytest.param(
        "gateway",
        GatewayOptions(**PUBLISHER, zones=[1], additional_locations=[AdditionalLocationOptions(location="westeurope")]),
        {
            "publisherName": "Contoso",
            "publisherEmail": "ai@contoso.com",
            "zones": [1],
            "additionalLocations": [{"location": "westeurope"}],
        },
        id="what the tier has not",
    ),
    pytest.param(
        "gateway",
        GatewayOptions(existing=ExistingResource(**OWN), identity="user-assigned", tags={"a<": "b"}),
        {"existing": EXISTING, "identity": "user-assigned", "tags": {"a<": "b"}},
        id="adopted",
    ),
    pytest.param(
        "openai",
        OpenAIOptions(
            accounts=[AccountOptions(name="oai"), AccountOptions(name="OAI", weight=101)],
            deployments=[DeploymentOptions(name="gpt", model="gpt 4")],
        ),
        {
            "accounts": [{"name": "oai"}, {"name": "OAI", "weight": 101}],
            "deployments": [{"name": "gpt", "model": "gpt 4"}],
        },
        id="accounts",
    ),
    pytest.param(
        "openai",
        OpenAIOptions(
            deployments=[DeploymentOptions(name="gpt-4o", model="gpt-4o")],
            accounts=[AccountOptions(name="oai-a"), AccountOptions(name="oai-b")],
            breaker=BreakerOptions(count=0, interval="P1D", status_codes=["4xx", "*"]),
        ),
        {
            "deployments": [{"name": "gpt-4o", "model": "gpt-4o"}],
            "accounts": [{"name": "oai-a"}, {"name": "oai-b"}],
            "breaker": {"count": 0, "interval": "P1D", "statusCodes": ["4xx", "*"]},
        },
        id="breaker",
    ),
    pytest.param(
        "key",
        KeyOptions(vault=KeyVaultOptions(name="1"), named_value="a b"),
        {"vault": {"name": "1"}, "namedValue": "a b"},
        id="key",
    ),
    pytest.param(
        "key",
        KeyOptions(rotation=KeyRotation.REFRESH, vault=KeyVaultOptions(secrets_officer=True)),
        {"rotation": "refresh", "vault": {"secretsOfficer": True}},
        id="rotation",
    ),
    pytest.param(
        "entra",
        EntraOptions(tenant_id=GUID, roles=["a", "a"], scopes=["a"], client_application_ids=["x"]),
        {"tenantId": GUID, "roles": ["a", "a"], "scopes": ["a"], "clientApplicationIds": ["x"]},
        id="entra",
    ),
    pytest.param(
        "entra",
        EntraOptions(existing=ExistingApplication(client_id=GUID), assignment_required=True),
        {"existing": {"clientId": GUID}, "assignmentRequired": True},
        id="adopted application",
    ),
    pytest.param(
        "jwt",
        JwtOptions(openid_config_urls=["http://login.example"], audiences=[]),
        {"openidConfigUrls": ["http://login.example"], "audiences": []},
        id="jwt",
    ),
    pytest.param(
        "identityProviders[0]",
        IdentityProviderOptions(
            entra=EntraOptions(tenant_id=GUID, roles=["a", "a"]),
            jwt=JwtOptions(openid_config_urls=["https://a.example", "http://b.example"], audiences=[]),
        ),
        {
            "entra": {"tenantId": GUID, "roles": ["a", "a"]},
            "jwt": {"openidConfigUrls": ["https://a.example", "http://b.example"], "audiences": []},
        },
        id="identity provider",
    ),
    pytest.param(
        "metrics",
        MetricsOptions(
            namespace="@(1)",
            dimensions={"API ID": MetricSource.PRODUCT, **{f"d{i}": MetricSource.API for i in range(6)}},
        ),
        {"namespace": "@(1)", "dimensions": {"API ID": "product", **{f"d{i}": "api" for i in range(6)}}},
        id="metrics",
    ),
    pytest.param(
        "observability",
        ObservabilityOptions(
            app_insights=AppInsightsOptions(enabled=False, name="appi"),
            log_analytics=LogAnalyticsOptions(retention_days=1, gateway_logs=False),
            sampling=-1,
            prompts=PromptOptions(max_bytes=0),
            alerts=AlertOptions(email=["ops"], throttled=101),
            budget=0,
            prices=[PriceOptions(model="a b", input=-1, output=0, since="tomorrow")],
        ),
        {
            "appInsights": {"enabled": False, "name": "appi"},
            "logAnalytics": {"retentionDays": 1, "gatewayLogs": False},
            "sampling": -1,
            "prompts": {"maxBytes": 0},
            "alerts": {"email": ["ops"], "throttled": 101},
            "budget": 0,
            "prices": [{"model": "a b", "input": -1, "output": 0, "since": "tomorrow"}],
        },
        id="observability",
    ),
    pytest.param(
        "teams[0]",
        TeamOptions(
            name="a--b",
            apis=[],
            models=["x y", "x y"],
            limits=[LimitOptions(per=LimitPer.CALLER, tokens_per_minute=0)],
            subscriptions=["app", "App"],
            keys=TeamKeysOptions(secrets_officer=True),
            role="Chat.User",
            owners=[OwnerOptions(id="ada")],
        ),
        {
            "name": "a--b",
            "apis": [],
            "models": ["x y", "x y"],
            "limits": [{"per": "caller", "tokensPerMinute": 0}],
            "subscriptions": ["app", "App"],
            "keys": {"secretsOfficer": True},
            "role": "Chat.User",
            "owners": ["ada"],
        },
        id="team",
    ),
]


@pytest.mark.parametrize(("key", "given", "config"), CASES)
def test_config_and_components_report_the_same_mistakes(key: str, given: Any, config: Any, tmp_path: Path) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        read_options(type(given), given, key)
    name, in_list, _ = key.partition("[0]")
    with pytest.raises(SettingsError) as listed:
        load({**RIGHT, f"openai-gateway:{name}": [config] if in_list else config}, tmp_path)

    by_component = {_problem(line) for line in str(refused.value).splitlines()}
    assert len(by_component) == len(str(refused.value).splitlines())
    assert by_component == {_problem(line) for line in listed.value.lines}


def test_config_and_components_report_the_same_mistakes_in_policies(tmp_path: Path) -> None:
    own = PolicyOptions(inbound="<base />", on_error="<set-heder />\n<x")
    api = {"name": "openai", "path": "openai", "policy": {"inbound": own.inbound, "onError": own.on_error}}

    with pytest.raises(pulumi.RunError) as refused:
        read_options(PolicyOptions, own, "policy")
    with pytest.raises(SettingsError) as listed:
        load({**RIGHT, "openai-gateway:apis": [api]}, tmp_path)

    assert sorted(map(_problem, str(refused.value).splitlines())) == sorted(
        _problem(line.replace("apis[0].", "")) for line in listed.value.lines
    )


def test_config_and_components_report_the_same_mistakes_in_limits(tmp_path: Path) -> None:
    own = LimitOptions(
        per=LimitPer.API, tokens_per_minute=0, requests_per_minute=5, token_quota=5, shadow=True, estimate_prompt=True
    )
    config = {
        "per": "api",
        "tokensPerMinute": 0,
        "requestsPerMinute": 5,
        "tokenQuota": 5,
        "shadow": True,
        "estimatePrompt": True,
    }

    with pytest.raises(pulumi.RunError) as refused:
        read_options(LimitOptions, own, "limits[0]")
    with pytest.raises(SettingsError) as listed:
        load({**RIGHT, "openai-gateway:limits": [config]}, tmp_path)

    assert len(listed.value.lines) == 4
    assert sorted(map(_problem, str(refused.value).splitlines())) == sorted(map(_problem, listed.value.lines))


def _problem(line: str) -> str:
    """A line without its keys, which config and components spell differently."""
    key, _, problem = line.partition(": ")
    root = key.removeprefix("openai-gateway:").partition(".")[0].partition("[")[0]
    words = [word.replace("openai-gateway:", "").replace("_", "").lower() for word in problem.split()]
    return " ".join([root, *words])


@pytest.mark.parametrize(
    "right",
    [
        GatewayOptions(**PUBLISHER),
        GatewayOptions(existing=ExistingResource(**OWN)),
        OpenAIOptions(deployments=[DeploymentOptions(name="gpt-4o", model="gpt-4o")]),
        KeyOptions(),
        BreakerOptions(),
        RetryOptions(),
        EntraOptions(roles=["Chat.User"]),
        JwtOptions(openid_config_urls=["https://login.example"], audiences=["api"]),
        IdentityProviderOptions(entra=EntraOptions(roles=["Chat.User"])),
        LimitOptions(per=LimitPer.API, tokens_per_minute=1),
        MetricsOptions(namespace="openai"),
        TeamOptions(name="research", apis=["openai"]),
        TeamKeysOptions(),
        OwnerOptions(id=GUID),
    ],
    ids=lambda value: type(value).__name__,
)
def test_defaults_break_no_rule(right: object) -> None:
    assert list(mistakes_in(right)) == []


def test_a_name_that_its_author_chose_keeps_its_spelling(tmp_path: Path) -> None:
    gateway = {**RIGHT["openai-gateway:gateway"], "tags": {"cost_center": "x" * 257}}

    with pytest.raises(SettingsError) as refused:
        load({**RIGHT, "openai-gateway:gateway": gateway}, tmp_path)

    assert refused.value.lines[0].startswith("openai-gateway:gateway.tags.cost_center: is 257 characters long")


def test_programs_in_other_languages_get_warnings_too(capsys: pytest.CaptureFixture[str]) -> None:
    accounts = [{"name": "oai", "weight": 2.0}]

    read_options(
        OpenAIOptions, {"accounts": accounts, "deployments": [{"name": "gpt-4o", "model": "gpt-4o"}]}, "openai"
    )

    assert "openai.accounts[0].weight: 2 has no effect on a single account" in capsys.readouterr().err
