"""Stack config of every mode, on top of the dev stack's."""

from typing import Any

import yaml

from apim_emulator.azure import KEY_VAULT_SECRETS_OFFICER, Cloud
from tests.deployed import ROOT

GROUP = "rg-shared"
HUB = "33333333-3333-4333-8333-333333333333"
"""Another subscription than the stack's own."""
CLIENT = "11111111-1111-4111-8111-111111111111"
PUBLISHER = {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com"}
IN_HUB = {"resourceGroup": GROUP, "subscriptionId": HUB}
EXISTING = {"name": "apim-shared", "resourceGroup": GROUP}
ENTRA = {
    "roles": ["Chat.User"],
    "scopes": ["access_as_user"],
    "clientApplicationIds": [CLIENT],
    "preAuthorizedClientIds": [CLIENT],
    "requiredClaims": {"department": ["research"]},
}
JWT = {
    "openidConfigUrls": ["https://login.contoso.com/.well-known/openid-configuration"],
    "issuers": ["https://login.contoso.com/"],
    "audiences": ["https://ai.contoso.com"],
    "requiredClaims": {"scope": {"values": ["chat", "embed"], "match": "any", "separator": " "}},
}
PROVIDERS = [
    {"entra": {"roles": ["Chat.User"], "requiredClaims": {"department": "research"}}},
    {
        "entra": {
            "existing": {"clientId": CLIENT, "audiences": [CLIENT, f"api://{CLIENT}"]},
            "tenantId": "99999999-9999-4999-8999-999999999999",
            "scopes": ["access_as_user"],
        }
    },
    {"jwt": JWT},
]
DEPLOYMENTS = [{"name": "gpt-4o", "model": "gpt-4o"}]
POOL = {
    "accounts": [{"location": "swedencentral", "priority": 1}, {"location": "francecentral", "priority": 2}],
    "deployments": DEPLOYMENTS,
}

V1 = [{"name": "openai", "path": "openai/v1", "surface": "v1"}]
CACHE = {"scoreThreshold": 0.05, "duration": 300, "embeddings": "text-embedding-3-large"}
LIMITS = [
    {"per": "api", "tokensPerMinute": 100000, "tokenQuota": 50000000, "tokenQuotaPeriod": "Monthly"},
    {"per": "model", "requestsPerMinute": 600, "tokensPerMinute": 50000, "shadow": False},
    {"per": "model", "tokensPerMinute": 20000, "shadow": True},
]
TEAMS: list[dict[str, Any]] = [
    {
        "name": "research",
        "apis": ["openai"],
        "models": ["gpt-5.6-luna"],
        "limits": [
            {"per": "product", "tokensPerMinute": 20000, "tokenQuota": 5000000, "tokenQuotaPeriod": "Monthly"},
            {"per": "subscription", "requestsPerMinute": 120},
            {"per": "product", "tokensPerMinute": 10000, "shadow": True},
        ],
        "subscriptions": ["app", "batch"],
        "keys": {"vault": True},
    },
    {"name": "support", "apis": ["openai"], "limits": [{"per": "model", "tokensPerMinute": 20000}]},
]

MODES: dict[str, dict[str, Any]] = {
    "key-named-value-backend": {"auth": "key"},
    "key-named-value-header": {"auth": "key", "key": {"delivery": "header"}},
    "key-key-vault-backend": {"auth": "key", "key": {"source": "key-vault"}},
    "key-key-vault-header": {"auth": "key", "key": {"source": "key-vault", "delivery": "header"}},
    "key-existing-vault": {
        "auth": "key",
        "key": {
            "source": "key-vault",
            "vault": {"existing": {"name": "kv-shared", "resourceGroup": GROUP}, "secretsOfficer": True},
        },
    },
    "key-pool": {"auth": "key", "openai": POOL},
    "identity-system-assigned": {},
    "identity-user-assigned": {"gateway": {**PUBLISHER, "identity": "user-assigned"}},
    "identity-pool": {"openai": POOL},
    "entra-identity": {"auth": "entra", "entra": ENTRA},
    "entra-key": {"auth": "entra", "entra": {**ENTRA, "backendAuth": "key"}},
    "entra-existing-application": {
        "auth": "entra",
        "entra": {"existing": {"clientId": CLIENT, "audiences": [CLIENT]}, "tenantId": CLIENT, "roles": ["Chat.User"]},
    },
    "jwt-identity": {"auth": "entra", "jwt": JWT},
    "jwt-key": {"auth": "entra", "jwt": {**JWT, "backendAuth": "key"}},
    "entra-and-jwt-identity": {"auth": "entra", "identityProviders": PROVIDERS},
    "entra-and-jwt-key-limits": {
        "auth": "entra",
        "identityProviders": [
            {"entra": {**ENTRA, "backendAuth": "key"}},
            {"jwt": {**JWT, "backendAuth": "key"}},
        ],
        "limits": [{"per": "caller", "tokensPerMinute": 20000, "requestsPerMinute": 60}],
        "metrics": {"namespace": "openai", "dimensions": {"API ID": "api", "Team": "application"}},
    },
    "v1-identity-pool": {"openai": POOL, "apis": V1},
    "v1-key": {"auth": "key", "apis": V1},
    "v1-identity-own-responses": {"apis": [{**V1[0], "ownResponses": True}]},
    "v1-entra-identity-own-responses": {"auth": "entra", "entra": ENTRA, "apis": [{**V1[0], "ownResponses": True}]},
    "v1-entra-identity": {"auth": "entra", "entra": ENTRA, "apis": V1},
    "identity-limits": {
        "limits": [*LIMITS, {"per": "subscription", "tokensPerMinute": 20000, "estimatePrompt": True}],
        "tokenPolicies": "azure-openai",
    },
    "entra-limits": {
        "auth": "entra",
        "entra": ENTRA,
        "limits": [*LIMITS, {"per": "caller", "tokensPerMinute": 20000, "requestsPerMinute": 60}],
        "metrics": {"namespace": "openai", "dimensions": {"API ID": "api", "Team": "application"}},
    },
    "identity-teams": {"teams": TEAMS},
    "identity-observability": {
        "observability": {
            "prompts": {"maxBytes": 8192, "retentionDays": 30},
            "alerts": {"email": ["ops@contoso.com"]},
            "budget": 100,
        }
    },
    "entra-identity-existing-observability": {
        "auth": "entra",
        "entra": ENTRA,
        "observability": {
            "appInsights": {"existing": {"name": "appi-shared", "resourceGroup": GROUP}},
            "logAnalytics": {"existing": {"name": "log-shared", "resourceGroup": GROUP}},
            "sampling": 50,
        },
    },
    "identity-content-safety": {
        "safety": {
            "categories": {"Hate": 4, "Violence": 6},
            "outputType": "EightSeverityLevels",
            "shieldPrompt": True,
            "blocklists": ["rivals", "secrets"],
            "enforceOnCompletions": True,
            "window": {"size": 500, "overlap": 50},
        }
    },
    "jwt-identity-content-safety": {
        "auth": "entra",
        "jwt": JWT,
        "safety": {
            "account": {"existing": {"name": "cs-shared", "resourceGroup": GROUP}},
            "categories": {"Hate": 4},
        },
    },
    "identity-semantic-cache": {"cache": {**CACHE, "varyBy": "subscription"}},
    "v1-entra-key-semantic-cache-content-safety": {
        "auth": "entra",
        "entra": {**ENTRA, "backendAuth": "key"},
        "safety": {"categories": {"Hate": 4}},
        "cache": {**CACHE, "varyBy": "caller", "redis": {"existing": {"name": "redis-shared", "resourceGroup": GROUP}}},
        "apis": V1,
    },
    "key-vault-private": {
        "auth": "key",
        "key": {"source": "key-vault"},
        "gateway": {**PUBLISHER, "sku": "StandardV2"},
        "network": {"mode": "private", "inboundEndpoint": {}},
        "safety": {"shieldPrompt": True},
    },
    "identity-private-external": {
        "gateway": {**PUBLISHER, "sku": "Developer"},
        "network": {"mode": "private"},
    },
    "existing-gateway-and-account": {
        "gateway": {"existing": EXISTING},
        "openai": {"accounts": [{"existing": {"name": "oai-shared", "resourceGroup": GROUP}}]},
    },
    "existing-in-another-subscription": {
        "auth": "key",
        "gateway": {"existing": {"name": "apim-hub", **IN_HUB}},
        "openai": {"accounts": [{"existing": {"name": "oai-hub", **IN_HUB}}]},
        "key": {
            "source": "key-vault",
            "vault": {"existing": {"name": "kv-hub", **IN_HUB}, "secretsOfficer": True},
        },
    },
}


def mode_config(mode: str, **more: Any) -> dict[str, Any]:
    """Config with full keys."""
    base = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8"))["config"]
    changes = {**MODES[mode], **more}
    return {**base, **{f"openai-gateway:{key}": value for key, value in changes.items()}}


def shared_cloud(cloud: Cloud | None = None) -> Cloud:
    """A cloud that has what the modes adopt: a new one, or the one given."""
    cloud = cloud or Cloud()
    cloud.add_subscription(HUB)
    for suffix, subscription_id in (("shared", None), ("hub", HUB)):
        _share(cloud, suffix, subscription_id)
    return cloud


def _share(cloud: Cloud, suffix: str, subscription_id: str | None) -> None:
    place = {"resourceGroupName": GROUP, "location": "swedencentral"}
    vault = {"tenantId": cloud.tenant_id, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True}
    account = {"customSubDomainName": f"oai-{suffix}", "disableLocalAuth": False}
    service = {
        "sku": {"name": "StandardV2", "capacity": 1},
        "publisherName": "Shared",
        "publisherEmail": "shared@example.com",
        "identity": {"type": "SystemAssigned"},
    }
    resources: list[tuple[str, dict[str, Any]]] = [
        ("resources:ResourceGroup", {}),
        ("apimanagement:ApiManagementService", {"serviceName": f"apim-{suffix}", **service}),
        ("keyvault:Vault", {"vaultName": f"kv-{suffix}", "properties": vault}),
        (
            "cognitiveservices:Account",
            {
                "accountName": f"cs-{suffix}",
                "kind": "ContentSafety",
                "sku": {"name": "S0"},
                "properties": {"customSubDomainName": f"cs-{suffix}", "disableLocalAuth": True},
            },
        ),
        (
            "redisenterprise:RedisEnterprise",
            {"clusterName": f"redis-{suffix}", "sku": {"name": "Balanced_B0"}, "publicNetworkAccess": "Enabled"},
        ),
        (
            "redisenterprise:Database",
            {
                "clusterName": f"redis-{suffix}",
                "databaseName": "default",
                "modules": [{"name": "RediSearch"}],
                "clusteringPolicy": "EnterpriseCluster",
                "evictionPolicy": "NoEviction",
                "accessKeysAuthentication": "Enabled",
            },
        ),
        (
            "cognitiveservices:Account",
            {"accountName": f"oai-{suffix}", "kind": "OpenAI", "sku": {"name": "S0"}, "properties": account},
        ),
        ("operationalinsights:Workspace", {"workspaceName": f"log-{suffix}"}),
        (
            "applicationinsights:Component",
            {
                "resourceName": f"appi-{suffix}",
                "kind": "web",
                "applicationType": "web",
                "workspaceResourceId": (
                    f"/subscriptions/{subscription_id or cloud.subscription_id}/resourceGroups/{GROUP}"
                    f"/providers/Microsoft.OperationalInsights/workspaces/log-{suffix}"
                ),
            },
        ),
    ]
    made = []
    for token, inputs in resources:
        kind = f"azure-native:{token}"
        given = {**place, **inputs} if cloud.has_location(kind) else {"resourceGroupName": GROUP, **inputs}
        made.append(cloud.create(kind, "shared", given, subscription_id=subscription_id)[0])
    officer = {
        "scope": made[2],
        "principalId": cloud.deployer_object_id,
        "principalType": "User",
        "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{KEY_VAULT_SECRETS_OFFICER}",
    }
    cloud.create("azure-native:authorization:RoleAssignment", f"officer-{suffix}", officer)
