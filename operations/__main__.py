"""The command line: `python -m operations`."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from operations.azure import AzureHands, DeployedStack, StepError, read_stack
from operations.rotation import RotationError, Step, SubscriptionKey, account_key_steps, subscription_key_steps

_ALL = "all"

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="""Operate a stack on Azure that is in use.

    Exit codes: 0 for success, 1 if a step failed, 2 for a mistake in the command or the config.
    """,
)


@app.callback()
def operations() -> None:
    """Make the command's name part of the command line, as it has to be once there are several."""


@app.command()
def rotate(
    *,
    stack: Annotated[str, typer.Option("--stack", "-s", help="Stack whose keys are replaced.", metavar="NAME")],
    subscriptions: Annotated[
        list[str] | None,
        typer.Option(
            "--subscription",
            help=f"Replace a key of this API Management subscription, or of `{_ALL}`, and not those of the accounts.",
            metavar="ID",
        ),
    ] = None,
    key: Annotated[
        SubscriptionKey, typer.Option("--key", help="Which key of the subscriptions: the one that no caller presents.")
    ] = SubscriptionKey.SECONDARY,
    settle: Annotated[
        float,
        typer.Option("--settle", help="Seconds to wait after `pulumi up` until every gateway has the new key.", min=0),
    ] = 60,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the steps with their commands, and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Begin without asking.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the steps as JSON on the standard output.")] = False,
) -> None:
    """Replace keys without a call that fails.

    **Keys of the Azure OpenAI accounts**, without --subscription: the gateway presents one key while the other is
    regenerated, and then the other way round. The keys travel as always, by `pulumi up`, through the vault where there
    is one. If a step fails, calls go on: mend the cause and run the command again.

    **Keys of subscriptions**: callers present either of two. Regenerate the secondary key, let callers move to it, and
    regenerate the other with `--key primary`. `pulumi up` puts new keys into the stack's outputs and its vault.
    """
    deployed = asyncio.run(read_stack(stack, Path.cwd()))
    commands: list[str] = []
    hands = AzureHands(stack=stack, paths=deployed.presented.paths, settle=settle, say=_say)
    if dry_run:
        hands = AzureHands(
            stack=stack, paths=hands.paths, settle=settle, say=commands.append, run=_nothing, sleep=_nothing
        )
    steps = _steps(hands, deployed, subscriptions or (), key)
    if not dry_run and not yes:
        _confirm(stack, steps)
    done = []
    for number, step in enumerate(steps, 1):
        _say(f"{number}/{len(steps)} {step.does}")
        try:
            asyncio.run(_run(step))
        except StepError as error:
            _say(f"error: {error}; calls go on. Mend the cause, and run the command again")
            raise typer.Exit(1) from None
        for command in commands:
            _say(command)
        done.append({"does": step.does} | ({"commands": [text.strip() for text in commands]} if dry_run else {}))
        commands.clear()
    if as_json:
        sys.stdout.write(json.dumps({"stack": stack, "dryRun": dry_run, "steps": done}, indent=2) + "\n")


def _steps(hands: AzureHands, deployed: DeployedStack, wanted: Sequence[str], key: SubscriptionKey) -> list[Step]:
    known = deployed.subscriptions
    if not wanted:
        if not deployed.accounts:
            raise RotationError(
                f"stack {hands.stack} calls Azure OpenAI without a key, so no account key is in use; to replace the"
                f" keys of callers, add --subscription ID; it has {', '.join(known) or 'no subscription'}"
            )
        return list(account_key_steps(hands, deployed.presented.keys, deployed.accounts))
    if unknown := [name for name in wanted if name not in {_ALL, *known}]:
        raise RotationError(
            f"--subscription {', '.join(unknown)}: stack {hands.stack} has no such subscription; allowed:"
            f" {', '.join([_ALL, *known]) if known else 'none, as it has no subscription'}"
        )
    chosen = list(known.values()) if _ALL in wanted else [known[name] for name in dict.fromkeys(wanted)]
    if not chosen:
        raise RotationError(f"--subscription {_ALL}: stack {hands.stack} has no subscription")
    return list(subscription_key_steps(hands, chosen, key))


def _confirm(stack: str, steps: Sequence[Step]) -> None:
    for number, step in enumerate(steps, 1):
        _say(f"{number}. {step.does}")
    if not sys.stdin.isatty():
        raise RotationError("there is no terminal to confirm this; add --yes, or --dry-run to see the commands")
    typer.confirm(f"Change stack {stack} in these steps?", abort=True, err=True)


async def _run(step: Step) -> None:
    await step.run()


async def _nothing(_: object) -> None:
    """Stand in for a command, or for waiting, in a dry run."""


def _say(text: str) -> None:
    typer.echo(text, err=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; a mistake is told in its own words and is 2."""
    try:
        return int(app(arguments, prog_name="python -m operations", standalone_mode=False) or 0)
    except typer.Abort:
        _say("nothing was changed")
        return 1
    except typer.TyperException as error:
        message = error.format_message()
        if message:  # without one, no command was given and the help is printed
            _say(f"error: {message.rstrip('.')}; see python -m operations --help")
    except RotationError as error:
        _say(f"error: {error}")
    return 2


if __name__ == "__main__":
    sys.exit(main())
