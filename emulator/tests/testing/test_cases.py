"""Cases as YAML beside a policy: how they are read, run and compared."""

import json
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from apim_emulator.testing.cases.reading import CaseFileError, read_cases
from apim_emulator.testing.cases.running import Result, run_case
from apim_emulator.testing.tokens import TENANT

DOCS = Path(__file__).parents[2] / "docs" / "testing-policies.md"
SECRET = "hidden-value-1"


def policy(inbound: str = "", *, backend: str = "<base/>", outbound: str = "") -> str:
    return (
        f"<policies><inbound><base/>{inbound}</inbound><backend>{backend}</backend>"
        f"<outbound><base/>{outbound}</outbound><on-error><base/></on-error></policies>"
    )


def header(name: str, value: str) -> str:
    return f"<set-header name='{name}'><value>{value}</value></set-header>"


def results(folder: Path, document: str, cases: str, **files: str) -> list[Result]:
    """Run cases beside a policy."""
    (folder / "policy.xml").write_text(document, encoding="utf-8")
    for name, text in files.items():
        (folder / f"{name}.xml").write_text(text, encoding="utf-8")
    path = folder / "policy.test.yaml"
    path.write_text(cases, encoding="utf-8")
    found = read_cases(path)
    return [run_case(found, one) for one in found.cases]


def differences(folder: Path, document: str, call: str, **top: Any) -> list[str]:
    """Run one case whose keys are `call`, and give what is different."""
    text = yaml.safe_dump({**top, "tests": [{"name": "it", **yaml.safe_load(call)}]}, sort_keys=False)
    (result,) = results(folder, document, text)
    return [str(one) for failed in result.failed for one in failed.differences]


def mistakes(folder: Path, text: str) -> list[str]:
    (folder / "policy.xml").write_text(policy(), encoding="utf-8")
    path = folder / "policy.test.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CaseFileError) as refused:
        read_cases(path)
    return str(refused.value).replace(f"{folder}/", "").split("\n")


# what is expected

ECHO = policy(header("X-A", "1"), outbound=header("X-Out", "2"))
EXPECTED = {
    "status": ("response: 200", "response: 201", "response.status: expected 201, got 200"),
    "reason": ("response: {reason: OK}", "response: {reason: Fine}", 'response.reason: expected "Fine", got "OK"'),
    "header": (
        "response: {headers: {x-out: 2}}",
        "response: {headers: {X-Out: 3}}",
        'response.headers.X-Out: expected "3", got "2"',
    ),
    "absent header": (
        "response: {headers: {X-None: null}}",
        "response: {headers: {X-Out: null}}",
        'response.headers.X-Out: expected nothing, got "2"',
    ),
    "header that is not there": (
        "response: {headers: {X-Out: {contains: 2}}}",
        "response: {headers: {X-None: {contains: 2}}}",
        'response.headers.X-None: expected a text with "2", got nothing',
    ),
    "pattern": (
        "response: {body: {matches: '.*answer.*'}}",
        "response: {body: {matches: answer}}",
        'response.body: expected a text that matches "answer", got "{\\"answer\\": {\\"n\\": 1, \\"list\\": [1, 2]}}"',
    ),
    "part of JSON": (
        "response: {json: {answer: {n: 1}}}",
        "response: {json: {answer: {n: 2}}}",
        "response.json.answer.n: expected 2, got 1",
    ),
    "list of JSON": (
        "response: {json: {answer: {list: [1, 2]}}}",
        "response: {json: {answer: {list: [1]}}}",
        "response.json.answer.list: expected 1 item, got [1, 2]",
    ),
    "truth is no number": (
        "response: {json: {answer: {n: 1}}}",
        "response: {json: {answer: {n: true}}}",
        "response.json.answer.n: expected true, got 1",
    ),
    "unbroken": ("response: {broken: false}", "response: {broken: true}",
                 "response.broken: expected true, got false"),
    "header that the backend receives": (
        "received: {headers: {X-A: 1, X-B: null}}",
        "received: {headers: {X-A: null}}",
        'received.headers.X-A: expected nothing, got "1"',
    ),
    "URL that the backend receives": (
        "received: {url: 'https://backend.test/chat?a=1', path: /chat, query: {a: 1, b: null}}",
        "received: {query: {a: 2}}",
        'received.query.a: expected "2", got "1"',
    ),
    "body that the backend receives": (
        "received: {method: POST, backend: backend, json: {q: 1}}",
        "received: {json: {q: 2}}",
        "received.json.q: expected 2, got 1",
    ),
    "number of requests": (
        "received: [{}]",
        "received: []",
        "received: expected no requests, got 1 request: POST https://backend.test/chat?a=1 at backend",
    ),
    "policy that runs": (
        "trace: [set-header, {policy: forward-request, section: backend, scope: global}]",
        "trace: [forward-request, {policy: set-header, section: inbound}]",
        "trace[1]: expected set-header (section inbound) to run there, got set-header (inbound), "
        "forward-request (backend), set-header (outbound)",
    ),
    "no error": ("response: 200", "error: {reason: X}", 'error: expected "X", got nothing'),
}  # fmt: skip


