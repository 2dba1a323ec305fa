"""Metadata of OpenID Connect providers: fetched rarely, by one call for all, and never worth more than it proves."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from yarl import URL

from apim_emulator.clock import Clock
from apim_emulator.gateway.http.transport import HttpTransport
from apim_emulator.gateway.tokens.openid import CACHE_SECONDS, RETRY_SECONDS, Metadata, OpenIdProvider
from apim_emulator.network import Network
from emulator.tests.gateway.harness import NOW, Bench, inbound, serve
from emulator.tests.gateway.oidc import Provider, claims, rsa, running, sign
from emulator.tests.gateway.test_validate_jwt import answer, policy


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with running(Provider()) as started:
        yield started


async def test_hostile_key_ids_in_volume_cause_one_fetch_in_five_minutes(
    gateway_bench: Bench, provider: Provider
) -> None:
    gateway_bench.load(inbound(policy(provider)))
    assert (await answer(gateway_bench, sign(claims()))).status == 200
    fetches = []
    for seconds in (0, 1, RETRY_SECONDS - 1, 0):
        gateway_bench.clock.advance(seconds)
        expires = gateway_bench.clock.now() + 60
        hostile = [sign(claims(exp=expires), rsa("attacker"), kid=f"k{number}") for number in range(2, 52)]
        answers = await asyncio.gather(*(answer(gateway_bench, token) for token in hostile))
        assert {one.status for one in answers} == {401}
        assert (await answer(gateway_bench, sign(claims(exp=expires)))).status == 200
        fetches.append(provider.fetches)

    # The first fetch was for the first call; the next is due five minutes later.
    assert fetches == [1, 1, 2, 2]


async def test_calls_at_the_same_time_share_one_fetch(gateway_bench: Bench, provider: Provider) -> None:
    gateway_bench.load(inbound(policy(provider)))

    answers = await asyncio.gather(*(answer(gateway_bench, sign(claims())) for _ in range(30)))

    assert [one.status for one in answers] == [200] * 30
    assert provider.fetches == 1


class Slow:
    """A provider whose answers wait until they are released."""

    def __init__(self, provider: Provider) -> None:
        self.asked, self.release = asyncio.Event(), asyncio.Event()
        self._provider = provider

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.set()
        await self.release.wait()
        return await self._provider.handle(request)


async def test_caller_who_leaves_takes_the_metadata_from_nobody(gateway_bench: Bench) -> None:
    """The fetch that an attacker starts and abandons is still the one that all others wait for."""
    provider = Provider()
    slow = Slow(provider)
    async with serve(slow.handle) as url:
        provider.url = url
        gateway_bench.load(inbound(policy(provider)))
        leaving = asyncio.create_task(answer(gateway_bench, sign(claims())))
        await slow.asked.wait()
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        slow.release.set()

        assert (await answer(gateway_bench, sign(claims()))).status == 200
        assert provider.fetches == 1


async def test_known_key_does_not_wait_while_an_unknown_one_is_looked_for(
    gateway_bench: Bench, provider: Provider
) -> None:
    slow = Slow(provider)
    async with serve(slow.handle) as url:
        provider.url = url
        slow.release.set()
        gateway_bench.load(inbound(policy(provider)))
        await answer(gateway_bench, sign(claims()))
        slow.release.clear()
        slow.asked.clear()
        gateway_bench.clock.advance(RETRY_SECONDS)
        expires = gateway_bench.clock.now() + 60
        looking = asyncio.create_task(answer(gateway_bench, sign(claims(exp=expires), rsa("attacker"))))
        await slow.asked.wait()

        assert (await asyncio.wait_for(answer(gateway_bench, sign(claims(exp=expires))), 5)).status == 200
        slow.release.set()
        assert (await looking).status == 401


JWKS = {"keys": [rsa("k1").as_dict(private=False)]}
METADATA = {"issuer": "https://issuer.example.com", "jwks_uri": "{url}/keys"}


def well_behaved(changes: dict[str, object]) -> dict[str, object]:
    return METADATA | changes


CONFIGURATIONS: dict[str, object] = {
    "no object": [], "text": "x", "null": None, "nothing": b"", "not JSON": b"{",
    "repeated member": b'{"issuer":"a","issuer":"b"}',
    "not UTF-8": b"\xff", "NaN": b'{"issuer":NaN}', "huge": b'{"x":"' + b"x" * 1_100_000 + b'"}',
    "deep": b"[" * 100_000, "no issuer": {"jwks_uri": "{url}/keys"}, "issuer that is none": well_behaved({"issuer": 1}),
    "no keys": {"issuer": "https://issuer.example.com"}, "keys in a list": well_behaved({"jwks_uri": ["{url}/keys"]}),
    "keys in a file": well_behaved({"jwks_uri": "file:///etc/passwd"}),
    "keys elsewhere": well_behaved({"jwks_uri": "https://evil.example.com/keys"}),
    "keys of the metadata service": well_behaved({"jwks_uri": "http://169.254.169.254/keys"}),
    "keys nowhere": well_behaved({"jwks_uri": ""}),
    "keys at no host": well_behaved({"jwks_uri": "https://xn--/keys"}),
    "keys of a user": well_behaved({"jwks_uri": "http://u:p@127.0.0.1/keys"}),
}  # fmt: skip
KEY_SETS: dict[str, object] = {
    "no object": [], "no list": {"keys": {}}, "no keys": {"keys": []}, "not objects": {"keys": [1, "x", None, []]},
    "for encryption": {"keys": [{**JWKS["keys"][0], "use": "enc"}]}, "to sign": {"keys": [{**JWKS["keys"][0],
    "key_ops": ["sign"]}]},
    "operations in a text": {"keys": [{**JWKS["keys"][0], "key_ops": "verify"}]},
    "unknown type": {"keys": [{"kty": "OKP", "kid": "k1"}]},
    "no type": {"keys": [{"kid": "k1"}]}, "key ID that is none": {"keys": [{**JWKS["keys"][0], "kid": 1}]},
    "modulus that is none": {"keys": [{**JWKS["keys"][0], "n": "!"}]},
    "modulus of another": {"keys": [{**JWKS["keys"][0], "n": "AQAB"}]},
    "modulus in a list": {"keys": [{**JWKS["keys"][0], "n": []}]}, "no modulus": {"keys": [{"kty": "RSA", "kid": "k1",
    "e": "AQAB"}]},
    "exponent 1": {"keys": [{**JWKS["keys"][0], "e": "AQ"}]}, "other algorithm": {"keys": [{**JWKS["keys"][0],
    "alg": "RS512"}]},
    "algorithm none": {"keys": [{**JWKS["keys"][0], "alg": "none"}]},
    "algorithm in a list": {"keys": [{**JWKS["keys"][0], "alg": ["RS256"]}]},
    "curve that is none": {"keys": [{"kty": "EC", "kid": "k1", "crv": "P-256", "x": "AA", "y": "AA"}]},
    "huge modulus": {"keys": [{**JWKS["keys"][0], "n": "_" * 400_000}]},
    "repeated member": b'{"keys":[],"keys":[]}', "not JSON": b"<html>",
}  # fmt: skip


async def asked(gateway_bench: Bench, configuration: object, keys: object, status: int = 200, **headers: str) -> int:
    """Give the status of a call with a good token, where a provider answers like this."""

    async def handle(request: web.Request) -> web.Response:
        body = keys if request.path.endswith("/keys") else configuration
        data = (
            body if isinstance(body, bytes) else json.dumps(body).replace("{url}", str(request.url.origin())).encode()
        )
        return web.Response(body=data, status=status, headers=headers)

    async with serve(handle) as url:
        gateway_bench.load(inbound(policy(Provider(url=url))))
        return (await answer(gateway_bench, sign(claims()))).status


@pytest.mark.parametrize("configuration", CONFIGURATIONS.values(), ids=CONFIGURATIONS.keys())
async def test_metadata_that_is_not_sound_lets_nobody_in(gateway_bench: Bench, configuration: object) -> None:
    assert await asked(gateway_bench, METADATA, JWKS) == 200
    gateway_bench.backend.calls.clear()

    assert await asked(gateway_bench, configuration, JWKS) == 401
    assert gateway_bench.backend.calls == []


@pytest.mark.parametrize("keys", KEY_SETS.values(), ids=KEY_SETS.keys())
async def test_keys_that_are_not_sound_let_nobody_in(gateway_bench: Bench, keys: object) -> None:
    assert await asked(gateway_bench, METADATA, keys) == 401
    assert gateway_bench.backend.calls == []


async def test_unsound_key_does_not_spoil_the_others(gateway_bench: Bench) -> None:
    keys = {"keys": [1, {"kty": "RSA", "kid": "k1", "n": [], "e": 1}, {"kty": "EC"}, *JWKS["keys"]]}

    assert await asked(gateway_bench, METADATA, keys) == 200


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 308, 400, 404, 500, 503])
async def test_any_status_but_200_lets_nobody_in_and_no_redirect_is_followed(gateway_bench: Bench, status: int) -> None:
    visited = []

    async def elsewhere(request: web.Request) -> web.Response:
        visited.append(request.path)
        return web.json_response(METADATA)

    async with serve(elsewhere) as url:
        assert await asked(gateway_bench, METADATA, JWKS, status, Location=f"{url}/configuration") == 401

    assert visited == []
    assert gateway_bench.backend.calls == []


@pytest.mark.parametrize("drips", [False, True], ids=["hangs", "drips"])
async def test_provider_that_does_not_end_lets_nobody_in(
    gateway_bench: Bench, drips: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apim_emulator.gateway.tokens.openid._SECONDS", 0.1)
    gone = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        try:
            while True:
                if drips:
                    await response.prepare(request)
                    await response.write(b" ")
                await asyncio.sleep(0.02)
        finally:
            gone.set()

    async with serve(handle) as url:
        gateway_bench.load(inbound(policy(Provider(url=url))))
        assert (await asyncio.wait_for(answer(gateway_bench, sign(claims())), 5)).status == 401
        await asyncio.wait_for(gone.wait(), 5)


async def test_metadata_is_used_for_an_hour_to_the_second() -> None:
    clock, provider = Clock(NOW), Provider()
    async with running(provider):
        transport = HttpTransport(Network())
        await transport.open()
        one = OpenIdProvider(URL(f"{provider.url}/c"), transport, clock)
        found: list[Metadata | None] = [await one.metadata("k1")]
        clock.advance(CACHE_SECONDS - 1)
        provider.broken = True
        found.append(await one.metadata("k1"))
        clock.advance(1)
        found.append(await one.metadata("k1"))
        provider.broken = False
        clock.advance(RETRY_SECONDS - 1)
        found.append(await one.metadata("k1"))
        clock.advance(1)
        found.append(await one.metadata("k1"))
        await transport.close()

    assert [None if meta is None else meta.issuer for meta in found] == [
        provider.issuer, provider.issuer, None, None, provider.issuer,
    ]  # fmt: skip
