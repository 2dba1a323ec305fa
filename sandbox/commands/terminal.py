"""What the commands share: reading the project, and turning errors into messages."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from apim_emulator import environment
from apim_emulator.azure import Deployer
from apim_emulator.cli.terminal import note
from apim_emulator.errors import EmulatorError
from apim_emulator.gateway import PolicyLoadError
from apim_emulator.model import Application
from apim_emulator.pulumi.deploy import DeployError, Message, Project, load_project, load_stack


@contextmanager
def errors_explained(callers: Iterable[Application] = ()) -> Iterator[None]:
    """Turn errors in the project, its config or its policies into an `EmulatorError`.

    A message about a missing principal lists the `callers`, and one about missing privileges the other deployers.
    """
    try:
        yield
    except (DeployError, PolicyLoadError) as error:
        if isinstance(error, DeployError):
            print_messages(error.messages)
        lines = [str(error)]
        if "principal" in lines[0] and "does not exist" in lines[0]:
            lines += [
                f"  the sandbox has {caller.display_name}: object ID {caller.service_principal_id},"
                f" client ID {caller.client_id}"
                for caller in callers
            ]
        if "Authorization_RequestDenied" in lines[0]:
            others = [other for other in Deployer if other is not Deployer.from_environment()]
            lines.append(f"  set {environment.DEPLOYER} to {' or '.join(others)} to deploy as one")
        raise EmulatorError("\n".join(lines)) from None


def print_messages(messages: Iterable[Message]) -> None:
    """Print a program's log messages, as the engine does."""
    for message in messages:
        note(f"{message.severity}: {message.text}")


def project_and_config(stack: str) -> tuple[Project, dict[str, Any]]:
    """Read the Pulumi project of the current folder and a stack's config."""
    with errors_explained():
        return load_project(Path.cwd()), load_stack(Path.cwd(), stack)
