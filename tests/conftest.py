from collections.abc import Iterator
from datetime import date
from functools import cache
from itertools import cycle

import pytest
from hypothesis import HealthCheck, settings
from joserfc.jwk import RSAKey

from options import retirements

# A test asserts no time: a busy machine must not turn an example that took long into a failure.
settings.register_profile("timeless", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("timeless")


@pytest.fixture(autouse=True)
def day(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day on which no model of these tests is near its retirement, whenever they run."""
    monkeypatch.setattr(retirements, "today", lambda: date(2026, 11, 29))


@pytest.fixture(scope="session", autouse=True)
def few_rsa_keys() -> Iterator[None]:
    """Let issuers take turns with ten keys: to make one takes longer than most tests, and no test has as many."""
    make, turns = RSAKey.binding.generate_private_key, cycle(range(10))
    made = cache(lambda size, _: make(size))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RSAKey.binding, "generate_private_key", staticmethod(lambda size: made(size, next(turns))))
        yield
