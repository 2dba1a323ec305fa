"""`limit-concurrency`: limits how many requests run the same policies at the same time."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.checks import INT_MAX, check_not_blank, check_not_empty, check_range
from policies.shared.policy import Policy, TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitConcurrency(TypedPolicy):
    """Refuses requests with 429 while too many others run its policies (limit-concurrency)."""

    tag: ClassVar[str] = "limit-concurrency"

    key: str
    """Key, normally an expression; policies that use the same key share a limit."""
    max_count: int
    """Requests at the same time, at least 1."""
    policies: list[Policy]
    """Policies to run, at least one."""

    def __post_init__(self) -> None:
        """Check key and limit, and that there is something to limit."""
        TypedPolicy.__post_init__(self)
        check_not_blank(f"{self.tag} key", self.key)
        check_range(f"{self.tag} max_count", self.max_count, 1, INT_MAX)
        check_not_empty(f"{self.tag} policies []", self.policies, "policy")

    def branches(self) -> Iterable[list[Policy]]:
        """Return the policies."""
        return [self.policies]

    def children(self) -> Iterable[ET.Element]:
        """Return the policies."""
        return [policy.element() for policy in self.policies]
