"""Subscription keys: who may call which API (api-management-subscriptions)."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from apim_emulator.gateway.context.objects import Request
from apim_emulator.gateway.failures import Failure
from apim_emulator.gateway.witness import note, witness
from apim_emulator.model import Api, Gateway, Product, Subscription

_MISSING = (
    "Access denied due to missing subscription key. "
    "Make sure to include subscription key when making requests to an API."
)
_INVALID = (
    "Access denied due to invalid subscription key. "
    "Make sure to provide a valid key for an active subscription."
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Access:
    """What lets a call in."""

    subscription: Subscription | None = None
    product_id: str | None = None
    """Product in whose context the call runs: its policies apply."""


class Subscriptions:
    """The keys of a service; they are kept and compared as digests, always all of them."""

    def __init__(self, gateway: Gateway) -> None:
        """Resolve scopes; raises `ValueError` for a scope that is none."""
        self._hosts = gateway.hosts
        self._products = {product.id: product for product in gateway.products}
        self._keys: list[tuple[bytes, Subscription, tuple[str, str]]] = []
        for subscription in gateway.subscriptions:
            scope = _scope(subscription)
            for key in (subscription.primary_key, subscription.secondary_key):
                if key:
                    self._keys.append((_digest(key), subscription, scope))

    def admit(self, api: Api, request: Request) -> Access:
        """Let a call in, or raise `Failure`. A key that is given must be right even where none is needed.

        Where the API takes keys as bearer tokens, one is looked at last (inferred).
        """
        given = request.headers.getall(api.key_header, []) or request.query.values(api.key_query)
        if not given and api.key_bearer:
            given = _bearers(request)
        if given:
            access = self._by_key(given, api)
            if access is None:
                note("subscription key refused: {}", self._why(given, api))
                raise Failure(401, _INVALID, "SubscriptionKeyInvalid", "authorization", status_reason="Access Denied")
            name = None if access.subscription is None else access.subscription.id
            of = "no product" if access.product_id is None else f"product {access.product_id}"
            note("subscription key accepted: it is that of subscription {}, {}", name, of)
            return access
        for product in self._products.values():
            if product.published and not product.subscription_required and api.id in product.api_ids:
                note("no subscription key is needed: product {} is open", product.id)
                return Access(product_id=product.id)
        if not api.subscription_required:
            note("no subscription key is given, and API {} needs none", api.id)
            return Access()
        note(
            "no subscription key is given, but API {} needs one: in header {} or query parameter {}",
            api.id, api.key_header, api.key_query,
        )  # fmt: skip
        raise Failure(
            401, _MISSING, "SubscriptionKeyNotFound", "authorization", status_reason="Access Denied",
            headers={"WWW-Authenticate": self._challenge(api, request)},
        )  # fmt: skip

    def _challenge(self, api: Api, request: Request) -> str:
        """Name the API by the host that was called where it is one of the service's own, else by its first."""
        called = request.headers.get("Host", "").lower()
        host = called if called in self._hosts else self._hosts[0]
        return f'AzureApiManagementKey realm="https://{host}/{api.path}",name="{api.key_header}",type="header"'

    def _by_key(self, given: Sequence[str], api: Api) -> Access | None:
        wanted = _digest(",".join(given))
        found = None
        for digest, subscription, scope in self._keys:
            # No early exit: how long it takes tells nothing about the keys.
            if hmac.compare_digest(digest, wanted) and found is None:
                found = self._access(subscription, scope, api)
        return found

    def _why(self, given: Sequence[str], api: Api) -> str:
        """Say to whoever follows the call why a key does not let it in; the caller is not told."""
        if witness.get() is None:
            return ""
        if len(given) > 1:
            return f"{len(given)} keys are given"
        wanted = _digest(",".join(given))
        for digest, subscription, (kind, name) in self._keys:
            if hmac.compare_digest(digest, wanted):
                if not subscription.active:
                    return f"it is that of subscription {subscription.id}, which is not active"
                if kind == "products" and (product := self._products.get(name)) is not None and not product.published:
                    return f"it is that of subscription {subscription.id} to product {name}, which is not published"
                of = {"products": f"product {name}", "apis": f"API {name}"}[kind]
                return f"it is that of subscription {subscription.id} to {of}, which does not cover API {api.id}"
        return "no subscription has this key"

    def _access(self, subscription: Subscription, scope: tuple[str, str], api: Api) -> Access | None:
        kind, name = scope
        if not subscription.active:
            return None
        if kind == "products":
            product: Product | None = self._products.get(name)
            if product is None or not product.published or api.id not in product.api_ids:
                return None
            return Access(subscription, product.id)
        return Access(subscription) if kind == "all" or name == api.id else None


def _scope(subscription: Subscription) -> tuple[str, str]:
    """Read a scope in whatever form: relative, or below the service's resource ID."""
    parts = [part for part in subscription.scope.split("/") if part]
    if not parts or parts[-1] == "apis" or (len(parts) > 1 and parts[-2] == "service"):
        return "all", ""
    if len(parts) > 1 and parts[-2] in {"apis", "products"}:
        return parts[-2], parts[-1].partition(";")[0]
    raise ValueError(f"scope {subscription.scope} is not /apis, /apis/ID or /products/ID")


def _bearers(request: Request) -> list[str]:
    """Return the bearer tokens of a request; the scheme is compared without case."""
    parted = (value.partition(" ") for value in request.headers.getall("Authorization", []))
    return [token.strip() for scheme, _, token in parted if scheme.lower() == "bearer" and token.strip()]


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
