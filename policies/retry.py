"""`retry`: runs policies again while a condition is true."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.checks import INT_MAX, check_not_empty, check_range
from policies.shared.errors import PolicyError
from policies.shared.policy import Policy, TypedPolicy
from policies.wait import Wait

_MOST = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry(TypedPolicy):
    """Runs its policies once, and again while `condition` is true, at most `count` times more (retry).

    It waits `interval` seconds between two runs; with `delta`, that many seconds longer each time; with `delta` and
    `max_interval`, about twice as long each time, up to `max_interval`. A `ForwardRequest` inside needs
    `buffer_request_body`, or it sends an empty body the second time. All policies but `Wait` are allowed inside.
    """

    tag: ClassVar[str] = "retry"

    condition: bool | str
    """Expression that decides after each run whether to run again, or a constant."""
    count: int | str
    """Further runs, 1 to 50, or an expression."""
    interval: int | str
    """Seconds between two runs, 0 for none, or an expression."""
    delta: int | str | None = None
    """Seconds by which the wait grows, at least 1. By default it does not grow."""
    max_interval: int | str | None = None
    """Longest wait in seconds, at least 1, with `delta`. By default the wait grows linearly."""
    first_fast_retry: bool | str | None = None
    """Whether the second run comes at once. Defaults to false."""
    policies: list[Policy]
    """Policies to run, at least one."""

    def __post_init__(self) -> None:
        """Check numbers, and what is inside."""
        TypedPolicy.__post_init__(self)
        check_range(f"{self.tag} count", self.count, 1, _MOST)
        check_range(f"{self.tag} interval", self.interval, 0, INT_MAX, "seconds")
        check_range(f"{self.tag} delta", self.delta, 1, INT_MAX, "seconds")
        check_range(f"{self.tag} max_interval", self.max_interval, 1, INT_MAX, "seconds")
        if self.max_interval is not None and self.delta is None:
            raise PolicyError(
                f"{self.tag} has max_interval without delta, without which the wait does not grow; give both"
            )
        check_not_empty(f"{self.tag} policies []", self.policies, "policy")
        _, *inner = self.placements()
        if any(placement.tag == Wait.tag for placement in inner):
            raise PolicyError("wait is not allowed inside retry; move it out")

    def branches(self) -> Iterable[list[Policy]]:
        """Return the policies."""
        return [self.policies]

    def children(self) -> Iterable[ET.Element]:
        """Return the policies."""
        return [policy.element() for policy in self.policies]
