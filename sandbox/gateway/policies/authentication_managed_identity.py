"""`authentication-managed-identity`: a token of the gateway's own identity for the backend."""

from sandbox.gateway.element import Element
from sandbox.gateway.errors import Failure
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.policy import INBOUND, Policy, Run, Site


def _compile(element: Element, _site: Site) -> Run:
    resource = element.text("resource")
    client_id = element.optional_text("client-id")
    variable = element.literal("output-token-variable-name")
    if variable == "":
        raise element.refused("must not be empty", "output-token-variable-name")
    ignore_error = element.flag("ignore-error", default=False)

    async def run(exchange: Exchange) -> None:
        context = exchange.context
        client = None if client_id is None else client_id(context)
        try:
            token = exchange.services.identities.token(client, resource(context))
        except Failure:
            if ignore_error:
                return
            raise
        if variable is None:
            context.request.headers.popall("Authorization", None)
            context.request.headers["Authorization"] = f"Bearer {token}"
        else:
            context.variables[variable] = token

    return run


POLICY = Policy("authentication-managed-identity", INBOUND, _compile)
