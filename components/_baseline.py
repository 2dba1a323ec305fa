"""The security baseline of every service that is created: no old protocols, ciphers or management APIs, by tier."""

from typing import Any

import pulumi

from options import GatewaySku

_GATEWAY = "Microsoft.WindowsAzure.ApiManagement.Gateway"
_MIN_API_VERSION = "2021-08-01"
"""Oldest version of the management API that is not retired; from this version on, GET returns no secrets to readers."""

_WEAK_CIPHERS = (
    "TripleDes168",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
)
"""Ciphers that the PSRule rule Azure.APIM.Ciphers lists as weak or deprecated."""


def baseline(sku: GatewaySku) -> dict[str, Any]:
    """Return the service's inputs that depend only on its tier.

    TLS 1.0, TLS 1.1 and SSL 3.0 are disabled for clients and backends (PSRule Azure.APIM.Protocols), as are weak
    ciphers in tiers that let them be changed ("Manage protocols and ciphers in Azure API Management"). The legacy
    portal and old versions of the management API are disabled (Azure.APIM.MinAPIVersion). The gateway's identity does
    not bypass firewalls as a trusted service, which Microsoft has retired ("Trusted service connectivity retirement
    (March 2026)").

    Every other input for which the SDK sends a default of its own is unset, since not every tier supports it: a classic
    tier refuses `enableClientCertificate: false` (pulumi-azure-native #1741).
    """
    # An output of None, since the SDK replaces a plain None with its default.
    unset: Any = pulumi.Output.from_input(None)
    return {
        "api_version_constraint": {"min_api_version": _MIN_API_VERSION},
        "custom_properties": _custom_properties(sku),
        "legacy_portal_status": "Disabled" if sku.family == "classic" else unset,
        "developer_portal_status": unset,
        "disable_gateway": unset,
        "enable_client_certificate": unset,
        "nat_gateway_state": unset,
        "restore": unset,
        "virtual_network_type": unset,
    }


def _custom_properties(sku: GatewaySku) -> dict[str, str]:
    off = [
        "Security.Protocols.Tls10",
        "Security.Protocols.Tls11",
        "Security.Backend.Protocols.Tls10",
        "Security.Backend.Protocols.Tls11",
        "Security.Backend.Protocols.Ssl30",
    ]
    on = []
    if sku is not GatewaySku.CONSUMPTION:
        off.append("Security.Protocols.Ssl30")
        # The page lists all tiers, but Consumption refuses custom properties that it does not know (azurerm #8405).
        on.append("ManagedIdentity.DisableOverPrivilegedAccess")
    if sku.family == "classic":
        off += [f"Security.Ciphers.{cipher}" for cipher in _WEAK_CIPHERS]
    return {f"{_GATEWAY}.{name}": "false" for name in off} | {f"{_GATEWAY}.{name}": "True" for name in on}
