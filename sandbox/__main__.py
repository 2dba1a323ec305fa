"""The command line: `python -m sandbox`."""

import sys
from typing import Annotated

import typer

from apim_emulator.cli import main as emulator
from apim_emulator.cli.main import ApiName, Blocklists, CallerName, Json, Running, Trace

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="""Azure OpenAI behind API Management, on this machine.

    Runs the Pulumi program of the current folder against a model of Azure and serves what it deploys: a gateway that
    executes the deployed policies, a stand-in Azure OpenAI and a stand-in Microsoft Entra ID. Everything listens on
    127.0.0.1; nothing is created on Azure, and nothing is left behind.

    Exit codes: 0 for success, 1 if a call fails (call: it was refused; demo: a row is not as expected), 2 for a mistake
    in the command or the config.
    """,
)

Stack = Annotated[
    str, typer.Option("--stack", "-s", help="Stack to run, with its config in Pulumi.NAME.yaml.", metavar="NAME")
]

Port = Annotated[
    int,
    typer.Option(
        "--port",
        "-p",
        help="Port of the gateway. If several services are deployed, the others get the next ones. 0 takes free ones.",
        min=0,
        max=65535,
    ),
]

# Each command is imported when it runs, since Pulumi and the OpenAI client take a second to import.
# ruff: noqa: PLC0415


@app.command()
def demo(
    mode: Annotated[
        str, typer.Option("--mode", help="Only modes and capabilities with this text in their name.", metavar="TEXT")
    ] = "",
    as_json: Json = False,
) -> None:
    """Deploy every auth mode, call each one as accepted and refused callers, and show what else the gateway does.

    Each mode gets its own sandbox. Callers that must be accepted use the OpenAI client for chat, streamed chat and
    embeddings. Callers that must be refused present no credential, a wrong one, or a token that is wrong in one
    respect. The table shows what each got, and why. A row fails if a refused call, or a caller's credential, reaches
    Azure OpenAI. A second table shows capabilities such as limits and models, each with its config. Takes a few seconds
    and needs no config.
    """
    from sandbox.commands.demo import run

    raise typer.Exit(run(mode, as_json))


@app.command()
def up(
    stack: Stack = "sandbox",
    port: Port = 8080,
    blocklists: Blocklists = None,
    trace: Trace = True,
    as_json: Json = False,
) -> None:
    """Deploy a stack, serve its API Management services until Ctrl-C, and print how to call them.

    Prints each API's URL, subscription key and callers, with a curl command and a Python program that work as they are.
    Resources that the config adopts are created beforehand. OpenID Connect providers in the config get stand-ins,
    unless they listen on this machine. The callers' IDs are the same each time, so a config can refer to them. `call`
    and `token` find the running sandbox through .sandbox/STACK.json, which only you can read and which is deleted when
    `up` ends. With --json, one object is printed when the gateway is ready.
    """
    from sandbox.commands.up import run

    raise typer.Exit(run(stack, port, as_json, trace, blocklists or ()))


@app.command()
def env(stack: Stack = "sandbox", as_json: Json = False) -> None:
    """Print what to export so that the Pulumi engine deploys to the sandbox.

    eval "$(python -m sandbox env)" makes this shell use stand-ins for the providers, a cloud in .sandbox/cloud.db and a
    separate state, which affect no other stack. Resources that the stack's config adopts are created. `make up` does
    this for you.
    """
    from sandbox.commands.env import run

    raise typer.Exit(run(stack, as_json))


@app.command()
def gateway(stack: Stack = "sandbox", port: Port = 8080, trace: Trace = True, as_json: Json = False) -> None:
    """Serve what the Pulumi engine deployed to the sandbox until Ctrl-C, and follow its changes.

    Prints what `up` prints, and again when that changes. No request is dropped when the cloud changes, and each API
    Management service keeps its port.
    """
    from sandbox.commands.gateway import run

    raise typer.Exit(run(stack, port, as_json, trace))


@app.command()
def call(
    *,
    stack: Running = None,
    api: ApiName = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", "--deployment", help="Deployment to call; defaults to the first chat model.", metavar="NAME"
        ),
    ] = None,
    prompt: Annotated[str, typer.Option("--prompt", help="Prompt to send.", metavar="TEXT")] = "Hello",
    caller: CallerName = None,
    subscription: Annotated[
        str | None,
        typer.Option("--subscription", help="Present the key of this subscription, such as a team's.", metavar="NAME"),
    ] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Print the answer as it arrives.")] = False,
    as_json: Json = False,
) -> None:
    """Call a running sandbox once with the OpenAI client.

    Presents what the API needs: the subscription key, a caller's token, or both. Prints the answer; if the call is
    refused, prints status and message, and exits with 1.
    """
    from sandbox.commands.call import run

    raise typer.Exit(
        run(stack, api, caller, subscription=subscription, model=model, prompt=prompt, stream=stream, as_json=as_json)
    )


@app.command()
def rotate(
    stack: Stack = "sandbox",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the steps, and take none.")] = False,
    as_json: Json = False,
) -> None:
    """Replace every key of a stack while its APIs are called, and count the calls that fail.

    Deploys the stack, lets a caller of each API call without a pause, and takes the steps of `python -m operations
    rotate`: the keys of the accounts that APIs call by key, then both keys of each subscription, between which the
    callers move.
    """
    from sandbox.commands.rotate import run

    raise typer.Exit(run(stack, dry_run, as_json))


@app.command()
def spend(stack: Running = None, as_json: Json = False) -> None:
    """Print what the callers of a running sandbox have spent, by team and model.

    Computed from the metrics of tokens and the prices that were deployed, as the workbook on Azure does. Exits with 1
    if tokens of a model have no price. The stack needs `observability`.
    """
    from sandbox.commands.spend import run

    raise typer.Exit(run(stack, as_json))


@app.command()
def policies(
    stack: Stack = "sandbox",
    api: Annotated[str | None, typer.Option("--api", help="Only this API.", metavar="NAME")] = None,
    as_json: Json = False,
) -> None:
    """Print each API's effective policy: all scopes combined, as the gateway runs it.

    Deploys the stack without serving it. Named values stay as {{name}}. With --json, prints an object with the policy
    of each API.
    """
    from sandbox.commands.policies import run

    raise typer.Exit(run(stack, api, as_json))


for command in (emulator.serve, emulator.trace, emulator.token):
    app.command()(command)


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code; a mistake prints its message and gives 2."""
    return emulator.run(app, arguments)


if __name__ == "__main__":
    sys.exit(main())
