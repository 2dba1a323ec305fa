"""Subscriptions, whose keys open APIs."""

import re
from dataclasses import replace

from apim_emulator.azure.exceptions import ResourceNotFoundError, ValidationError
from apim_emulator.azure.providers.access_keys import new_key, new_keys
from apim_emulator.azure.providers.apimanagement import IDENTIFIER, PATH, SUBSCRIPTION
from apim_emulator.azure.resource_types import Function, Shape, Text, arm_type, existing, get_function, required_text
from apim_emulator.azure.state import Properties, Resource, State

_KEYS = ("primary", "secondary")


def _complete(state: State, resource: Resource, parent: Resource) -> None:
    scope = _scope(state, parent, required_text(resource.inputs, "scope"))
    given = resource.inputs.get("state", "submitted")
    keys = new_keys(resource.inputs, resource.private.get("keys"))
    if any(set(keys) & set(other.private["keys"]) for other in state.others(resource, under=parent.id)):
        raise ValidationError("another subscription already has one of the keys", "primaryKey")
    _require_room(state, resource, parent, scope)
    resource.private |= {"keys": keys, "scope": scope}
    resource.outputs |= {"state": given, "scope": parent.id + scope}


def _require_room(state: State, resource: Resource, service: Resource, scope: str) -> None:
    """Refuse an owner's subscription of a product that allows each user no more (Azure/apiops #623).

    A subscription without an owner counts for nobody (inferred).
    """
    product = state.find(service.id + scope)
    limit = None if product is None else product.outputs.get("subscriptionsLimit")
    owner = str(resource.inputs.get("ownerId") or "").rsplit("/", 1)[-1]
    if limit is None or not owner:
        return
    held = [
        other
        for other in state.others(resource, under=service.id)
        if other.private["scope"].lower() == scope.lower()
        and str(other.outputs.get("ownerId") or "").rsplit("/", 1)[-1] == owner
    ]
    if len(held) >= limit:
        raise ValidationError("Subscriptions limit reached for same user", "ownerId")


def _scope(state: State, service: Resource, given: str) -> str:
    """`/apis`, `/apis/{apiId}` or `/products/{productId}`, from that form or from a resource ID."""
    relative = given.rstrip("/")
    if relative.lower().startswith(service.id.lower()):
        relative = relative[len(service.id) :] or "/apis"
    if not re.fullmatch(r"/apis|/apis/[^/]+|/products/[^/]+", relative):
        raise ValidationError(
            f"scope {given!r} must be /apis, /apis/{{apiId}}, /products/{{productId}} or the ID of one of them in "
            "this service",
            "scope",
        )
    if relative != "/apis" and state.find(service.id + relative) is None:
        raise ResourceNotFoundError("the scope of the subscription", given, "scope")
    return relative


TYPE = arm_type(
    token=SUBSCRIPTION,
    path=f"{PATH}/subscriptions",
    names="serviceName sid",
    shape=Shape(
        "displayName resourceGroupName scope serviceName",
        "allowTracing appType notify ownerId primaryKey secondaryKey sid state",
        state=Text(values=("suspended", "active", "expired", "submitted", "rejected", "cancelled")),
    ),
    complete=_complete,
    pattern=IDENTIFIER,
    write_only=lambda _inputs: ("appType", "notify", "primaryKey", "secondaryKey"),
)


def regenerate_subscription_key(state: State, subscription: Resource, key: str) -> None:
    """Put a new key in the place of one ("Subscription - Regenerate Primary Key", "... Secondary Key")."""
    if key not in _KEYS:
        raise ValidationError(f"key {key!r} is not {' or '.join(_KEYS)}", "key")
    keys = tuple(
        new_key() if name == key else old for name, old in zip(_KEYS, subscription.private["keys"], strict=True)
    )
    state.put(replace(subscription, private=subscription.private | {"keys": keys}))


def _list_secrets(state: State, args: Properties) -> Properties:
    primary, secondary = existing(state, f"{PATH}/subscriptions", args, "serviceName sid").private["keys"]
    return {"primaryKey": primary, "secondaryKey": secondary}


GET = get_function("azure-native:apimanagement:getSubscription", f"{PATH}/subscriptions", "serviceName sid")

LIST_SECRETS = Function("azure-native:apimanagement:listSubscriptionSecrets", _list_secrets)
