"""Paths that would leave their API: as they arrive, and as policies make them of what a caller sent."""

import time
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apim_emulator.gateway.http.headers import is_safe_path
from apim_emulator.model import Operation
from apim_emulator.testing import PolicyBench
from emulator.tests.gateway.harness import Bench, inbound
from emulator.tests.gateway.tally import Tally

pytestmark = pytest.mark.attack

EVERYTHING = (Operation(name="any", method="GET", url_template="/{*path}"),)

ASTRAY = [
    "..", ".", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "%25252e%25252e", "..%2f", "..%5c", "..\\", "%2e%2e%5c", "..;",
    "..;a=b", "%2e%2e;x",
    "..%3b", "..%3bx", "..%00", "..%20", "..%09", "%20..", "...", ". .", "%c0%ae%c0%ae", "%c0%ae.",
    "%e0%80%ae%e0%80%ae", "%f0%80%80%ae.",
    "%c0%af", "a%c0%afb", "a%2fb", "a%252fb", "a%25252fb", "a%5cb", "a%255cb", "a\\b", "%5c%5cevil.com", "%00",
    "a%00b", "a%2500b", "a%0d%0ab",
    "a%0ab", "a%250d%250ab", "a%7fb", "a%c2%85b", "a%e2%80%a8/%00", "%e2%88%95", "a%e2%81%84b", "%ef%bc%8f",
    "%ef%bc%8e%ef%bc%8e", "%ef%bc%bc",
    "%e2%80%a5", "%e2%80%a4%e2%80%a4", "%e2%88%96", "%u002e%u002e", "%u2215", "%uff0f", "%25u002e", "%", "a%", "a%2",
    "a%zz", "%%32%65",
    "%2%65", "a%e9b", "%80", "%ff", "%ed%a0%80", "a#b", "#", "secret#/public", "a%23b", "a%3fb", "a%253fb", "",
    "/evil.com", "a//b", "a/%2f",
    "a/../b", "a/./b", "a/%2e/b", "a/..", "a/.", "%2525252525252e", "%" + "25" * 4000, "\u00e9", "a b",
    "a\tb", "a" * 17_000,
]  # fmt: skip
STAYING = [
    "a", "a.b", ".hidden", "..a", "a..", "a...b", "a%20b", "a%2Bb", "a+b", "%7Eme", "%e2%82%ac", "%F0%9F%98%80",
    "100%25", "100%2525", "a;v=1",
    "a;b/c", "a@b:c", "(a)!$&'*,=", "[a]|{b}^`\"<>", "a/b/c/", "a%3Bb", "%41", "a-_~.b", "2024-10-21",
    "gpt-4o%20mini", "%25" * 40,
]  # fmt: skip


@pytest.mark.parametrize("behind", ["", "/x", "/../x"])
async def test_no_path_leaves_its_api(gateway_bench: Bench, behind: str) -> None:
    gateway_bench.load(api={"operations": EVERYTHING})
    tally = Tally(f"paths before {behind!r}")
    for path in ASTRAY:
        raw = f"GET /api/{path}{behind} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        answer = await gateway_bench.raw(raw)
        calls, status = len(gateway_bench.backend.calls), answer[9:12]
        gateway_bench.backend.calls.clear()
        if path == "" and behind == "":
            continue
        tally.note(path[:60], through=status not in {b"404", b"400"}, crashed=status == b"500", upstream_calls=calls)

    tally.check(75)


