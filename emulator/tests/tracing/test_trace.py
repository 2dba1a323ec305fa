"""Traces: what they tell, what they hide, what they cost, and `apim-emulator trace`."""

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from yarl import URL

from apim_emulator.cli import main as command_line
from apim_emulator.cli import trace as trace_command
from apim_emulator.cli.serve import ServeOptions, serving
from apim_emulator.cli.session import SessionFile
from apim_emulator.gateway.loading.plan import compile_plan
from apim_emulator.gateway.standalone import standalone
from apim_emulator.model import Backend, Subscription
from apim_emulator.testing import PolicyBench, Reply, Request
from apim_emulator.tracing import CallTrace, Span, as_text, page
from apim_emulator.tracing.mask import HIDDEN, Mask
from apim_emulator.tracing.model import from_json, to_json


def document(inbound: str = "", *, backend: str = "<base/>", outbound: str = "", on_error: str = "") -> str:
    return (
        f"<policies><inbound><base/>{inbound}</inbound><backend>{backend}</backend>"
        f"<outbound><base/>{outbound}</outbound><on-error><base/>{on_error}</on-error></policies>"
    )


def header(name: str, value: str) -> str:
    return f"<set-header name='{name}'><value>{value}</value></set-header>"


def variable(name: str, value: str) -> str:
    return f"<set-variable name='{name}' value='{value}'/>"


def traced(policy: str, **options: Any) -> CallTrace:
    trace = PolicyBench(policy).get(**options).trace
    assert trace is not None
    return trace


def entries(span: Span) -> list[str]:
    reads = [f"{read.what}={read.value}" for read in span.reads]
    return reads + [f"{change.what}:{change.before}->{change.after}" for change in span.changes]


# what they tell


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param(
            variable("v", "@(context.Request.Method)"), ["Request.Method=GET", "Variables[v]:None->GET"], id="variable"
        ),
        pytest.param(
            header("X-A", '@(context.Request.Headers.GetValueOrDefault("X-B", "-"))'),
            ["Request.Headers[X-B]=b", "Request.Headers[X-A]:a->b"], id="headers",
        ),
        pytest.param(
            "<set-header name='X-A' exists-action='delete'/>", ["Request.Headers[X-A]:a->None"], id="header removed"
        ),
        pytest.param(
            variable("v", '@(context.Request.Url.Query.GetValueOrDefault("q", "-"))'),
            ["Request.Url.Query[q]=1", "Variables[v]:None->1"], id="query",
        ),
        pytest.param(
            "<set-query-parameter name='q' exists-action='delete'/>",
            ["Request.Url.Query:q=1->"], id="query changed",
        ),
        pytest.param("<rewrite-uri template='/other'/>", ["Request.Url.Path:/chat->/other"], id="path"),
        pytest.param("<set-method>PUT</set-method>", ["Request.Method:GET->PUT"], id="method"),
        pytest.param(
            "<set-backend-service base-url='https://backend.test/b'/>",
            ["Backend:https://backend.test->https://backend.test/b"], id="backend",
        ),
        pytest.param("<check-header name='X-A' failed-check-httpcode='403' failed-check-error-message='' "
                     "ignore-case='true'/>", ["Request.Headers[X-A]=a"], id="a policy's own read"),
        pytest.param("<trace source='me'><message>hello</message></trace>", ["Trace[me]:None->hello"], id="trace"),
        pytest.param("<emit-metric name='n' value='2'><dimension name='API ID'/></emit-metric>",
                     ["Metric[n]:None->2"], id="metric"),
    ],
)  # fmt: skip
def test_span_tells_what_a_policy_read_and_changed(policy: str, expected: list[str]) -> None:
    call = traced(document(policy), url="/chat?q=1", headers={"X-A": "a", "X-B": "b"})

    span = call.spans[0]
    found = [entry for entry in entries(span) if not entry.startswith(("Request.Url=", "Api="))]
    assert found[-len(expected) :] == expected
    assert (span.section, span.scope, span.document, span.line) == ("inbound", "api", "api policy", 1)
    assert 0 <= span.started <= call.duration


