import asyncio
import json
import os
import signal
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from openai import AuthenticationError

from apim_emulator.azure import Cloud
from apim_emulator.errors import EmulatorError
from apim_emulator.services.token_client import request_token
from sandbox.__main__ import main
from sandbox.callers import Callers
from sandbox.client import Client, Credentials, new_http_client
from sandbox.commands.terminal import project_and_config
from sandbox.commands.up import serving
from sandbox.commands.up import text as told
from sandbox.modes import MODES
from sandbox.runtime import deploy_to

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")])}
UNAUTHORIZED = "401 Unauthorized. Access token is missing or invalid."

CONFIGS = {
    "keys": """
  openai-gateway:auth: key
  openai-gateway:apis:
    - {name: openai, path: openai}
    - {name: team, path: team/openai}
""",
    "tokens": """
  openai-gateway:auth: entra
  openai-gateway:apis:
    - {name: entra, path: openai, entra: {roles: [Chat.User]}}
    - {name: both, path: both/openai, subscriptionRequired: true, entra: {}}
    - name: partner
      path: partner/openai
      jwt:
        openidConfigUrls: [https://login.contoso.com/.well-known/openid-configuration]
        issuers: [https://login.contoso.com/]
        audiences: [https://ai.contoso.com]
        requiredClaims: {department: [research]}
    - {name: keyed, path: keyed/openai, auth: key}
""",
    "people": """
  openai-gateway:auth: entra
  openai-gateway:apis:
    - {name: people, path: people/openai, entra: {scopes: [chat]}}
    - {name: either, path: either/openai, entra: {scopes: [chat], roles: [Chat.User]}}
""",
    "misspelt": """
  openai-gateway:openai: {deployments: [{name: chat, model: gpt-4o, sku: GlobalStandrad}]}
  openai-gateway:apis: [{name: openai, path: openai}]
""",
    "teams": """
  openai-gateway:apis: [{name: openai, path: openai}, {name: other, path: other/openai, ownSubscription: false}]
  openai-gateway:teams: [{name: red, apis: [openai]}, {name: blue, apis: [other], subscriptions: [app]}]
""",
    "elsewhere": """
  openai-gateway:apis: [{name: openai, path: ai}]
""",
    "spending": """
  openai-gateway:openai: {deployments: [{name: chat, model: gpt-4o}, {name: odd, model: gpt-5.6-nova}]}
  openai-gateway:observability: {appInsights: create}
""",
    "idle": """
  openai-gateway:key: {source: key-vault}
""",
    "mistaken": """
  openai-gateway:auth: keys
  openai-gateway:apis: [{name: openai, pat: openai}]
""",
    "stranger": """
  openai-gateway:auth: entra
  openai-gateway:entra:
    roles: [Chat.User]
    roleAssignments: [{principalId: 00000000-0000-0000-0000-000000000001, role: Chat.User}]
""",
    "assigning": f"""
  openai-gateway:auth: entra
  openai-gateway:entra:
    roles: [Chat.User]
    roleAssignments: [{{principalId: {Cloud().add_caller("client").service_principal_id}, role: Chat.User}}]
""",
    "other-clients": """
  openai-gateway:auth: entra
  openai-gateway:entra: {clientApplicationIds: [00000000-0000-0000-0000-000000000001]}
""",
    "other-app": """
  openai-gateway:auth: entra
  openai-gateway:entra:
    existing: {clientId: 00000000-0000-0000-0000-000000000001, audiences: ["api://chat"]}
""",
}
COMMON = """config:
  azure-native:location: swedencentral
  openai-gateway:gateway: {publisherName: Contoso, publisherEmail: ai@contoso.com}"""
