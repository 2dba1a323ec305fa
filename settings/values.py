"""Rules on single values of stack config: names, IDs, addresses, URLs, ranges.

They see the raw values, so that they speak up even where the shape around them is wrong. A value of another type is
left to the schema.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from math import inf
from typing import Any

from policies import PolicyError
from policies.checks import check_decided, check_url
from policies.options import check_characters
from settings.mistakes import LOCATION, Key, Mistake, spell, suggestion

API_VERSIONS = ("2022-12-01", "2023-05-15", "2024-02-01", "2024-06-01", "2024-10-21")
"""Stable versions of the Azure OpenAI inference definition (azure-rest-api-specs)."""

Rule = Callable[[Key, Any], Iterator[Mistake]]

GUID = "[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_IDENTITY = (
    f"system-assigned|user-assigned|(?i:/subscriptions/{GUID}/resourceGroups/[^/]+"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/[A-Za-z0-9][A-Za-z0-9_-]{2,127})"
)


def _like(pattern: str, allowed: str) -> Rule:
    """Return the rule of text that the whole pattern matches."""
    regex = re.compile(pattern)

    def rule(key: Key, value: Any) -> Iterator[Mistake]:
        if isinstance(value, str) and not regex.fullmatch(value):
            yield Mistake(key=key, value=value, problem=f"is not valid; allowed: {allowed}")

    return rule


def _passes(*checks: Callable[[str, str], None]) -> Rule:
    """Return the rule of text that checks of the policies let pass."""

    def rule(key: Key, value: Any) -> Iterator[Mistake]:
        if not isinstance(value, str):
            return
        try:
            for check in checks:
                check("value", value)
        except PolicyError as error:
            # Here the key stands in front, not the policy's option, and the value only where it may be shown.
            yield Mistake(key=key, value=value, problem=str(error).removeprefix("value ").removeprefix(f"{value!r} "))

    return rule


def _number(low: int, high: int | None, allowed: str) -> Rule:
    """Return the rule of a whole number in a range; a boolean is none."""

    def rule(key: Key, value: Any) -> Iterator[Mistake]:
        try:
            number = float(value)
        except (TypeError, ValueError):
            return
        if isinstance(value, bool) or not low <= number <= (inf if high is None else high):
            yield Mistake(key=key, value=value, problem=f"is not valid; allowed: {allowed}")

    return rule


def _boolean(key: Key, value: Any) -> Iterator[Mistake]:
    if not isinstance(value, bool | list | dict | None) and value not in ("true", "false"):
        yield Mistake(key=key, value=value, problem="is given where true or false is expected")


def _distinct(key: Key, value: Any) -> Iterator[Mistake]:
    """Refuse a list that holds something twice."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            if item in value[:index]:
                twin = spell((*key, value.index(item)))
                yield Mistake(key=(*key, index), value=item, problem=f"repeats {twin}; remove one of the two")


def _adopted(what: str, *own: str) -> Rule:
    """Return the rule of a mapping that names an `existing` resource, and so none of the settings of a new one."""

    def rule(key: Key, value: Any) -> Iterator[Mistake]:
        if isinstance(value, Mapping) and value.get("existing") is not None:
            for name in own:
                if value.get(name) not in (None, [], {}):
                    problem = f"cannot be set on {what} that is adopted; remove it, or remove existing to create one"
                    yield Mistake(key=(*key, name), value=value[name], problem=problem)

    return rule


def _names_claims(key: Key, value: Any) -> Iterator[Mistake]:
    if isinstance(value, Mapping):
        for name in value:
            for mistake in _literal(key, name):
                yield Mistake(key=(*key, name), problem=f"has a claim name that {mistake.problem}")


def _demands_something(key: Key, value: Any) -> Iterator[Mistake]:
    if value == []:
        yield Mistake(key=key, problem="is empty and would let any value in; list the values that are accepted")


def _known_version(key: Key, value: Any) -> Iterator[Mistake]:
    if isinstance(value, str) and value not in API_VERSIONS:
        known = ", ".join(API_VERSIONS)
        problem = f"is no stable version; allowed: {known}, or a definitionFile{suggestion(value, API_VERSIONS)}"
        yield Mistake(key=key, value=value, problem=problem)


