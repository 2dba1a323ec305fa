"""Azure OpenAI accounts with their model deployments, as a backend of the gateway."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import NotRequired, TypedDict

import pulumi

from components._accounts import adopt_account, create_account
from components._backends import Service, create_embeddings, create_members, create_pool
from components._endpoints import PrivateEndpoints, private_endpoints
from components._inputs import raise_mistakes, read_options
from components._roles import COGNITIVE_SERVICES_OPENAI_USER, assign_role
from components._routes import Pools, create_routes
from options import Mistake, OpenAIOptions, Surface
from options.mistakes import suggestion
from options.openai import account_keys, check_account_names, deployments_of


class OpenAIBackendArgs(TypedDict):
    """Inputs of `OpenAIBackend`."""

    resource_group_name: pulumi.Input[str]
    """Resource group of the accounts that are created."""
    gateway_resource_group_name: pulumi.Input[str]
    """Resource group of the API Management service."""
    service_name: pulumi.Input[str]
    """API Management service that calls the accounts."""
    sku: NotRequired[pulumi.Input[str]]
    """Pricing tier of the service, such as `ApiGateway.sku`. Defaults to a tier with circuit breakers, which is any but
    Consumption."""
    gateway_subscription_id: NotRequired[str | None]
    """Subscription of the API Management service. Defaults to that of the component's own provider."""
    openai: OpenAIOptions
    """Accounts to create or adopt, and the models to deploy."""
    name_prefix: NotRequired[str]
    """Prefix of the backends' names on the service. Defaults to none."""
    pools: NotRequired[dict[str, list[str]]]
    """Additional backends over some of the accounts, by a name for each. Each account is given by its name or, if the
    name is generated, by its region. By default there is only the backend over all accounts."""
    surfaces: NotRequired[list[Surface]]
    """Surfaces of Azure OpenAI that APIs publish through the backends, each with backends of its own: `dated`, `v1` or
    both. Defaults to `dated`."""
    pool_surfaces: NotRequired[dict[str, Surface]]
    """Surface of a backend in `pools`, by its name there. Defaults to the first of `surfaces`."""
    key_accounts: NotRequired[list[str]]
    """New accounts that accept API keys unless their options say otherwise, given as in `pools`. By default accounts
    accept only Microsoft Entra tokens."""
    users: NotRequired[dict[str, pulumi.Input[str]]]
    """Object IDs of the managed identities that may call the accounts, by a name for each, such as the identity's
    resource ID."""
    user_accounts: NotRequired[dict[str, list[str]]]
    """Accounts that a user may call, by the user's name, given as in `pools`. Defaults to all accounts for each
    user."""
    embeddings: NotRequired[dict[str, list[str]]]
    """Deployments of embedding models that semantic caches call, by account, given as in `pools`. The service's
    system-assigned identity calls them, and must be one of `users`. Defaults to none."""
    private_endpoints: NotRequired[PrivateEndpoints | None]
    """Where the private endpoints of the accounts that are created go. By default the accounts have none, and are
    reached from the internet."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete or replace the accounts that are created. Defaults to false."""


