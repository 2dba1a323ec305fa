"""What all published APIs share: the imported definition, the policy document and a subscription for callers."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NotRequired, TypedDict

import pulumi
from pulumi_azure_native import apimanagement

from components._answers import json_answer
from components._bearer_keys import accept_bearer_keys, noted
from components._cache import NO_CACHE, Cache, api_cache
from components._caller import TokenCaller
from components._clashes import NAMES, report_clash
from components._failover import forwarding, no_capacity_after_response, no_capacity_without_response
from components._hook import NO_HOOK, Hook, api_hook
from components._inputs import raise_mistakes, surface_of
from components._limits import NO_LIMITS, Limits, api_limits
from components._metrics import NO_METRICS, Metrics, api_metrics
from components._names import display_text
from components._requests import reading, sending
from components._responses import SHARED, Responses, api_responses
from components._safety import Safety
from components._subscription_keys import NO_KEYS, NoKeys, SubscriptionKeys
from components._subscription_keys import subscribe as subscribe_to
from components._subscriptions import child_options, invoke_options
from components._traffic import DEFAULT, Traffic, api_traffic
from definitions import UNREACHABLE, without_server
from options import Mistake, Surface
from options.api import VALUES, check_operations, check_surface, definition, own_definition
from options.gateway import name_prefix
from options.rules import check_values, guid
from policies import (
    Base,
    Choose,
    Document,
    ExistsAction,
    Policy,
    PolicyError,
    Scope,
    SetHeader,
    SetQueryParameter,
    When,
)
from policies.documents.hook import CALLER_HEADERS, CALLER_QUERY

KEY_NAME = "api-key"
"""Header and query parameter in which the OpenAI SDKs send a key; the gateway reads the subscription key from them."""


def api_options(component: str, opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """Return options with which an API component replaces one of the same name and another auth mode in place.

    To the engine, a component of another type is another resource, and so are its children. Without the aliases, a
    change of mode would try to create a second API with the same ID and path.
    """
    others = ("KeyAuthApi", "ManagedIdentityApi", "EntraProtectedApi")
    aliases = [pulumi.Alias(type_=f"openai-gateway:index:{other}") for other in others if other != component]
    return pulumi.ResourceOptions.merge(pulumi.ResourceOptions(aliases=list(aliases)), opts)


SUBSCRIBED = Choose(
    when=[
        When(
            condition="@(context.Subscription == null)",
            policies=[
                json_answer(401, "Access Denied", '{ "statusCode": 401, "message": "A subscription key is required." }')
            ],
        )
    ]
)
"""Refuses a call without a subscription, whatever the API's own setting, which may differ: by hand, or for a moment
between two updates."""


def policy_document(
    validation: Sequence[Policy],
    credential: Sequence[Policy],
    *,
    limits: Limits = NO_LIMITS,
    metrics: Metrics = NO_METRICS,
    safety: Sequence[Policy] = (),
    hook: Hook = NO_HOOK,
    accounts: int,
    traffic: Traffic = DEFAULT,
    responses: Responses = SHARED,
    cache: Cache = NO_CACHE,
    embeddings_backend_id: str = "-",
    subscription_required: bool,
    sku: str | None,
) -> str:
    """Render an API's policy.

    In order: authenticate the caller, check the model, limit what the caller uses, check that a response that it names
    is its own, send metrics, check the content, answer from the cache, run the hook, remove the caller's credentials,
    add the gateway's own.

    Raises:
        pulumi.RunError: The service's pricing tier `sku` does not support the policy.

    """
    strip: list[Policy] = [
        *(SetHeader(name=name, exists_action=ExistsAction.DELETE) for name in CALLER_HEADERS),
        *(SetQueryParameter(name=name, exists_action=ExistsAction.DELETE) for name in CALLER_QUERY),
    ]
    subscribed = [SUBSCRIBED] if subscription_required else []
    judged = bool(safety) or cache.options is not None or (limits.by_model and traffic.by_body)
    document = Document(
        inbound=[
            Base(),
            *validation,
            *subscribed,
            *reading(traffic, judged=judged),
            *limits.policies(sku),
            *responses.inbound(sku, caller_known=limits.by_token),
            *metrics.policies(),
            *safety,
            *cache.inbound(embeddings_backend_id, caller_known=limits.by_token or responses.by_token),
            *hook.before_credentials(strip),
            *sending(traffic),
            *credential,
        ],
        backend=hook.before_sending(forwarding(accounts, traffic)),
        outbound=[
            Base(),
            *responses.outbound(),
            *cache.outbound(),
            *hook.outbound,
            *no_capacity_after_response(accounts),
        ],
        on_error=[Base(), *hook.on_error, *no_capacity_without_response(accounts, traffic)],
    )
    try:
        return document.render(sku, Scope.API)
    except PolicyError as error:
        raise pulumi.RunError(str(error)) from None


class Features(TypedDict):
    """What an API's policy does beside authenticating, apart from content safety."""

    limits: Limits
    metrics: Metrics
    hook: Hook
    accounts: int
    """Number of accounts behind the API's backend."""
    traffic: Traffic
    responses: Responses
    cache: Cache
    subscription_required: bool


