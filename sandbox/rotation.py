"""Replaces the keys of a stack in the sandbox, with calls all along: the steps of `python -m operations rotate`."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from apim_emulator.cli.session import Api, Session
from apim_emulator.errors import EmulatorError
from apim_emulator.pulumi.deploy import Project
from apim_emulator.services.token_client import request_token
from operations.rotation import (
    ConfigPath,
    RotationError,
    Step,
    SubscriptionKey,
    account_key_steps,
    presented,
    subscription_key_steps,
)
from sandbox.client import Credentials
from sandbox.load import Caller, calling
from sandbox.runtime import Sandbox, subscription_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A step, and what became of the calls meanwhile."""

    does: str
    calls: int
    """Calls that ended during the step, of all APIs."""
    failed: int
    """Those of them that were not answered with 200."""


@dataclass(kw_only=True, slots=True)
class SandboxHands:
    """Changes what a sandbox deployed."""

    sandbox: Sandbox
    project: Project
    stack: str
    config: Mapping[str, Any] = field(repr=False)
    paths: Sequence[ConfigPath] = ()

    async def present(self, key: str) -> None:
        """Deploy with another key."""
        self.config = with_key(self.config, self.paths, key)
        await self.publish()

    async def publish(self) -> None:
        """Deploy."""
        await self.sandbox.deploy(self.project, self.config, self.stack)

    async def regenerate_account_key(self, account_id: str, key: str) -> None:
        """Regenerate an account's key."""
        self.sandbox.cloud.regenerate_key(account_id, key)

    async def regenerate_subscription_key(self, subscription_id: str, key: str) -> None:
        """Regenerate a subscription's key."""
        self.sandbox.cloud.regenerate_subscription_key(subscription_id, key)
        await self.sandbox.reload()


def with_key(config: Mapping[str, Any], paths: Sequence[ConfigPath], key: str) -> dict[str, Any]:
    """Return stack config in which each path names this key."""
    changed = deepcopy(dict(config))
    for first, *between, last in paths:
        value: Any = changed.setdefault(str(first), {})
        for part in between:
            value = value[part]
        value[last] = str(key)
    return changed


class Rotation:
    """The rotation of every key of a stack that is deployed to a sandbox."""

    def __init__(self, hands: SandboxHands, session: Session, folder: Path) -> None:
        """Plan the steps; `session` tells how to call what is deployed. Raises `EmulatorError` if nothing has a key."""
        try:
            now = presented(hands.config, folder)
        except RotationError as error:
            raise EmulatorError(str(error)) from None
        hands.paths = now.paths
        self._sandbox = hands.sandbox
        self._session = session
        self._keys: dict[str, str] = {}
        self.steps: list[Step] = []
        if now.paths:
            accounts = [account.id for account in self._sandbox.cloud.accounts() if account.local_auth]
            self.steps += account_key_steps(hands, now.keys, accounts)
        subscriptions = [
            found.id
            for found in self._sandbox.deployment.registrations
            if found.type == "azure-native:apimanagement:Subscription"
        ]
        if subscriptions:
            for key in (SubscriptionKey.SECONDARY, SubscriptionKey.PRIMARY):
                self.steps += subscription_key_steps(hands, subscriptions, key)
                self.steps.append(Step(does=f"callers move to the {key} key", run=partial(self._move, key)))
        if not self.steps:
            raise EmulatorError(f"stack {session.stack} has no key to rotate: neither accounts nor callers use one")

    async def _move(self, key: SubscriptionKey) -> None:
        """Let callers present another key of their subscriptions."""
        found = {served.name: subscription_of(served.service, served.api.id) for served in self._sandbox.apis}
        self._keys = {
            api: subscription.primary_key if key is SubscriptionKey.PRIMARY else subscription.secondary_key
            for api, subscription in found.items()
            if subscription is not None
        }

    async def run(self, started: Callable[[str], None]) -> AsyncIterator[Taken]:
        """Take the steps while every API is called; `started` gets the name of each step before."""
        await self._move(SubscriptionKey.PRIMARY)
        callers = [
            Caller(api.url, api.model, await self._credentials(api))
            for api in self._session.apis
            if api.model is not None
        ]
        if not callers:
            raise EmulatorError(f"stack {self._session.stack} deploys no chat model, which calls need")
        async with calling(callers) as load:
            for step in self.steps:
                started(step.does)
                before = load.counted
                await step.run()
                await load.some_more()
                during = load.counted - before
                yield Taken(does=step.does, calls=during.total(), failed=during.total() - during[200])

    async def _credentials(self, api: Api) -> Callable[[], Credentials]:
        """Return what a caller of an API presents, with the subscription key of the moment."""
        token = await request_token(api.callers[0].token_url, api.callers[0].form) if api.needs_token else None

        return lambda: Credentials(key=api.key and self._keys[api.name], token=token)
