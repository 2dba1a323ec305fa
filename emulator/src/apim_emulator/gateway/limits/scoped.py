"""The APIs and operations for which `rate-limit` and `quota` have limits of their own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from apim_emulator.gateway.context import Context
from apim_emulator.gateway.loading.element import Element

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ScopedLimit(Generic[T]):
    """The whole, an API or an operation with its limit."""

    limit: T
    api: str | None = None
    operation: str | None = None

    def covers(self, context: Context) -> bool:
        """Tell whether a call falls under the limit; what has no name or ID in the emulator is called by the other."""
        if self.api is not None and (context.api is None or self.api not in {context.api.id, context.api.name}):
            return False
        return self.operation is None or (context.operation is not None and self.operation == context.operation.id)


def scoped_limits(element: Element, read: Callable[[Element], T]) -> Iterator[ScopedLimit[T]]:
    """Read the limits of a policy and of its `api` and `operation` elements."""
    yield ScopedLimit(read(element))
    for api in element.children("api"):
        own = Element(api)
        name = _identity(own)
        yield ScopedLimit(read(own), name)
        for operation in own.children("operation"):
            inner = Element(operation)
            yield ScopedLimit(read(inner), name, _identity(inner))
            inner.done()
        own.done()


def _identity(element: Element) -> str:
    given, name = element.literal("id"), element.literal("name")
    return element.needed((given if given is not None else name) or None, "needs id or name")
