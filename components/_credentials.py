"""The credential that the gateway presents to Azure OpenAI: its managed identity or an API key."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components._backends import OpenAIAccount, Service, create_members, create_pool, openai_accounts
from components._inputs import raise_mistakes, read_options, surface_of
from components._keys import KeyArgs, store_keys
from components._requests import choose_backend
from components._roles import COGNITIVE_SERVICES_OPENAI_USER, assign_role
from components._routes import create_routes
from options import BreakerOptions, KeyDelivery, KeyOptions
from options.key import check_key_in_use
from policies import (
    BEARER_TOKEN,
    TOKEN_VARIABLE,
    AuthenticationManagedIdentity,
    ExistsAction,
    Policy,
    SetBackendService,
    SetHeader,
)


def identity_credential(name: str, args: Mapping[str, Any], *, parent: pulumi.Resource) -> pulumi.Output[list[Policy]]:
    """Return the policies that call a backend as the gateway's identity, known once it holds its role.

    Raises:
        pulumi.RunError: `principal_id` is missing, and no role assignments are given.

    """
    granted = args.get("role_assignment_ids")
    if granted is None:
        if args.get("principal_id") is None:
            raise pulumi.RunError(
                "backend_auth managed-identity needs principal_id, the identity that calls Azure OpenAI"
            )
        granted = _grant_access(name, openai_accounts(args["accounts"]), args["principal_id"], parent=parent)
    return pulumi.Output.all(
        backend=args["backend_id"],
        by_deployment=pulumi.Output.all(**(args.get("deployment_backend_ids") or {})),
        client=args.get("identity_client_id"),
        roles=granted,
    ).apply(
        lambda known: [
            *choose_backend(known["backend"], known["by_deployment"]),
            AuthenticationManagedIdentity(client_id=known["client"], output_token_variable_name=TOKEN_VARIABLE),
            SetHeader(name="Authorization", exists_action=ExistsAction.OVERRIDE, values=[BEARER_TOKEN]),
        ]
    )


def _grant_access(
    name: str, accounts: Sequence[OpenAIAccount], principal_id: pulumi.Input[str], *, parent: pulumi.Resource
) -> pulumi.Output[list[str]]:
    """Assign *Cognitive Services OpenAI User* on each account to an identity; return the IDs of the assignments."""
    return pulumi.Output.all(
        *(
            assign_role(
                f"{name}-{account.key}-role",
                scope=account.id,
                principal_id=principal_id,
                role=COGNITIVE_SERVICES_OPENAI_USER,
                parent=parent,
            ).id
            for account in accounts
            if not account.role_assigned
        )
    )


def has_own_backends(args: Mapping[str, Any]) -> bool:
    """Return whether an API that calls Azure OpenAI by key has backends of its own, which hold it."""
    key = read_options(KeyOptions, args.get("key") or KeyOptions(), "key")
    return key.delivery is KeyDelivery.BACKEND


def key_credential(
    name: str, args: KeyArgs, *, breaker: BreakerOptions, parent: pulumi.Resource
) -> pulumi.Output[list[Policy]]:
    """Return the policies that call the accounts by API key, known once the gateway can read every key.

    `delivery: header` uses `backend_id`; `delivery: backend` creates its own backends, so that other APIs on the same
    accounts do not get the key.
    """
    key = read_options(KeyOptions, args.get("key") or KeyOptions(), "key")
    accounts = openai_accounts(args["accounts"])
    raise_mistakes(mistake.under("key") for mistake in check_key_in_use(key, len(accounts)))
    references = store_keys(name, key, accounts, args, parent=parent)
    if key.delivery is KeyDelivery.BACKEND:
        service = Service(
            resource_group_name=args["resource_group_name"],
            name=args["service_name"],
            sku=args.get("sku"),
            subscription_id=args.get("subscription_id"),
            name_prefix=args.get("name_prefix", ""),
        )
        members = create_members(
            f"{name}-key-backend",
            accounts,
            service=service,
            parent=parent,
            pooled=len(accounts) > 1,
            breaker=breaker,
            surface=surface_of(args),
            api_keys=references,
        )
        pool = create_pool(f"{name}-key-pool", members, service=service, parent=parent)
        routes = create_routes(f"{name}-key-models", members, everywhere=pool, service=service, parent=parent, pools={})
        return pulumi.Output.all(pool=pool, routes=pulumi.Output.all(**routes)).apply(
            lambda known: choose_backend(known["pool"], known["routes"])
        )
    return pulumi.Output.all(backend=args["backend_id"], reference=references[0]).apply(
        lambda known: [
            SetBackendService(backend_id=known["backend"]),
            SetHeader(name="api-key", exists_action=ExistsAction.OVERRIDE, values=[known["reference"]]),
        ]
    )
