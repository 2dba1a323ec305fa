"""Which accounts answer for a deployment, where accounts serve different models."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components._backends import Member, OpenAIAccount, Service, create_pool

Routes = dict[str, pulumi.Output[str]]
"""IDs of backends by deployment."""
Pools = dict[tuple[str, ...], pulumi.Output[str]]
"""IDs of backends by the keys of their accounts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """Deployments that the same accounts serve."""

    deployments: tuple[str, ...]
    accounts: tuple[str, ...]
    """Keys of the accounts."""


def routes_of(accounts: Sequence[OpenAIAccount]) -> list[Route]:
    """Return a route for each set of accounts that serve the same deployments, or none if calls can go anywhere.

    They can if all accounts serve the same deployments, or if it is not known of an account what it serves.
    """
    known = [(account.key, account.deployments) for account in accounts if account.deployments is not None]
    if len(known) < len(accounts) or len({frozenset(own) for _, own in known}) < 2:
        return []
    found: dict[tuple[str, ...], list[str]] = {}
    for deployment in dict.fromkeys(name for _, own in known for name in own):
        found.setdefault(tuple(key for key, own in known if deployment in own), []).append(deployment)
    return [Route(deployments=tuple(names), accounts=keys) for keys, names in found.items()]


def create_routes(
    stem: str,
    members: Sequence[Member],
    *,
    everywhere: pulumi.Output[str],
    service: Service,
    parent: pulumi.Resource,
    pools: Pools,
) -> Routes:
    """Create a backend for each deployment if the accounts of `members` serve different ones; return the backends' IDs.

    A deployment that all of them serve has the backend `everywhere`. `pools` holds those of other sets of accounts,
    named after them, `{stem}-{key}-{key}`; new ones are added.
    """
    found: Routes = {}
    for route in routes_of([member.account for member in members]):
        own = [member for member in members if member.account.key in route.accounts]
        if len(own) == len(members):
            backend = everywhere
        elif route.accounts in pools:
            backend = pools[route.accounts]
        else:
            name = "-".join((stem, *route.accounts))
            backend = pools[route.accounts] = create_pool(name, own, service=service, parent=parent)
        found |= dict.fromkeys(route.deployments, backend)
    return found
