"""The command line: `python -m sandbox`."""

import sys
from typing import Annotated

import typer

from apim_emulator.cli import main as emulator
from apim_emulator.cli.main import ApiName, CallerName, Json, Running, Trace

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="""Azure OpenAI behind API Management, on this machine.

    Runs the Pulumi program of the current folder against a model of Azure and serves what it deploys: a gateway that
    executes the deployed policies, a stand-in Azure OpenAI and a stand-in Microsoft Entra ID. Everything listens on
    127.0.0.1; nothing is created on Azure, and nothing is left behind.

    Exit codes: 0 as asked, 1 a call went otherwise (call: it was refused; demo: a row is not as expected), 2 a mistake
    in the command or the config.
    """,
)

Stack = Annotated[
    str, typer.Option("--stack", "-s", help="Stack to run: its config is Pulumi.NAME.yaml.", metavar="NAME")
]

Port = Annotated[int, typer.Option("--port", "-p", help="Port of the gateway; 0 takes any free one.", min=0, max=65535)]

# The commands are imported when they run: Pulumi and the OpenAI client take a second to import.
# ruff: noqa: PLC0415


@app.command()
def demo(
    mode: Annotated[str, typer.Option("--mode", help="Only modes with this text in their name.", metavar="TEXT")] = "",
    as_json: Json = False,
) -> None:
    """Deploy every auth mode and call each one, accepted and refused.

    Each mode gets a sandbox of its own. Callers who must get through use the OpenAI client for chat, streamed chat and
    embeddings; those who must not present no credential, a wrong one, or a token that is wrong in one respect. The
    table says what each got and why; a refused call that reached Azure OpenAI, or a caller's credential that did, fails
    its row. Takes some seconds and needs no config.
    """
    from sandbox.commands.demo import run

    raise typer.Exit(run(mode, as_json))


@app.command()
def up(
    stack: Stack = "sandbox",
    port: Port = 8080,
    trace: Trace = True,
    as_json: Json = False,
) -> None:
    """Deploy a stack, serve it until Ctrl-C and print how to call it.

    Prints each API's URL, subscription key and callers, a curl command and a Python program that work as they stand.
    Resources that the config adopts are made up beforehand; other OpenID Connect providers that it names get stand-ins,
    unless they listen on this machine. The callers' IDs are the same each time, so a config can name them. `call` and
    `token` find the running sandbox by .sandbox/STACK.json, which only you can read and which goes when `up` ends.
    With --json, one object is printed once the gateway serves.
    """
    from sandbox.commands.up import run

    raise typer.Exit(run(stack, port, as_json, trace))


@app.command()
def env(stack: Stack = "sandbox", as_json: Json = False) -> None:
    """Print what to export so that the Pulumi engine deploys to the sandbox.

    eval "$(python -m sandbox env)" selects, for this shell, stand-ins for the providers, a cloud in .sandbox/cloud.db
    and a state of their own; no other stack meets them. What the stack's config adopts is made up. `make up` does it
    for you.
    """
    from sandbox.commands.env import run

    raise typer.Exit(run(stack, as_json))


@app.command()
def gateway(stack: Stack = "sandbox", port: Port = 8080, trace: Trace = True, as_json: Json = False) -> None:
    """Serve what the Pulumi engine deployed to the sandbox until Ctrl-C, and follow its changes.

    Prints what `up` prints, anew after each change of how to call it. A change of the cloud drops no request.
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
            "--model", "--deployment", help="Deployment to ask; the first chat model if left out.", metavar="NAME"
        ),
    ] = None,
    prompt: Annotated[str, typer.Option("--prompt", help="What to ask.", metavar="TEXT")] = "Hello",
    caller: CallerName = None,
    stream: Annotated[bool, typer.Option("--stream", help="Print the answer as it arrives.")] = False,
    as_json: Json = False,
) -> None:
    """Ask a running sandbox once, with the OpenAI client.

    Presents what the API wants: the subscription key, the token of a caller, or both. Prints the answer, or the status
    and message of the refusal with exit code 1.
    """
    from sandbox.commands.call import run

    raise typer.Exit(run(stack, api, caller, model=model, prompt=prompt, stream=stream, as_json=as_json))


@app.command()
def policies(
    stack: Stack = "sandbox",
    api: Annotated[str | None, typer.Option("--api", help="Only this API.", metavar="NAME")] = None,
    as_json: Json = False,
) -> None:
    """Print each API's effective policy: all scopes put together, as the gateway runs it.

    Deploys without serving. Named values stay as {{name}}. With --json, an object of policies by API.
    """
    from sandbox.commands.policies import run

    raise typer.Exit(run(stack, api, as_json))


for command in (emulator.serve, emulator.trace, emulator.token):
    app.command()(command)


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code; a mistake is told in its own words and is 2."""
    return emulator.run(app, arguments)


if __name__ == "__main__":
    sys.exit(main())
