import pytest

from apim_emulator.azure import Deployer
from apim_emulator.errors import EmulatorError


@pytest.mark.parametrize(("given", "deployer"), [("", "developer"), *((each, each) for each in Deployer)])
def test_who_deploys_is_said_by_the_environment(given: str, deployer: str) -> None:
    assert Deployer.from_environment({"APIM_EMULATOR_DEPLOYER": given}) == deployer


def test_an_unknown_deployer_is_refused() -> None:
    with pytest.raises(EmulatorError, match=r"'root' is not a deployer; set it to developer, pipeline, administrator"):
        Deployer.from_environment({"APIM_EMULATOR_DEPLOYER": "root"})
