"""The bench that people test policies with: values in, values out, no socket."""

import asyncio
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.model import Backend, CircuitBreaker, PoolMember, Product, Subscription
from apim_emulator.testing import BackendFunction, PolicyBench, Reply, Request, event_stream
from apim_emulator.testing.bench import identity_token
from apim_emulator.testing.tokens import TENANT

DOCS = Path(__file__).parents[2] / "docs" / "testing-policies.md"
README = DOCS.parents[1] / "README.md"
UNBUFFERED = '<forward-request buffer-response="false"/>'


def document(inbound: str = "", *, backend: str = "<base/>", outbound: str = "", on_error: str = "") -> str:
    return (
        f"<policies><inbound><base/>{inbound}</inbound><backend>{backend}</backend>"
        f"<outbound><base/>{outbound}</outbound><on-error><base/>{on_error}</on-error></policies>"
    )


def header(name: str, value: str) -> str:
    return f"<set-header name='{name}'><value>{value}</value></set-header>"


def echo(request: Request) -> Reply:
    return Reply(json={"method": request.method, "url": request.url, "body": request.text})


def test_request_and_response_pass_as_values() -> None:
    bench = PolicyBench(backend=echo)

    response = bench.post("/chat?a=1", params={"b": "x y"}, headers={"X-Team": "a"}, json={"q": 1})

    assert (response.status_code, response.reason) == (200, "OK")
    assert response.json() == {"method": "POST", "url": "https://backend.test/chat?a=1&b=x+y", "body": '{"q": 1}'}
    seen = response.requests[0]
    assert (seen.backend, seen.path, seen.params) == ("backend", "/chat", {"a": ["1"], "b": ["x y"]})
    assert (seen.headers["x-team"], seen.json()) == ("a", {"q": 1})


