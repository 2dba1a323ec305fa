"""`python -m sandbox env`: the environment in which the Pulumi engine deploys to the sandbox."""

import json
import shutil
import sys
from pathlib import Path

from apim_emulator.azure import Cloud
from apim_emulator.cli.terminal import progress
from apim_emulator.environment import STORE
from apim_emulator.pulumi.plugin import create_pulumi_home, shell_exports
from apim_emulator.pulumi.recovery import recover
from sandbox.callers import Callers
from sandbox.commands.terminal import errors_explained, project_and_config
from sandbox.existing import create_existing, subscription_id


def run(stack: str, as_json: bool) -> int:
    """Set up the plugins and the cloud, and print what to export."""
    with errors_explained():
        _, config = project_and_config(stack)
    environment = create_pulumi_home(Path.cwd() / ".sandbox")
    cloud = Cloud(Path(environment[STORE]), subscription_id=subscription_id(config))
    Callers.register(cloud)
    create_existing(cloud, config)
    if shutil.which("pulumi") and recover(Path.cwd(), stack, environment):
        progress.print(f"the last update of {stack} was killed; its stack is ready for the next one")
    sys.stdout.write(f"{json.dumps(environment, indent=2) if as_json else shell_exports(environment)}\n")
    return 0