@pytest.mark.parametrize("what", EXPECTED)
def test_what_is_as_expected_passes_and_what_is_not_is_told(what: str, tmp_path: Path) -> None:
    right, wrong, told = EXPECTED[what]
    call = 'request: {method: POST, path: "/chat?a=1", json: {q: 1}}\n'
    top = {"backend": {"json": {"answer": {"n": 1, "list": [1, 2]}}}}

    assert differences(tmp_path, ECHO, call + right, **top) == []
    assert differences(tmp_path, ECHO, call + wrong, **top) == [told]


def test_variables_and_metrics_are_compared(tmp_path: Path) -> None:
    document = policy(
        "<set-variable name='v' value='@(new JObject(new JProperty(\"a\", 1)))'/>"
        "<emit-metric name='calls' value='2'><dimension name='team' value='blue'/></emit-metric>"
    )
    right = "variables: {v: {a: 1}, w: null}\nmetrics: [{name: calls, value: 2, dimensions: {team: blue}}]"
    wrong = "variables: {v: {a: 2}}\nmetrics: [{name: calls, value: 3}]"

    assert differences(tmp_path, document, right) == []
    variable, metric = differences(tmp_path, document, wrong)
    assert variable == "variables.v.a: expected 2, got 1"
    assert metric.startswith('metrics[0]: expected {"name": "calls", "value": 3.0}, got [{"name": "calls"')


def test_error_is_compared_with_where_it_happened(tmp_path: Path) -> None:
    document = policy(
        "<check-header name='X-Team' failed-check-httpcode='403' failed-check-error-message='Who?' ignore-case='true'/>"
    )
    right = "response: {status: 403, json: {message: 'Who?'}}\nerror: {reason: HeaderNotFound, source: check-header}"

    assert differences(tmp_path, document, right) == []
    (result,) = results(tmp_path, document, "tests: [{name: it, response: 200}]")
    assert result.failed[0].error is not None
    assert result.failed[0].error.startswith("check-header: HeaderNotFound: ")


# what goes in


def test_answers_come_in_turn_and_the_last_one_stays(tmp_path: Path) -> None:
    calls = """
        backend: [503, {fails: connection}, {status: 200, body: done, headers: {X-N: 3}}]
        tests:
          - name: in turn
            calls:
              - response: 503
              - {response: 500, error: {reason: BackendConnectionFailure}}
              - response: {status: 200, body: done, headers: {X-N: 3}}
              - response: {body: done}
    """

    (result,) = results(tmp_path, policy(), calls)

    assert (result.passed, result.calls) == (True, 4)


def test_events_are_streamed(tmp_path: Path) -> None:
    answer = "backend: {events: [{n: 1}, two]}"
    call = f'{answer}\nresponse: {{body: "data: {{\\"n\\": 1}}\\n\\ndata: two\\n\\ndata: [DONE]\\n\\n"}}'

    assert differences(tmp_path, policy(), call) == []


def test_time_passes_between_calls(tmp_path: Path) -> None:
    document = policy("<rate-limit-by-key calls='1' renewal-period='60' counter-key='@(context.Request.IpAddress)'/>")
    calls = """
        sku: Developer
        tests:
          - name: one a minute
            calls:
              - response: 200
              - {response: 429, received: []}
              - {request: {ip: 10.0.0.2}, response: 200}
              - {wait: 60, response: 200}
    """

    (result,) = results(tmp_path, document, calls)

    assert result.passed


