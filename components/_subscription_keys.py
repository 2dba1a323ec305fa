"""Subscriptions of the service, whose keys callers present."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import apimanagement

from components._clashes import NAMES, report_clash
from components._names import display_text
from components._subscriptions import child_options, invoke_options


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriptionKeys:
    """The keys of a subscription; secrets. Either opens what the other does."""

    primary: pulumi.Output[str]
    secondary: pulumi.Output[str]


@dataclass(frozen=True, slots=True)
class NoKeys:
    """What there is of keys where there is no subscription."""

    primary: None = None
    secondary: None = None


NO_KEYS = NoKeys()


def subscribe(
    name: str,
    args: Mapping[str, Any],
    *,
    sid: str,
    title: pulumi.Input[str],
    scope: pulumi.Input[str],
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource] = (),
) -> SubscriptionKeys:
    """Create a subscription, on the service that `args` name, and return its keys.

    Args:
        name: name of the resource.
        args: inputs of the component, with `resource_group_name`, `service_name` and `subscription_id`.
        sid: identifier of the subscription, unique within the service.
        title: beginning of its display name.
        scope: resource ID of the API or product that its keys open.
        parent: the component.
        depends_on: what must be there before the keys work.

    """
    subscription_id = args.get("subscription_id")
    service = {"resourceGroupName": args["resource_group_name"], "serviceName": args["service_name"]}
    subscription = apimanagement.Subscription(
        name,
        sid=sid,
        display_name=display_text(title, after=" callers", limit=100),
        resource_group_name=args["resource_group_name"],
        service_name=args["service_name"],
        scope=scope,
        state=apimanagement.SubscriptionState.ACTIVE,
        allow_tracing=False,
        opts=child_options(parent, subscription_id, depends_on=depends_on),
    )
    opts = invoke_options(parent, subscription_id)
    report_clash(subscription, "apimanagement:getSubscription", {**service, "sid": sid}, kind=NAMES, opts=opts)
    # Called with known values: the engine does not answer calls that depend on a component in a YAML program.
    secrets: pulumi.Output[apimanagement.ListSubscriptionSecretsResult]
    secrets = pulumi.Output.all(args["resource_group_name"], args["service_name"], subscription.name).apply(
        lambda known: apimanagement.list_subscription_secrets_output(
            resource_group_name=known[0],
            service_name=known[1],
            sid=known[2],
            opts=opts,
        )
    )
    return SubscriptionKeys(
        primary=pulumi.Output.secret(secrets.apply(lambda value: str(value.primary_key))),
        secondary=pulumi.Output.secret(secrets.apply(lambda value: str(value.secondary_key))),
    )
