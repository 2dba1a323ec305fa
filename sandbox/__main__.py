"""The command line: `python -m sandbox`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from sandbox.errors import SandboxError

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
Json = Annotated[bool, typer.Option("--json", help="Print JSON on the standard output, for scripts.")]
Port = Annotated[int, typer.Option("--port", "-p", help="Port of the gateway; 0 takes any free one.", min=0, max=65535)]
ApiName = Annotated[
    str | None, typer.Option("--api", help="API of the stack; the first one by name if left out.", metavar="NAME")
]
Trace = Annotated[bool, typer.Option("--trace/--no-trace", help="Keep what each policy does with the last calls.")]
Running = Annotated[
    str | None, typer.Option("--stack", "-s", help="Running sandbox; the only one if left out.", metavar="NAME")
]
CallerName = Annotated[
    str | None,
    typer.Option("--caller", help="Caller that is listed for the API; the first one if left out.", metavar="NAME"),
]

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
def token(stack: Running = None, api: ApiName = None, caller: CallerName = None, as_json: Json = False) -> None:
    """Print a caller's access token for an API of a running sandbox.

    The token comes from the token endpoint of the stand-in Microsoft Entra ID or other provider, by client credentials,
    and is signed with its own key: nothing but this sandbox accepts it.
    """
    from sandbox.commands.token import run

    raise typer.Exit(run(stack, api, caller, as_json))


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


@app.command()
def serve(
    *,
    policy: Annotated[Path, typer.Argument(help="Policy document, as in the portal or as XML.", metavar="POLICY")],
    backend: Annotated[str, typer.Option("--backend", "-b", help="Where requests are forwarded to.", metavar="URL")],
    backends: Annotated[
        list[str] | None,
        typer.Option(
            "--backend-id", help="URL of a backend-id of the document; --backend if left out.", metavar="ID=URL"
        ),
    ] = None,
    named_values: Annotated[
        Path | None,
        typer.Option(
            "--named-values", help="YAML or JSON file of names and values, secret by default.", metavar="FILE"
        ),
    ] = None,
    fragments: Annotated[
        list[str] | None,
        typer.Option("--fragment", help="Policy fragment that the document includes.", metavar="NAME=FILE"),
    ] = None,
    allowed_hosts: Annotated[
        list[str] | None,
        typer.Option("--allow-host", help="Host other than this machine that may be called.", metavar="HOST"),
    ] = None,
    sku: Annotated[
        str, typer.Option("--sku", help="Pricing tier whose gateway it is; limits count differently.", metavar="SKU")
    ] = "BasicV2",
    port: Annotated[
        int, typer.Option("--port", "-p", help="Port to listen on; 0 takes any free one.", min=0, max=65535)
    ] = 8080,
    trace: Trace = True,
    as_json: Json = False,
) -> None:
    """Serve any policy document in front of any backend until Ctrl-C.

    Takes every path and method, and no subscription key. What cannot be loaded is told with file, line, column and
    reason. When a file changes, the document is loaded anew; one that cannot be loaded leaves the old one in place.

    Backends must be on this machine unless --allow-host names theirs. What else the document refers to has stand-ins:
    the token providers of `validate-jwt` and `validate-azure-ad-token` (`python -m sandbox token` prints a token), the
    gateway's identities, the backends of `llm-content-safety` and of the semantic cache. With --json, one object is
    printed once the gateway serves.
    """
    from sandbox.commands.serve import ServeOptions, run

    options = ServeOptions(
        policy=policy, backend=backend, backends=backends or (), named_values=named_values, fragments=fragments or (),
        allowed_hosts=allowed_hosts or (), sku=sku, port=port, trace=trace,
    )  # fmt: skip
    raise typer.Exit(run(options, as_json))


@app.command()
def trace(
    *,
    stack: Running = None,
    last: Annotated[int, typer.Option("--last", "-n", help="How many calls.", min=1)] = 5,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new calls until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    """Print what each policy did with the last calls of a running sandbox.

    For each policy: where it stands, what it read, what it changed, how long it took and what failed. Credentials,
    secret named values and tokens are masked. The last 50 calls are kept. With --json, an array of calls; with
    --follow, a line each.
    """
    from sandbox.commands.trace import run

    raise typer.Exit(run(stack, last, follow, as_json))


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code; a mistake is told in its own words and is 2."""
    try:
        return int(app(arguments, prog_name="python -m sandbox", standalone_mode=False) or 0)
    except typer.TyperException as error:
        if not error.format_message():  # no command was given, and the help is printed
            return 2
        context = getattr(error, "ctx", None)
        command = "python -m sandbox" if context is None else context.command_path
        message = f"{error.format_message().rstrip('.')}; see {command} --help"
    except SandboxError as error:
        message = str(error)
    print(f"error: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
