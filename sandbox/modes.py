"""The configurations of the program that the demo deploys."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from apim_emulator.azure import Deployer
from sandbox.applications import create_application
from sandbox.runtime import Sandbox

CHAT_MODEL = "gpt-5.6-luna"
EMBEDDING_MODEL = "text-embedding-3-large"
AUDIENCE = "https://ai.contoso.com"
ROLE = "Chat.User"
PROVIDER = "https://login.contoso.com/.well-known/openid-configuration"

Config = dict[str, Any]
"""Stack config, keys without the namespace."""

_DEPLOYMENTS = [{"name": name, "model": name} for name in (CHAT_MODEL, EMBEDDING_MODEL)]
_PROVISIONED = [{**_DEPLOYMENTS[0], "sku": "GlobalProvisionedManaged", "capacity": 50}, _DEPLOYMENTS[1]]
_GATEWAY = {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com"}
_BASE: Config = {
    "gateway": _GATEWAY,
    "openai": {"deployments": _DEPLOYMENTS},
}
_POOL: Config = {
    "openai": {
        # Provisioned throughput comes first, and what it rejects is paid for by use.
        "accounts": [
            {"location": "swedencentral", "priority": 1, "deployments": _PROVISIONED},
            {"location": "francecentral", "priority": 2},
        ],
        "deployments": _DEPLOYMENTS,
    }
}
_HUB = {"resourceGroup": "rg-hub", "subscriptionId": "11111111-2222-4333-8444-555555555555"}
_IN_HUB: Config = {
    "gateway": {"existing": {"name": "apim-hub", **_HUB}},
    "openai": {"accounts": [{"existing": {"name": "oai-hub", **_HUB}}]},
}
_ADOPTED: Config = {
    "gateway": {"existing": {"name": "apim-contoso", "resourceGroup": "rg-shared"}},
    "openai": {"accounts": [{"existing": {"name": "oai-contoso", "resourceGroup": "rg-shared"}}]},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Mode:
    """A configuration of the program."""

    name: str
    config: Callable[[Sandbox], Config]
    """Returns what the mode adds to the config that all modes share."""
    caller: Literal["key", "entra", "jwt", "entra or jwt"]
    """What callers present: a subscription key, a token of Microsoft Entra ID or of another provider, or either."""
    credential: Literal["key", "token"]
    """What the gateway presents to Azure OpenAI."""
    deployer: Deployer = Deployer.DEVELOPER
    """Who deploys; only administrators can assign app roles to applications."""
    surface: Literal["dated", "v1"] = "dated"
    """Surface of Azure OpenAI that the API publishes."""

    @property
    def path(self) -> str:
        """Path of the API, with the end that the surface's clients look for."""
        return "openai/v1" if self.surface == "v1" else "openai"

    def stack_config(self, sandbox: Sandbox) -> dict[str, Any]:
        """Return the whole config, with full keys."""
        api = {"name": "openai", "path": self.path, "surface": self.surface}
        config = {**_BASE, "apis": [api], **self.config(sandbox)}
        return {
            "azure-native:location": "swedencentral",
            **{f"openai-gateway:{key}": value for key, value in config.items()},
        }


def _key(source: str, delivery: str, **more: Any) -> Callable[[Sandbox], Config]:
    return lambda _: {"auth": "key", "key": {"source": source, "delivery": delivery}, **more}


def _identity(identity: str, **more: Any) -> Callable[[Sandbox], Config]:
    return lambda _: {"auth": "managed-identity", "gateway": {**_GATEWAY, "identity": identity}, **more}


def _entra(backend_auth: str, *, existing: bool = False) -> Callable[[Sandbox], Config]:
    def config(sandbox: Sandbox) -> Config:
        callers = sandbox.callers
        entra: Config = {
            "roles": [ROLE],
            "clientApplicationIds": [callers.client.client_id, callers.without_role.client_id],
            "roleAssignments": [{"principalId": callers.client.service_principal_id, "role": ROLE}],
            "backendAuth": backend_auth,
        }
        if existing:
            client_id = create_application(sandbox.cloud, "Azure OpenAI", [ROLE]).client_id
            return {"auth": "entra", "entra": {**entra, "existing": {"clientId": client_id, "audiences": [client_id]}}}
        allowed = {"scopes": ["access_as_user"], "preAuthorizedClientIds": [callers.client.client_id]}
        return {"auth": "entra", "entra": {**entra, **allowed}}

    return config


