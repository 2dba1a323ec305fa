"""A hook: policies of the user's own, at the places of an API's document where they can add and take nothing away.

What a hook may hold depends on its section. Callers are known when it runs, and what the gateway itself presents comes
after it: so no hook demands tokens, chooses the backend or presents a credential, in any section. In `backend` the
credential is on the request already: a hook there changes nothing of the request.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from itertools import chain
from typing import NamedTuple
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from policies.authentication_managed_identity import TOKEN_VARIABLE
from policies.availability import unavailable
from policies.catalog import SECTIONS, UNTOLD
from policies.errors import PolicyError
from policies.markup import MarkupError, Placed, read
from policies.order import check_order
from policies.policy import Policy, Section
from policies.raw_element import RawElement, running
from policies.validate_azure_ad_token import ValidateAzureAdToken
from policies.validate_jwt import ValidateJwt

CALLER_HEADERS = ("api-key", "Ocp-Apim-Subscription-Key", "Authorization")
"""Headers that callers' credentials come in; the API's document removes them after the hook."""
CALLER_QUERY = ("api-key", "subscription-key")
"""Query parameters that they come in."""
CALLER_VARIABLE = "openai-gateway-caller"
"""Variable of the document itself: what the caller presented, while the hook runs."""

_OWN_VARIABLES = ("openai-gateway-", TOKEN_VARIABLE)
"""What the names of the variables of the document itself begin with."""
_CREDENTIAL = "presents a credential, and the gateway presents its own alone; remove it"
_TOKENS = "demands a token behind the API's own validation; say what to demand in entra or jwt"
_NEVER = {
    "base": "runs the parent's policies, which the API's document does itself, before the hook; remove it",
    "cors": "answers browsers before callers are validated, and a hook comes after that; put it into a wider scope",
    ValidateAzureAdToken.tag: _TOKENS,
    ValidateJwt.tag: _TOKENS,
    "authentication-basic": _CREDENTIAL,
    "authentication-certificate": _CREDENTIAL,
    "authentication-managed-identity": _CREDENTIAL,
    "authentication-token": _CREDENTIAL,
    "authentication-token-store": _CREDENTIAL,
    "set-backend-service": "chooses a backend, and the API's document chooses its own; remove it",
    "proxy": "sends the request by another way, and the API's document sends it to its own backend; remove it",
    "forward-request": "sends the request, which the API's document does itself; remove it",
    **dict.fromkeys((*Section, "policies", "fragment"), "is not a policy; give the policies of each section alone"),
}
BODY_WRITERS = frozenset(
    {"find-and-replace", "include-fragment", "json-to-xml", "set-body", "xml-to-json", "xsl-transform"}
)
"""Policies that may change the request's body."""
_OWN_CREDENTIAL = re.compile(r"Request\s*\.\s*Headers.*\b(?:Authorization|api-key)\b", re.IGNORECASE | re.DOTALL)
_REMOVED = {
    "set-header": {name.lower() for name in CALLER_HEADERS},
    "set-query-parameter": {name.lower() for name in CALLER_QUERY},
}
_IN_BACKEND = {
    "cache-lookup-value",
    "cache-remove-value",
    "cache-store-value",
    "cache-value",
    "choose",
    "emit-metric",
    "limit-concurrency",
    "log-to-eventhub",
    "retry",
    "return-response",
    "send-one-way-request",
    "send-request",
    "set-variable",
    "trace",
    "wait",
}
"""Policies that leave the request to the backend as it is."""


class Problem(NamedTuple):
    """What is wrong with a hook, and where in its text, counted from 1."""

    line: int
    column: int
    reason: str

    def __str__(self) -> str:
        """Return the place and the reason."""
        return f"line {self.line}, column {self.column}: {self.reason}"


def read_section(section: Section, text: str) -> Placed:
    """Return a section with the policies of a text, XML or as the portal shows it; raises `MarkupError`."""
    return read(text, around=section.value)


def read_document(text: str) -> dict[Section, Placed]:
    """Return the sections of a policy document, XML or as the portal shows it.

    A section may begin with `<base />`, as those of the portal do: the API's document runs it at that place.

    Raises:
        MarkupError: It is not well-formed, of another root, or has a section that is unknown or given twice.

    """
    root = read(text)
    if root.tag != "policies":
        raise MarkupError(f"{root.tag} is not a policy document; its root is policies", root.line, root.column)
    found: dict[Section, Placed] = {}
    for child in root:
        assert isinstance(child, Placed)  # noqa: S101  # what `read` makes
        if child.tag not in set(Section):
            known = ", ".join(Section)
            raise MarkupError(f"{child.tag} is not a section; allowed: {known}", child.line, child.column)
        if found.setdefault(Section(child.tag), child) is not child:
            raise MarkupError(f"{child.tag} is given twice; put both into one", child.line, child.column)
        if len(child) and child[0].tag == "base":
            del child[0]
    return found


