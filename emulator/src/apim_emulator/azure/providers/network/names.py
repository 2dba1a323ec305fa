"""Names of what private endpoints lead to, and the DNS zones that resolve them to an endpoint's address.

From "Azure Private Endpoint private DNS zone values".
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from apim_emulator.azure.providers.apimanagement import SERVICE
from apim_emulator.azure.providers.cognitiveservices import ACCOUNT
from apim_emulator.azure.providers.keyvault import VAULT
from apim_emulator.azure.providers.redisenterprise import CLUSTER
from apim_emulator.azure.state import Resource

GROUPS = {SERVICE: "Gateway", ACCOUNT: "account", VAULT: "vault", CLUSTER: "redisEnterprise"}
"""Group ID (sub-resource) of each type that takes private endpoints."""

_ACCOUNT_DOMAINS = ("cognitiveservices.azure.com", "openai.azure.com", "services.ai.azure.com")

_ZONES = {
    **{domain: f"privatelink.{domain}" for domain in _ACCOUNT_DOMAINS},
    "azure-api.net": "privatelink.azure-api.net",
    "redis.azure.net": "privatelink.redis.azure.net",
    "redisenterprise.cache.azure.net": "privatelink.redisenterprise.cache.azure.net",
    "vault.azure.net": "privatelink.vaultcore.azure.net",
}
"""Zone of each domain."""


def zone_of(host: str) -> str:
    """Name of the private DNS zone that has the record of a host."""
    return next(zone for domain, zone in _ZONES.items() if host.endswith(f".{domain}"))


def hosts(target: Resource) -> Iterator[str]:
    """Host names of a resource that a private endpoint serves."""
    if target.token == ACCOUNT:
        subdomain = str(target.outputs["properties"]["customSubDomainName"]).lower()
        yield from (f"{subdomain}.{domain}" for domain in _ACCOUNT_DOMAINS)
    elif target.token == VAULT:
        yield str(urlsplit(target.outputs["properties"]["vaultUri"]).hostname)
    elif target.token == CLUSTER:
        yield str(target.outputs["hostName"])
    elif target.token == SERVICE:
        yield f"{target.name.lower()}.azure-api.net"
