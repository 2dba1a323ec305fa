"""Placeholders of other tools: which texts are some, whose they are, and what fills them."""

from dataclasses import replace

import pytest

from apim_emulator.gateway import Problem
from apim_emulator.gateway.loading.placeholders import Fillings, placeholders, with_placeholders


@pytest.mark.parametrize(
    ("text", "name", "tool"),
    [
        ('<rate-limit calls="${calls}" />', "calls", "Terraform or Bicep"),
        ('<a b="https://${var.host}/x" />', "var.host", "Terraform or Bicep"),
        ('<a b="$(calls)" />', "calls", "Azure Pipelines"),
        ('<a b="#{calls}#" />', "calls", "Replace Tokens"),
        ('<a b="{#calls#}" />', "calls", "APIOps"),
        ("<value>__TENANT_ID__</value>", "TENANT_ID", "a script"),
        ('<set-backend-service backend-id="{backend-id}" />', "backend-id", "a sample"),
        ("<audience>{your audience}</audience>", "your audience", "a sample"),
        ('<a b="{{{calls}}}" />', "calls", "Mustache"),
        ('<openid-config url="https://login.microsoftonline.com/{aad-tenant}/v2.0" />', "aad-tenant", "a sample"),
    ],
)
def test_placeholder_is_told_by_its_form(text: str, name: str, tool: str) -> None:
    (found,) = placeholders(text)

    assert (found.name, found.tool, found.written in text) == (name, tool, True)
    assert Fillings(values={name: "5"}).fill(text) == text.replace(found.written, "5")


@pytest.mark.parametrize(
    "text",
    [
        "<value>{{named-value}}</value>",
        '<value>@($"{context.Api.Id}")</value>',
        '<value>@($"${price} https://host/{id}")</value>',
        "<value>@($&quot;${price}&quot;)</value>",
        '<rewrite-uri template="/items/{id}" />',
        '<set-body>{"a": {"b": 1}}</set-body>',
        "<!-- ${comment} -->",
        "<issuer>https://sts.windows.net/{tenantid}/</issuer>",
        "<value>@{ return __x; }</value>",
        "<value>$${escaped}</value>",
    ],
)
def test_what_is_the_documents_own_is_none(text: str) -> None:
    assert list(placeholders(text)) == []


def test_one_that_has_no_value_stays() -> None:
    text = '<rate-limit calls="${calls}" renewal-period="${period}" />'

    filled = Fillings(values={"calls": "5"}).fill(text)

    assert filled == '<rate-limit calls="5" renewal-period="${period}" />'
    assert [one.name for one in placeholders(filled)] == ["period"]


def test_secret_is_put_in_as_a_named_value() -> None:
    fillings = Fillings(values={"key": "hunter2", "tier": "gold"}, secrets=frozenset({"key"}))

    filled = fillings.fill("<value>${key}-${tier}</value>")

    assert filled == "<value>{{placeholder-0}}-gold</value>"
    assert fillings.named_values == {"placeholder-0": "hunter2"}
    assert "hunter2" not in repr(fillings)


def test_one_that_prevents_loading_is_told_with_what_it_prevents() -> None:
    text = '<policies>\n<inbound>\n<rate-limit renewal-period="60" calls="${calls}" /><a>${b}</a></inbound></policies>'
    refused = Problem("api a", 3, "rate-limit", "'${calls}' is not a whole number", "calls", 1)

    (told,), (left,) = with_placeholders([refused], {"api a": text})

    fills = "${calls} is a placeholder of Terraform or Bicep: fill it with --set calls=VALUE"
    assert told == replace(refused, reason=f"'${{calls}}' is not a whole number; {fills}")
    assert (left.policy, left.attribute, left.line, left.column, left.kind) == ("a", None, 3, 52, "warning")


def test_name_that_is_no_word_is_filled_from_a_file() -> None:
    (found,) = placeholders("<a>${indent(4, x)}</a>")

    assert found.told.endswith(": fill it with --set-file FILE")
