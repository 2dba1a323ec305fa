"""A team's access: a product with its APIs, subscriptions, limits, models and app roles."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

import pulumi
from pulumi_azure_native import apimanagement

from components._api import SUBSCRIBED
from components._application import assign_app_role, existing_role, registered_role
from components._clashes import NAMES, report_clash
from components._endpoints import PrivateEndpoints, private_endpoints
from components._inputs import raise_mistakes, read_options
from components._limits import Limits
from components._names import display_text, shorten
from components._requests import narrowing, not_for_team, one_of
from components._roles import KEY_VAULT_SECRETS_USER, assign_role
from components._subscription_keys import SubscriptionKeys, subscribe
from components._subscriptions import child_options, invoke_options
from components._vaults import adopted_vault, create_vault, write_secret
from options import (
    LimitOptions,
    ModelOptions,
    OwnerOptions,
    Surface,
    TeamKeysOptions,
    TeamOptions,
    TokenPolicies,
)
from options.api import VALUES as API
from options.gateway import name_prefix
from options.rules import check_values, guid
from options.teams import DEFAULT_SUBSCRIPTION, VALUES, ApiFacts, check_team, check_team_in_use, team_role
from policies import Base, Choose, Document, Policy, PolicyError, Scope, When

_LINK_ID = 80
"""Most characters of the identifier of a link (ARM type)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamApi:
    """An API that a team may call, as its component published it."""

    name: str
    """Name of the API's component."""
    id: pulumi.Input[str]
    """Resource ID of the API, such as `ManagedIdentityApi.api_id`."""
    surface: Surface | None = None
    """Surface that it publishes. Defaults to `dated`."""
    models: list[ModelOptions] | None = None
    """Models that it offers, as in its own `models`. By default all deployments, under their own names."""
    subscription_required: bool | None = None
    """Whether its callers need a subscription key. Defaults to true."""
    roles: list[str] | None = None
    """App roles that it defines or accepts, as in its `entra.roles`. Defaults to none: it validates no such tokens."""
    service_principal_id: pulumi.Input[str] | None = None
    """Service principal of its app registration: `EntraProtectedApi.service_principal_id`. Required for roles, unless
    `client_id` is given."""
    client_id: pulumi.Input[str] | None = None
    """Client ID of its app registration, if somebody else owns that."""


class TeamArgs(TypedDict):
    """Inputs of `Team`."""

    resource_group_name: pulumi.Input[str]
    """Resource group of the API Management service."""
    service_name: pulumi.Input[str]
    """API Management service that publishes the APIs."""
    subscription_id: NotRequired[str | None]
    """Azure subscription of the API Management service. Defaults to that of the component's own provider."""
    sku: NotRequired[pulumi.Input[str]]
    """Pricing tier of the service, such as `ApiGateway.sku`; limits that the tier does not support are refused. By
    default the policy may use what all tiers but Consumption support."""
    name_prefix: NotRequired[str]
    """Prefix of the names of the product and its subscriptions on the service, as of the APIs. Defaults to none."""
    display_name: NotRequired[pulumi.Input[str]]
    """Display name of the product. Defaults to the component's name."""
    apis: list[TeamApi]
    """APIs that the team may call; it can call no other."""
    models: NotRequired[list[str] | None]
    """Models that the team may call, by the names that the APIs offer. Other models get 403. Defaults to all that the
    APIs offer."""
    limits: NotRequired[list[LimitOptions] | None]
    """How much the team may use, in addition to the limits of the APIs. `per: product` is the team as a whole, and
    `per: api` the team on each API. By default only the APIs' own limits apply."""
    token_policies: NotRequired[TokenPolicies | None]
    """Family of the policies that count tokens. Defaults to `llm`."""
    subscriptions: NotRequired[list[str] | None]
    """Names of the team's subscriptions, each with two keys. Defaults to one, `default`."""
    keys: NotRequired[TeamKeysOptions | None]
    """Where the team finds its keys. By default they are outputs alone."""
    vault_resource_group_name: NotRequired[pulumi.Input[str]]
    """Resource group of a vault that is created. Defaults to that of the API Management service."""
    private_endpoints: NotRequired[PrivateEndpoints | None]
    """Where the private endpoint of a vault that is created goes: owners then read the keys from the network alone. By
    default it has none, and is reached from the internet."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete or replace the vault that is created. Defaults to false."""
    principals: NotRequired[list[str] | None]
    """Object IDs of the groups, users and service principals that get an app role of the APIs. Defaults to none."""
    role: NotRequired[str | None]
    """App role that the principals get. Defaults to the only one that the API defines."""
    owners: NotRequired[list[OwnerOptions] | None]
    """Principals that can read the team's keys in the vault. Defaults to none."""


