import pytest
from hypothesis import HealthCheck, settings

from apim_emulator.cli import program

# A test asserts no time: a busy machine must not turn an example that took long into a failure.
settings.register_profile("timeless", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("timeless")


@pytest.fixture(autouse=True)
def own_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages speak of this package, whoever else is loaded."""
    monkeypatch.setattr(program, "_module", "apim_emulator")
