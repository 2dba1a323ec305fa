"""What API Management runs and this gateway does not, and why: the reason with which a document is refused.

Whatever a typed policy can render and no executor reads stands here, and nothing else does.
"""

from collections.abc import Mapping

_DAPR = "the emulator runs no Dapr"
_FABRIC = "the emulator runs no Service Fabric"
_HTTP = "the emulator speaks HTTP/1.1 to backends"
_LIQUID = "the emulator runs a part of Liquid without it"
_UNTOLD = "the policy reference does not say what it does"

POLICIES: Mapping[str, str] = {
    "authentication-token": _UNTOLD,
    "authentication-token-store": _UNTOLD,
    "block": _UNTOLD,
    "cache-value": "no source says how it refreshes what is old",
    "cosmosdb-data-source": "the emulator resolves no GraphQL",
    "cross-domain": "the emulator serves no cross-domain policy file",
    "graphql-data-source": "the emulator resolves no GraphQL",
    "http-data-source": "the emulator resolves no GraphQL",
    "invoke-dapr-binding": _DAPR,
    "invoke-request": _UNTOLD,
    "json-to-xml": "no source says how it names the root of what it makes",
    "jsonp": "the emulator serves no JSONP",
    "proxy": "the emulator uses no proxies",
    "publish-event": "the emulator resolves no GraphQL",
    "publish-to-dapr": _DAPR,
    "redirect-content-urls": "no source says which URLs it rewrites",
    "send-service-bus-message": "the emulator has no Service Bus",
    "set-request-metric-dimension-value": _UNTOLD,
    "set-url": "it belongs inside send-request",
    "sql-data-source": "the emulator resolves no GraphQL",
    "validate-graphql-request": "the emulator resolves no GraphQL",
    "validate-odata-request": "the emulator reads no OData",
    "xsl-transform": "the emulator runs no XSLT",
}
"""Policies of the service that have no executor, by element name."""

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "proxy": ("inbound",),
}
"""Sections of those whose place is told before the reason (policy reference)."""

PARTS: Mapping[tuple[str, str], str] = {
    ("cache-store", "caching-mode"): _UNTOLD,
    ("content", "case-insensitive-property-names"): _UNTOLD,
    ("content", "schema-id"): "the emulator has no schemas of the service",
    ("content", "schema-ref"): "the emulator has no schemas of the service",
    ("forward-request", "continue-timeout"): "the emulator sends bodies at once",
    ("rate-limit-by-key", "flexible-retry-window"): _UNTOLD,
    ("send-one-way-request", "proxy"): POLICIES["proxy"],
    ("send-request", "proxy"): POLICIES["proxy"],
    ("set-backend-service", "dapr-app-id"): _DAPR,
    ("set-backend-service", "dapr-method"): _DAPR,
    ("set-backend-service", "dapr-namespace"): _DAPR,
    ("set-backend-service", "sf-listener-name"): _FABRIC,
    ("set-backend-service", "sf-partition-key"): _FABRIC,
    ("set-backend-service", "sf-replica-type"): _FABRIC,
    ("set-backend-service", "sf-resolve-condition"): _FABRIC,
    ("set-backend-service", "sf-service-instance-name"): _FABRIC,
    ("set-body", "html-decode-expression"): _UNTOLD,
    ("set-body", "parse-date"): _LIQUID,
    ("set-body", "xsi-nil"): _LIQUID,
    ("validate-azure-ad-token", "allow-proof-of-possession-tokens"): _UNTOLD,
    ("validate-azure-ad-token", "allow-protected-forwarded-tokens"): _UNTOLD,
    ("validate-azure-ad-token", "decryption-keys"): "the emulator decrypts no tokens",
    ("validate-jwt", "decryption-keys"): "the emulator decrypts no tokens",
}
"""Attributes and child elements that no executor reads, by the name of their element and their own."""

VALUES: Mapping[tuple[str, str], tuple[tuple[str, ...], str]] = {
    ("cache-lookup", "downstream-caching-type"): (
        ("none",),
        "no cache is between the emulator and its callers",
    ),
    ("cache-lookup", "vary-by-developer-groups"): (("false",), "the emulator has no groups"),
    ("content", "validate-as"): (("json",), "the emulator reads no XML schemas"),
    ("forward-request", "follow-redirects"): (("false",), "the emulator leaves redirects to the caller"),
    ("forward-request", "http-version"): (("1", "2or1"), _HTTP),
    ("validate-azure-ad-token", "authentication-endpoint"): (
        ("https://login.microsoftonline.com", "https://login.microsoftonline.com/"),
        "the emulator stands in for the public cloud alone",
    ),
    ("xml-to-json", "kind"): (("direct",), "no source says what the other form looks like"),
}
"""Values that are executed, of attributes that have others too, and why those others are not."""
