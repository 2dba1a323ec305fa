"""`set-header`: sets, appends or deletes a header of the request or the response."""

from functools import lru_cache

from multidict import CIMultiDict

from apim_emulator.csharp import EvaluationError
from apim_emulator.gateway.context import Context
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.http.headers import is_header_name, is_header_value
from apim_emulator.gateway.loading.element import Element, Value
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.witness import note

ACTIONS = ("override", "skip", "append", "delete")

_FORBIDDEN = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
_KEPT = "server"
"""Response header that nothing deletes; a policy that tries goes on (inferred: without an error)."""
_SEPARATE_LINES = frozenset(
    {
        "user-agent", "www-authenticate", "proxy-authenticate", "cookie", "set-cookie", "warning", "date", "expires",
        "if-modified-since", "if-unmodified-since", "last-modified", "retry-after",
    }
)  # fmt: skip


def exists_action(element: Element) -> Value[str]:
    """Read what happens to values that are there already; `delete` alone takes no value."""
    action = element.word("exists-action", ACTIONS, "override")
    literal, has_value = element.node.attributes.get("exists-action", "override"), bool(element.children("value"))
    is_known = not literal.strip().startswith("@")
    if is_known and (literal == "delete") == has_value:
        element.refuse("delete takes no value, every other action at least one", "exists-action")

    def evaluate(context: Context) -> str:
        found = action(context)
        if not has_value and found != "delete":
            raise EvaluationError("ArgumentException")
        return found

    return action if is_known else evaluate


class HeaderChange:
    """What one `set-header` does to headers."""

    def __init__(self, element: Element) -> None:
        """Read the policy; raises `RefusedError`."""
        self.name = element.text("name")
        self._action = exists_action(element)
        self._values: list[Value[str]] = element.texts("value", strip=True)
        name = element.node.attributes["name"]
        if not name.startswith("@") and not _allowed(name):
            element.refuse("this header cannot be set or deleted", "name")
        for child in element.node.children:
            if not child.text.strip().startswith("@") and not is_header_value(child.text.strip(" \t\r\n")):
                child.refuse("not a header value")

    def apply(self, headers: CIMultiDict[str], context: Context) -> None:
        """Change the headers; raises `EvaluationError` for a name or value that no header may have."""
        name = self.name(context)
        if not _allowed(name):
            raise EvaluationError("FormatException")
        action = self._action(context)
        if action == "delete":
            if name.lower() == _KEPT:
                note("{}: is never deleted", name)
            elif not headers.popall(name, None):
                note("{}: already absent", name)
            return
        if action == "skip" and name in headers:
            note("{}: skipped, it exists", name)
            return
        values = [value(context) for value in self._values]
        if not all(map(is_header_value, values)):
            raise EvaluationError("FormatException")
        if action == "append":
            values = [*headers.getall(name, []), *values]
        headers.popall(name, None)
        if values and name.lower() not in _SEPARATE_LINES:
            values = [",".join(values)]
        for value in values:
            headers.add(name, value)


@lru_cache(maxsize=1024)
def _allowed(name: str) -> bool:
    return is_header_name(name) and name.lower() not in _FORBIDDEN


def _compile(element: Element, site: Site) -> Run:
    change = HeaderChange(element)
    on_request = site.section in {"inbound", "backend"}

    async def run(exchange: Exchange) -> None:
        context = exchange.context
        if on_request:
            change.apply(context.request.headers, context)
            exchange.host_set = exchange.host_set or change.name(context).lower() == "host"
        else:
            change.apply(exchange.response.headers, context)

    return run


POLICY = Policy("set-header", _compile)
