"""Values of a caller in every place where policies take one: nothing of them may break the gateway or a message."""

import json
from xml.sax.saxutils import escape

import pytest

from apim_emulator.testing import PolicyBench, Reply
from emulator.tests.gateway.harness import inbound
from emulator.tests.gateway.tally import Tally

pytestmark = pytest.mark.attack

SENT = 'context.Request.Body.As<JObject>(preserveContent: true)["v"].ToString()'
TEXT = escape(f"@({SENT})")
VALUE = f'"{escape(f"@({SENT})", {chr(34): "&quot;"})}"'
KEYS = f"<issuer-signing-keys><key>{'QUFB' * 12}</key></issuer-signing-keys>"
MESSAGE = f"failed-validation-error-message={VALUE}"
GET = "<set-method>GET</set-method>"
NOTHING = "<set-variable name='a' value='b'/>"
LOOKUP = f"<cache-lookup-value key={VALUE} variable-name='x'/>"
CODE = "failed-check-httpcode='403'"


BELOW = "'@(&quot;https://backend.test/&quot; + " + escape(SENT, {chr(34): "&quot;"}) + ")'"


def computed(expression: str) -> str:
    return f'"{escape(f"@({expression})", {chr(34): "&quot;"})}"'


POLICIES = {
    "set-body": f"<set-body>{TEXT}</set-body>",
    "set-header": f"<set-header name='X-A'><value>{TEXT}</value></set-header>",
    "set-header, name": f"<set-header name={VALUE}><value>a</value></set-header>",
    "set-header, Host": f"<set-header name='Host'><value>{TEXT}</value></set-header>",
    "set-query-parameter": f"<set-query-parameter name='a'><value>{TEXT}</value></set-query-parameter>",
    "set-query-parameter, name": f"<set-query-parameter name={VALUE}><value>x</value></set-query-parameter>",
    "rewrite-uri, path": f"<rewrite-uri template={computed(chr(34) + '/a/' + chr(34) + ' + ' + SENT)}/>",
    "rewrite-uri, query": f"<rewrite-uri template={computed(chr(34) + '/a?x=' + chr(34) + ' + ' + SENT)}/>",
    "set-method": f"<set-method>{TEXT}</set-method>",
    "set-backend-service": f"<set-backend-service base-url={VALUE}/>",
    "set-backend-service, path": f"<set-backend-service base-url={BELOW}/>",
    "set-backend-service, ID": f"<set-backend-service backend-id={VALUE}/>",
    "find-and-replace, from": f"<find-and-replace from={VALUE} to='b'/>",
    "find-and-replace, to": f"<find-and-replace from='v' to={VALUE}/>",
    "return-response": f"<return-response><set-header name='X-A'><value>{TEXT}</value></set-header></return-response>",
    "return-response, body": f"<return-response><set-body>{TEXT}</set-body></return-response>",
    "return-response, reason": f"<return-response><set-status code='200' reason={VALUE}/></return-response>",
    "check-header, message": f"<check-header name='X-Z' {CODE} failed-check-error-message={VALUE}/>",
    "check-header, name": f"<check-header name={VALUE} failed-check-httpcode='403'/>",
    "validate-jwt": f"<validate-jwt token-value={VALUE}>{KEYS}</validate-jwt>",
    "validate-jwt, text": f"<validate-jwt header-name='X' {MESSAGE}>{KEYS}</validate-jwt>",
    "send-request": f"<send-request response-variable-name='r'><set-url>{TEXT}</set-url>{GET}</send-request>",
    "send-request, body": "<send-request><set-url>https://backend.test/</set-url><set-method>POST</set-method>"
                          f"<set-body>{TEXT}</set-body></send-request>",
    "cache": f"<cache-store-value key={VALUE} value={VALUE} duration='9'/>{LOOKUP}",
    "rate-limit-by-key": f"<rate-limit-by-key calls='99' renewal-period='9' counter-key={VALUE}/>",
    "quota-by-key": f"<quota-by-key calls='99' renewal-period='900' counter-key={VALUE}/>",
    "llm-token-limit": f"<llm-token-limit tokens-per-minute='99' estimate-prompt-tokens='true' counter-key={VALUE}/>",
    "limit-concurrency": f"<limit-concurrency key={VALUE} max-count='3'>{NOTHING}</limit-concurrency>",
    "trace": f"<trace source='s'><message>{TEXT}</message><metadata name='m' value={VALUE}/></trace>",
    "emit-metric": f"<emit-metric name='m'><dimension name='d' value={VALUE}/></emit-metric>",
    "ip-filter": f"<ip-filter action='allow'><address>{TEXT}</address></ip-filter>",
    "cors": f"<cors><allowed-origins><origin>{TEXT}</origin></allowed-origins></cors>",
    "authentication-managed-identity": f"<authentication-managed-identity resource={VALUE}/>",
    "authentication-managed-identity, client": f"<authentication-managed-identity resource='x' client-id={VALUE}/>",
    "set-status": f"<set-variable name='v' value={VALUE}/>",
}  # fmt: skip
VALUES = [
    '"\\ud800"', '"a\\r\\nX-Evil: 1"', '""', "null", '"\\u0000"', "1", "1e999", "[]", "{}", '"../../x"', '"%2e%2e/"',
    '"#"', '"?a=b&c#d"', '"%"',
    '"http://169.254.169.254/"', '"http://[::1"', '"http://127.0.0.1:99999/"', '"http://user:pw@127.0.0.1/"',
    '"http://\\ud800/"', '"http://x y/"',
    '"//evil"', '"http://0x7f.1/"', '"http://2130706433/"', '"http://xn--/"', '"http://\\u3002/"',
    '"http://\\u212a.test/"', '"ftp://127.0.0.1/"',
    '"http://a..b/"', '"http://\\u0000/"', '"http:///x"', '"http://[::ffff:10.0.0.1]/"', '"http://0.0.0.0/"',
    '"\\ud83d\\ude00"', '"{deployment-id}"',
    '"' + "x" * 60_000 + '"', '"' + "passw" * 8_000 + '"', '"' + "eyJ" * 9_000 + '"', '"http://' + "a" * 300 + '/"',
    '"\\u2028\\u0085\\ufeff"', '"@(1)"',
]  # fmt: skip
"""As JSON."""


