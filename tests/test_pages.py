"""The pages for whoever carries on: what they name is there."""

import re

import pytest

from tests.deployed import ROOT

PAGES = ("CONTRIBUTING.md", "SECURITY.md", "docs/upgrading.md")
NAMED = re.compile(r"`(\w(?:[\w.-]*/)+[\w.-]*|[\w-]+\.(?:md|py|txt|yaml|toml))`")
"""A folder or file in backticks. One that begins with a dot is written on the reader's machine."""


def named(page: str) -> set[str]:
    """Files and folders of the repository that a page names; capitals before .py are the reader's choice."""
    found = NAMED.findall((ROOT / page).read_text(encoding="utf-8"))
    return {name for name in found if not re.search(r"\b[A-Z]{4,}\.py$", name)}


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_is_there(page: str) -> None:
    names = named(page)

    assert names
    assert {name for name in names if not (ROOT / name).exists()} == set()
