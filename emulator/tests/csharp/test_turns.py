"""Long work on an event loop: what it lets go on meanwhile, and how it ends."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextvars import ContextVar

import pytest
from greenlet import getcurrent, greenlet

from apim_emulator.csharp import Type, compile_expression
from apim_emulator.csharp.runtime import meter, turns
from apim_emulator.csharp.runtime.exceptions import StoppedError
from apim_emulator.csharp.runtime.turns import in_turns, pause
from emulator.tests.csharp.calls import CALL, context

LOOP = "@{ var n = 0; for (var i = 0; i < 40000; i++) { n++; } return n; }"
ENDLESS = "@{ while (true) { } }"
ALL_AT_ONCE = {
    "a sort's keys": "@(Enumerable.Range(0, 9000).OrderBy(x => -x).First())",
    "a reader of JSON": (
        "@(JArray.Parse(\"[\" + string.Join(\",\", Enumerable.Range(0, 9000)) + \"]\").Count)"
    ),
    "replaced matches": "@(Regex.Replace(new string('a', 9000), \"a\", m => \"b\").Length)",
}  # fmt: skip


async def evaluated(text: str) -> object:
    return compile_expression(text, Type.OBJECT)(context(CALL))


class Bystander:
    """Counts the passes of the loop in which it had its turn."""

    def __init__(self) -> None:
        self.passes = 0
        self.third = asyncio.Event()

    async def run(self) -> None:
        while True:
            self.passes += 1
            if self.passes == 3:
                self.third.set()
            await asyncio.sleep(0)


@pytest.fixture
async def bystander() -> AsyncIterator[Bystander]:
    found = Bystander()
    task = asyncio.create_task(found.run())
    yield found
    task.cancel()


async def test_everything_else_has_a_turn_after_so_many_steps(bystander: Bystander) -> None:
    assert await in_turns(evaluated(LOOP)) == 40_000
    assert bystander.passes >= 40_000 // meter.TURN


@pytest.mark.parametrize("kind", ALL_AT_ONCE)
async def test_work_below_a_function_of_c_is_put_aside_too(kind: str, bystander: Bystander) -> None:
    await in_turns(evaluated(ALL_AT_ONCE[kind]))

    assert bystander.passes >= 2


async def test_several_long_evaluations_count_their_own_steps() -> None:
    monotonous = [in_turns(evaluated(LOOP)) for _ in range(12)]

    assert await asyncio.gather(*monotonous, in_turns(evaluated("@(1)"))) == [40_000] * 12 + [1]


async def test_few_long_evaluations_go_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    going_on: set[greenlet] = set()
    most = []

    def paused() -> None:
        if meter._METER.steps > meter.SHORT:
            going_on.add(getcurrent())
            most.append(len(going_on))
        pause()

    def one() -> int:
        for _ in range(meter.SHORT + 3 * meter.TURN):
            meter.spend()
        going_on.discard(getcurrent())
        return 1

    async def work() -> int:
        return meter.evaluated(one)

    monkeypatch.setattr(turns, "pause", paused)
    await asyncio.gather(*(in_turns(work()) for _ in range(3 * turns.AT_ONCE)))

    assert max(most) == turns.AT_ONCE


async def test_a_short_evaluation_waits_for_no_long_one() -> None:
    long = [asyncio.create_task(in_turns(evaluated(ENDLESS))) for _ in range(2 * turns.AT_ONCE)]
    await asyncio.sleep(0)

    assert await in_turns(evaluated(LOOP.replace("40000", str(meter.SHORT // 4)))) == meter.SHORT // 4
    assert not any(one.done() for one in long)
    for one in long:
        one.cancel()
    await asyncio.gather(*long, return_exceptions=True)


async def test_what_makes_much_waits_for_a_place_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[int] = []
    place = turns.place

    def noted() -> asyncio.Semaphore:
        places.append(meter._METER.steps)
        return place()

    monkeypatch.setattr(turns, "place", noted)

    await in_turns(
        evaluated(
            "@{ var s = new string('a', 1000000); s += \"b\"; for (var i = 0; i < 900; i++) { } return s.Length; }"
        )
    )

    assert places
    assert places[0] < meter.SHORT


async def test_pauses_take_none_of_an_evaluation_s_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def paused() -> None:
        now[0] += 10 * meter.MAX_SECONDS
        pause()

    monkeypatch.setattr(turns, "pause", paused)
    monkeypatch.setattr(time, "thread_time", lambda: now[0])

    assert await in_turns(evaluated(LOOP)) == 40_000


async def test_outer_bound_holds() -> None:
    with pytest.raises(StoppedError, match=r"more than 1000000 steps|longer than"):
        await in_turns(evaluated(ENDLESS))


async def test_call_that_is_cancelled_ends_its_evaluation_and_leaves_its_place(bystander: Bystander) -> None:
    tasks = [asyncio.create_task(in_turns(evaluated(ENDLESS))) for _ in range(2 * turns.AT_ONCE)]
    await bystander.third.wait()
    for task in tasks:
        task.cancel()

    assert all(isinstance(one, asyncio.CancelledError) for one in await asyncio.gather(*tasks, return_exceptions=True))
    assert await in_turns(evaluated(LOOP)) == 40_000


async def test_without_a_loop_to_wait_for_an_evaluation_goes_on() -> None:
    assert await evaluated(LOOP) == 40_000


async def test_work_keeps_its_context_and_its_errors() -> None:
    name: ContextVar[str] = ContextVar("name", default="before")

    async def work() -> None:
        name.set("after")
        await asyncio.sleep(0)
        pause()
        raise ValueError(name.get())

    with pytest.raises(ValueError, match="after"):
        await in_turns(work())
    assert name.get() == "after"


async def test_work_within_work_stays_where_it_is() -> None:
    async def outer() -> object:
        return await in_turns(evaluated(LOOP))

    assert await in_turns(outer()) == 40_000


def test_nothing_is_left_when_the_loop_ends_in_the_middle() -> None:
    async def interrupted() -> None:
        task = asyncio.create_task(in_turns(evaluated(ENDLESS)))
        await asyncio.sleep(0)
        assert not task.done()

    for _ in range(turns.AT_ONCE + 1):
        asyncio.run(interrupted())
