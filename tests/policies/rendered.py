"""Parts of rendered documents."""

from policies import Base, Document, Policy, Section


def section_of(policy: Policy) -> Section:
    """Return the first section where a policy may stand with those inside it."""
    return next(
        section for section in Section if all(section in placement.sections for placement in policy.placements())
    )


def placed(policy: Policy) -> Document:
    """Put a policy where it stands: after what runs of the parent scope, but in the place of what the parent sends."""
    section = section_of(policy)
    alone = isinstance(policy, Base) or section is Section.BACKEND
    return Document(**{section.name.lower(): [policy] if alone else [Base(), policy]})


def lines_of(section: str, document: str) -> str:
    """Return what stands in a section of a rendered document, without the document's own indentation."""
    inner = document.partition(f"<{section}>\n")[2].partition(f"\n    </{section}>")[0]
    return "\n".join(line.removeprefix(" " * 8) for line in inner.split("\n"))
