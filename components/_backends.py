"""APIM backends for Azure OpenAI accounts: one for each account, and a pool over several."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import pulumi
from pulumi_azure_native import apimanagement

from components._clashes import NAMES, report_clash
from components._inputs import raise_mistakes
from components._names import shorten
from components._subscriptions import child_options, invoke_options
from options import BreakerOptions, GatewaySku, Surface
from options.breaker import check_breaker_tier, code_range
from options.openai import check_priorities


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenAIAccount:
    """An Azure OpenAI account that a gateway calls."""

    key: str
    """Short name that distinguishes the account from the others in its pool, such as its region."""
    id: pulumi.Input[str]
    """Resource ID of the account."""
    url: pulumi.Input[str]
    """Endpoint with `/openai`, such as `https://NAME.openai.azure.com/openai`."""
    subscription_id: str | None = None
    """Subscription of the account. Defaults to that of the component's own provider."""
    priority: int | None = None
    """Priority in the pool, 0 to 100, lower first. By default all accounts have the same priority."""
    weight: int | None = None
    """Share of the requests among accounts of the same priority, 0 to 100. Defaults to equal shares."""
    role_assigned: bool | None = None
    """Whether the gateway's identities already hold their role on the account. Defaults to false."""
    deployments: list[str] | None = None
    """Names of its deployments. By default they are not known, and the account gets calls of any."""


