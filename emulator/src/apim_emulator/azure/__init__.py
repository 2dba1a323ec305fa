"""The control plane of Azure."""

from apim_emulator.azure.cloud import Cloud
from apim_emulator.azure.deployer import Deployer
from apim_emulator.azure.errors import CloudError

__all__ = ["Cloud", "CloudError", "Deployer"]
