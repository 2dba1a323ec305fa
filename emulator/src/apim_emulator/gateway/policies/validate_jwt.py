"""`validate-jwt`: accepts only calls with a valid token of the providers or keys that it lists."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from yarl import URL

from apim_emulator.csharp import EvaluationError
from apim_emulator.gateway.certificates import no_certificate
from apim_emulator.gateway.context import Context
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.loading.document import Node
from apim_emulator.gateway.loading.element import Element, Value
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.tokens import jwks
from apim_emulator.gateway.tokens.claims import (
    Demand,
    Payload,
    RequiredClaim,
    audience_demand,
    check_demands,
    check_issuer,
    claim_demands,
    lifetime_demands,
    listed_texts,
    one_of,
    only_children,
    required_claims,
)
from apim_emulator.gateway.tokens.jwks import SigningKey
from apim_emulator.gateway.tokens.look import Look
from apim_emulator.gateway.tokens.openid import Metadata
from apim_emulator.gateway.tokens.strict import UNSIGNED, TokenError
from apim_emulator.gateway.tokens.validation import TokenPlace, metadata_of, refusal, signing_key, token_place
from apim_emulator.network import is_loopback

_ORDER = ("openid-config", "issuer-signing-keys", "audiences", "issuers", "required-claims")


@dataclass(frozen=True, slots=True)
class _Rules:
    place: TokenPlace
    urls: tuple[Value[str], ...]
    keys: tuple[SigningKey, ...]
    audiences: tuple[Value[str], ...]
    issuers: tuple[Value[str], ...]
    claims: tuple[RequiredClaim, ...]
    expiration: Value[bool]
    signed: Value[bool]
    skew: Value[int]

    def demands(
        self, payload: Payload, key: SigningKey | None, providers: list[Metadata], context: Context, now: float
    ) -> Iterator[Demand]:
        """Make what is demanded of the claims, in the order in which it is checked; `key`: the one that signed."""
        yield from lifetime_demands(payload, now, self.skew(context), required=self.expiration(context))
        accepted = self._accepted(payload, key, providers, {issuer(context) for issuer in self.issuers})
        if accepted is not None:
            yield Demand("iss", lambda: one_of(accepted), lambda: check_issuer(payload, accepted.__contains__))
        yield from audience_demand(payload, {audience(context) for audience in self.audiences})
        yield from claim_demands(self.claims, payload, context)

    def _accepted(
        self, payload: Payload, key: SigningKey | None, providers: list[Metadata], listed: set[str]
    ) -> set[str] | None:
        """List the issuers that are accepted; None: all are."""
        known = {_issuer(provider.issuer, payload) for provider in providers}
        if key is None or key.issuer is None:
            # The policy's own keys, or none: any listed issuer, else the providers'; neither means any (documented).
            return (listed or known) if listed or self.urls else None
        own = _issuer(key.issuer, payload)
        # One provider's key never vouches for another provider's issuer (stricter than documented).
        return (listed or {own}) - (known - {own})


def _compile(element: Element, site: Site) -> Run:
    rules = _rules(element, site)
    refused = refusal(element)

    async def run(exchange: Exchange) -> None:
        context, verified = exchange.context, exchange.services.verified_tokens
        look = Look()
        try:
            token = look.token = verified.read(rules.place.find(context), signed=rules.signed(context))
            urls = [url(context) for url in rules.urls]
            look.signers = [f"a key of {url}" for url in urls] + ["a key of the policy"] * bool(rules.keys)
            providers = await metadata_of(urls, token.key_id, exchange)
            candidates = [*rules.keys, *(key for provider in providers for key in provider.keys)]
            unsigned = token.algorithm == UNSIGNED
            now = exchange.services.clock.now()
            look.demands = partial(rules.demands, token.payload, None, providers, context, now)
            key = None if unsigned else signing_key(token, candidates, verified, try_all=True)
            look.signature_wrong = False
            look.demands = partial(rules.demands, token.payload, key, providers, context, now)
            check_demands(look.demands())
        except TokenError as error:
            look.tell(accepted=False)
            raise refused.failure(error, context) from None
        look.tell(accepted=True)
        refused.accept(token, context)

    return run


def _rules(element: Element, site: Site) -> _Rules:
    place = token_place(element, default_header=False)
    names = [node.name for node in element.node.children if node.name in _ORDER]
    if names != sorted(names, key=_ORDER.index):
        element.refuse(f"children must come in the order {', '.join(_ORDER)}")
    urls = tuple(_url(node) for node in element.children("openid-config"))
    container = element.child("issuer-signing-keys")
    listed = () if container is None else tuple(_key(node, site) for node in only_children(container, "key"))
    if not urls and not listed:
        element.refuse("needs openid-config or issuer-signing-keys")
    return _Rules(
        place,
        urls,
        listed,
        listed_texts(element, "audiences", "audience"),
        listed_texts(element, "issuers", "issuer"),
        required_claims(element),
        element.boolean("require-expiration-time", default=True),
        element.boolean("require-signed-tokens", default=True),
        element.integer("clock-skew", 0, 86_400, default=0),
    )


def _issuer(issuer: str, payload: Payload) -> str:
    """Fill in the tenant, which Entra's multi-tenant metadata leaves open."""
    tenant = payload.get("tid")
    return issuer.replace("{tenantid}", tenant) if isinstance(tenant, str) else issuer


def _url(node: Node) -> Value[str]:
    """Read where a provider is; the service takes an expression too (MicrosoftDocs/azure-docs, issue 8244)."""
    element = Element(node)
    url, computed = element.text("url"), element.computed("url")
    element.done()
    if not computed and not _is_allowed(node.attributes.get("url", "")):
        node.refuse("must be an https URL", "url")

    def evaluate(context: Context) -> str:
        found = url(context)
        if not _is_allowed(found):
            raise EvaluationError("UriFormatException")
        return found

    return evaluate if computed else url


def _is_allowed(url: str) -> bool:
    try:
        parsed = URL(url)
        return bool(parsed.host) and (parsed.scheme == "https" or is_loopback(parsed))
    except ValueError:
        return False


def _key(node: Node, site: Site) -> SigningKey:
    element = Element(node)
    key_id, n, e = element.literal("id"), element.literal("n"), element.literal("e")
    certificate_id = element.literal("certificate-id")
    element.content()
    element.done()
    text = node.text.strip()
    if certificate_id is not None:
        return _key_of_certificate(node, site, certificate_id, key_id, alone=not (n or e or text))
    key = jwks.rsa(n, e, key_id) if n and e and not text else jwks.symmetric(text, key_id) if not (n or e) else None
    if key is None:
        raise node.refused("needs a Base64 key of 32 bytes or more, or n and e of an RSA key of 2048 bits or more")
    return key


def _key_of_certificate(node: Node, site: Site, name: str, key_id: str | None, *, alone: bool) -> SigningKey:
    if not alone:
        raise node.refused("excludes n, e and a Base64 key", "certificate-id")
    certificate = site.certificates.find(identifier=name)
    if certificate is None:
        raise no_certificate(node, "certificate-id")
    key = jwks.of_certificate(certificate.x509, key_id)
    if key is None:
        raise node.refused("has no RSA key of 2048 bits or more, and none of P-256", "certificate-id")
    return key


POLICY = Policy("validate-jwt", _compile, sections=("inbound",))
