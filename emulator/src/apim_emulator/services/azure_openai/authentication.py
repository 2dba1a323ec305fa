"""Who may call an Azure OpenAI account."""

import hmac
from typing import Literal, TypeAlias

from multidict import CIMultiDictProxy

from apim_emulator.model import Account, ControlPlane
from apim_emulator.services.azure_openai.exceptions import (
    invalid_key,
    invalid_token,
    key_authentication_disabled,
    permission_denied,
)
from apim_emulator.services.entra import Entra
from apim_emulator.services.entra.grants import COGNITIVE_SERVICES
from apim_emulator.services.signing import InvalidTokenError

OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
"""Role definition *Cognitive Services OpenAI User*."""

OPENAI_CONTRIBUTOR = "a001fd3d-188f-4b5d-821b-7da978bf7442"
"""Role definition *Cognitive Services OpenAI Contributor*."""

Credential: TypeAlias = Literal["key", "token"]


def credential(headers: CIMultiDictProxy[str], *, bearer_keys: bool) -> Credential | None:
    """Credential that decides a request; that a key comes before a token where both are sent is inferred.

    With `bearer_keys`, as the v1 API has it ("Azure OpenAI in Microsoft Foundry Models v1 API": the plain client is
    given the key), a bearer that has not the three parts of a token is a key.
    """
    if "api-key" in headers:
        return "key"
    if "Authorization" not in headers:
        return None
    bearer = _bearer(headers)
    return "key" if bearer_keys and bearer and bearer.count(".") != 2 else "token"


def authenticate(headers: CIMultiDictProxy[str], account: Account, entra: Entra, *, bearer_keys: bool) -> str | None:
    """Return the object ID of a token's principal, None for the account's key; refuse anything else."""
    if credential(headers, bearer_keys=bearer_keys) == "key":
        _check_key(_only(headers, "api-key") if "api-key" in headers else _bearer(headers), account)
        return None
    token = _bearer(headers)
    if not token:
        raise invalid_token()
    try:
        claims = entra.verify(token)
    except InvalidTokenError as error:
        raise invalid_token() from error
    principal_id = claims.get("oid")
    if claims.get("aud") not in (COGNITIVE_SERVICES, f"{COGNITIVE_SERVICES}/") or not isinstance(principal_id, str):
        raise invalid_token()
    return principal_id


def authorize(control_plane: ControlPlane, principal_id: str, account: Account, action: str, operation: str) -> None:
    """Demand a role on the account that allows inference."""
    if not any(control_plane.has_role(principal_id, role, account.id) for role in (OPENAI_USER, OPENAI_CONTRIBUTOR)):
        raise permission_denied(principal_id, action, operation)


def _check_key(presented: str, account: Account) -> None:
    if not account.local_auth:
        raise key_authentication_disabled()
    key = presented.encode("utf-8", "surrogateescape")
    matches = [hmac.compare_digest(key, known.encode()) for known in account.keys if known]
    if not any(matches):
        raise invalid_key()


def _bearer(headers: CIMultiDictProxy[str]) -> str:
    """Bearer of the Authorization header, empty for any other scheme."""
    scheme, _, bearer = _only(headers, "Authorization").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else ""


def _only(headers: CIMultiDictProxy[str], name: str) -> str:
    """Value of a header; several of one name are joined, as HTTP reads them, so that none of them counts alone."""
    return ",".join(headers.getall(name, []))