def test_response_is_told_where_it_arrives_and_changes() -> None:
    call = traced(document(outbound=header("X-S", "@(context.Response.StatusCode.ToString())")))

    forward, outbound = call.spans
    assert "Response.StatusCode:None->200" in entries(forward)
    assert entries(outbound) == ["Response.StatusCode=200", "Response.Headers[X-S]:None->200"]


def test_policies_inside_others_are_inside_their_spans() -> None:
    inner = header("X-A", "1")
    condition = '@(context.Request.Headers.ContainsKey("X-B"))'
    call = traced(document(f"<choose><when condition='{condition}'>{inner}</when></choose>"), headers={"X-B": "b"})

    choose = call.spans[0]
    assert entries(choose) == ["Request.Headers[X-B]=b"]
    (child,) = choose.children
    assert (child.policy, child.path, entries(child)) == (
        "set-header", "choose/when/set-header", ["Request.Headers[X-A]:None->1"],
    )  # fmt: skip


def test_each_try_of_a_retry_is_a_span() -> None:
    backend = (
        "<retry condition='@(context.Response.StatusCode == 200)' count='2' interval='0'><forward-request/></retry>"
    )

    retry = traced(document(backend=backend)).spans[0]

    assert [child.policy for child in retry.children] == ["forward-request"] * 3


def test_failure_is_told_once_where_it_happened() -> None:
    bad = variable("v", '@((string)context.Variables["absent"])')
    call = traced(document(f"<choose><when condition='true'>{bad}</when></choose>", on_error=header("X-Why", "1")))

    choose, on_error = call.spans
    (child,) = choose.children
    assert child.error == "ExpressionValueEvaluationFailure: KeyNotFoundException"
    assert (choose.outcome, choose.error) == ("fails", None)
    assert (on_error.section, on_error.policy) == ("on-error", "set-header")
    assert (call.status, call.error) == (
        500, "ExpressionValueEvaluationFailure: Expression evaluation failed. KeyNotFoundException",
    )  # fmt: skip


def test_end_of_the_pipeline_is_told() -> None:
    call = traced(document("<return-response><set-status code='403'/></return-response>" + header("X-A", "1")))

    (span,) = call.spans
    assert (span.outcome, call.status, call.backend_called) == ("ends the pipeline", 403, False)


def test_policies_side_by_side_keep_their_own_reads() -> None:
    def send(name: str) -> str:
        return (
            f"<send-request response-variable-name='{name}'>"
            f'<set-url>@("https://{name}.contoso.com/" + context.Request.Headers.GetValueOrDefault("X-{name}", ""))'
            "</set-url></send-request>"
        )

    bench = PolicyBench(document(f"<wait>{send('a')}{send('b')}</wait>"), hosts={"*.contoso.com": lambda _: Reply()})
    trace = bench.get(headers={"X-a": "1", "X-b": "2"}).trace

    assert trace is not None
    children = trace.spans[0].children
    assert sorted(entries(child)[0] for child in children) == ["Request.Headers[X-a]=1", "Request.Headers[X-b]=2"]


def test_text_is_a_tree() -> None:
    text = as_text(traced(document(variable("v", "1"), outbound=header("X-A", "2")), url="/chat?q=1"))

    lines = text.splitlines()
    assert lines[0].startswith("#1 GET /chat?q=1 -> 200, ")
    assert [line for line in lines if line.startswith(("├─", "└─"))] == [
        "├─ inbound", "├─ backend", "├─ outbound", "└─ outside any policy",
    ]  # fmt: skip
    assert "│      set  Variables[v] = 1" in lines


def test_trace_survives_json() -> None:
    call = traced(document(f"<choose><when condition='true'>{variable('v', '1')}</when></choose>"))

    assert from_json(to_json([call])) == [call]


