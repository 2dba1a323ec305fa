"""Parts of rendered documents."""

from collections.abc import Callable
from textwrap import dedent

from policies import Base, Document, Policy, Section


def lines_of(section: str, document: str) -> str:
    """Return what stands in a section of a rendered document, without the document's own indentation."""
    inner = document.partition(f"<{section}>\n")[2].partition(f"\n    </{section}>")[0]
    return "\n".join(line.removeprefix(" " * 8) for line in inner.split("\n"))


def check_rendering(policy: Policy, expected: str, judge: Callable[[str], list[str]], section: Section) -> None:
    """Assert that a policy renders as written, in the section where it may stand, and that the schema accepts it."""
    rendered = Document(**{section.name.lower(): [Base(), policy]}).render()

    assert lines_of(section, rendered).removeprefix("<base />\n") == dedent(expected).strip()
    assert judge(rendered) == []
