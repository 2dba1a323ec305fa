"""Serving applications on this machine."""

import errno
import gc
import socket
from contextlib import AsyncExitStack

from aiohttp import web

from apim_emulator.errors import EmulatorError

__all__ = ["freeze_heap", "serve"]

HOST = "127.0.0.1"
_FULL_COLLECTION = 1000
"""Collections of what is young before one of everything."""


async def serve(stack: AsyncExitStack, server: web.Application | web.Server, port: int = 0) -> str:
    """Serve until the stack is closed, on any free port where it is 0; returns the base URL.

    Raises `EmulatorError` where the port is taken.
    """
    listener = _listen(port)
    runner: web.BaseRunner
    if isinstance(server, web.Server):
        runner = web.ServerRunner(server, shutdown_timeout=1)
    else:
        runner = web.AppRunner(server, shutdown_timeout=1, access_log=None, handler_cancellation=True)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, listener).start()
    return f"http://{HOST}:{listener.getsockname()[1]}"


def freeze_heap() -> None:
    """Spare the garbage collector what was made until now, in a process that only serves from here on.

    A look at all that a deployment loads, or at all that a call has made, holds up every call for a tenth of a second.
    What is young is looked at as ever, all else after millions of new objects.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*gc.get_threshold()[:2], _FULL_COLLECTION)


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise EmulatorError(
                f"port {port} is in use; stop what listens there, or choose another with --port"
            ) from None
        raise EmulatorError(f"cannot listen on port {port}: {error.strerror}; choose another with --port") from None
    return listener