# what they hide

SECRET = "hunter2-hunter2"
COPIES = "".join(
    variable(f"v{number}", f"@({expression})")
    for number, expression in enumerate(
        [
            'context.Request.Headers.GetValueOrDefault("NAME", "")',
            '"prefix-" + context.Request.Headers.GetValueOrDefault("NAME", "") + "-suffix"',
            'context.Request.Headers.GetValueOrDefault("NAME", "        ").Substring(7)',
            'context.Request.Headers.GetValueOrDefault("NAME", "").ToUpper()',
        ]
    )
)


def everything(call: CallTrace) -> str:
    return "".join(
        [to_json([call]).decode(), as_text(call), page.index([call]).decode(), page.call_page(call).decode()]
    )


def leaks(call: CallTrace, *secrets: str) -> list[str]:
    text = everything(call).lower()
    return [
        form
        for secret in secrets
        for form in (secret, secret[7:], quote(secret, safe=""), base64.b64encode(secret.encode()).decode())
        if form and form.lower() in text
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("Authorization", f"Bearer {SECRET}", id="bearer"),
        pytest.param("Authorization", f"Basic {base64.b64encode(f'me:{SECRET}'.encode()).decode()}", id="basic"),
        pytest.param("api-key", SECRET, id="api-key"),
        pytest.param("X-Functions-Key", SECRET, id="functions key"),
        pytest.param("Cookie", f"a=1; session={SECRET}; b=2", id="cookie"),
        pytest.param("X-Client-Secret", SECRET, id="client secret"),
    ],
)
def test_credential_of_the_caller_is_hidden_wherever_policies_put_it(name: str, value: str) -> None:
    copies = COPIES.replace("NAME", name)
    traced_header = header("X-Copy", f'@(context.Request.Headers.GetValueOrDefault("{name}", ""))')
    trace = f'<trace source=\'s\'><message>@(context.Request.Headers.GetValueOrDefault("{name}", ""))</message></trace>'
    call = traced(document(copies + traced_header + trace), headers={name: value})

    assert len(call.spans) == 7
    assert leaks(call, value, value.rsplit(maxsplit=1)[-1], SECRET) == []
    assert HIDDEN in everything(call)


def test_subscription_key_is_hidden_even_where_it_is_wrong() -> None:
    key = Subscription(id="ann", scope="/apis", primary_key="right-key-1234", secondary_key="other-key-1234")
    bench = PolicyBench(
        document(variable("v", "right-key-1234")), subscriptions=(key,),
        api={"key_header": "X-Gate", "key_query": "gate", "subscription_required": True},
    )  # fmt: skip
    calls = [
        bench.get(headers={"X-Gate": "wrong-key-1234"}).trace,
        bench.get("/chat?gate=wrong-key-1234&x=1").trace,
        bench.get(headers={"X-Gate": "right-key-1234"}).trace,
    ]

    for call in calls:
        assert call is not None
        assert leaks(call, "wrong-key-1234", "right-key-1234") == []
    assert calls[1] is not None
    assert calls[1].url == "/chat?gate=***&x=1"


def test_secret_named_value_is_hidden_and_a_public_one_is_not() -> None:
    policy = document(header("X-A", "{{secret}}") + variable("v", "a-{{secret}}") + variable("w", "{{public}}"))
    bench = PolicyBench(
        policy, named_values={"secret": SECRET, "public": "gold-tier"}, secret_names=frozenset({"secret"})
    )
    call = bench.get().trace

    assert call is not None
    assert leaks(call, SECRET) == []
    assert "gold-tier" in everything(call)


