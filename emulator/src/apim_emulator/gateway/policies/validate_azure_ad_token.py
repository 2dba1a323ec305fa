"""`validate-azure-ad-token`: accepts only calls with a valid Microsoft Entra token of a tenant."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from apim_emulator.gateway.context import Context
from apim_emulator.gateway.context.objects import claim_values
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.loading.element import Element, Value
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.tokens.claims import (
    Payload,
    RequiredClaim,
    check_audience,
    check_claims,
    check_issuer,
    check_lifetime,
    listed_texts,
    required_claims,
)
from apim_emulator.gateway.tokens.openid import Metadata
from apim_emulator.gateway.tokens.strict import TokenError
from apim_emulator.gateway.tokens.validation import metadata_of, refusal, signing_key, token_place

_LOGIN = "https://login.microsoftonline.com"
_CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""Tenant of personal Microsoft accounts."""


@dataclass(frozen=True, slots=True)
class _Rules:
    tenant: str
    """A tenant's GUID or domain, `organizations` or `common`."""
    clients: tuple[Value[str], ...]
    backends: tuple[Value[str], ...]
    audiences: tuple[Value[str], ...]
    claims: tuple[RequiredClaim, ...]

    @property
    def metadata_url(self) -> str:
        return f"{_LOGIN}/{self.tenant}/v2.0/.well-known/openid-configuration"

    def check(self, payload: Payload, providers: Sequence[Metadata], context: Context, now: float) -> None:
        """Raise `TokenError` for claims that are not accepted."""
        check_lifetime(payload, now, 0, required=True)
        tenant = _guid(payload.get("tid"))
        if tenant is None or not self._accepts(tenant, providers):
            raise TokenError("TokenIssuerNotAllowed", "JWT is of another tenant. Access denied.")
        version = payload.get("ver")
        if version not in ("1.0", "2.0"):
            raise TokenError("JwtInvalid", "JWT has no version 1.0 or 2.0. Access denied.")
        issuer = f"https://sts.windows.net/{tenant}/" if version == "1.0" else f"{_LOGIN}/{tenant}/v2.0"
        check_issuer(payload, lambda given: given == issuer)
        self._check_client("appid" if version == "1.0" else "azp", payload, context)
        check_audience(payload, {audience(context) for audience in self.audiences})
        check_audience(
            payload, {form for value in self.backends for form in (value(context), f"api://{value(context)}")}
        )
        check_claims(self.claims, payload, context)

    def _accepts(self, tenant: str, providers: Sequence[Metadata]) -> bool:
        if self.tenant == "common":
            return True
        if self.tenant == "organizations":
            return tenant != _CONSUMERS
        # A tenant that is given by domain has its GUID in the issuer of its metadata.
        own = _guid(self.tenant)
        return tenant == own or (own is None and any(meta.issuer == f"{_LOGIN}/{tenant}/v2.0" for meta in providers))

    def _check_client(self, name: str, payload: Payload, context: Context) -> None:
        if not self.clients:
            return
        given = _guid(payload.get(name))
        if given is None or given not in {_guid(value(context)) for value in self.clients}:
            shown = ",".join(claim_values(payload.get(name)))
            raise TokenError(
                "TokenClaimValueNotAllowed", f"Claim {name} value of {shown} is not allowed. Access denied."
            )


def _compile(element: Element, _site: Site) -> Run:
    place = token_place(element, default_header=True)
    rules = _rules(element)
    refused = refusal(element)

    async def run(exchange: Exchange) -> None:
        context, verified = exchange.context, exchange.services.verified_tokens
        try:
            token = verified.read(place.find(context))
            if token.key_id is None:  # every token of Entra names its key (inferred: that this one is refused)
                raise TokenError("TokenSignatureKeyNotFound", "JWT names no key. Access denied.")
            providers = await metadata_of([rules.metadata_url], token.key_id, exchange)
            candidates = [key for provider in providers for key in provider.keys]
            signing_key(token, candidates, verified, try_all=False)
            rules.check(token.payload, providers, context, exchange.services.clock.now())
        except TokenError as error:
            raise refused.failure(error, context) from None
        refused.accept(token, context)

    return run


def _rules(element: Element) -> _Rules:
    tenant = _tenant(element)
    element.only("authentication-endpoint")
    clients = listed_texts(element, "client-application-ids", "application-id")
    audiences = listed_texts(element, "audiences", "audience")
    if not clients and not audiences:
        element.refuse("needs client-application-ids, audiences or both")
    backends = listed_texts(element, "backend-application-ids", "application-id")
    return _Rules(tenant, clients, backends, audiences, required_claims(element))


def _tenant(element: Element) -> str:
    text = (element.literal("tenant-id") or "").strip().removeprefix(f"{_LOGIN}/").rstrip("/").lower()
    if not text or not all(letter.isascii() and (letter.isalnum() or letter in ".-") for letter in text):
        element.refuse(f"must be a tenant's GUID, its domain or a URL below {_LOGIN}", "tenant-id")
    return _guid(text) or text


def _guid(value: object) -> str | None:
    """Return a GUID in its canonical form, None for anything else."""
    return _canonical(value) if isinstance(value, str) else None


@lru_cache(maxsize=1024)
def _canonical(text: str) -> str | None:
    try:
        canonical = str(UUID(text))
    except ValueError:
        return None
    return canonical if text.lower() == canonical else None


POLICY = Policy("validate-azure-ad-token", _compile, sections=("inbound",))