class Team(pulumi.ComponentResource):
    """Gives a team access to APIs: keys that open these alone, held to the team's models and limits, and app roles.

    Nothing of a team is shared with another team, so that one comes, changes and goes without the others.
    """

    product_id: pulumi.Output[str]
    """Resource ID of the team's product."""
    primary_keys: pulumi.Output[dict[str, str]]
    """Primary key of each subscription, by its name; secrets."""
    secondary_keys: pulumi.Output[dict[str, str]]
    """Secondary key of each subscription, by its name; secrets."""
    key_secrets: pulumi.Output[dict[str, str]]
    """URI of each key's secret in the vault, without a version, such as the one of `default-primary`. Empty without a
    vault."""

    def __init__(self, name: str, args: TeamArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("openai-gateway:index:Team", name, {}, opts)
        apis = team_apis(args["apis"])
        team = _team(name, args, apis)
        product = _product(name, args, parent=self)
        links = [_link(name, api, product, args, parent=self) for api in apis]
        policy = apimanagement.ProductPolicy(
            f"{name}-product-policy",
            resource_group_name=args["resource_group_name"],
            service_name=args["service_name"],
            product_id=product.name,
            policy_id="policy",
            format=apimanagement.PolicyContentFormat.XML,
            value=_policy(name, args, team, apis),
            opts=child_options(self, args.get("subscription_id")),
        )
        keys = {
            subscription: subscribe(
                f"{name}_{subscription}-subscription",
                args,
                sid=f"{args.get('name_prefix', '')}{name}_{subscription}",
                title=_title(name, subscription),
                scope=product.id,
                parent=self,
                # A key works only where the team is held to its limits and models.
                depends_on=[policy, *links],
            )
            for subscription in team.subscriptions
        }
        for api in apis:
            _assign_roles(name, team, api, parent=self)

        self.product_id = product.id
        self.primary_keys = _secrets({subscription: found.primary for subscription, found in keys.items()})
        self.secondary_keys = _secrets({subscription: found.secondary for subscription, found in keys.items()})
        self.key_secrets = _store(name, team, keys, args, parent=self)
        self.register_outputs(
            {
                "productId": self.product_id,
                "primaryKeys": self.primary_keys,
                "secondaryKeys": self.secondary_keys,
                "keySecrets": self.key_secrets,
            }
        )


def team_apis(values: Sequence[TeamApi | Mapping[str, Any]]) -> list[TeamApi]:
    """Return APIs as they are, or made from the mappings of the component host."""
    return [value if isinstance(value, TeamApi) else _team_api(value, i) for i, value in enumerate(values)]


def _team_api(value: Mapping[str, Any], i: int) -> TeamApi:
    models = value.get("models")
    return TeamApi(
        name=value["name"],
        id=value["id"],
        surface=None if value.get("surface") is None else Surface(value["surface"]),
        models=models
        and [read_options(ModelOptions, model, f"apis[{i}].models[{j}]") for j, model in enumerate(models)],
        subscription_required=value.get("subscription_required"),
        roles=value.get("roles"),
        service_principal_id=value.get("service_principal_id"),
        client_id=value.get("client_id"),
    )


def _team(name: str, args: TeamArgs, apis: Sequence[TeamApi]) -> TeamOptions:
    """Return what the inputs ask for.

    Raises:
        pulumi.RunError: They have mistakes.

    """
    limits = [read_options(LimitOptions, limit, f"limits[{i}]") for i, limit in enumerate(args.get("limits") or ())]
    owners = [read_options(OwnerOptions, owner, f"owners[{i}]") for i, owner in enumerate(args.get("owners") or ())]
    keys, subscriptions = args.get("keys"), args.get("subscriptions")
    team = TeamOptions(
        name=name,
        apis=[api.name for api in apis],
        models=args.get("models"),
        limits=limits,
        subscriptions=[DEFAULT_SUBSCRIPTION] if subscriptions is None else subscriptions,
        keys=None if keys is None else read_options(TeamKeysOptions, keys, "keys"),
        principals=args.get("principals") or [],
        role=args.get("role"),
        owners=owners,
    )
    simple = ("name", "apis", "models", "subscriptions", "principals")
    values = {
        **{field: getattr(team, field) for field in simple},
        **{field: args[field] for field in ("subscription_id", "name_prefix") if args.get(field)},
    }
    rules = {**VALUES, "apis.*": API["name"], "subscription_id": (guid,), "name_prefix": (name_prefix,)}
    facts = {
        api.name: ApiFacts(
            subscription_required=api.subscription_required is not False,
            roles=api.roles,
            models=None if api.models is None else [model.name for model in api.models],
        )
        for api in apis
    }
    raise_mistakes([*check_values(rules, values), *check_team(team), *check_team_in_use(team, facts)])
    return team


def _title(name: str, subscription: str) -> str:
    return name if subscription == DEFAULT_SUBSCRIPTION else f"{name} {subscription}"


def _product(name: str, args: TeamArgs, *, parent: pulumi.Resource) -> apimanagement.Product:
    """Create the product, which a subscription opens that only the service's administrators can make or approve.

    The service gives its administrator a subscription of each new product, and does not delete a product that has one;
    azure-native does not ask for both (pulumi-azure-native #846). So the product stays when the team goes, without an
    API: its links, subscriptions and policy are deleted.
    """
    product_id = args.get("name_prefix", "") + name
    opts = child_options(parent, args.get("subscription_id"))
    opts.retain_on_delete = True
    product = apimanagement.Product(
        f"{name}-product",
        product_id=product_id,
        display_name=display_text(args.get("display_name", name), limit=300),
        resource_group_name=args["resource_group_name"],
        service_name=args["service_name"],
        subscription_required=True,
        approval_required=True,
        state=apimanagement.ProductState.PUBLISHED,
        opts=opts,
    )
    report_clash(
        product,
        "apimanagement:getProduct",
        {
            "resourceGroupName": args["resource_group_name"],
            "serviceName": args["service_name"],
            "productId": product_id,
        },
        kind=NAMES,
        opts=invoke_options(parent, args.get("subscription_id")),
    )
    return product


def _link(
    name: str, api: TeamApi, product: apimanagement.Product, args: TeamArgs, *, parent: pulumi.Resource
) -> apimanagement.ProductApiLink:
    return apimanagement.ProductApiLink(
        f"{name}_{api.name}-link",
        api_link_id=shorten(f"{args.get('name_prefix', '')}{name}_{api.name}", _LINK_ID),
        resource_group_name=args["resource_group_name"],
        service_name=args["service_name"],
        product_id=product.name,
        api_id=api.id,
        opts=child_options(parent, args.get("subscription_id")),
    )


def _policy(name: str, args: TeamArgs, team: TeamOptions, apis: Sequence[TeamApi]) -> pulumi.Output[str]:
    """Render the product's policy, which runs before that of an API: in place of `base` there."""
    limits = Limits(
        api=args.get("name_prefix", "") + name,
        team=True,
        limits=team.limits,
        token_policies=TokenPolicies(args.get("token_policies") or TokenPolicies.LLM),
    )
    models = list(_models(team, apis, args.get("name_prefix", ""), by_model=limits.by_model))

    def render(sku: str | None) -> str:
        document = Document(
            inbound=[Base(), SUBSCRIBED, *models, *limits.policies(sku)],
            backend=[Base()],
            outbound=[Base()],
            on_error=[Base()],
        )
        try:
            return document.render(sku, Scope.PRODUCT)
        except PolicyError as error:
            raise pulumi.RunError(str(error)) from None

    return pulumi.Output.from_input(args.get("sku")).apply(render)


def _models(team: TeamOptions, apis: Sequence[TeamApi], prefix: str, *, by_model: bool) -> Iterator[Policy]:
    """Yield the policies that hold a team to its models, those of each API by how and under which names it has them.

    Where a limit counts by the model, what an API calls a model is needed too.
    """
    if team.models is None and not (by_model and any(api.models for api in apis)):
        return
    groups: dict[tuple[bool, tuple[ModelOptions, ...]], list[str]] = {}
    for api in apis:
        offered = tuple(_offered(team, api))
        if offered:
            groups.setdefault((api.surface is Surface.V1, offered), []).append(api.name)
    yield Choose(
        when=[
            When(
                condition=f"@({one_of([prefix + name for name in names], 'context.Api.Id')})",
                policies=narrowing(models, by_body=by_body),
            )
            for (by_body, models), names in groups.items()
        ],
        # An API that somebody else links to the product has none of the team's models.
        otherwise=None if team.models is None else [not_for_team(team.models)],
    )


def _offered(team: TeamOptions, api: TeamApi) -> Iterable[ModelOptions]:
    """Return the models of an API that a team may call."""
    if api.models is None:
        return [ModelOptions(name=model) for model in team.models or ()]
    return [model for model in api.models if team.models is None or model.name in team.models]


def _assign_roles(name: str, team: TeamOptions, api: TeamApi, *, parent: pulumi.Resource) -> None:
    """Give the team's principals their role of an API's app registration, if it validates tokens."""
    if api.roles is None or not team.principals:
        return
    role = team_role(team, ApiFacts(roles=api.roles))
    if api.client_id is not None:
        found = existing_role(role, client_id=api.client_id, parent=parent)
    elif api.service_principal_id is not None:
        found = registered_role(role, api.service_principal_id)
    else:
        raise pulumi.RunError(
            f"apis: {api.name} has roles and names no app registration; give service_principal_id or client_id"
        )
    for principal in team.principals:
        assign_app_role(f"{name}_{api.name}-{role}-{principal.lower()}", found, principal, parent=parent)


def _store(
    name: str,
    team: TeamOptions,
    keys: Mapping[str, SubscriptionKeys],
    args: TeamArgs,
    *,
    parent: pulumi.Resource,
) -> pulumi.Output[dict[str, str]]:
    """Write the keys to the team's vault, let its owners read them, and return where they are."""
    if team.keys is None or not team.keys.vault:
        return pulumi.Output.from_input(dict[str, str]())
    group = args.get("vault_resource_group_name", args["resource_group_name"])
    vault = (
        create_vault(name, group, endpoints=private_endpoints(args), protect=args.get("protect"), parent=parent)
        if team.keys.existing is None
        else adopted_vault(team.keys.existing, parent)
    )
    found: dict[str, pulumi.Output[str]] = {}
    for subscription, pair in keys.items():
        for kind, value in (("primary", pair.primary), ("secondary", pair.secondary)):
            secret = write_secret(
                f"{name}_{subscription}-{kind}",
                vault,
                value,
                # Names of teams and subscriptions have no two hyphens in a row.
                secret_name=f"{args.get('name_prefix', '')}{name}--{subscription}--{kind}",
                content_type="API Management subscription key",
                parent=parent,
            )
            for owner in team.owners:
                assign_role(
                    f"{name}_{subscription}-{kind}-{owner.id.lower()}",
                    scope=secret.id,
                    principal_id=owner.id,
                    principal_type=str(owner.type),
                    role=KEY_VAULT_SECRETS_USER,
                    parent=parent,
                )
            # The URI is no secret, and the secret's value is not in it.
            found[f"{subscription}-{kind}"] = pulumi.Output.unsecret(secret.properties).apply(
                lambda its: str(its.secret_uri)
            )
    return pulumi.Output.all(**found).apply(dict)


def _secrets(keys: Mapping[str, pulumi.Output[str]]) -> pulumi.Output[dict[str, str]]:
    return pulumi.Output.secret(pulumi.Output.all(**keys).apply(dict))
