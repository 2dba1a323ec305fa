"""APIM backends for Azure OpenAI accounts: one, or a pool over one for each account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import apimanagement


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenAIAccount:
    """An Azure OpenAI account that a gateway calls."""

    key: str
    """Short name that tells the account from the others of its pool, such as its region."""
    id: pulumi.Input[str]
    """Resource ID of the account."""
    url: pulumi.Input[str]
    """Endpoint with `/openai`, such as `https://NAME.openai.azure.com/openai`."""
    priority: int | None = None
    """Place in the pool, 0 to 100, lower first. Left out: all accounts are equal."""
    weight: int | None = None
    """Share of the requests among accounts of one priority, 0 to 100. Left out: equal shares."""


def openai_accounts(values: Sequence[OpenAIAccount | Mapping[str, Any]]) -> list[OpenAIAccount]:
    """Return accounts as they are, or made from the mappings with floats that the component host hands over."""
    return [
        value
        if isinstance(value, OpenAIAccount)
        else OpenAIAccount(
            key=value["key"],
            id=value["id"],
            url=value["url"],
            priority=None if value.get("priority") is None else int(value["priority"]),
            weight=None if value.get("weight") is None else int(value["weight"]),
        )
        for value in values
    ]


def create_backends(
    backend_id: str,
    accounts: Sequence[OpenAIAccount],
    *,
    resource_group_name: pulumi.Input[str],
    service_name: pulumi.Input[str],
    parent: pulumi.Resource,
    api_keys: Sequence[pulumi.Input[str]] = (),
) -> pulumi.Output[str]:
    """Create the backend `backend_id` and return its ID, known once everything behind it exists.

    `api_keys` are, in the accounts' order, what each backend sends as its `api-key` header: references to named
    values, never keys. A circuit breaker cannot be a pool's, so members carry all settings of their account.
    """
    if not accounts:
        raise pulumi.RunError("accounts is empty; name at least one Azure OpenAI account")

    def create(child_id: str, account: OpenAIAccount, api_key: pulumi.Input[str] | None) -> apimanagement.Backend:
        return apimanagement.Backend(
            child_id,
            backend_id=child_id,
            resource_group_name=resource_group_name,
            service_name=service_name,
            type=apimanagement.BackendType.SINGLE,
            protocol=apimanagement.BackendProtocol.HTTP,
            url=account.url,
            credentials=None if api_key is None else {"header": {"api-key": [api_key]}},
            tls={"validate_certificate_chain": True, "validate_certificate_name": True},
            opts=pulumi.ResourceOptions(parent=parent),
        )

    keys: Sequence[pulumi.Input[str] | None] = api_keys or [None] * len(accounts)
    if len(accounts) == 1:
        return create(backend_id, accounts[0], keys[0]).name

    members = [
        (create(f"{backend_id}-{account.key}", account, key), account)
        for account, key in zip(accounts, keys, strict=True)
    ]
    return apimanagement.Backend(
        backend_id,
        backend_id=backend_id,
        resource_group_name=resource_group_name,
        service_name=service_name,
        type=apimanagement.BackendType.POOL,
        pool=apimanagement.BackendBaseParametersPoolArgs(
            services=[
                apimanagement.BackendPoolItemArgs(id=member.id, priority=account.priority, weight=account.weight)
                for member, account in members
            ]
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    ).name
