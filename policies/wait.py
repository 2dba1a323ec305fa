"""`wait`: runs policies side by side."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.authentication_managed_identity import AuthenticationManagedIdentity
from policies.cache_lookup_value import CacheLookupValue
from policies.cache_store_value import CacheStoreValue
from policies.checks import check_some
from policies.choose import Choose
from policies.errors import PolicyError
from policies.forward_request import ForwardRequest
from policies.policy import ANY_SECTION, Policy, Section, TypedPolicy
from policies.send_request import SendRequest

_INSIDE = (Choose, ForwardRequest, SendRequest, CacheLookupValue, CacheStoreValue, AuthenticationManagedIdentity)


class WaitFor(StrEnum):
    """When a `Wait` is over."""

    ALL = "all"
    """When every policy has run."""
    ANY = "any"
    """When the first policy has run, also where it failed, and then `Wait` fails with it (inferred); the others are
    ended."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait(TypedPolicy):
    """Runs its policies in parallel and waits for all of them or for any (wait).

    `authentication-token` inside, which the schema alone knows, is `RawElement`'s.
    """

    tag: ClassVar[str] = "wait"
    sections: ClassVar[frozenset[Section]] = ANY_SECTION - {Section.ON_ERROR}

    for_: WaitFor | str = WaitFor.ALL
    """When it is over, or an expression."""
    policies: list[Policy]
    """Policies to run, at least one: of the reference `Choose`, `SendRequest` and `CacheLookupValue`, of the schema
    `ForwardRequest`, `CacheStoreValue` and `AuthenticationManagedIdentity` as well."""

    def __post_init__(self) -> None:
        """Check what is inside."""
        TypedPolicy.__post_init__(self)
        check_some(f"{self.tag} policies []", self.policies, "policy")
        for policy in self.policies:
            if not isinstance(policy, _INSIDE):
                tag = next(policy.placements()).tag
                allowed = ", ".join(kind.tag for kind in _INSIDE)
                raise PolicyError(f"{tag} is not allowed directly inside wait; use {allowed}")

    def branches(self) -> Iterable[list[Policy]]:
        """Return each policy as a branch of its own, since none comes before another."""
        return [[policy] for policy in self.policies]

    def children(self) -> Iterable[ET.Element]:
        """Return the policies."""
        return [policy.element() for policy in self.policies]