class OpenAIBackend(pulumi.ComponentResource):
    """One Azure OpenAI account, or a load-balanced pool of several, as an API Management backend."""

    backend_id: pulumi.Output[str]
    """ID for `set-backend-service` of the backend or pool over all accounts, for the first of `surfaces`. The backend
    has no credential."""
    backend_ids: pulumi.Output[dict[str, str]]
    """IDs of the backends or pools over all accounts, by surface."""
    account_ids: pulumi.Output[list[str]]
    """Resource IDs of the accounts."""
    ids_by_account: pulumi.Output[dict[str, str]]
    """Resource IDs of the accounts, by the names by which `key_accounts` and `pools` know them."""
    urls: pulumi.Output[list[str]]
    """Endpoints of the accounts, with `/openai`."""
    role_assignment_ids: pulumi.Output[list[str]]
    """Resource IDs of the role assignments of `users`."""
    pool_ids: pulumi.Output[dict[str, str]]
    """IDs of the backends in `pools`, by name."""
    embeddings_backend_ids: pulumi.Output[dict[str, str]]
    """IDs of the backends of `embeddings`, by `ACCOUNT/DEPLOYMENT`, known once `users` hold their role."""
    deployment_backend_ids: pulumi.Output[dict[str, str]]
    """IDs of the backends by deployment, over all accounts and for the first of `surfaces`, if the accounts serve
    different models; otherwise none."""

    def __init__(self, name: str, args: OpenAIBackendArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("openai-gateway:index:OpenAIBackend", name, {}, opts)
        openai = read_options(OpenAIOptions, args["openai"], "openai")
        keys = account_keys(openai.accounts)
        pools, key_accounts = args.get("pools", {}), args.get("key_accounts", [])
        users, user_accounts = args.get("users", {}), args.get("user_accounts", {})
        surfaces = [Surface(surface) for surface in args.get("surfaces") or [Surface.DATED]]
        pool_surfaces = _pool_surfaces(args.get("pool_surfaces") or {}, pools, surfaces)
        embeddings = args.get("embeddings") or {}
        named = {"key_accounts": key_accounts, "embeddings": list(embeddings)}
        _require_accounts(openai, {"pools": pools, "user_accounts": user_accounts}, named)

        self.accounts = [
            adopt_account(key, account, account.existing, parent=self)
            if account.existing is not None
            else create_account(
                f"{name}-{key}",
                key,
                account,
                deployments=deployments_of(account, openai),
                local_auth=key in key_accounts,
                resource_group_name=args["resource_group_name"],
                protect=args.get("protect"),
                endpoints=private_endpoints(args),
                parent=self,
            )
            for key, account in zip(keys, openai.accounts, strict=True)
        ]
        service = Service(
            resource_group_name=args["gateway_resource_group_name"],
            name=args["service_name"],
            sku=args.get("sku"),
            subscription_id=args.get("gateway_subscription_id"),
            name_prefix=args.get("name_prefix", ""),
        )
        members = {
            surface: create_members(
                f"{_stem(name, surface)}-backend",
                self.accounts,
                service=service,
                parent=self,
                pooled=len(self.accounts) > 1,
                breaker=openai.breaker,
                surface=surface,
            )
            for surface in surfaces
        }
        self.backends = {
            surface: create_pool(f"{_stem(name, surface)}-pool", own, service=service, parent=self)
            for surface, own in members.items()
        }
        self.backend_id = self.backends[surfaces[0]]
        self.backend_ids = pulumi.Output.all(**self.backends).apply(dict)
        self.pools = {
            pool: create_pool(
                f"{_stem(name, pool_surfaces[pool])}-pool-{pool}",
                [member for member in members[pool_surfaces[pool]] if member.account.key in own],
                service=service,
                parent=self,
            )
            for pool, own in pools.items()
        }
        self.pool_ids = pulumi.Output.all(**self.pools).apply(dict)
        shared: dict[Surface, Pools] = {surface: {} for surface in surfaces}

        def routes(
            surface: Surface, own: Sequence[str], everywhere: pulumi.Output[str]
        ) -> dict[str, pulumi.Output[str]]:
            return create_routes(
                f"{_stem(name, surface)}-models",
                [member for member in members[surface] if member.account.key in own],
                everywhere=everywhere,
                service=service,
                parent=self,
                pools=shared[surface],
            )

        self.routes = {surface: routes(surface, keys, self.backends[surface]) for surface in surfaces}
        self.pool_routes = {pool: routes(pool_surfaces[pool], own, self.pools[pool]) for pool, own in pools.items()}
        self.deployment_backend_ids = pulumi.Output.all(**self.routes[surfaces[0]]).apply(dict)
        assignments = [
            assign_role(
                f"{name}-{account.key}-{_short_name(user)}-role",
                scope=account.id,
                principal_id=principal_id,
                role=COGNITIVE_SERVICES_OPENAI_USER,
                parent=self,
                former_names=[f"{name}-{account.key}-{old}-role" for old in _former_names(user, list(users))],
            )
            for account in self.accounts
            for user, principal_id in users.items()
            if not account.role_assigned and account.key in user_accounts.get(user, keys)
        ]
        self.role_assignment_ids = pulumi.Output.all(*(assignment.id for assignment in assignments))
        by_key = {account.key: account for account in self.accounts}
        self.embeddings = {
            f"{key}/{deployment}": pulumi.Output.all(
                create_embeddings(
                    f"{name}-embeddings-{key}-{deployment}", by_key[key], deployment, service=service, parent=self
                ).name,
                self.role_assignment_ids,
            ).apply(lambda known: str(known[0]))
            for key, deployments in embeddings.items()
            for deployment in deployments
        }
        self.embeddings_backend_ids = pulumi.Output.all(**self.embeddings).apply(dict)
        self.account_ids = pulumi.Output.all(*(account.id for account in self.accounts))
        self.ids_by_account = pulumi.Output.all(**{account.key: account.id for account in self.accounts}).apply(dict)
        self.urls = pulumi.Output.all(*(account.url for account in self.accounts))
        self.register_outputs(
            {
                "backendId": self.backend_id,
                "backendIds": self.backend_ids,
                "accountIds": self.account_ids,
                "idsByAccount": self.ids_by_account,
                "urls": self.urls,
                "roleAssignmentIds": self.role_assignment_ids,
                "poolIds": self.pool_ids,
                "embeddingsBackendIds": self.embeddings_backend_ids,
                "deploymentBackendIds": self.deployment_backend_ids,
            }
        )


def _require_accounts(
    openai: OpenAIOptions, lists: Mapping[str, Mapping[str, list[str]]], named: Mapping[str, Sequence[str]]
) -> None:
    """Refuse names of accounts that do not exist, all at once."""
    raise_mistakes(
        [
            *(
                mistake
                for given, by_name in lists.items()
                for name, own in by_name.items()
                for mistake in check_account_names((given, name), own, openai.accounts)
            ),
            *(
                mistake
                for given, own in named.items()
                if own
                for mistake in check_account_names((given,), own, openai.accounts)
            ),
        ]
    )


def _pool_surfaces(
    given: Mapping[str, Surface], pools: Mapping[str, object], surfaces: Sequence[Surface]
) -> dict[str, Surface]:
    """Return the surface of each pool; refuse names of pools and surfaces that do not exist."""
    mistakes = []
    for pool, surface in given.items():
        for value, known, what in ((pool, list(pools), "a pool"), (surface, surfaces, "one of surfaces")):
            if value not in known:
                problem = f"is not {what}; allowed: {', '.join(known) or 'none'}{suggestion(value, known)}"
                mistakes.append(Mistake(key=("pool_surfaces", pool), value=value, problem=problem))
    raise_mistakes(mistakes)
    return {pool: Surface(given.get(pool, surfaces[0])) for pool in pools}


def _stem(name: str, surface: Surface) -> str:
    """Return the beginning of the names of a surface's backends."""
    return name if surface is Surface.DATED else f"{name}-{surface}"


def _short_name(user: str) -> str:
    """Return a user's name in a URN: of a resource ID, the last segment and 8 hex digits of the hash of the whole.

    Identities in different resource groups may have the same name.
    """
    if not user.startswith("/"):
        return user
    whole = user.lower()
    return f"{whole.rsplit('/', 1)[1]}-{sha256(whole.encode()).hexdigest()[:8]}"


def _former_names(user: str, users: Sequence[str]) -> list[str]:
    """Return the name of the user in versions in which identities of the same name shared one role assignment.

    The last identity of that name had it.
    """
    old = user.rsplit("/", 1)[-1]
    return [old] if [other for other in users if other.rsplit("/", 1)[-1] == old][-1] == user != old else []
