"""The places that docs/add-a-policy.md names exist, and hold what it says."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "add-a-policy.md").read_text(encoding="utf-8")
TABLES = [
    [[re.findall("`(.+?)`", cell) for cell in line.strip("|").split("|")] for line in table.splitlines()]
    for table in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE)
]
"""Rows of cells, of each the text in backquotes."""
PLACES = [(row[1][0], row[2]) for table in TABLES[:-1] for row in table[2:]]
PRODUCTS, _, *FACTS = TABLES[-1]


def test_the_page_has_its_tables() -> None:
    assert [len(table) - 2 for table in TABLES] == [3, 5, 3, 3, 6]


@pytest.mark.parametrize(("module", "kind"), [("quota", "Quota"), ("rate_limit_by_key", "RateLimitByKey")])
@pytest.mark.parametrize(("place", "names"), PLACES, ids=[f"{place} {' '.join(names)}" for place, names in PLACES])
def test_place_has_what_the_page_says(place: str, names: list[str], module: str, kind: str) -> None:
    text = (ROOT / place.replace("NAME", module)).read_text(encoding="utf-8")

    assert names
    for name in names:
        assert re.search(rf"\b{name.replace('Name', kind)}\b", text)


@pytest.mark.parametrize("product", [1, 2], ids=["program", "emulator"])
@pytest.mark.parametrize("fact", FACTS, ids=[fact[1][0] for fact in FACTS])
def test_both_products_state_these_facts(fact: list[list[str]], product: int) -> None:
    text = (ROOT / PRODUCTS[product][0]).read_text(encoding="utf-8")

    assert re.search(rf"^    (?:def )?{fact[product][0]}(?:: |\()", text, re.MULTILINE)


def test_every_path_of_the_page_exists() -> None:
    paths = [path.replace("NAME", "quota") for path in re.findall(r"`([\w./-]+/[\w./-]+)`", PAGE)]

    assert [path for path in paths if not (ROOT / path).exists()] == []
