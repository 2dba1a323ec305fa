"""Counters by themselves: windows, buckets and stores."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apim_emulator.gateway.limits.bounded import Bounded
from apim_emulator.gateway.limits.counters import Counters, RateCounter
from apim_emulator.gateway.limits.quota_counter import calendar, clock_time, every, in_words
from apim_emulator.gateway.limits.rate_counter import RollingWindow, TokenBucket

AMOUNTS = st.lists(st.tuples(st.floats(0, 100), st.integers(0, 1000)), max_size=40)
KINDS = pytest.mark.parametrize("kind", [RollingWindow, TokenBucket])


@KINDS
@given(amounts=AMOUNTS, limit=st.integers(1, 1000), period=st.integers(1, 300))
def test_the_wait_that_is_told_is_enough_and_not_a_second_too_long(
    kind: Callable[[], RateCounter], amounts: list[tuple[float, int]], limit: int, period: int
) -> None:
    counter = counter_at(kind, amounts, limit, period)
    now = 1_700_000_000.0 + sum(pause for pause, _ in amounts)
    if counter.used(now, limit, period) < limit:
        return

    wait = counter.wait(limit - 1, now, limit, period)

    assert counter.used(now + wait + 0.001, limit, period) <= limit - 1
    assert wait == 1 or counter_at(kind, amounts, limit, period).used(now + wait - 1.002, limit, period) > limit - 1


def counter_at(
    kind: Callable[[], RateCounter], amounts: list[tuple[float, int]], limit: int, period: int
) -> RateCounter:
    counter, now = kind(), 1_700_000_000.0
    for pause, amount in amounts:
        now += pause
        counter.add(amount, now, limit, period)
    return counter


@given(amounts=AMOUNTS)
def test_rolling_window_holds_what_was_added_within_it(amounts: list[tuple[float, int]]) -> None:
    window, now, added = RollingWindow(), 1_700_000_000.0, []
    for pause, amount in amounts:
        now += pause
        window.add(amount, now, 1, 60)
        added.append((now, amount))

    least = sum(amount for moment, amount in added if now - moment < 60 * 0.99)
    most = sum(amount for moment, amount in added if now - moment < 60)
    assert least <= window.used(now, 1, 60) <= most


@pytest.mark.slow
def test_rolling_window_stays_small() -> None:
    window = RollingWindow()
    for number in range(100_000):
        window.add(1, number / 1000, 1, 60)

    assert len(window._entries) <= 1001
    assert window.used(100, 1, 60) == pytest.approx(60_000, rel=0.01)


@KINDS
def test_limit_may_change_from_call_to_call(kind: Callable[[], RateCounter]) -> None:
    counter = kind()
    counter.add(30, 0.0, 10, 60)

    assert counter.used(0.0, 100, 60) == 30
    assert counter.used(60.0, 30, 60) == 0


def test_store_forgets_what_was_not_used_for_longest() -> None:
    store: Bounded[str, list[int]] = Bounded(list, 2)
    store["a"].append(1)
    store["b"].append(2)
    assert store["a"] == [1]
    assert store["c"] == []

    assert len(store) == 2
    assert (store["a"], store["b"]) == ([1], [])


@pytest.mark.parametrize(
    ("sku", "kind"),
    [("Developer", RollingWindow), ("Premium", RollingWindow), ("BasicV2", TokenBucket), ("StandardV2", TokenBucket)],
)
def test_tier_decides_how_rates_are_counted(sku: str, kind: type) -> None:
    assert isinstance(Counters(sku, 0).rates["k",], kind)


@given(now=st.floats(-6e10, 6e10), seconds=st.integers(1, 10**8), start=st.floats(-6e10, 6e10))
def test_windows_of_equal_length_hold_the_moment(now: float, seconds: int, start: float) -> None:
    begin, end = every(seconds, start)(now)

    assert end is not None
    assert begin - 1e-3 <= now <= end + 1e-3


@given(now=st.floats(0, 4e9), period=st.sampled_from(["Hourly", "Daily", "Weekly", "Monthly", "Yearly", "Indefinite"]))
def test_windows_of_the_calendar_hold_the_moment_and_follow_one_another(now: float, period: str) -> None:
    windows = calendar(period)
    begin, end = windows(now)

    assert begin <= now
    if end is not None:
        assert now < end
        assert windows(end)[0] == end


@pytest.mark.parametrize(
    ("seconds", "short", "long"),
    [
        (1, "00:00:01", "1 second"),
        (60, "00:01:00", "1 minute"),
        (1293, "00:21:33", "21 minutes and 33 seconds"),
        (26_060, "07:14:20", "7 hours, 14 minutes and 20 seconds"),
        (1_763_935, "20.09:58:55", "20 days, 9 hours, 58 minutes and 55 seconds"),
        (90_000, "1.01:00:00", "1 day and 1 hour"),
    ],
)
def test_durations_are_written_as_the_service_does(seconds: int, short: str, long: str) -> None:
    assert (clock_time(seconds), in_words(seconds)) == (short, long)