def test_each_case_has_a_gateway_of_its_own(tmp_path: Path) -> None:
    document = policy("<rate-limit-by-key calls='1' renewal-period='60' counter-key='k'/>")
    cases = "{sku: Developer, tests: [{name: a, response: 200}, {name: b, response: 200}]}"

    assert [result.passed for result in results(tmp_path, document, cases)] == [True, True]


def test_case_presents_tokens(tmp_path: Path) -> None:
    document = policy(
        "<validate-azure-ad-token tenant-id='{{tenant}}'><audiences><audience>api://chat</audience></audiences>"
        "<required-claims><claim name='roles'><value>Chat.User</value></claim></required-claims>"
        "</validate-azure-ad-token>"
    )
    cases = f"""
        named-values: {{tenant: {{value: {TENANT}, secret: false}}}}
        tests:
          - name: "${{role}} gets ${{status}}"
            examples:
              - {{role: Chat.User, age: 0, claims: {{}}, status: 200}}
              - {{role: Chat.Reader, age: 0, claims: {{}}, status: 401}}
              - {{role: Chat.User, age: 4000, claims: {{}}, status: 401}}
              - {{role: Chat.User, age: 0, claims: {{tid: other}}, status: 401}}
            request: {{token: {{audience: api://chat, roles: ["${{role}}"], age: "${{age}}", claims: "${{claims}}"}}}}
            response: "${{status}}"
          - {{name: nobody gets in without, response: 401, received: []}}
    """

    found = results(tmp_path, document, cases)

    assert [result.name for result in found][:2] == ["Chat.User gets 200", "Chat.Reader gets 401"]
    assert [result.passed for result in found] == [True] * 5


def test_case_presents_a_token_of_another_provider(tmp_path: Path) -> None:
    document = policy(
        "<validate-jwt header-name='X-Token'><openid-config "
        "url='https://id.example/realms/a/.well-known/openid-configuration'/>"
        "<audiences><audience>chat</audience></audiences></validate-jwt>"
    )
    token = "request: {token: {audience: chat, issuer: 'https://id.example/realms/a', header: X-Token}}\nresponse: "

    assert differences(tmp_path, document, f"{token}200") == []
    assert differences(tmp_path, document, f"{token}401") == ["response.status: expected 401, got 200"]


CERTIFICATES = """
certificates: { own: CN=gateway }
ca-certificates: [CN=Contoso CA]
connections: { github/main: gho_secret1 }
tests:
  - name: certificates and a connection
    request: { certificate: { subject: "CN=client", issuer: CN=Contoso CA } }
    received: { certificate: own, headers: { Authorization: Bearer gho_secret1 } }
  - name: no certificate
    response: 401
    received: []
  - name: one of another authority
    request: { certificate: "CN=client" }
    response: 401
"""


def test_certificates_and_connections_are_given(tmp_path: Path) -> None:
    document = policy(
        "<validate-client-certificate/><authentication-certificate certificate-id='own'/>"
        "<get-authorization-context provider-id='github' authorization-id='main' context-variable-name='a'/>"
        + header("Authorization", '@("Bearer " + ((Authorization)context.Variables["a"]).AccessToken)')
    )

    assert [result.passed for result in results(tmp_path, document, CERTIFICATES)] == [True, True, True]


def test_certificate_that_the_gateway_presents_is_compared_by_its_name(tmp_path: Path) -> None:
    document = policy("<authentication-certificate certificate-id='own'/>")
    own = {"own": "CN=gateway"}

    assert differences(tmp_path, document, "received: {certificate: other}", certificates=own) == [
        "received.certificate: expected other, got own"
    ]
    assert differences(tmp_path, policy(), "received: {certificate: own}", certificates=own) == [
        "received.certificate: expected own, got nothing"
    ]
    assert differences(tmp_path, document, "received: {certificate: null}", certificates=own) == [
        "received.certificate: expected nothing, got own"
    ]


def test_mistake_in_a_certificate_is_told_without_a_secret(tmp_path: Path) -> None:
    text = (
        "certificates: {a: gone.pem, b: CN=, c: {password: s3cret}}\nconnections: {x: [s3cret]}\n"
        "tests: [{name: it, response: 200}]"
    )
    told = "\n".join(mistakes(tmp_path, text))

    assert "certificates.b: is no distinguished name" in told
    assert "certificates.c: needs file or subject" in told
    assert "s3cret" not in told


