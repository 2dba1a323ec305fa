"""A policy document: the four sections of one scope."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from policies.base import Base
from policies.cors import Cors
from policies.documents.availability import unavailable
from policies.documents.identity import VALIDATIONS, chooses_validation
from policies.documents.order import check_order
from policies.raw_element import Verbatim
from policies.shared.errors import PolicyError
from policies.shared.policy import BY_TAG, Policy, Scope, Section

_INDENT = "    "
_LIMIT_KIB = 256
_LIMIT_KIB_OF_SKU = {"Consumption": 16}
_DIRECTLY = {"base", Cors.tag}


def _parent() -> list[Policy]:
    return [Base()]


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """The policies of one scope, such as an API (set or edit policies).

    An omitted section runs the parent scope's policies; an empty one runs nothing at all.
    """

    inbound: Sequence[Policy] = field(default_factory=_parent)
    """Policies of the request, in the order that `policies.documents.order` requires."""
    backend: Sequence[Policy] = field(default_factory=_parent)
    """The one policy that sends the request to the backend."""
    outbound: Sequence[Policy] = field(default_factory=_parent)
    """Policies of the response."""
    on_error: Sequence[Policy] = field(default_factory=_parent)
    """Policies of a failure in any other section."""

    def __post_init__(self) -> None:
        """Check that each policy is allowed where it is."""
        for section in Section:
            policies = self._policies(section)
            for policy in policies:
                _check_place(policy, section)
            tags = [next(policy.placements()).tag for policy in policies]
            if sum(isinstance(policy, Base) for policy in policies) > 1:
                raise PolicyError(
                    f"{section} has more than one base; the parent's policies run once; remove the others"
                )
            for tag in tags:
                if tag in BY_TAG and BY_TAG[tag].once and tags.count(tag) > 1:
                    raise PolicyError(f"{section} has more than one {tag}; it is allowed there once; merge them")
        if len(self.backend) != 1:
            raise PolicyError(f"backend has {len(self.backend)} policies; it takes exactly one, such as Base or Choose")
        check_order(self.inbound)

    def render(self, sku: str | None = None, scope: Scope | None = None) -> str:
        """Return the document for `format="xml"`; equal options give the same text.

        `sku` is the service's pricing tier; Consumption allows 16 KiB, every other tier 256 KiB (service limits).
        `scope` is the document's scope. Raises `PolicyError` if the document is too large, or has a policy that the
        tier's gateway lacks or that is not allowed at the scope.
        """
        self._check_service(sku, scope)
        root = ET.Element("policies")
        for section in Section:
            ET.SubElement(root, section.value).extend(policy.element() for policy in self._policies(section))
        _indent(root, 1)
        # ElementTree escapes a carriage return in an attribute but not in text, where a parser makes it a line feed.
        text = ET.tostring(root, encoding="unicode").replace("\r", "&#13;") + "\n"
        limit = _LIMIT_KIB_OF_SKU.get(sku or "", _LIMIT_KIB)
        if (size := len(text.encode())) > limit * 1024:
            tier = f" for {sku}" if sku else ""
            raise PolicyError(
                f"policy document has {size} bytes; the limit{tier} is {limit} KiB; move parts to fragments"
            )
        return text

    def _check_service(self, sku: str | None, scope: Scope | None) -> None:
        for policy in (policy for section in Section for policy in self._policies(section)):
            for placement in policy.placements():
                if sku is not None and (reason := unavailable(placement.tag, sku)):
                    raise PolicyError(f"{placement.tag} {reason}")
                if scope is not None and scope not in placement.scopes:
                    allowed = " or ".join(allowed for allowed in Scope if allowed in placement.scopes)
                    raise PolicyError(
                        f"{placement.tag} is not allowed at {scope} scope; put it into a document of {allowed} scope"
                    )

    def _policies(self, section: Section) -> Sequence[Policy]:
        policies: Sequence[Policy] = getattr(self, section.name.lower())
        return policies


def _check_place(policy: object, section: Section) -> None:
    """Refuse a policy that is not allowed in `section`, or not inside another policy there."""
    if not isinstance(policy, Policy):
        raise PolicyError(
            f"{section} holds {type(policy).__name__}; it takes policies, such as SetHeader or RawElement"
        )
    outer, *inner = policy.placements()
    for placement in (outer, *inner):
        if section not in placement.sections:
            allowed = " or ".join(allowed for allowed in Section if allowed in placement.sections)
            raise PolicyError(f"{placement.tag} is not allowed in {section}; put it into {allowed}")
    for placement in inner:
        if placement.tag in _DIRECTLY:
            raise PolicyError(f"{placement.tag} is not allowed inside {outer.tag}; put it directly into {section}")
        if placement.tag in VALIDATIONS and not chooses_validation(policy):
            raise PolicyError(
                f"{placement.tag} inside {outer.tag} could be passed by; put it directly into {section}, or begin each "
                "when of a choose there with a single validation and otherwise with return-response"
            )


def _indent(element: ET.Element, level: int) -> None:
    """Put each child on its own line; text and raw elements stay as they are."""
    if len(element) and not isinstance(element, Verbatim):
        element.text = "\n" + _INDENT * level
        for child in element:
            child.tail = element.text
            _indent(child, level + 1)
        element[-1].tail = "\n" + _INDENT * (level - 1)
