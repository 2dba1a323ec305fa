"""The pytest plugin: fixtures for tests of policies."""

from collections.abc import Callable

import pytest

from apim_emulator.clock import Clock


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
