"""What policy expressions see as `context`: its objects, and their members in the tables of the compiler."""

from apim_emulator.gateway.context import members
from apim_emulator.gateway.context.objects import Context

__all__ = ["Context", "members"]
