"""`apim-emulator test`: what it prints, its exit codes and its reports."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from apim_emulator.cli import main as command_line
from apim_emulator.cli.test import schema

PROJECT = Path(__file__).parents[2]
POLICY = """<policies>
    <inbound>
        <base />
        <set-header name="X-Team"><value>blue</value></set-header>
    </inbound>
    <backend><base /></backend>
    <outbound><base /></outbound>
    <on-error><base /></on-error>
</policies>
"""
PASSING = "tests: [{name: the team is blue, received: {headers: {X-Team: blue}}}]\n"
FAILING = """tests:
  - name: the team is blue
    received: {headers: {X-Team: blue}}
  - name: the team is red
    calls:
      - response: 200
      - received: {headers: {X-Team: red}}
        response: 201
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy.xml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "policy.test.yaml").write_text(PASSING, encoding="utf-8")
    return tmp_path


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> tuple[int, str, str]:
        code = command_line.run(command_line.app, ["test", *arguments])
        return code, *capfd.readouterr()

    return call


@pytest.mark.usefixtures("folder")
def test_each_case_is_a_line_and_the_last_one_counts_them(run: Run) -> None:
    assert run() == (0, "ok     policy.test.yaml: the team is blue\n1 passed, 0 failed\n", "")


def test_what_is_different_is_told_below_the_case(folder: Path, run: Run) -> None:
    (folder / "policy.test.yaml").write_text(FAILING, encoding="utf-8")

    code, out, _ = run("policy.test.yaml")

    assert code == 1
    assert out.splitlines() == [
        "ok     policy.test.yaml: the team is blue",
        "FAILED policy.test.yaml:4: the team is red",
        "       call 2 of 2",
        "       response.status: expected 201, got 200",
        '       received.headers.X-Team: expected "red", got "blue"',
        "1 passed, 1 failed",
    ]


def test_trace_of_a_failed_call_is_printed_where_it_is_asked_for(folder: Path, run: Run) -> None:
    (folder / "policy.test.yaml").write_text(FAILING, encoding="utf-8")

    _, out, _ = run("--trace")

    assert out.count("<set-header ") == 1  # the policy as it stands in the document, of the failed call alone
    assert "       ├─ inbound\n" in out


def test_folders_are_searched_but_hidden_ones(folder: Path, run: Run) -> None:
    for name in ("a", "b/c", ".hidden"):
        (folder / name).mkdir(parents=True)
        (folder / name / "policy.xml").write_text(POLICY, encoding="utf-8")
        (folder / name / "policy.test.yaml").write_text(PASSING, encoding="utf-8")

    code, out, _ = run("a", "b", str(folder))

    assert code == 0
    assert [line.split()[1] for line in out.splitlines()[:-1]] == [
        "a/policy.test.yaml:",
        "b/c/policy.test.yaml:",
        *(f"{folder}/{name}policy.test.yaml:" for name in ("a/", "b/c/", "")),
    ]


def test_cases_are_chosen_by_their_names(folder: Path, run: Run) -> None:
    (folder / "policy.test.yaml").write_text(FAILING, encoding="utf-8")

    assert run("-k", "BLUE")[0] == 0
    assert run("-k", "red")[1].endswith("0 passed, 1 failed\n")
    assert run("-k", "green") == (2, "", "error: -k green: no case has that in its name\n")


def test_mistakes_are_2_and_everything_else_is_run(folder: Path, run: Run) -> None:
    (folder / "a.test.yaml").write_text("tests: [{name: a, respons: 200}]", encoding="utf-8")
    (folder / "b.test.yaml").write_text("{policy: b.xml, tests: [{name: b, response: 200}]}", encoding="utf-8")
    (folder / "b.xml").write_text(POLICY.replace("set-header", "set-haeder"), encoding="utf-8")

    code, out, err = run()

    assert code == 2
    assert out.endswith("1 passed, 0 failed\n")
    assert err.splitlines() == [
        "error: a.test.yaml:1:19: tests[0].respons: is no key here; did you mean response; allowed are backend, "
        "backends, calls, error, examples, hosts, metrics, name, received, request, response, trace, variables, wait",
        "error: b.xml:4:9: set-haeder: policy is not supported",
    ]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["policy.xml"], "policy.xml: is no case file; the name of one ends with .test.yaml"),
        (["nope.test.yaml"], "nope.test.yaml: No such file or directory"),
        (["empty"], "empty: holds no case file; the name of one ends with .test.yaml"),
        (["--junit", "no/such/folder.xml"], "--junit no/such/folder.xml: No such file or directory"),
    ],
)
def test_mistake_of_the_command_is_told_in_a_line(arguments: list[str], told: str, folder: Path, run: Run) -> None:
    (folder / "empty").mkdir()

    code, _, err = run(*arguments)

    assert (code, err) == (2, f"error: {told}\n")


def test_json_says_all_of_it(folder: Path, run: Run) -> None:
    (folder / "policy.test.yaml").write_text(FAILING, encoding="utf-8")

    code, out, err = run("--json")

    found: dict[str, Any] = json.loads(out)
    assert (code, err) == (1, "")
    assert (found["passed"], found["failed"], found["mistakes"]) == (1, 1, [])
    failed = found["cases"][1]
    assert (failed["file"], failed["line"], failed["name"], failed["passed"]) == (
        "policy.test.yaml", 4, "the team is red", False,
    )  # fmt: skip
    assert failed["calls"][0]["number"] == 2
    assert failed["calls"][0]["differences"][0] == {"what": "response.status", "expected": "201", "actual": "200"}
    assert failed["calls"][0]["trace"]["status"] == 200


def test_junit_report_has_a_suite_for_each_file(folder: Path, run: Run) -> None:
    (folder / "policy.test.yaml").write_text(FAILING, encoding="utf-8")
    (folder / "broken.test.yaml").write_text("tests: 1", encoding="utf-8")

    run("--junit", "report.xml")

    root = ET.parse(folder / "report.xml").getroot()
    suite, broken = root
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("policy.test.yaml", "2", "1")
    passed, failed = suite
    assert (passed.get("name"), len(passed)) == ("the team is blue", 0)
    assert failed[0].get("message") == "response.status: expected 201, got 200"
    assert (broken.get("errors"), broken[0][0].get("message")) == (
        "1",
        "broken.test.yaml:1:1: tests: 1: must be a list",
    )


def test_schema_in_the_documentation_is_current() -> None:
    assert (PROJECT / "docs" / "test-cases.schema.json").read_text(encoding="utf-8") == schema(), (
        "write it anew: apim-emulator test --schema > emulator/docs/test-cases.schema.json"
    )


@pytest.mark.usefixtures("folder")
def test_schema_is_printed(run: Run) -> None:
    assert run("--schema") == (0, schema(), "")


@pytest.mark.slow
@pytest.mark.parametrize("wanted", [True, False])
def test_pytest_runs_cases_where_a_project_asks_for_that(wanted: bool, folder: Path) -> None:
    (folder / "policy.test.yaml").write_text(FAILING, encoding="utf-8")
    settings = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"
    (folder / "pytest.ini").write_text(f"{settings}apim_cases = true\n" if wanted else settings, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]

    ran = subprocess.run(  # noqa: S603 - our own command
        command, cwd=folder, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(PROJECT / "src")}
    )

    if wanted:
        assert "1 failed, 1 passed" in ran.stdout
        assert 'received.headers.X-Team: expected "red", got "blue"' in ran.stdout
    else:
        assert "no tests ran" in ran.stdout