def test_no_socket_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a socket was used")

    for name in ("connect", "connect_ex", "bind", "listen", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    policy = document("<validate-azure-ad-token tenant-id='common'><audiences><audience>x</audience></audiences>"
                      "</validate-azure-ad-token>")  # fmt: skip
    bench = PolicyBench(policy)

    assert bench.get(headers={"Authorization": f"Bearer {bench.entra.token('x')}"}).status_code == 200


def test_request_is_written_as_requests_does_it() -> None:
    bench = PolicyBench(backend=echo)

    form = bench.post("/a b?q=é", params={"n": [1, 2]}, data={"x": "1 2", "y": ["a", "b"]})
    json = bench.post(json={})
    own = bench.post(json={}, headers={"content-type": "application/scim+json"})

    assert form.requests[0].url == "https://backend.test/a%20b?q=%C3%A9&n=1&n=2"
    assert form.requests[0].headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert form.requests[0].text == "x=1+2&y=a&y=b"
    assert json.requests[0].headers["Content-Type"] == "application/json"
    assert own.requests[0].headers.getall("Content-Type") == ["application/scim+json"]


@pytest.mark.parametrize(
    ("call", "mistake", "message"),
    [
        pytest.param(lambda bench: bench.get("chat"), ValueError, "'chat' must be a path and query", id="relative URL"),
        pytest.param(lambda bench: bench.get("https://a.example/"), ValueError, "must be a path and query", id="URL"),
        pytest.param(lambda bench: bench.get(headers={"A": 1}), TypeError, "header A is int; it must", id="header"),
        pytest.param(lambda _: PolicyBench(sku="developer"), ValueError, "'developer' is not a pricing tier", id="sku"),
        pytest.param(
            lambda _: PolicyBench(backend=lambda _: {"ok": True}).get(), TypeError,  # type: ignore[arg-type, return-value]
            "backend function of backend.test returned dict; it must be a Reply", id="reply",
        ),
        pytest.param(lambda _: Reply(content="a", json=1), ValueError, "content or json, not both", id="two bodies"),
    ],
)  # fmt: skip
def test_mistake_of_a_test_is_told(
    call: Callable[[PolicyBench], object], mistake: type[Exception], message: str
) -> None:
    with pytest.raises(mistake, match=message):
        call(PolicyBench())


async def test_call_that_waits_is_refused_in_a_coroutine() -> None:
    with pytest.raises(RuntimeError, match=r"use: await bench\.asend"):
        PolicyBench().get()

    assert (await PolicyBench().asend()).status_code == 200


def test_document_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "policy.xml"
    path.write_text(f"\ufeff{document(header('X-A', '1'))}", encoding="utf-8")

    assert PolicyBench(path).get().requests[0].headers["X-A"] == "1"


class Rendering:
    """Something that renders to a document, such as a typed one of another package."""

    def render(self, sku: str | None = None, /) -> str:
        return document(header("X-Tier", str(sku)))


def test_whatever_renders_is_taken() -> None:
    assert PolicyBench(Rendering(), sku="StandardV2").get().requests[0].headers["X-Tier"] == "StandardV2"


def test_document_as_in_the_portal_is_read() -> None:
    policy = document('<set-variable name="v" value="@(context.Request.Method == "GET" && true ? "a" : "b")"/>')

    assert PolicyBench(policy).get().variables == {"v": "a"}


def test_document_that_is_refused_says_where() -> None:
    with pytest.raises(PolicyLoadError, match=r"^api policy, line 1, column 27: nope: policy is not supported$"):
        PolicyBench(document("<nope/>"))


def test_named_values_and_fragments() -> None:
    bench = PolicyBench(
        document('<include-fragment fragment-id="keys"/>'),
        named_values={"key": "k1"},
        fragments={"keys": f"<fragment>{header('X-Key', '{{key}}')}</fragment>"},
    )

    assert bench.get().requests[0].headers["X-Key"] == "k1"


def test_policy_can_be_replaced() -> None:
    bench = PolicyBench(document(header("X-Key", "{{key}}")), named_values={"key": "k1"})
    bench.load(document(header("X-Other", "{{key}}")), named_values={"key": "k2"})

    seen = bench.get().requests[0]

    assert seen.headers["X-Other"] == "k2"
    assert "X-Key" not in seen.headers


# streaming


def test_streamed_response_arrives_in_its_parts() -> None:
    bench = PolicyBench(document(backend=UNBUFFERED), backend=lambda _: event_stream({"n": 1}, "two"))

    response = bench.post(json={"stream": True})

    assert response.chunks == (b'data: {"n": 1}\n\n', b"data: two\n\n", b"data: [DONE]\n\n")
    assert response.headers["Content-Type"] == "text/event-stream"
    assert not response.broken


def test_stream_may_be_asynchronous_and_break_off() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    response = PolicyBench(document(backend=UNBUFFERED), backend=lambda _: Reply(content=parts())).get()

    assert (response.content, response.broken) == (b"half", True)


def test_chunked_request_reaches_the_backend_whole() -> None:
    response = PolicyBench(backend=echo).post(data=[b"a", b"b"])

    assert response.json()["body"] == "ab"
    assert "Content-Length" not in response.requests[0].headers


def test_head_and_204_have_no_body() -> None:
    bench = PolicyBench(backend=lambda request: Reply(status_code=204 if request.method == "GET" else 200, content="x"))

    assert (bench.get().content, bench.send("HEAD").content) == (b"", b"")


# failures


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        pytest.param(ConnectionError(), "BackendConnectionFailure", id="connection"),
        pytest.param(TimeoutError(), "Timeout", id="timeout"),
    ],
)
def test_backend_that_fails_is_told_to_on_error(failure: Exception, reason: str) -> None:
    def fail(_: Request) -> Reply:
        raise failure

    response = PolicyBench(document(on_error=header("X-Why", "@(context.LastError.Reason)")), backend=fail).get()

    assert (response.status_code, response.headers["X-Why"]) == (500, reason)
    assert response.error is not None
    assert response.error.reason == reason


def test_backend_may_be_asynchronous() -> None:
    async def later(_: Request) -> Reply:
        await asyncio.sleep(0)
        return Reply(content="late")

    assert PolicyBench(backend=later).get().text == "late"


def _wrong_part() -> Iterator[bytes]:
    yield b"a"
    raise AssertionError("wrong part")


