"""Asks a real C# compiler, Mono's `mcs`, what expressions give; compares with what this package gives."""

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import tree_sitter_c_sharp
from tree_sitter import Language, Node, Parser

from apim_emulator.csharp import ExpressionError, Type, compile_expression
from apim_emulator.csharp.runtime.exceptions import StoppedError
from apim_emulator.gateway.context import Context
from emulator.tests.csharp.calls import NOW_TICKS, outcome
from emulator.tests.csharp.judge.differences import mono_differs

HERE = Path(__file__).parent
_PARSER = Parser(Language(tree_sitter_c_sharp.language()))
LIBRARY = Path(os.environ.get("APIM_JSON_NET", "/usr/lib/cli/Newtonsoft.Json-5.0/Newtonsoft.Json.dll"))
"""Json.NET; elsewhere than Debian puts it where the environment variable says so."""
_USINGS = "\n".join(
    f"using {name};"
    for name in [
        "System",
        "System.Collections.Generic",
        "System.Linq",
        "System.Net",
        "System.Security.Cryptography",
        "System.Security.Cryptography.X509Certificates",
        "System.Text",
        "System.Text.RegularExpressions",
        "System.Xml.Linq",
        "Newtonsoft.Json",
        "Newtonsoft.Json.Linq",
        "XmlException = System.Xml.XmlException",
        "XmlNodeType = System.Xml.XmlNodeType",
    ]
)
_NOW = re.compile(r"\b(?:System\.)?(DateTime|DateTimeOffset)\.(UtcNow|Now|Today)\b")
_DOUBLE = re.compile(r's:"\[?(-?[0-9]+\.[0-9]+(?:E[+-][0-9]+)?)\]?"')
_TWO_EXTENSIONS = re.compile(r"CS0121 .*System\.Xml\.Linq\.Extensions\..*Newtonsoft\.Json\.Linq\.Extensions\.")
_ERROR = re.compile(r"Case(\d+)\.cs\((\d+),(\d+)\+?\): error (\w+): (.*)")


def is_available() -> bool:
    """Whether the compiler, the runtime and Json.NET are installed."""
    return bool(shutil.which("mcs") and shutil.which("mono") and LIBRARY.exists())


needs_compiler = pytest.mark.skipif(
    not is_available(), reason="needs mono-mcs, mono-runtime and libnewtonsoft-json5.0-cil"
)


@dataclass(frozen=True)
class Case:
    """An expression, and the calls that it is evaluated in."""

    text: str
    scenarios: tuple[Mapping[str, Any], ...]


@dataclass
class Report:
    """What the comparison found."""

    tried: int = 0
    """Expressions that C# compiles."""
    not_csharp: int = 0
    refused: dict[str, list[str]] = field(default_factory=dict)
    """Refused at load, by reason."""
    evaluations: int = 0
    equal: int = 0
    thrown: int = 0
    """Equal ones that throw."""
    stopped: Counter[str] = field(default_factory=Counter)
    """Given up when evaluated, by reason."""
    excused: Counter[str] = field(default_factory=Counter)
    """Different from Mono, and right: by reason."""
    wrong: list[str] = field(default_factory=list)
    values: list[tuple[str, str]] = field(default_factory=list)
    """The expressions that are equal, with what they give."""
    accepted: list[str] = field(default_factory=list)
    """Accepted although C# does not compile them."""

    @property
    def supported(self) -> int:
        """Expressions that are not refused."""
        return self.tried - sum(map(len, self.refused.values()))

    def __str__(self) -> str:
        lines = [
            f"expressions that C# compiles: {self.tried}, supported {self.supported}"
            f" ({self.supported / max(self.tried, 1):.1%}), refused {self.tried - self.supported};"
            f" not C#: {self.not_csharp}, of which accepted {len(self.accepted)}",
            f"evaluations: {self.evaluations}, equal {self.equal} ({self.thrown} throw),"
            f" given up {self.stopped.total()}, other than Mono {self.excused.total()}, wrong {len(self.wrong)}",
        ]
        lines += [f"  refused {len(texts)}: {reason}" for reason, texts in sorted(self.refused.items())]
        lines += [f"  given up {number}: {reason}" for reason, number in sorted(self.stopped.items())]
        lines += [f"  other than Mono {number}: {reason}" for reason, number in sorted(self.excused.items())]
        return "\n".join(lines + self.wrong + self.accepted)


def source(number: int, text: str) -> str:
    """Put an expression into a class of its own."""
    text = _NOW.sub(lambda found: f"Judge.{'Offset' if found[1] == 'DateTimeOffset' else found[2]}", text)
    text = text.replace("Guid.NewGuid()", "Judge.NewGuid()")
    text = re.sub(r"new (System\.)?Random\(\)", "new FixedRandom()", text)
    body = _without_local_functions(text[1:]) if text[1] == "{" else f"{{ return {text[2:-1]}; }}"
    return f"{_USINGS}\npublic static class Case{number} {{ public static object Run(Context context)\n{body}\n}}\n"


