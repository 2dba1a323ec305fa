"""The page of what the emulator runs: it is current, and nothing is left out."""

import pytest

from apim_emulator.azure.registry import resource_types
from apim_emulator.csharp.library import table
from apim_emulator.gateway.loading import unsupported
from apim_emulator.gateway.policies import POLICIES
from emulator.tests.coverage.page import COMMAND, PAGE, page
from emulator.tests.coverage.policy_parts import policy_parts
from emulator.tests.gateway.policies.records import RECORDS

pytestmark = pytest.mark.slow


def test_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), f"docs/coverage.md is not current; write it anew: {COMMAND}"


def test_page_names_all_that_is_declared() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert all(f"\n### {name}\n" in text for name in POLICIES)
    rows = (*unsupported.POLICIES, *table.PROPERTIES.keys() - {"[]", "?", "context"}, *resource_types())
    assert [name for name in rows if f"\n| `{name}` | " not in text] == []


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_every_attribute_of_a_record_is_found(name: str) -> None:
    found = {part.path.removeprefix("@") for part in policy_parts(name) if part.path.startswith("@")}

    assert found == {*RECORDS[name].attributes, "id"}


def test_parts_are_found_that_no_example_has() -> None:
    assert {(part.path, part.takes) for part in policy_parts("cors") if "/" in part.path or "s@" in part.path} == {
        ("allowed-headers/header", "text"),
        ("allowed-methods/method", "text or expression"),
        ("allowed-methods@preflight-result-max-age", "whole number from 0, or expression"),
        ("allowed-origins/origin", "text or expression"),
        ("expose-headers/header", "text"),
    }


def test_what_is_read_as_a_literal_takes_no_expression() -> None:
    takes = {part.path: part.takes for name in ("rate-limit", "rate-limit-by-key") for part in policy_parts(name)}

    assert takes["api/operation@calls"] == "whole number from 1"
    assert takes["@calls"] == "whole number from 1, or expression"
