"""The control plane of the sandbox."""

from sandbox.cloud.cloud import Cloud
from sandbox.cloud.errors import CloudError

__all__ = ["Cloud", "CloudError"]