def test_tokens_of_managed_identities_and_tenants_are_hidden() -> None:
    policy = document(
        "<validate-azure-ad-token tenant-id='common' output-token-variable-name='jwt'>"
        "<audiences><audience>x</audience></audiences></validate-azure-ad-token>"
        "<authentication-managed-identity resource='https://a.example' output-token-variable-name='plain'/>"
        + variable("copy", '@("mine: " + (string)context.Variables["plain"])')
        + header("X-Forward", '@((string)context.Variables["plain"])')
    )
    bench = PolicyBench(policy)
    token = bench.entra.token("x")

    for _ in range(2):
        response = bench.get(headers={"Authorization": f"Bearer {token}"})
        assert response.status_code == 200
        assert response.trace is not None
        identity = str(response.variables["plain"])
        assert leaks(response.trace, token, *token.split("."), identity) == []


def test_credential_of_a_backend_is_hidden() -> None:
    backend = Backend(id="b", header={"X-Odd": (SECRET,)})
    bench = PolicyBench(
        document("<set-backend-service backend-id='b'/>", outbound=header("X-Echo", SECRET)),
        backends={"b": lambda request: Reply(headers={"X-Seen": request.headers["X-Odd"]})}, entities=(backend,),
    )  # fmt: skip
    call = bench.get().trace

    assert call is not None
    assert leaks(call, SECRET) == []


def test_bodies_are_told_by_their_size() -> None:
    def answer(_: Request) -> Reply:
        return Reply(content="private answer")

    bench = PolicyBench(
        document("<set-body>private text</set-body>", outbound="<set-body>other</set-body>"), backend=answer
    )
    call = bench.post(data="private prompt").trace

    assert call is not None
    assert "private" not in everything(call)
    assert "Request.Body:None->12 bytes" in entries(call.spans[0])


MEMBER = '(string)context.Request.Body.As<JObject>(true)["{}"]'
TOKEN_REQUEST = (
    "<send-request mode='new' response-variable-name='r'><set-url>https://login.test/token</set-url></send-request>"
)


@pytest.mark.parametrize(
    ("inbound", "options"),
    [
        pytest.param(variable("v", f"@({MEMBER.format('api_key')})"), {"json": {"api_key": SECRET}}, id="JSON body"),
        pytest.param(
            variable("v", "@((string)context.Request.Body.As<JArray>(true)[0]['a']['password'])".replace("'", '"')),
            {"json": [{"a": {"password": SECRET}}]}, id="deep in a JSON body",
        ),
        pytest.param(
            variable("v", "@(context.Request.Body.As<string>(true).Substring(14))"),
            {"data": f"client_secret={SECRET}"}, id="form",
        ),
        pytest.param(
            TOKEN_REQUEST
            + variable("v", '@((string)((IResponse)context.Variables["r"]).Body.As<JObject>(true)["access_token"])'),
            {}, id="answer of a token endpoint",
        ),
        pytest.param(
            variable("v", f'@("{SECRET[:5]}" + "{SECRET[5:]}")')
            + header("api-key", '@((string)context.Variables["v"])'),
            {}, id="before it had the name of a secret",
        ),
        pytest.param(
            variable("v", '@(context.Request.Headers.GetValueOrDefault("X-Json", ""))'),
            {"headers": {"X-Json": json.dumps(json.dumps({"api_key": SECRET}))}}, id="escaped JSON",
        ),
        pytest.param(
            variable("v", '@(context.Request.Headers.GetValueOrDefault("X-Xml", ""))'),
            {"headers": {"X-Xml": f"<password>{SECRET}</password>"}}, id="XML",
        ),
        pytest.param(variable("v", f'@("https://me:" + "{SECRET}" + "@a.example/")'), {}, id="URL with a user"),
        pytest.param(
            variable("v", '@(context.Request.Url.Query.GetValueOrDefault("access_token", ""))'),
            {"params": {"access_token": SECRET}}, id="query",
        ),
    ],
)  # fmt: skip
def test_value_that_is_secret_by_its_name_is_hidden_everywhere(inbound: str, options: dict[str, Any]) -> None:
    bench = PolicyBench(document(inbound), hosts={"login.test": lambda _: Reply(json={"access_token": SECRET})})
    response = bench.send("POST", "/", **options)

    assert (response.status_code, SECRET in str(response.variables["v"])) == (200, True)
    assert response.trace is not None
    assert leaks(response.trace, SECRET) == []


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param('Convert.ToBase64String(Encoding.UTF8.GetBytes("user:" + "{{s}}"))', id="Base64 with a user"),
        pytest.param('Convert.ToBase64String(Encoding.UTF8.GetBytes("us:" + "{{s}}" + ":x"))', id="inside Base64"),
        pytest.param('BitConverter.ToString(Encoding.UTF8.GetBytes("{{s}}"))', id="hexadecimal"),
        pytest.param('"{{s}}".ToUpper()', id="upper case"),
        pytest.param('"a=1&amp;b=" + Uri.EscapeDataString("{{s}}")', id="in a query"),
    ],
)
def test_secret_in_another_form_is_hidden(expression: str) -> None:
    bench = PolicyBench(document(variable("v", f"@({expression})")), named_values={"s": SECRET})
    response = bench.get()

    value = str(response.variables["v"])
    assert response.trace is not None
    shown = next(change.after for change in response.trace.spans[0].changes if change.what == "Variables[v]")
    assert shown is not None
    assert HIDDEN in shown
    assert not any(value[at : at + 12] in shown for at in range(len(value) - 12))


