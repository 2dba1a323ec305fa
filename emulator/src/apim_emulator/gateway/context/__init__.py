"""What policy expressions see as `context`: its objects, and their members in the tables of the compiler."""

from apim_emulator.gateway.context import members as _members  # noqa: F401 - fills the tables
from apim_emulator.gateway.context.objects import Context, Request, Url
from apim_emulator.gateway.context.query import Query

__all__ = ["Context", "Query", "Request", "Url"]
