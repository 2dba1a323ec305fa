"""Calls that the gateway itself makes to a backend: JSON out, JSON back."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from apim_emulator.gateway.backends.credentials import add_credentials
from apim_emulator.gateway.backends.targets import Endpoint, Target
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Failure
from apim_emulator.gateway.http import bodies
from apim_emulator.gateway.witness import Sending
from apim_emulator.network import HostRefusedError

_SECONDS = 30.0


class BackendCallError(Exception):
    """A backend that did not give a usable answer; the text holds no secret."""


def pick(exchange: Exchange, target: Target) -> Endpoint:
    """Choose where the call goes."""
    endpoint = target.pick(exchange.services.clock.now())
    if endpoint is None:
        raise BackendCallError(f"{target.name} is out of service")
    return endpoint


async def post_json(
    exchange: Exchange,
    endpoint: Endpoint,
    path: str,
    body: Mapping[str, Any],
    authorization: str | None,
    *,
    purpose: str,
) -> Mapping[str, Any]:
    """Send a JSON object to a path and query below the backend's URL, with the backend's credentials or the given one.

    `purpose` is for whoever follows the call.

    Raises `BackendCallError`: not reached, not answered in 30 s, not answered 200 with a JSON object.
    """
    url = URL(f"{endpoint.origin}{path}", encoded=True).extend_query(list(endpoint.query))
    headers = CIMultiDict({"Host": url.authority if url.explicit_port is not None else url.host or ""})
    headers["Content-Type"] = "application/json"
    if authorization is not None:
        headers["Authorization"] = authorization
    try:
        add_credentials(exchange, endpoint, headers)
        with Sending(purpose, "POST", url) as sending:
            async with asyncio.timeout(_SECONDS):
                data = json.dumps(body).encode()
                answer = await exchange.services.transport.send("POST", url, headers, data, endpoint.certificate)
                sending.answered(answer.status)
                with closing(answer):
                    content = await bodies.read_response(answer.content.iter_any())
    except TimeoutError:
        raise BackendCallError(f"{endpoint.name} did not answer in time") from None
    except HostRefusedError as refused:
        raise BackendCallError(str(refused)) from None
    except (aiohttp.ClientError, OSError, ValueError, Failure) as error:
        raise BackendCallError(f"{endpoint.name} gave no answer: {type(error).__name__}") from None
    if answer.status != 200:
        raise BackendCallError(f"{endpoint.name} answered {answer.status}")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BackendCallError(f"{endpoint.name} did not answer with a JSON object")
    return found
