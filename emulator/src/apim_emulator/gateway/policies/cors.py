"""`cors`: answers browsers that ask whether a page of another origin may call.

Of the two defaults that the reference gives for `terminate-unmatched-request`, the stricter one counts (inferred).
"""

from dataclasses import dataclass
from typing import NoReturn

from multidict import CIMultiDict
from yarl import URL

from apim_emulator.gateway.context import Context
from apim_emulator.gateway.context.objects import Request, Response
from apim_emulator.gateway.exchange import Exchange, Hook
from apim_emulator.gateway.failures import Finished
from apim_emulator.gateway.http.headers import is_header_name
from apim_emulator.gateway.loading.document import Node
from apim_emulator.gateway.loading.element import Element, Value, leaf
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.witness import note

REQUEST_METHOD = "Access-Control-Request-Method"
"""Header that makes an OPTIONS request a preflight."""

_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_preflight(request: Request) -> bool:
    """Tell whether a request is a browser's question before the real one."""
    return request.method == "OPTIONS" and "Origin" in request.headers and REQUEST_METHOD in request.headers


@dataclass(frozen=True, slots=True)
class _Rules:
    origins: tuple[Value[str], ...]
    methods: tuple[Value[str], ...]
    headers: frozenset[str]
    exposed: tuple[str, ...]
    credentials: Value[bool]
    max_age: Value[int] | None
    terminate: Value[bool]

    def allows(self, origin: str, method: str, context: Context) -> bool:
        """Tell whether a page of an origin may call with a method."""
        origins = {_normal(value(context)) for value in self.origins}
        methods = {value(context).upper() for value in self.methods}
        return bool({"*", _normal(origin)} & origins) and bool({"*", method.upper()} & methods)

    def allows_headers(self, asked: str) -> bool:
        """Tell whether a page may send all the headers that its browser lists."""
        names = {name.strip().lower() for name in asked.split(",") if name.strip()}
        return all(map(is_header_name, names)) and ("*" in self.headers or names <= self.headers)

    def response_headers(self, origin: str, context: Context) -> dict[str, str]:
        """Make the headers that let the page read a response. Credentials never go to any origin."""
        is_any = any(value(context) == "*" for value in self.origins)
        found = {"Access-Control-Allow-Origin": "*" if is_any else origin}
        if self.credentials(context) and not is_any:
            found["Access-Control-Allow-Credentials"] = "true"
        return found

    def preflight(self, origin: str, method: str, asked: str, context: Context) -> Response:
        """Make the answer to a preflight that is allowed."""
        headers = CIMultiDict(self.response_headers(origin, context))
        headers["Access-Control-Allow-Methods"] = method
        if asked:
            headers["Access-Control-Allow-Headers"] = asked
        if self.max_age is not None:
            headers["Access-Control-Max-Age"] = str(self.max_age(context))
        return Response(200, headers=headers)


def _compile(element: Element, site: Site) -> Run:
    if "/" in site.path:
        element.refuse("must stand directly in inbound")
    rules = _rules(element)

    async def run(exchange: Exchange) -> None:
        context = exchange.context
        request = context.request
        origin = request.headers.get("Origin")
        if origin is None:
            note("nothing to do: there is no Origin header")
            return
        if exchange.preflight:
            asked_method = request.headers[REQUEST_METHOD]
            asked = request.headers.get("Access-Control-Request-Headers", "")
            if rules.allows(origin, asked_method, context) and rules.allows_headers(asked):
                note("preflight of {} is allowed", origin)
                _end(exchange, rules.preflight(origin, asked_method, asked, context))
            note("preflight of {} for {} with headers {} is not allowed", origin, asked_method, asked or "(none)")
            if rules.terminate(context):
                _end(exchange, Response())
        elif rules.allows(origin, request.method, context):
            note("{} is allowed, and told so on the response", origin)
            headers = rules.response_headers(origin, context)
            if rules.exposed:
                headers["Access-Control-Expose-Headers"] = ",".join(rules.exposed)
            exchange.on_end.append(_adding(headers))
        else:
            note("{} with {} is not allowed", origin, request.method)
            if request.method in {"GET", "HEAD"} and rules.terminate(context):
                _end(exchange, Response())

    return run


def _end(exchange: Exchange, response: Response) -> NoReturn:
    exchange.context.response = response
    raise Finished


def _adding(headers: dict[str, str]) -> Hook:
    """Make the hook that puts headers on whatever response goes out."""

    async def add(exchange: Exchange) -> None:
        for name, value in headers.items():
            exchange.response.headers.popall(name, None)
            exchange.response.headers[name] = value

    return add


def _rules(element: Element) -> _Rules:
    origins = _group(element, "allowed-origins", "origin")
    methods = _group(element, "allowed-methods", "method")
    allowed = _group(element, "allowed-headers", "header")
    exposed = _group(element, "expose-headers", "header")
    if origins is None:
        raise element.refused("needs allowed-origins")
    literals = [node.text.strip() for node in origins.nodes]
    if "*" in literals and len(literals) > 1:
        element.refuse("origin * must stand alone")
    if "*" in literals and element.node.attributes.get("allow-credentials", "").lower() == "true":
        element.refuse("credentials cannot go to any origin: list the origins", "allow-credentials")
    return _Rules(
        origins=origins.values,
        methods=(lambda _: "GET", lambda _: "POST") if methods is None else methods.values,
        headers=frozenset() if allowed is None else frozenset(name.lower() for name in allowed.header_names()),
        exposed=() if exposed is None else exposed.header_names(),
        credentials=element.boolean("allow-credentials", default=False),
        max_age=None if methods is None else methods.max_age,
        terminate=element.boolean("terminate-unmatched-request", default=True),
    )


@dataclass(frozen=True, slots=True)
class _Group:
    """A list of elements that hold text."""

    nodes: tuple[Node, ...]
    values: tuple[Value[str], ...]
    max_age: Value[int] | None

    def header_names(self) -> tuple[str, ...]:
        """Read them as header names, which are literals; raises `RefusedError`."""
        names = tuple(node.text.strip() for node in self.nodes)
        for node, name in zip(self.nodes, names, strict=True):
            if not is_header_name(name):
                node.refuse("not a header name")
        return names


def _group(element: Element, name: str, item: str) -> _Group | None:
    node = element.child(name)
    if node is None:
        return None
    group = Element(node)
    nodes = group.children(item)
    if not nodes:
        node.refuse(f"needs at least one {item}")
    values = tuple(leaf(child, strip=True) for child in nodes)
    has_age = name == "allowed-methods" and group.has("preflight-result-max-age")
    max_age = group.integer("preflight-result-max-age", 0, 2**32 - 1) if has_age else None
    group.done()
    return _Group(tuple(nodes), values, max_age)


def _normal(origin: str) -> str:
    """Write an origin as browsers do: without a path, and without the port that its scheme implies."""
    try:
        url = URL(origin.strip())
        if url.scheme in _DEFAULT_PORTS and url.host:
            port = "" if url.port in {None, _DEFAULT_PORTS[url.scheme]} else f":{url.port}"
            return f"{url.scheme}://{url.host.lower()}{port}"
    except ValueError:
        pass
    return origin


POLICY = Policy("cors", _compile, sections=("inbound",), once=True)
