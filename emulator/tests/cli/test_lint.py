"""`apim-emulator lint`: what it finds in files and folders, how it tells it, and its exit codes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from apim_emulator.cli import main as command_line
from apim_emulator.gateway.loading.unsupported import POLICIES

WRONG = """<policies>
    <inbound>
        <base />
        <set-haeder name="a"><value>1</value></set-haeder>
        <rate-limit call="5" renewal-period="x" />
        <json-to-xml />
        <cors><allowed-origins><origin>*</origin></allowed-origins></cors>
    </inbound>
</policies>
"""
Run = Callable[..., tuple[int, list[str], str]]


def document(inbound: str, base: str = "<base />") -> str:
    return f"<policies><inbound>{base}{inbound}</inbound></policies>"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Callable[[str, str], None]:
    def file(name: str, text: str) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    return file


@pytest.fixture
def run(folder: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> tuple[int, list[str], str]:
        code = command_line.run(command_line.app, ["lint", *arguments])
        out, err = capfd.readouterr()
        return code, out.splitlines(), err

    return call


Write = Callable[[str, str], None]


def test_every_mistake_is_a_line_with_its_place(write: Write, run: Run) -> None:
    write("policy.xml", WRONG)

    assert run("policy.xml") == (
        1,
        [
            "policy.xml:4:9: error: set-haeder: policy is not supported; did you mean set-header",
            "policy.xml:5:9: error: rate-limit, calls: attribute is missing",
            "policy.xml:5:9: error: rate-limit, renewal-period: 'x' is not a whole number, 1 to 300",
            "policy.xml:5:9: error: rate-limit, call: attribute is not supported; did you mean calls",
            f"policy.xml:6:9: unsupported: json-to-xml: policy is not supported: {POLICIES['json-to-xml']}",
            "policy.xml:7:32: warning: origin: lets the pages of every site call the API; list the origins",
            "1 document: 4 errors, 1 unsupported, 1 warning",
        ],
        "",
    )


def test_nothing_found_is_0(write: Write, run: Run) -> None:
    write("policy.xml", document("<set-method>GET</set-method>"))

    assert run() == (0, ["1 document: 0 errors, 0 unsupported, 0 warnings"], "")


@pytest.mark.parametrize(
    ("inbound", "codes"),
    [("<nope />", (1, 1, 1)), ("<json-to-xml />", (0, 1, 1)),
     ('<set-header name="api-key"><value>abc</value></set-header>', (0, 0, 1))],
)  # fmt: skip
def test_what_counts_is_chosen(inbound: str, codes: tuple[int, ...], write: Write, run: Run) -> None:
    write("policy.xml", document(inbound))

    assert tuple(run("--fail-on", level)[0] for level in ("error", "unsupported", "warning")) == codes


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["none.xml"], "none.xml: No such file or directory"),
        (["empty"], "empty: holds no policy document; one begins with <policies> or <fragment>"),
        (["--scope", "all", "a.xml"], "--scope all: must be global, product, api or operation"),
        (["--format", "xml", "a.xml"], "--format xml: must be text, json or github"),
        (["--fail-on", "all", "a.xml"], "--fail-on all: must be error, unsupported or warning"),
        (["--sku", "Gold", "a.xml"], "--sku Gold: no pricing tier; there are Consumption, Developer, Basic, Standard, "
         "Premium, Isolated, BasicV2, StandardV2, PremiumV2"),
        (["--fragment", "a", "a.xml"], "--fragment a: must be a name, = and a value"),
        (["b"], "b/y/policy.xml: b/x/y.xml is fragment y too; say which is which with --fragment NAME=FILE"),
    ],
)  # fmt: skip
def test_mistake_of_the_command_is_2(arguments: list[str], told: str, folder: Path, write: Write, run: Run) -> None:
    write("a.xml", document(""))
    write("b/x/y.xml", "<fragment/>")
    write("b/y/policy.xml", "<fragment/>")
    (folder / "empty").mkdir()

    assert run(*arguments) == (2, [], f"error: {told}\n")


def test_folders_hold_documents_and_other_files(write: Write, run: Run) -> None:
    write("apis/chat/policy.xml", f"<?xml version='1.0'?>\n<!-- a -->\n{document('<nope1 />')}")
    write("apis/chat/other.xml", "<project><nope2/></project>")
    write("apis/.hidden/policy.xml", document("<nope3 />"))
    write("fragments/auth/policy.xml", "<fragment><nope4 /></fragment>")
    write("fragments/keys.fragment.xml", "<fragment><nope5 /></fragment>")

    _, lines, _ = run("apis", "fragments")

    assert [line.split(": ")[2] for line in lines[:-1]] == ["nope1", "nope4", "nope5"]
    assert lines[-1].startswith("3 documents: 3 errors")


def test_file_that_is_no_document_is_told_where_it_is_named(write: Write, run: Run) -> None:
    write("other.xml", "<project />")
    write("broken.xml", "<policies><inbound>")

    code, lines, _ = run("other.xml", "broken.xml")

    assert code == 1
    assert lines[:-1] == [
        "broken.xml:1:19: error: policies: not well-formed XML: an element has no end tag",
        "other.xml:1:1: error: policies: root element is not <policies>",
    ]


@pytest.mark.parametrize(
    ("path", "arguments", "places"),
    [
        ("policy.xml", [], "may not stand at api scope; allowed at product"),
        ("policy.xml", ["--scope", "operation"], "may not stand at operation scope; allowed at product"),
        ("products/team/policy.xml", [], None),
        ("products/team/policy.xml", ["--scope", "global"], "may not stand at global scope; allowed at product"),
        ("apis/chat/operations/get/policy.xml", [], "may not stand at operation scope; allowed at product"),
    ],
)
def test_scope_is_what_is_said_or_what_the_folders_say(
    path: str, arguments: list[str], places: str | None, write: Write, run: Run
) -> None:
    write(path, document('<quota calls="1" renewal-period="60" />'))

    _, lines, _ = run(path, *arguments)

    assert lines[:-1] == ([] if places is None else [f"{path}:1:28: error: quota: {places}"])


def test_global_document_lies_beside_the_apis(write: Write, run: Run) -> None:
    write("policy.xml", document('<quota calls="1" renewal-period="60" />', base=""))
    write("apis/chat/policy.xml", document(""))

    assert run()[1][0] == "policy.xml:1:20: error: quota: may not stand at global scope; allowed at product"


def test_tier_counts_where_it_is_named(write: Write, run: Run) -> None:
    write("products/team/policy.xml", document('<quota-by-key calls="1" renewal-period="0" counter-key="k" />'))

    assert run()[0] == 0
    assert "quota-by-key: is not available in Consumption" in run("--sku", "Consumption")[1][0]


def test_fragment_is_told_what_is_wrong_wherever_it_stands(write: Write, run: Run) -> None:
    write("auth.xml", '<fragment><rate-limit calls="1" renewal-period="60" /><set-status code="9" /></fragment>')
    write("policy.xml", '<policies><backend><include-fragment fragment-id="auth" /></backend></policies>')

    assert run("auth.xml")[1][:-1] == [
        "auth.xml:1:55: error: set-status, code: '9' is not a whole number, 200 to 599"
    ]  # fmt: skip
    assert run()[1][:-1] == [
        "auth.xml:1:11: error: rate-limit: may not stand in backend; allowed in inbound",
        "auth.xml:1:55: error: set-status, code: '9' is not a whole number, 200 to 599",
    ]


def test_named_values_and_fragments_are_checked_where_they_are_given(write: Write, run: Run) -> None:
    write("policy.xml", document('<set-variable name="v" value="{{a}}" /><include-fragment fragment-id="f" />'
                                 '<set-status code="{{b}}" />'))  # fmt: skip
    write("values.yaml", "b: many\n")
    write("g.xml", "<fragment />")

    assert run("policy.xml")[1] == [
        "1 document: 0 errors, 0 unsupported, 0 warnings",
        "Not checked, since they are not given: fragment f, named value a, named value b "
        "(--named-values FILE, --fragment NAME=FILE)",
    ]
    assert run("policy.xml", "--named-values", "values.yaml", "--fragment", "g=g.xml")[1] == [
        "policy.xml:1:28: error: set-variable, value: named value a does not exist",
        "policy.xml:1:67: error: include-fragment, fragment-id: fragment f does not exist",
        "policy.xml:1:103: error: set-status, code: the value is not a whole number, 200 to 599",
        "2 documents: 3 errors, 0 unsupported, 0 warnings",
    ]


def test_what_a_document_refers_to_in_its_service_is_taken_to_be_there(write: Write, run: Run) -> None:
    write("policy.xml", document(
        '<set-backend-service backend-id="east" /><llm-content-safety backend-id="safety" />'
        '<validate-parameters specified-parameter-action="prevent" unspecified-parameter-action="ignore" />'
        '<authentication-managed-identity resource="a" client-id="b" />'
    ))  # fmt: skip

    assert run()[0] == 0


TRAPS = {
    "validate-jwt": (
        '<validate-jwt header-name="A" require-expiration-time="false"><issuer-signing-keys>'
        "<key>MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=</key></issuer-signing-keys></validate-jwt>",
        ["checks no audience", "accepts tokens that never expire"],
    ),
    "unsigned tokens": (
        '<validate-jwt header-name="A" require-signed-tokens="false"><issuer-signing-keys>'
        "<key>MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=</key></issuer-signing-keys><audiences>"
        "<audience>a</audience></audiences></validate-jwt>",
        ["accepts tokens that anybody can write"],
    ),
    "header": ('<set-header name="api-key"><value>abc</value></set-header>', ["holds a credential"]),
    "header of a named value": ('<set-header name="api-key"><value>{{key}}</value></set-header>', []),
    "header of an expression": ('<set-header name="api-key"><value>@("a" + "b")</value></set-header>', []),
    "password": ('<authentication-basic username="a" password="b" />', ["holds a credential"]),
    "origins": (
        "<cors><allowed-origins><origin>https://a.example</origin></allowed-origins></cors>", []),
}  # fmt: skip


@pytest.mark.parametrize("trap", TRAPS)
def test_trap_is_a_warning(trap: str, write: Write, run: Run) -> None:
    inbound, reasons = TRAPS[trap]
    write("policy.xml", document(inbound))

    _, lines, _ = run()

    found = [line for line in lines if ": warning: " in line]
    assert len(found) == len(reasons)
    assert all(reason in line for reason, line in zip(reasons, found, strict=True))


def test_inbound_without_base_is_a_warning_but_at_the_global_scope(write: Write, run: Run) -> None:
    write("policy.xml", document("", base=""))

    assert run("--fail-on", "warning") == (
        1,
        [
            "policy.xml:1:11: warning: inbound: has no <base />: what outer scopes demand of callers is not checked "
            "here",
            "1 document: 0 errors, 0 unsupported, 1 warning",
        ],
        "",
    )
    assert run("--scope", "global", "--fail-on", "warning")[0] == 0


def test_json_says_all_of_it(write: Write, run: Run) -> None:
    write("policy.xml", document('<set-header nme="{{a}}"><value>1</value></set-header>'))

    code, lines, _ = run("--json")

    found = json.loads("\n".join(lines))
    assert (code, found["documents"], found["notChecked"]) == (1, ["policy.xml"], ["named value a"])
    assert found["findings"][-1] == {
        "file": "policy.xml", "line": 1, "column": 28, "level": "error", "policy": "set-header", "attribute": "nme",
        "message": "attribute is not supported; did you mean name", "allowed": ["exists-action", "id", "name"],
    }  # fmt: skip


def test_certificates_are_not_checked(write: Write, run: Run) -> None:
    write("policy.xml", document('<authentication-certificate thumbprint="CA06F56B" />'))

    code, lines, _ = run()

    assert (code, lines[-1]) == (0, "Not checked, since they are not given: certificate CA06F56B")


def test_annotations_are_escaped(write: Write, run: Run) -> None:
    write("a,b.xml", document('<set-status code="100%" />'))

    code, lines, _ = run("--format", "github")

    assert (code, lines) == (
        1,
        [
            "::error file=a%2Cb.xml,line=1,col=28,title=apim-emulator lint%3A error::set-status, code: '100%25' is not "
            "a whole number, 200 to 599"
        ],
    )


def test_no_finding_shows_a_named_value(write: Write, run: Run) -> None:
    write("policy.xml", document('<set-status code="{{key}}" reason="@({{key}})" /><set-variable name="{{key}}" />'))
    write("values.yaml", "key: hidden1\n")

    _, lines, _ = run("--named-values", "values.yaml")

    assert len(lines) == 4
    assert "hidden1" not in "".join(lines)


PLACEHOLDERS = document(
    '<rate-limit calls="${calls}" renewal-period="60" />\n<set-backend-service backend-id="{backend}" />'
)


def test_placeholder_of_another_tool_is_told_with_the_option_that_fills_it(write: Write, run: Run) -> None:
    write("policy.xml", PLACEHOLDERS)

    code, lines, _ = run("policy.xml")

    assert (code, lines[:2]) == (
        1,
        [
            "policy.xml:1:28: error: rate-limit, calls: '${calls}' is not a whole number, 1 to 2147483647; ${calls} is "
            "a placeholder of Terraform or Bicep: fill it with --set calls=VALUE",
            "policy.xml:2:1: warning: set-backend-service, backend-id: {backend} is a placeholder of a sample: "
            "fill it with --set backend=VALUE",
        ],
    )


def test_placeholders_are_filled_by_options_and_files(write: Write, run: Run) -> None:
    write("policy.xml", PLACEHOLDERS)
    write("values.yaml", 'calls: {value: "5", secret: false}')

    assert run("policy.xml", "--set", "backend=openai", "--set-file", "values.yaml")[0:2] == (
        0,
        ["1 document: 0 errors, 0 unsupported, 0 warnings"],
    )


def test_value_for_a_placeholder_that_no_document_has_is_told(write: Write, run: Run) -> None:
    write("policy.xml", document("<set-method>GET</set-method>"))

    assert run("policy.xml", "--set", "tir=gold")[1][-1] == "--set tir: no document has such a placeholder"


def test_secret_that_fills_a_placeholder_is_never_shown(
    write: Write, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("policy.xml", document('<rate-limit calls="${my-key}" renewal-period="60" />'))
    monkeypatch.setenv("my_key", "hunter2")

    code, lines, _ = run("policy.xml", "--set", "my-key")

    assert (code, lines[0]) == (
        1, "policy.xml:1:28: error: rate-limit, calls: the value is not a whole number, 1 to 2147483647",
    )  # fmt: skip
    assert "hunter2" not in "".join(lines)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("=5", "--set : must be NAME=VALUE or NAME"),
        ("absent.key", "--set absent.key: there is no environment variable absent_key; set it, or add =VALUE"),
    ],
)
def test_mistake_in_what_fills_a_placeholder_is_told(write: Write, run: Run, option: str, message: str) -> None:
    write("policy.xml", PLACEHOLDERS)

    assert run("policy.xml", "--set", option) == (2, [], f"error: {message}\n")


# folders that hold a service

SERVICE = {
    "policy.xml": "<policies><inbound><set-header name='a'><value>{{tier}}</value></set-header></inbound></policies>",
    "apis/a/policy.xml": document('<include-fragment fragment-id="auth" />'),
    "apis/a/specification.yaml": "openapi: 3.0.1\npaths: {/x: {get: {operationId: get-x}}}",
    "apis/a/operations/get-x/policy.xml": document('<set-backend-service backend-id="east" />'),
    "products/p/policy.xml": document('<quota calls="5" renewal-period="300" />'),
    "policy fragments/auth/policy.xml": "<fragment><set-method>GET</set-method></fragment>",
    "named values/tier/namedValueInformation.json": '{"properties": {"displayName": "tier", "value": "gold"}}',
    "named values/k/namedValueInformation.json": '{"properties": {"displayName": "secret-key", "secret": true}}',
    "backends/east/backendInformation.json": '{"properties": {"url": "https://east.example"}}',
}


def test_folder_is_looked_at_as_one_service(write: Write, run: Run) -> None:
    for name, text in SERVICE.items():
        write(f"repository/artifacts/{name}", text)

    assert run("repository") == (0, ["5 documents: 0 errors, 0 unsupported, 0 warnings"], "")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        pytest.param(
            "apis/a/operations/get-y/policy.xml", document(""),
            "apis/a/operations/get-y/policy.xml:1: error: file: operation get-y is no operationId of the API's "
            "specification; there are get-x", id="operation",
        ),
        pytest.param(
            "apis/a/operations/get-x/policy.xml", document('<set-backend-service backend-id="west" />'),
            "apis/a/operations/get-x/policy.xml:1:28: error: set-backend-service, backend-id: no such backend",
            id="backend",
        ),
        pytest.param(
            "apis/a/policy.xml", document('<include-fragment fragment-id="ath" />'),
            "apis/a/policy.xml:1:28: error: include-fragment, fragment-id: fragment ath does not exist", id="fragment",
        ),
        pytest.param(
            "policy fragments/b/policy.xml", "<fragment><nope /></fragment>",
            "policy fragments/b/policy.xml:1:11: error: nope: policy is not supported", id="fragment that is not used",
        ),
        pytest.param(
            "apis/a/policy.xml", document("<set-header name='a'><value>{{tir}}</value></set-header>"),
            "apis/a/policy.xml:1:49: error: value: named value tir does not exist", id="named value",
        ),
        pytest.param(
            "apis/a/policy.xml", document("<set-header name='a'><value>{{secret-key}}</value></set-header>"),
            "Not checked, since they are not given: named value secret-key (--named-values FILE, --fragment NAME=FILE)",
            id="named value whose value is not known",
        ),
        pytest.param(
            "backends/east/backendInformation.json", '{"properties": {"url": 5}}',
            "backends/east/backendInformation.json:1:17: error: properties.url: must be text",
            id="file that is no policy",
        ),
        pytest.param(
            "apis/a;rev=1/policy.xml", document("<set-header name='a'><value>{{tier}}</value></set-header><nope />"),
            "apis/a;rev=1/policy.xml:1:85: error: nope: policy is not supported", id="old revision",
        ),
    ],
)  # fmt: skip
def test_mistake_in_a_folder_is_told_of_its_file(name: str, text: str, told: str, write: Write, run: Run) -> None:
    for path, content in {**SERVICE, name: text}.items():
        write(path, content)

    lines = run()[1]

    assert told in lines
    assert sum(" error: " in line for line in lines) == ("error" in told) + ("url" in told)
