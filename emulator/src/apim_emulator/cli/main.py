"""The command line: `apim-emulator`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from apim_emulator import __version__
from apim_emulator.cli import program
from apim_emulator.errors import EmulatorError

__all__ = ["ApiName", "Blocklists", "CallerName", "Json", "Running", "Trace", "main"]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="""Azure API Management policies, on this machine.

    Tells the mistakes of a policy document, runs its test cases, serves it in front of any backend, and tells what each
    policy did with a call. Everything listens on 127.0.0.1, and nothing is left behind.

        apim-emulator lint policies
        apim-emulator test policies
        apim-emulator serve policies/chat.xml --backend http://127.0.0.1:9000

    Exit codes: 0 as asked, 1 what `lint` found or a case that failed, 2 a mistake in the command or its files.
    """,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON on the standard output, for scripts.")]
ApiName = Annotated[
    str | None, typer.Option("--api", help="API of the stack. Defaults to the first by name.", metavar="NAME")
]
Trace = Annotated[bool, typer.Option("--trace/--no-trace", help="Keep what each policy does with the last calls.")]
Running = Annotated[
    str | None, typer.Option("--stack", "-s", help="Name of what runs. Defaults to the only one.", metavar="NAME")
]
Blocklists = Annotated[
    list[str] | None,
    typer.Option(
        "--blocklist", help="Term of a blocklist of the stand-in Azure AI Content Safety.", metavar="NAME=TERM"
    ),
]
NamedValues = Annotated[
    Path | None,
    typer.Option("--named-values", help="YAML or JSON file of names and values, secret by default.", metavar="FILE"),
]
Fragments = Annotated[
    list[str] | None,
    typer.Option("--fragment", help="Policy fragment that documents include.", metavar="NAME=FILE"),
]
Fillings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Value for a placeholder of another tool, such as ${NAME}; NAME alone is a secret from the environment.",
        metavar="NAME[=VALUE]",
    ),
]
FillingsFile = Annotated[
    Path | None,
    typer.Option("--set-file", help="YAML or JSON file of values for placeholders, secret by default.", metavar="FILE"),
]
CallerName = Annotated[
    str | None,
    typer.Option("--caller", help="Caller that is listed for the API. Defaults to the first.", metavar="NAME"),
]

# The commands are imported when they run: the gateway takes a moment to import.
# ruff: noqa: PLC0415


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"apim-emulator {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Options of the command line itself."""


@app.command()
def lint(
    *,
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Policy files and folders. Defaults to this folder.", metavar="PATH")
    ] = None,
    named_values: NamedValues = None,
    fragments: Fragments = None,
    fillings: Fillings = None,
    fillings_file: FillingsFile = None,
    scope: Annotated[
        str | None,
        typer.Option(
            "--scope",
            help="global, product, api or operation. Defaults to what the folders say, else api.",
            metavar="SCOPE",
        ),
    ] = None,
    sku: Annotated[
        str | None,
        typer.Option("--sku", help="Pricing tier that the documents are for. Defaults to any.", metavar="SKU"),
    ] = None,
    fail_on: Annotated[
        str,
        typer.Option("--fail-on", help="Least level that counts: error, unsupported or warning.", metavar="LEVEL"),
    ] = "error",
    form: Annotated[str, typer.Option("--format", help="text, json or github.", metavar="FORMAT")] = "text",
    as_json: Json = False,
) -> None:
    """Tell every mistake of policy documents, with file, line and column.

    An *error* is what API Management refuses too. What is *unsupported* is run by API Management and not by this
    emulator, which says why. A *warning* is a trap for security. In folders, XML files that begin with `<policies>` or
    `<fragment>` are documents; a fragment's ID is its file's name, or its folder's if the file is policy.xml. A folder
    that holds a folder `apis` is a service, as for `serve`: what its documents name must be there.

        apim-emulator lint policies --named-values values.yaml --fail-on unsupported

    Named values and fragments that are not given are not checked. With --format github, findings are annotations of
    GitHub Actions.

    Exit codes: 0 nothing that counts was found, 1 something was, 2 a mistake in the command.
    """
    from apim_emulator.cli.documents import pairs, read_fillings
    from apim_emulator.cli.lint import run
    from apim_emulator.cli.linter import LintOptions

    files = {name: Path(path) for name, path in pairs("--fragment", fragments or ()).items()}
    options = LintOptions(
        paths=paths or [Path()], named_values=named_values, fragments=files, scope=scope, sku=sku, fail_on=fail_on,
        fillings=read_fillings(fillings or (), fillings_file), format="json" if as_json else form,
    )  # fmt: skip
    raise typer.Exit(run(options))


