"""Base classes of policies: options with an XML element, and the sections and scopes where it is allowed."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import ClassVar, NamedTuple
from xml.etree import ElementTree as ET

from policies.shared.checks import check_literal
from policies.shared.options import Options


class Section(StrEnum):
    """Section of a policy document, in the order in which the gateway runs them."""

    INBOUND = "inbound"
    BACKEND = "backend"
    OUTBOUND = "outbound"
    ON_ERROR = "on-error"


class Scope(StrEnum):
    """Scope that a policy document belongs to, from the widest to the narrowest."""

    GLOBAL = "global"
    PRODUCT = "product"
    API = "api"
    OPERATION = "operation"


INBOUND_ONLY = frozenset({Section.INBOUND})
ANY_SECTION = frozenset(Section)
ANY_SCOPE = frozenset(Scope)
CONSUMPTION = "Consumption"
V2 = "v2"
BY_TAG: "dict[str, type[TypedPolicy]]" = {}
"""The type of each typed policy, by the name of its element; complete once `policies` is imported."""


class Placement(NamedTuple):
    """A policy element, and where it is allowed."""

    tag: str
    sections: frozenset[Section]
    scopes: frozenset[Scope] = ANY_SCOPE


class Policy(Options, ABC):
    """A policy of Azure API Management."""

    __slots__ = ()

    @abstractmethod
    def element(self) -> ET.Element:
        """Return the policy as XML."""

    @abstractmethod
    def placements(self) -> Iterator[Placement]:
        """Yield the policy and those inside it that run in the same section."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TypedPolicy(Policy):
    """A policy with a type of its own: each field is the attribute of that name in kebab case.

    A field has an underscore at the end if Python reserves the attribute's name, such as `for_`.
    """

    tag: ClassVar[str]
    sections: ClassVar[frozenset[Section]] = ANY_SECTION
    scopes: ClassVar[frozenset[Scope]] = ANY_SCOPE
    once: ClassVar[bool] = False
    """Whether it is allowed only once in a section; policies inside others, such as `Choose`, do not count
    (inferred: the reference's example of `wait` has two `rate-limit` in branches of one section)."""
    missing_in: ClassVar[frozenset[str]] = frozenset()
    """Gateways that lack it, `CONSUMPTION` or `V2` (policy reference, gateways)."""

    id: str | None = None
    """Identifier that `context.LastError.PolicyId` reports. Defaults to none."""

    def __init_subclass__(cls) -> None:
        """Register a class with a `tag`. Slots create each class twice; the second one replaces the first."""
        if "tag" in vars(cls):
            BY_TAG[cls.tag] = cls

    def __post_init__(self) -> None:
        """Check the identifier, which cannot be an expression."""
        Options.__post_init__(self)
        check_literal(f"{self.tag} id", self.id)

    def element(self) -> ET.Element:
        """Return the policy as XML: its attributes, then its children in the order of the schema."""
        element = options_element(self.tag, self)
        element.extend(self.children())
        return element

    def children(self) -> Iterable[ET.Element]:
        """Return the child elements, in the order of the schema."""
        return ()

    def branches(self) -> Iterable[Sequence[Policy]]:
        """Return the lists of policies inside this one that run in the same section, each in its order."""
        return ()

    def placements(self) -> Iterator[Placement]:
        """Yield the policy itself and those of every branch."""
        yield Placement(self.tag, self.sections, self.scopes)
        for branch in self.branches():
            for policy in branch:
                yield from policy.placements()


def options_element(tag: str, options: Options) -> ET.Element:
    """Return an element whose attributes are the scalar fields of `options`; `None` is an absent attribute."""
    element = ET.Element(tag)
    for field in fields(options):  # type: ignore[arg-type]  # every Options is a dataclass
        value = getattr(options, field.name)
        if isinstance(value, str | int | float) and not field.metadata.get("content"):
            text = str(value).lower() if isinstance(value, bool) else str(value)
            element.set(field.name.rstrip("_").replace("_", "-"), text)
    return element


def text_element(tag: str, text: str) -> ET.Element:
    """Return an element that holds nothing but `text`."""
    element = ET.Element(tag)
    element.text = text
    return element


def list_element(tag: str, item_tag: str, texts: list[str]) -> Iterator[ET.Element]:
    """Yield the element that lists `texts`, or nothing for an empty list."""
    if texts:
        element = ET.Element(tag)
        element.extend(text_element(item_tag, text) for text in texts)
        yield element
