"""`authentication-managed-identity`: a token of the gateway's own identity for the backend."""

from multidict import CIMultiDict

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Failure
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.witness import note


class IdentityToken:
    """What one `authentication-managed-identity` does to headers."""

    def __init__(self, element: Element) -> None:
        """Read the policy; raises `RefusedError`."""
        self._resource = element.text("resource")
        self._client_id = element.optional_text("client-id")
        self._variable = element.name("output-token-variable-name")
        self._ignore_error = element.flag("ignore-error", default=False)

    def apply(self, exchange: Exchange, headers: CIMultiDict[str]) -> None:
        """Put the token into `Authorization`, or into the variable instead; raises `Failure` where there is none."""
        context = exchange.context
        client = None if self._client_id is None else self._client_id(context)
        try:
            token = exchange.services.identities.token(client, self._resource(context))
        except Failure:
            if self._ignore_error:
                note("no token for {}, which is ignored", self._resource(context))
                return
            raise
        note("token for {}", self._resource(context))
        if self._variable is not None:
            context.variables[self._variable] = token
            return
        headers.popall("Authorization", None)
        headers["Authorization"] = f"Bearer {token}"


def _compile(element: Element, _site: Site) -> Run:
    token = IdentityToken(element)

    async def run(exchange: Exchange) -> None:
        token.apply(exchange, exchange.context.request.headers)

    return run


POLICY = Policy(
    "authentication-managed-identity",
    _compile,
    sections=(
        "inbound",
        "outbound",
    ),
)
