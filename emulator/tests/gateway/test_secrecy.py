"""What nobody may read in a log, a trace, an error or the text of an object: keys, tokens, credentials."""

import asyncio
import logging
import re
import time

import pytest
from aiohttp import web

from apim_emulator.gateway.http.headers import phrase
from apim_emulator.model import Backend, Subscription
from apim_emulator.testing import PolicyBench, Reply
from apim_emulator.tracing.mask import Mask
from emulator.tests.gateway.harness import BACKEND_URL, Bench, header, inbound
from emulator.tests.gateway.oidc import claims, rsa, sign

SECRETS = {
    "subscription key": "hunter2-subscription-key", "backend credential": "hunter2-backend-credential",
    "named value": "hunter2-named-value", "cookie": "hunter2-cookie",
}  # fmt: skip
KEYS = "<issuer-signing-keys><key>{{signing}}</key></issuer-signing-keys>"
JWT = f"<validate-jwt header-name='Authorization'>{KEYS}</validate-jwt>"
BOOM = header("X-Boom", '@((string)context.Variables["absent"])')
FAILURES = {
    "nothing": "",
    "an expression": BOOM,
    "a token": JWT,
    "a header": "<check-header name='X-Team' failed-check-httpcode='403'><value>{{secret}}</value></check-header>",
    "a backend that is not there": "<set-backend-service base-url='https://nobody.example.com/{{secret}}'/>",
    "a request that is not answered": "<send-request><set-url>https://nobody.example.com/?k={{secret}}</set-url>"
                                      "<set-method>GET</set-method></send-request>",
    "a rate": "<rate-limit-by-key calls='1' renewal-period='9' counter-key='{{secret}}' increment-count='2'/>",
}  # fmt: skip


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
async def test_no_secret_is_logged_or_told(
    gateway_bench: Bench, failure: str, caplog: pytest.LogCaptureFixture
) -> None:
    token = sign(claims(), rsa("attacker"))
    told = header("X-Told", "@(context.LastError.Message + context.LastError.Source + context.LastError.Path)")
    gateway_bench.load(
        inbound("<set-backend-service backend-id='b'/>", failure, on_error=told),
        api={"subscription_required": True},
        backends=(Backend(id="b", url=BACKEND_URL, header={"api-key": (SECRETS["backend credential"],)}),),
        subscriptions=(Subscription(id="s", scope="/apis", primary_key=SECRETS["subscription key"], secondary_key=""),),
        named_values={
            "secret": SECRETS["named value"],
            "signing": "aHVudGVyMi1odW50ZXIyLWh1bnRlcjItaHVudGVyMi1odW50ZXIy",
        },
    )
    headers = {
        "Ocp-Apim-Subscription-Key": SECRETS["subscription key"], "Authorization": f"Bearer {token}",
        "Cookie": SECRETS["cookie"],
    }  # fmt: skip

    with caplog.at_level(logging.DEBUG):
        response = await gateway_bench.call(headers=headers)
        again = await gateway_bench.call(
            f"/api/models?subscription-key={SECRETS['subscription key']}&sig=hunter2", headers={}
        )

    # The stand-in backend writes an access log; the gateway does not.
    own = [record for record in caplog.records if record.name != "aiohttp.access"]
    logged = "".join(f"{record.getMessage()}{record.args!r}{record.exc_text}" for record in own)
    shown = logged + await response.text() + await again.text() + str(response.headers) + str(gateway_bench.records)
    assert "hunter2" not in shown
    assert token not in shown
    assert token.split(".")[2] not in shown
    assert "Traceback" not in shown


def test_objects_of_a_call_do_not_show_what_they_hold() -> None:
    seen: list[str] = []
    bench = PolicyBench(
        inbound(header("X-Copy", "{{secret}}")),
        named_values={"secret": "hunter2"},
        backend=lambda request: Reply(json={"x": "hunter2", "y": repr(request)}, headers={"X-Secret": "hunter2"}),
    )
    end = bench._core.end

    def watch(exchange: object) -> None:
        seen.append(repr(exchange) + str(exchange))
        end(exchange)  # type: ignore[arg-type]

    bench._core.end = watch  # type: ignore[method-assign]
    response = bench.post("/x", json={"v": "hunter2"}, headers={"Authorization": "Bearer hunter2", "Cookie": "hunter2"})

    assert response.status_code == 200
    assert len(seen) == 1
    assert "Bearer" not in seen[0]
    assert "hunter2" not in seen[0]


async def test_backends_text_is_not_told_when_it_fails(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(outbound=BOOM))

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(text="hunter2", headers={"X-Secret": "hunter2"}, reason="hunter2")

    gateway_bench.backend.answer = answer
    response = await gateway_bench.call()

    assert response.status == 500
    assert "hunter2" not in await response.text() + str(response.headers) + str(response.reason)


@pytest.mark.parametrize(
    "text",
    [
        "x" * 70_000,
        "passw" * 14_000,
        "secret" * 10_000,
        'secret"' * 9_000,
        "secret" + " " * 60_000,
        "eyJ" * 25_000,
        "-" * 70_000,
    ],
    ids=["word", "passw", "secret", "quotes", "blanks", "token", "dashes"],
)
def test_no_text_takes_long_to_mask(text: str) -> None:
    """A caller decides how long a value is; the gateway serves nobody else meanwhile."""
    started = time.perf_counter()
    shown = Mask(["hunter2"]).text(text)

    assert time.perf_counter() - started < 1
    assert len(shown) <= 201


UNREADABLE = {
    "header": b"GET /api/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer hunter\x012\r\n\r\n",
    "line": b"GET /api/models?key=hunter2 x HTTP/1.1\r\nHost: x\r\n\r\n",
    "no colon": b"GET /api/models HTTP/1.1\r\nHost: x\r\napi-key hunter2\r\n\r\n",
    "long header": b"GET /api/models HTTP/1.1\r\nHost: x\r\napi-key: hunter2" + b"a" * 40_000 + b"\r\n\r\n",
    "script": b"GET /<script>hunter2</script> HTTP/9.9\r\nHost: x\r\n\r\n",
    "host": b"GET /api/models HTTP/1.1\r\nHost: hunter2@x\r\n\r\n",
    "expectation": b"GET /api/models HTTP/1.1\r\nHost: x\r\nExpect: hunter2\r\n\r\n",
}


@pytest.mark.parametrize("request_", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_request_that_cannot_be_read_is_not_quoted(gateway_bench: Bench, request_: bytes) -> None:
    gateway_bench.load()
    port = gateway_bench.client.port
    assert port is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request_)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()

    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ")[1])
    assert status in {400, 417}
    assert body == f'{{ "statusCode": {status}, "message": "{phrase(status)}" }}'.encode()
    assert b"Content-Type: application/json" in head
    assert not re.search(rb"(?i)hunter|python|aiohttp", answer)
