"""Who deploys, and what that principal may do in the directory."""

import os
from collections.abc import Mapping
from enum import StrEnum

from apim_emulator.errors import SandboxError

VARIABLE = "SANDBOX_DEPLOYER"


class Deployer(StrEnum):
    """A principal of the home tenant, by the role that it holds in Microsoft Entra ID.

    Sources: "Microsoft Entra built-in roles", "What are the default user permissions in Microsoft Entra ID?" and the
    Microsoft Graph permissions reference.
    """

    DEVELOPER = "developer"
    """A person with the role Application Developer: creates app registrations and manages those it owns."""
    PIPELINE = "pipeline"
    """A service principal with the permission Application.ReadWrite.OwnedBy: the same, and names no other owners."""
    ADMINISTRATOR = "administrator"
    """A person with the role Cloud Application Administrator: manages all registrations and assigns app roles."""

    @property
    def principal_type(self) -> str:
        """Type of the principal, as Azure RBAC and Microsoft Graph name it."""
        return "ServicePrincipal" if self is Deployer.PIPELINE else "User"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Deployer":
        """Read `SANDBOX_DEPLOYER`; the developer where it is not set. Raises `SandboxError` for anything else."""
        given = environment.get(VARIABLE) or Deployer.DEVELOPER
        try:
            return cls(given)
        except ValueError:
            raise SandboxError(f"{VARIABLE}: {given!r} is nobody; set it to {', '.join(cls)}") from None
