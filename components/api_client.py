"""A client of a hub's API: from another stack than the hub's, by names alone."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_azuread as azuread
from pulumi_azure_native import apimanagement

from components._application import assign_app_role, look_up_principal, role_of
from components._inputs import raise_mistakes
from components._subscription_keys import subscribe
from components._subscriptions import invoke_options
from options.client import check_client
from options.rules import check_values, guid
from options.teams import subscription_name


class ApiClientArgs(TypedDict):
    """Inputs of `ApiClient`."""

    resource_group_name: pulumi.Input[str]
    """Resource group of the hub's API Management service."""
    service_name: pulumi.Input[str]
    """The hub's API Management service."""
    subscription_id: NotRequired[str | None]
    """Azure subscription of the hub. Defaults to that of the component's own provider."""
    api: pulumi.Input[str]
    """Name of the API on the service, with the hub's name prefix if it has one."""
    product: NotRequired[pulumi.Input[str]]
    """Name of the product that contains the API, such as that of a team. The client gets a subscription of it. By
    default it gets no key."""
    application: NotRequired[str | None]
    """Display name of the API's app registration. The client gets a role of it. By default it gets no role."""
    role: NotRequired[str | None]
    """App role of the registration that the client gets. Required with `application`."""
    principal_id: NotRequired[pulumi.Input[str]]
    """Object ID of the client's service principal or managed identity, or of a group. Required with `application`."""


class ApiClient(pulumi.ComponentResource):
    """Lets a client call an API of a hub that another stack owns: a key of its own, an app role, or both.

    The component's name is that of the subscription on the service.
    """

    endpoint: pulumi.Output[str]
    """URL of the API, for the OpenAI SDKs' `azure_endpoint` without its `/openai`, or as `base_url` as it is."""
    primary_key: pulumi.Output[str] | None
    """Primary key of the client's subscription; a secret. Absent without `product`."""
    secondary_key: pulumi.Output[str] | None
    """Secondary key of the client's subscription; a secret. Absent without `product`."""
    scope: pulumi.Output[str] | None
    """Scope to request from the token endpoint for an application: `{application ID URI}/.default`. Absent without
    `application`."""

    def __init__(self, name: str, args: ApiClientArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("openai-gateway:index:ApiClient", name, {}, opts)
        _check(name, args)
        lookup = invoke_options(self, args.get("subscription_id"))
        service = apimanagement.get_api_management_service_output(
            resource_group_name=args["resource_group_name"], service_name=args["service_name"], opts=lookup
        )
        api = apimanagement.get_api_output(
            resource_group_name=args["resource_group_name"],
            service_name=args["service_name"],
            api_id=args["api"],
            opts=lookup,
        )
        self.endpoint = pulumi.Output.concat(service.gateway_url, "/", api.path)

        self.primary_key, self.secondary_key = None, None
        product_id = args.get("product")
        if product_id is not None:
            product = apimanagement.get_product_output(
                resource_group_name=args["resource_group_name"],
                service_name=args["service_name"],
                product_id=product_id,
                opts=lookup,
            )
            keys = subscribe(
                f"{name}-subscription",
                args,
                sid=name,
                title=f"{name} ({pulumi.get_project()}/{pulumi.get_stack()})",
                scope=product.apply(_usable),
                parent=self,
            )
            self.primary_key, self.secondary_key = keys.primary, keys.secondary

        self.scope = None
        application, role, principal_id = args.get("application"), args.get("role"), args.get("principal_id")
        if application is not None and role is not None and principal_id is not None:
            principal = look_up_principal(display_name=application, parent=self)
            assign_app_role(f"{name}-{role}", role_of(principal, role), principal_id, parent=self)
            self.scope = principal.apply(_default_scope)
        self.register_outputs(
            {
                "endpoint": self.endpoint,
                "primaryKey": self.primary_key,
                "secondaryKey": self.secondary_key,
                "scope": self.scope,
            }
        )


def _check(name: str, args: ApiClientArgs) -> None:
    rules = {"name": (subscription_name,), "subscription_id": (guid,)}
    given = {key for key in ("product", "application", "role", "principal_id") if args.get(key) is not None}
    values = {"name": name, "subscription_id": args.get("subscription_id")}
    raise_mistakes([*check_values(rules, values), *check_client(given)])


def _usable(product: apimanagement.GetProductResult) -> str:
    """Return the resource ID of a product whose keys work.

    Raises:
        pulumi.RunError: It is not published, so that the gateway takes no key of it.

    """
    if product.state != apimanagement.ProductState.PUBLISHED:
        raise pulumi.RunError(
            f"product {product.name} is not published, so its keys open nothing; ask the hub's owner to publish it, or "
            "name another product"
        )
    return product.id


def _default_scope(principal: azuread.GetServicePrincipalResult) -> str:
    """Return what an application requests; a registration without an ID URI goes by its client ID."""
    uris = [name for name in principal.service_principal_names if "://" in name]
    return f"{uris[0] if uris else principal.client_id}/.default"