def _jwt(backend_auth: str) -> Callable[[Sandbox], Config]:
    jwt = {
        "openidConfigUrls": [PROVIDER],
        "issuers": ["https://login.contoso.com/"],
        "audiences": [AUDIENCE],
        "requiredClaims": {"roles": [ROLE]},
        "backendAuth": backend_auth,
    }
    return lambda _: {"auth": "entra", "jwt": jwt}


def _either(backend_auth: str) -> Callable[[Sandbox], Config]:
    def config(sandbox: Sandbox) -> Config:
        entra, jwt = _entra(backend_auth)(sandbox)["entra"], _jwt(backend_auth)(sandbox)["jwt"]
        return {"auth": "entra", "identityProviders": [{"entra": entra}, {"jwt": jwt}]}

    return config


def _adopted(_: Sandbox) -> Config:
    return {"auth": "managed-identity", **_ADOPTED}


def _all_in_hub(_: Sandbox) -> Config:
    """Adopt everything from another subscription, as a spoke does from its hub."""
    vault = {"existing": {"name": "kv-hub", **_HUB}}
    return {"auth": "key", "key": {"source": "key-vault", "delivery": "header", "vault": vault}, **_IN_HUB}


MODES = (
    Mode(
        name="key: named value, backend",
        config=_key("named-value", "backend"),
        caller="key",
        credential="key",
    ),
    Mode(name="key: named value, header", config=_key("named-value", "header"), caller="key", credential="key"),
    Mode(name="key: Key Vault, backend", config=_key("key-vault", "backend"), caller="key", credential="key"),
    Mode(name="key: Key Vault, header", config=_key("key-vault", "header"), caller="key", credential="key"),
    Mode(
        name="key: pool of accounts",
        config=_key("named-value", "backend", **_POOL),
        caller="key",
        credential="key",
    ),
    Mode(
        name="managed identity: system-assigned",
        config=_identity("system-assigned"),
        caller="key",
        credential="token",
    ),
    Mode(name="managed identity: user-assigned", config=_identity("user-assigned"), caller="key", credential="token"),
    Mode(
        name="managed identity: pool of accounts",
        config=_identity("system-assigned", **_POOL),
        caller="key",
        credential="token",
    ),
    Mode(name="managed identity: adopted APIM, account", config=_adopted, caller="key", credential="token"),
    Mode(name="key: all adopted in another subscription", config=_all_in_hub, caller="key", credential="key"),
    Mode(
        name="Entra, managed identity",
        config=_entra("managed-identity"),
        caller="entra",
        credential="token",
        deployer=Deployer.ADMINISTRATOR,
    ),
    Mode(
        name="Entra, key",
        config=_entra("key"),
        caller="entra",
        credential="key",
        deployer=Deployer.ADMINISTRATOR,
    ),
    Mode(
        name="Entra: adopted app, managed identity",
        config=_entra("managed-identity", existing=True),
        caller="entra",
        credential="token",
        deployer=Deployer.ADMINISTRATOR,
    ),
    Mode(
        name="another provider's JWT, managed identity",
        config=_jwt("managed-identity"),
        caller="jwt",
        credential="token",
    ),
    Mode(name="another provider's JWT, key", config=_jwt("key"), caller="jwt", credential="key"),
    Mode(
        name="Entra and another provider, managed identity",
        config=_either("managed-identity"),
        caller="entra or jwt",
        credential="token",
        deployer=Deployer.ADMINISTRATOR,
    ),
    Mode(
        name="v1: managed identity, pool of accounts",
        config=_identity("system-assigned", **_POOL),
        caller="key",
        credential="token",
        surface="v1",
    ),
    Mode(
        name="v1: Entra, key",
        config=_entra("key"),
        caller="entra",
        credential="key",
        deployer=Deployer.ADMINISTRATOR,
        surface="v1",
    ),
)
