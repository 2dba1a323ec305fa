from datetime import date

import pytest
from hypothesis import HealthCheck, settings

from options import retirements

# A test asserts no time: a busy machine must not turn an example that took long into a failure.
settings.register_profile("timeless", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("timeless")


@pytest.fixture(autouse=True)
def day(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day on which no model of these tests is near its retirement, whenever they run."""
    monkeypatch.setattr(retirements, "today", lambda: date(2026, 11, 29))
