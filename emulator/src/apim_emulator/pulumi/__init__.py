"""Pulumi programs on the model of Azure: mocks for their unit tests, deployments, stand-ins for provider plugins."""

from apim_emulator.pulumi.mocks import AzureMocks

__all__ = ["AzureMocks"]