def _without_local_functions(body: str) -> str:
    """Write local functions, which mcs does not know, as delegates that are declared first."""
    head = b"class C { object M() "
    data = head + body.encode() + b" }"
    functions = []
    stack = [_PARSER.parse(data).root_node]
    while stack:
        node = stack.pop()
        if node.type == "local_function_statement":
            functions.append(node)
        stack.extend(node.children)

    def text(node: Node | None) -> str:
        return "" if node is None else data[node.start_byte : node.end_byte].decode()

    changed, declared = data, ""
    for function in sorted(functions, key=lambda one: -one.start_byte):
        type_, name, parameters, code = map(function.child_by_field_name, ("type", "name", "parameters", "body"))
        assert parameters is not None
        types = [text(one.child_by_field_name("type")) for one in parameters.named_children]
        kind = "Action" if text(type_) == "void" else "Func"
        arguments = ", ".join(types if kind == "Action" else [*types, text(type_)])
        declared += f"{kind}{f'<{arguments}>' if arguments else ''} {text(name)} = null; "
        new = f"{text(name)} = {text(parameters)} => {text(code).removeprefix('=>')};"
        changed = changed[: function.start_byte] + new.encode() + changed[function.end_byte :]
    inner = changed[len(head) : -2].decode()
    return "{ " + declared + inner.removeprefix("{")


def compiled(cases: list[Case], folder: Path) -> dict[int, str]:
    """Compile what is C#; gives the error of each other case."""
    errors: dict[int, str] = {}
    for number, case in enumerate(cases):
        (folder / f"Case{number}.cs").write_text(source(number, case.text))
    for _ in range(50):
        files = [f"Case{number}.cs" for number in range(len(cases)) if number not in errors]
        (folder / "files").write_text("\n".join([str(HERE / "Standin.cs"), *files]))
        run = subprocess.run(  # noqa: S603 - a compiler on files made here
            [_tool("mcs"), "-warn:0", "-out:judge.exe", f"-r:{LIBRARY}", "-r:System.Xml,System.Xml.Linq", "@files"],
            cwd=folder, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        found = {int(match[1]): f"{match[4]} {match[5]}" for match in _ERROR.finditer(run.stdout + run.stderr)}
        if not found:
            assert run.returncode == 0, (run.stdout + run.stderr)[-3000:]
            return errors
        errors.update(found)
    raise AssertionError("mcs does not come to an end")


def _tool(name: str) -> str:
    found = shutil.which(name)
    assert found is not None
    return found


def answers(cases: list[Case], folder: Path) -> tuple[dict[int, str], dict[tuple[int, int], str]]:
    """Compile and run; gives compile errors by case, and results by case and scenario."""
    errors = compiled(cases, folder)
    calls = [
        (number, place)
        for number, case in enumerate(cases)
        if number not in errors
        for place in range(len(case.scenarios))
    ]
    with (folder / "calls").open("w") as file:
        for number, place in calls:
            file.write(json.dumps({"case": number, "scenario": cases[number].scenarios[place]}) + "\n")
    shutil.copy(LIBRARY, folder)
    subprocess.run(  # noqa: S603 - what was just compiled
        [_tool("mono"), "judge.exe", "calls", str(NOW_TICKS), "results"],
        cwd=folder, capture_output=True, text=True, timeout=900, check=True,
        env={"TZ": "UTC", "PATH": "/usr/bin", "LANG": "C.UTF-8"},
    )  # fmt: skip
    lines = (folder / "results").read_text().split("\n")[:-1]
    assert len(lines) == len(calls)
    return errors, dict(zip(calls, lines, strict=True))


def judge(cases: Iterable[Case], folder: Path) -> Report:
    """Compare; for use after `without_chance`."""
    cases = list(cases)
    errors, results = answers(cases, folder)
    report = Report()
    for number, case in enumerate(cases):
        try:
            run = compile_expression(case.text, Type.OBJECT)
        except ExpressionError as error:
            if number not in errors:
                report.refused.setdefault(error.reason, []).append(case.text)
        else:
            if number in errors and _TWO_EXTENSIONS.search(errors[number]):
                report.stopped["mcs weighs a method whose constraints fail, C# 7.3 does not"] += 1
            elif number in errors and (reason := mono_differs(case.text)) is not None:
                report.excused[reason] += 1
            elif number in errors:
                report.accepted.append(f"  accepted, but {errors[number]}: {' '.join(case.text.split())}")
            else:
                _compare(report, case, run, [results[number, place] for place in range(len(case.scenarios))])
        report.not_csharp += number in errors
        report.tried += number not in errors
    return report


def _compare(report: Report, case: Case, run: Callable[[Context], object], expected: list[str]) -> None:
    for spec, result in zip(case.scenarios, expected, strict=True):
        report.evaluations += 1
        try:
            found = outcome(run, spec)
        except StoppedError as stopped:
            report.stopped[str(stopped)] += 1
            continue
        if found == result:
            report.equal += 1
            report.values.append((case.text, found))
            report.thrown += found.startswith("!")
        elif _is_longer(result, found):
            report.stopped["Mono reads this number inexactly and writes more of its digits"] += 1
        elif (reason := mono_differs(case.text)) is not None:
            report.excused[reason] += 1
        elif result not in {"!Unsure", "!Timeout"}:
            text, variables = " ".join(case.text.split()), json.dumps(spec["variables"])
            report.wrong.append(
                f"  wrong: {text}\n    C#   {result[:300]}\n    here {found[:300]}\n    in   {variables[:600]}"
            )


def _is_longer(result: str, found: str) -> bool:
    """Tell whether Mono wrote 17 digits of a double although fewer name it, as .NET then knows."""
    one, other = _DOUBLE.fullmatch(result), _DOUBLE.fullmatch(found)
    return one is not None and other is not None and len(result) > len(found) and float(one[1]) == float(other[1])
