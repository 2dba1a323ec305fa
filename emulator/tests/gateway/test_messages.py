"""set-body, set-status, set-method, find-and-replace: what they do to requests and responses."""

import gzip
import zlib
from xml.sax.saxutils import escape

import aiohttp
import pytest
from aiohttp import web

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.loading.plan import compile_plan
from apim_emulator.model import Operation
from emulator.tests.gateway.harness import Bench, gateway, header, inbound

CHAT_PATH = "/api/deployments/d/chat/completions"
WHY = header("X-Why", '@(context.LastError.Source + "/" + context.LastError.Reason)')


def replace(old: str, new: str) -> str:
    return f"<find-and-replace from='{old}' to='{new}'/>"


# set-body


async def test_reason_may_be_an_expression_of_several_lines(gateway_bench: Bench) -> None:
    reason = "@{&#10;return &quot;Short&quot;;&#10;}"
    gateway_bench.load(inbound(f"<return-response><set-status code='418' reason='{reason}'/></return-response>"))

    response = await gateway_bench.call()

    assert (response.status, response.reason) == (418, "Short")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param("plain {text}", b"plain {text}", id="plain"),
        pytest.param('@("a" + 1)', b"a1", id="expression"),
        pytest.param("<![CDATA[<a>&amp;</a>]]>", b"<a>&amp;</a>", id="CDATA"),
        pytest.param("", b"", id="empty"),
        pytest.param("h\u00e9", "h\u00e9".encode(), id="UTF-8"),
    ],
)
async def test_set_body_replaces_the_request(gateway_bench: Bench, body: str, expected: bytes) -> None:
    gateway_bench.load(inbound(f"<set-body template='none'>{body}</set-body>"))

    await gateway_bench.call(
        CHAT_PATH, "POST", data=gzip.compress(b"x" * 100_000), headers={"Content-Encoding": "gzip"}
    )

    seen = gateway_bench.backend.last
    assert seen.body == expected
    assert seen.headers["Content-Length"] == str(len(expected))
    assert "Content-Encoding" not in seen.headers


async def test_set_body_replaces_the_response_and_gives_up_the_backends(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(outbound="<set-body>own</set-body>"))

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Encoding": "gzip", "Content-Type": "text/x"})
        await response.prepare(request)
        while True:
            await response.write(b"x" * 1000)

    gateway_bench.backend.answer = endless
    response = await gateway_bench.call()

    assert await response.text() == "own"
    assert (response.headers["Content-Type"], response.headers["Content-Length"]) == ("text/x", "3")
    assert "Content-Encoding" not in response.headers


async def test_empty_body_is_as_long_as_it_is(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(outbound="<set-body></set-body>"))

    response = await gateway_bench.call()

    assert (await response.read(), response.headers.getall("Content-Length")) == (b"", ["0"])


async def test_set_body_in_on_error_replaces_the_envelope(gateway_bench: Bench) -> None:
    gateway_bench.load(
        inbound(
            "<check-header name='X-Team' failed-check-httpcode='403'/>",
            on_error="<set-body>@(context.LastError.Reason)</set-body>",
        )
    )

    response = await gateway_bench.call()

    assert (response.status, await response.text()) == (403, "HeaderNotFound")


# set-status and set-method


async def test_set_status_changes_code_and_reason(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(outbound="<set-status code='@(200 + 2)' reason='Taken'/>"))

    response = await gateway_bench.call()

    assert (response.status, response.reason, await response.json()) == (202, "Taken", {"ok": True})


async def test_reason_with_a_line_break_does_not_go_out(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(outbound="<set-status code='202' reason='@(\"a\\r\\nX-Evil: 1\")'/>"))

    response = await gateway_bench.call()

    assert (response.status, response.reason) == (202, "Accepted")
    assert "X-Evil" not in response.headers


