"""`apim-emulator serve`."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from apim_emulator.cli import main as command_line
from apim_emulator.cli.documents import DocumentFiles
from apim_emulator.cli.serve import ServedDocument, ServeOptions, serving
from apim_emulator.cli.trace import traced
from apim_emulator.errors import EmulatorError
from apim_emulator.testing import CertificateAuthority

PROJECT = Path(__file__).parents[2]
POLICY = """<policies>
    <inbound>
        <base />
        <set-header name="X-Team" exists-action="override">
            <value>@(context.Request.Headers.GetValueOrDefault("X-Team", "none"))</value>
        </set-header>
    </inbound>
    <backend><base /></backend>
    <outbound><base /></outbound>
    <on-error><base /></on-error>
</policies>
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy.xml").write_text(POLICY, encoding="utf-8")
    return tmp_path


def policy_of(inbound: str) -> str:
    return POLICY.replace("<base />", f"<base />\n        {inbound}", 1)


def answer(status: str) -> str:
    return f'<return-response><set-status code="{status}" /></return-response>'


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
async def test_the_gateways_own_address_is_no_backend(folder: Path, host: str) -> None:
    url = f"http://{host}:8099/openai"

    given: list[dict[str, Any]] = [{"backend": url}, {"backend": "http://127.0.0.1:9", "backends": [f"b={url}"]}]
    for options in given:
        with pytest.raises(EmulatorError, match="is the address on which the gateway itself listens; choose another"):
            async with serving(ServeOptions(policy=folder / "policy.xml", port=8099, **options)):
                pass


