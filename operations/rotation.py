"""The order in which keys are replaced so that no call fails: what is in use is never the key that is regenerated."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from options import AccountKey
from settings import SettingsError, load

ConfigPath = tuple[str | int, ...]
"""A full config key, and below it the keys and positions of a value, such as `("openai-gateway:key", "accountKey")`."""

_APIS = "openai-gateway:apis"
_ACCOUNT_KEY = "accountKey"


class SubscriptionKey(StrEnum):
    """Which of a subscription's two keys; callers may present either."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


class RotationError(Exception):
    """A rotation that cannot begin; the message says what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Presented:
    """Where a stack's config says which account key the gateway presents."""

    paths: tuple[ConfigPath, ...]
    """None if no API calls Azure OpenAI by key."""
    keys: frozenset[AccountKey]
    """Keys that they name now."""
    accounts: tuple[str, ...]
    """Accounts that are called by key, by the names that `options.openai.account_keys` gives them."""


class Hands(Protocol):
    """How a stack is changed: on Azure by its command lines, in the sandbox directly."""

    async def present(self, key: AccountKey) -> None:
        """Let every API that calls Azure OpenAI by key present this one; return once the gateway does."""

    async def regenerate_account_key(self, account_id: str, key: AccountKey) -> None:
        """Replace a key of an Azure OpenAI account; the old one stops working."""

    async def regenerate_subscription_key(self, subscription_id: str, key: SubscriptionKey) -> None:
        """Replace a key of a subscription; the old one stops working."""

    async def publish(self) -> None:
        """Put the new keys of subscriptions where callers find them: outputs of the stack, secrets in a vault."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step of a rotation."""

    does: str
    """What it does, for people."""
    run: Callable[[], Awaitable[None]]


def presented(values: Mapping[str, Any], folder: Path, *, secret_keys: Collection[str] = ()) -> Presented:
    """Read from stack config, as `settings.load` takes it, which keys are presented. Raises `RotationError`."""
    try:
        settings = load(values, folder, secret_keys=secret_keys)
    except SettingsError as error:
        raise RotationError(f"the stack's config has mistakes:\n{error}") from None
    given = values.get(_APIS) or []
    used = [index for index, api in enumerate(settings.apis) if api.key is not None]
    # An API with a `key` of its own inherits nothing of the stack's.
    own = [index for index in used if index < len(given) and given[index].get("key")]
    shared: list[ConfigPath] = [("openai-gateway:key", _ACCOUNT_KEY)] if len(own) < len(used) else []
    return Presented(
        paths=(*shared, *((_APIS, index, "key", _ACCOUNT_KEY) for index in own)),
        keys=frozenset(api.key.account_key for api in settings.apis if api.key is not None),
        accounts=tuple(settings.key_accounts),
    )


def account_key_steps(hands: Hands, keys: Collection[AccountKey], accounts: Sequence[str]) -> Iterator[Step]:
    """Yield the steps that replace both keys of accounts, given by resource ID.

    While one key is presented, the other is replaced. In the end the key is presented again that is presented now
    (`keys`), or `key1` if APIs present different ones.
    """
    last = AccountKey.KEY2 if set(keys) == {AccountKey.KEY2} else AccountKey.KEY1
    other = AccountKey.KEY1 if last is AccountKey.KEY2 else AccountKey.KEY2
    for now, spare in ((other, last), (last, other)):
        yield Step(does=f"present {now}", run=partial(hands.present, now))
        for account_id in accounts:
            yield Step(
                does=f"regenerate {spare} of account {account_id.rsplit('/', 1)[-1]}",
                run=partial(hands.regenerate_account_key, account_id, spare),
            )


def subscription_key_steps(hands: Hands, subscriptions: Sequence[str], key: SubscriptionKey) -> Iterator[Step]:
    """Yield the steps that replace one key of subscriptions, given by resource ID."""
    for subscription_id in subscriptions:
        yield Step(
            does=f"regenerate the {key} key of subscription {subscription_id.rsplit('/', 1)[-1]}",
            run=partial(hands.regenerate_subscription_key, subscription_id, key),
        )
    yield Step(does="put the new keys where callers find them", run=hands.publish)
