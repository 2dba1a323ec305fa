"""`test`: the cases that stand as YAML beside policies."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from xml.etree import ElementTree as ET

from apim_emulator.errors import EmulatorError
from apim_emulator.gateway.loading.placeholders import Fillings
from apim_emulator.testing.cases.format import CaseFile
from apim_emulator.testing.cases.reading import SUFFIX, CaseFileError, read_cases
from apim_emulator.testing.cases.running import Result, run_case
from apim_emulator.tracing import as_text
from apim_emulator.tracing.model import to_json


def run(
    paths: Sequence[Path],
    *,
    keyword: str | None,
    junit: Path | None,
    show_trace: bool,
    as_json: bool,
    fillings: Fillings,
) -> int:
    """Run all cases and print what became of them. 0: all passed, 1: some failed, 2: some could not be run."""
    results: list[Result] = []
    mistakes: list[str] = []
    for path in _files(paths):
        for result in _run_file(path, keyword, mistakes, fillings):
            results.append(result)
            if not as_json:
                sys.stdout.write(_text(result, show_trace))
                sys.stdout.flush()
    if not results and not mistakes:
        raise EmulatorError(f"-k {keyword}: no case has that in its name")
    if junit is not None:
        _write(junit, _junit(results, mistakes))
    failed = sum(not result.passed for result in results)
    if as_json:
        sys.stdout.write(f"{json.dumps(_as_json(results, mistakes), indent=2)}\n")
    else:
        sys.stdout.write(f"{len(results) - failed} passed, {failed} failed\n")
    sys.stderr.write("".join(f"error: {mistake}\n" for mistake in mistakes))
    return 2 if mistakes else min(failed, 1)


def schema() -> str:
    """Write the JSON schema of case files, for editors."""
    found = CaseFile.model_json_schema(by_alias=True, mode="validation")
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **found}, indent=2) + "\n"


def _files(paths: Sequence[Path]) -> list[Path]:
    """List the case files, those of folders by name."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            below = (one for one in path.rglob(f"*{SUFFIX}") if not _is_hidden(one.relative_to(path)))
            found |= dict.fromkeys(sorted(below))
        elif path.name.endswith(SUFFIX) or not path.exists():
            found[path] = None
        else:
            raise EmulatorError(f"{path}: is no case file; the name of one ends with {SUFFIX}")
    if not found:
        names = ", ".join(map(str, paths))
        raise EmulatorError(f"{names}: holds no case file; the name of one ends with {SUFFIX}")
    return list(found)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _run_file(path: Path, keyword: str | None, mistakes: list[str], fillings: Fillings) -> Iterator[Result]:
    try:
        cases = read_cases(path, fillings)
    except CaseFileError as error:
        mistakes += str(error).split("\n")
        return
    for one in cases.cases:
        if keyword is not None and keyword.lower() not in one.name.lower():
            continue
        try:
            yield run_case(cases, one)
        except CaseFileError as error:
            mistakes += [line for line in str(error).split("\n") if line not in mistakes]


def _text(result: Result, show_trace: bool) -> str:
    """Write a line for a case, and for one that failed what is different."""
    lines = [f"{'ok    ' if result.passed else 'FAILED'} {result.path}: {result.name}"]
    for failed in result.failed:
        if result.calls > 1:
            lines.append(f"       call {failed.number} of {result.calls}")
        lines += [f"       {line}" for line in failed.lines]
        if show_trace and failed.trace is not None:
            lines += [f"       {line}" for line in as_text(failed.trace).splitlines()]
    if result.failed:
        lines[0] = f"FAILED {result.path}:{result.line}: {result.name}"
    return "\n".join(lines) + "\n"


def _as_json(results: Sequence[Result], mistakes: Sequence[str]) -> dict[str, object]:
    failed = sum(not result.passed for result in results)
    return {
        "passed": len(results) - failed,
        "failed": failed,
        "cases": [
            {
                "file": str(result.path), "line": result.line, "name": result.name, "passed": result.passed,
                "seconds": round(result.seconds, 6),
                "calls": [
                    {
                        "number": one.number, "differences": [asdict(each) for each in one.differences],
                        "error": one.error, "trace": json.loads(to_json([one.trace]))[0] if one.trace else None,
                    }
                    for one in result.failed
                ],
            }
            for result in results
        ],
        "mistakes": list(mistakes),
    }  # fmt: skip


def _junit(results: Sequence[Result], mistakes: Sequence[str]) -> bytes:
    """Write a report as build servers read it: a suite for each file."""
    root = ET.Element("testsuites")
    for path in dict.fromkeys(result.path for result in results):
        own = [result for result in results if result.path == path]
        suite = ET.SubElement(
            root, "testsuite", name=str(path), tests=str(len(own)), failures=str(sum(not one.passed for one in own)),
            errors="0", time=f"{sum(one.seconds for one in own):.3f}",
        )  # fmt: skip
        for result in own:
            case = ET.SubElement(
                suite, "testcase", classname=str(path), name=result.name, time=f"{result.seconds:.3f}",
                file=str(path), line=str(result.line),
            )  # fmt: skip
            if not result.passed:
                lines = [line for failed in result.failed for line in failed.lines]
                ET.SubElement(case, "failure", message=lines[0]).text = "\n".join(lines)
    if mistakes:
        suite = ET.SubElement(
            root, "testsuite", name="not run", tests=str(len(mistakes)), failures="0", errors=str(len(mistakes))
        )
        for mistake in mistakes:
            case = ET.SubElement(suite, "testcase", classname="not run", name=mistake)
            ET.SubElement(case, "error", message=mistake)
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise EmulatorError(f"--junit {path}: {error.strerror}") from None
