"""What goes wrong: documents that are not loaded, and calls that end in a failure response."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from uuid import UUID

from multidict import CIMultiDict

from apim_emulator.gateway.context.objects import LastError, Response
from apim_emulator.gateway.http.headers import envelope

ProblemKind = Literal["mistake", "reference", "unsupported", "warning"]
"""What API Management refuses too, a name of something that is not given, what this gateway alone does not run, and
what is loaded all the same."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason not to load a gateway; never holds a value of a named value."""

    document: str
    """Which document or resource, such as `api openai` or `fragment auth`."""
    line: int
    policy: str
    reason: str
    attribute: str | None = None
    column: int | None = None
    """Counted from 1 in the text as it was given; None where there is no text."""
    kind: ProblemKind = "mistake"
    allowed: tuple[str, ...] = field(default=(), compare=False)
    """What may stand there, where that is a list of names."""

    def __str__(self) -> str:
        """One line for the person who wrote the document."""
        place = f"line {self.line}" if self.column is None else f"line {self.line}, column {self.column}"
        return f"{self.document}, {place}: {self._told}"

    def in_file(self, files: Mapping[str, Path]) -> str:
        """Return the same line with the place as editors read it, FILE:LINE:COLUMN, where the document has a file."""
        place = (files.get(self.document, self.document), self.line, self.column)
        return f"{':'.join(str(part) for part in place if part)}: {self._told}"

    @property
    def _told(self) -> str:
        subject = self.policy if self.attribute is None else f"{self.policy}, {self.attribute}"
        return f"{subject}: {self.reason}"


class PolicyLoadError(Exception):
    """A gateway that is not loaded, with every problem found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the problems; the message has one line for each."""
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


class RefusedError(Exception):
    """Raised while loading: one policy, attribute or document that is not supported."""

    def __init__(self, problem: Problem) -> None:
        """Carry the problem."""
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Location:
    """Where a policy stands, as `context.LastError` tells it."""

    scope: str = ""
    """`global`, `product`, `api` or `operation`."""
    section: str = ""
    path: str = ""
    """Such as `choose[3]/when[2]/set-header`."""
    policy_id: str = ""
    policy: str = ""


@dataclass(eq=False, slots=True)
class Failure(Exception):  # noqa: N818 - not an error of the program but a refusal of the call
    """A call refused or broken: it goes to on-error with this response."""

    status: int
    message: str = field(repr=False)
    reason: str
    """`LastError.Reason`."""
    source: str = ""
    """`LastError.Source`; defaults to the policy's name."""
    detail: str | None = field(default=None, repr=False)
    """`LastError.Message`; defaults to the message."""
    status_reason: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    with_activity: bool = False
    """Whether the body names the activity, as internal errors do."""
    response: Response | None = field(default=None, repr=False)
    """A response to keep in place of the failure envelope."""
    location: Location = Location()

    def last_error(self) -> LastError:
        """Make `context.LastError`."""
        at = self.location
        return LastError(
            source=self.source or at.policy,
            reason=self.reason,
            message=self.message if self.detail is None else self.detail,
            scope=at.scope,
            section=at.section,
            path=at.path,
            policy_id=at.policy_id,
        )

    def as_response(self, request_id: UUID) -> Response:
        """Make the response that the caller gets unless on-error changes it."""
        if self.response is not None:
            return self.response
        headers = CIMultiDict({"Content-Type": "application/json", **self.headers})
        body = envelope(self.status, self.message, request_id if self.with_activity else None)
        return Response(self.status, self.status_reason, headers, body)

    def placed(self, location: Location) -> None:
        """Note where it happened, unless a policy further in already did."""
        if self.location == Location():
            self.location = replace(location)


def internal_error(reason: str, detail: str, source: str = "") -> Failure:
    """Make the 500 that the gateway gives for errors of its own or of an expression (inferred: body's shape)."""
    return Failure(500, "Internal server error", reason, source, detail, with_activity=True)


class Finished(Exception):  # noqa: N818 - control flow of return-response
    """Ends the pipeline with the response as it is."""


class Answered(Exception):  # noqa: N818 - control flow of a cache hit
    """Ends inbound with the response that is there: the backend is not called, outbound runs (inferred)."""