@pytest.mark.parametrize("status", [204, 205, 304])
@pytest.mark.parametrize("body", ["", "<set-body>x</set-body>"], ids=["backend's", "own"])
async def test_status_without_a_body_sends_none(gateway_bench: Bench, status: int, body: str) -> None:
    gateway_bench.load(inbound(outbound=f"<set-status code='{status}'/>{body}"))

    raw = await gateway_bench.raw("GET /api/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert raw.startswith(f"HTTP/1.1 {status} ".encode())
    assert raw.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("body", ["", "<set-body>own</set-body>"], ids=["backend's", "own"])
async def test_head_is_answered_without_a_body(gateway_bench: Bench, body: str) -> None:
    head = Operation(name="head", method="HEAD", url_template="/models")
    gateway_bench.load(inbound("<set-method>GET</set-method>", outbound=body), api={"operations": (head,)})

    raw = await gateway_bench.raw("HEAD /api/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert raw.endswith(b"\r\n\r\n")
    assert f"Content-Length: {3 if body else 12}\r\n".encode() in raw


async def test_set_method_changes_what_the_backend_sees(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound('<set-method>@("PU" + "T")</set-method>'))

    await gateway_bench.call(CHAT_PATH, "POST", data=b"x")

    assert (gateway_bench.backend.last.method, gateway_bench.backend.last.body) == ("PUT", b"x")


@pytest.mark.parametrize("method", ["CONNECT", "A B", "GET\\r\\nX: 1", ""])
async def test_method_from_an_expression_is_checked(gateway_bench: Bench, method: str) -> None:
    gateway_bench.load(inbound(f'<set-method>@("{method}")</set-method>', on_error=WHY))

    response = await gateway_bench.call()

    assert response.headers["X-Why"] == "set-method/ExpressionValueEvaluationFailure"
    assert gateway_bench.backend.calls == []


# find-and-replace


async def test_find_and_replace_changes_the_request(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(replace("secret", '@("x" + "y")')))

    await gateway_bench.call(CHAT_PATH, "POST", data=b"a secret, secrets")

    assert gateway_bench.backend.last.body == b"a xy, xys"
    assert gateway_bench.backend.last.headers["Content-Length"] == "9"


@pytest.mark.parametrize("encoding", [None, "gzip", "deflate", "identity"])
async def test_find_and_replace_reads_through_the_content_encoding(gateway_bench: Bench, encoding: str | None) -> None:
    gateway_bench.load(inbound(outbound=replace("internal.example", "api.example")))
    text = b"https://internal.example/" * 10

    async def answer(_request: web.Request) -> web.StreamResponse:
        data = {"gzip": gzip.compress(text), "deflate": zlib.compress(text)}.get(encoding or "", text)
        return web.Response(body=data, headers={} if encoding is None else {"Content-Encoding": encoding})

    gateway_bench.backend.answer = answer
    response = await gateway_bench.call()

    assert await response.read() == b"https://api.example/" * 10


@pytest.mark.parametrize("encoding", ["br", "gzip"], ids=["unknown", "broken"])
async def test_body_that_cannot_be_decoded_is_an_error(gateway_bench: Bench, encoding: str) -> None:
    gateway_bench.load(inbound(outbound=replace("a", "b"), on_error=WHY))

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"not compressed", headers={"Content-Encoding": encoding})

    gateway_bench.backend.answer = answer
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(gateway_bench.client.make_url("/api/models")) as response,
    ):
        assert (response.status, response.headers["X-Why"]) == (500, "find-and-replace/BodyNotReadable")


async def test_body_that_grows_without_bounds_is_an_error(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(replace("a", "b" * 1000), on_error=WHY))

    response = await gateway_bench.call(CHAT_PATH, "POST", data=b"a" * 1_000_000)

    assert (response.status, response.headers["X-Why"]) == (500, "find-and-replace/BodyTooLarge")


async def test_bomb_is_not_inflated(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(replace("a", "b"), on_error=WHY))
    bomb = gzip.compress(b"\0" * (65 * 1024 * 1024))

    response = await gateway_bench.call(CHAT_PATH, "POST", data=bomb, headers={"Content-Encoding": "gzip"})

    assert (response.status, response.headers["X-Why"]) == (500, "find-and-replace/BodyNotReadable")


async def test_backend_that_breaks_off_is_told_to_on_error(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(outbound=replace("a", "b"), on_error=WHY))

    async def broken(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = 100
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return response

    gateway_bench.backend.answer = broken
    response = await gateway_bench.call()

    assert (response.status, response.headers["X-Why"]) == (500, "find-and-replace/BackendConnectionFailure")


# set-body


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            '\n <s:Envelope xmlns:s="urn:s"><s:Body a=\'1 &lt; "2"\'>x &amp; y<b/></s:Body>\n</s:Envelope> ',
            '\n <s:Envelope xmlns:s="urn:s"><s:Body a="1 &lt; &quot;2&quot;">x &amp; y<b /></s:Body>\n</s:Envelope> ',
            id="XML",
        ),
        pytest.param("a<b>c</b>d &lt;e", "a<b>c</b>d &lt;e", id="text beside elements"),
        pytest.param("<v>{{team}}</v>", "<v>blue</v>", id="named value"),
        pytest.param("&lt;a/>", "<a/>", id="text alone"),
    ],
)
async def test_set_body_takes_xml(gateway_bench: Bench, body: str, expected: str) -> None:
    """The schema of the policy has any elements in it, and text between them."""
    policy = f"<return-response><set-body>{body}</set-body></return-response>"
    gateway_bench.load(inbound(policy), named_values={"team": "blue"})

    assert await (await gateway_bench.call()).text() == expected