class Told:
    """What a person is told while a document is served."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._news = asyncio.Event()

    def __call__(self, text: str) -> None:
        self.texts.append(text)
        self._news.set()

    async def more(self) -> None:
        """Wait for the next one."""
        self._news.clear()
        async with asyncio.timeout(10):
            await self._news.wait()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.setattr("apim_emulator.cli.serve._POLL", 0.01)
    return Told()


@asynccontextmanager
async def backend() -> AsyncIterator[str]:
    """Answer with what arrived."""

    async def echo(request: web.Request) -> web.Response:
        seen = {"path": request.raw_path, "method": request.method, "headers": dict(request.headers)}
        return web.json_response(seen | {"body": await request.text()})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", echo)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def called(
    options: ServeOptions, method: str = "GET", path: str = "/chat?a=1", **how: object
) -> dict[str, object]:
    async with (
        serving(options) as served,
        aiohttp.ClientSession() as client,
        client.request(method, f"{served.session.url}{path}", **how) as response,  # type: ignore[arg-type]
    ):
        assert response.status == 200, await response.text()
        found: dict[str, object] = await response.json()
        return found


@pytest.mark.parametrize(("text", "status"), [("ask Fabrikam", 403), ("ask northwind", 403), ("hello", 200)])
async def test_a_blocklist_has_the_terms_of_the_command_line(tmp_path: Path, text: str, status: int) -> None:
    check = "<llm-content-safety backend-id='s'><blocklists><id>rivals</id></blocklists></llm-content-safety>"
    policy = tmp_path / "policy.xml"
    policy.write_text(f"<policies><inbound>{check}</inbound></policies>", encoding="utf-8")
    terms = ["rivals=fabrikam", "rivals=Northwind"]
    async with backend() as url:
        options = ServeOptions(policy=policy, backend=url, port=0, blocklists=terms)
        async with serving(options) as served, aiohttp.ClientSession() as client:
            body = {"messages": [{"role": "user", "content": text}]}
            async with client.post(f"{served.session.url}/chat/completions", json=body) as response:
                assert response.status == status


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_any_request_passes_through_the_policy_without_a_key(folder: Path, method: str) -> None:
    async with backend() as url:
        options = ServeOptions(policy=folder / "policy.xml", backend=f"{url}/base", port=0)
        seen = await called(options, method, headers={"X-Team": "blue"}, data=b"hello")

    assert (seen["method"], seen["path"], seen["body"]) == (method, "/base/chat?a=1", "hello")
    assert isinstance(seen["headers"], dict)
    assert seen["headers"]["X-Team"] == "blue"


async def test_well_formed_document_is_read_too(folder: Path) -> None:
    (folder / "policy.xml").write_text(POLICY.replace('"X-Team", "none"', "&quot;X-Team&quot;, &quot;none&quot;"))

    async with backend() as url:
        seen = await called(ServeOptions(policy=folder / "policy.xml", backend=url, port=0))

    assert isinstance(seen["headers"], dict)
    assert seen["headers"]["X-Team"] == "none"


async def test_backend_ids_lead_to_the_backend_unless_told_otherwise(folder: Path) -> None:
    (folder / "policy.xml").write_text(policy_of('<set-backend-service backend-id="openai-backend" />'))

    async with backend() as url:
        options = ServeOptions(policy=folder / "policy.xml", backend=url, port=0)
        first = await called(options)
        other = ServeOptions(policy=options.policy, backend=url, backends=[f"openai-backend={url}/other"], port=0)
        second = await called(other)

    assert (first["path"], second["path"]) == ("/chat?a=1", "/other/chat?a=1")


async def test_named_values_and_fragments_come_from_files(folder: Path) -> None:
    (folder / "policy.xml").write_text(policy_of('<include-fragment fragment-id="keys" />'))
    (folder / "keys.xml").write_text(
        '<fragment><set-header name="X-Key"><value>{{key}}-{{tier}}</value></set-header></fragment>', encoding="utf-8"
    )
    (folder / "values.yaml").write_text('key: "1"\ntier: {value: gold, secret: false}\n', encoding="utf-8")

    async with backend() as url:
        options = ServeOptions(
            policy=folder / "policy.xml", backend=url, named_values=folder / "values.yaml", fragments=["keys=keys.xml"],
            port=0,
        )  # fmt: skip
        seen = await called(options)

    assert isinstance(seen["headers"], dict)
    assert seen["headers"]["X-Key"] == "1-gold"


LOOPBACK = "--backend http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("files", "command", "message"),
    [
        pytest.param({}, f"absent.xml {LOOPBACK}", "absent.xml: No such file or directory", id="no policy"),
        pytest.param({}, "policy.xml", "Missing option '--backend'", id="no backend"),
        pytest.param(
            {}, "policy.xml --backend ftp://127.0.0.1", "--backend ftp://127.0.0.1: must be an http or https URL",
            id="scheme",
        ),
        pytest.param(
            {}, "policy.xml --backend https://example.com",
            "example.com is not this machine; allow it with --allow-host example.com", id="another machine",
        ),
        pytest.param(
            {}, f"policy.xml {LOOPBACK} --backend-id a=https://example.com",
            "--backend-id a=https://example.com: example.com", id="backend on another machine",
        ),
        pytest.param(
            {}, "policy.xml --backend http://me:hunter2@127.0.0.1", "--backend : must be an http or https URL",
            id="password in a URL",
        ),
        pytest.param({}, f"policy.xml {LOOPBACK} --fragment a", "--fragment a: must be a name, = and", id="fragment"),
        pytest.param(
            {}, f"policy.xml {LOOPBACK} --fragment a=b --fragment a=c", "--fragment a: is given twice", id="twice"
        ),
        pytest.param({}, f"policy.xml {LOOPBACK} --sku developer", "--sku developer: no pricing tier; there", id="sku"),
        pytest.param(
            {}, f"policy.xml {LOOPBACK} --allow-host https://a.example.com/",
            "--allow-host https://a.example.com/: must be the name of a host", id="allowed host",
        ),
        pytest.param({}, f"policy.xml {LOOPBACK} --nope", "apim-emulator serve --help",
                     id="option"),
        pytest.param(
            {"v.json": '{"a": "1", "a": "2"}'}, f"policy.xml {LOOPBACK} --named-values v.json",
            'v.json:1:12: mapping key "a" already defined at line 1', id="named value twice",
        ),
        pytest.param(
            {"v.yaml": 'a: {value: b, secret: "no"}'}, f"policy.xml {LOOPBACK} --named-values v.yaml",
            "v.yaml: a: must be text in quotes, or", id="secret that is text",
        ),
        pytest.param(
            {"v.yaml": 'a b: "1"'}, f"policy.xml {LOOPBACK} --named-values v.yaml",
            "v.yaml: a name must be of letters, digits", id="name of a named value",
        ),
        pytest.param(
            {"v.yaml": "a: !!python/name:os.system x"}, f"policy.xml {LOOPBACK} --named-values v.yaml",
            "v.yaml:1:4: could not determine a constructor", id="YAML that runs code",
        ),
        pytest.param({"policy.xml": ""}, f"policy.xml {LOOPBACK}", "policy.xml:1:1: policies: not well-formed XML: "
                     "the document is empty", id="empty"),
        pytest.param({"policy.xml": "<policies>\n<inbound><base />"}, f"policy.xml {LOOPBACK}",
                     "policy.xml:2:17: policies: not well-formed XML: an element has no end tag", id="cut off"),
        pytest.param(
            {"policy.xml": '<!DOCTYPE policies [<!ENTITY a "b">]>\n<policies/>'}, f"policy.xml {LOOPBACK}",
            "policy.xml:1:1: policies: a document type or entity declaration is not allowed", id="document type",
        ),
        pytest.param(
            {"policy.xml": policy_of('<include-fragment fragment-id="auth" />')}, f"policy.xml {LOOPBACK}",
            "policy.xml:4:9: fragment auth has no file; give it with --fragment auth=FILE", id="fragment without file",
        ),
        pytest.param(
            {"v.yaml": "a: [1"}, f"policy.xml {LOOPBACK} --named-values v.yaml", "v.yaml:1:6: expected ',' or ']'",
            id="YAML",
        ),
        pytest.param(
            {"v.yaml": "a: {value: b, secert: false}"}, f"policy.xml {LOOPBACK} --named-values v.yaml",
            "v.yaml: a: must be text in quotes, or", id="named value with a typo",
        ),
        pytest.param(
            {"v.yaml": "a: 1"}, f"policy.xml {LOOPBACK} --named-values v.yaml", "v.yaml: a: must be text in quotes",
            id="number",
        ),
        pytest.param(
            {"policy.xml": POLICY.replace("none", "{{team}}")}, f"policy.xml {LOOPBACK}",
            "policy.xml:5:75: named value team has no value; give a file with --named-values", id="named value",
        ),
        pytest.param(
            {"policy.xml": policy_of("<nope />")}, f"policy.xml {LOOPBACK}",
            "policy.xml:4:9: nope: policy is not supported", id="policy",
        ),
        pytest.param(
            {"policy.xml": policy_of('<set-header name="a b"><value>1</value></set-header>')}, f"policy.xml {LOOPBACK}",
            "policy.xml:4:9: set-header, name: ", id="attribute",
        ),
        pytest.param(
            {"policy.xml": "<policies><inbound></policies>"}, f"policy.xml {LOOPBACK}", "policy.xml:1:", id="XML"
        ),
        pytest.param(
            {
                "policy.xml": policy_of('<include-fragment fragment-id="f" />'),
                "f.xml": "<fragment>\n<nope/></fragment>",
            },
            f"policy.xml {LOOPBACK} --fragment f=f.xml", "f.xml:2:1: nope: policy is not supported", id="in a fragment",
        ),
    ],
)  # fmt: skip
def test_mistake_is_told_with_its_place_and_exit_code_2(
    files: dict[str, str], command: str, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")

    code = command_line.run(command_line.app, ["serve", *command.split()])

    output = capsys.readouterr()
    assert (code, output.out) == (2, "")
    assert output.err.startswith("error: ")
    assert message in output.err
    assert output.err.count("\n") == 1


def test_all_problems_and_all_missing_named_values_are_told_at_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "policy.xml").write_text(policy_of("<nope /><nix />"), encoding="utf-8")
    command_line.run(command_line.app, ["serve", "policy.xml", *LOOPBACK.split()])
    problems = capsys.readouterr().err
    (folder / "policy.xml").write_text(policy_of("{{a}}{{b}}{{a}}"), encoding="utf-8")
    (folder / "values.json").write_text("{}", encoding="utf-8")
    command_line.run(command_line.app, ["serve", "policy.xml", *LOOPBACK.split(), "--named-values", "values.json"])
    missing = capsys.readouterr().err

    assert [line.split(":")[3] for line in problems.removeprefix("error: ").splitlines()] == [" nope", " nix"]
    assert missing == (
        "error: policy.xml:4:9: named value a has no value; add it to values.json\n"
        "policy.xml:4:14: named value b has no value; add it to values.json\n"
    )


def test_what_only_a_comment_names_is_not_missing(folder: Path) -> None:
    text = policy_of("<!-- {{a}} <include-fragment fragment-id='b' /> -->")
    (folder / "policy.xml").write_text(text, encoding="utf-8")

    assert DocumentFiles(policy=folder / "policy.xml").read("http://127.0.0.1:9").gateway.apis[0].policy == text


async def test_document_is_loaded_anew_when_a_file_changes(folder: Path, told: Told) -> None:
    (folder / "policy.xml").write_text(policy_of(answer("{{status}}")), encoding="utf-8")
    values = folder / "values.yaml"
    values.write_text('status: {value: "201", secret: false}', encoding="utf-8")
    options = ServeOptions(policy=folder / "policy.xml", backend="http://127.0.0.1:9", named_values=values, port=0)

    async with serving(options, told) as served, aiohttp.ClientSession() as client:
        statuses = []
        for change in ("status: '202'", "status: 'x'", "status: '203'"):
            async with client.get(served.session.url) as response:
                statuses.append(response.status)
            values.write_text(change, encoding="utf-8")
            await told.more()
        async with client.get(served.session.url) as response:
            statuses.append(response.status)

    assert statuses == [201, 202, 202, 203]
    assert [text.partition(":")[0].removeprefix(str(folder)) for text in told.texts[1:]] == [
        "/policy.xml is loaded anew; counters and caches start from nothing", "error",
        "/policy.xml is loaded anew; counters and caches start from nothing",
    ]  # fmt: skip
    assert "set-status, code: the value is not a whole number" in told.texts[2]
    assert told.texts[2].endswith("What was loaded before is still served.")


async def test_file_that_is_gone_leaves_the_old_one_in_place(folder: Path, told: Told) -> None:
    (folder / "policy.xml").write_text(policy_of(answer("204")), encoding="utf-8")

    options = ServeOptions(policy=folder / "policy.xml", backend="http://127.0.0.1:9", port=0)
    async with serving(options, told) as served, aiohttp.ClientSession() as client:
        (folder / "policy.xml").unlink()
        await told.more()
        async with client.get(served.session.url) as response:
            status = response.status

    assert status == 204
    assert "policy.xml: No such file or directory" in told.texts[1]


async def test_backend_that_is_not_up_is_told_at_once(folder: Path, told: Told) -> None:
    async with (
        backend() as url,
        serving(
            ServeOptions(policy=folder / "policy.xml", backend=url, backends=["b=http://127.0.0.1:9/x"], port=0), told
        ),
    ):
        pass

    assert told.texts == [
        "nothing listens on http://127.0.0.1:9/x yet: calls that are forwarded there fail until something does"
    ]


def test_port_in_use_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code = command_line.run(
            command_line.app, ["serve", str(folder / "policy.xml"), *LOOPBACK.split(), "--port", str(port)]
        )

    assert code == 2
    assert f"port {port} is in use" in capsys.readouterr().err


def test_host_is_called_when_it_is_allowed(folder: Path) -> None:
    options = ServeOptions(
        policy=folder / "policy.xml", backend="https://example.com", allowed_hosts=["example.com"], port=0
    )

    async def start() -> str:
        async with serving(options) as served:
            session = served.session
            return session.url

    assert asyncio.run(start()).startswith("http://127.0.0.1:")


@pytest.mark.slow
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "JSON"])
async def test_command_serves_until_it_is_told_to_stop(folder: Path, form: list[str]) -> None:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "apim_emulator", "serve", "policy.xml", *LOOPBACK.split(), "--port", "0", *form,
        env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    first = await process.stdout.readline()
    (written,) = (folder / ".apim-emulator").glob("serve-*.json")
    session = json.loads(written.read_text(encoding="utf-8"))
    process.send_signal(signal.SIGINT)
    rest, errors = await process.communicate()

    text = (first + rest).decode()
    silent = "nothing listens on http://127.0.0.1:9 yet: calls that are forwarded there fail until something does\n"
    assert (process.returncode, errors.decode()) == (0, silent)
    assert json.loads(text) == session if form else session["trace_url"] in text
    assert list((folder / ".apim-emulator").iterdir()) == []


async def test_placeholder_that_nothing_fills_is_told_and_a_value_fills_it(folder: Path, told: Told) -> None:
    (folder / "policy.xml").write_text(policy_of('<set-header name="X-Tier"><value>${tier}</value></set-header>'))

    async with backend() as url:
        options = ServeOptions(policy=folder / "policy.xml", backend=url, port=0)
        async with serving(options, told):
            pass
        seen = await called(replace(options, fillings=["tier=gold"]))

    assert told.texts == [
        f"{folder}/policy.xml:4:35: value: ${{tier}} is a placeholder of Terraform or Bicep: "
        "fill it with --set tier=VALUE"
    ]
    assert isinstance(seen["headers"], dict)
    assert seen["headers"]["X-Tier"] == "gold"


# who may call, and folders

SPECIFICATION = """{"openapi": "3.0.1", "info": {"title": "a", "version": "1"}, "paths": {
    "/items": {"get": {"operationId": "get-items", "responses": {"200": {"description": "ok"}}}}}}"""
STARTER = '{"properties": {"state": "published", "subscriptionRequired": true}}'
SAYS_PRODUCT = '<set-header name="X-Product"><value>@(context.Product?.Id ?? "none")</value></set-header>'


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture
def artifacts(folder: Path) -> Path:
    write(
        folder / "artifacts",
        {
            "policy.xml": "<policies><inbound><set-header name='X-Global'><value>{{tier}}</value></set-header>"
            "</inbound><backend><forward-request /></backend></policies>",
            "apis/echo/apiInformation.json": '{"properties": {"path": "echo", "serviceUrl": "https://echo.example"}}',
            "apis/echo/specification.json": SPECIFICATION,
            "apis/echo/policy.xml": policy_of('<set-backend-service backend-id="east" />'),
            "apis/echo/operations/get-items/policy.xml": policy_of(SAYS_PRODUCT),
            "products/starter/productInformation.json": STARTER,
            "products/starter/apis/echo/productApiInformation.json": "{}",
            "backends/east/backendInformation.json": '{"properties": {"url": "https://east.example"}}',
            "named values/tier/namedValueInformation.json": '{"properties": {"displayName": "tier", "value": "gold"}}',
        },
    )
    return folder / "artifacts"


async def statuses(url: str, keys: list[str | None]) -> list[int]:
    found = []
    async with aiohttp.ClientSession() as client:
        for key in keys:
            headers = {} if key is None else {"Ocp-Apim-Subscription-Key": key}
            async with client.get(url, headers=headers) as response:
                found.append(response.status)
    return found


async def test_document_with_subscriptions_demands_one_of_their_keys(folder: Path) -> None:
    async with backend() as url:
        options = ServeOptions(policy=folder / "policy.xml", backend=url, port=0, subscriptions=["ann=a1", "bob"])
        async with serving(options) as served:
            (api,) = served.session.apis
            made_up = served.text().partition("Subscription bob: its key is ")[2].split("\n")[0]

            assert await statuses(api.url, [None, "wrong", "a1", made_up]) == [401, 401, 200, 200]
            assert (api.key, api.curl) == ("a1", f"curl -i {api.url}/ -H 'Ocp-Apim-Subscription-Key: a1'")
            assert len(made_up) == 32


@pytest.mark.parametrize(("subscriptions", "key"), [([], None), (["ann=a1"], "a1")])
async def test_document_runs_in_the_product_that_is_given(
    folder: Path, subscriptions: list[str], key: str | None
) -> None:
    (folder / "policy.xml").write_text(policy_of(SAYS_PRODUCT), encoding="utf-8")
    headers = {} if key is None else {"Ocp-Apim-Subscription-Key": key}

    async with backend() as url:
        options = ServeOptions(
            policy=folder / "policy.xml", backend=url, port=0, product="team", subscriptions=subscriptions
        )
        seen = await called(options, headers=headers)

    assert isinstance(seen["headers"], dict)
    assert seen["headers"]["X-Product"] == "team"


@pytest.mark.parametrize(
    ("scope", "policy", "product"),
    [
        ("product", '<quota calls="9" renewal-period="300" />', "product"),
        ("operation", "", "none"),
        ("global", "", "none"),
    ],
)
async def test_document_may_stand_at_another_scope(folder: Path, scope: str, policy: str, product: str) -> None:
    text = f"<policies><inbound>{SAYS_PRODUCT}{policy}</inbound></policies>"
    (folder / "policy.xml").write_text(text, encoding="utf-8")
    async with backend() as url:
        options = ServeOptions(policy=folder / "policy.xml", backend=url, port=0, scope=scope, sku="Developer")
        seen = await called(options)
        named = await called(replace(options, product="team"))
        (folder / "policy.xml").write_text(policy_of("<nope />"), encoding="utf-8")
        with pytest.raises(EmulatorError, match=r"/policy\.xml:4:9: nope: policy is not supported$"):
            async with serving(replace(options, product="team")):
                pass

    assert isinstance(seen["headers"], dict)
    assert isinstance(named["headers"], dict)
    assert (seen["headers"]["X-Product"], named["headers"]["X-Product"]) == (product, "team")


async def test_value_for_a_placeholder_that_no_document_has_is_told(folder: Path, told: Told) -> None:
    async with backend() as url:
        options = ServeOptions(policy=folder / "policy.xml", backend=url, port=0, fillings=["tir=gold"])
        async with serving(options, told):
            pass

    assert told.texts == ["--set tir: no document has such a placeholder"]


async def test_folder_is_one_service_with_its_products_and_operations(artifacts: Path) -> None:
    async with backend() as url:
        options = ServeOptions(
            policy=artifacts, backend=f"{url}/base", port=0, subscriptions=["ann=a1"], product="starter"
        )
        seen = await called(options, path="/echo/items", headers={"Ocp-Apim-Subscription-Key": "a1"})
        async with serving(options) as served:
            (api,) = served.session.apis
            refused = await statuses(f"{api.url}/items", [None])
            unknown = await statuses(f"{api.url}/nope", ["a1"])
            text = served.text()

    assert isinstance(seen["headers"], dict)
    assert (seen["path"], seen["headers"]["X-Product"], seen["headers"]["X-Global"]) == (
        "/base/items", "starter", "gold",
    )  # fmt: skip
    assert (refused, unknown, dict(api.product_keys)) == ([401], [404], {"ann": "a1"})
    assert f"API echo: {api.url}\nBackend east: {url}/base\nSubscription ann: its key is a1\n" in text
    assert text.endswith(f"curl -i {api.url}/items -H 'Ocp-Apim-Subscription-Key: a1'")


async def test_keys_and_secrets_that_fill_a_folder_are_masked_in_traces(
    artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("partner_key", "hidden-value-1")
    write(artifacts, {"apis/echo/policy.xml": policy_of('<set-variable name="v" value="is ${partner-key}" />')})
    async with backend() as url:
        options = ServeOptions(policy=artifacts, backend=url, port=0, fillings=["partner-key"])
        async with serving(options) as served:
            (api,) = served.session.apis
            assert await statuses(f"{api.url}/items", [api.key]) == [200]
            kept = await asyncio.to_thread(traced, served.session.stack, served.session.trace_url or "", 0)

    assert "Variables[v]" in repr(kept)
    assert "hidden-value-1" not in repr(kept)
    assert str(api.key) not in repr(kept)


async def test_folder_that_needs_keys_and_has_no_subscription_gets_one_for_all_apis(artifacts: Path) -> None:
    async with backend() as url, serving(ServeOptions(policy=artifacts, backend=url, port=0)) as served:
        (api,) = served.session.apis

        assert "Subscription master: its key is " in served.text()
        assert await statuses(f"{api.url}/items", [api.key]) == [200]


async def test_files_that_come_and_go_are_loaded_and_keys_stay(artifacts: Path, told: Told) -> None:
    options = ServeOptions(policy=artifacts, backend="http://127.0.0.1:9", port=0)
    async with serving(options, told) as served:
        before = served.session
        (artifacts / "apis" / "more.xml").write_text(policy_of(answer("204")), encoding="utf-8")
        await told.more()
        both = served.session
        added = await statuses(f"{served.session.url}/more", [both.api("more").key])
        (artifacts / "apis" / "more.xml").unlink()
        await told.more()

        assert ([one.name for one in both.apis], added) == (["echo", "more"], [204])
        assert (served.session, both.api("echo")) == (before, before.api("echo"))


@pytest.mark.parametrize("watch", [True, False])
async def test_files_are_looked_at_again_unless_told_otherwise(
    folder: Path, told: Told, monkeypatch: pytest.MonkeyPatch, watch: bool
) -> None:
    options = ServeOptions(policy=folder / "policy.xml", backend="http://127.0.0.1:9", port=0, watch=watch)
    followed: list[ServedDocument] = []

    async def follow(self: ServedDocument, *_: object) -> None:
        followed.append(self)

    monkeypatch.setattr(ServedDocument, "follow", follow)
    async with serving(options, told) as served:
        await asyncio.sleep(0)

        assert (followed, "It is loaded anew" in served.text()) == ([served] if watch else [], watch)


async def test_some_apis_of_a_folder_are_served_without_the_others(artifacts: Path) -> None:
    write(artifacts, {"apis/legacy/policy.xml": policy_of('<jsonp callback-parameter-name="cb" />')})
    options = ServeOptions(policy=artifacts, backend="http://127.0.0.1:9", port=0)

    with pytest.raises(EmulatorError, match=r"jsonp: .*\nTo serve other APIs without these, name them with --api"):
        async with serving(options):
            pass
    async with serving(replace(options, apis=["echo"])) as served:
        assert [api.name for api in served.session.apis] == ["echo"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("policy.xml --subscription ann --subscription ann=k", "--subscription ann: is given twice"),
        ("policy.xml --subscription ann=", "--subscription ann: its key must be of 1 to 256 visible ASCII characters"),
        (
            "policy.xml --subscription a=s3 --subscription b=s3",
            "--subscription b: another subscription has the same key",
        ),
        ("policy.xml --subscription =s3cret", "--subscription : a name must be of letters, digits, dots, dashes and _"),
        ("policy.xml --product a/b", "--product a/b: must be of letters, digits, dots, dashes and underscores"),
        (
            "artifacts --subscription a --product gold",
            "--product gold: is no product of the folder; there are: starter",
        ),
        ("artifacts --product starter", "--product starter: is for a subscription; give one with --subscription NAME"),
        ("policy.xml --scope all", "--scope all: must be global, product, api or operation"),
        ("artifacts --api nope", "--api nope: is no API of artifacts; there are echo"),
    ],
)
def test_mistake_in_who_may_call_is_told(
    artifacts: Path, arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert artifacts.is_dir()
    code = command_line.run(command_line.app, ["serve", *arguments.split(), *LOOPBACK.split()])

    assert (code, capsys.readouterr().err) == (2, f"error: {message}\n")


def test_every_mistake_of_a_folder_is_told_at_once(artifacts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(
        artifacts,
        {
            "apis/echo/apiInformation.json": '{"properties": {"path": 5}}',
            "products/starter/policy.xml": policy_of('<set-header name="A"><value>{{k}}</value></set-header>'),
            "apis/echo/policy.xml": policy_of("<nope />"),
            "named values/quota/namedValueInformation.json": '{"properties": {"displayName": "k", "secret": true}}',
        },
    )

    code = command_line.run(command_line.app, ["serve", "artifacts", *LOOPBACK.split()])

    assert (code, capsys.readouterr().err) == (
        2,
        "error: artifacts/apis/echo/apiInformation.json:1:17: properties.path: must be text\n"
        "artifacts/products/starter/policy.xml:4:37: named value k has no value (artifacts/named values/quota/"
        "namedValueInformation.json has none); give a file with --named-values\n"
        "artifacts/apis/echo/policy.xml:4:9: nope: policy is not supported\n",
    )


async def test_backend_that_a_folder_lacks_does_not_exist(artifacts: Path) -> None:
    write(artifacts, {"apis/echo/policy.xml": policy_of('<set-backend-service backend-id="west" />')})

    with pytest.raises(
        EmulatorError, match=r"apis/echo/policy\.xml:4:9: set-backend-service, backend-id: no such backend"
    ):
        async with serving(ServeOptions(policy=artifacts, backend="http://127.0.0.1:9", port=0)):
            pass


CERTIFICATES = policy_of(
    '<validate-client-certificate /><authentication-certificate certificate-id="own" />'
    '<get-authorization-context provider-id="github" authorization-id="main" context-variable-name="a" />'
    '<return-response><set-body>@(((Authorization)context.Variables["a"]).AccessToken)</set-body></return-response>'
)


async def test_certificates_and_connections_come_from_files(folder: Path) -> None:
    authority = CertificateAuthority("CN=Contoso CA")
    (folder / "policy.xml").write_text(CERTIFICATES, encoding="utf-8")
    (folder / "ca.pem").write_bytes(authority.pem)
    (folder / "own.pem").write_bytes(CertificateAuthority("CN=own").pem_with_key)
    (folder / "client.pem").write_bytes(authority.issue("CN=client").pem)
    (folder / "token").write_text("gho_secret\n")
    options = ServeOptions(
        policy=folder / "policy.xml", backend="http://127.0.0.1:9", port=0, certificates=["own=own.pem"],
        ca_certificates=[folder / "ca.pem"], client_certificate=folder / "client.pem",
        connections=["github/main=token"],
    )  # fmt: skip

    async with serving(options) as served, aiohttp.ClientSession() as client:
        response = await client.get(f"{served.session.url}/")
        accepted = response.status, await response.text()
    async with serving(replace(options, client_certificate=None)) as served, aiohttp.ClientSession() as client:
        response = await client.get(f"{served.session.url}/")

    assert (accepted, response.status) == ((200, "gho_secret"), 401)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"certificates": ["own=policy.xml"]}, "--certificate policy.xml: is no certificate"),
        ({"certificates": ["own=gone.pem"]}, "gone.pem: No such file"),
        ({"client_certificate": Path("policy.xml")}, "--client-certificate policy.xml: is no certificate"),
        ({"ca_certificates": [Path("policy.xml")]}, "--ca-certificate policy.xml: is no certificate"),
        ({"connections": ["github=policy.xml"]}, "--connection github: must be PROVIDER/CONNECTION=FILE"),
    ],
)
async def test_mistake_in_a_credential_is_told(folder: Path, given: dict[str, Any], told: str) -> None:
    with pytest.raises(EmulatorError, match=told):
        async with serving(ServeOptions(policy=folder / "policy.xml", backend="http://127.0.0.1:9", port=0, **given)):
            pass


def test_what_options_give_as_keys_and_values_is_in_no_repr() -> None:
    options = ServeOptions(
        policy=Path("p.xml"), backend="http://127.0.0.1:9", subscriptions=["team=k3y-of-a-team"], fillings=["x=v4lue"]
    )

    assert "k3y" not in repr(options)
    assert "v4lue" not in f"{options!r} {DocumentFiles(policy=Path('p.xml'), fillings=['x=v4lue'])!r}"
