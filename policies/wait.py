"""`wait`: runs policies in parallel."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.authentication_managed_identity import AuthenticationManagedIdentity
from policies.cache_lookup_value import CacheLookupValue
from policies.cache_store_value import CacheStoreValue
from policies.choose import Choose
from policies.forward_request import ForwardRequest
from policies.send_request import SendRequest
from policies.shared.checks import check_not_empty
from policies.shared.errors import PolicyError
from policies.shared.policy import ANY_SECTION, Policy, Section, TypedPolicy

_INSIDE = (Choose, ForwardRequest, SendRequest, CacheLookupValue, CacheStoreValue, AuthenticationManagedIdentity)


class WaitFor(StrEnum):
    """When a `Wait` is over."""

    ALL = "all"
    """When every policy has run."""
    ANY = "any"
    """When the first policy has run. If it failed, `Wait` fails with it (inferred); the other policies are
    cancelled."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait(TypedPolicy):
    """Runs its policies in parallel and waits for all of them or for any (wait).

    Use `RawElement` for `authentication-token` inside, which only the schema allows.
    """

    tag: ClassVar[str] = "wait"
    sections: ClassVar[frozenset[Section]] = ANY_SECTION - {Section.ON_ERROR}

    for_: WaitFor | str = WaitFor.ALL
    """When it is over, or an expression."""
    policies: list[Policy]
    """Policies to run, at least one. The reference allows `Choose`, `SendRequest` and `CacheLookupValue`; the schema
    also `ForwardRequest`, `CacheStoreValue` and `AuthenticationManagedIdentity`."""

    def __post_init__(self) -> None:
        """Check what is inside."""
        TypedPolicy.__post_init__(self)
        check_not_empty(f"{self.tag} policies []", self.policies, "policy")
        for policy in self.policies:
            if not isinstance(policy, _INSIDE):
                tag = next(policy.placements()).tag
                allowed = ", ".join(kind.tag for kind in _INSIDE)
                raise PolicyError(f"{tag} is not allowed directly inside wait; use {allowed}")

    def branches(self) -> Iterable[list[Policy]]:
        """Return each policy as a separate branch, since they run in no order."""
        return [[policy] for policy in self.policies]

    def children(self) -> Iterable[ET.Element]:
        """Return the policies."""
        return [policy.element() for policy in self.policies]