@app.command("test")
def cases(
    *,
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Case files and folders. Defaults to this folder.", metavar="PATH")
    ] = None,
    fillings: Fillings = None,
    fillings_file: FillingsFile = None,
    keyword: Annotated[
        str | None, typer.Option("--keyword", "-k", help="Only cases with this in their name.", metavar="TEXT")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Write a JUnit report too, for build servers.", metavar="FILE")
    ] = None,
    trace: Annotated[
        bool, typer.Option("--trace", help="Print what each policy did with the calls of failed cases.")
    ] = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON schema of case files, for editors, and run nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run the test cases that stand as YAML beside policies.

    A file NAME.test.yaml holds the cases of NAME.xml: what a caller sends, what the backend answers, and what is
    expected of the response, of what the backend receives, of variables, metrics and errors. With `folder`, its cases
    are for a service, as `serve` takes it. Nothing listens, and time stands still but for what a case waits.

        tests:
          - name: a caller without a team is refused
            request: GET /chat
            response: {status: 403, json: {message: "Which team?"}}
            received: []

    Exit codes: 0 all passed, 1 some failed, 2 a mistake in the command, in a case file or in a policy.
    """
    from apim_emulator.cli import test
    from apim_emulator.cli.documents import read_fillings

    if schema:
        typer.echo(test.schema(), nl=False)
        return
    code = test.run(
        paths or [Path()], keyword=keyword, junit=junit, show_trace=trace, as_json=as_json,
        fillings=read_fillings(fillings or (), fillings_file),
    )  # fmt: skip
    raise typer.Exit(code)


@app.command()
def serve(
    *,
    policy: Annotated[
        Path,
        typer.Argument(
            help="Policy document, as in the portal or as XML, or a folder with those of a service.", metavar="POLICY"
        ),
    ],
    backend: Annotated[str, typer.Option("--backend", "-b", help="Where requests are forwarded to.", metavar="URL")],
    backends: Annotated[
        list[str] | None,
        typer.Option(
            "--backend-id", help="URL of a backend-id of the document. Defaults to --backend.", metavar="ID=URL"
        ),
    ] = None,
    named_values: NamedValues = None,
    fragments: Fragments = None,
    fillings: Fillings = None,
    fillings_file: FillingsFile = None,
    allowed_hosts: Annotated[
        list[str] | None,
        typer.Option("--allow-host", help="Host other than this machine that may be called.", metavar="HOST"),
    ] = None,
    scope: Annotated[
        str,
        typer.Option(
            "--scope", help="Scope of a document by itself: global, product, api or operation.", metavar="SCOPE"
        ),
    ] = "api",
    apis: Annotated[
        list[str] | None,
        typer.Option("--api", help="API of the folder that is served. Defaults to all.", metavar="NAME"),
    ] = None,
    subscriptions: Annotated[
        list[str] | None,
        typer.Option(
            "--subscription",
            help="Subscription whose key calls need. Without KEY, one is made up and printed.",
            metavar="NAME[=KEY]",
        ),
    ] = None,
    product: Annotated[
        str | None,
        typer.Option(
            "--product",
            help="Product that the subscriptions are for. A document by itself is put in it.",
            metavar="NAME",
        ),
    ] = None,
    certificates: Annotated[
        list[str] | None,
        typer.Option("--certificate", help="Certificate of the service with its private key.", metavar="ID=FILE"),
    ] = None,
    ca_certificates: Annotated[
        list[Path] | None,
        typer.Option("--ca-certificate", help="CA certificate that callers' certificates may lead to.", metavar="FILE"),
    ] = None,
    client_certificate: Annotated[
        Path | None,
        typer.Option(
            "--client-certificate",
            help="Certificate that every caller presents: nobody comes with TLS.",
            metavar="FILE",
        ),
    ] = None,
    connections: Annotated[
        list[str] | None,
        typer.Option(
            "--connection",
            help="Access token that get-authorization-context finds.",
            metavar="PROVIDER/CONNECTION=FILE",
        ),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch/--no-watch", help="Load files anew when they change.")] = True,
    sku: Annotated[
        str, typer.Option("--sku", help="Pricing tier whose gateway it is; limits count differently.", metavar="SKU")
    ] = "BasicV2",
    port: Annotated[
        int, typer.Option("--port", "-p", help="Port to listen on; 0 takes any free one.", min=0, max=65535)
    ] = 8080,
    blocklists: Blocklists = None,
    trace: Trace = True,
    as_json: Json = False,
) -> None:
    """Serve any policy document in front of any backend until Ctrl-C.

    A document by itself takes every path and method, and no subscription key unless --subscription is given. A folder
    is laid out as APIOps does it: policy.xml, apis/NAME, products/NAME, policy fragments/NAME, named values/NAME.

        apim-emulator serve policy.xml --backend http://127.0.0.1:9000 --subscription ann
        apim-emulator serve apimartifacts --backend http://127.0.0.1:9000 --named-values values.yaml

    What cannot be loaded is told with file, line, column and reason. When a file changes, comes or goes, all are
    loaded anew; what cannot be loaded leaves the old state in place.

    Backends must be on this machine unless --allow-host names theirs. What else the document refers to has stand-ins:
    the token providers of `validate-jwt` and `validate-azure-ad-token` (the command `token` prints a token), the
    gateway's identities, the backends of `llm-content-safety` and of the semantic cache. Certificates are files of PEM,
    or of PKCS #12 without a password. With --json, one object is printed once the gateway serves.
    """
    from apim_emulator.cli.serve import ServeOptions, run

    options = ServeOptions(
        policy=policy, backend=backend, backends=backends or (), named_values=named_values, fragments=fragments or (),
        fillings=fillings or (), fillings_file=fillings_file, allowed_hosts=allowed_hosts or (), sku=sku, port=port,
        trace=trace, blocklists=blocklists or (), scope=scope, apis=apis or (), subscriptions=subscriptions or (),
        product=product, watch=watch, certificates=certificates or (), ca_certificates=ca_certificates or (),
        client_certificate=client_certificate, connections=connections or (),
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
    """Print what each policy did with the last calls of a running emulator.

    For each policy: where it stands, what it read, what it changed, how long it took and what failed. Credentials,
    secret named values and tokens are masked. The last 50 calls are kept. With --json, an array of calls; with
    --follow, a line each.
    """
    from apim_emulator.cli.trace import run

    raise typer.Exit(run(stack, last, follow, as_json))


@app.command()
def token(stack: Running = None, api: ApiName = None, caller: CallerName = None, as_json: Json = False) -> None:
    """Print a caller's access token for an API of a running emulator.

    The token comes from the token endpoint of the stand-in Microsoft Entra ID or other provider, by client credentials,
    and is signed with its own key: nothing but this emulator accepts it.
    """
    from apim_emulator.cli.token import run

    raise typer.Exit(run(stack, api, caller, as_json))


def run(commands: typer.Typer, arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code; a mistake is told in its own words and is 2."""
    name = program.command()
    try:
        return int(commands(arguments, prog_name=name, standalone_mode=False) or 0)
    except typer.TyperException as error:
        if not error.format_message():  # no command was given, and the help is printed
            return 2
        context = getattr(error, "ctx", None)
        command = name if context is None else context.command_path
        message = f"{error.format_message().rstrip('.')}; see {command} --help"
    except EmulatorError as error:
        message = str(error)
    sys.stderr.write(f"error: {message}\n")
    return 2


def main() -> None:
    """Run the command line of this process."""
    sys.exit(run(app))
