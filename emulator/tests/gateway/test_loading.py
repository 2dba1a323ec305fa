import re
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.http.headers import is_safe_path
from apim_emulator.gateway.loading import unsupported
from apim_emulator.gateway.loading.plan import compile_plan
from apim_emulator.model import Backend, Operation, PoolMember
from emulator.tests.gateway.harness import gateway, header, inbound

AAD = "<validate-azure-ad-token tenant-id='{}' {}>{}</validate-azure-ad-token>"
AUDIENCES = "<audiences><audience>a</audience></audiences>"
CONFIG = "<openid-config url='https://idp.example.com/c'/>"
NOT_RUN = min(unsupported.POLICIES)

REFUSED = {
    "unknown policy": ("<make-tea/>", "make-tea: policy is not supported"),
    "policy that is not run": (f"<{NOT_RUN}/>", f"{NOT_RUN}: policy is not supported: {unsupported.POLICIES[NOT_RUN]}"),
    "unknown attribute": ("<return-response wait='1'/>", "return-response, wait: attribute is not supported"),
    "unknown child": ("<return-response><cors/></return-response>", "cors: element is not supported"),
    "text": ("<return-response>x</return-response>", "text is not supported here"),
    "missing attribute": ("<set-variable name='a'/>", "set-variable, value: attribute is missing"),
    "wrong word": ("<set-header name='A' exists-action='add'><value>1</value></set-header>", "'add' is not one of"),
    "wrong boolean": ("<choose><when condition='yes'/></choose>", "'yes' is not true or false"),
    "wrong number": (
        "<check-header name='A' failed-check-httpcode='4O1'/>", "failed-check-httpcode: '4O1' is not a whole number",
    ),
    "header of the connection": (header("Content-Length", "1"), "cannot be set or deleted"),
    "header name": (header("A B", "1"), "cannot be set or deleted"),
    "header value": ("<set-header name='A'><value>a\u2028b</value></set-header>", "not a header value"),
    "set without value": ("<set-header name='A'/>", "at least one"),
    "delete with value": (header("A", "1", "delete"), "delete takes no value"),
    "backend that is not there": ("<set-backend-service backend-id='x'/>", "no such backend"),
    "backend by id and URL": ("<set-backend-service backend-id='x' base-url='http://y'/>", "exactly one"),
    "policy in a wrong section": ("<forward-request/>", "may not stand in inbound; allowed in backend"),
    "base inside a policy": (
        "<choose><when condition='true'><base/></when></choose>", "base: must stand directly in a section",
    ),
    "choose without when": ("<choose><otherwise/></choose>", "needs at least one when"),
    "otherwise first": ("<choose><otherwise/><when condition='true'/></choose>", "must come last"),
    "unknown fragment": ("<include-fragment fragment-id='x'/>", "fragment x does not exist"),
    "fragment with itself": ("<include-fragment fragment-id='loop'/>", "fragment loop includes itself"),
    "unknown named value": (header("A", "{{absent}}"), "named value absent does not exist"),
    "expression and text": (header("A", "Bearer @(1)"), "an expression must be the whole value"),
    "expression of another type": (header("A", "@(1 + 1)"), "this is int where string is needed"),
    "expression that is no C#": (header("A", "@(1 +)"), "this is not C#"),
    "children out of order": (
        "<return-response><set-body/><set-status code='200'/></return-response>", "children must come in the order",
    ),
    "two bodies": ("<return-response><set-body/><set-body/></return-response>", "appears twice"),
    "liquid": (
        "<return-response><set-body template='liquid'>{{ body.x | y }}</set-body></return-response>",
        "set-body, template: of Liquid only",
    ),
    "boolean of Python": ("<rewrite-uri template='/' copy-unmatched-params='True'/>", "'True' is not true or false"),
    "number with a blank inside": ("<retry condition='@(true)' count='1 0' interval='1'/>", "is not a whole number"),
    "rewrite to another host": ("<rewrite-uri template='http://x/'/>", "without scheme and host"),
    "jwt from nowhere": (f"<validate-jwt>{CONFIG}</validate-jwt>", "needs exactly one of header-name"),
    "jwt from two places": (
        f"<validate-jwt header-name='A' token-value='b'>{CONFIG}</validate-jwt>", "needs exactly one of header-name",
    ),
    "jwt without keys": ("<validate-jwt header-name='A'/>", "needs openid-config or issuer-signing-keys"),
    "jwt in no header": (
        f"<validate-jwt header-name='X $(id)'>{CONFIG}</validate-jwt>", "validate-jwt, header-name: not a header name",
    ),
    "check of no header": (
        "<check-header name='a:b' failed-check-httpcode='401' failed-check-error-message=''/>",
        "check-header, name: not a header name",
    ),
    "jwt with plain http": (
        "<validate-jwt header-name='A'><openid-config url='http://idp.example.com'/></validate-jwt>",
        "openid-config, url: must be an https URL",
    ),
    "jwt children out of order": (
        f"<validate-jwt header-name='A'>{AUDIENCES}{CONFIG}</validate-jwt>", "children must come in the order",
    ),
    "jwt with a short key": (
        "<validate-jwt header-name='A'><issuer-signing-keys><key>c2hvcnQ=</key></issuer-signing-keys></validate-jwt>",
        "needs a Base64 key",
    ),
    "jwt with decryption keys": (
        f"<validate-jwt header-name='A'>{CONFIG}<decryption-keys/></validate-jwt>", "element is not supported",
    ),
    "empty audiences": (AAD.format("common", "", "<audiences/>"), "needs at least one audience"),
    "Entra without audience or client": (AAD.format("common", "", ""), "needs client-application-ids, audiences"),
    "Entra without tenant": (AAD.format("", "", AUDIENCES), "must be a tenant's GUID"),
    "Entra at another host": (AAD.format("https://evil.example.com/t", "", AUDIENCES), "must be a tenant's GUID"),
    "Entra of another cloud": (
        AAD.format("common", "authentication-endpoint='https://login.microsoftonline.us'", AUDIENCES),
        "authentication-endpoint: only",
    ),
}  # fmt: skip