def test_cookie_of_a_backend_is_hidden_but_not_its_attributes() -> None:
    copy = variable("v", '@(context.Response.Headers.GetValueOrDefault("Set-Cookie", ""))')
    bench = PolicyBench(
        document(outbound=copy + variable("w", "Domain=contoso.com")),
        backend=lambda _: Reply(headers={"Set-Cookie": f"session={SECRET}; Domain=contoso.com; HttpOnly"}),
    )
    call = bench.get().trace

    assert call is not None
    assert leaks(call, SECRET) == []
    assert "Domain=contoso.com" in everything(call)


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("Authorization", True), ("Set-Cookie", True), ("api-key", True), ("Ocp-Apim-Subscription-Key", True),
        ("managed-id-access-token", True), ("client_secret", True), ("x-password", True), ("sig", True), ("code", True),
        ("Content-Type", False), ("remaining-tokens", False), ("Access-Control-Allow-Credentials", False),
        ("X-Monkey", False), ("statusCode", False), ("WWW-Authenticate", False), ("cache-key", False),
    ],
)  # fmt: skip
def test_names_of_secrets(name: str, hidden: bool) -> None:
    assert (Mask().named(name, "some value") == HIDDEN) is hidden


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "***", id="JWT"),
        pytest.param("got eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln!", "got ***!", id="JWT inside text"),
        pytest.param("Bearer abc", "Bearer ***", id="bearer"),
        pytest.param("https://a.example/?sig=abc&x=1", "https://a.example/?sig=***&x=1", id="signature"),
        pytest.param('{"client_secret": "abc", "a": "b"}', '{"client_secret": "***", "a": "b"}', id="JSON"),
        pytest.param("password=abc", "password=***", id="assignment"),
        pytest.param("Unauthorized. Access token is missing or invalid.",
                     "Unauthorized. Access token is missing or invalid.", id="no secret"),
        pytest.param("a\x00b\r\nc", "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER} c", id="control characters"),
    ],
)  # fmt: skip
def test_shapes_of_secrets(text: str, shown: str) -> None:
    assert Mask().text(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a S3cr3t-Value b s3cr3t-value", "a *** b ***"),
        ("S3cr3t-VALUES3cr3t-Value", "******"),
        # The lower case of the first letter is two characters.
        ("\N{LATIN CAPITAL LETTER I WITH DOT ABOVE} S3cr3t-Value b", "***"),
        ("\N{LATIN CAPITAL LETTER I WITH DOT ABOVE} b", "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE} b"),
    ],
    ids=["any case", "side by side", "longer in lower case", "nothing to hide"],
)
def test_known_secret_is_hidden_wherever_it_is(text: str, shown: str) -> None:
    assert Mask(["S3cr3t-Value"]).text(text) == shown


