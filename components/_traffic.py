"""How an API's policy sends calls to the accounts: what the API's options and the circuit breakers say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from components._inputs import raise_mistakes, read_options
from options import BreakerOptions, RetryOptions
from options.breaker import seconds
from options.retry import MOST, check_retry_in_use


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    """How calls are sent to the accounts."""

    breaker: BreakerOptions = field(default_factory=BreakerOptions)
    """Circuit breaker of the accounts in a pool."""
    retry: RetryOptions = field(default_factory=RetryOptions)
    """Attempts on other accounts of the pool."""

    @property
    def trip_seconds(self) -> int:
        """Seconds for which an account is not called if it sends no `Retry-After`."""
        return seconds(self.breaker.trip)

    def retries(self, accounts: int) -> int:
        """Return how many of several accounts are tried after the first."""
        return min(accounts - 1, MOST) if self.retry.count is None else self.retry.count


DEFAULT = Traffic()


def api_traffic(args: Mapping[str, Any]) -> Traffic:
    """Return how an API sends its calls, from its inputs `breaker` and `retry`.

    Raises:
        pulumi.RunError: The options have mistakes; all of them are listed.

    """
    breaker, retry = args.get("breaker"), args.get("retry")
    if retry is not None:
        retry = read_options(RetryOptions, retry, "retry")
        raise_mistakes(mistake.under("retry") for mistake in check_retry_in_use(retry, len(args["accounts"])))
    return Traffic(
        breaker=BreakerOptions() if breaker is None else read_options(BreakerOptions, breaker, "breaker"),
        retry=retry or RetryOptions(),
    )
