"""Deployed services as the data plane sees them."""

from dataclasses import replace
from operator import attrgetter
from typing import Any

from apim_emulator.azure.providers.apimanagement import (
    API,
    CERTIFICATE,
    FRAGMENT,
    NAMED_VALUE,
    OPERATION,
    PRODUCT,
    PRODUCT_API,
    PRODUCT_API_LINK,
    SERVICE,
    SUBSCRIPTION,
    diagnostics,
)
from apim_emulator.azure.providers.apimanagement.api import BEARER
from apim_emulator.azure.providers.apimanagement.cache import searches
from apim_emulator.azure.providers.apimanagement.certificate import ca_certificates, certificate
from apim_emulator.azure.providers.apimanagement.references import backends, format_of
from apim_emulator.azure.providers.managedidentity.identities import identities
from apim_emulator.azure.providers.monitor import DIAGNOSTIC_SETTING
from apim_emulator.azure.providers.monitor.diagnostic_setting import categories
from apim_emulator.azure.providers.network.data_plane import network_of_service, private_hosts, resolves
from apim_emulator.azure.state import Resource, State
from apim_emulator.gateway.backends.properties import backend_of
from apim_emulator.model import (
    Api,
    Gateway,
    Operation,
    Product,
    Reach,
    Subscription,
)


def gateways(state: State) -> tuple[Gateway, ...]:
    """All API Management services."""
    return tuple(_gateway(state, service) for service in state.of(SERVICE))


def _gateway(state: State, service: Resource) -> Gateway:
    named_values = list(state.of(NAMED_VALUE, under=service.id))
    fragments = list(state.of(FRAGMENT, under=service.id))
    return Gateway(
        name=service.name,
        sku=service.outputs["sku"]["name"],
        # In the order of their names, as the service lists them: which was created first depends on the deployment.
        apis=tuple(sorted((_api(state, api) for api in state.of(API, under=service.id)), key=attrgetter("id"))),
        subscriptions=tuple(_subscription(subscription) for subscription in state.of(SUBSCRIPTION, under=service.id)),
        products=tuple(_product(state, product) for product in state.of(PRODUCT, under=service.id)),
        backends=tuple(backend_of(one.name, one.inputs) for one in backends(state, service.id)),
        identities=identities(state, service),
        certificates=tuple(certificate(one) for one in state.of(CERTIFICATE, under=service.id)),
        ca_certificates=ca_certificates(service),
        named_values={value.outputs["displayName"]: value.private["value"] for value in named_values},
        secret_names=frozenset(value.outputs["displayName"] for value in named_values if value.outputs.get("secret")),
        fragments={fragment.name: fragment.outputs["value"] for fragment in fragments},
        raw_fragments=frozenset(fragment.name for fragment in fragments if format_of(fragment) == "rawxml"),
        semantic_cache=searches(state, service),
        hostnames=_hostnames(service),
        private_hosts=private_hosts(state, network_of_service(service)),
        from_internet=_from_internet(service),
        from_network=_from_network(state, service),
        resource_id=service.id,
        location=service.outputs["location"],
        diagnostics=diagnostics.of(state, service),
        log_workspaces=_log_workspaces(state, service),
        **_policy(state, service),
    )


def _hostnames(service: Resource) -> tuple[str, ...]:
    """List the gateway's host names, the default one first."""
    found = [one for one in service.outputs["hostnameConfigurations"] if one.get("type") == "Proxy"]
    found.sort(key=lambda one: not one.get("defaultSslBinding"))
    return tuple(str(one["hostName"]).lower() for one in found)


def _from_internet(service: Resource) -> Reach:
    if service.inputs.get("virtualNetworkType") == "Internal":
        return Reach.UNREACHABLE
    return Reach.FORBIDDEN if service.inputs.get("publicNetworkAccess") == "Disabled" else Reach.ANSWERED


def _from_network(state: State, service: Resource) -> Reach:
    """Find out what callers in the service's own network get: by a record, by an endpoint, or over the internet.

    That none of these leads to an injected service without a record is inferred: its name is not in public DNS ("Deploy
    your Azure API Management instance to a virtual network - internal mode").
    """
    network, host = network_of_service(service), f"{service.name.lower()}.azure-api.net"
    if network is None:
        return _from_internet(service)
    if service.inputs.get("virtualNetworkType") == "Internal":
        found = resolves(state, network, host, service.outputs["privateIPAddresses"])
        return Reach.ANSWERED if found else Reach.UNREACHABLE
    return Reach.ANSWERED if host in private_hosts(state, network) else _from_internet(service)


def _log_workspaces(state: State, service: Resource) -> dict[str, tuple[str, ...]]:
    """Workspaces that get the service's resource logs, by category; others than workspaces are of no use here."""
    found: dict[str, tuple[str, ...]] = {}
    for setting in state.of(DIAGNOSTIC_SETTING, under=service.id):
        if (workspace := setting.inputs.get("workspaceId")) is not None:
            for category in categories(setting):
                found[category] = (*found.get(category, ()), workspace)
    return found


def _policy(state: State, scope: Resource) -> dict[str, Any]:
    """Text and format of the document of a scope, empty where it has none."""
    found = state.find(f"{scope.id}/policies/policy")
    return {"policy": found.outputs["value"], "policy_format": format_of(found)} if found else {}


def _api(state: State, api: Resource) -> Api:
    names = api.outputs.get("subscriptionKeyParameterNames") or {}
    found = Api(
        id=api.name,
        path=api.outputs["path"],
        operations=tuple(_operation(state, operation) for operation in state.of(OPERATION, under=api.id)),
        subscription_required=api.outputs["subscriptionRequired"],
        service_url=api.outputs.get("serviceUrl") or None,
        definition=api.private.get("definition"),
        diagnostics=diagnostics.of(state, api),
        **_policy(state, api),
    )
    return replace(
        found,
        key_header=names.get("header") or found.key_header,
        key_query=names.get("query") or found.key_query,
        key_bearer=api.private.get(BEARER) == "enabled",
    )


def _operation(state: State, operation: Resource) -> Operation:
    template = operation.outputs.get("urlTemplate") or operation.outputs["url_template"]  # in files of version 0.2
    return Operation(
        name=operation.name,
        method=operation.outputs["method"].upper(),
        url_template=template,
        **_policy(state, operation),
    )


def _product(state: State, product: Resource) -> Product:
    return Product(
        id=product.name,
        api_ids=frozenset(
            (
                *(link.name for link in state.of(PRODUCT_API, under=product.id)),
                *(link.outputs["apiId"].rsplit("/", 1)[1] for link in state.of(PRODUCT_API_LINK, under=product.id)),
            )
        ),
        subscription_required=product.outputs["subscriptionRequired"],
        published=product.outputs["state"] == "published",
        **_policy(state, product),
    )


def _subscription(subscription: Resource) -> Subscription:
    primary, secondary = subscription.private["keys"]
    return Subscription(
        id=subscription.name,
        scope=subscription.private["scope"],
        primary_key=primary,
        secondary_key=secondary,
        active=subscription.outputs["state"] == "active",
        unasked="displayName" not in subscription.outputs,
    )
