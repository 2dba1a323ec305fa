"""`python -m sandbox policies`: prints each API's effective policy."""

import json
import sys

from apim_emulator.azure import Cloud, Deployer
from apim_emulator.cli.terminal import progress
from apim_emulator.errors import EmulatorError
from apim_emulator.gateway import effective_policy
from sandbox.callers import Callers
from sandbox.commands.terminal import errors_explained, print_messages, project_and_config
from sandbox.existing import subscription_id
from sandbox.runtime import api_name, deploy_to, deployed_services


def run(stack: str, api: str | None, as_json: bool) -> int:
    """Deploy the stack without serving it, and print the policies."""
    project, config = project_and_config(stack)
    cloud = Cloud(subscription_id=subscription_id(config), deployer=Deployer.from_environment())
    callers = Callers.register(cloud)
    with errors_explained(callers), progress.status(f"deploying {stack}"):
        deployment = deploy_to(cloud, project, config, stack)
        services = deployed_services(cloud, deployment)
        policies = {
            api_name(found, service, services): effective_policy(service, found.id)
            for service in services
            for found in service.apis
        }
    print_messages(deployment.messages)
    if api is not None and api not in policies:
        raise EmulatorError(f"--api {api}: stack {stack} has no such API; it has {', '.join(policies)}")
    chosen = policies if api is None else {api: policies[api]}
    if as_json:
        text = json.dumps(chosen, indent=2) + "\n"
    elif len(chosen) == 1:
        text = next(iter(chosen.values()))
    else:
        text = "\n".join(f"<!-- API {name} -->\n{policy}" for name, policy in chosen.items())
    sys.stdout.write(text)
    return 0
