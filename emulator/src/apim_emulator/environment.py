"""The environment variables of the emulator."""

import os
from collections.abc import Mapping

from apim_emulator.errors import EmulatorError

__all__ = ["DEPLOYER", "FAULTS", "STORE"]

STORE = "APIM_EMULATOR_STORE"
"""Path of the file that holds the cloud."""
DEPLOYER = "APIM_EMULATOR_DEPLOYER"
"""Who deploys, a value of `Deployer`."""
FAULTS = "APIM_EMULATOR_FAULTS"
"""What goes wrong in the cloud, as JSON that `Faults.parse` takes."""


def read(variable: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the value of a variable, None where it is not set or empty.

    Raises `EmulatorError` where only the name that it had in earlier versions is set.
    """
    former = variable.replace("APIM_EMULATOR_", "SANDBOX_")
    if value := environ.get(variable):
        return value
    if environ.get(former):
        raise EmulatorError(f"{former} is set, which is now called {variable}; set that instead")
    return None
