"""Azure OpenAI accounts with their model deployments, published to the gateway as a backend."""

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
    """Pricing tier of the service, such as `ApiGateway.sku`. Left out: one that has circuit breakers, as all have but
    Consumption."""
    gateway_subscription_id: NotRequired[str | None]
    """Subscription of the API Management service. Left out: that of the component's own provider."""
    openai: OpenAIOptions
    """Accounts to create or adopt, and the models to deploy."""
    name_prefix: NotRequired[str]
    """What the backends' names on the service begin with. Left out: nothing."""
    pools: NotRequired[dict[str, list[str]]]
    """Further backends over some of the accounts, by a name for each; accounts are named by their own name, or where
    that is made up, by their region. Left out: none but the one over all accounts."""
    key_accounts: NotRequired[list[str]]
    """Accounts among those to create that accept API keys where their options do not say, named likewise. Left out:
    they accept Microsoft Entra tokens alone."""
    users: NotRequired[dict[str, pulumi.Input[str]]]
    """Object IDs of the managed identities that may call the accounts, by a name for each, such as the identity's
    resource ID."""
    user_accounts: NotRequired[dict[str, list[str]]]
    """Accounts that a user may call, by the user's name, named likewise. Left out for a user: all of them."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete or replace the accounts that are created. Left out: it does not."""


class OpenAIBackend(pulumi.ComponentResource):
    """One Azure OpenAI account, or a load-balanced pool of several, as an API Management backend."""

    backend_id: pulumi.Output[str]
    """Backend, or pool, that `set-backend-service` names. It carries no credential."""
    account_ids: pulumi.Output[list[str]]
    """Resource IDs of the accounts."""
    urls: pulumi.Output[list[str]]
    """Endpoints of the accounts, with `/openai`."""
    role_assignment_ids: pulumi.Output[list[str]]
    """Resource IDs of the role assignments that `users` got."""
    pool_ids: pulumi.Output[dict[str, str]]
    """Backends that `pools` asked for, by their names."""

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
            f"{name}-backend", self.accounts, service=service, parent=self, pooled=len(self.accounts) > 1
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
                f"{name}-{account.key}-{_short(user)}-role",
                scope=account.id,
                principal_id=principal_id,
                role=COGNITIVE_SERVICES_OPENAI_USER,
                parent=self,
                before=[f"{name}-{account.key}-{old}-role" for old in _before(user, list(users))],
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
    """Refuse names of accounts that there are not, all at once."""
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


def _short(user: str) -> str:
    """Name a user within a URN: a resource ID by its last segment and by 8 hex digits for the whole.

    Identities in different groups may have one name.
    """
    if not user.startswith("/"):
        return user
    whole = user.lower()
    return f"{whole.rsplit('/', 1)[1]}-{sha256(whole.encode()).hexdigest()[:8]}"


def _before(user: str, users: Sequence[str]) -> list[str]:
    """Names that the user had when identities of one name were one, and the last of them had the assignment."""
    old = user.rsplit("/", 1)[-1]
    return [old] if [other for other in users if other.rsplit("/", 1)[-1] == old][-1] == user != old else []
