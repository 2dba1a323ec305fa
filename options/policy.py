"""Policies of the user's own in an API's document: a hook."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import chain
from typing import Self

from options.mistakes import Mistake
from options.rules import Rules
from policies import Policy, PolicyError, Section
from policies.hook import Problem, policies_text, problems, read_document, read_section, section_text


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyOptions:
    """Policies of your own, as XML or as the portal shows them, where they can add and take nothing away.

    Callers are known when they run, and no caller's credential or choice of a backend comes through: what the gateway
    itself presents comes after them.
    """

    inbound: str | None = None
    """Policies of the request, once the caller is known. Left out: none."""
    backend: str | None = None
    """Policies before the request is sent; they change nothing of it. Left out: none."""
    outbound: str | None = None
    """Policies of the response. Left out: none."""
    on_error: str | None = None
    """Policies of a failure in any other section. Left out: none."""

    @classmethod
    def typed(
        cls,
        *,
        inbound: Sequence[Policy] = (),
        backend: Sequence[Policy] = (),
        outbound: Sequence[Policy] = (),
        on_error: Sequence[Policy] = (),
    ) -> Self:
        """Return the options for policies of the package `policies`."""
        return cls(
            inbound=policies_text(inbound) or None,
            backend=policies_text(backend) or None,
            outbound=policies_text(outbound) or None,
            on_error=policies_text(on_error) or None,
        )

    def texts(self) -> Iterator[tuple[Section, str, str]]:
        """Yield the sections that are given: section, name of the field and text."""
        for field in fields(self):
            text = getattr(self, field.name)
            if text is not None:
                yield Section[field.name.upper()], field.name, text


VALUES: Rules = {}


def check_policy(policy: PolicyOptions, *, sku: str | None = None, kept: Collection[str] = ()) -> Iterator[Mistake]:
    """Yield what is wrong with each section, with line and column.

    Args:
        policy: the hook.
        sku: pricing tier of the service, where it is known.
        kept: names that the named values with the gateway's own keys begin with.

    """
    for section, name, text in policy.texts():
        try:
            _refuse(problems(read_section(section, text), sku=sku, kept=kept))
        except PolicyError as error:
            yield Mistake(key=(name,), problem=str(error))


def policy_document(text: str, *, sku: str | None = None, kept: Collection[str] = ()) -> PolicyOptions:
    """Return the hook that a policy document is; the other arguments are those of `check_policy`.

    Raises:
        PolicyError: The text is no policy document, or its sections have mistakes; all of them, with line and column.

    """
    sections = read_document(text)
    _refuse(chain.from_iterable(problems(section, sku=sku, kept=kept) for section in sections.values()))
    return PolicyOptions(
        **{name.name.lower(): section_text(section) for name, section in sections.items() if len(section)}
    )


def _refuse(found: Iterable[Problem]) -> None:
    if told := [str(problem) for problem in found]:
        raise PolicyError("; ".join(told))