def _tags(key: Key, value: Any) -> Iterator[Mistake]:
    if not isinstance(value, Mapping):
        return
    if len(value) > 50:
        yield Mistake(key=key, problem=f"has {len(value)} tags; allowed: up to 50; remove some")
    for name, text in value.items():
        if not re.fullmatch(r"[^<>%&\\?/\x00-\x1f]{1,512}", str(name)):
            problem = "has a name that is not valid; allowed: 1 to 512 characters, none of < > % & \\ ? /"
            yield Mistake(key=(*key, name), problem=problem)
        if isinstance(text, str) and len(text) > 256:
            yield Mistake(key=(*key, name), problem=f"is {len(text)} characters long; allowed: up to 256; shorten it")


_guid = _like(GUID, "a GUID such as 11111111-2222-3333-4444-555555555555")
_literal = _passes(check_decided, check_characters)
_url = _passes(check_url)
_permission = _like(
    r"(?![.])[A-Za-z0-9:!#$%&'()*+,./;<=>?@\[\]^_`{|}~-]{1,120}",  # what Entra takes for an app role or a scope
    "1 to 120 letters, digits and punctuation, no spaces, no leading dot",
)
_identity = _like(
    _IDENTITY, "system-assigned, user-assigned or the resource ID of a user-assigned identity (/subscriptions/...)"
)
_resource_group = _like(
    r"[\w.()-]{0,89}[\w()-]", "1 to 90 letters, digits and . _ - ( ), not ending in a dot; name a resource group"
)
_region = _like("[A-Za-z][A-Za-z0-9 ]*", "an Azure region such as swedencentral")
_service = _like(
    "[a-zA-Z](?:[a-zA-Z0-9-]{0,48}[a-zA-Z0-9])?",
    "1 to 50 letters, digits and hyphens, beginning with a letter and not ending in a hyphen",
)
_vault = _like(
    "(?!.*--)[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]",
    "3 to 24 letters, digits and single hyphens, beginning with a letter and not ending in a hyphen",
)
_words = _like(r"(?=.{1,100}\Z)\S(?:.*\S)?", "1 to 100 characters, no spaces around them")

_CREDENTIALS: dict[str, tuple[Rule, ...]] = {
    "key.namedValue": (_like("[A-Za-z0-9._-]{1,256}", "1 to 256 letters, digits and . _ -"),),
    "key.vault": (_adopted("a vault", "name"),),
    "key.vault.name": (_vault,),
    "key.vault.existing.name": (_vault,),
    "key.vault.existing.resourceGroup": (_resource_group,),
    "entra": (_adopted("an app registration", "scopes", "preAuthorizedClientIds", "assignmentRequired"),),
    "entra.existing.clientId": (_guid,),
    "entra.existing.audiences.*": (_literal,),
    "entra.tenantId": (_guid,),
    "entra.roles": (_distinct,),
    "entra.roles.*": (_literal, _permission),
    "entra.scopes": (_distinct,),
    "entra.scopes.*": (_literal, _permission),
    "entra.clientApplicationIds.*": (_guid,),
    "entra.preAuthorizedClientIds.*": (_guid,),
    "entra.assignmentRequired": (_boolean,),
    "entra.roleAssignments": (_distinct,),
    "entra.roleAssignments.*.principalId": (_guid,),
    "jwt.openidConfigUrls.*": (_url,),
    "jwt.issuers.*": (_url,),
    "jwt.audiences.*": (_literal,),
} | {
    f"{block}.requiredClaims{rest}": (rule,)
    for block in ("entra", "jwt")
    for rest, rule in {
        "": _names_claims,
        ".*.values": _demands_something,
        ".*.values.*": _literal,
        ".*.separator": _like("[ -~]", "one character, such as a space"),
    }.items()
}

