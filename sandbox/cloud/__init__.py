"""The control plane of the sandbox."""

from sandbox.cloud.cloud import Cloud
from sandbox.cloud.deployer import Deployer
from sandbox.cloud.errors import CloudError

__all__ = ["Cloud", "CloudError", "Deployer"]