def openai_accounts(values: Sequence[OpenAIAccount | Mapping[str, Any]]) -> list[OpenAIAccount]:
    """Return accounts as they are, or made from the mappings (with floats for integers) of the component host."""
    return [
        value
        if isinstance(value, OpenAIAccount)
        else OpenAIAccount(
            key=value["key"],
            id=value["id"],
            url=value["url"],
            subscription_id=value.get("subscription_id"),
            priority=None if value.get("priority") is None else int(value["priority"]),
            weight=None if value.get("weight") is None else int(value["weight"]),
            role_assigned=value.get("role_assigned"),
            deployments=value.get("deployments"),
        )
        for value in values
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """The API Management service of the backends."""

    resource_group_name: pulumi.Input[str]
    name: pulumi.Input[str]
    sku: pulumi.Input[str] | None = None
    """Pricing tier. None: a tier with circuit breakers, which is any but Consumption."""
    subscription_id: str | None = None
    """Subscription of the service. None: that of the component's own provider."""
    name_prefix: str = ""
    """Prefix of the backends' names on the service."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """The backend of one account, which several pools may share."""

    account: OpenAIAccount
    backend: apimanagement.Backend
    standalone: Callable[[], apimanagement.Backend]
    """Returns the account's backend for APIs that call no other account, and creates it on first use."""


_LONGEST_ID = 80
"""Most characters of a backend's ID (ARM: `BackendContract`)."""


def create_members(
    stem: str,
    accounts: Sequence[OpenAIAccount],
    *,
    service: Service,
    parent: pulumi.Resource,
    pooled: bool,
    breaker: BreakerOptions,
    surface: Surface = Surface.DATED,
    api_keys: Sequence[pulumi.Input[str]] = (),
) -> list[Member]:
    """Create the backend `{stem}-{key}` of each account.

    A `pooled` backend has the circuit `breaker`, without which a pool would keep calling a failed account and never use
    its next priority. A standalone backend has none, so that callers get its own responses. An account may have both,
    for APIs that call it alone and for APIs that share a pool. Its URL is that of the account's `surface`.
    `api_keys` are the values of each account's `api-key` header, in the accounts' order: references to named values,
    never keys. A pool has no such settings, so each member has those of its account.
    """
    circuit_breaker = pulumi.Output.from_input(service.sku).apply(partial(_circuit_breaker, breaker))

    def member(account: OpenAIAccount, api_key: pulumi.Input[str] | None) -> Member:
        child = f"{stem}-{account.key}"
        url = _url(account, surface)
        create = partial(_create_single, url=url, api_key=api_key, service=service, parent=parent)
        if not pooled:
            backend = create(child)
            return Member(account=account, backend=backend, standalone=lambda: backend)
        standalone = cache(partial(create, f"{child}-alone"))
        return Member(account=account, backend=create(child, circuit_breaker=circuit_breaker), standalone=standalone)

    keys: Sequence[pulumi.Input[str] | None] = api_keys or [None] * len(accounts)
    return [member(account, key) for account, key in zip(accounts, keys, strict=True)]


def create_embeddings(
    name: str, account: OpenAIAccount, deployment: str, *, service: Service, parent: pulumi.Resource
) -> apimanagement.Backend:
    """Create the backend of an account's embedding deployment, which a semantic cache calls as it is."""
    url = pulumi.Output.from_input(account.url).apply(
        lambda url: f"{url.rstrip('/')}/deployments/{deployment}/embeddings"
    )
    return _create_single(name, url=url, api_key=None, service=service, parent=parent)


def create_pool(
    name: str, members: Sequence[Member], *, service: Service, parent: pulumi.Resource
) -> pulumi.Output[str]:
    """Create the pool `name` over several members, or use the backend of a single one; return the ID for policies.

    The ID is known once the backends exist. A pool and a single backend never share an ID, since it is not known
    whether Azure can turn one into the other; an API moves between them by its policy.

    Raises:
        pulumi.RunError: There is no account, or the tier cannot observe the accounts' priorities.

    """
    if not members:
        raise pulumi.RunError("accounts is empty; name at least one Azure OpenAI account")
    if len(members) == 1:
        return members[0].standalone().name
    return _without_clash(
        apimanagement.Backend(
            name,
            backend_id=_id(name, service),
            resource_group_name=service.resource_group_name,
            service_name=service.name,
            type=apimanagement.BackendType.POOL,
            pool=pulumi.Output.from_input(service.sku).apply(partial(_pool, members)),
            opts=child_options(parent, service.subscription_id),
        ),
        service,
        parent,
    ).name


def _create_single(
    name: str,
    *,
    url: pulumi.Input[str],
    api_key: pulumi.Input[str] | None,
    service: Service,
    parent: pulumi.Resource,
    circuit_breaker: pulumi.Output[apimanagement.BackendCircuitBreakerArgsDict | None] | None = None,
) -> apimanagement.Backend:
    return _without_clash(
        apimanagement.Backend(
            name,
            backend_id=_id(name, service),
            resource_group_name=service.resource_group_name,
            service_name=service.name,
            type=apimanagement.BackendType.SINGLE,
            protocol=apimanagement.BackendProtocol.HTTP,
            url=url,
            credentials=None if api_key is None else {"header": {"api-key": [api_key]}},
            tls={"validate_certificate_chain": True, "validate_certificate_name": True},
            circuit_breaker=circuit_breaker,
            opts=child_options(parent, service.subscription_id),
        ),
        service,
        parent,
    )


def _url(account: OpenAIAccount, surface: Surface) -> pulumi.Input[str]:
    """Return where an account serves a surface; its own URL is that of the dated API."""
    if surface is Surface.DATED:
        return account.url
    return pulumi.Output.from_input(account.url).apply(lambda url: f"{url.rstrip('/')}/v1")


def _circuit_breaker(breaker: BreakerOptions, sku: str | None) -> apimanagement.BackendCircuitBreakerArgsDict | None:
    raise_mistakes(mistake.under("openai") for mistake in check_breaker_tier(breaker, sku))
    if sku == GatewaySku.CONSUMPTION:
        return None
    ranges = [code_range(codes) for codes in breaker.status_codes]
    return {
        "rules": [
            {
                "name": "unavailable",
                "failure_condition": {
                    "count": breaker.count,
                    "interval": breaker.interval,
                    "status_code_ranges": [{"min": low, "max": high} for low, high in ranges],
                    # A reason of `context.LastError` (inferred: ARM's types name none).
                    "error_reasons": ["BackendConnectionFailure"],
                },
                "trip_duration": breaker.trip,
                "accept_retry_after": breaker.accept_retry_after,
            }
        ]
    }


def _pool(members: Sequence[Member], sku: str | None) -> apimanagement.BackendBaseParametersPoolArgs:
    raise_mistakes(check_priorities((member.account.priority for member in members), sku))
    return apimanagement.BackendBaseParametersPoolArgs(
        services=[
            apimanagement.BackendPoolItemArgs(
                id=member.backend.id, priority=member.account.priority, weight=member.account.weight
            )
            for member in members
        ]
    )


def _id(name: str, service: Service) -> str:
    return shorten(service.name_prefix + name, _LONGEST_ID)


def _without_clash(backend: apimanagement.Backend, service: Service, parent: pulumi.Resource) -> apimanagement.Backend:
    report_clash(
        backend,
        "apimanagement:getBackend",
        {
            "resourceGroupName": service.resource_group_name,
            "serviceName": service.name,
            "backendId": _id(backend.pulumi_resource_name, service),
        },
        kind=NAMES,
        opts=invoke_options(parent, service.subscription_id),
    )
    return backend
