"""`ip-filter`: admits or refuses callers by IP address."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address

from apim_emulator.csharp import EvaluationError
from apim_emulator.gateway.context import Context
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Failure
from apim_emulator.gateway.loading.document import Node
from apim_emulator.gateway.loading.element import Element, Value, leaf
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.witness import note

_Address = IPv4Address | IPv6Address
_Test = Callable[[_Address, Context], bool]


def _compile(element: Element, _site: Site) -> Run:
    action = element.word("action", ("allow", "forbid"))
    tests = [_single(node) for node in element.children("address")]
    tests += [_range(node) for node in element.children("address-range")]
    if not tests:
        element.refuse("needs at least one address or address-range")

    async def run(exchange: Exchange) -> None:
        context = exchange.context
        caller = _parsed(context.request.ip_address)
        if caller is None:
            raise _refused("FailedToParseCallerIP", "Failed to establish IP address for the caller. Access denied.")
        listed = any(test(caller, context) for test in tests)
        note("caller {} is {}", str(caller), "listed" if listed else "not listed")
        if action(context) == "forbid":
            if listed:
                raise _refused("CallerIpBlocked", "Caller IP address is blocked. Access denied.")
        elif not listed:
            raise _refused("CallerIpNotAllowed", f"Caller IP address {caller} is not allowed. Access denied.")

    return run


def _refused(reason: str, detail: str) -> Failure:
    """Refuse the caller without telling which addresses are listed (inferred: the body's message)."""
    return Failure(403, "Forbidden", reason, detail=detail)


def _single(node: Node) -> _Test:
    address = _address(node, leaf(node, strip=True), node.text)
    return lambda caller, context: caller == address(context)


def _range(node: Node) -> _Test:
    element = Element(node)
    low = _address(node, element.text("from"), element.node.attributes["from"])
    high = _address(node, element.text("to"), element.node.attributes["to"])
    element.done()

    def is_inside(caller: _Address, context: Context) -> bool:
        first, last = low(context), high(context)
        return first.version == last.version == caller.version and int(first) <= int(caller) <= int(last)

    return is_inside


def _address(node: Node, value: Value[str], text: str) -> Value[_Address]:
    """Make an address of a literal, which is checked at once, or of an expression."""
    if not text.strip().startswith("@"):
        known = _parsed(text)
        if known is not None:
            return lambda _: known
        node.refuse("not an IP address")

    def evaluate(context: Context) -> _Address:
        found = _parsed(value(context))
        if found is None:
            raise EvaluationError("FormatException")
        return found

    return evaluate


def _parsed(text: str) -> _Address | None:
    """Read an address; one of IPv4 inside IPv6 is that of IPv4."""
    try:
        found = ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        return found.ipv4_mapped or found
    return found


POLICY = Policy("ip-filter", _compile, sections=("inbound",))
