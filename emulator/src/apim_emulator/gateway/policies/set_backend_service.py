"""`set-backend-service`: where the call goes."""

from apim_emulator.gateway.backends.targets import endpoint
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import internal_error
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site


def _compile(element: Element, site: Site) -> Run:
    if element.has("backend-id") == element.has("base-url"):
        element.refuse("needs exactly one of backend-id, base-url")
    return _by_id(element, site) if element.has("backend-id") else _by_url(element, site)


def _by_id(element: Element, site: Site) -> Run:
    name, backends, scope = element.text("backend-id"), site.backends, site.scope
    literal = element.node.attributes["backend-id"]
    if not literal.strip().startswith("@") and literal not in backends:
        element.refuse("no such backend", "backend-id")

    async def run(exchange: Exchange) -> None:
        target = backends.get(name(exchange.context))
        if target is None:
            raise internal_error("BackendNotFound", "the expression's backend-id names no backend")
        exchange.send_to(target)
        exchange.target_scope = scope

    return run


def _by_url(element: Element, site: Site) -> Run:
    url = element.text("base-url")
    fixed = None if element.computed("base-url") else endpoint(element.node.attributes["base-url"])
    scope = site.scope

    async def run(exchange: Exchange) -> None:
        if exchange.target_scope not in {None, scope}:
            # The reference says that only backend-id overrides it; refusing is inferred.
            raise internal_error("BackendOverride", "base-url cannot override the backend-id of another scope")
        found = fixed or endpoint(url(exchange.context))
        if found is None:
            raise internal_error(
                "BackendConnectionFailure", "base-url is not an http or https URL without query and user"
            )
        exchange.send_to(found)
        exchange.target_scope = None

    return run


POLICY = Policy(
    "set-backend-service",
    _compile,
    sections=(
        "inbound",
        "backend",
    ),
)
