"""The policy hook: the user's own policies in an API's document, which can add to it and remove nothing.

What a hook may contain depends on its section. It runs once the caller is authenticated and before the gateway adds its
own credential, so in no section may it validate tokens, choose the backend or present a credential. In `backend` the
request already has the gateway's credential, so a hook there must not change the request.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from itertools import chain
from typing import NamedTuple
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from policies.authentication_managed_identity import TOKEN_VARIABLE
from policies.documents.availability import unavailable
from policies.documents.catalog import SECTIONS, UNDOCUMENTED
from policies.documents.markup import LocatedElement, MarkupError, read
from policies.documents.order import check_order
from policies.raw_element import RawElement, running_policies
from policies.shared.errors import PolicyError
from policies.shared.policy import Policy, Section
from policies.validate_azure_ad_token import ValidateAzureAdToken
from policies.validate_jwt import ValidateJwt

CALLER_HEADERS = ("api-key", "Ocp-Apim-Subscription-Key", "Authorization")
"""Headers with callers' credentials; the API's document removes them after the hook."""
CALLER_QUERY = ("api-key", "subscription-key")
"""Query parameters with callers' credentials, which are removed as well."""
CALLER_VARIABLE = "openai-gateway-caller"
"""Variable of the API's document with the caller's credentials, set while the hook runs."""

_OWN_VARIABLES = ("openai-gateway-", TOKEN_VARIABLE)
"""Prefixes of the variables of the API's document."""
_CREDENTIAL = "presents a credential, but only the gateway's own may be presented; remove it"
_TOKENS = "validates a token, which the API does itself; configure that in entra or jwt"
_NOT_IN_HOOKS = {
    "base": "runs the parent's policies, which the API's document does itself before the hook; remove it",
    "cors": "answers browsers before callers are authenticated, but a hook runs after that; put it into a wider scope",
    ValidateAzureAdToken.tag: _TOKENS,
    ValidateJwt.tag: _TOKENS,
    "authentication-basic": _CREDENTIAL,
    "authentication-certificate": _CREDENTIAL,
    "authentication-managed-identity": _CREDENTIAL,
    "authentication-token": _CREDENTIAL,
    "authentication-token-store": _CREDENTIAL,
    "set-backend-service": "chooses a backend, which the API's document does itself; remove it",
    "proxy": "sends the request through a proxy, but the API's document sends it to its own backend; remove it",
    "forward-request": "sends the request, which the API's document does itself; remove it",
    **dict.fromkeys((*Section, "policies", "fragment"), "is not a policy; give only the policies of each section"),
}
BODY_WRITERS = frozenset(
    {"find-and-replace", "include-fragment", "json-to-xml", "set-body", "xml-to-json", "xsl-transform"}
)
"""Policies that may change the request's body."""
_OWN_CREDENTIAL = re.compile(r"Request\s*\.\s*Headers.*\b(?:Authorization|api-key)\b", re.IGNORECASE | re.DOTALL)
_RESPONSE_BODY = re.compile(r"Response\s*\.\s*Body\b")
_BODY_READERS = frozenset({"cache-store", "validate-content"})
"""Policies that need the whole response and do not change it."""
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
"""Policies that do not change the request to the backend."""


class Problem(NamedTuple):
    """What is wrong with a hook, with line and column in its text, counted from 1."""

    line: int
    column: int
    reason: str

    def __str__(self) -> str:
        """Return the place and the reason."""
        return f"line {self.line}, column {self.column}: {self.reason}"


def read_section(section: Section, text: str) -> LocatedElement:
    """Read the policies of a section, as XML or as the portal shows them; raises `MarkupError`."""
    return read(text, around=section.value)


def read_document(text: str) -> dict[Section, LocatedElement]:
    """Read the sections of a policy document, as XML or as the portal shows it.

    A section may begin with `<base />`, as in the portal; it is dropped, since the API's document has its own.

    Raises:
        MarkupError: The document is not well-formed, has another root, or has an unknown or repeated section.

    """
    root = read(text)
    if root.tag != "policies":
        reason = f"{root.tag} is not a policy document; the root element must be policies"
        raise MarkupError(reason, root.line, root.column)
    found: dict[Section, LocatedElement] = {}
    for child in root:
        assert isinstance(child, LocatedElement)  # noqa: S101  # what `read` makes
        if child.tag not in set(Section):
            known = ", ".join(Section)
            raise MarkupError(f"{child.tag} is not a section; allowed: {known}", child.line, child.column)
        if found.setdefault(Section(child.tag), child) is not child:
            raise MarkupError(f"{child.tag} is given twice; put both into one", child.line, child.column)
        if len(child) and child[0].tag == "base":
            del child[0]
    return found


def hook_policies(section: LocatedElement) -> list[Policy]:
    """Return the policies of a section."""
    return [RawElement(xml=_text(element)) for element in section]


def section_text(section: LocatedElement) -> str:
    """Return the policies of a section as XML text."""
    return "".join(map(_text, section))