@pytest.mark.parametrize("path", STAYING)
async def test_path_that_stays_reaches_the_backend_as_it_arrived(gateway_bench: Bench, path: str) -> None:
    gateway_bench.load(api={"operations": EVERYTHING})

    answer = await gateway_bench.raw(f"GET /api/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert gateway_bench.backend.last.path == f"/openai/{path}"


def test_no_path_takes_long_to_read() -> None:
    """A caller decides how long a path is and how often it is encoded."""
    longest = 16_383
    for piece in ("%25", "25", "%2e", "%20.", "/.", ".a", "a/", "%e2%80%a5", "%c0", "..", "%u002", "%252e"):
        started = time.perf_counter()
        is_safe_path("/%" + piece * (longest // len(piece)))
        is_safe_path("/" + piece * (longest // len(piece)))
        is_safe_path("/x" + piece * (longest // len(piece) - 1) + "x")
        assert time.perf_counter() - started < 0.5, piece


@given(st.text("/.%25eEcC0fF;\\aA u", max_size=30))
def test_what_is_safe_has_no_dot_segment_however_it_is_decoded(text: str) -> None:
    path = f"/{text}"
    if not is_safe_path(path):
        return
    for _ in range(10):
        assert "\\" not in path
        names = [segment.split(";")[0] for segment in path.split("/")]
        assert not [name for name in names if "." in name and not name.strip(" .")]
        path = decoded(path)
    assert path.count("/") == f"/{text}".count("/")


def decoded(path: str) -> str:
    """Decode once, as leniently as a server of old would."""
    data, found, index = path.encode(), bytearray(), 0
    while index < len(data):
        try:
            found.append(int(data[index + 1 : index + 3], 16) if data[index : index + 1] == b"%" else data[index])
            index += 3 if data[index : index + 1] == b"%" else 1
        except ValueError:
            found.append(data[index])
            index += 1
    return found.replace(b"\xc0\xae", b".").replace(b"\xc0\xaf", b"/").decode("latin-1")


# What policies make of a caller's values

SENT = 'context.Request.Headers.GetValueOrDefault("X-Sent", "")'


def rewriting(template: str) -> PolicyBench:
    return PolicyBench(inbound(f"<rewrite-uri template={quoteattr(f'@({template})')}/>"), trace=False)


def test_rewrite_uri_keeps_hostile_values_below_the_backends_path() -> None:
    bench = rewriting(f'"/files/" + {SENT}')
    tally = Tally("rewrite-uri, path")
    for value in [
        *(path for path in ASTRAY if path.isascii() and "\t" not in path and "?" not in path),
        "../../x?",
        "a\\..\\b",
        "\x01",
    ]:
        if not value:
            continue
        response = bench.get("/x", headers={"X-Sent": value})
        tally.note(
            value[:60],
            through=response.status_code != 500,
            crashed=response.error is None,
            upstream_calls=len(response.requests),
        )
        assert response.error is not None
        assert response.error.reason == "ExpressionValueEvaluationFailure"

    tally.check(70)


@pytest.mark.parametrize(
    "value",
    ["\r\nX-Evil: 1", " HTTP/1.1\r\n\r\n", " b", "#c", "\0", "\u00e9", "\n", "\t", "a&b=c", "%", "\\", '"<>`{}^|'],
)
def test_rewrite_uri_escapes_hostile_values_in_a_query(value: str) -> None:
    response = rewriting(f'"/v1?x=" + {SENT} + "&y=1"').get("/x?z=2", headers={"X-Sent": value})

    (request,) = response.requests
    target = request.url.removeprefix("https://backend.test")
    assert target.isascii()
    assert target.isprintable()
    assert not {" ", "#"} & set(target)
    assert target.startswith("/v1?x=")
    assert target.endswith("&y=1&z=2")


@pytest.mark.parametrize(
    "value", ["\r\nX-Evil: 1", " HTTP/1.1", "#c", "\0", "\u00e9", "a&b=c", "%2e", "/../", "a;b", "+", "="]
)
@pytest.mark.parametrize("where", ["name", "value"])
def test_set_query_parameter_keeps_a_hostile_value_one_parameter(where: str, value: str) -> None:
    name, text = (SENT, '"v"') if where == "name" else ('"n"', SENT)
    policy = f"<set-query-parameter name={quoteattr(f'@({name})')}><value>@({text})</value></set-query-parameter>"

    response = PolicyBench(inbound(policy), trace=False).get("/x", headers={"X-Sent": value})

    (request,) = response.requests
    assert request.params == ({value: ["v"]} if where == "name" else {"n": [value]})


@pytest.mark.parametrize(
    "value",
    ["a\r\nX-Evil: 1", "a\nb", "a\0b", "a\x7fb", "\u2028", "a\u010ab", "\ud83d", "x" * 70_000],
    ids=["CRLF", "LF", "NUL", "delete", "line separator", "character whose low byte is LF", "surrogate", "too long"],
)
@pytest.mark.parametrize("section", ["inbound", "outbound", "return-response", "send-request", "name"])
def test_set_header_refuses_a_hostile_value(section: str, value: str) -> None:
    """No second header, and nothing that two encodings read in two ways."""
    sent = 'context.Request.Body.As<JObject>(preserveContent: true)["v"].ToString()'.replace("<", "&lt;")
    change = f"<set-header name='X-A'><value>@({sent})</value></set-header>"
    from_variable = "<set-header name='X-A'><value>@((string)context.Variables[\"v\"])</value></set-header>"
    keep = f"<set-variable name='v' value={quoteattr(f'@({sent})')}/>".replace("&amp;lt;", "&lt;")
    target = "<set-url>https://backend.test</set-url><set-method>GET</set-method>"
    policies = {
        "inbound": inbound(change),
        "outbound": inbound(keep, outbound=from_variable),
        "return-response": inbound(f"<return-response>{change}</return-response>"),
        "send-request": inbound(f"<send-request>{target}{change}</send-request>"),
        "name": inbound(
            keep.replace("set-variable name='v' value=", "set-header name=").replace(
                "/>", "><value>a</value></set-header>"
            )
        ),
    }

    response = PolicyBench(policies[section], trace=False).post("/x", json={"v": value})

    assert response.status_code == 500
    assert response.error is not None
    assert response.error.reason == "ExpressionValueEvaluationFailure"
    assert len(response.requests) == (response.error.section == "outbound")
    assert "X-A" not in response.headers
    assert "X-Evil" not in response.headers
