"""The control plane of Azure: resources come and go here, and the data plane asks it what there is."""

from apim_emulator.azure.cloud import Cloud
from apim_emulator.azure.deployer import Deployer
from apim_emulator.azure.exceptions import CloudError
from apim_emulator.azure.faults import Faults
from apim_emulator.azure.providers.authorization.roles import KEY_VAULT_SECRETS_OFFICER
from apim_emulator.azure.registry import functions, resource_types

__all__ = ["KEY_VAULT_SECRETS_OFFICER", "Cloud", "CloudError", "Deployer", "Faults", "functions", "resource_types"]
