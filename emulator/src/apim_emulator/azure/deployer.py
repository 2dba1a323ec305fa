"""Who deploys, and what that principal may do in Microsoft Entra ID."""

import os
from collections.abc import Mapping
from enum import StrEnum

from apim_emulator import environment
from apim_emulator.errors import EmulatorError


class Deployer(StrEnum):
    """A principal of the home tenant, by the role that it holds in Microsoft Entra ID.

    Sources: "Microsoft Entra built-in roles", "What are the default user permissions in Microsoft Entra ID?" and the
    Microsoft Graph permissions reference.
    """

    DEVELOPER = "developer"
    """A person with the role Application Developer: creates app registrations, and manages those that it owns."""
    PIPELINE = "pipeline"
    """A service principal with the permission Application.ReadWrite.OwnedBy: the same, but it adds no other owners."""
    ADMINISTRATOR = "administrator"
    """A person with the role Cloud Application Administrator: manages all registrations and assigns app roles."""

    @property
    def principal_type(self) -> str:
        """Type of the principal, as Azure RBAC and Microsoft Graph name it."""
        return "ServicePrincipal" if self is Deployer.PIPELINE else "User"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Deployer":
        """Read `APIM_EMULATOR_DEPLOYER`, by default the developer. Raises `EmulatorError` for anything else."""
        given = environment.read(environment.DEPLOYER, environ) or Deployer.DEVELOPER
        try:
            return cls(given)
        except ValueError:
            raise EmulatorError(
                f"{environment.DEPLOYER}: {given!r} is not a deployer; set it to {', '.join(cls)}"
            ) from None
