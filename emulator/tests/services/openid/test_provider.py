from aiohttp import ClientSession
from aiohttp.test_utils import TestServer, unused_port
from joserfc import jwt
from joserfc.jwk import KeySet

from apim_emulator.clock import Clock
from apim_emulator.services.openid.provider import OpenIdProvider
from apim_emulator.services.signing import LIFETIME, unverified_claims


async def test_a_token_is_verifiable_by_discovery(clock: Clock, http: ClientSession) -> None:
    port = unused_port()
    provider = OpenIdProvider(f"http://127.0.0.1:{port}/realms/contoso/", clock)
    token = provider.issue(audience="openai", subject="someone", claims={"groups": ["staff"]})

    async with TestServer(provider.app, port=port):
        async with http.get(provider.configuration_url) as response:
            configuration = await response.json()
        async with http.get(configuration["jwks_uri"]) as response:
            keys = KeySet.import_key_set(await response.json())

    issued = int(clock.now())
    assert configuration["issuer"] == f"http://127.0.0.1:{port}/realms/contoso"
    assert jwt.decode(token, keys, algorithms=["RS256"]).claims == {
        "iss": configuration["issuer"],
        "aud": "openai",
        "sub": "someone",
        "iat": issued,
        "nbf": issued,
        "exp": issued + LIFETIME,
        "groups": ["staff"],
    }


async def test_an_issuer_without_a_path_is_served_at_the_root(clock: Clock, http: ClientSession) -> None:
    port = unused_port()
    provider = OpenIdProvider(f"http://127.0.0.1:{port}", clock)

    async with (
        TestServer(provider.app, port=port),
        http.get(f"http://127.0.0.1:{port}/.well-known/openid-configuration") as response,
    ):
        assert (await response.json())["issuer"] == provider.issuer


def test_claims_can_be_replaced_removed_and_aged(clock: Clock) -> None:
    provider = OpenIdProvider("http://127.0.0.1:1", clock)

    claims = unverified_claims(
        provider.issue(audience="openai", subject="someone", age=2 * LIFETIME, claims={"sub": None, "aud": "other"})
    )

    assert claims["aud"] == "other"
    assert "sub" not in claims
    assert claims["exp"] == int(clock.now()) - LIFETIME
