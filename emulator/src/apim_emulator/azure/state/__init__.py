"""What exists in a cloud, and where it is kept."""

from apim_emulator.azure.state.resource import Properties, Resource
from apim_emulator.azure.state.state import State

__all__ = ["Properties", "Resource", "State"]
