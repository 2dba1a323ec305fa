"""A service of one open API that takes every request: what it needs to try a policy document by itself."""

from collections.abc import Mapping
from typing import Any, Protocol

from apim_emulator.gateway.loading import raw_xml
from apim_emulator.model import Api, Backend, Gateway, ManagedIdentity, Operation

SKUS = (
    "Consumption", "Developer", "Basic", "Standard", "Premium", "Isolated", "BasicV2", "StandardV2", "PremiumV2",
)  # fmt: skip
"""Pricing tiers, as ARM spells them."""
API = "policy"
"""ID of the API, and the label of its document in messages."""
OPERATIONS = tuple(
    # None for OPTIONS: a browser's preflight is then answered by `cors`, as for most APIs.
    Operation(name=method.lower(), method=method, url_template="/{*path}")
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
)
IDENTITIES = (ManagedIdentity(principal_id="system-assigned", client_id="system-assigned", system_assigned=True),)


class Rendered(Protocol):
    """Whatever renders to the text of a policy document."""

    def render(self, sku: str | None = None, /) -> str:
        """Return the document as a pricing tier takes it."""


def standalone(
    policy: str | Rendered | None,
    backend_url: str,
    *,
    named_values: Mapping[str, str] | None = None,
    secret_names: frozenset[str] | None = None,
    fragments: Mapping[str, str] | None = None,
    backends: tuple[Backend, ...] = (),
    global_policy: str | Rendered | None = None,
    api: Mapping[str, Any] | None = None,
    **service: Any,
) -> Gateway:
    """Make a service whose only API, at the path `/`, has this policy and this backend.

    No subscription key is needed. Every named value is secret unless `secret_names` says which ones are. `api` replaces
    fields of `apim_emulator.model.Api`, and every other argument fields of `apim_emulator.model.Gateway`.

    Raises `ValueError` for a `sku` that is not a pricing tier.
    """
    sku = service.setdefault("sku", "BasicV2")
    if sku not in SKUS:
        raise ValueError(f"sku {sku!r} is not a pricing tier; there are {', '.join(SKUS)}")
    text, outer = (one if one is None or isinstance(one, str) else one.render(sku) for one in (policy, global_policy))
    values = dict(named_values or {})
    own: dict[str, Any] = {
        "id": API,
        "path": "",
        "operations": OPERATIONS,
        "subscription_required": False,
        "service_url": backend_url,
        "policy": text,
        "policy_format": format_of(text or ""),
    }
    texts = dict(fragments or {})
    known: dict[str, Any] = {
        "name": "emulator",
        "apis": (Api(**{**own, **(api or {})}),),
        "backends": backends,
        "identities": IDENTITIES,
        "named_values": values,
        "secret_names": frozenset(values) if secret_names is None else secret_names,
        "policy": outer,
        "policy_format": format_of(outer or ""),
        "fragments": texts,
        "raw_fragments": frozenset(name for name, one in texts.items() if format_of(one) == "rawxml"),
    }
    return Gateway(**{**known, **service})


def format_of(text: str) -> str:
    """Tell `xml` from `rawxml`, in which expressions are as people write them and the whole is no well-formed XML."""
    try:
        raw_xml.parse(text, raw=False)
    except raw_xml.DocumentError:
        return "rawxml"
    return "xml"
