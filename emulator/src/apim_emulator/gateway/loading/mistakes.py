"""Reading on after a mistake, so that a person is told all of a document's at once.

The gateway stops reading an element at its first mistake. Within `every_mistake` it notes each one and reads on with a
stand-in for what could not be read; what it compiles then is never run.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from apim_emulator.gateway.failures import Problem, RefusedError

_noted: ContextVar[list[Problem] | None] = ContextVar("noted", default=None)


@contextmanager
def every_mistake() -> Iterator[list[Problem]]:
    """Note mistakes, within this block, where they would otherwise end the reading; yields those that were noted."""
    found: list[Problem] = []
    token = _noted.set(found)
    try:
        yield found
    finally:
        _noted.reset(token)


def reads_on() -> bool:
    """Tell whether mistakes are noted, and nothing that is compiled is run."""
    return _noted.get() is not None


def refuse(refused: RefusedError) -> None:
    """Raise a refusal, or note it where all mistakes are wanted."""
    found = _noted.get()
    if found is None:
        raise refused
    found.append(refused.problem)
