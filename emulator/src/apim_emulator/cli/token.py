"""`token`: prints a caller's access token for an API of a running emulator."""

import asyncio
import json
import sys
from pathlib import Path

from apim_emulator.cli.program import starting
from apim_emulator.cli.session import Api, SessionFile, only_running
from apim_emulator.errors import EmulatorError
from apim_emulator.services.token_client import Caller, request_token

__all__ = ["find_caller"]


def run(stack: str | None, api: str | None, caller: str | None, as_json: bool) -> int:
    """Ask the token endpoint that the caller would ask, and print what it gives."""
    found = SessionFile(Path.cwd(), stack or only_running(Path.cwd())).read().api(api)
    who = find_caller(found, caller)
    token = asyncio.run(request_token(who.token_url, who.form))
    sys.stdout.write(json.dumps({"api": found.name, "caller": who.name, "token": token}) if as_json else token)
    sys.stdout.write("\n")
    return 0


def find_caller(api: Api, name: str | None) -> Caller:
    """Return the caller of a name, or the first. Raises `EmulatorError`."""
    if not api.needs_token:
        if api.key is None:
            raise EmulatorError(f"API {api.name} takes no token: its policy validates none")
        raise EmulatorError(f"API {api.name} takes a subscription key, not a token; `{starting()}` prints the key")
    if not api.callers:
        raise EmulatorError(f"API {api.name} takes tokens that nobody here issues; get one from its provider")
    for caller in api.callers:
        if name in (caller.name, None):
            return caller
    names = ", ".join(caller.name for caller in api.callers)
    raise EmulatorError(f"--caller {name}: API {api.name} has no such caller; it has {names}")
