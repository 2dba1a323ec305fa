"""Every attribute of every policy: as a literal, and as an expression where one is allowed."""

import re
from collections import defaultdict
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.element import Element
from apim_emulator.gateway.policies import POLICIES
from apim_emulator.testing import Reply, Response
from apim_emulator.testing.tokens import TENANT
from emulator.tests.gateway.policies.elements import PLACES, Place, call

Given = tuple[str, str] | str
"""A literal and an expression of the same value, or a literal where no expression is allowed."""


def text(value: str) -> Given:
    return value, f'@("{value[:1]}" + "{value[1:]}")'


def number(value: int) -> Given:
    return str(value), f"@({value - 1} + 1)"


YES, NO = ("true", "@(1 == 1)"), ("false", "@(1 == 2)")
ACTION = text("prevent")
NAME = "name"
TOKEN: dict[str, Given] = {
    "header-name": text("Authorization"), "failed-validation-httpcode": number(403),
    "failed-validation-error-message": text("no"), "output-token-variable-name": "jwt",
    "query-parameter-name": text("q"), "token-value": text("abc"), "require-scheme": text("Bearer"),
}  # fmt: skip
RATE: dict[str, Given] = {
    "calls": number(1), "renewal-period": number(60), "retry-after-header-name": "X-Retry",
    "retry-after-variable-name": "retry", "remaining-calls-header-name": "X-Left",
    "remaining-calls-variable-name": "left", "total-calls-header-name": "X-All",
}  # fmt: skip
BY_KEY: dict[str, Given] = {"counter-key": text("k"), "increment-condition": YES, "increment-count": number(1)}
CACHE: dict[str, Given] = {"key": text("k"), "caching-type": "internal"}
METRIC: dict[str, Given] = {"namespace": "n", "name": "m", "value-type": "all", "ignore-prompt": "true"}
TOKEN_LIMIT: dict[str, Given] = {
    "counter-key": text("k"), "tokens-per-minute": number(10), "token-quota": "100", "token-quota-period": "Daily",
    "estimate-prompt-tokens": "false", "prompt-type": "auto", "ignore-prompt": "true",
    "retry-after-header-name": "X-Retry", "retry-after-variable-name": "retry",
    "remaining-tokens-header-name": "X-Left", "remaining-tokens-variable-name": "left",
    "remaining-quota-tokens-header-name": "X-Quota", "remaining-quota-tokens-variable-name": "quota",
    "tokens-consumed-header-name": "X-Used", "tokens-consumed-variable-name": "used",
}  # fmt: skip
LOOKUP: dict[str, Given] = {
    "score-threshold": "0.1", "embeddings-backend-id": "embeddings", "embeddings-backend-auth": "header",
    "ignore-system-messages": YES, "max-message-count": number(3), "cache-id": "c",
}  # fmt: skip