def _wrong(_: Request) -> Reply:
    raise AssertionError("wrong request")


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        pytest.param(_wrong, "wrong request", id="function"),
        pytest.param(lambda _: Reply(content=_wrong_part()), "wrong part", id="part"),
    ],
)
def test_mistake_of_a_backend_function_fails_the_test(backend: BackendFunction, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        PolicyBench(backend=backend).get()


def test_host_without_a_function_is_refused() -> None:
    bench = PolicyBench(document("<set-backend-service base-url='https://elsewhere.example.com'/>"))

    response = bench.get()

    assert (response.status_code, response.requests) == (500, ())


# backends


def test_backends_hosts_and_pools() -> None:
    east, west = Backend(id="east", header={"api-key": ("k",)}), Backend(id="west")
    pool = Backend(id="pool", members=(PoolMember(backend_id="east"), PoolMember(backend_id="west")))
    bench = PolicyBench(
        document("<send-request><set-url>https://audit.contoso.com/log</set-url></send-request>"
                 "<set-backend-service backend-id='pool'/>"),
        backends={"east": lambda _: Reply(content="east"), "west": lambda _: Reply(content="west")},
        hosts={"*.contoso.com": lambda _: Reply()},
        entities=(east, west, pool),
    )  # fmt: skip

    first, second = bench.get(), bench.get()

    assert (first.text, second.text) == ("east", "west")
    assert [request.backend for request in first.requests] == ["*.contoso.com", "east"]
    assert first.requests[1].headers["api-key"] == "k"


def test_clock_closes_a_tripped_breaker() -> None:
    rule = CircuitBreaker(interval=60, trip_duration=30, count=1, status_codes=((500, 599),))
    bench = PolicyBench(
        document("<set-backend-service backend-id='east'/>"),
        backends={"east": lambda _: Reply(status_code=500)},
        entities=(Backend(id="east", circuit_breaker=rule),),
    )

    statuses = [bench.get().status_code, bench.get().status_code]
    bench.clock.advance(31)

    assert [*statuses, bench.get().status_code] == [500, 503, 500]


def test_retry_waits_by_moving_the_clock() -> None:
    replies = iter([Reply(status_code=503), Reply(content="ok")])
    bench = PolicyBench(
        document(backend="<retry condition='@(context.Response.StatusCode == 503)' count='3' interval='10'>"
                 "<forward-request buffer-request-body='true'/></retry>"),
        backend=lambda _: next(replies),
    )  # fmt: skip
    start = bench.clock.now()

    response = bench.get()

    assert (response.text, bench.clock.now() - start) == ("ok", 10)


# credentials


AUDIENCE = "api://chat"
ENTRA = document(
    f"<validate-azure-ad-token tenant-id='{{{{tenant}}}}'><audiences><audience>{AUDIENCE}</audience></audiences>"
    "<required-claims><claim name='roles'><value>Chat.User</value></claim></required-claims></validate-azure-ad-token>"
)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        pytest.param({"roles": ["Chat.User"]}, 200, id="accepted"),
        pytest.param({}, 401, id="no role"),
        pytest.param({"roles": ["Chat.User"], "age": 3601}, 401, id="expired"),
        pytest.param({"roles": ["Chat.User"], "tid": "other"}, 401, id="other tenant"),
        pytest.param({"roles": ["Chat.User"], "ver": None}, 401, id="claim removed"),
    ],
)
def test_tokens_of_the_tenant(options: dict[str, object], status: int) -> None:
    bench = PolicyBench(ENTRA, named_values={"tenant": TENANT})
    token = bench.entra.token(AUDIENCE, **options)  # type: ignore[arg-type]

    response = bench.get(headers={"Authorization": f"Bearer {token}"})

    assert response.status_code == status
    assert [request.backend for request in response.requests] == (["backend"] if status == 200 else [])


def test_token_expires_as_the_clock_moves() -> None:
    bench = PolicyBench(ENTRA, named_values={"tenant": TENANT})
    headers = {"Authorization": f"Bearer {bench.entra.token(AUDIENCE, roles=['Chat.User'])}"}
    before = bench.get(headers=headers).status_code
    bench.clock.advance(3600)

    assert (before, bench.get(headers=headers).status_code) == (200, 401)


