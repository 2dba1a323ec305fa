"""What a real C# compiler says: nothing that is evaluated may differ from it.

Needs the Debian packages mono-mcs, mono-runtime and libnewtonsoft-json5.0-cil. Public policy documents are judged too
where the environment variable APIM_POLICY_REPOSITORIES names a folder with git directories `<repository>/repo`.
"""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from emulator.bench.repositories import files
from emulator.tests.csharp.answers import ANSWERS
from emulator.tests.csharp.calls import CALL, without_chance
from emulator.tests.csharp.corpus import CORPUS
from emulator.tests.csharp.edges import EDGES
from emulator.tests.csharp.judge import answers
from emulator.tests.csharp.judge.compiler import Case, judge, needs_compiler
from emulator.tests.csharp.judge.operations import OPERATIONS, Variables, cases
from emulator.tests.csharp.judge.programs import programs
from emulator.tests.csharp.judge.repositories import expressions
from emulator.tests.csharp.judge.scenarios import scenarios
from emulator.tests.csharp.xml_edges import XML_EDGES

REPOSITORIES = os.environ.get("APIM_POLICY_REPOSITORIES")
DRAWN = settings(
    max_examples=int(os.environ.get("APIM_JUDGED_EXAMPLES", "200")),
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
"""Draws examples without a judgement on each: the compiler is asked once for all."""


@needs_compiler
def test_corpus_is_what_the_compiler_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_chance(monkeypatch)

    report = judge(
        [Case(text, (CALL,)) for texts in (CORPUS | EDGES | XML_EDGES).values() for text, _ in texts], tmp_path
    )

    assert (report.wrong, report.accepted, report.refused) == ([], [], {}), str(report)


@needs_compiler
def test_generated_programs_are_evaluated_as_the_compiler_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_chance(monkeypatch)
    texts: dict[str, None] = {}

    @DRAWN
    @given(programs())
    def collect(text: str) -> None:
        texts[text] = None

    collect()
    report = judge([Case(text, (CALL,)) for text in texts], tmp_path)

    assert report.wrong == [], str(report)
    assert report.equal > len(texts) / 3, str(report)


@needs_compiler
def test_operations_give_what_the_compiler_says_for_any_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_chance(monkeypatch)
    drawn: dict[int, list[Variables]] = {place: [] for place in range(len(OPERATIONS))}
    values = st.fixed_dictionaries({place: strategy for place, (strategy, _, _) in enumerate(OPERATIONS)})

    @DRAWN
    @given(values)
    def collect(found: dict[int, Variables]) -> None:
        for place, variables in found.items():
            drawn[place].append(variables)

    collect()
    report = judge(cases(drawn), tmp_path)

    assert (report.wrong, report.accepted, report.refused) == ([], [], {}), str(report)
    assert report.equal > report.evaluations / 2, str(report)


@needs_compiler
def test_every_member_gives_what_the_compiler_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_chance(monkeypatch)

    found = answers.report(tmp_path)

    assert (found.wrong, found.accepted) == ([], []), str(found)
    assert found.equal >= 5000, str(found)
    assert answers.written(found) == ANSWERS.read_text(encoding="utf-8"), f"python -m {answers.__name__} writes it anew"


@needs_compiler
@pytest.mark.skipif(REPOSITORIES is None, reason="APIM_POLICY_REPOSITORIES is not set")
def test_expressions_of_public_policies_are_evaluated_as_the_compiler_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without_chance(monkeypatch)
    found = [Case(text, scenarios(text, 20)) for text in expressions(files(Path(REPOSITORIES or "")))]

    report = judge(found, tmp_path)

    with capsys.disabled():
        print(f"\n{report}")  # noqa: T201 - what the test is for
    assert (report.wrong, report.accepted) == ([], []), str(report)
    assert report.supported >= 0.9 * report.tried, str(report)