def test_file_that_holds_no_certificate_is_told(tmp_path: Path) -> None:
    (tmp_path / "own.pem").write_text("nothing")
    case = "tests: [{name: it, request: {certificate: own.pem}, response: 200}]"

    with pytest.raises(CaseFileError, match=r"own\.pem: is no certificate"):
        results(tmp_path, policy(), case)
    with pytest.raises(CaseFileError, match=r"gone\.pem is no file"):
        results(tmp_path, policy(), case.replace("own", "gone"))


def test_subscriptions_open_products(tmp_path: Path) -> None:
    document = policy("<rate-limit calls='1' renewal-period='60'/>")
    cases = """
        scope: product
        sku: Developer
        subscriptions: {ann: team, bob: team}
        tests:
          - name: each has a limit
            calls:
              - {request: {subscription: ann}, response: 200}
              - {request: {subscription: ann}, response: 429}
              - {request: {subscription: bob}, response: 200}
              - {response: 401}
    """

    (result,) = results(tmp_path, document, cases)

    assert result.passed


@pytest.mark.parametrize("scope", ["global", "product", "api"])
def test_policy_stands_at_its_scope(scope: str, tmp_path: Path) -> None:
    document = policy(header("X-A", "1"), backend="<forward-request/>" if scope == "global" else "<base/>")
    document = document.replace("<base/>", "") if scope == "global" else document
    call = f"trace: [{{policy: set-header, scope: {scope}}}]\nreceived: {{headers: {{X-A: 1}}}}"

    assert differences(tmp_path, document, call, scope=scope) == []


def test_backends_pools_hosts_and_fragments(tmp_path: Path) -> None:
    document = policy(
        "<include-fragment fragment-id='ask'/><set-backend-service backend-id='pool'/>", outbound=header("X-N", "{{n}}")
    )
    ask = (
        "<fragment><send-request response-variable-name='r'><set-url>https://audit.example/a</set-url></send-request>"
        "</fragment>"
    )
    cases = """
        named-values: {n: 5}
        fragments: {ask: ask.xml}
        pools: {pool: [east, west]}
        backends: {east: {body: e}, west: {body: e}}
        hosts: {audit.example: 204}
        tests:
          - name: all are asked
            response: {body: e, headers: {X-N: 5}}
            received: [{backend: audit.example, path: /a}, {path: /}]
          - name: a case has answers of its own
            backends: {east: 201, west: 201}
            response: 201
    """

    assert [result.passed for result in results(tmp_path, document, cases, ask=ask)] == [True, True]


# the documentation