def api_features(
    name: str,
    args: Mapping[str, Any],
    *,
    caller: TokenCaller | None = None,
    one_caller: bool = False,
    own_backends: bool = False,
    subscription_required: bool,
) -> Features:
    """Return what the inputs of the API `name` ask for.

    Args:
        name: name of the component.
        args: its inputs.
        caller: how the validated token names the caller, if the API validates one.
        one_caller: whether only tokens of a single caller are accepted.
        own_backends: whether the API has backends of its own, which hold its keys.
        subscription_required: whether callers need a subscription key.

    Raises:
        pulumi.RunError: The options have mistakes.

    """
    return Features(
        hook=api_hook(name, args),
        responses=api_responses(args, caller=caller),
        limits=api_limits(name, args, caller=caller, subscription_required=subscription_required),
        metrics=api_metrics(args, caller=caller),
        cache=api_cache(args, caller=caller, one_caller=one_caller),
        traffic=api_traffic(args, own_backends=own_backends),
        accounts=len(args["accounts"]),
        subscription_required=subscription_required,
    )


def api_policy(
    validation: pulumi.Input[list[Policy]],
    credential: pulumi.Input[list[Policy]],
    features: Features,
    *,
    known_validation: Sequence[Policy] = (),
    safety: Safety,
    sku: pulumi.Input[str] | None,
) -> pulumi.Output[str]:
    """Render an API's policy once its inputs are known.

    The features, the content safety and `known_validation`, the validation without values that are not known yet, are
    checked against the pricing tier `sku` first, so that a mistake in them makes the preview fail.
    """
    render = partial(policy_document, **features)
    fits = pulumi.Output.from_input(sku).apply(
        lambda tier: render(known_validation, [], safety=safety.policies(tier, "-"), sku=tier)
    )
    return pulumi.Output.all(
        validation=validation,
        credential=credential,
        sku=sku,
        fits=fits,
        safety=safety.backend_id,
        embeddings=features["cache"].backend_id,
    ).apply(
        lambda known: render(
            known["validation"],
            known["credential"],
            safety=safety.policies(known["sku"], known["safety"]),
            embeddings_backend_id=known["embeddings"],
            sku=known["sku"],
        )
    )


class PublishArgs(TypedDict):
    """The inputs that all API components share."""

    resource_group_name: pulumi.Input[str]
    service_name: pulumi.Input[str]
    subscription_id: NotRequired[str | None]
    name_prefix: NotRequired[str]
    path: pulumi.Input[str]
    display_name: NotRequired[pulumi.Input[str]]
    own_subscription: NotRequired[bool]
    surface: NotRequired[Surface]
    api_version: NotRequired[pulumi.Input[str | None]]
    operations: NotRequired[list[str] | None]
    definition: NotRequired[pulumi.Input[str | None]]


def check_inputs(name: str, args: PublishArgs) -> None:
    """Refuse names, paths, versions and definitions that Azure would refuse; values of outputs are not checked here."""
    values = {"name": name, **args}
    rules = {**VALUES, "subscription_id": (guid,), "name_prefix": (name_prefix,)}
    mistakes = list(check_values(rules, values))
    version, own = args.get("api_version"), args.get("definition")
    if not mistakes and isinstance(version, str | None) and isinstance(own, str | None):
        mistakes += _definition_mistakes(surface_of(args), version, own, args.get("operations"))
    raise_mistakes(mistakes)


