"""The credentials that a backend itself has for the calls that are sent to it."""

from multidict import CIMultiDict

from apim_emulator.gateway.backends.targets import Endpoint
from apim_emulator.gateway.exchange import Exchange


def add_credentials(exchange: Exchange, endpoint: Endpoint, headers: CIMultiDict[str]) -> None:
    """Put a backend's credential headers in the place of those of the same name.

    The token of its managed identity is the `Authorization` of the call. Raises `Failure` where the identity gets none.
    """
    own = list(endpoint.headers)
    if endpoint.identity is not None:
        token = exchange.services.identities.token(endpoint.identity.client_id, endpoint.identity.resource)
        own.append(("Authorization", f"Bearer {token}"))
    for name, _ in own:
        headers.popall(name, None)
    headers.extend(own)
