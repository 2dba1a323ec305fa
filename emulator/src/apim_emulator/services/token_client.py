"""Token requests: with client credentials (RFC 6749 section 4.4), and with a user's password."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp

from apim_emulator.errors import EmulatorError
from apim_emulator.model import Application, User

__all__ = ["Caller", "client_credentials_form", "password_form", "request_token"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """A client application and the request that gets it a token for an API."""

    name: str
    client_id: str
    object_id: str | None
    """Object ID of its service principal, None outside Microsoft Entra ID."""
    token_url: str
    form: dict[str, str] = field(repr=False)
    """Body of the token request."""


def client_credentials_form(client_id: str, client_secret: str, **target: str) -> dict[str, str]:
    """Form of a request; `target` is the `scope` or `audience` that the token is for."""
    return {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
        **target,
    }


def password_form(client: Application, user: User, scope: str) -> dict[str, str]:
    """Form of a client's request on behalf of a user, whose password it knows (RFC 6749 section 4.3)."""
    credentials = {"username": user.name, "password": user.password}
    form = client_credentials_form(client.client_id, client.secrets[0], scope=scope)
    return {**form, "grant_type": "password", **credentials}


async def request_token(url: str, form: Mapping[str, str]) -> str:
    """Return the access token that a token endpoint issues. Raises `EmulatorError` with the endpoint's refusal."""
    try:
        async with aiohttp.ClientSession() as session, session.post(url, data=form) as response:
            answer = await response.json()
    except (aiohttp.ClientError, OSError, ValueError):
        raise EmulatorError("the token endpoint does not answer; start it again") from None
    if response.status != 200:
        raise EmulatorError(f"no token: {answer.get('error_description') or answer.get('error')}")
    return str(answer["access_token"])