MODELS = """
  openai-gateway:openai: {deployments: [{name: chat, model: gpt-4o}]}"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder of our program with stacks of its own, the current folder."""
    project = f"name: openai-gateway\nruntime: python\nmain: {PROJECT}\n"
    (tmp_path / "Pulumi.yaml").write_text(project, encoding="utf-8")
    for stack, config in CONFIGS.items():
        models = "" if "openai-gateway:openai:" in config else MODELS
        (tmp_path / f"Pulumi.{stack}.yaml").write_text(COMMON + models + config, encoding="utf-8")
    (tmp_path / "Pulumi.broken.yaml").write_text("config: {auth: [key\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process: exit code, standard output, standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(list(arguments))
        output = capsys.readouterr()
        return code, output.out, output.err

    return call


async def execute(*command: str) -> tuple[int | None, str, str]:
    """Run a process to its end."""
    process = await asyncio.create_subprocess_exec(
        *command, env=ENVIRONMENT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


@pytest.mark.parametrize(
    "command", ["demo", "up", "env", "gateway", "call", "token", "policies", "serve", "trace", "spend"]
)
def test_help_tells_the_options(command: str, run: Run) -> None:
    code, output, _ = run(command, "--help")

    assert code == 0
    assert "--json" in output


def test_without_a_command_the_help_is_shown(run: Run) -> None:
    code, output, error = run()

    assert code == 2
    assert "policies" in output
    assert error == ""


START = "stack keys is not running; start it with: python -m sandbox up --stack keys"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        pytest.param("demo --jsn", "No such option: --jsn (Possible options: --json)", id="typo in an option"),
        pytest.param("dmo", "No such command 'dmo'. Did you mean 'demo'?", id="typo in a command"),
        pytest.param("demo --mode smoke", "--mode smoke: no mode or capability has that", id="unknown mode"),
        pytest.param("up --port 65536", "Invalid value for '--port'", id="port out of range"),
        pytest.param("up --port http", "Invalid value for '--port'", id="port that is no number"),
        pytest.param(
            "up --stack prod", "stack 'prod' does not exist; there are assigning, broken,", id="unknown stack"
        ),
        pytest.param("up --stack ../x", "stack '../x' does not exist", id="stack that is a path"),
        pytest.param("up --stack broken", "Pulumi.broken.yaml:2: expected ',' or ']'", id="broken YAML"),
        pytest.param("policies --stack keys --api x", "--api x: stack keys has no such API; it has", id="unknown API"),
        pytest.param("call --stack keys", START, id="call without a sandbox"),
        pytest.param("token --stack keys", START, id="token without a sandbox"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_mistake_is_one_line_and_exit_code_2(command: str, message: str, run: Run) -> None:
    code, output, error = run(*command.split())

    assert (code, output) == (2, "")
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("command", ["up", "policies"])
@pytest.mark.usefixtures("folder")
def test_mistakes_in_the_config_are_listed_all_at_once(command: str, run: Run) -> None:
    code, output, error = run(command, "--stack", "mistaken")

    assert (code, output) == (2, "")
    assert 'openai-gateway:auth: "keys" is not allowed' in error
    assert "did you mean path?" in error
    assert "Traceback" not in error


@pytest.mark.usefixtures("folder")
def test_unknown_principal_tells_which_callers_there_are(run: Run) -> None:
    code, _, error = run("policies", "--stack", "stranger")

    assert code == 2
    assert "does not exist in the directory\n  the sandbox has client: object ID " in error


@pytest.mark.usefixtures("folder")
def test_who_may_not_assign_roles_is_told_who_else_may_deploy(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, error = run("policies", "--stack", "assigning")

    assert code == 2
    assert "Authorization_RequestDenied: Insufficient privileges to complete the operation." in error
    assert "set APIM_EMULATOR_DEPLOYER to pipeline or administrator to deploy as one" in error

    monkeypatch.setenv("APIM_EMULATOR_DEPLOYER", "administrator")
    assert run("policies", "--stack", "assigning")[0] == 0
    monkeypatch.setenv("APIM_EMULATOR_DEPLOYER", "root")
    code, _, error = run("policies", "--stack", "assigning")
    assert (code, "APIM_EMULATOR_DEPLOYER: 'root' is not a deployer; set it to developer" in error) == (2, True)


def test_folder_without_a_project_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.chdir(tmp_path)

    code, _, error = run("policies")

    assert code == 2
    assert "there is no Pulumi project here; run this from the project's folder" in error


def test_port_in_use_is_told_and_leaves_no_file(folder: Path, run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        code, output, error = run("up", "--stack", "keys", "--port", str(port))

    assert (code, output) == (2, "")
    assert error == f"error: port {port} is in use; stop what listens there, or choose another with --port\n"
    assert list((folder / ".sandbox").iterdir()) == []


def test_file_that_a_killed_sandbox_left_is_no_running_sandbox(folder: Path, run: Run) -> None:
    (folder / ".sandbox").mkdir()
    (folder / ".sandbox" / "keys.json").write_text('{"stack": "keys"}', encoding="utf-8")

    code, _, error = run("call", "--stack", "keys")

    assert (code, error) == (2, f"error: {START}\n")


def test_demo_prints_a_table_and_a_summary(run: Run) -> None:
    code, output, error = run("demo", "--mode", "key: named value, backend")

    assert (code, error) == (0, "")
    assert output.splitlines()[0].split() == ["mode", "caller", "expected", "got", "time"]
    assert f"6 calls, 1 of {len(MODES)} modes: all as expected; " in output


@pytest.mark.slow
def test_demo_shows_the_config_of_a_capability_with_its_brackets(run: Run) -> None:
    code, output, _ = run("demo", "--mode", "teams")

    assert code == 0
    assert "apis: [openai]," in output


def test_demo_prints_json_alone(run: Run) -> None:
    code, output, error = run("demo", "--mode", "KEY VAULT", "--json")

    report = json.loads(output)
    assert (code, error) == (0, "")
    assert report["summary"]["modes"] == 2
    assert report["summary"]["calls"] == len(report["rows"]) == 12
    assert all(row["passed"] for row in report["rows"])


def test_demo_with_a_row_that_is_not_as_expected_ends_with_1(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setattr("sandbox.demo.ANSWERED", "201")

    code, output, _ = run("demo", "--mode", "key: named value, backend")

    assert code == 1
    assert "4 NOT as expected" in output


@pytest.mark.usefixtures("folder")
def test_policies_of_one_api_are_its_document_alone(run: Run) -> None:
    code, output, _ = run("policies", "--stack", "keys", "--api", "team")

    assert code == 0
    assert output.startswith("<policies>")
    assert '<set-header name="Authorization" exists-action="delete"/>' in output
    assert "<base" not in output


@pytest.mark.usefixtures("folder")
def test_policies_of_all_apis_are_told_apart(run: Run) -> None:
    _, text, _ = run("policies", "--stack", "keys")
    _, encoded, _ = run("policies", "--stack", "keys", "--json")

    policies = json.loads(encoded)
    assert list(policies) == ["openai", "team"]
    assert text == "\n".join(f"<!-- API {name} -->\n{policy}" for name, policy in policies.items())


@pytest.mark.parametrize(
    ("number", "form"),
    [
        pytest.param(signal.SIGINT, [], id="Ctrl-C"),
        pytest.param(signal.SIGTERM, ["--json"], id="SIGTERM, JSON"),
    ],
)
async def test_up_tells_how_to_call_it_and_ends_cleanly(number: signal.Signals, form: list[str], folder: Path) -> None:
    command = [sys.executable, "-m", "sandbox", "up", "--stack", "keys", "--port", "0", *form]
    process = await asyncio.create_subprocess_exec(
        *command, env=ENVIRONMENT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    path = folder / ".sandbox" / "keys.json"
    assert process.stdout is not None
    first = await process.stdout.readline()
    written = path.read_text(encoding="utf-8")
    mode = stat.S_IMODE(path.stat().st_mode)

    process.send_signal(number)
    rest, errors = await process.communicate()

    text = (first + rest).decode()
    session = json.loads(written)
    if form:
        assert text == f"{written}\n"
    else:
        assert text.startswith(f"The gateway of stack keys listens on {session['url']}; Ctrl-C stops it.\n")
        assert session["trace_url"] in text
        assert all(api[what] in text for api in session["apis"] for what in ("url", "key", "curl", "python"))
    assert mode == 0o600
    assert (process.returncode, errors) == (0, b"")
    assert not path.exists()


@pytest.mark.parametrize("trace", [True, False])
async def test_gateway_serves_what_the_engine_deployed_and_traces_it(folder: Path, run: Run, trace: bool) -> None:
    store = folder / ".sandbox" / "cloud.db"
    store.parent.mkdir()
    cloud = Cloud(store)
    Callers.register(cloud)
    project, config = project_and_config("keys")
    await asyncio.to_thread(deploy_to, cloud, project, config, "keys")
    command = [sys.executable, "-m", "sandbox", "gateway", "--stack", "keys", "--port", "0"]
    process = await asyncio.create_subprocess_exec(
        *command, *([] if trace else ["--no-trace"]), env=ENVIRONMENT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        text = ""
        while "The gateway of stack keys" not in text or "With Python" not in text:
            line = await process.stdout.readline()
            assert line, text
            text = line.decode() + text
        answer = await asyncio.to_thread(run, "call", "--stack", "keys", "--api", "openai")
        traced = await asyncio.to_thread(run, "trace", "--json")
    finally:
        process.send_signal(signal.SIGINT)
        await process.communicate()

    assert answer == (0, "You said: Hello\n", "")
    assert process.returncode == 0
    if trace:
        (call,) = json.loads(traced[1])
        assert (call["api"], call["status"]) == ("openai", 200)
        assert {span["policy"] for span in call["spans"]} >= {"set-backend-service", "forward-request"}
    else:
        assert traced == (2, "", "error: stack keys keeps no traces; start it without --no-trace\n")


@pytest.mark.usefixtures("folder")
async def test_call_and_token_find_the_only_sandbox_that_runs(run: Run) -> None:
    async with serving("tokens", 0):
        called = await asyncio.to_thread(run, "call", "--api", "keyed")
        code, token, _ = await asyncio.to_thread(run, "token")
    alone = run("token")

    assert called == (0, "You said: Hello\n", "")
    assert (code, token.count(".")) == (0, 2)
    assert alone == (
        2, "", "error: nothing is running in this folder; start with: python -m sandbox up, or serve\n",
    )  # fmt: skip


@pytest.mark.usefixtures("folder")
async def test_every_kind_of_api_is_called_as_up_says() -> None:
    async with serving("tokens", 0) as session:
        for api in session.apis:
            _, answer, _ = await execute("bash", "-c", api.curl)
            assert json.loads(answer)["choices"][0]["message"]["content"] == "You said: Hello", api.name
            assert await execute(sys.executable, "-c", api.python) == (0, "You said: Hello\n", ""), api.name

    assert [api.name for api in session.apis] == ["both", "entra", "keyed", "partner"]


@pytest.mark.usefixtures("folder")
async def test_call_presents_what_each_api_wants(run: Run) -> None:
    calls = {
        "--api entra": (0, "You said: Hello\n"),
        "--api entra --stream": (0, "You said: Hello\n"),
        "--api both --caller other-client": (0, "You said: Hello\n"),
        "--api partner --prompt Hi": (0, "You said: Hi\n"),
        "--api keyed --model chat": (0, "You said: Hello\n"),
        "--api keyed --json": (0, '{"api": "keyed", "status": 200, "answer": "You said: Hello"}\n'),
        "--api entra --caller client-without-role": (1, f"{UNAUTHORIZED}\n"),
        "--api partner --caller client-without-claims": (1, f"{UNAUTHORIZED}\n"),
    }
    async with serving("tokens", 0):
        got = {call: await asyncio.to_thread(run, "call", "--stack", "tokens", *call.split()) for call in calls}

    assert got == {call: (*expected, "") for call, expected in calls.items()}


@pytest.mark.usefixtures("folder")
async def test_call_presents_a_teams_key_where_it_is_told_to(run: Run) -> None:
    async with serving("teams", port=0) as session:
        assert {api.name: set(api.product_keys) for api in session.apis} == {
            "openai": {"red_default"},
            "other": {"blue_app"},
        }
        assert f"  key of blue_app: {session.api('other').product_keys['blue_app']}" in told(session).splitlines()

        assert session.api("other").key == session.api("other").product_keys["blue_app"]
        own = await asyncio.to_thread(run, "call", "--api", "other", "--subscription", "blue_app")
        others = await asyncio.to_thread(run, "call", "--api", "other", "--subscription", "red_default")

    assert own[:2] == (0, "You said: Hello\n")
    assert others[0] == 2
    assert "--subscription red_default: API other is in no product of it; allowed: blue_app" in others[2]


@pytest.mark.usefixtures("folder")
async def test_call_tells_why_the_gateway_refused(run: Run) -> None:
    refused = "call --stack tokens --api entra --caller client-without-role"
    async with serving("tokens", 0, trace=True):
        code, text, _ = await asyncio.to_thread(run, *refused.split())
        _, as_json, _ = await asyncio.to_thread(run, *refused.split(), "--json")

    reason = "TokenClaimNotFound: JWT token is missing the following claims: roles. Access denied."
    assert (code, text) == (1, f"{UNAUTHORIZED}\n{reason}\n")
    assert json.loads(as_json)["reason"] == reason


@pytest.mark.usefixtures("folder")
async def test_spend_tells_what_calls_cost_and_which_have_no_price(run: Run) -> None:
    async with serving("spending", 0):
        nothing = await asyncio.to_thread(run, "spend")
        await asyncio.to_thread(run, "call")
        code, as_json, _ = await asyncio.to_thread(run, "spend", "--json")
        _, table, _ = await asyncio.to_thread(run, "spend", "--stack", "spending")
        await asyncio.to_thread(run, "call", "--model", "odd")
        unpriced, more, note = await asyncio.to_thread(run, "spend")

    assert nothing == (0, "No calls yet.\n", "")
    [row] = json.loads(as_json)
    assert (code, row["team"], row["model"]) == (0, "openai-callers", "chat")
    assert row["cost"] == pytest.approx((row["prompt_tokens"] * 2.5 + row["completion_tokens"] * 10) / 1_000_000)
    assert f"{row['cost']:.6f}" in table
    assert (unpriced, note) == (1, "no price is known for what is deployed as odd; add it to observability.prices\n")
    assert "unknown" in more


@pytest.mark.usefixtures("folder")
async def test_spend_needs_observability(run: Run) -> None:
    async with serving("keys", 0):
        said = await asyncio.to_thread(run, "spend")

    told = "no workbook is deployed, so nothing has a price; set openai-gateway:observability"
    assert said == (2, "", f"error: stack keys: {told}\n")


@pytest.mark.usefixtures("folder")
async def test_warnings_are_told_by_every_command_in_the_same_words(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    _, _, by_policies = await asyncio.to_thread(run, "policies", "--stack", "elsewhere")
    async with serving("elsewhere", 0):
        by_up = capsys.readouterr().err

    assert by_policies.startswith('warning: openai-gateway:apis[0].path: "ai" does not end in openai, where ')
    assert by_up == by_policies


@pytest.mark.usefixtures("folder")
def test_a_key_between_colons_is_shown_as_it_is_written(run: Run) -> None:
    _, _, said = run("policies", "--stack", "idle")

    assert said.startswith("warning: openai-gateway:key: has no effect, as no API uses it")


@pytest.mark.usefixtures("folder")
def test_a_warning_of_what_azure_then_refuses_comes_before_the_refusal(run: Run) -> None:
    code, _, said = run("policies", "--stack", "misspelt")

    warning, *_, error = said.splitlines()
    assert code == 2
    assert warning.startswith(
        'warning: openai-gateway:openai.deployments[0].sku: "GlobalStandrad" is not a deployment SKU'
    )
    assert warning.endswith("did you mean GlobalStandard?")
    assert error.startswith("error: azure-native:cognitiveservices:Deployment ")


@pytest.mark.parametrize("stream", [[], ["--stream"]], ids=["whole", "streamed"])
@pytest.mark.usefixtures("folder")
async def test_call_passes_on_what_azure_openai_says(stream: list[str], run: Run) -> None:
    async with serving("keys", 0):
        code, output, _ = await asyncio.to_thread(run, "call", "--stack", "keys", "--model", "nope", "--json", *stream)

    refused = json.loads(output)
    assert code == 1
    assert refused["status"] == 404
    assert refused["message"].startswith("The API deployment for this resource does not exist.")


@pytest.mark.usefixtures("folder")
async def test_unknown_api_or_caller_of_a_running_sandbox_is_told(run: Run) -> None:
    mistakes = {
        "--api nope": "error: --api nope: stack tokens has no such API; it has both, entra, keyed, partner\n",
        "--caller me": "error: --caller me: API both has no such caller; it has client, client-without-role, "
        "other-client\n",
        "--api keyed --caller client": "error: API keyed takes a subscription key, not a token; "
        "`python -m sandbox up` prints the key\n",
    }
    async with serving("tokens", 0):
        for options, message in mistakes.items():
            for command in ("call", "token"):
                arguments = [command, "--stack", "tokens", *options.split()]
                assert await asyncio.to_thread(run, *arguments) == (2, "", message)


@pytest.mark.usefixtures("folder")
async def test_token_is_printed_alone_or_as_json(run: Run) -> None:
    async with serving("tokens", 0):
        _, text, _ = await asyncio.to_thread(run, "token", "--stack", "tokens", "--api", "entra")
        _, encoded, _ = await asyncio.to_thread(run, "token", "--stack", "tokens", "--api", "partner", "--json")

    described = json.loads(encoded)
    assert text.strip().count(".") == 2
    assert (described["api"], described["caller"]) == ("partner", "client")
    assert described["token"].count(".") == 2


@pytest.mark.usefixtures("folder")
async def test_second_sandbox_of_a_stack_is_refused() -> None:
    async with serving("keys", 0):
        with pytest.raises(EmulatorError, match=r"^stack keys is running already; stop it first$"):
            async with serving("keys", 0):
                pass


@pytest.mark.usefixtures("folder")
async def test_callers_have_the_same_ids_in_every_sandbox() -> None:
    async with serving("tokens", 0) as first, serving("other-clients", 0) as second:
        ids = [
            [(caller.name, caller.client_id, caller.object_id) for caller in session.api(None).callers]
            for session in (first, second)
        ]

    assert ids[0] == ids[1]
    assert [name for name, _, _ in ids[0]] == ["client", "client-without-role", "other-client"]


@pytest.mark.usefixtures("folder")
async def test_users_get_through_where_an_api_has_scopes() -> None:
    expected = {
        "people": {"ada@contoso.com": True, "client": False, "client-without-role": False, "other-client": False},
        "either": {"ada@contoso.com": True, "client": True, "client-without-role": False, "other-client": False},
    }
    got: dict[str, dict[str, bool]] = {}

    async with serving("people", 0) as session, new_http_client() as http:
        for api in session.apis:
            got[api.name] = {}
            for caller in api.callers:
                token = await request_token(caller.token_url, caller.form)
                client = Client(api.url, Credentials(token=token), http)
                try:
                    got[api.name][caller.name] = "Hello" in await client.chat("chat", "Hello")
                except AuthenticationError:
                    got[api.name][caller.name] = False

    assert got == expected
    assert {api.name: api.callers[0].name for api in session.apis} == {"people": "ada@contoso.com", "either": "client"}


@pytest.mark.parametrize(
    ("stack", "note"),
    [
        pytest.param(
            "tokens", "API entra: the config assigns no role to a caller of the sandbox, so client", id="role"
        ),
        pytest.param(
            "people",
            "API people: client got an administrator's consent to chat here, for all users; on Azure users are asked",
            id="scope",
        ),
        pytest.param("other-clients", "clientApplicationIds includes no caller of the sandbox; add ", id="clients"),
        pytest.param("other-app", "the sandbox has no app registration for api://chat", id="app registration"),
    ],
)
@pytest.mark.usefixtures("folder")
async def test_up_tells_who_gets_through_and_who_does_not(
    stack: str, note: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(stack, 0):
        pass

    assert note in capsys.readouterr().err
