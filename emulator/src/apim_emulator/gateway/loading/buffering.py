"""Bodies that expressions read: they are brought into memory before the policy runs, and only then."""

from collections.abc import Iterator

from apim_emulator.csharp import bodies_read
from apim_emulator.gateway.context import Context
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import internal_error
from apim_emulator.gateway.http.bodies import decoded
from apim_emulator.gateway.loading.document import Node
from apim_emulator.gateway.loading.mistakes import reads_on


def bodies_in(*texts: str) -> frozenset[str]:
    """Tell which bodies texts read that are expressions, all of which compile: what `bodies_read` tells of each."""
    if reads_on():
        return frozenset()
    expressions = (text.strip() for text in texts)
    return frozenset(name for text in expressions if text.startswith(("@(", "@{")) for name in bodies_read(text))


def bodies_of(node: Node) -> frozenset[str]:
    """Tell which bodies a policy reads itself, with the elements that are part of it."""
    return bodies_in(*_texts(node))


def has_expressions(node: Node) -> bool:
    """Tell whether a policy evaluates anything when it runs, whatever stands inside it."""
    return any(text.lstrip().startswith(("@(", "@{")) for text in _texts(node))


async def buffer_bodies(exchange: Exchange, bodies: frozenset[str]) -> None:
    """Bring bodies into memory, without their content encoding.

    Raises `Failure`: a body is too large, breaks off, or its content encoding cannot be undone.
    """
    context = exchange.context
    if "Variables" in bodies:
        held = {id(value) for value in context.variables.values()}
        bodies |= {name for name, own in _messages(context) if id(own) in held}
    try:
        if "Request" in bodies and context.request.body is None:
            data = await exchange.read_request()
            context.request.body = decoded(data, context.request.headers)
            context.request.has_body = bool(data) or exchange.incoming.body_exists
        if "Response" in bodies and context.response is not None:
            data = await exchange.read_response()
            if context.response.headers.get("Content-Encoding") is not None:
                # The caller gets it without the encoding too (inferred).
                exchange.replace_response_body(decoded(data, context.response.headers))
    except ValueError as error:
        raise internal_error("BodyNotReadable", str(error)) from None


def _messages(context: Context) -> tuple[tuple[str, object], ...]:
    return ("Request", context.request), ("Response", context.response)


def _texts(node: Node) -> Iterator[str]:
    yield from node.attributes.values()
    yield node.text
    for child in node.children:
        yield from _texts(child)
