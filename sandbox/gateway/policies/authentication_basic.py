"""`authentication-basic`: name and password for the backend."""

import base64

from policies.authentication_basic import AuthenticationBasic
from sandbox.gateway.element import Element
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.policy import Policy, Run, Site


def _compile(element: Element, _site: Site) -> Run:
    username, password = element.text("username"), element.text("password")

    async def run(exchange: Exchange) -> None:
        """Replace `Authorization`; the credentials are sent in UTF-8 (inferred)."""
        context = exchange.context
        credentials = f"{username(context)}:{password(context)}".encode()
        context.request.headers.popall("Authorization", None)
        context.request.headers["Authorization"] = f"Basic {base64.b64encode(credentials).decode()}"

    return run


POLICY = Policy(AuthenticationBasic, _compile)
