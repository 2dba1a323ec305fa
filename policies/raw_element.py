"""A policy given as XML, for whatever the types of this package do not offer."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

from policies.cors import Cors
from policies.documents.catalog import SECTIONS
from policies.shared.errors import PolicyError
from policies.shared.policy import ANY_SCOPE, ANY_SECTION, BY_TAG, Placement, Policy, Scope, Section
from policies.validate_azure_ad_token import ValidateAzureAdToken
from policies.validate_jwt import ValidateJwt

_DEEPEST = 50
_NEVER_RAW = {
    "base": "Base",
    **{kind.tag: kind.__name__ for kind in (Cors, ValidateAzureAdToken, ValidateJwt)},
}
"""Policies that decide who may call, or whether the parent scope's policies run; only their types may be used."""
_FLOW = frozenset({"choose", "when", "otherwise", "retry", "wait", "limit-concurrency", "cache-value", "value"})
_WRAPPERS = frozenset({"when", "otherwise", "value"})


class Verbatim(ET.Element):
    """An element whose white space may be significant, so that it is not indented."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RawElement(Policy):
    """A policy given as XML: one without a type here, or with options that its type lacks; comments are dropped.

    The text is parsed and written again; document types, custom entities and namespaces are refused.
    """

    xml: str = field(metadata={"markup": True})
    """The policy's element."""
    sections: list[Section] | None = None
    """Sections where the policy is allowed. Defaults to those of the policy reference, if it lists the policy."""

    def __post_init__(self) -> None:
        """Check that the XML is one policy that does not decide who may call, and that its sections are known."""
        Policy.__post_init__(self)
        root = self.element()
        if root.tag in _NEVER_RAW:
            raise PolicyError(f"raw element {root.tag} has a type; use {_NEVER_RAW[root.tag]}")
        if self.sections == []:
            raise PolicyError(f"raw element {root.tag} has no sections; name at least one, or omit sections")
        for element in root.iter():
            if element.tag in _NEVER_RAW:
                typed = _NEVER_RAW[element.tag]
                raise PolicyError(f"raw element {root.tag} holds {element.tag}; put {typed} directly into the section")
        for tag in (policy.tag for policy in running_policies(root)):
            if tag not in SECTIONS and self.sections is None:
                raise PolicyError(f"raw element {tag} is not a policy known here; check its name, or give its sections")

    def element(self) -> ET.Element:
        """Return the policy as XML."""
        try:
            # The builder refuses document types, and with them all custom entities.
            parser = ET.XMLParser(target=_Builder(element_factory=Verbatim))  # noqa: S314
            return ET.fromstring(self.xml, parser)  # noqa: S314
        except ET.ParseError as error:
            raise PolicyError(f"raw element xml is not well-formed: {error}; correct it") from None

    def placements(self) -> Iterator[Placement]:
        """Yield the policy and, if it is a control flow policy, those inside it."""
        given = None if self.sections is None else frozenset(self.sections)
        root, *inner = (policy.tag for policy in running_policies(self.element()))
        yield Placement(root, given or SECTIONS[root], _scopes(root))
        for tag in inner:
            yield Placement(tag, SECTIONS.get(tag) or given or ANY_SECTION, _scopes(tag))


def _scopes(tag: str) -> frozenset[Scope]:
    return BY_TAG[tag].scopes if tag in BY_TAG else ANY_SCOPE


def running_policies(element: ET.Element) -> Iterator[ET.Element]:
    """Yield the policies that run in the section of `element`, beginning with itself."""
    if element.tag not in _WRAPPERS:
        yield element
    if element.tag in _FLOW:
        for child in element:
            yield from running_policies(child)


class _Builder(ET.TreeBuilder):
    """Builds the tree of an element, and refuses what could change its meaning in a document or exhaust the parser."""

    depth = 0

    def doctype(self, name: str, public_id: str | None, system_id: str | None) -> None:
        raise PolicyError(f"raw element xml has the document type {name!r}; remove it, since entities are not allowed")

    def start_ns(self, prefix: str, uri: str) -> None:
        raise PolicyError(f"raw element xml has the namespace {uri!r}; policies have none; remove it")

    def start(self, tag: Any, attributes: Any, /) -> ET.Element:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise PolicyError(f"raw element xml is nested deeper than {_DEEPEST} elements; make it flatter")
        return super().start(tag, attributes)

    def end(self, tag: str, /) -> ET.Element:
        self.depth -= 1
        return super().end(tag)