def documented() -> list[tuple[str, str]]:
    """Give the documentation's policies with the case files that follow them."""
    blocks = re.findall(r"^```(xml|yaml)\n(.*?)^```$", DOCS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    pairs = pairwise(blocks)
    return [(one, other) for (kind, one), (_, other) in pairs if kind == "xml" and "tests:" in other]


def documented_for_folders() -> list[str]:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", DOCS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [one for one in blocks if "folder:" in one]


RETRY = (
    '<retry condition="@(context.Response.StatusCode == 429)" count="1" interval="0" first-fast-retry="true">'
    '<forward-request buffer-request-body="true" /></retry>'
)
POOL = '{"properties": {"type": "Pool", "pool": {"services": [{"id": "/backends/east"}, {"id": "/backends/west"}]}}}'
ARTIFACTS = {
    "apis/chat/apiInformation.json": '{"properties": {"path": "chat", "serviceUrl": "https://contoso.openai.azure.com"}}',
    "apis/chat/policy.xml": policy(
        header("api-key", "{{partner-key}}") + '<set-backend-service backend-id="pool" />', backend=RETRY
    ),
    "products/team/productInformation.json": '{"properties": {"state": "published"}}',
    "products/team/apis/chat/productApiInformation.json": "{}",
    "named values/partner-key/namedValueInformation.json": '{"properties": {"secret": true}}',
    "backends/east/backendInformation.json": '{"properties": {"url": "https://east.openai.azure.com"}}',
    "backends/west/backendInformation.json": '{"properties": {"url": "https://west.openai.azure.com"}}',
    "backends/pool/backendInformation.json": POOL,
}


def test_case_file_for_a_folder_of_the_documentation_passes(tmp_path: Path) -> None:
    (cases,) = documented_for_folders()

    for result in folder_results(tmp_path, cases, "tests/chat.test.yaml", "apimartifacts", ARTIFACTS):
        assert result.passed, [failed.lines for failed in result.failed]


def test_all_case_files_of_the_documentation_are_run() -> None:
    text = DOCS.read_text(encoding="utf-8")

    run = len(documented()) + len(documented_for_folders())
    assert run == len(re.findall("^tests:", text, re.MULTILINE)) > 1


@pytest.mark.parametrize("number", range(len(documented())))
def test_case_file_of_the_documentation_passes(number: int, tmp_path: Path) -> None:
    document, cases = documented()[number]

    for result in results(tmp_path, document, cases):
        assert result.passed, [failed.lines for failed in result.failed]


# mistakes


def test_every_mistake_is_told_with_place_key_and_remedy(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        """named-value: {key: s3cret}
backend: {status: abc}
sku: Foo
tests:
  - nam: a
    request: {path: chat, headers: {X-Team: {s3cret: 1}}}
    response: {staus: 200}
  - name: b
  - name: c
    request: {json: 1, body: a, subscription: ann}
    response: {status: "${x}", body: {matches: "("}}
    examples: [{a: 1}]
""",
    )

    assert found == [
        "policy.test.yaml:1:1: named-value: is no key here; did you mean named-values; allowed are backend, "
        "backends, ca-certificates, certificates, connections, folder, fragments, hosts, named-values, placeholders, "
        "policy, pools, scope, sku, start, subscriptions, tests",
        "policy.test.yaml:2:11: backend.status: 'abc': must be a whole number",
        "policy.test.yaml:3:1: sku: 'Foo' is no pricing tier; there are Consumption, Developer, Basic, Standard, "
        "Premium, Isolated, BasicV2, StandardV2, PremiumV2",
        "policy.test.yaml:5:5: tests[0].nam: is no key here; did you mean name; allowed are backend, backends, "
        "calls, error, examples, hosts, metrics, name, received, request, response, trace, variables, wait",
        "policy.test.yaml:5:5: tests[0].name: is missing; it is required",
        "policy.test.yaml:6:15: tests[0].request.path: must begin with /",
        "policy.test.yaml:6:37: tests[0].request.headers.X-Team: must be text",
        "policy.test.yaml:7:16: tests[0].response.staus: is no key here; did you mean status; allowed are body, "
        "broken, headers, json, reason, status",
        "policy.test.yaml:8:5: tests[1]: expects nothing: add response, received, variables, error, metrics or trace",
        "policy.test.yaml:10:5: tests[2].request: json and body exclude each other: give one",
        "policy.test.yaml:11:16: tests[2].response.status: ${x} is in no row of examples; a row has a",
        "policy.test.yaml:11:39: tests[2].response.body.matches: is no regular expression of Python: missing ), "
        "unterminated subpattern at position 0",
    ]


def test_names_that_lead_nowhere_are_told(tmp_path: Path) -> None:
    text = """
policy: nope.xml
fragments: {a: a.xml}
pools: {pool: [east]}
tests: [{name: a, request: {subscription: ann}, response: 200}]
"""

    assert mistakes(tmp_path, text) == [
        f"policy.test.yaml:2:1: policy: nope.xml is no file in {tmp_path}",
        f"policy.test.yaml:3:13: fragments.a: a.xml is no file in {tmp_path}",
        "policy.test.yaml:4:16: pools.pool[0]: east is no backend of this file; add it to backends",
        "policy.test.yaml:5:29: tests[0].request.subscription: 'ann' is no subscription of this file; there are: none",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "policy.test.yaml: is empty; it needs a list tests"),
        ("[1]", "policy.test.yaml: must be a mapping; its cases are the list tests"),
        ("tests: [", "policy.test.yaml:1:9: "),
        ("tests: 1\ntests: 2", 'policy.test.yaml:2:1: mapping key "tests" already defined at line 1'),
        ("tests: []", "policy.test.yaml:1:1: tests: "),
        ("sku: BasicV2", "policy.test.yaml:1:1: tests: is missing; it is required"),
    ],
)
def test_what_is_no_case_file_is_told(text: str, told: str, tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, text)

    assert found.startswith(told)


def test_policy_that_cannot_be_loaded_is_told_with_its_file(tmp_path: Path) -> None:
    with pytest.raises(CaseFileError, match=re.escape(f"{tmp_path}/policy.xml:1:27: nope: policy is not supported")):
        results(tmp_path, policy("<nope/>"), "tests: [{name: a, response: 200}]")


# secrets


