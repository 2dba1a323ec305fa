"""What the gateway says of its work to whoever follows a call; where nobody does, nothing is put into words."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from types import TracebackType
from typing import Protocol, Self

Fact = str | int | float | None
"""A value that a note tells."""


@dataclass(slots=True)
class Sent:
    """A call that the gateway made."""

    purpose: str
    method: str
    url: str
    started: float = field(default_factory=perf_counter)
    """As `time.perf_counter` tells it."""
    seconds: float = 0.0
    status: int | None = None
    error: str | None = None


@dataclass(slots=True)
class Tried(Sent):
    """A call to the backend."""

    backend: str | None = None
    pool: str | None = None
    breaker: str | None = None


@dataclass(frozen=True, slots=True)
class Demanded:
    """What a token says under a name, beside what is demanded of it."""

    name: str
    found: Sequence[str]
    demanded: str | None
    ok: bool


class Witness(Protocol):
    """Someone who follows a call, or a policy at work in it."""

    def read(self, what: str, name: str, value: object) -> None:
        """Take note of a value that was read; `name` is the header's, variable's or parameter's own."""

    def note(self, text: str, values: Sequence[Fact]) -> None:
        """Take note of something that was done; the values belong where the text has `{}`."""

    def sent(self, call: Sent) -> None:
        """Take note of a call that ended."""

    def checked(self, token: Sequence[Demanded], *, accepted: bool) -> None:
        """Take note of a token that was looked at."""

    def counted(self, prompt: int, completion: int, *, reported: bool) -> None:
        """Take note of the tokens of the call."""


witness: ContextVar[Witness | None] = ContextVar("witness", default=None)
"""Who follows what is done now; policies that run side by side have each their own."""


def note(text: str, *values: Fact) -> None:
    """Say what was done: plain words, and apart from them what comes from the call or from a document."""
    found = witness.get()
    if found is not None:
        found.note(text, values)


class Sending(AbstractContextManager["Sending"]):
    """Tells of a call that is made inside it; what raises there is its error."""

    __slots__ = ("_call", "_witness")

    def __init__(self, purpose: str, method: str, url: object) -> None:
        """Start now."""
        self._witness = witness.get()
        self._call = None if self._witness is None else Sent(purpose, method, str(url))

    def __enter__(self) -> Self:
        return self

    def answered(self, status: int) -> None:
        """Take note of the response."""
        if self._call is not None:
            self._call.status = status

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._call is not None and self._witness is not None:
            self._call.seconds = perf_counter() - self._call.started
            self._call.error = None if kind is None else kind.__name__
            self._witness.sent(self._call)