@pytest.mark.parametrize("trace", [True, False], ids=["traced", "untraced"])
def test_no_value_breaks_the_gateway_or_a_message(trace: bool, caplog: pytest.LogCaptureFixture) -> None:
    tally = Tally("values in policies")
    called: list[str] = []
    for name, policy in POLICIES.items():
        sku = "Developer" if name == "quota-by-key" else "BasicV2"
        bench = PolicyBench(inbound(policy), sku=sku, trace=trace, backend=lambda _: Reply(json={}))
        for value in VALUES:
            response = bench.post("/x?y=1", data=f'{{"v":{value}}}')
            lines = [*response.headers.values(), response.reason]
            lines += [
                line
                for request in response.requests
                for line in (request.url, request.method, *request.headers.values())
            ]
            hosts = [request.backend for request in response.requests if request.backend != "backend"]
            urls = [request.url for request in response.requests if set(request.url) & set(" #\r\n\t")]
            called += hosts
            tally.note(
                f"{name}: {value[:30]}",
                through=bool(hosts or urls) or any("\n" in line or "\r" in line for line in lines),
                crashed=response.error is not None and response.error.reason == "InternalError",
                upstream_calls=len(hosts),
            )  # fmt: skip
            if response.status_code >= 400:
                assert json.loads(response.content)["statusCode"] == response.status_code

    tally.check(1_300)
    assert called == []
    assert "inside the gateway" not in caplog.text