SOAP = '<s:Envelope xmlns:s="urn:s"><s:Body><city>Oslo</city><q/></s:Body></s:Envelope>'


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('context.Request.Body.As<XElement>().Descendants("city").First().Value', "Oslo"),
        (
            '(string)context.Request.Body.As<XDocument>().Root.Element((XNamespace)"urn:s" + "Body").Element("city")',
            "Oslo",
        ),
        (
            "context.Request.Body.As<XElement>(true).Elements().First().ToString(SaveOptions.DisableFormatting)"
            " + context.Request.Body.As<XElement>().Name.LocalName",
            '<s:Body xmlns:s="urn:s"><city>Oslo</city><q /></s:Body>Envelope',
        ),
    ],
)
async def test_body_is_read_as_xml(gateway_bench: Bench, expression: str, expected: str) -> None:
    policy = f"<return-response><set-body>@({escape(expression)})</set-body></return-response>"
    gateway_bench.load(inbound(policy))

    assert await (await gateway_bench.call(CHAT_PATH, "POST", data=SOAP)).text() == expected


@pytest.mark.parametrize("body", ["<a>", "", "{}", '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'])
async def test_body_that_is_no_xml_is_an_error(gateway_bench: Bench, body: str) -> None:
    gateway_bench.load(inbound("<set-variable name='v' value='@(context.Request.Body.As&lt;XElement>().Value)'/>"))

    response = await gateway_bench.call(CHAT_PATH, "POST", data=body, headers={"Content-Type": "text/xml"})

    assert response.status == 500
    assert gateway_bench.backend.calls == []


async def test_liquid_fills_xml(gateway_bench: Bench) -> None:
    body = "<set-body template='liquid'><a>{{ context.Variables['v'] }}</a></set-body>"
    gateway_bench.load(inbound("<set-variable name='v' value='x'/>", f"<return-response>{body}</return-response>"))

    assert await (await gateway_bench.call()).text() == "<a>x</a>"


def test_place_of_a_mistake_behind_xml_in_a_body_is_right() -> None:
    text = "<policies><inbound><set-body><a>\n<b/></a></set-body>\n<nope/></inbound></policies>"

    with pytest.raises(PolicyLoadError, match="line 3, column 1: nope"):
        compile_plan(gateway(text))


# return-response


async def test_return_response_starts_from_a_response_in_a_variable(gateway_bench: Bench) -> None:
    send = (
        "<send-request mode='new' response-variable-name='seen'><set-url>https://b.openai.azure.com/x</set-url>"
        "<set-method>GET</set-method></send-request>"
    )
    answer = "<return-response response-variable-name='seen'>{}</return-response>"
    gateway_bench.load(inbound(send, answer.format("<set-status code='203'/>")))

    response = await gateway_bench.call()

    assert (response.status, await response.json()) == (203, {"ok": True})
    assert gateway_bench.backend.last.path == "/x"
    assert "application/json" in response.headers["Content-Type"]


@pytest.mark.parametrize("variable", ["<set-variable name='seen' value='text'/>", ""], ids=["text", "nothing"])
async def test_return_response_from_what_is_no_response_fails(gateway_bench: Bench, variable: str) -> None:
    gateway_bench.load(inbound(variable, "<return-response response-variable-name='seen'/>", on_error=WHY))

    response = await gateway_bench.call()

    assert (response.status, response.headers["X-Why"]) == (500, "return-response/ExpressionValueEvaluationFailure")


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        pytest.param("<set-body template='liquid'>{% if a %}{% endif %}</set-body>", "of Liquid only", id="liquid"),
        pytest.param("<set-body html-decode-expression='true'/>", "attribute is not supported", id="decoding"),
        pytest.param("<set-body xsi-nil='null'/>", "xsi-nil: attribute is not supported", id="xsi-nil"),
        pytest.param("<set-status/>", "set-status, code: attribute is missing", id="no code"),
        pytest.param("<set-status code='700'/>", "'700' is not a whole number, 200 to 599", id="code"),
        pytest.param("<set-status code='200' reason='a&#10;b'/>", "not a reason phrase", id="reason"),
        pytest.param("<set-method>CONNECT</set-method>", "other than CONNECT", id="CONNECT"),
        pytest.param("<set-method/>", "needs the name of a method", id="no method"),
        pytest.param("<find-and-replace from='' to='x'/>", "must not be empty", id="nothing to find"),
        pytest.param("<find-and-replace from='x'/>", "to: attribute is missing", id="no replacement"),
        pytest.param("<return-response response-variable-name=''/>", "must not be empty", id="no variable"),
    ],
)
def test_policy_is_refused_with_the_reason(policy: str, message: str) -> None:
    with pytest.raises(PolicyLoadError, match=message):
        compile_plan(gateway(inbound(policy), named_values={"body.a": "x"}))