def test_mask_forgets_the_oldest_secrets_beyond_its_limit() -> None:
    mask = Mask(limit=6)
    for number in range(100):
        mask.add([f"secret-number-{number}"])

    assert mask.text("secret-number-99") == HIDDEN
    assert mask.text("secret-number-1.") != HIDDEN


# what they cost


def test_memory_is_bounded() -> None:
    tries = "<retry condition='@(true)' count='50' interval='0'>" + "".join(
        variable(f"v{number}", "@(context.RequestId.ToString())") for number in range(20)
    )
    bench = PolicyBench(document(f"{tries}</retry>" + variable("long", "x" * 5000)))
    call = bench.get().trace
    bench.load(document())
    for _ in range(60):
        last = bench.get().trace

    assert call is not None
    assert last is not None
    spans = [child for span in call.spans for child in (span, *span.children)]
    assert len(spans) == 300
    assert sum(len(entries(span)) for span in spans) <= 1000
    assert call.omitted > 700
    assert len(to_json([call])) < 500_000
    assert last.number == 61


def test_only_the_last_calls_are_kept() -> None:
    bench = PolicyBench()
    for _ in range(60):
        bench.get()

    recorder = bench._recorder
    assert recorder is not None
    assert [call.number for call in recorder.last()] == list(range(11, 61))
    assert [call.number for call in recorder.last(2)] == [59, 60]
    assert [call.number for call in recorder.last(after=58)] == [59, 60]
    assert recorder.call(10) is None


def test_gateway_that_nobody_traces_runs_its_policies_bare() -> None:
    service = standalone(document(header("X-A", "1")), "https://backend.test")
    (bare,) = compile_plan(service).apis["policy"].pipelines["get", None]["inbound"]
    (wrapped,) = compile_plan(service, lambda run, *_: run).apis["policy"].pipelines["get", None]["inbound"]

    assert bare.run.__qualname__ == wrapped.run.__qualname__ == "_compile.<locals>.run"


# the command


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServeOptions:
    monkeypatch.chdir(tmp_path)
    policy = document("<return-response><set-status code='403'/></return-response>")
    (tmp_path / "policy.xml").write_text(policy, encoding="utf-8")
    return ServeOptions(policy=tmp_path / "policy.xml", backend="http://127.0.0.1:9", port=0)


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = command_line.run(command_line.app, ["trace", *arguments])
        output = capsys.readouterr()
        return code, output.out, output.err

    return call


async def visit(url: str, *paths: str, **how: object) -> list[aiohttp.ClientResponse]:
    async with aiohttp.ClientSession() as client:
        responses = []
        for path in paths:
            async with client.get(f"{url}{path}", **how) as response:  # type: ignore[arg-type]
                await response.read()
                responses.append(response)
        return responses


async def test_command_prints_the_last_calls(options: ServeOptions, run: Run) -> None:
    async with serving(options) as served:
        session = served.session
        empty = await asyncio.to_thread(run)
        await visit(session.url, "/a", "/b", "/c")
        text = await asyncio.to_thread(run, "--last", "2")
        encoded = await asyncio.to_thread(run, "--json", "--stack", session.stack)

    assert empty == (0, "No calls yet.\n", "")
    assert [line.split()[2] for line in text[1].splitlines() if line.startswith("#")] == ["/b", "/c"]
    assert [call["url"] for call in json.loads(encoded[1])] == ["/a", "/b", "/c"]


