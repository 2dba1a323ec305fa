"""The gateway's callers: client applications with a secret, and the tokens that attackers try."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from apim_emulator.azure import Cloud
from apim_emulator.model import Application, User
from apim_emulator.services.entra import Entra
from apim_emulator.services.entra.grants import COGNITIVE_SERVICES
from apim_emulator.services.openid.stand_ins import ProviderStandIn
from apim_emulator.services.signing import LIFETIME, SigningKey, tamper, unverified_claims

FOREIGN_TENANT = "99999999-9999-4999-8999-999999999999"


@dataclass(frozen=True, kw_only=True, slots=True)
class Callers:
    """Client applications and a user of the home tenant; their IDs are the same in every sandbox."""

    client: Application
    """The client that must be accepted."""
    without_role: Application
    """A client without a role."""
    other: Application
    """A client that may be missing from `clientApplicationIds`."""
    user: User
    """A person on whose behalf `client` may act."""

    @classmethod
    def register(cls, cloud: Cloud) -> Self:
        """Register the callers, so that a program can refer to them."""
        return cls(
            client=cloud.add_caller("client"),
            without_role=cloud.add_caller("client-without-role"),
            other=cloud.add_caller("other-client"),
            user=cloud.add_user("ada@contoso.com"),
        )

    def __iter__(self) -> Iterator[Application]:
        """Iterate over the client applications."""
        return iter((self.client, self.without_role, self.other))


@dataclass(frozen=True, kw_only=True, slots=True)
class BadToken:
    """A token that differs from an accepted one in a single respect."""

    what: str
    """What is wrong with it."""
    reason: str
    """`LastError.Reason` of its refusal."""
    token: str = field(repr=False)


def entra_tokens(entra: Entra, application: Application, callers: Callers, role: str) -> list[BadToken]:
    """Return tokens that must be refused by an API that requires `role` or a scope, and excludes only `other`."""

    def issue(resource: Application | str, caller: Application, **changes: Any) -> str:
        return entra.issue(resource, client_id=caller.client_id, principal_id=caller.service_principal_id, **changes)

    claims = {"roles": [role]}
    # If a scope or a role is enough, the API's own policy refuses the token, not the validation policy.
    lacking = "from the gateway" if application.scopes else "TokenClaimNotFound"
    return [
        _bad("expired token", "TokenExpired", issue(application, callers.client, age=LIFETIME + 1)),
        _bad("wrong audience", "TokenAudienceNotAllowed", issue(callers.other, callers.client, claims=claims)),
        _bad("token for Azure OpenAI", "TokenAudienceNotAllowed", issue(COGNITIVE_SERVICES, callers.client)),
        _bad("wrong tenant", "TokenSignatureKeyNotFound", issue(application, callers.client, tenant_id=FOREIGN_TENANT)),
        _bad("wrong client", "TokenClaimValueNotAllowed", issue(application, callers.other, claims=claims)),
        _bad("missing role", lacking, issue(application, callers.without_role)),
        *_broken(issue(application, callers.client)),
        *(
            _bad(what, lacking, issue(application, callers.client, user=callers.user, scopes=[scope], claims=more))
            for what, scope, more in (
                ("user without the scope", "other", {}),
                ("user with a role and without the scope", "other", claims),
                ("user with a longer scope", f"{next(iter(application.scopes), '')}2", {}),
                ("user with the scope in capitals", next(iter(application.scopes), "").upper(), {}),
                ("user with a role and no scope at all", "", {**claims, "scp": None}),
            )
            if application.scopes
        ),
    ]


def provider_tokens(provider: ProviderStandIn, audience: str, claims: Mapping[str, object]) -> list[BadToken]:
    """Return tokens that must be refused by an API that requires `claims` for `audience` from `provider`."""

    def issue(**changes: Any) -> str:
        return provider.issue(**{"audience": audience, "subject": "client", "claims": claims, **changes})

    elsewhere = {**claims, "iss": "https://login.fabrikam.com/"}
    return [
        _bad("expired token", "TokenExpired", issue(age=LIFETIME + 1)),
        _bad("wrong audience", "TokenAudienceNotAllowed", issue(audience="https://other.contoso.com")),
        _bad("wrong issuer", "TokenIssuerNotAllowed", issue(claims=elsewhere)),
        _bad("missing role", "TokenClaimNotFound", issue(claims={})),
        *_broken(issue()),
    ]


def _broken(token: str) -> list[BadToken]:
    """Return variants of an accepted token with a broken signature."""
    _, payload, _ = token.split(".")
    header = base64.urlsafe_b64encode(b'{"typ":"JWT","alg":"none"}').rstrip(b"=").decode()
    return [
        _bad("tampered signature", "TokenSignatureInvalid", tamper(token)),
        _bad("no signature (alg none)", "JwtInvalid", f"{header}.{payload}."),
        _bad("signed by somebody else", "TokenSignatureKeyNotFound", SigningKey().sign(unverified_claims(token))),
    ]


def _bad(what: str, reason: str, token: str) -> BadToken:
    return BadToken(what=what, reason=reason, token=token)
