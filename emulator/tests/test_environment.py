import pytest

from apim_emulator.environment import DEPLOYER, FAULTS, STORE, read
from apim_emulator.errors import EmulatorError


@pytest.mark.parametrize("variable", [STORE, DEPLOYER, FAULTS])
def test_a_variable_under_its_former_name_is_refused_with_the_new_one(variable: str) -> None:
    former = f"SANDBOX_{variable.removeprefix('APIM_EMULATOR_')}"

    with pytest.raises(EmulatorError) as refusal:
        read(variable, {former: "value"})

    assert str(refusal.value) == f"{former} is set, which is now called {variable}; set that instead"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        pytest.param({}, None, id="not set"),
        pytest.param({STORE: ""}, None, id="empty"),
        pytest.param({STORE: "cloud.db"}, "cloud.db", id="set"),
        pytest.param({STORE: "cloud.db", "SANDBOX_STORE": "old.db"}, "cloud.db", id="both names set"),
    ],
)
def test_a_variable_is_read(environment: dict[str, str], expected: str | None) -> None:
    assert read(STORE, environment) == expected
