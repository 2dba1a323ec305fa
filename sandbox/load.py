"""Callers that never stop calling, so that a call that fails during a change is seen."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from openai import APIError, APIStatusError, DefaultAsyncHttpxClient

from sandbox.client import Client, Credentials, new_http_client

_AFTER_A_CHANGE = 3
"""Calls of each caller that a change waits for: one may have begun before it."""


class Caller:
    """Somebody who asks a model for a chat completion, over and over."""

    def __init__(self, api_url: str, model: str, credentials: Callable[[], Credentials]) -> None:
        """Call the API at `api_url`; `credentials` are asked for before each call, since people replace them."""
        self.statuses: list[int] = []
        """What each call was answered; 0: not at all."""
        self._api_url = api_url
        self._model = model
        self._credentials = credentials
        self._another = asyncio.Condition()

    async def call(self, http: DefaultAsyncHttpxClient) -> None:
        """Call until cancelled."""
        while True:
            client = Client(self._api_url, self._credentials(), http)
            status = 200
            try:
                await client.chat(self._model, "hi")
            except APIStatusError as error:
                status = error.status_code
            except APIError:
                status = 0
            async with self._another:
                self.statuses.append(status)
                self._another.notify_all()

    async def some_more(self) -> None:
        """Wait until calls that began after now have ended."""
        wanted = len(self.statuses) + _AFTER_A_CHANGE
        async with self._another:
            await self._another.wait_for(lambda: len(self.statuses) >= wanted)


class Load:
    """Several callers at once."""

    def __init__(self, callers: Sequence[Caller]) -> None:
        self._callers = callers

    @property
    def statuses(self) -> list[int]:
        """What all calls so far were answered, caller by caller."""
        return [status for caller in self._callers for status in caller.statuses]

    @property
    def counted(self) -> Counter[int]:
        """How many calls so far were answered with each status."""
        return Counter(self.statuses)

    async def some_more(self) -> None:
        """Wait until calls of every caller that began after now have ended."""
        await asyncio.gather(*(caller.some_more() for caller in self._callers))


@asynccontextmanager
async def calling(callers: Sequence[Caller]) -> AsyncIterator[Load]:
    """Let callers call until the block ends, which begins once all of them have."""
    load = Load(callers)
    async with new_http_client() as http, asyncio.TaskGroup() as group:
        tasks = [group.create_task(caller.call(http)) for caller in callers]
        await load.some_more()
        try:
            yield load
        finally:
            for task in tasks:
                task.cancel()
