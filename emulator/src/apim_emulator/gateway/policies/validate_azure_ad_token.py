"""`validate-azure-ad-token`: accepts only calls with a valid Microsoft Entra token of a tenant."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from uuid import UUID

from apim_emulator.gateway.context import Context
from apim_emulator.gateway.context.objects import claim_values
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.loading.element import Element, Value
from apim_emulator.gateway.loading.policy import Policy, Run, Site
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
    required_claims,
)
from apim_emulator.gateway.tokens.look import Look
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

    def demands(
        self, payload: Payload, providers: Sequence[Metadata], context: Context, now: float
    ) -> Iterator[Demand]:
        """Make what is demanded of the claims, in the order in which it is checked."""
        yield from lifetime_demands(payload, now, 0, required=True)
        tenant = _guid(payload.get("tid"))
        yield Demand("tid", self._tenants, lambda: self._check_tenant(tenant, providers))
        version = payload.get("ver")
        yield Demand("ver", lambda: "1.0 or 2.0", lambda: _check_version(version))
        issuer = f"https://sts.windows.net/{tenant}/" if version == "1.0" else f"{_LOGIN}/{tenant}/v2.0"
        yield Demand("iss", lambda: issuer, lambda: check_issuer(payload, lambda given: given == issuer))
        if self.clients:
            name = "appid" if version == "1.0" else "azp"
            wanted = partial(_listed, self.clients, context)
            yield Demand(name, wanted, lambda: self._check_client(name, payload, context))
        yield from audience_demand(payload, {audience(context) for audience in self.audiences})
        yield from audience_demand(
            payload, {form for value in self.backends for form in (value(context), f"api://{value(context)}")}
        )
        yield from claim_demands(self.claims, payload, context)

    def _tenants(self) -> str:
        kinds = {"common": "any tenant", "organizations": "any tenant of an organization"}
        return kinds.get(self.tenant, self.tenant)

    def _check_tenant(self, tenant: str | None, providers: Sequence[Metadata]) -> None:
        if tenant is None or not self._accepts(tenant, providers):
            raise TokenError("TokenIssuerNotAllowed", "JWT is of another tenant. Access denied.")

    def _accepts(self, tenant: str, providers: Sequence[Metadata]) -> bool:
        if self.tenant == "common":
            return True
        if self.tenant == "organizations":
            return tenant != _CONSUMERS
        # A tenant that is given by domain has its GUID in the issuer of its metadata.
        own = _guid(self.tenant)
        return tenant == own or (own is None and any(meta.issuer == f"{_LOGIN}/{tenant}/v2.0" for meta in providers))

    def _check_client(self, name: str, payload: Payload, context: Context) -> None:
        given = _guid(payload.get(name))
        if given is None or given not in {_guid(value(context)) for value in self.clients}:
            shown = ",".join(claim_values(payload.get(name)))
            raise TokenError(
                "TokenClaimValueNotAllowed", f"Claim {name} value of {shown} is not allowed. Access denied."
            )


def _listed(values: Sequence[Value[str]], context: Context) -> str:
    return one_of(value(context) for value in values)


def _check_version(version: object) -> None:
    if version not in ("1.0", "2.0"):
        raise TokenError("JwtInvalid", "JWT has no version 1.0 or 2.0. Access denied.")


def _compile(element: Element, _site: Site) -> Run:
    place = token_place(element, default_header=True)
    rules = _rules(element)
    refused = refusal(element)

    async def run(exchange: Exchange) -> None:
        context, verified = exchange.context, exchange.services.verified_tokens
        look = Look(signers=(f"a key of {rules.metadata_url}",))
        try:
            token = look.token = verified.read(place.find(context))
            if token.key_id is None:  # every token of Entra names its key (inferred: that this one is refused)
                raise TokenError("TokenSignatureKeyNotFound", "JWT names no key. Access denied.")
            providers = await metadata_of([rules.metadata_url], token.key_id, exchange)
            candidates = [key for provider in providers for key in provider.keys]
            now = exchange.services.clock.now()
            look.demands = partial(rules.demands, token.payload, providers, context, now)
            signing_key(token, candidates, verified, try_all=False)
            look.signature_wrong = False
            check_demands(look.demands())
        except TokenError as error:
            look.tell(accepted=False)
            raise refused.failure(error, context) from None
        look.tell(accepted=True)
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