def _definition_mistakes(
    surface: Surface, version: str | None, own: str | None, operations: Sequence[str] | None
) -> Iterator[Mistake]:
    """Yield what is wrong with what an API offers; `own` is the user's own definition."""
    yield from check_surface(surface, version)
    unfit = [] if own is None else list(definition(("definition",), own, surface))
    yield from unfit or check_operations(operations, own_definition(surface, version) if own is None else own)


def _definition(name: str, args: PublishArgs) -> pulumi.Output[str]:
    """Return the document to import, with the API's title: the user's, or our own for the surface and version."""
    document = partial(_document, surface=surface_of(args), operations=args.get("operations"))
    return pulumi.Output.all(
        definition=args.get("definition"),
        api_version=args.get("api_version"),
        title=args.get("display_name", name),
    ).apply(document)


def _document(known: Mapping[str, str | None], *, surface: Surface, operations: Sequence[str] | None) -> str:
    version, own = known["api_version"], known["definition"]
    raise_mistakes(check_values(VALUES, known))
    raise_mistakes(_definition_mistakes(surface, version, own, operations))
    text = own_definition(surface, version, operations) if own is None else own
    return without_server(text, surface=surface, title=known["title"], operations=operations)


def publish(
    name: str,
    args: PublishArgs,
    *,
    policy: pulumi.Output[str],
    subscription_required: bool,
    bearer_keys: bool = False,
    parent: pulumi.Resource,
) -> apimanagement.Api:
    """Import the definition as the API `name` and attach `policy`, which is known once its credential works.

    `bearer_keys` must not be set on an API that validates tokens, for which a bearer is a token.
    """
    child = child_options(parent, args.get("subscription_id"))
    api_id = args.get("name_prefix", "") + name
    display_name = display_text(args.get("display_name", name), limit=300)
    imported = _definition(name, args)
    if bearer_keys:
        imported = imported.apply(noted)
    api = apimanagement.Api(
        f"{name}-api",
        api_id=api_id,
        resource_group_name=args["resource_group_name"],
        service_name=args["service_name"],
        path=args["path"],
        display_name=display_name,
        protocols=[apimanagement.Protocol.HTTPS],
        service_url=UNREACHABLE,
        subscription_required=subscription_required,
        subscription_key_parameter_names={"header": KEY_NAME, "query": KEY_NAME},
        format=apimanagement.ContentFormat.OPENAPI_JSON,
        value=imported,
        opts=child,
    )
    if bearer_keys:
        accept_bearer_keys(
            name,
            {
                "path": args["path"],
                "displayName": display_name,
                "protocols": ["https"],
                "serviceUrl": UNREACHABLE,
                "subscriptionRequired": subscription_required,
                "subscriptionKeyParameterNames": {"header": KEY_NAME, "query": KEY_NAME},
            },
            api=api,
            api_id=api_id,
            definition=imported,
            service_name=args["service_name"],
            resource_group_name=args["resource_group_name"],
            opts=child,
        )
    report_clash(
        api,
        "apimanagement:getApi",
        {**_service(args), "apiId": api_id},
        kind=NAMES,
        opts=invoke_options(parent, args.get("subscription_id")),
    )
    apimanagement.ApiPolicy(
        f"{name}-policy",
        resource_group_name=args["resource_group_name"],
        service_name=args["service_name"],
        api_id=api.name,
        policy_id="policy",
        format=apimanagement.PolicyContentFormat.XML,
        value=policy,
        opts=child,
    )
    return api


def subscribe(
    name: str, args: PublishArgs, api: apimanagement.Api, *, parent: pulumi.Resource
) -> SubscriptionKeys | NoKeys:
    """Create a subscription for the API's callers, unless only teams have keys, and return its keys."""
    if args.get("own_subscription") is False:
        return NO_KEYS
    return subscribe_to(
        f"{name}-subscription",
        args,
        sid=f"{args.get('name_prefix', '')}{name}-callers",
        title=args.get("display_name", name),
        scope=api.id,
        parent=parent,
    )


def _service(args: PublishArgs) -> dict[str, pulumi.Input[str]]:
    return {"resourceGroupName": args["resource_group_name"], "serviceName": args["service_name"]}