def problems(*policies: str, document: str | None = None, **changes: Any) -> list[str]:
    fragments = {"loop": "<fragment><include-fragment fragment-id='loop'/></fragment>"}
    with pytest.raises(PolicyLoadError) as caught:
        compile_plan(gateway(document or inbound(*policies), fragments=fragments, **changes))
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(("policy", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_policy_is_refused_with_the_reason(policy: str, message: str) -> None:
    (problem,) = problems(policy)

    assert message in problem
    assert re.match(r"(api api|fragment loop), line 1, column \d+: ", problem)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param("<policies><inbound>", "not well-formed XML", id="not XML"),
        pytest.param("<policy/>", "root element is not <policies>", id="another root"),
        pytest.param("<policies><in/></policies>", "not a plain section", id="unknown section"),
        pytest.param("<policies><inbound/><inbound/></policies>", "section appears twice", id="section twice"),
        pytest.param("<policies><inbound><base/><base/></inbound></policies>", "base appears twice", id="base twice"),
        pytest.param(
            "<policies><backend><base/><forward-request/></backend></policies>", "only one policy", id="two backends",
        ),
        pytest.param(
            "<policies><backend><forward-request follow-redirects='true'/></backend></policies>",
            "follow-redirects: only false is supported", id="redirects",
        ),
        pytest.param(
            "<policies><backend><forward-request timeout='1' timeout-ms='1'/></backend></policies>",
            "exclude each other", id="two timeouts",
        ),
        pytest.param(
            "<!DOCTYPE policies [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><policies>&e;</policies>",
            "document type or entity declaration", id="external entity",
        ),
        pytest.param("<policies>" + " " * 262_144 + "</policies>", "is larger than 262144 bytes", id="too large"),
        pytest.param("<policies xmlns='urn:x'/>", "root element is not <policies>", id="namespace"),
    ],
)  # fmt: skip
def test_document_is_refused_with_the_reason(document: str, message: str) -> None:
    (problem,) = problems(document=document)

    assert message in problem