def policies_text(policies: Sequence[Policy]) -> str:
    """Return policies as XML text."""
    return "".join(_text(policy.element()) for policy in policies)


def problems(section: LocatedElement, *, sku: str | None = None, key_names: Collection[str] = ()) -> list[Problem]:
    """Return what is wrong with a hook's section, as read by `read_section` or `read_document`.

    `sku` is the service's pricing tier, if it is known. `key_names` are names, or beginnings of names, of the named
    values that hold the gateway's own keys.
    """
    found = sorted(_check_section(section, Section(section.tag), sku, key_names))
    if not found and section.tag == Section.INBOUND:
        try:
            check_order(hook_policies(section))
        except PolicyError as error:
            found.append(_problem(section, str(error)))
    return found


def buffering(section: Section, text: str) -> str | None:
    """Return the first policy that needs the whole response, or None; text that cannot be read has none."""
    try:
        policies = list(read_section(section, text))
    except MarkupError:
        return None
    for policy in policies:
        for element in policy.iter():
            texts = (element.text or "", *element.attrib.values())
            if element.tag in BODY_WRITERS | _BODY_READERS or any(map(_RESPONSE_BODY.search, texts)):
                return policy.tag
    return None


def _check_section(
    section: LocatedElement, name: Section, sku: str | None, key_names: Collection[str]
) -> Iterator[Problem]:
    if any((text or "").strip() for text in (section.text, *(child.tail for child in section))):
        yield _problem(section, f"{section.tag} has text outside its policies; remove it")
    for element in section.iter():
        if element is not section:
            yield from _check_element(element, key_names)
            if name is not Section.INBOUND:
                yield from _check_own_credential(element)
    for policy in chain.from_iterable(map(running_policies, section)):
        if policy.tag not in _NOT_IN_HOOKS:
            yield from _check_policy(policy, name, sku)


def _check_element(element: ET.Element, key_names: Collection[str]) -> Iterator[Problem]:
    """Yield what is wrong with an element in any section."""
    if element.tag in _NOT_IN_HOOKS:
        yield _problem(element, f"{element.tag} {_NOT_IN_HOOKS[element.tag]}")
    texts = (element.text or "", element.tail or "", *element.attrib.values())
    for variable in _OWN_VARIABLES:
        if any(variable in text for text in texts):
            yield _problem(element, f"{element.tag} names {variable}, one of the API's own variables; use another")
    for name in key_names:
        own = re.compile(r"\{\{\s*(?:[^{}]*-)?" + re.escape(name) + r"(?:-[^{}]*)?\s*\}\}")
        if any(own.search(text) for text in texts):
            yield _problem(
                element, f"{element.tag} holds the named value {name}, one of the gateway's own keys; remove it"
            )


def _check_own_credential(element: ET.Element) -> Iterator[Problem]:
    """Yield what would reveal the gateway's own credential, which the request has after `inbound`."""
    if element.tag in {"send-request", "send-one-way-request"} and element.get("mode", "new") != "new":
        reason = "copies the request with the gateway's own credential; set mode to new"
        yield _problem(element, f"{element.tag} {reason}")
    if any(_OWN_CREDENTIAL.search(text) for text in (element.text or "", *element.attrib.values())):
        yield _problem(element, f"{element.tag} reads the gateway's own credential from the request; remove it")


def _check_policy(policy: ET.Element, section: Section, sku: str | None) -> Iterator[Problem]:
    """Yield what is wrong with a policy that runs in the section itself."""
    tag = policy.tag
    if tag not in SECTIONS:
        nearest = get_close_matches(tag, SECTIONS, n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else "; check its name"
        yield _problem(policy, f"{tag} is not a policy of the service{hint}")
    elif tag in UNDOCUMENTED:
        yield _problem(policy, f"{tag} is not in the policy reference, so its effect is unknown; remove it")
    elif section not in SECTIONS[tag]:
        allowed = " or ".join(allowed for allowed in Section if allowed in SECTIONS[tag])
        yield _problem(policy, f"{tag} is not allowed in {section}; put it into {allowed}")
    elif section is Section.BACKEND and tag not in _IN_BACKEND:
        reason = "the request already has the gateway's credential there and must not change"
        yield _problem(policy, f"{tag} is not allowed in a hook's backend: {reason}; put it into another section")
    elif sku is not None and (lacks := unavailable(tag, sku)):
        yield _problem(policy, f"{tag} {lacks}")
    elif section is Section.INBOUND and policy.get("exists-action") != "delete":
        name = policy.get("name", "")
        if name.lower() in _REMOVED.get(tag, ()):
            yield _problem(policy, f"{tag} sets {name}, which is removed with callers' credentials; use another name")


def _problem(element: ET.Element, reason: str) -> Problem:
    assert isinstance(element, LocatedElement)  # noqa: S101  # what `read` makes
    return Problem(element.line, element.column, reason)


def _text(element: ET.Element) -> str:
    """Return an element as XML, without the text after it."""
    return ET.tostring(element, encoding="unicode").removesuffix(escape(element.tail or ""))
