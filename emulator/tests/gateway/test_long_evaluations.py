"""An evaluation that is long by nature, and the calls that come meanwhile."""

import asyncio

import pytest

from apim_emulator.csharp.runtime import meter, turns
from emulator.tests.gateway.harness import Bench, header, inbound

LONG = "@{ var n = 0; for (var i = 0; i < 20000; i++) { n++; } return n.ToString(); }"
ASKED = '@(context.Request.Headers.GetValueOrDefault("X-Long", "") == "true")'


def for_who_asks(policy: str) -> str:
    return f"<choose><when condition='{ASKED}'>{policy}</when></choose>"


CHOSEN = f"<choose><when condition='@(true)'>{header('X-Long', LONG)}</when></choose>"
PLACES = {
    "inbound": for_who_asks(header("X-Long", LONG)),
    "in a branch": for_who_asks(f"<wait for='all'>{CHOSEN}</wait>"),
    "in retries": for_who_asks(f"<retry condition='@(false)' count='1' interval='0'>{header('X-Long', LONG)}</retry>"),
}


@pytest.mark.parametrize("place", PLACES)
async def test_another_call_is_answered_while_a_long_evaluation_goes_on(
    place: str, gateway_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway_bench.load(inbound(PLACES[place]))
    begun, others_answered = asyncio.Event(), asyncio.Event()
    going_on = []

    def paused() -> None:
        begun.set()
        going_on.append(others_answered.is_set())
        pause()

    pause = turns.pause
    monkeypatch.setattr(turns, "pause", paused)
    monkeypatch.setattr(meter, "TURN", 50)  # turns enough for a call over HTTP
    long = asyncio.create_task(gateway_bench.call(headers={"X-Long": "true"}))
    await begun.wait()

    other = await gateway_bench.call()
    others_answered.set()

    assert other.status == 200
    assert not long.done()
    assert (await long).status == 200
    assert going_on[0] is False
    assert going_on[-1] is True


async def test_caller_who_goes_away_ends_a_long_evaluation(
    gateway_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway_bench.load(inbound(for_who_asks(header("X-Long", "@{ while (true) { } }"))))
    begun, ended = asyncio.Event(), asyncio.Event()

    def paused() -> None:
        begun.set()
        try:
            pause()
        except asyncio.CancelledError:
            ended.set()
            raise

    pause = turns.pause
    monkeypatch.setattr(turns, "pause", paused)
    monkeypatch.setattr(meter, "MAX_STEPS", 10**9)
    long = asyncio.create_task(gateway_bench.call(headers={"X-Long": "true"}))
    await begun.wait()

    long.cancel()
    await ended.wait()

    assert (await gateway_bench.call()).status == 200
