"""Managed identities of the gateway and their tokens."""

from typing import Protocol

from cachetools import TLRUCache

from apim_emulator.clock import Clock
from apim_emulator.gateway.failures import internal_error
from apim_emulator.gateway.http.headers import is_header_value
from apim_emulator.model import ManagedIdentity

_MAX_CACHED = 256


class TokenSource(Protocol):
    """Issues tokens to managed identities, as the instance metadata service does."""

    def managed_identity_token(self, principal_id: str, resource: str) -> tuple[str, float]:
        """Return a token and when it expires (Unix seconds); raises any exception to refuse."""


class Identities:
    """The gateway's identities, with a cache of their tokens until each expires."""

    def __init__(self, identities: tuple[ManagedIdentity, ...], source: TokenSource, clock: Clock) -> None:
        """Take the identities that the service has."""
        self._identities = identities
        self._source = source
        self._tokens: TLRUCache[tuple[str, str], tuple[str, float]] = TLRUCache(
            _MAX_CACHED, lambda _key, issued, _now: issued[1], clock.now
        )

    def token(self, client_id: str | None, resource: str) -> str:
        """Return a token of the identity with a client ID, or of the system-assigned one.

        Raises `Failure` where there is no such identity or it gets no token.
        """
        key = (self._principal(client_id), resource)
        if (issued := self._tokens.get(key)) is not None:
            return issued[0]
        try:
            token, expires = self._source.managed_identity_token(*key)
        except Exception as error:  # noqa: BLE001 - each source refuses in terms of its own
            raise internal_error("TokenRequestFailed", f"no token for the resource: {type(error).__name__}") from None
        if not is_header_value(token):
            raise internal_error("TokenRequestFailed", "the token for the resource fits into no header")
        self._tokens[key] = token, expires
        return token

    def own(self) -> str | None:
        """Return the object ID of the system-assigned identity; None where the service has none."""
        return next((one.principal_id for one in self._identities if one.system_assigned), None)

    def _principal(self, client_id: str | None) -> str:
        for identity in self._identities:
            chosen = identity.system_assigned if client_id is None else _same(identity.client_id, client_id)
            if chosen:
                return identity.principal_id
        wanted = "system-assigned identity" if client_id is None else "identity with this client-id"
        raise internal_error("IdentityNotFound", f"the service has no {wanted}")


def _same(one: str, other: str) -> bool:
    return one.lower() == other.strip().lower()
