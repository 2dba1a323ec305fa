"""Requests to the sandbox's token endpoints: client credentials (RFC 6749 section 4.4), and a user's password."""

from collections.abc import Mapping

import aiohttp

from apim_emulator.errors import SandboxError
from apim_emulator.model import Application, User


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
    """Return the access token that a token endpoint issues. Raises `SandboxError` with the endpoint's refusal."""
    try:
        async with aiohttp.ClientSession() as session, session.post(url, data=form) as response:
            answer = await response.json()
    except (aiohttp.ClientError, OSError, ValueError):
        raise SandboxError("the token endpoint does not answer; start the sandbox again") from None
    if response.status != 200:
        raise SandboxError(f"no token: {answer.get('error_description') or answer.get('error')}")
    return str(answer["access_token"])