def hook_policies(section: Placed) -> list[Policy]:
    """Return the policies of a section."""
    return [RawElement(xml=_text(element)) for element in section]


def section_text(section: Placed) -> str:
    """Return the policies of a section as one text, XML."""
    return "".join(map(_text, section))


def policies_text(policies: Sequence[Policy]) -> str:
    """Return policies as one text, XML."""
    return "".join(_text(policy.element()) for policy in policies)


def problems(section: Placed, *, sku: str | None = None, key_names: Collection[str] = ()) -> list[Problem]:
    """Return what is wrong with a hook's section, which `read_section` or `read_document` gave.

    `sku` is the service's pricing tier, where it is known. `key_names` are the names that the named values with the
    gateway's own keys begin with.
    """
    found = sorted(_of_parts(section, Section(section.tag), sku, key_names))
    if not found and section.tag == Section.INBOUND:
        try:
            check_order(hook_policies(section))
        except PolicyError as error:
            found.append(_problem(section, str(error)))
    return found


def _of_parts(section: Placed, name: Section, sku: str | None, key_names: Collection[str]) -> Iterator[Problem]:
    if any((text or "").strip() for text in (section.text, *(child.tail for child in section))):
        yield _problem(section, f"{section.tag} has text outside of its policies; remove it")
    for element in section.iter():
        if element is not section:
            yield from _of_any(element, key_names)
            if name is not Section.INBOUND:
                yield from _of_later(element)
    for policy in chain.from_iterable(map(running, section)):
        if policy.tag not in _NEVER:
            yield from _of_running(policy, name, sku)


def _of_any(element: ET.Element, key_names: Collection[str]) -> Iterator[Problem]:
    """Yield what is wrong with an element wherever it stands."""
    if element.tag in _NEVER:
        yield _problem(element, f"{element.tag} {_NEVER[element.tag]}")
    texts = (element.text or "", element.tail or "", *element.attrib.values())
    for variable in _OWN_VARIABLES:
        if any(variable in text for text in texts):
            yield _problem(element, f"{element.tag} names {variable}, a variable of the API's own; use another")
    for name in key_names:
        own = re.compile(r"\{\{\s*(?:[^{}]*-)?" + re.escape(name) + r"(?:-[^{}]*)?\s*\}\}")
        if any(own.search(text) for text in texts):
            yield _problem(
                element, f"{element.tag} holds the named value {name}, a key of the gateway's own; remove it"
            )


def _of_later(element: ET.Element) -> Iterator[Problem]:
    """Yield what would give away the gateway's own credential, which the request carries once `inbound` is done."""
    if element.tag in {"send-request", "send-one-way-request"} and element.get("mode", "new") != "new":
        reason = "copies the request with the gateway's own credential; set mode to new"
        yield _problem(element, f"{element.tag} {reason}")
    if any(_OWN_CREDENTIAL.search(text) for text in (element.text or "", *element.attrib.values())):
        yield _problem(element, f"{element.tag} reads the gateway's own credential from the request; remove it")


def _of_running(policy: ET.Element, section: Section, sku: str | None) -> Iterator[Problem]:
    """Yield what is wrong with a policy that runs in the section itself."""
    tag = policy.tag
    if tag not in SECTIONS:
        nearest = get_close_matches(tag, SECTIONS, n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else "; check its name"
        yield _problem(policy, f"{tag} is not a policy of the service{hint}")
    elif tag in UNTOLD:
        yield _problem(policy, f"{tag} is on no page of the policy reference, and may do anything; remove it")
    elif section not in SECTIONS[tag]:
        allowed = " or ".join(allowed for allowed in Section if allowed in SECTIONS[tag])
        yield _problem(policy, f"{tag} is not allowed in {section}; put it into {allowed}")
    elif section is Section.BACKEND and tag not in _IN_BACKEND:
        reason = "the request carries the gateway's credential there and stays as it is"
        yield _problem(policy, f"{tag} is not allowed in a hook's backend: {reason}; put it into another section")
    elif sku is not None and (lacks := unavailable(tag, sku)):
        yield _problem(policy, f"{tag} {lacks}")
    elif section is Section.INBOUND and policy.get("exists-action") != "delete":
        name = policy.get("name", "")
        if name.lower() in _REMOVED.get(tag, ()):
            yield _problem(policy, f"{tag} sets {name}, which is removed with callers' credentials; use another name")


def _problem(element: ET.Element, reason: str) -> Problem:
    assert isinstance(element, Placed)  # noqa: S101  # what `read` makes
    return Problem(element.line, element.column, reason)


def _text(element: ET.Element) -> str:
    """Return an element as XML, without what follows it."""
    return ET.tostring(element, encoding="unicode").removesuffix(escape(element.tail or ""))