def test_consumption_documents_are_smaller() -> None:
    (problem,) = problems(document="<policies>" + " " * 16_384 + "</policies>", sku="Consumption")

    assert "is larger than 16384 bytes" in problem


def test_all_problems_are_told_together_with_their_lines() -> None:
    document = (
        "<policies>\n<inbound>\n<x/>\n<choose><when condition='true'>\n<y/></when></choose></inbound>\n</policies>"
    )

    assert problems(document=document, policy="<policies><outbound><z/></outbound></policies>") == [
        "global, line 1, column 21: z: policy is not supported",
        "api api, line 3, column 1: x: policy is not supported",
        "api api, line 5, column 1: y: policy is not supported",
    ]


def test_problem_in_a_fragment_names_the_fragment() -> None:
    with pytest.raises(PolicyLoadError, match="fragment f, line 2, column 1: x: policy is not supported"):
        compile_plan(
            gateway(inbound("<include-fragment fragment-id='f'/>"), fragments={"f": "<fragment>\n<x/></fragment>"})
        )


def test_fragments_cannot_explode() -> None:
    fragments = {
        f"f{level}": "<fragment>" + f"<include-fragment fragment-id='f{level + 1}'/>" * 10 + "</fragment>"
        for level in range(9)
    }
    fragments["f9"] = "<fragment><return-response/></fragment>"

    with pytest.raises(PolicyLoadError, match="more than 20000 elements"):
        compile_plan(gateway(inbound("<include-fragment fragment-id='f0'/>"), fragments=fragments))


@pytest.mark.parametrize("text", ['@("{{secret}}" * 2)', "@({{secret}})", "@(context.{{secret}})", '@("{{secret}}'])
def test_problem_never_shows_a_named_value(text: str) -> None:
    found = problems(header("A", text), named_values={"secret": "hunter2"})

    assert found
    assert "hunter2" not in "".join(found)


def test_attribute_problem_never_shows_a_named_value() -> None:
    (found,) = problems("<choose><when condition='{{secret}}'/></choose>", named_values={"secret": "hunter2"})

    assert found.endswith("the value is not true or false")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"backends": (Backend(id="b", url="ftp://x"),)}, "http or https URL", id="backend URL"),
        pytest.param({"backends": (Backend(id="b", url="https://u:p@x"),)}, "http or https URL", id="backend user"),
        pytest.param(
            {"backends": (Backend(id="p", members=(PoolMember(backend_id="x"),)),)}, "pool member x", id="pool member"
        ),
        pytest.param(
            {"backends": (Backend(id="b", url="https://x", header={"a": ("1\r\nb: 2",)}),)}, "no valid header",
            id="credential",
        ),
        pytest.param({"api": {"service_url": "nowhere"}}, "serviceUrl", id="service URL"),
        pytest.param({"api": {"key_header": "a b"}}, "is no header name", id="key header"),
        pytest.param(
            {"api": {"operations": (Operation(name="o", method="GET", url_template="/a({id})"),)}},
            "a parameter must be a whole segment", id="template",
        ),
        pytest.param(
            {"api": {"operations": (Operation(name="o", method="GET", url_template="/{a}"),
                                    Operation(name="p", method="GET", url_template="/{b}"))}},
            "appears twice", id="operation twice",
        ),
        pytest.param({"apis": gateway().apis * 2}, "already belongs to api api", id="path twice"),
    ],
)  # fmt: skip
def test_resource_is_refused_with_the_reason(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyLoadError, match=message):
        compile_plan(gateway(None, **changes))


@given(st.lists(st.sampled_from(["a", ".", "..", "/", "%2e", "%2f", "%5c", "\\", "%25", "2e", "2f", ";", "%00"])))
def test_safe_path_has_no_dot_segments_however_often_it_is_decoded(parts: list[str]) -> None:
    path = "/" + "".join(parts)
    if is_safe_path(path):
        decoded = path
        for _ in range(10):
            decoded = unquote(decoded)
        assert decoded.count("/") == path.count("/")
        assert not {".", ".."} & set(decoded.split("/"))
        assert "\\" not in decoded
        assert "\0" not in decoded
