"""Who may call what is served: subscriptions and products that the command line gives."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import replace

from apim_emulator.errors import EmulatorError
from apim_emulator.model import Gateway, Subscription

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_KEY = re.compile(r"[!-~]{1,256}")
MASTER = "master"
"""ID of the subscription of all APIs that every service has (API Management: "Subscriptions")."""


class Access:
    """Subscriptions by name and the product that they are for; keys that are made up stay the same."""

    def __init__(self, subscriptions: Iterable[str], product: str | None) -> None:
        """Read `NAME` and `NAME=KEY`; raises `EmulatorError`, which never quotes a key."""
        self._keys: dict[str, str] = {}
        self._product = product
        for text in subscriptions:
            name, sign, key = text.partition("=")
            if not _NAME.fullmatch(name):
                shown = "" if sign else name
                raise EmulatorError(f"--subscription {shown}: a name must be of letters, digits, dots, dashes and _")
            if name in self._keys:
                raise EmulatorError(f"--subscription {name}: is given twice")
            if sign and not _KEY.fullmatch(key):
                raise EmulatorError(f"--subscription {name}: its key must be of 1 to 256 visible ASCII characters")
            if sign and key in self._keys.values():
                raise EmulatorError(f"--subscription {name}: another subscription has the same key")
            self._keys[name] = key if sign else _made_up()
        self._given = tuple(self._keys)
        if product is not None and not _NAME.fullmatch(product):
            raise EmulatorError(f"--product {product}: must be of letters, digits, dots, dashes and underscores")

    @property
    def keyed(self) -> bool:
        """Whether calls need a key where nothing else says so."""
        return bool(self._given)

    def key(self, subscription: str) -> str:
        """Return a subscription's key, the same one each time."""
        return self._keys.setdefault(subscription, _made_up())

    def applied(self, gateway: Gateway, folder: bool) -> Gateway:
        """Add the subscriptions to a service; in one of a `folder`, no product is theirs by itself.

        Raises `EmulatorError`.
        """
        names = [product.id for product in gateway.products]
        if self._product is not None and self._product not in names:
            raise EmulatorError(f"--product {self._product}: is no product of the folder; there are: "
                                f"{', '.join(names) or 'none'}")  # fmt: skip
        if folder and self._product is not None and not self._given:
            raise EmulatorError(f"--product {self._product}: is for a subscription; give one with --subscription NAME")
        product = self._product if folder else next(iter(names), None)
        scope = "/apis" if product is None else f"/products/{product}"
        others = [one for one in gateway.subscriptions if one.id not in self._given]
        own = [self._subscription(name, scope) for name in self._given]
        if not own and not others and any(api.subscription_required for api in gateway.apis):
            own = [self._subscription(MASTER, "/apis")]
        return replace(gateway, subscriptions=(*own, *others))

    def _subscription(self, name: str, scope: str) -> Subscription:
        return Subscription(id=name, scope=scope, primary_key=self.key(name), secondary_key="")


def keys_of(gateway: Gateway, api_id: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the keys that open an API by itself, and those that open it in a product, by the subscription's name."""
    direct, in_product = {}, {}
    products = {one.id for one in gateway.products if one.published and api_id in one.api_ids}
    for one in gateway.subscriptions:
        kind, _, name = one.scope.strip("/").rpartition("/")
        if not one.active:
            continue
        if kind.endswith("products"):
            if name in products:
                in_product[one.id] = one.primary_key
        elif not kind.endswith("apis") or name.partition(";")[0] == api_id:
            direct[one.id] = one.primary_key
    return direct, in_product


def _made_up() -> str:
    return secrets.token_hex(16)