_RULES: dict[str, tuple[Rule, ...]] = {
    "gateway": (_adopted("a service", "name", "sku", "capacity", "publisherName", "publisherEmail", "tags"),),
    "gateway.existing.name": (_service,),
    "gateway.existing.resourceGroup": (_resource_group,),
    "gateway.name": (_service,),
    "gateway.capacity": (_number(0, None, "a whole number from 0"),),
    "gateway.publisherName": (_words,),
    "gateway.publisherEmail": (_like(r"(?=.{1,100}\Z)[^@\s]+@[^@\s]+\.[^@\s.]+", "an address such as ai@contoso.com"),),
    "gateway.identity": (_identity,),
    "gateway.tags": (_tags,),
    "openai.accounts.*": (_adopted("an account", "location", "name", "disableLocalAuth"),),
    "openai.accounts.*.existing.name": (
        _like("[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}", "2 to 64 letters, digits and . _ -, beginning with a letter or digit"),
    ),
    "openai.accounts.*.existing.resourceGroup": (_resource_group,),
    "openai.accounts.*.location": (_region,),
    "openai.accounts.*.name": (
        _like(
            "[a-z0-9][a-z0-9-]{0,62}[a-z0-9]",
            "2 to 64 lower-case letters, digits and hyphens, no hyphen at either end, as in a host name",
        ),
    ),
    "openai.accounts.*.disableLocalAuth": (_boolean,),
    "openai.accounts.*.priority": (_number(0, 100, "a whole number from 0 to 100"),),
    "openai.accounts.*.weight": (_number(0, 100, "a whole number from 0 to 100"),),
    "openai.deployments.*.name": (
        _like("[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}", "2 to 64 letters, digits and . _ -, beginning with a letter or digit"),
    ),
    "openai.deployments.*.model": (_like("[A-Za-z0-9][A-Za-z0-9_.-]*", "a model's name, such as gpt-4o"),),
    "openai.deployments.*.version": (_like("[A-Za-z0-9][A-Za-z0-9_.-]*", "a model's version, such as 2024-11-20"),),
    "openai.deployments.*.sku": (_like("[A-Za-z]+", "a deployment SKU such as GlobalStandard or Standard"),),
    "openai.deployments.*.capacity": (_number(1, None, "a whole number from 1"),),
    "openai.deployments.*.raiPolicy": (_words,),
    "apis.*.name": (
        _like(
            "[a-zA-Z](?:[a-zA-Z0-9-]{0,48}[a-zA-Z0-9])?",
            "1 to 50 letters, digits and hyphens, beginning with a letter and not ending in a hyphen",
        ),
    ),
    "apis.*.path": (
        _like(
            r"(?=.{1,400}\Z)(?!(?:.*/)?\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*",
            "segments of letters, digits and . _ ~ - with single slashes between them, none . or .., none at the ends",
        ),
    ),
    "apis.*.identity": (_identity,),
    "apis.*.subscriptionRequired": (_boolean,),
    "apis.*.apiVersion": (_known_version,),
    **_CREDENTIALS,
    **{f"apis.*.{pattern}": rules for pattern, rules in _CREDENTIALS.items()},
}


def check_values(tree: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield what is wrong with single values of the canonical tree."""
    for pattern, rules in _RULES.items():
        for key, value in _find((), tree, pattern.split(".")):
            for rule in rules:
                yield from rule(key, value)


def check_location(location: Any) -> Iterator[Mistake]:
    """Yield what is wrong with the region of what is created."""
    key = (LOCATION,)
    if location is None:
        problem = "is missing; name the region of what is created, such as swedencentral"
        yield Mistake(key=key, problem=problem)
    elif not isinstance(location, str):
        yield Mistake(key=key, value=location, problem="is given where text is expected; name an Azure region")
    else:
        yield from _region(key, location)


def _find(key: Key, value: Any, pattern: list[str]) -> Iterator[tuple[Key, Any]]:
    """Yield what stands at the pattern, `*` being each item of a list or mapping."""
    if not pattern:
        yield key, value
    elif pattern[0] != "*":
        if isinstance(value, Mapping) and pattern[0] in value:
            yield from _find((*key, pattern[0]), value[pattern[0]], pattern[1:])
    elif isinstance(value, Mapping | list):
        for part, item in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _find((*key, part), item, pattern[1:])
