"""Whoever gets an alert is led to what to do."""

import re

import pytest

from components.alerts import MEASURED, RUNBOOKS
from queries import names
from tests.deployed import ROOT

PAGE = (ROOT / RUNBOOKS).read_text(encoding="utf-8")


@pytest.mark.parametrize("alert", MEASURED)
def test_an_alert_has_a_section_of_the_page_that_it_names(alert: str) -> None:
    section = PAGE.partition(f"\n### Alert: {alert}\n")[2].partition("\n#")[0]

    assert re.search(r"^(?:1\. |\| .* what to do \|$)", section, re.MULTILINE)


def test_no_section_is_about_an_alert_that_is_not() -> None:
    assert re.findall(r"^### Alert: (.*)$", PAGE, re.MULTILINE) == list(MEASURED)


def test_every_query_of_an_alert_has_a_rule() -> None:
    assert {name for name in names() if name.startswith("alerts/")} == {f"alerts/{alert}" for alert in MEASURED}
