"""Azure OpenAI accounts with their model deployments, as a backend of the gateway."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import NotRequired, TypedDict

import pulumi

from components._accounts import adopt_account, create_account
from components._backends import Service, create_members, create_pool
from components._inputs import raise_mistakes, read_options
from components._roles import COGNITIVE_SERVICES_OPENAI_USER, assign_role
from options import OpenAIOptions
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
    key_accounts: NotRequired[list[str]]
    """New accounts that accept API keys unless their options say otherwise, given as in `pools`. By default accounts
    accept only Microsoft Entra tokens."""
    users: NotRequired[dict[str, pulumi.Input[str]]]
    """Object IDs of the managed identities that may call the accounts, by a name for each, such as the identity's
    resource ID."""
    user_accounts: NotRequired[dict[str, list[str]]]
    """Accounts that a user may call, by the user's name, given as in `pools`. Defaults to all accounts for each
    user."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete or replace the accounts that are created. Defaults to false."""


class OpenAIBackend(pulumi.ComponentResource):
    """One Azure OpenAI account, or a load-balanced pool of several, as an API Management backend."""

    backend_id: pulumi.Output[str]
    """ID for `set-backend-service` of the backend or pool over all accounts. The backend has no credential."""
    account_ids: pulumi.Output[list[str]]
    """Resource IDs of the accounts."""
    urls: pulumi.Output[list[str]]
    """Endpoints of the accounts, with `/openai`."""
    role_assignment_ids: pulumi.Output[list[str]]
    """Resource IDs of the role assignments of `users`."""
    pool_ids: pulumi.Output[dict[str, str]]
    """IDs of the backends in `pools`, by name."""

    def __init__(self, name: str, args: OpenAIBackendArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("openai-gateway:index:OpenAIBackend", name, {}, opts)
        openai = read_options(OpenAIOptions, args["openai"], "openai")
        keys = account_keys(openai.accounts)
        pools, key_accounts = args.get("pools", {}), args.get("key_accounts", [])
        users, user_accounts = args.get("users", {}), args.get("user_accounts", {})
        _require_accounts(openai, {"pools": pools, "user_accounts": user_accounts}, key_accounts)

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
        members = create_members(
            f"{name}-backend",
            self.accounts,
            service=service,
            parent=self,
            pooled=len(self.accounts) > 1,
            breaker=openai.breaker,
        )
        self.backend_id = create_pool(f"{name}-pool", members, service=service, parent=self)
        self.pools = {
            pool: create_pool(
                f"{name}-pool-{pool}",
                [member for member in members if member.account.key in own],
                service=service,
                parent=self,
            )
            for pool, own in pools.items()
        }
        self.pool_ids = pulumi.Output.all(**self.pools).apply(dict)
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
        self.account_ids = pulumi.Output.all(*(account.id for account in self.accounts))
        self.urls = pulumi.Output.all(*(account.url for account in self.accounts))
        self.register_outputs(
            {
                "backendId": self.backend_id,
                "accountIds": self.account_ids,
                "urls": self.urls,
                "roleAssignmentIds": self.role_assignment_ids,
                "poolIds": self.pool_ids,
            }
        )


def _require_accounts(
    openai: OpenAIOptions, named: Mapping[str, Mapping[str, list[str]]], key_accounts: Sequence[str]
) -> None:
    """Refuse names of accounts that do not exist, all at once."""
    raise_mistakes(
        [
            *(
                mistake
                for given, lists in named.items()
                for name, own in lists.items()
                for mistake in check_account_names((given, name), own, openai.accounts)
            ),
            *(check_account_names(("key_accounts",), key_accounts, openai.accounts) if key_accounts else ()),
        ]
    )


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
