"""`python -m sandbox gateway`: serves what the Pulumi engine deployed to the sandbox, and follows it."""

import asyncio
import signal
import sys
from pathlib import Path

from apim_emulator.azure import Cloud
from apim_emulator.cli.session import SessionFile, to_json
from apim_emulator.cli.terminal import note
from apim_emulator.environment import STORE
from apim_emulator.pulumi.plugin import create_pulumi_home
from sandbox.commands.up import describe, text
from sandbox.runtime import Sandbox


def run(stack: str, port: int, as_json: bool, trace: bool) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    store = Path(create_pulumi_home(Path.cwd() / ".sandbox")[STORE])
    asyncio.run(_serve(Cloud(store), stack, port, as_json, trace))
    return 0


async def _serve(cloud: Cloud, stack: str, port: int, as_json: bool, trace: bool) -> None:
    with SessionFile(Path.cwd(), stack).owned() as write:
        async with Sandbox(cloud=cloud, port=port, trace=trace) as sandbox:
            said: list[str] = []

            def changed(problem: str | None) -> None:
                if problem is not None:
                    note(problem)
                    return
                session = describe(sandbox, stack)
                write(session)
                now = to_json(session) if as_json else text(session)
                if said != [now]:  # not every change of the cloud changes how to call it
                    said[:] = [now]
                    sys.stdout.write(f"{now}\n")
                    sys.stdout.flush()

            following = asyncio.create_task(sandbox.follow(changed))
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, following.cancel)
            try:
                await following
            except asyncio.CancelledError:
                return
