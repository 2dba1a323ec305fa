"""What an API's policies require of a caller's token."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from apim_emulator.gateway import effective_sections
from apim_emulator.gateway.loading.document import Node
from apim_emulator.gateway.loading.effective import own_sections
from apim_emulator.model import Gateway


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenRequirement:
    """A `validate-azure-ad-token` or `validate-jwt` policy, as far as it tells which token to get."""

    audience: str
    """First audience that is accepted, empty where any is."""
    openid_config_urls: tuple[str, ...]
    """OpenID configuration endpoints of `validate-jwt`."""
    issuer: str | None
    """First issuer that is accepted. None: the one that the provider names."""
    client_ids: tuple[str, ...]
    """Client applications that may call; none: any."""
    claims: dict[str, Any]
    """Claims that satisfy those that are required."""
    tenant: str | None = None
    """Tenant of `validate-azure-ad-token`: GUID, domain, `common` or `organizations`. None: it is `validate-jwt`."""
    header: str | None = "Authorization"
    """Header that carries the token; None where it is elsewhere."""


def token_requirements(gateway: Gateway, api_id: str) -> tuple[TokenRequirement, ...]:
    """Read the token validations of an API's effective policy, in order; raises what `effective_sections` raises."""
    return _demands(effective_sections(gateway, api_id, named_values=gateway.named_values).values())


def all_token_requirements(gateway: Gateway) -> tuple[TokenRequirement, ...]:
    """Read the token validations of all documents of a service; raises what `own_sections` raises."""
    return _demands(own_sections(gateway, gateway.named_values))


def _demands(sections: Iterable[Iterable[Node]]) -> tuple[TokenRequirement, ...]:
    nodes = (node for found in sections for node in _all(found))
    return tuple(_demand(node) for node in nodes if node.name in {"validate-azure-ad-token", "validate-jwt"})


def _demand(node: Node) -> TokenRequirement:
    is_entra = node.name == "validate-azure-ad-token"
    configs = [one for one in node.children if one.name == "openid-config"]
    backends = _texts(node, "backend-application-ids", "application-id")
    return TokenRequirement(
        audience=next(iter((*_texts(node, "audiences", "audience"), *backends)), ""),
        openid_config_urls=tuple(filter(_is_literal, (one.attributes.get("url", "") for one in configs))),
        issuer=next(iter(_texts(node, "issuers", "issuer")), None),
        client_ids=_texts(node, "client-application-ids", "application-id"),
        claims={
            claim.attributes.get("name", ""): _value(claim) for claim in _children(node, "required-claims", "claim")
        },
        tenant=_tenant(node) if is_entra else None,
        header=_header(node),
    )


def _tenant(node: Node) -> str:
    given = node.attributes.get("tenant-id", "").strip().lower()
    return given.removeprefix("https://login.microsoftonline.com/").rstrip("/")


def _header(node: Node) -> str | None:
    elsewhere = "query-parameter-name" in node.attributes or "token-value" in node.attributes
    return None if elsewhere else node.attributes.get("header-name", "Authorization")


def _value(claim: Node) -> Any:
    """Value of a claim that is accepted: all that are listed, or one of them."""
    values = [_text(one) for one in claim.children] or ["emulator"]
    if claim.attributes.get("match", "all") == "any" or len(values) == 1:
        return values[0]
    separator = claim.attributes.get("separator")
    return separator.join(values) if separator else values


def _texts(node: Node, container: str, child: str) -> tuple[str, ...]:
    return tuple(filter(_is_literal, (_text(one) for one in _children(node, container, child))))


def _is_literal(text: str) -> bool:
    """Tell what is known when a policy is read: what an expression gives is not."""
    return not text.strip().startswith("@")


def _children(node: Node, container: str, child: str) -> Iterator[Node]:
    for outer in node.children:
        if outer.name == container:
            yield from (one for one in outer.children if one.name == child)


def _text(node: Node) -> str:
    return node.text.strip()


def _all(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _all(node.children)
