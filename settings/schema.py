"""The shape of stack config: the option dataclasses under the keys of the namespace."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from options import (
    ApiOptions,
    AuthMode,
    CacheOptions,
    EntraOptions,
    GatewayOptions,
    IdentityProviderOptions,
    JwtOptions,
    KeyOptions,
    LimitOptions,
    MetricsOptions,
    NetworkOptions,
    ObservabilityOptions,
    OpenAIOptions,
    SafetyOptions,
    TeamOptions,
    TokenPolicies,
)
from options.mistakes import ABSENT, Key, Mistake, camel, suggestion
from settings.mistakes import LOCATION, REFUSED


class Stack(BaseModel):
    """Config of a stack: one field for each key of the namespace, in camelCase."""

    model_config = ConfigDict(alias_generator=camel, extra="forbid", frozen=True)

    auth: AuthMode = AuthMode.MANAGED_IDENTITY
    """Auth mode of every API that does not set its own."""
    gateway: GatewayOptions = GatewayOptions()
    openai: OpenAIOptions = Field(default_factory=OpenAIOptions)
    key: KeyOptions = KeyOptions()
    entra: EntraOptions | None = None
    jwt: JwtOptions | None = None
    identity_providers: list[IdentityProviderOptions] = Field(default_factory=list)
    """Identity providers beside each other, instead of `entra` or `jwt`."""
    safety: SafetyOptions | None = None
    cache: CacheOptions | None = None
    network: NetworkOptions = NetworkOptions()
    protect: bool = False
    """Whether Pulumi refuses to delete or replace the group, the service, the accounts and the vaults it creates."""
    limits: list[LimitOptions] = Field(default_factory=list)
    """Limits of every API, in addition to its own; each API counts for itself."""
    metrics: MetricsOptions | None = None
    """Metrics of the tokens of each call, for every API that does not set its own."""
    token_policies: TokenPolicies = TokenPolicies.LLM
    """Family of the policies that count tokens, for every API that does not set its own."""
    observability: ObservabilityOptions | None = None
    """What is kept of calls."""
    apis: list[ApiOptions] = Field(default_factory=lambda: [ApiOptions(name="openai", path="openai")])
    teams: list[TeamOptions] = Field(default_factory=list)
    """Teams, each with the APIs that it may call."""


_NEEDED = {
    "apis": "list the APIs that the team may call",
    "audiences": "list the accepted audiences",
    "certificate": "name the certificate in the vault",
    "endpointSubnet": "give the resource ID of the subnet for private endpoints",
    "clientId": "give the application (client) ID",
    "duration": "give the seconds for which an answer is kept",
    "embeddings": "name the deployment of an embedding model, such as text-embedding-3-small",
    "id": "give the object ID of the owner",
    "input": "give the US dollars for a million tokens of prompts",
    "location": "name an Azure region",
    "maxBytes": "give the most bytes of a prompt and of an answer that are logged, such as 8192",
    "model": "name the model to deploy, such as gpt-5.6-luna",
    "name": "give the name",
    "namespace": "give the namespace of the metrics, such as openai",
    "output": "give the US dollars for a million tokens of answers",
    "openidConfigUrls": "list the provider's OpenID configuration endpoints",
    "per": "say who shares the amount: subscription, caller, product, model or api",
    "path": "give the URL path, which ends in openai, such as team/openai",
    "principalId": "give the object ID of the client's service principal",
    "resourceGroup": "name the resource group that holds it",
    "scoreThreshold": "give the distance up to which prompts mean the same, such as 0.05",
    "size": "give the characters that are checked at a time",
    "role": "name one of the application's roles",
    "values": "list the accepted values",
    "varyBy": "say who gets answers to each other's prompts: caller, subscription or api",
    "vault": "give the name and resourceGroup of the vault that holds the certificate",
}
_SHORTHANDS = {"appInsights": "create, off or a mapping", "prompts": "off or a mapping"}
"""What may stand in the place of a mapping, by key."""
_MOST_PLACES = 4
"""Most mappings that a message lists as the right place of a key."""
_SAME_IN_APIS = ("key", "entra", "jwt", "identityProviders", "limits", "metrics", "safety", "cache")
"""Blocks that both the stack and an API may have."""
_OPTIONAL = frozenset(_SAME_IN_APIS) - {"key", "identityProviders", "limits"} | {"observability"}
"""Those of the stack's blocks that may be left out."""
_hints_of_fields = cache(get_type_hints)  # which takes its time
_SHAPES = {
    "bool": "true or false",
    "dataclass": "a mapping",
    "dict": "a mapping",
    "float": "a number",
    "int": "a whole number",
    "list": "a list",
    "string": "text",
}


