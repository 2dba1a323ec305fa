"""Private endpoints, and the DNS zones in which their names are."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pulumi
from pulumi_azure_native import network

from components._waiting import retry_until_account_is_ready

ACCOUNT_ZONES = (
    "privatelink.cognitiveservices.azure.com",
    "privatelink.openai.azure.com",
    "privatelink.services.ai.azure.com",
)
"""Zones of an account that serves models. All of them for each kind, as Azure may turn one kind into the other."""
SAFETY_ZONES = ACCOUNT_ZONES[:1]
GATEWAY_ZONE = "privatelink.azure-api.net"
REDIS_ZONE = "privatelink.redis.azure.net"
VAULT_ZONE = "privatelink.vaultcore.azure.net"
ZONES = (*ACCOUNT_ZONES, GATEWAY_ZONE, REDIS_ZONE, VAULT_ZONE)
"""All of them ("Azure Private Endpoint private DNS zone values")."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PrivateEndpoints:
    """Where the private endpoints of resources go."""

    subnet_id: pulumi.Input[str]
    """Resource ID of their subnet."""
    location: pulumi.Input[str]
    """Azure region of the subnet's network."""
    zone_ids: pulumi.Input[dict[str, str]]
    """Resource IDs of the private DNS zones that get their names, by the zone's name."""
    public_access: bool | None = None
    """Whether the resources are reached from the internet too. Defaults to false."""


def private_endpoints(args: Mapping[str, Any]) -> PrivateEndpoints | None:
    """Return the input `private_endpoints` of a component as it is, or made from the component host's mapping."""
    given = args.get("private_endpoints")
    return PrivateEndpoints(**given) if isinstance(given, Mapping) else given


def public_access(endpoints: PrivateEndpoints | None) -> bool:
    """Return whether a resource with these private endpoints is reached from the internet."""
    return endpoints is None or bool(endpoints.public_access)


def create_endpoint(
    name: str,
    target_id: pulumi.Input[str],
    group: str,
    zones: Sequence[str],
    *,
    endpoints: PrivateEndpoints,
    resource_group_name: pulumi.Input[str],
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource] = (),
) -> pulumi.Resource:
    """Create a private endpoint that leads to a resource; return what exists once its name resolves to the endpoint."""
    endpoint = network.PrivateEndpoint(
        f"{name}-endpoint",
        resource_group_name=resource_group_name,
        location=endpoints.location,
        subnet={"id": endpoints.subnet_id},
        private_link_service_connections=[
            {"name": f"{name}-endpoint", "private_link_service_id": target_id, "group_ids": [group]}
        ],
        opts=pulumi.ResourceOptions(
            parent=parent, depends_on=list(depends_on), hooks=retry_until_account_is_ready(f"{name}-endpoint")
        ),
    )
    known = pulumi.Output.from_input(endpoints.zone_ids)
    return network.PrivateDnsZoneGroup(
        f"{name}-names",
        private_dns_zone_group_name="default",
        private_endpoint_name=endpoint.name,
        resource_group_name=resource_group_name,
        private_dns_zone_configs=[
            {"name": zone.replace(".", "-"), "private_dns_zone_id": known.apply(partial(_id, zone))} for zone in zones
        ],
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _id(zone: str, zone_ids: Mapping[str, str]) -> str:
    if zone not in zone_ids:
        raise pulumi.RunError(
            f"private_endpoints.zone_ids has no zone {zone}; it has {', '.join(sorted(zone_ids)) or 'none'}; list the "
            "zone in zones of PrivateNetwork"
        )
    return zone_ids[zone]


def require_existing(endpoint: pulumi.Resource, problem: str) -> None:
    """Make the preview fail if it would create `endpoint`: in a preview, only what is in the state has an ID."""
    if not (pulumi.runtime.is_dry_run() and isinstance(endpoint, pulumi.CustomResource)):
        return
    # An output, since the program waits for outputs and fails if one does.
    _: pulumi.Output[bool] = pulumi.Output.from_input(asyncio.get_running_loop().create_task(_known(endpoint, problem)))


async def _known(endpoint: pulumi.CustomResource, problem: str) -> bool:
    if not await endpoint.id.is_known():
        raise pulumi.RunError(problem)
    return True
