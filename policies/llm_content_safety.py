"""`llm-content-safety`: blocks prompts and answers that Azure AI Content Safety finds harmful."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.checks import INT_MAX, check_not_blank, check_range
from policies.shared.errors import PolicyError
from policies.shared.options import Options
from policies.shared.policy import ANY_SCOPE, Scope, Section, TypedPolicy, list_element, options_element

_HIGHEST = {None: 6, "FourSeverityLevels": 6, "EightSeverityLevels": 7}


class HarmCategory(StrEnum):
    """Kind of harm to detect."""

    HATE = "Hate"
    SELF_HARM = "SelfHarm"
    SEXUAL = "Sexual"
    VIOLENCE = "Violence"


class SeverityLevels(StrEnum):
    """Scale of severities."""

    FOUR = "FourSeverityLevels"
    """0, 2, 4 and 6."""
    EIGHT = "EightSeverityLevels"
    """0 to 7."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SafetyCategory(Options):
    """A kind of harm and how much of it is too much."""

    name: HarmCategory | str
    """Kind of harm, or an expression."""
    threshold: int | str
    """Severity from which content is blocked, 0 (everything) to 7, or an expression."""

    def __post_init__(self) -> None:
        """Check the threshold."""
        Options.__post_init__(self)
        check_range("safety category threshold", self.threshold, 0, 7)


@dataclass(frozen=True, kw_only=True, slots=True)
class LlmContentSafety(TypedPolicy):
    """Checks content with Azure AI Content Safety and refuses harmful content with 403 (llm-content-safety).

    Content that cannot be checked is refused too. In `inbound` it checks prompts, and answers with
    `enforce_on_completions`; in `outbound` it checks answers. A streamed answer that turns harmful ends without a
    status code. The reference shows several blocklists, but the schema allows one a policy: use a policy for each.
    """

    tag: ClassVar[str] = "llm-content-safety"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.INBOUND, Section.OUTBOUND})
    scopes: ClassVar[frozenset[Scope]] = ANY_SCOPE - {Scope.OPERATION}

    backend_id: str
    """Backend resource of Azure AI Content Safety, or an expression."""
    shield_prompt: bool | str | None = None
    """Whether prompts are checked for attacks. Defaults to false."""
    enforce_on_completions: bool | str | None = None
    """Whether answers are checked as well. Defaults to false."""
    window_size: int | str | None = None
    """Characters that are checked at a time, at least 1. Defaults to 10,000 of a prompt and 1,000 of an answer."""
    window_overlap_size: int | str | None = None
    """Characters that two windows share, fewer than `window_size`. By default the gateway decides."""
    output_type: SeverityLevels | str | None = field(default=None, metadata={"content": True})
    """Scale of the thresholds. Defaults to `FourSeverityLevels`."""
    categories: list[SafetyCategory] = field(default_factory=list)
    """Kinds of harm to block, each once. Defaults to none."""
    blocklist_ids: list[str] = field(default_factory=list)
    """Blocklist of Azure AI Content Safety whose terms are blocked, one at most. Defaults to none."""

    def __post_init__(self) -> None:
        """Check that there is something to check, and that every threshold can be reached."""
        TypedPolicy.__post_init__(self)
        check_not_blank(f"{self.tag} backend_id", self.backend_id)
        if not (self.categories or self.blocklist_ids or self.shield_prompt):
            raise PolicyError(f"{self.tag} checks nothing; give categories, blocklist_ids or shield_prompt")
        self._check_windows()
        self._check_categories()
        if len(self.blocklist_ids) > 1:
            raise PolicyError(
                f"{self.tag} has {len(self.blocklist_ids)} blocklist_ids; the schema allows one; use a policy for each"
            )
        for blocklist in self.blocklist_ids:
            check_not_blank(f"{self.tag} blocklist_ids", blocklist)

    def _check_windows(self) -> None:
        check_range(f"{self.tag} window_size", self.window_size, 1, INT_MAX, "characters")
        largest = self.window_size - 1 if isinstance(self.window_size, int) else INT_MAX
        check_range(f"{self.tag} window_overlap_size", self.window_overlap_size, 0, largest, "characters")

    def _check_categories(self) -> None:
        if self.output_type is not None and not self.categories:
            raise PolicyError(f"{self.tag} has output_type but no categories; give categories or remove it")
        names = [category.name for category in self.categories]
        for category in self.categories:
            if isinstance(category.name, HarmCategory) and names.count(category.name) > 1:
                raise PolicyError(f"{self.tag} has category {category.name} more than once; keep one threshold")
            check_range(
                f"{self.tag} threshold of {category.name}", category.threshold, 0, _HIGHEST.get(self.output_type, 7)
            )

    def children(self) -> Iterator[ET.Element]:
        """Yield categories and blocklists."""
        if self.categories:
            element = ET.Element("categories")
            if self.output_type is not None:
                element.set("output-type", self.output_type)
            element.extend(options_element("category", category) for category in self.categories)
            yield element
        yield from list_element("blocklists", "id", self.blocklist_ids)