async def test_command_follows_new_calls(options: ServeOptions, capsys: pytest.CaptureFixture[str]) -> None:
    async with serving(options) as served:
        session = served.session
        loop = asyncio.get_running_loop()
        await visit(session.url, "/a")
        paths = iter(["/b", None, "/c"])

        def pause(_: float) -> None:
            path = next(paths, "")
            if path == "":
                raise KeyboardInterrupt
            if path is not None:
                asyncio.run_coroutine_threadsafe(visit(session.url, path), loop).result()

        code = await asyncio.to_thread(trace_command.run, None, 5, follow=True, as_json=True, pause=pause)

    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert [json.loads(line)["url"] for line in lines] == ["/a", "/b", "/c"]


@pytest.mark.usefixtures("options")
def test_command_of_a_stack_that_does_not_run_names_a_command_that_there_is(run: Run) -> None:
    assert run("--stack", "serve-1") == (
        2, "", "error: stack serve-1 is not running; start it with: apim-emulator serve\n",
    )  # fmt: skip


@pytest.mark.usefixtures("options")
def test_command_without_a_sandbox_says_how_to_start_one(run: Run) -> None:
    assert run() == (
        2, "", "error: nothing is running in this folder; start with: apim-emulator serve\n",
    )  # fmt: skip


async def test_sandbox_without_traces_and_several_sandboxes_are_told(options: ServeOptions, run: Run) -> None:
    silent = ServeOptions(policy=options.policy, backend=options.backend, port=0, trace=False)
    async with serving(silent) as served:
        session = served.session
        assert (await visit(session.url, "/"))[0].status == 403
        none = await asyncio.to_thread(run)
        async with serving(options) as another:
            other = another.session
            several = await asyncio.to_thread(run)
    names = ", ".join(sorted([session.stack, other.stack]))

    assert none == (2, "", f"error: stack {session.stack} keeps no traces; start it without --no-trace\n")
    assert several == (2, "", f"error: several stacks run here: {names}; choose one with --stack\n")


async def test_sandbox_that_does_not_answer_is_told(
    options: ServeOptions, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(trace_command._OPENER, "open", fail)
    async with serving(options) as served:
        session = served.session
        result = await asyncio.to_thread(run)

    assert result == (2, "", f"error: stack {session.stack} does not answer; start it again\n")


# the server of the pages


async def test_pages_are_reached_from_this_machine_alone(options: ServeOptions) -> None:
    async with serving(options) as served:
        url = URL(served.session.trace_url or "")
        assert (url.host, URL(served.session.url).host) == ("127.0.0.1", "127.0.0.1")
        with pytest.raises(OSError, match="Connect call failed"):
            await asyncio.open_connection("127.0.0.2", url.port)
        with pytest.raises(OSError, match="Connect call failed"):
            await asyncio.open_connection("127.0.0.2", URL(served.session.url).port)


async def test_pages_are_for_their_owner_alone(options: ServeOptions) -> None:
    async with serving(options) as served:
        session = served.session
        assert session.trace_url is not None
        await visit(session.url, "/chat")
        base = session.trace_url
        index, call, gone, bad, style, script = await visit(
            base, "", "1", "99", "calls.json?after=x", "style.css", "page.js"
        )
        (root,) = await visit(base.rsplit("/", 2)[0], "/")
        (rebound,) = await visit(base, "", headers={"Host": "evil.example.com"})
        written = SessionFile(Path.cwd(), session.stack).read()

    assert [answer.status for answer in (index, call, gone, bad, style, script, root, rebound)] == [
        200, 200, 404, 400, 200, 200, 404, 403,
    ]  # fmt: skip
    assert (style.content_type, script.content_type) == ("text/css", "text/javascript")
    for answer in (index, call, gone, bad, style, script, root, rebound):
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'; ")
        assert "require-trusted-types-for 'script'" in policy
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "unsafe" not in policy
        assert (answer.headers["Cache-Control"], answer.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert len(base.rsplit("/", 2)[1]) >= 20
    assert written.trace_url == base
