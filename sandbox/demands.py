"""What a deployed policy demands of a caller's token, read from its document."""

from dataclasses import dataclass
from typing import Any

from lxml import etree


@dataclass(frozen=True, kw_only=True, slots=True)
class Demand:
    """A `validate-azure-ad-token` or `validate-jwt` policy, as far as it tells which token to get."""

    audience: str
    """First audience that is accepted, empty where any is."""
    openid_config_urls: tuple[str, ...]
    """OpenID configuration endpoints of `validate-jwt`; none: it is Microsoft Entra ID's token."""
    issuer: str | None
    """First issuer that is accepted. None: the one that the provider names."""
    client_ids: tuple[str, ...]
    """Client applications that may call; none: any."""
    claims: dict[str, Any]
    """Claims that satisfy those that are required."""


def demand(policy: str | None) -> Demand | None:
    """Read the first token validation of a policy document; None where there is none."""
    if not policy:
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    element = next(etree.fromstring(policy.encode(), parser).iter("validate-azure-ad-token", "validate-jwt"), None)
    if element is None:
        return None
    audiences, issuers = _texts(element, "audiences/audience"), _texts(element, "issuers/issuer")
    return Demand(
        audience=next(iter(audiences), ""),
        openid_config_urls=tuple(config.get("url", "") for config in element.iterfind("openid-config")),
        issuer=next(iter(issuers), None),
        client_ids=_texts(element, "client-application-ids/application-id"),
        claims={claim.get("name", ""): _value(claim) for claim in element.iterfind("required-claims/claim")},
    )


def _value(claim: Any) -> Any:
    """Value of a claim that is accepted: all that are listed, or one of them."""
    values = list(_texts(claim, "value")) or ["sandbox"]
    if claim.get("match", "all") == "any" or len(values) == 1:
        return values[0]
    separator = claim.get("separator")
    return separator.join(values) if separator else values


def _texts(element: Any, path: str) -> tuple[str, ...]:
    return tuple((found.text or "").strip() for found in element.iterfind(path))
