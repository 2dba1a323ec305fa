"""The API Management service, created or adopted."""

from dataclasses import dataclass
from functools import partial
from typing import Any, NotRequired, TypedDict

import pulumi
from pulumi_azure_native import apimanagement, managedidentity

from components._baseline import baseline
from components._endpoints import (
    GATEWAY_ZONE,
    PrivateEndpoints,
    create_endpoint,
    private_endpoints,
    require_existing,
)
from components._gateway_zone import create_gateway_zone
from components._hostnames import Hostnames, hostnames
from components._inputs import raise_mistakes, read_options
from components._names import unique_name
from components._subscriptions import invoke_options
from components._waiting import retry_until_vault_access
from options import (
    SYSTEM_ASSIGNED,
    USER_ASSIGNED,
    AdditionalLocationOptions,
    ExistingResource,
    GatewayNetwork,
    GatewayOptions,
    GatewaySku,
    NetworkMode,
    NetworkOptions,
)
from options.gateway import check_primary_region, user_assigned_on_adopted
from options.network import check_gateway_network, gateway_network


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewayIdentity:
    """A managed identity of the service."""

    principal_id: pulumi.Output[str]
    """Object ID that role assignments name."""
    client_id: pulumi.Output[str] | None
    """Client ID for policies. None: the system-assigned identity, for which policies have no client ID."""


class ApiGatewayArgs(TypedDict):
    """Inputs of `ApiGateway`."""

    resource_group_name: pulumi.Input[str]
    """Resource group of the resources that are created."""
    location: NotRequired[pulumi.Input[str]]
    """Azure region of the resources that are created. Defaults to the region in the provider's configuration."""
    gateway: NotRequired[GatewayOptions]
    """The service to create or adopt."""
    identities: NotRequired[list[str]]
    """Identities that APIs use in addition to `gateway.identity`, in the same notation."""
    network: NotRequired[NetworkOptions]
    """The virtual network of the deployment. By default it is public: the service joins none."""
    network_id: NotRequired[pulumi.Input[str | None]]
    """Resource ID of the network. Required if the service is injected for callers in the network alone."""
    gateway_subnet_id: NotRequired[pulumi.Input[str | None]]
    """Resource ID of the subnet that the service joins. Required to create a service with `network.mode: private`."""
    private_endpoints: NotRequired[PrivateEndpoints | None]
    """Where the private endpoint of the service goes. Required with `network.inbound_endpoint`."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete or replace the service that is created. Defaults to false."""


