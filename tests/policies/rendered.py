"""Parts of rendered documents."""

from textwrap import dedent

from policies import Base, Document, Policy, Section


def placed(policy: Policy, section: Section) -> Document:
    """Put a policy where it stands: after what runs of the parent scope, but in the place of what the parent sends."""
    alone = isinstance(policy, Base) or section is Section.BACKEND
    return Document(**{section.name.lower(): [policy] if alone else [Base(), policy]})


def lines_of(section: str, document: str) -> str:
    """Return what stands in a section of a rendered document, without the document's own indentation."""
    inner = document.partition(f"<{section}>\n")[2].partition(f"\n    </{section}>")[0]
    return "\n".join(line.removeprefix(" " * 8) for line in inner.split("\n"))


def check_rendering(policy: Policy, expected: str, section: Section) -> None:
    """Assert that a policy renders as written, in the section where it may stand."""
    rendered = placed(policy, section).render()

    assert lines_of(section, rendered).removeprefix("<base />\n") == dedent(expected).strip()
