"""Case files as pytest's own items, where a project asks for that with `apim_cases = true`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apim_emulator.testing.cases.reading import CaseFileError, Cases, Runnable, read_cases
from apim_emulator.testing.cases.running import run_case


class CaseFileCollector(pytest.File):
    """A case file."""

    def collect(self) -> Iterator["CaseItem"]:
        """Give each case; a file that cannot be read fails with its mistakes."""
        try:
            found = read_cases(self.path)
        except CaseFileError as error:
            raise self.CollectError(str(error)) from None
        for one in found.cases:
            yield CaseItem.from_parent(self, name=one.name, cases=found, one=one)


class CaseItem(pytest.Item):
    """A case."""

    def __init__(self, *, cases: Cases, one: Runnable, **node: Any) -> None:
        """Take the case and its file."""
        super().__init__(**node)
        self._cases = cases
        self._one = one

    def runtest(self) -> None:
        """Run the case; fails with what is different."""
        try:
            found = run_case(self._cases, self._one)
        except CaseFileError as error:
            pytest.fail(str(error), pytrace=False)
        if not found.passed:
            pytest.fail("\n".join(line for failed in found.failed for line in failed.lines), pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Tell where the case is."""
        return self.path, self._one.line - 1, self.name
