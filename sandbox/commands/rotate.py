"""`python -m sandbox rotate`: replaces the keys of a stack while it is called."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from apim_emulator.azure import Cloud, Deployer
from apim_emulator.cli.terminal import progress
from sandbox.commands.terminal import errors_explained, project_and_config
from sandbox.commands.up import deploy, describe
from sandbox.existing import subscription_id
from sandbox.rotation import Rotation, SandboxHands, Taken
from sandbox.runtime import Sandbox


def run(stack: str, dry_run: bool, as_json: bool) -> int:
    """Print each step with the calls that ended meanwhile; return 1 if one of them failed."""
    steps, taken = asyncio.run(_rotate(stack, dry_run))
    failed = sum(step.failed for step in taken)
    if as_json:
        found = [asdict(step) for step in taken] if taken else [{"does": step} for step in steps]
        sys.stdout.write(
            json.dumps({"stack": stack, "dryRun": dry_run, "steps": found, "failed": failed}, indent=2) + "\n"
        )
        return 1 if failed else 0
    if dry_run:
        sys.stdout.writelines(f"{number}. {step}\n" for number, step in enumerate(steps, 1))
        return 0
    table = Table("step", "calls", "failed", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for step in taken:
        table.add_row(step.does, str(step.calls), str(step.failed))
    console = Console(emoji=False)
    console.print(table)
    total = sum(step.calls for step in taken)
    console.print(f"\n{total} calls, {failed} failed", style="bold red" if failed else "bold green", highlight=False)
    return 1 if failed else 0


async def _rotate(stack: str, dry_run: bool) -> tuple[Sequence[str], Sequence[Taken]]:
    project, config = project_and_config(stack)
    cloud = Cloud(subscription_id=subscription_id(config), deployer=Deployer.from_environment())
    async with Sandbox(cloud=cloud) as sandbox:
        await deploy(sandbox, project, config, stack)
        with errors_explained(sandbox.callers), progress.status(f"rotating the keys of {stack}") as status:
            hands = SandboxHands(sandbox=sandbox, project=project, stack=stack, config=config)
            rotation = Rotation(hands, describe(sandbox, stack), Path.cwd())
            taken = [] if dry_run else [step async for step in rotation.run(status.update)]
    return [step.does for step in rotation.steps], taken
