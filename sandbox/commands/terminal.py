"""What the commands share: progress for people, and mistakes in one line."""

import asyncio
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from sandbox.cloud.deployer import VARIABLE, Deployer
from sandbox.deploy import DeployError, Message, Project, load_project, load_stack
from sandbox.errors import SandboxError
from sandbox.gateway import PolicyLoadError
from sandbox.model import Application

progress = Console(stderr=True, emoji=False)
"""Where everything goes that is no answer; the answer alone is on the standard output."""


@contextmanager
def explained(callers: Iterable[Application] = ()) -> Iterator[None]:
    """Turn mistakes in the project, its config or its policies into a `SandboxError`.

    One about a principal that does not exist tells which `callers` do, and one about privileges who else may deploy.
    """
    try:
        yield
    except (DeployError, PolicyLoadError) as error:
        if isinstance(error, DeployError):
            tell(error.messages)
        lines = [str(error)]
        if "principal" in lines[0] and "does not exist" in lines[0]:
            lines += [
                f"  the sandbox has {caller.display_name}: object ID {caller.service_principal_id},"
                f" client ID {caller.client_id}"
                for caller in callers
            ]
        if "Authorization_RequestDenied" in lines[0]:
            others = [other for other in Deployer if other is not Deployer.from_environment()]
            lines.append(f"  set {VARIABLE} to {' or '.join(others)} to deploy as one")
        raise SandboxError("\n".join(lines)) from None


def note(text: str) -> None:
    """Print what somebody should know who did not ask."""
    progress.print(text, style="yellow", highlight=False, markup=False, soft_wrap=True)


def tell(messages: Iterable[Message]) -> None:
    """Print what a program logged, as the engine does."""
    for message in messages:
        note(f"{message.severity}: {message.text}")


def project_and_config(stack: str) -> tuple[Project, dict[str, Any]]:
    """Read the Pulumi project of the current folder and a stack's config."""
    with explained():
        return load_project(Path.cwd()), load_stack(Path.cwd(), stack)


def stop_signal() -> asyncio.Event:
    """Return what is set by Ctrl-C or SIGTERM, within a running event loop."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