ATTRIBUTES: dict[str, dict[str, Given]] = {
    "authentication-basic": {"username": text("user"), "password": text("pass")},
    "authentication-managed-identity": {
        "resource": text("https://b.example"), "client-id": text("system-assigned"),
        "output-token-variable-name": "token", "ignore-error": "true",
    },
    "cache-lookup": {
        "vary-by-developer": YES, "vary-by-developer-groups": "false", "allow-private-response-caching": NO,
        "caching-type": "internal", "downstream-caching-type": "none", "must-revalidate": NO,
    },
    "cache-lookup-value": {**CACHE, "variable-name": "v", "default-value": text("x")},
    "cache-remove-value": CACHE,
    "cache-store": {"duration": number(9), "cache-response": NO},
    "cache-store-value": {**CACHE, "value": text("x"), "duration": number(5)},
    "check-header": {
        "name": text("X-Team"), "failed-check-httpcode": number(418), "failed-check-error-message": text("no"),
        "ignore-case": NO,
    },
    "choose": {},
    "cors": {"allow-credentials": YES, "terminate-unmatched-request": NO},
    "emit-metric": {"name": NAME, "namespace": "n", "value": ("2", "@(2)"), "default-dimensions": "true"},
    "find-and-replace": {"from": text("Hello"), "to": text("Bye")},
    "forward-request": {
        "timeout": number(5), "timeout-ms": number(5000), "fail-on-error-status-code": "true",
        "buffer-request-body": "true", "buffer-response": "false", "follow-redirects": "false", "http-version": "1",
    },
    "ip-filter": {"action": text("allow")},
    "limit-concurrency": {"key": text("k"), "max-count": "1"},
    "llm-content-safety": {
        "backend-id": text("checker"), "shield-prompt": NO, "enforce-on-completions": YES, "window-size": number(9),
        "window-overlap-size": number(2),
    },
    "log-to-eventhub": {"logger-id": "other", "partition-id": "3", "partition-key": text("key")},
    "mock-response": {"enabled": "false", "status-code": "404", "content-type": "text/html", "index": "1"},
    "quota": {"calls": "1", "bandwidth": "10", "renewal-period": "3600"},
    "quota-by-key": {
        "calls": "1", "bandwidth": "10", "renewal-period": "3600", **BY_KEY,
        "first-period-start": "2020-01-01T00:00:00Z",
    },
    "rate-limit": {**{name: given if isinstance(given, str) else given[0] for name, given in RATE.items()}},
    "rate-limit-by-key": {
        **RATE, **BY_KEY, "increment-after-response": "true",
    },
    "retry": {
        "condition": NO, "count": number(2), "interval": number(3), "delta": number(2), "max-interval": number(9),
        "first-fast-retry": YES,
    },
    "return-response": {"response-variable-name": "v"},
    "rewrite-uri": {"template": text("/x/y"), "copy-unmatched-params": "false"},
    "send-one-way-request": {"mode": text("copy"), "timeout": number(9)},
    "send-request": {
        "mode": text("copy"), "timeout": number(9), "timeout-ms": number(9000), "response-variable-name": "v",
        "ignore-error": "true", "fail-on-error-status-code": "true", "buffer-response": "false",
    },
    "set-backend-service": {"backend-id": text("east"), "base-url": text("https://backend.test/x")},
    "set-body": {"template": "liquid"},
    "set-header": {"name": text("X-B"), "exists-action": text("append")},
    "set-method": {},
    "set-query-parameter": {"name": text("q"), "exists-action": text("append")},
    "set-status": {"code": number(418), "reason": text("Teapot")},
    "set-variable": {"name": "v", "value": text("x")},
    "trace": {"source": "s", "severity": "error"},
    "validate-azure-ad-token": {
        **TOKEN, "tenant-id": TENANT, "authentication-endpoint": "https://login.microsoftonline.com",
    },
    "validate-content": {
        "unspecified-content-type-action": ACTION, "max-size": number(9), "size-exceeded-action": ACTION,
        "errors-variable-name": "errors",
    },
    "validate-headers": {
        "specified-header-action": ACTION, "unspecified-header-action": ACTION, "errors-variable-name": "errors",
    },
    "validate-jwt": {
        **TOKEN, "require-expiration-time": YES, "require-signed-tokens": "true", "clock-skew": number(9),
    },
    "validate-parameters": {
        "specified-parameter-action": ACTION, "unspecified-parameter-action": ACTION,
        "errors-variable-name": "errors",
    },
    "validate-status-code": {"unspecified-status-code-action": ACTION, "errors-variable-name": "errors"},
    "wait": {"for": text("any")},
    "llm-semantic-cache-store": {"duration": number(9)},
    "azure-openai-semantic-cache-store": {"duration": number(9)},
    "llm-emit-token-metric": METRIC,
    "azure-openai-emit-token-metric": METRIC,
    "llm-semantic-cache-lookup": LOOKUP,
    "azure-openai-semantic-cache-lookup": LOOKUP,
    "llm-token-limit": TOKEN_LIMIT,
    "azure-openai-token-limit": TOKEN_LIMIT,
}  # fmt: skip
INSTEAD = {"timeout-ms": ["timeout"], "base-url": ["backend-id"], "query-parameter-name": ["header-name"],
           "token-value": ["header-name"]}  # fmt: skip
"""Attributes that stand in the place of others."""
WITH = {"max-interval": {"delta": "2"}, "token-quota-period": {"token-quota": "100"}, "require-scheme": {}}
"""Attributes that need others."""
COMPUTED = [
    (name, attribute)
    for name, attributes in ATTRIBUTES.items()
    for attribute, given in attributes.items()
    if not isinstance(given, str)
]
LITERAL = [
    (name, attribute)
    for name, attributes in ATTRIBUTES.items()
    for attribute, given in attributes.items()
    if isinstance(given, str)
]


