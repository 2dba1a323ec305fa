"""Long work takes turns with everything else on an event loop: it is put aside in the middle and goes on later.

An expression is plain functions that call each other, some of them from C (a sort, a reader of JSON), so that it cannot
`await`. A greenlet keeps such a stack: a policy runs in one, and `pause` hands the loop back from any depth.
"""

import threading
from asyncio import AbstractEventLoop, Semaphore, get_running_loop
from collections.abc import Awaitable, Generator
from types import coroutine
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from greenlet import GreenletExit, getcurrent, greenlet

T = TypeVar("T")

AT_ONCE = 4
"""Long pieces of work that go on at a time on an event loop; others wait, in their order."""
_IDLE = 64
"""Most greenlets that are kept for the next work: to start one costs more than all else here."""

_PLACES: WeakKeyDictionary[AbstractEventLoop, Semaphore] = WeakKeyDictionary()


class _Idle(threading.local):
    """Greenlets that wait for work; they belong to the thread that made them."""

    def __init__(self) -> None:
        self.greenlets: list[_Turns] = []


class _Turns(greenlet):
    """Where work runs that can be put aside; one work after another."""

    def run(self, work: Awaitable[Any]) -> None:
        """Serve for as long as there is work."""
        while True:
            work = _hand_out(_outcome(work))


class _Outcome:
    """What became of a work: its value, or what it raised."""

    __slots__ = ("error", "value")

    def __init__(self, value: Any, error: BaseException | None = None) -> None:
        self.value = value
        self.error = error


def _outcome(work: Awaitable[Any]) -> _Outcome:
    try:
        return _Outcome(_driven(work))
    except GreenletExit:
        raise
    except BaseException as error:  # noqa: BLE001 - it is raised where the work is awaited
        return _Outcome(None, error)


_idle = _Idle()


@coroutine
def in_turns(work: Awaitable[T]) -> Generator[Any, Any, T]:
    """Await work that may `pause`."""
    here = getcurrent()
    if isinstance(here, _Turns):
        return (yield from work.__await__())
    inside = _idle.greenlets.pop() if _idle.greenlets else _Turns()
    inside.parent = here
    # The same context, not a copy: what the work sets in it is seen after it.
    inside.gr_context = here.gr_context
    found = inside.switch(work)
    while type(found) is not _Outcome:
        try:
            sent = yield found
        except BaseException as error:  # noqa: BLE001 - it is the work's to deal with
            found = inside.throw(error)
        else:
            found = inside.switch(sent)
    inside.gr_context = None
    if len(_idle.greenlets) < _IDLE:
        _idle.greenlets.append(inside)
    if found.error is None:
        value: T = found.value
        return value
    try:
        raise found.error
    finally:
        del found, work  # the traceback of the error holds this frame


def may_pause() -> bool:
    """Tell whether there is a loop that can go on meanwhile."""
    return isinstance(getcurrent(), _Turns)


def place() -> Semaphore:
    """Wait for a place among the long pieces of work. Whoever gets one releases it."""
    loop = get_running_loop()
    places = _PLACES.get(loop)
    if places is None:
        places = _PLACES[loop] = Semaphore(AT_ONCE)
    _driven(places.acquire())
    return places


def pause() -> None:
    """Let the event loop do all else that is ready; raises what it throws, such as a cancellation."""
    _hand_out(None)


def _hand_out(value: Any) -> Any:
    """Leave the greenlet with a value; gives what is sent when it is entered again."""
    outside = getcurrent().parent
    assert outside is not None  # noqa: S101 - only a thread's own greenlet has none
    return outside.switch(value)


def _driven(work: Awaitable[T]) -> T:
    """Run what can be awaited, inside a greenlet: what it waits for is handed outside."""
    steps = work.__await__()
    go_on, value = steps.send, None
    while True:
        try:
            wanted = go_on(value)
        except StopIteration as end:
            found: T = end.value
            return found
        try:
            go_on, value = steps.send, _hand_out(wanted)
        except BaseException as error:  # noqa: BLE001 - it is the work's to deal with
            go_on, value = steps.throw, error
