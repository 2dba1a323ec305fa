"""`docs/operations.md` lists what a refused caller gets: each row is provoked, and no answer lacks a row."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio

from apim_emulator.gateway import CallRecord
from tests.deployed import ROOT
from tests.refusals.answers import matches, unlisted
from tests.refusals.cases import CASES, Case
from tests.refusals.hub import CONFIG, Answer, deployed
from tests.refusals.page import COMMAND, PAGE, section

SNAPSHOTS = sorted((ROOT / "tests" / "snapshots").rglob("*.xml"))
LEAK = "<policies><inbound>{}</inbound></policies>"


class Found(NamedTuple):
    """What was deployed, and what became of each case."""

    policies: list[str]
    answers: Mapping[str, Answer]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def found() -> Found:
    """All cases are provoked once, in an order in which none spoils another."""
    async with deployed() as hub:
        given = {case.id: await case.provoke(hub) for case in sorted(CASES, key=lambda case: case.last)}
        service = hub.sandbox.service
        texts = (*(api.policy for api in service.apis), *(product.policy for product in service.products))
        return Found([text for text in texts if text], given)


@pytest.mark.slow
@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_a_refused_caller_gets_what_the_page_says(found: Found, case: Case) -> None:
    answer = found.answers[case.id]

    assert (answer.status, answer.code) == (case.status, case.code or (answer.code if case.by == "account" else None))
    assert matches(case.message, answer.message), answer.message
    assert answer.headers.get("Retry-After", "").isdecimal() is case.retry_after
    record = answer.record or CallRecord(api=None, operation=None, status=0, backend_called=False, error=None)
    assert record.error == case.reason
    assert record.backend_called is (case.by == "account" if case.asked is None else case.asked)


def test_the_page_has_the_cases_as_they_are() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert text == section(text), f"docs/operations.md is not current; run {COMMAND}"
    assert text.count(f"`{COMMAND}`") == 1


def test_each_case_is_one() -> None:
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.parametrize("path", SNAPSHOTS, ids=lambda path: path.stem)
def test_no_policy_of_the_program_has_an_answer_without_a_row(path: Path) -> None:
    assert unlisted(path.read_text(encoding="utf-8")) == []


@pytest.mark.slow
def test_no_policy_of_the_stack_has_an_answer_without_a_row(found: Found) -> None:
    assert len(found.policies) > len(CONFIG["openai-gateway:apis"])
    assert [problem for text in found.policies for problem in unlisted(text)] == []


def test_no_row_is_left_over_from_a_policy_that_the_program_no_longer_has() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in SNAPSHOTS)

    assert [tag for case in CASES for tag in case.policies if f"<{tag} " not in text] == []


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param('<quota calls="1" renewal-period="300" />', ["quota"], id="a policy that refuses"),
        pytest.param(
            '<choose><when condition="true"><ip-filter action="allow" /></when></choose>', ["ip-filter"], id="inside"
        ),
        pytest.param("<return-response />", ["return-response 200 "], id="an answer without a status"),
        pytest.param(
            '<return-response><set-status code="418" /><set-body>{"message": "tea"}</set-body></return-response>',
            ['return-response 418 {"message": "tea"}'],
            id="another answer",
        ),
    ],
)
def test_an_answer_without_a_row_is_found(policy: str, expected: list[str]) -> None:
    assert unlisted(LEAK.format(policy)) == expected
