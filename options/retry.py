"""What happens to a call that an account of a pool rejects."""

from collections.abc import Iterator
from dataclasses import dataclass

from options.defaulted import Defaulted
from options.mistakes import Mistake, Warn
from options.rules import Rules, number

MOST = 2
"""Accounts that are tried after the first unless an API says otherwise. Each failure takes its account out of the pool,
so more are needed only if several accounts fail within one call, and the caller waits for all of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryOptions:
    """How often a call that an account rejects (429, 503 or no connection) is tried on another."""

    count: int | None = None
    """Accounts that are tried after the first, fewer than the API has, or 0 for none. Defaults to all the others, 2 at
    most."""
    interval: Defaulted[int] = 0
    """Seconds to wait before each attempt after the second; the second always comes at once. Defaults to 0."""


VALUES: Rules = {
    "count": (number(0, 29, "a whole number from 0 to 29"),),
    "interval": (number(0, 60, "a whole number from 0 to 60"),),
}


def check_retry(retry: RetryOptions) -> Iterator[Mistake]:
    """Yield what is wrong with the options of a retry."""
    if retry.interval and retry.count is not None and retry.count < 2:
        problem = f"has no effect with count {retry.count}, as the second attempt always comes at once; remove it"
        yield Warn(key=("interval",), value=retry.interval, problem=problem)


def check_retry_in_use(retry: RetryOptions, accounts: int) -> Iterator[Mistake]:
    """Refuse what does not fit the number of an API's accounts."""
    if accounts < 2:
        problem = "has no effect on a single account; remove it, or let the API use several accounts"
        yield Mistake(key=(), problem=problem)
    elif retry.count is not None and retry.count >= accounts:
        problem = f"is not possible with {accounts} accounts; allowed: 0 to {accounts - 1}"
        yield Mistake(key=("count",), value=retry.count, problem=problem)