class ApiGateway(pulumi.ComponentResource):
    """An API Management service with the managed identities that its APIs use."""

    service_id: pulumi.Output[str]
    """Resource ID of the service."""
    service_name: pulumi.Output[str]
    """Name of the service."""
    resource_group_name: pulumi.Output[str]
    """Resource group of the service: where its APIs, backends and named values go."""
    sku: pulumi.Output[str]
    """Pricing tier of the service, as ARM spells it."""
    gateway_url: pulumi.Output[str]
    """URL at which callers reach the service, without a trailing slash."""
    principal_id: pulumi.Output[str]
    """Object ID of the service's default identity."""
    identity_client_id: pulumi.Output[str] | None
    """Client ID of the default identity. Absent if it is system-assigned."""

    def __init__(self, name: str, args: ApiGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("openai-gateway:index:ApiGateway", name, {}, opts)
        gateway = read_options(GatewayOptions, args.get("gateway", GatewayOptions()), "gateway")
        further = args.get("identities", [])
        if gateway.existing is not None:
            raise_mistakes(
                user_assigned_on_adopted(("identities", i)) for i, found in enumerate(further) if found == USER_ASSIGNED
            )
        network = read_options(NetworkOptions, args.get("network") or NetworkOptions(), "network")
        raise_mistakes(check_gateway_network(network, gateway, ("network",), ("gateway",)))
        location = args.get("location")
        if isinstance(location, str):
            raise_mistakes(mistake.under("gateway") for mistake in check_primary_region(gateway, location))
        readers = [_certificate_reader(gateway)] if gateway.hostnames else []
        wanted = list(dict.fromkeys([gateway.identity, *further, *readers]))

        if gateway.existing is not None:
            service = _adopt(self, gateway.existing, wanted, network.mode)
        else:
            service = _create(self, name, args, gateway, network=network, wanted=wanted)

        self.identities = service.identities
        self.name_prefix = gateway.name_prefix
        self.subscription_id = gateway.existing.subscription_id if gateway.existing else None
        self.service_id = service.id
        self.service_name = service.name
        self.resource_group_name = service.resource_group_name
        self.sku = service.sku
        self.gateway_url = service.gateway_url
        default = self.identities[gateway.identity]
        self.principal_id = default.principal_id
        self.identity_client_id = default.client_id
        self.register_outputs(
            {
                "serviceId": self.service_id,
                "serviceName": self.service_name,
                "resourceGroupName": self.resource_group_name,
                "sku": self.sku,
                "gatewayUrl": self.gateway_url,
                "principalId": self.principal_id,
                "identityClientId": self.identity_client_id,
            }
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Service:
    id: pulumi.Output[str]
    name: pulumi.Output[str]
    resource_group_name: pulumi.Output[str]
    sku: pulumi.Output[str]
    gateway_url: pulumi.Output[str]
    identities: dict[str, GatewayIdentity]


def _create(
    parent: ApiGateway,
    name: str,
    args: ApiGatewayArgs,
    gateway: GatewayOptions,
    *,
    network: NetworkOptions,
    wanted: list[str],
) -> _Service:
    user_assigned = _user_assigned(parent, name, args, wanted)
    resource_ids = {identity: resource_id for identity, (resource_id, _) in user_assigned.items()}
    kinds = ["SystemAssigned"] * (SYSTEM_ASSIGNED in wanted) + ["UserAssigned"] * bool(resource_ids)
    names = Hostnames()
    if gateway.hostnames:
        _, identity = user_assigned[_certificate_reader(gateway)]
        names = hostnames(
            name,
            gateway.hostnames,
            principal_id=identity.principal_id,
            client_id=identity.client_id or "",  # a user-assigned one has it
            parent=parent,
        )
    units = gateway.capacity
    if units is None:
        units = len(gateway.zones) or int(gateway.sku is not GatewaySku.CONSUMPTION)
    resource = apimanagement.ApiManagementService(
        f"{name}-service",
        service_name=gateway.name
        or unique_name(
            name,
            "apim",
            limit=50,
            replaced_on={
                "resourceGroup": args["resource_group_name"],
                "location": args.get("location"),
                "family": gateway.sku.family,
            },
            parent=parent,
        ),
        resource_group_name=args["resource_group_name"],
        location=args.get("location"),
        sku=apimanagement.ApiManagementServiceSkuPropertiesArgs(
            name=gateway.sku.value,
            capacity=units,
        ),
        zones=_zones(gateway.zones),
        additional_locations=[_location(found, gateway.sku, units) for found in gateway.additional_locations] or None,
        hostname_configurations=names.configurations or None,
        publisher_name=gateway.publisher_name or "",  # the rules require both
        publisher_email=gateway.publisher_email or "",
        identity=apimanagement.ApiManagementServiceIdentityArgs(
            type=", ".join(kinds),
            # An output cannot be a key, so the map is built once the IDs are known.
            user_assigned_identities=pulumi.Output.all(*resource_ids.values()).apply(_identity_map)
            if resource_ids
            else None,
        ),
        tags=gateway.tags or None,
        **(baseline(gateway.sku) | _network(args, network, gateway.sku)),
        opts=pulumi.ResourceOptions(
            parent=parent,
            protect=args.get("protect"),
            depends_on=names.readers,
            hooks=retry_until_vault_access(f"{name}-service") if gateway.hostnames else None,
        ),
    )
    _make_reachable(parent, name, args, network, sku=gateway.sku, service=resource)
    identities = {identity: found for identity, (_, found) in user_assigned.items()}
    if SYSTEM_ASSIGNED in wanted:
        principal_id = resource.identity.apply(partial(_system_principal, name))
        identities[SYSTEM_ASSIGNED] = GatewayIdentity(principal_id=principal_id, client_id=None)
    return _Service(
        id=resource.id,
        name=resource.name,
        resource_group_name=pulumi.Output.from_input(args["resource_group_name"]),
        # From the options, since a preview does not know the service's own output.
        sku=pulumi.Output.from_input(gateway.sku.value),
        gateway_url=resource.gateway_url,
        identities=identities,
    )


def _network(args: ApiGatewayArgs, network: NetworkOptions, sku: GatewaySku) -> dict[str, Any]:
    """Return the service's inputs that depend on its network.

    In the v2 tiers, External is what ARM calls integration.
    """
    way = gateway_network(network, sku)
    if way is None:
        return {}
    subnet_id = args.get("gateway_subnet_id")
    if subnet_id is None:
        raise pulumi.RunError(
            "network.mode private needs gateway_subnet_id, the subnet that the service joins, such as "
            "PrivateNetwork.gateway_subnet_id"
        )
    inbound = network.inbound_endpoint
    shut = inbound is not None and not inbound.public_access
    return {
        "virtual_network_type": "Internal" if way is GatewayNetwork.INTERNAL else "External",
        "virtual_network_configuration": {"subnet_resource_id": subnet_id},
        "public_network_access": "Disabled" if shut else "Enabled",
    }


def _make_reachable(
    parent: ApiGateway,
    name: str,
    args: ApiGatewayArgs,
    network: NetworkOptions,
    *,
    sku: GatewaySku,
    service: apimanagement.ApiManagementService,
) -> None:
    """Let callers in the network find the service by name: by an endpoint or, if it is injected, by a record."""
    if network.inbound_endpoint is not None:
        endpoints = private_endpoints(args)
        if endpoints is None:
            raise pulumi.RunError("network.inbound_endpoint needs private_endpoints, where its endpoint goes")
        endpoint = create_endpoint(
            name,
            service.id,
            "Gateway",
            [GATEWAY_ZONE],
            endpoints=endpoints,
            resource_group_name=args["resource_group_name"],
            parent=parent,
        )
        if not network.inbound_endpoint.public_access:
            require_existing(
                endpoint,
                "network.inboundEndpoint.publicAccess: cannot be false yet, as Azure shuts the internet out of a "
                "service only once a private endpoint leads to it; run up with true, then set false",
            )
    elif gateway_network(network, sku) is GatewayNetwork.INTERNAL and network.dns_zones is None:
        network_id = args.get("network_id")
        if network_id is None:
            raise pulumi.RunError("network.gateway internal needs network_id, such as PrivateNetwork.network_id")
        known = pulumi.Output.all(network_id).apply(lambda found: str(found[0]))
        create_gateway_zone(name, service, known, args["resource_group_name"], parent=parent)


def _certificate_reader(gateway: GatewayOptions) -> str:
    """Return the identity that reads certificates; a system-assigned one would not exist before the service."""
    return USER_ASSIGNED if gateway.identity == SYSTEM_ASSIGNED else gateway.identity


def _location(
    found: AdditionalLocationOptions, sku: GatewaySku, units: int
) -> apimanagement.AdditionalLocationArgsDict:
    return {
        "location": found.location,
        "sku": {"name": sku.value, "capacity": found.capacity or len(found.zones) or units},
        "zones": _zones(found.zones),
        "virtual_network_configuration": {"subnet_resource_id": found.subnet} if found.subnet else None,
    }


def _zones(zones: list[int]) -> list[str] | None:
    return [str(zone) for zone in zones] or None


def _identity_map(resource_ids: list[str]) -> dict[str, apimanagement.UserIdentityPropertiesArgs]:
    return {resource_id: apimanagement.UserIdentityPropertiesArgs() for resource_id in resource_ids}


def _user_assigned(
    parent: ApiGateway, name: str, args: ApiGatewayArgs, wanted: list[str]
) -> dict[str, tuple[pulumi.Input[str], GatewayIdentity]]:
    """Return the resource ID and the identity of each user-assigned one, created or looked up."""
    found: dict[str, tuple[pulumi.Input[str], GatewayIdentity]] = {}
    for identity in wanted:
        if identity == USER_ASSIGNED:
            created = managedidentity.UserAssignedIdentity(
                f"{name}-identity",
                resource_group_name=args["resource_group_name"],
                location=args.get("location"),
                opts=pulumi.ResourceOptions(parent=parent),
            )
            found[identity] = (
                created.id,
                GatewayIdentity(principal_id=created.principal_id, client_id=created.client_id),
            )
        elif identity != SYSTEM_ASSIGNED:
            # By ID, which works in any subscription; a function would look in the provider's own.
            looked_up = managedidentity.UserAssignedIdentity.get(
                f"{name}-{identity}", identity, pulumi.ResourceOptions(parent=parent)
            )
            found[identity] = (
                identity,
                GatewayIdentity(principal_id=looked_up.principal_id, client_id=looked_up.client_id),
            )
    return found


def _adopt(parent: ApiGateway, existing: ExistingResource, wanted: list[str], mode: NetworkMode) -> _Service:
    found = apimanagement.get_api_management_service_output(
        service_name=existing.name,
        resource_group_name=existing.resource_group,
        opts=invoke_options(parent, existing.subscription_id),
    )

    def identity_of(identity: str) -> GatewayIdentity:
        if identity == SYSTEM_ASSIGNED:
            principal_id = found.identity.apply(partial(_system_principal, existing.name))
            return GatewayIdentity(principal_id=principal_id, client_id=None)
        entry = found.identity.apply(lambda value: _user_entry(existing.name, value, identity))
        return GatewayIdentity(
            principal_id=entry.apply(lambda value: value[0]), client_id=entry.apply(lambda value: value[1])
        )

    return _Service(
        id=found.apply(partial(_joined, existing.name)).apply(lambda service: str(service.id))
        if mode is NetworkMode.PRIVATE
        else found.id,
        name=found.name,
        resource_group_name=pulumi.Output.from_input(existing.resource_group),
        sku=found.sku.apply(lambda sku: sku.name),
        gateway_url=found.gateway_url,
        identities={identity: identity_of(identity) for identity in wanted},
    )


def _joined(name: str, service: Any) -> Any:
    if (service.virtual_network_type or "None") == "None":
        raise pulumi.RunError(
            f"service {name} has joined no virtual network, so that it cannot reach private accounts; let its owner "
            "integrate or inject it, or set network.mode to public"
        )
    return service


def _system_principal(service: str, identity: Any) -> str:
    principal_id = identity and identity.principal_id
    if not principal_id:
        raise pulumi.RunError(
            f"service {service} has no system-assigned identity; enable it, or set identity to the resource ID "
            "of a user-assigned identity that the service has"
        )
    return str(principal_id)


def _user_entry(service: str, identity: Any, resource_id: str) -> tuple[str, str]:
    attached = (identity and identity.user_assigned_identities) or {}
    for key, value in attached.items():
        if key.lower() == resource_id.lower():
            return value.principal_id, value.client_id
    raise pulumi.RunError(
        f"service {service} does not have the identity {resource_id}; it has {', '.join(attached) or 'none'}; "
        "attach it to the service, or name one of those"
    )
