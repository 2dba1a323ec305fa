"""The order of a rotation, whatever the hands."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.rotation import (
    RotationError,
    SubscriptionKey,
    account_key_steps,
    presented,
    subscription_key_steps,
)
from options import AccountKey
from tests.deployed import ROOT
from tests.modes import PUBLISHER

ACCOUNT = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts"


class Hands:
    """A gateway that presents a key, and the keys that were replaced meanwhile."""

    def __init__(self, key: AccountKey = AccountKey.KEY1) -> None:
        self.presented = key
        self.replaced: list[tuple[str, AccountKey]] = []

    async def present(self, key: AccountKey) -> None:
        self.presented = key

    async def regenerate_account_key(self, account_id: str, key: AccountKey) -> None:
        assert key is not self.presented, "the key is in use"
        self.replaced.append((account_id, key))

    async def regenerate_subscription_key(self, subscription_id: str, key: SubscriptionKey) -> None:
        raise AssertionError

    async def publish(self) -> None:
        raise AssertionError


@given(
    key=st.sampled_from(AccountKey),
    others=st.sets(st.sampled_from(AccountKey)),
    names=st.lists(st.text("abc", min_size=1), min_size=1, max_size=3, unique=True),
)
def test_no_key_is_replaced_while_it_is_presented_and_each_is_replaced_once(
    key: AccountKey, others: set[AccountKey], names: list[str]
) -> None:
    accounts = [f"{ACCOUNT}/{name}" for name in names]
    hands = Hands(key)

    async def run() -> None:
        for step in account_key_steps(hands, {key, *others}, accounts):
            await step.run()

    asyncio.run(run())

    assert sorted(hands.replaced) == sorted((account, key) for account in accounts for key in AccountKey)
    assert hands.presented is (key if others <= {key} else AccountKey.KEY1)


def test_steps_say_what_they_do_with_which_account() -> None:
    steps = account_key_steps(Hands(), {AccountKey.KEY1}, [f"{ACCOUNT}/oai-a", f"{ACCOUNT}/oai-b"])

    assert [step.does for step in steps] == [
        "present key2",
        "regenerate key1 of account oai-a",
        "regenerate key1 of account oai-b",
        "present key1",
        "regenerate key2 of account oai-a",
        "regenerate key2 of account oai-b",
    ]


def test_a_key_of_subscriptions_is_replaced_before_it_is_published() -> None:
    steps = subscription_key_steps(Hands(), ["/x/subscriptions/team-a"], SubscriptionKey.PRIMARY)

    assert [step.does for step in steps] == [
        "regenerate the primary key of subscription team-a",
        "put the new keys where callers find them",
    ]


def config(**keys: Any) -> dict[str, Any]:
    given = {"gateway": PUBLISHER, "openai": {"accounts": [{"name": "oai-a"}, {"name": "oai-b"}]}, **keys}
    return {"azure-native:location": "swedencentral"} | {f"openai-gateway:{name}": given[name] for name in given}


def test_an_api_with_a_key_of_its_own_is_changed_there_and_others_at_the_stack() -> None:
    apis = [
        {"name": "identity", "path": "a/openai", "auth": "managed-identity"},
        {"name": "own", "path": "b/openai", "auth": "key", "key": {"accountKey": "key2"}, "accounts": ["oai-b"]},
        {"name": "shared", "path": "c/openai", "auth": "key", "accounts": ["oai-b"]},
        {"name": "entra", "path": "d/openai", "auth": "entra", "entra": {"backendAuth": "key"}, "accounts": ["oai-b"]},
    ]

    found = presented(config(apis=apis), ROOT)

    assert found.paths == (("openai-gateway:key", "accountKey"), ("openai-gateway:apis", 1, "key", "accountKey"))
    assert found.keys == {AccountKey.KEY1, AccountKey.KEY2}
    assert found.accounts == ("oai-b",)


def test_a_stack_without_keys_has_nothing_to_present() -> None:
    found = presented(config(), ROOT)

    assert (found.paths, found.accounts) == ((), ())


def test_config_with_mistakes_is_refused_in_its_own_words_and_without_secrets() -> None:
    values = config(auth="kay", key={"accountKey": "hidden"})

    with pytest.raises(RotationError) as refused:
        presented(values, Path(), secret_keys={"openai-gateway:key"})

    assert 'openai-gateway:auth: "kay" is not allowed' in str(refused.value)
    assert "openai-gateway:key.accountKey" in str(refused.value)
    assert "hidden" not in str(refused.value)