def test_no_difference_shows_a_secret(tmp_path: Path) -> None:
    document = policy(header("X-Key", "{{key}}") + "<set-variable name='v' value='{{key}}'/>")
    cases = f"""
        named-values: {{key: {SECRET}}}
        subscriptions: {{ann: team}}
        backend: {{json: {{text: {SECRET}}}}}
        tests:
          - name: it
            request: {{subscription: ann, token: {{audience: a}}, headers: {{api-key: other-secret-2}}}}
            response: {{json: {{text: x, list: [{SECRET}]}}, headers: {{X: {SECRET}}}}}
            received: {{headers: {{X-Key: x, Authorization: x, api-key: y, Ocp-Apim-Subscription-Key: z}}}}
            variables: {{v: x}}
    """

    (result,) = results(tmp_path, document, cases)

    text = json.dumps([failed.lines for failed in result.failed])
    assert len(result.failed[0].differences) == 8
    for secret in (SECRET, "other-secret", "key-of-ann", "eyJ"):
        assert secret not in text
    assert 'received.headers.X-Key: expected "x", got "***"' in result.failed[0].lines


def test_secret_that_is_another_one_is_told_without_either(tmp_path: Path) -> None:
    call = f"received: {{headers: {{api-key: {SECRET}2}}}}"
    named = {"key": SECRET}

    found = differences(tmp_path, policy(header("api-key", "{{key}}")), call, **{"named-values": named})

    assert found == ['received.headers.api-key: expected "***", got another secret']


LIMIT = policy("<rate-limit-by-key calls='${calls}' renewal-period='60' counter-key='a' />")


def test_placeholders_of_another_tool_are_filled_from_the_case_file(tmp_path: Path) -> None:
    (found,) = results(
        tmp_path, LIMIT,
        """
        placeholders: {calls: 1}
        sku: Developer
        tests:
          - {name: one call, calls: [{response: 200}, {response: 429}]}
        """,
    )  # fmt: skip

    assert found.passed


def test_placeholder_that_prevents_a_test_is_told_with_what_fills_it(tmp_path: Path) -> None:
    with pytest.raises(CaseFileError, match="is a placeholder of Terraform or Bicep: fill it with --set calls=VALUE"):
        results(tmp_path, LIMIT, "{sku: Developer, tests: [{name: one call, response: 200}]}")


def test_policy_may_stand_at_an_operation(tmp_path: Path) -> None:
    (found,) = results(
        tmp_path, policy(header("X-A", "1")),
        "{scope: operation, tests: [{name: it, response: 200, trace: [{policy: set-header, scope: operation}]}]}",
    )  # fmt: skip

    assert found.passed


def test_case_begins_when_its_file_says(tmp_path: Path) -> None:
    document = policy(header("X-Now", "@(context.Timestamp.ToString(&quot;o&quot;))"))
    (found,) = results(
        tmp_path, document,
        """
        start: 2026-03-02T10:15:00Z
        tests:
          - {name: it, wait: 60, received: {headers: {X-Now: {contains: "2026-03-02T10:16:00"}}}}
        """,
    )  # fmt: skip

    assert found.passed


# the service of a folder

SERVICE = {
    "policy.xml": f"<policies><inbound>{header('X-Tier', '{{tier}}')}</inbound>"
    "<backend><forward-request /></backend></policies>",
    "apis/echo/apiInformation.json": '{"properties": {"path": "echo", "serviceUrl": "https://echo.example"}}',
    "apis/echo/specification.yaml": "openapi: 3.0.1\npaths: {/items: {get: {operationId: get-items}}}",
    "apis/echo/operations/get-items/policy.xml": policy('<set-backend-service backend-id="east" />'),
    "products/starter/productInformation.json": '{"properties": {"state": "published"}}',
    "products/starter/apis/echo/productApiInformation.json": "{}",
    "products/starter/policy.xml": policy('<quota calls="1" renewal-period="300" />'),
    "backends/east/backendInformation.json": '{"properties": {"url": "https://east.example"}}',
    "named values/tier/namedValueInformation.json": '{"properties": {"displayName": "tier", "secret": true}}',
    "subscriptions/bob/subscriptionInformation.json": '{"properties": {"scope": "/products/starter"}}',
}
FOLDER_CASES = """
sku: Developer
named-values: {tier: {value: gold, secret: false}}
subscriptions: {ann: starter, all: null}
tests:
  - name: one call for each subscription of the product
    calls:
      - request: {path: /echo/items, subscription: ann}
        response: 200
        received: {path: /items, backend: backend, headers: {X-Tier: gold}}
        trace: [{policy: quota, scope: product}, {policy: set-backend-service, scope: operation}]
      - {request: {path: /echo/items, subscription: ann}, response: 403}
      - {request: {path: /echo/items, subscription: bob}, response: 200}
      - {request: {path: /echo/items, subscription: all}, response: 200}
      - {request: {path: /echo/items, subscription: all}, response: 200}
      - {wait: 300, request: {path: /echo/items, subscription: ann}, response: 200}
  - name: its backends have their own answers
    backends: {east: {status: 418}}
    request: {path: /echo/items, subscription: ann}
    response: 418
    received: {backend: east}
  - {name: a key is needed, request: /echo/items, response: 401}
"""


