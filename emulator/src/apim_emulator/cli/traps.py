"""What API Management takes and a document should not have: each is told as a warning, with what to do."""

from collections.abc import Callable, Iterator, Mapping

from apim_emulator.gateway.failures import Problem
from apim_emulator.gateway.loading.document import NAMED_VALUE, Node
from apim_emulator.tracing.mask import Mask

_names = Mask()
"""Knows the names of headers whose values are secrets."""


def traps(root: Node, scope: str) -> Iterator[Problem]:
    """Go through a document that was read without named values."""
    for section in root.children:
        if section.name == "inbound" and scope != "global" and not _has(section, "base"):
            yield _told(section, "has no <base />: what outer scopes demand of callers is not checked here")
        yield from _inside(section)


def _inside(node: Node) -> Iterator[Problem]:
    for child in node.children:
        if child.name in _TRAPS:
            yield from _TRAPS[child.name](child)
        yield from _inside(child)


def _validate_jwt(node: Node) -> Iterator[Problem]:
    if not _has(node, "audiences"):
        yield _told(node, "checks no audience: a token for any API of the provider is accepted; list audiences")
    if node.attributes.get("require-expiration-time", "").lower() == "false":
        yield _told(node, "accepts tokens that never expire", "require-expiration-time")
    if node.attributes.get("require-signed-tokens", "").strip().lower() not in {"", "true"}:
        yield _told(
            node, "accepts tokens that anybody can write, without a signature; remove it", "require-signed-tokens"
        )


def _cors(node: Node) -> Iterator[Problem]:
    for origins in node.children:
        for origin in origins.children if origins.name == "allowed-origins" else ():
            if origin.text.strip() == "*":
                yield _told(origin, "lets the pages of every site call the API; list the origins")


def _set_header(node: Node) -> Iterator[Problem]:
    if _names.is_secret(node.attributes.get("name", "")):
        for value in node.children:
            if _is_literal(value.text):
                yield _told(value, "holds a credential for all who read the policy; use a secret named value, {{name}}")


def _password(node: Node) -> Iterator[Problem]:
    if _is_literal(node.attributes.get("password", "")):
        yield _told(
            node, "holds a credential for all who read the policy; use a secret named value, {{name}}", "password"
        )


_TRAPS: Mapping[str, Callable[[Node], Iterator[Problem]]] = {
    "authentication-basic": _password,
    "cors": _cors,
    "set-header": _set_header,
    "validate-jwt": _validate_jwt,
}


def _told(node: Node, reason: str, attribute: str | None = None) -> Problem:
    return node.refused(reason, attribute, kind="warning").problem


def _has(node: Node, name: str) -> bool:
    return any(child.name == name for child in node.children)


def _is_literal(text: str) -> bool:
    """Tell whether a text is neither an expression nor a named value, nor empty."""
    return bool(text.strip()) and not text.strip().startswith("@") and NAMED_VALUE.search(text) is None
