"""What a real C# compiler says of certificates and RSA: signatures of PKCS #1 v1.5 are equal byte for byte."""

from pathlib import Path

import pytest

from emulator.tests.csharp.calls import CALL, without_chance
from emulator.tests.csharp.certificates import expressions
from emulator.tests.csharp.judge.compiler import Case, judge, needs_compiler


@needs_compiler
def test_certificates_are_what_the_compiler_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_chance(monkeypatch)

    report = judge([Case(text, (CALL,)) for text in expressions()], tmp_path)

    assert (report.wrong, report.accepted, report.refused) == ([], [], {}), str(report)