def folder_results(
    folder: Path, cases: str, name: str = "service.test.yaml", below: str = "", files: Mapping[str, str] = SERVICE
) -> list[Result]:
    for path, text in {**{f"{below}/{one}".lstrip("/"): text for one, text in files.items()}, name: cases}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    found = read_cases(folder / name)
    return [run_case(found, one) for one in found.cases]


@pytest.mark.parametrize(
    ("name", "cases"),
    [("service.test.yaml", FOLDER_CASES), ("tests/any.test.yaml", f"folder: ..{FOLDER_CASES}")],
)
def test_cases_may_be_for_the_service_of_a_folder(tmp_path: Path, name: str, cases: str) -> None:
    found = folder_results(tmp_path, cases, name)

    assert [[line for failed in one.failed for line in failed.lines] for one in found] == [[], [], []]


@pytest.mark.parametrize(
    ("cases", "told"),
    [
        ("tests: [{name: a, response: 200}]",
         "policy.xml:1:53: named value tier has no value; add it to named-values of service.test.yaml"),
        ("{folder: nope, tests: [{name: a, response: 200}]}",
         "service.test.yaml:1:2: folder: nope: holds no policy document; one is at"),
        ("{folder: ., policy: policy.xml, tests: [{name: a, response: 200}]}",
         "service.test.yaml:1:1: folder and policy exclude each other: a folder has its own policies"),
        ("{named-values: {tier: a}, subscriptions: {ann: gold}, tests: [{name: a, response: 200}]}",
         "service.test.yaml:1:43: subscriptions.ann: gold is no product of the folder; there are: starter"),
        ("{named-values: {tier: a}, tests: [{name: a, request: {subscription: eve}, response: 200}]}",
         "service.test.yaml:1:55: tests[0].request.subscription: 'eve' is no subscription of this file; there are: "
         "bob"),
        ("{named-values: {tier: a}, start: tomorrow, tests: [{name: a, response: 200}]}",
         "service.test.yaml:1:27: start: must be a moment with its offset, such as 2026-03-02T10:15:00Z"),
    ],
)  # fmt: skip
def test_mistake_in_cases_for_a_folder_is_told(tmp_path: Path, cases: str, told: str) -> None:
    with pytest.raises(CaseFileError) as refused:
        folder_results(tmp_path, cases)

    assert str(refused.value).replace(f"{tmp_path}/", "").startswith(told)
    assert "\n" not in str(refused.value)


def test_no_difference_shows_the_credentials_of_a_folders_backend(tmp_path: Path) -> None:
    credentials = {"header": {"X-Odd": ["hunter2-hunter2"]}, "query": {"zz": ["letmein-letmein"]}}
    east = {"properties": {"url": "https://east.example", "credentials": credentials}}
    cases = "tests: [{name: a, request: /echo/items, response: 200, received: {headers: {X-Odd: a}, query: {zz: b}}}]"
    (result,) = folder_results(
        tmp_path, f"folder: .\nnamed-values: {{tier: gold-gold}}\n{cases}",
        files={
            **{name: text for name, text in SERVICE.items() if not name.startswith(("products", "subscriptions"))},
            "apis/echo/apiInformation.json": '{"properties": {"path": "echo", "subscriptionRequired": false}}',
            "backends/east/backendInformation.json": json.dumps(east),
        },
    )  # fmt: skip

    assert [str(one) for one in result.failed[0].differences] == [
        'received.query.zz: expected "b", got "***"',
        'received.headers.X-Odd: expected "a", got "***"',
    ]
