"""`authentication-basic`: name and password for the backend."""

import base64

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site


def _compile(element: Element, _site: Site) -> Run:
    username, password = element.text("username"), element.text("password")

    async def run(exchange: Exchange) -> None:
        """Replace `Authorization`; the credentials are sent in UTF-8 (inferred)."""
        context = exchange.context
        credentials = f"{username(context)}:{password(context)}".encode()
        context.request.headers.popall("Authorization", None)
        context.request.headers["Authorization"] = f"Basic {base64.b64encode(credentials).decode()}"

    return run


POLICY = Policy("authentication-basic", _compile, sections=("inbound",))