def changed(name: str, attribute: str, value: str) -> Place:
    """Put an attribute on a policy's own element."""
    place = PLACES[name]
    root = etree.fromstring(f"<root>{place.element}</root>")
    element = next(root.iter(name))
    for other in INSTEAD.get(attribute, []):
        element.attrib.pop(other, None)
    for other, needed in WITH.get(attribute, {}).items():
        element.set(other, needed)
    element.set(attribute, value)
    inside = "".join(etree.tostring(child, encoding="unicode") for child in root)
    return replace(place, element=inside)


def outcome(place: Place, name: str) -> tuple[object, ...]:
    """Call it thrice and give all that there is to see."""
    bench = place.ready(**({"backend": lambda _: Reply(status_code=503)} if name == "retry" else {}))
    seen: list[object] = [_seen(call(bench, name)) for _ in range(3)]
    if name != "retry" or "delta" not in place.element:  # these waits are spread at random
        seen.append(bench.clock.now())
    return tuple(seen)


def _seen(response: Response) -> tuple[object, ...]:
    guid = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
    requests = [
        (one.backend, one.method, one.url, sorted(one.headers.items()), one.content) for one in response.requests
    ]
    variables = {name: getattr(value, "status", str(value)) for name, value in response.variables.items()}
    headers = sorted(response.headers.items())
    text = guid.sub("", response.text)
    emitted = str(response.metrics), str(response.events)
    return response.status_code, response.reason, headers, text, requests, str(variables), emitted


@pytest.mark.parametrize(("name", "attribute"), COMPUTED)
def test_expression_does_what_its_value_does(name: str, attribute: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apim_emulator.testing.tokens.SigningKey.sign", lambda *_: "a.b.c")
    given = ATTRIBUTES[name][attribute]
    assert isinstance(given, tuple)
    literal, expression = given

    assert outcome(changed(name, attribute, expression), name) == outcome(changed(name, attribute, literal), name)


@pytest.mark.parametrize(("name", "attribute"), LITERAL)
def test_literal_is_accepted_and_an_expression_refused_with_its_place(name: str, attribute: str) -> None:
    value = ATTRIBUTES[name][attribute]
    assert isinstance(value, str)
    changed(name, attribute, value).ready()

    with pytest.raises(PolicyLoadError) as refused:
        changed(name, attribute, f'@("{value}")').ready()

    problems = [
        problem for problem in refused.value.problems if (problem.policy, problem.attribute) == (name, attribute)
    ]
    assert problems
    assert "expression" in problems[0].reason
    assert problems[0].column is not None


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_unknown_attribute_is_refused(name: str) -> None:
    with pytest.raises(PolicyLoadError, match=f"{name}, nope: attribute is not supported"):
        changed(name, "nope", "1").ready()


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_unknown_child_is_refused(name: str) -> None:
    root = etree.fromstring(f"<root>{PLACES[name].element}</root>")
    element = next(root.iter(name))
    element.text = None
    etree.SubElement(element, "nope")
    inside = "".join(etree.tostring(child, encoding="unicode") for child in root)

    with pytest.raises(PolicyLoadError, match=r"nope: |set-method: needs the name"):
        replace(PLACES[name], element=inside).ready()


def test_every_attribute_that_is_read_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    read: defaultdict[str, set[str]] = defaultdict(set)
    attribute, has = Element._attribute, Element.has

    def noted(element: Element, name: str) -> Any:
        read[element.node.name].add(name)
        return attribute(element, name)

    def noted_too(element: Element, name: str) -> bool:
        read[element.node.name].add(name)
        return has(element, name)

    monkeypatch.setattr(Element, "_attribute", noted)
    monkeypatch.setattr(Element, "has", noted_too)
    for name, given in [*COMPUTED, *LITERAL]:
        value = ATTRIBUTES[name][given]
        changed(name, given, value if isinstance(value, str) else value[0]).ready()

    assert {name: sorted(read[name] - {"id"}) for name in sorted(POLICIES)} == {
        name: sorted(ATTRIBUTES[name]) for name in sorted(POLICIES)
    }
