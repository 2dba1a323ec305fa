"""Edges of tokens where .NET decides: times beyond its dates, tabs, tokens without a key ID or a signature."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from joserfc import jws

from emulator.tests.gateway.harness import NOW, Bench, inbound
from emulator.tests.gateway.oidc import Provider, claims, encode, rsa, running, sign
from emulator.tests.gateway.test_hostile_tokens import bench_of
from emulator.tests.gateway.test_validate_jwt import AUDIENCE, policy, unsigned

FAR = int(NOW) * 1000
"""A time in milliseconds, which is in the year 55840 if it is read in seconds."""


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with running(Provider()) as started:
        yield started


async def status(bench: Bench, token: str, scheme: str = "Bearer ") -> int:
    return (await bench.call(headers={"Authorization": f"{scheme}{token}"})).status


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"exp": FAR}, 200, id="milliseconds: the last date of .NET"),
        pytest.param({"exp": 2**63 - 2**12}, 200, id="the largest that .NET reads"),
        pytest.param({"exp": 2**63}, 401, id="more than .NET reads"),
        pytest.param({"exp": float(FAR)}, 200, id="a fraction"),
        pytest.param({"nbf": FAR}, 401, id="begins in milliseconds"),
        pytest.param({"exp": FAR, "nbf": FAR - 1}, 401, id="both in milliseconds"),
        pytest.param({"iat": FAR}, 200, id="issued in milliseconds"),
        pytest.param({"exp": -FAR}, 401, id="before there were dates"),
    ],
)
async def test_times_beyond_the_dates_of_dotnet(
    gateway_bench: Bench, provider: Provider, changes: dict[str, Any], expected: int
) -> None:
    gateway_bench.load(inbound(policy(provider, AUDIENCE)))

    assert await status(gateway_bench, sign(claims(**changes))) == expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param({"exp": None}, 401, id="null is no time"),
        pytest.param({}, 200, id="no expiration time"),
    ],
)
async def test_a_token_that_need_not_expire_has_a_time_or_none(
    gateway_bench: Bench, provider: Provider, payload: dict[str, Any], expected: int
) -> None:
    attributes = "header-name='Authorization' require-expiration-time='false'"
    gateway_bench.load(inbound(policy(provider, AUDIENCE, attributes=attributes)))
    given = {name: value for name, value in claims().items() if name != "exp"} | payload

    assert await status(gateway_bench, sign(given)) == expected


@pytest.mark.parametrize("scheme", ["Bearer\t", "Bearer \t", "\tBearer ", "Bearer\t "])
async def test_only_blanks_part_the_scheme_from_the_token(
    gateway_bench: Bench, provider: Provider, scheme: str
) -> None:
    """As .NET's `JwtBearerHandler`, which looks for `Bearer` and a blank (inferred: that the service does too)."""
    gateway_bench.load(
        inbound(policy(provider, AUDIENCE, attributes="header-name='Authorization' require-scheme='Bearer'"))
    )

    expected = 200 if scheme == "\tBearer " else 401  # the parser takes blanks around a header's value away
    assert await status(gateway_bench, sign(claims()), scheme) == expected


async def test_a_token_without_a_signature_is_accepted_where_the_policy_says_so(
    gateway_bench: Bench, provider: Provider
) -> None:
    attributes = "header-name='Authorization' require-signed-tokens='false'"
    gateway_bench.load(inbound(policy(provider, AUDIENCE, attributes=attributes)))

    head = encode(json.dumps({"alg": "none"}).encode())
    for given, expected in (
        (unsigned("none"), 200),
        (sign(claims()), 200),
        (sign(claims(), rsa("attacker"), kid="k1"), 401),
        (sign(claims()).rpartition(".")[0] + ".", 401),
        (unsigned("RS256"), 401),
        (unsigned("None"), 401),
        (unsigned("none") + sign(claims()).rpartition(".")[2], 401),
        (f"{head}.{encode(json.dumps(claims(aud='x')).encode())}.", 401),
        (f"{head}.{encode(json.dumps(claims(iss='x')).encode())}.", 401),
        (f"{head}.{encode(json.dumps(claims(exp=1)).encode())}.", 401),
    ):
        assert await status(gateway_bench, given) == expected, given


@pytest.mark.parametrize("attribute", ["", "require-signed-tokens='true'", "require-signed-tokens='@(1 == 1)'"])
async def test_a_token_without_a_signature_is_refused_by_default(
    gateway_bench: Bench, provider: Provider, attribute: str
) -> None:
    gateway_bench.load(inbound(policy(provider, AUDIENCE, attributes=f"header-name='Authorization' {attribute}")))

    assert await status(gateway_bench, unsigned("none")) == 401


def test_a_token_of_entra_names_its_key() -> None:
    bench, tenant = bench_of()
    good = tenant.token("api://audience")
    nameless = jws.serialize_compact({"alg": "RS256"}, jws.extract_compact(good.encode()).payload, tenant._key._key)

    assert bench.get(headers={"Authorization": f"Bearer {good}"}).status_code == 200
    response = bench.get(headers={"Authorization": f"Bearer {nameless}"})
    assert (response.status_code, len(response.requests)) == (401, 0)