def test_tokens_of_another_provider() -> None:
    bench = PolicyBench()
    issuer = bench.issuer("https://login.example.com/realm")
    bench.load(
        document("<validate-jwt header-name='Authorization'>"
                 f"<openid-config url='{issuer.configuration_url}'/></validate-jwt>")
    )  # fmt: skip
    token = issuer.issue(audience="x", subject="me")

    accepted = bench.get(headers={"Authorization": f"Bearer {token}"})
    refused = bench.get(headers={"Authorization": f"Bearer {token[:-4]}AAAA"})

    assert (accepted.status_code, refused.status_code) == (200, 401)


def test_managed_identity_token_is_known() -> None:
    policy = document("<authentication-managed-identity resource='https://cognitiveservices.azure.com'/>")

    seen = PolicyBench(policy).get().requests[0]

    assert seen.headers["Authorization"] == f"Bearer {identity_token('https://cognitiveservices.azure.com')}"


def test_products_and_keys_can_be_given() -> None:
    product = Product(id="team", api_ids=frozenset({"policy"}), policy=document(header("X-Product", "team")))
    key = Subscription(id="ann", scope="/products/team", primary_key="k1", secondary_key="k2")
    bench = PolicyBench(products=(product,), subscriptions=(key,), api={"subscription_required": True})

    assert bench.get().status_code == 401
    assert bench.get(headers={"Ocp-Apim-Subscription-Key": "k2"}).requests[0].headers["X-Product"] == "team"


# what is reported


def test_metrics_and_traces() -> None:
    bench = PolicyBench(
        document("<trace source='me'><message>hello</message></trace>"
                 "<emit-metric name='calls' value='2'><dimension name='API ID'/></emit-metric>")
    )  # fmt: skip

    response = bench.get()

    assert [(metric.name, metric.value) for metric in response.metrics] == [("calls", 2)]
    assert [(entry.source, entry.message) for entry in response.traces] == [("me", "hello")]


def test_trace_tells_the_policies_that_ran() -> None:
    response = PolicyBench(document(header("X-A", "1"))).get()

    assert response.trace is not None
    assert [span.policy for span in response.trace.spans] == ["set-header", "forward-request"]
    assert PolicyBench(document(header("X-A", "1")), trace=False).get().trace is None


async def test_calls_side_by_side_keep_apart() -> None:
    bench = PolicyBench(document(header("X-Seen", "@(context.Request.IpAddress)")), backend=echo)

    responses = await asyncio.gather(*(bench.asend("GET", f"/{n}", remote=f"10.0.0.{n}") for n in range(20)))

    for n, response in enumerate(responses):
        assert response.json()["url"] == f"https://backend.test/{n}"
        assert [request.headers["X-Seen"] for request in response.requests] == [f"10.0.0.{n}"]
        assert response.trace is not None
        assert response.trace.url == f"/{n}"


# the documentation


@pytest.mark.slow
def test_bench_works_in_another_project(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {DOCS.parents[1]}\n", encoding="utf-8")
    conftest = next(text for text in examples() if "@pytest.fixture" in text)
    (tmp_path / "conftest.py").write_text(conftest, encoding="utf-8")
    (tmp_path / "policy.xml").write_text(document(header("X-Team", "blue")), encoding="utf-8")
    (tmp_path / "test_policy.py").write_text(
        'def test_team(bench):\n    assert bench.get().requests[0].headers["X-Team"] == "blue"\n', encoding="utf-8"
    )

    found = subprocess.run(  # noqa: S603 - our own tests
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert found.returncode == 0, found.stdout
    assert "1 passed" in found.stdout


def examples(path: Path = DOCS) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("number", range(len(examples())))
def test_example_of_the_documentation_holds(number: int) -> None:
    names = run(examples()[number], f"{DOCS.name}, example {number + 1}")
    tests = [found for name, found in names.items() if name.startswith("test_")]
    assert tests or "bench" in names  # a fixture, which is used above

    for test in tests:
        test()


def test_example_of_the_readme_holds() -> None:
    (example,) = (text for text in examples(README) if "apim_emulator.testing" in text)

    names = run(example, README.name)

    assert names["bench"].get().status_code == 200


def run(example: str, name: str) -> dict[str, Any]:
    """Run a piece of our own documentation and give the names that it makes."""
    module = ModuleType("example")
    exec(compile(example, name, "exec"), module.__dict__)  # noqa: S102
    return vars(module)