def parse(tree: Mapping[str, Any]) -> tuple[Stack, set[str], list[Mistake]]:
    """Validate each key of the canonical tree by itself.

    Returns the valid keys as a `Stack`, with defaults for the others; the names of the others; and what is wrong with
    them.
    """
    good: dict[str, Any] = {}
    bad: set[str] = set()
    mistakes: list[Mistake] = []
    names = {camel(name): name for name in Stack.model_fields}
    for key, value in tree.items():
        name = names.get(key, key)
        if key in names and (blanks := list(_blanks(_type_at((key,)), (key,), value))):
            bad.add(name)
            mistakes += blanks
        try:
            good[key] = getattr(Stack.model_validate({key: value}), name)
        except ValidationError as error:
            bad.add(name)
            mistakes += map(_mistake, error.errors(include_url=False, include_context=False))
    return Stack.model_construct(**good), bad, mistakes


def canonical(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Expand the shorthands: one account for a list of one, bare values of a claim, names, IDs, `{}` for none."""
    # Pulumi.yaml must give every optional key a default, which is {} for these.
    result = {key: value for key, value in tree.items() if not (key in _OPTIONAL and value == {})}
    openai = result.get("openai")
    if isinstance(openai, Mapping) and isinstance(openai.get("accounts"), Mapping):
        result["openai"] = {**openai, "accounts": [openai["accounts"]]}
    if isinstance(apis := result.get("apis"), list):
        result["apis"] = [
            _named(_with_claims(api), "models", "name") if isinstance(api, Mapping) else api for api in apis
        ]
    if isinstance(teams := result.get("teams"), list):
        result["teams"] = [_named(team, "owners", "id") if isinstance(team, Mapping) else team for team in teams]
    if isinstance(observability := result.get("observability"), Mapping):
        result["observability"] = _with_switches(observability)
    return _with_claims(result)


def _with_switches(observability: Mapping[str, Any]) -> Mapping[str, Any]:
    """Expand `appInsights: create`, `appInsights: off`, `prompts: off` and one address; YAML 1.1 reads off as false."""
    result = dict(observability)
    insights = result.get("appInsights")
    if isinstance(insights, bool) or insights in ("create", "off"):
        result["appInsights"] = {"enabled": insights in ("create", True)}
    if result.get("prompts") in ("off", False):
        del result["prompts"]
    alerts = result.get("alerts")
    if isinstance(alerts, Mapping) and isinstance(alerts.get("email"), str):
        result["alerts"] = {**alerts, "email": [alerts["email"]]}
    return result


def _with_claims(blocks: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(blocks)
    for key in ("entra", "jwt"):
        block = result.get(key)
        if isinstance(block, Mapping) and isinstance(claims := block.get("requiredClaims"), Mapping):
            result[key] = {**block, "requiredClaims": {name: _claim(value) for name, value in claims.items()}}
    if isinstance(providers := result.get("identityProviders"), list):
        result["identityProviders"] = [_with_claims(one) if isinstance(one, Mapping) else one for one in providers]
    return result


def _named(block: Mapping[str, Any], key: str, field: str) -> Mapping[str, Any]:
    """Expand the texts in a list of mappings, each of which stands for a mapping with one field."""
    items = block.get(key)
    if not isinstance(items, list):
        return block
    return {**block, key: [{field: item} if isinstance(item, str) else item for item in items]}


def _claim(value: object) -> object:
    if isinstance(value, list):
        return {"values": value}
    return {"values": [value]} if isinstance(value, str) else value


def _mistake(error: ErrorDetails) -> Mistake:
    key, value, kind = error["loc"], error["input"], error["type"]
    if key[-1] == "[key]" and kind.startswith("string"):  # how pydantic marks a mapping's key that is itself wrong
        key = key[:-1]
    if kind == "missing":
        return Mistake(key=key, problem=f"is missing; {_NEEDED[str(key[-1])]}")
    if kind in {"extra_forbidden", "unexpected_keyword_argument"}:
        known = list(_known_keys(key[:-1]))
        # The key may be misspelled, or at the wrong level.
        hint = suggestion(key[-1], known) or _right_place(str(key[-1]))
        return Mistake(key=key, problem=f"is not a known key; allowed: {', '.join(known)}{hint}")
    if kind == "enum":
        known = [str(member) for member in _type_at(key)]
        problem = f"is not allowed; allowed: {', '.join(known)}{suggestion(value, known)}"
    elif kind == "value_error":
        value, problem = ABSENT, REFUSED
    else:
        shape = kind.partition("_")[0]
        expected = _SHAPES.get(shape, "a key that is text")
        if shape == "dataclass" and key[-1] in _SHORTHANDS:
            expected = _SHORTHANDS[str(key[-1])]
        if key[-2:-1] == ("requiredClaims",) and shape == "dataclass":
            expected = "a value, a list of values, or a mapping of values, match and separator"
        problem = f"is given where {expected} is expected"
        if shape == "string" and not isinstance(value, dict | list | bool | None):
            problem += "; put it in quotes, since YAML reads 0125 without quotes as 85"
    return Mistake(key=key, value=value, problem=problem)


def _right_place(name: str) -> str:
    """Return `; it belongs in X` if a few mappings have a key of this name, or an empty string."""
    if name == "location":
        return f"; the region of new resources is {LOCATION}"
    places = [place for place in _mappings(Stack, "") if name in place.keys]
    if not 1 <= len(places) <= _MOST_PLACES:
        return ""
    first, last = ", ".join(place.path for place in places[:-1]), places[-1].path
    return f"; it belongs in {f'{first} or ' if first else ''}{last}"


class _Place(NamedTuple):
    path: str
    keys: frozenset[str]


def _mappings(kind: Any, path: str) -> Iterator[_Place]:
    """Yield the mappings with fixed keys inside `kind`."""
    for name, hint in _hints(kind).items():
        if name in _SAME_IN_APIS and path:
            continue  # listed once, at the top level
        inner, suffix = _given(hint), ""
        while get_origin(inner) is list:
            inner, suffix = _given(get_args(inner)[0]), f"{suffix}[]"
        if is_dataclass(inner):
            here = f"{path}.{name}{suffix}".removeprefix(".")
            yield _Place(here, frozenset(_hints(inner)))
            yield from _mappings(inner, here)


def _known_keys(key: Key) -> Iterator[str]:
    """Return the keys that the mapping at `key` may have."""
    kind = _type_at(key)
    names = [field.name for field in fields(kind)] if is_dataclass(kind) else list(Stack.model_fields)
    return map(camel, names)


def _type_at(key: Key) -> Any:
    """Return the type of the value at `key`, without its `None`."""
    kind: Any = Stack
    for part in key:
        kind = _given(get_args(kind)[-1] if get_origin(kind) in {list, dict} else _hints(kind)[str(part)])
    return kind


def _blanks(kind: Any, key: Key, value: Any) -> Iterator[Mistake]:
    """Refuse blank values of fields that have a default other than None, since the default would not apply."""
    if is_dataclass(kind) and isinstance(value, Mapping):
        hints = _hints(kind)
        for field in fields(kind):
            name = camel(field.name)
            if name in value and value[name] is None and field.default is not None:
                yield Mistake(key=(*key, name), problem="is blank; give it a value, or remove it")
            elif name in value:
                yield from _blanks(_given(hints[name]), (*key, name), value[name])
    elif get_origin(kind) is list and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _blanks(get_args(kind)[0], (*key, index), item)


def _hints(kind: Any) -> dict[str, Any]:
    return {camel(name): hint for name, hint in _hints_of_fields(kind).items()}


def _given(kind: Any) -> Any:
    """Return the type without its `None`."""
    return get_args(kind)[0] if get_origin(kind) in {Union, UnionType} else kind
