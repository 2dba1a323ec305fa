"""The policy hook: the user's own policies in an API's policy document."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import chain
from typing import Self

from options.mistakes import Mistake
from options.rules import Rules
from policies import Policy, PolicyError, Section
from policies.documents.hook import (
    Problem,
    buffering,
    policies_text,
    problems,
    read_document,
    read_section,
    section_text,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyOptions:
    """Your own policies, as XML or as the portal shows them; they can add to the API's policy and remove nothing.

    They run once the caller is authenticated, and those in `inbound` before the gateway adds its own credential. They
    can neither pass on a caller's credential nor choose the backend.
    """

    inbound: str | None = None
    """Policies for the request, run once the caller is authenticated. Defaults to none."""
    backend: str | None = None
    """Policies run before the request is sent, which they cannot change. Defaults to none."""
    outbound: str | None = None
    """Policies for the response. Defaults to none."""
    on_error: str | None = None
    """Policies for a failure in any other section. Defaults to none."""

    @classmethod
    def typed(
        cls,
        *,
        inbound: Sequence[Policy] = (),
        backend: Sequence[Policy] = (),
        outbound: Sequence[Policy] = (),
        on_error: Sequence[Policy] = (),
    ) -> Self:
        """Return the options for typed policies of the package `policies`."""
        return cls(
            inbound=policies_text(inbound) or None,
            backend=policies_text(backend) or None,
            outbound=policies_text(outbound) or None,
            on_error=policies_text(on_error) or None,
        )

    def texts(self) -> Iterator[tuple[Section, str, str]]:
        """Yield each section that is set, with the name of its field and its text."""
        for field in fields(self):
            text = getattr(self, field.name)
            if text is not None:
                yield Section[field.name.upper()], field.name, text


VALUES: Rules = {}


def check_policy(
    policy: PolicyOptions, *, sku: str | None = None, key_names: Collection[str] = ()
) -> Iterator[Mistake]:
    """Yield what is wrong with each section, with line and column.

    Args:
        policy: the hook.
        sku: pricing tier of the service, if it is known.
        key_names: names, or beginnings of names, of the named values that hold the gateway's own keys.

    """
    for section, name, text in policy.texts():
        try:
            _refuse(problems(read_section(section, text), sku=sku, key_names=key_names))
        except PolicyError as error:
            yield Mistake(key=(name,), problem=str(error))


def check_streams(policy: PolicyOptions) -> Iterator[Mistake]:
    """Refuse `include_usage` beside policies that hold a stream back until its end, by reading or changing it."""
    for section, name, text in policy.texts():
        if section in {Section.OUTBOUND, Section.ON_ERROR} and (tag := buffering(section, text)):
            problem = (
                f"conflicts with {{0}}, where {tag} needs the whole response, so that streams would be held back; "
                "remove one of the two"
            )
            yield Mistake(key=("include_usage",), problem=problem, about=(("policy", name),))


def policy_document(text: str, *, sku: str | None = None, key_names: Collection[str] = ()) -> PolicyOptions:
    """Read a policy document as a hook; the other arguments are those of `check_policy`.

    Raises:
        PolicyError: The text is not a policy document, or its sections have mistakes; all are listed with line and
            column.

    """
    sections = read_document(text)
    _refuse(chain.from_iterable(problems(section, sku=sku, key_names=key_names) for section in sections.values()))
    return PolicyOptions(
        **{name.name.lower(): section_text(section) for name, section in sections.items() if len(section)}
    )


def _refuse(found: Iterable[Problem]) -> None:
    if texts := [str(problem) for problem in found]:
        raise PolicyError("; ".join(texts))
