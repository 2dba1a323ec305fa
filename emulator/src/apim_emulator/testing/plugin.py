"""The pytest plugin: fixtures for tests of policies."""

from collections.abc import Callable
from pathlib import Path

import pytest

from apim_emulator.clock import Clock

CASES = "apim_cases"
"""The setting by which pytest runs case files."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the setting."""
    parser.addini(CASES, "run the cases in files NAME.test.yaml, as `apim-emulator test` does", "bool", default=False)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take a case file where the setting says so."""
    if not (file_path.name.endswith(".test.yaml") and parent.config.getini(CASES)):
        return None
    from apim_emulator.testing.cases.collecting import CaseFileCollector  # noqa: PLC0415 - as below

    return CaseFileCollector.from_parent(parent, path=file_path)


@pytest.fixture
def policy_bench() -> "Callable[..., object]":
    """Return `PolicyBench`, to be called with a policy: its text, its file, or whatever has `render()`."""
    # Here, since pytest loads plugins in every run, also where nobody tests a policy.
    from apim_emulator.testing import PolicyBench  # noqa: PLC0415

    return PolicyBench


@pytest.fixture
def apim_clock() -> Clock:
    """Return a clock that stands still until a test moves it."""
    return Clock(1_700_000_000.0)
