"""The page on what Azure refuses: it names tests that exist."""

import ast
import re
from functools import cache

import pytest

from tests.deployed import ROOT

PAGE = (ROOT / "docs" / "azure-truth.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`((?:emulator/)?tests/[\w/]+\.py)::(\w+)`", PAGE)
ROWS = [line for line in PAGE.splitlines() if line.startswith("|") and not line.startswith(("| fault", "|---"))]


@cache
def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED)))
def test_every_test_that_is_named_exists(path: str, name: str) -> None:
    assert name in names_in(path)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_every_fault_has_a_source_a_test_and_a_mend(row: str) -> None:
    fault, answer, shown, mend = (cell.strip() for cell in row.strip("|").split(" | "))

    assert fault
    assert answer
    assert mend
    assert re.search(r"tests/[\w/]+\.py::\w+`", shown)


def test_every_page_that_is_linked_exists() -> None:
    links = re.findall(r"\]\(([\w./-]+\.md)\)", PAGE)

    assert links
    assert [link for link in links if not (ROOT / "docs" / link).is_file()] == []
