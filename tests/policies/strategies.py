"""Hypothesis strategies: random valid policies of the sections, and whole documents of them."""

from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from policies import Base, Document, Policy, RawElement, Section
from policies.documents.order import STEPS
from policies.shared.policy import TypedPolicy
from policies.shared.token_validation import TokenValidation
from tests.policies.records import RECORDS
from tests.policies.values import texts

Strategy = st.SearchStrategy[Policy]
ORDERED = {kind.tag for step in STEPS for kind in step}
FLOWS = {tag for tag, record in RECORDS.items() if record.kind.branches is not TypedPolicy.branches} - {"wait"}
"""Those that hold any others; wait holds a few, and stands in none."""
NOT_BY_THE_SCHEMA = {"emit-metric": frozenset({Section.BACKEND})}
"""Sections that the policy reference gives a policy, and the rules of the official schemas do not."""


def _untyped(prefix: str, separator: str) -> RawElement:
    attributes = {"apply": "always", "namespace-prefix": prefix, "namespace-separator": separator}
    return RawElement(xml=ET.tostring(ET.Element("json-to-xml", attributes), encoding="unicode"))


raw_element = st.builds(_untyped, texts, texts)


def alone(*sections: Section, once: bool = False) -> Strategy:
    """Draw those that hold no others and may stand in all these sections, in any order; or those that stand once."""
    leaves = [
        record.policies()
        for tag, record in RECORDS.items()
        if (record.kind.sections - NOT_BY_THE_SCHEMA.get(tag, frozenset())).issuperset(sections)
        and record.kind.once is once
        and tag not in {*ORDERED, *FLOWS, "wait"}
        and not issubclass(record.kind, TokenValidation)
    ]
    return st.one_of(*leaves, raw_element)


def around(policies: Strategy) -> Strategy:
    """Draw flows around others."""
    return st.one_of(*(RECORDS[tag].policies(policies) for tag in sorted(FLOWS)))


def _within(*sections: Section) -> Strategy:
    return st.recursive(alone(*sections), around, max_leaves=4)


inbound = _within(Section.INBOUND)
backend = _within(Section.BACKEND)
response = _within(Section.OUTBOUND, Section.ON_ERROR)
waiting = RECORDS["wait"].policies(alone(*Section))
validations = st.one_of(
    *(record.policies(inbound) for record in RECORDS.values() if issubclass(record.kind, TokenValidation))
)


def drawn(tag: str) -> st.SearchStrategy[Document]:
    """Draw documents that have a policy first in a section where it may stand."""
    record = RECORDS[tag]
    section = next(section for section in Section if section in record.kind.sections)
    rest = [] if section is Section.BACKEND else [Base()]
    return record.policies(inbound).map(lambda policy: Document(**{section.name.lower(): [policy, *rest]}))


@st.composite
def documents(draw: st.DrawFn) -> Document:
    def with_base(policies: list[Policy]) -> list[Policy]:
        place = draw(st.none() | st.integers(0, len(policies)))
        return policies if place is None else [*policies[:place], Base(), *policies[place:]]

    def some(*strategies: Strategy, most: int = 1) -> list[Policy]:
        return draw(st.lists(st.one_of(*strategies), max_size=most))

    def step(kinds: tuple[type[TypedPolicy], ...]) -> list[Policy]:
        return some(*(RECORDS[kind.tag].policies(inbound) for kind in kinds))

    spend, safe, answer = STEPS
    return Document(
        inbound=with_base(
            [
                *some(RECORDS["cors"].policies(inbound)),
                *some(RECORDS["ip-filter"].policies(inbound)),
                *some(validations, most=2),
                *some(inbound, waiting, most=2),
                *step(spend),
                *step(safe),
                *some(inbound, RECORDS["validate-parameters"].policies(inbound)),
                *step(answer),
            ]
        ),
        backend=[draw(st.just(Base()) | backend | waiting)],
        outbound=with_base(
            [
                *some(alone(Section.OUTBOUND, once=True)),
                *some(RECORDS["llm-content-safety"].policies(inbound), response, waiting, most=2),
            ]
        ),
        on_error=with_base(some(response, most=2)),
    )
