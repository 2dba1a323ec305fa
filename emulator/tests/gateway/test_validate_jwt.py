import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from joserfc.jwk import OctKey

from emulator.tests.gateway.harness import NOW, Bench, header, inbound
from emulator.tests.gateway.oidc import (
    Provider,
    claims,
    confused,
    elliptic,
    encode,
    forge,
    rsa,
    running,
    sign,
    sign_text,
)

NOT_PRESENT = b'{ "statusCode": 401, "message": "JWT not present." }'
INVALID = b'{ "statusCode": 401, "message": "Invalid JWT." }'
SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with running(Provider()) as started:
        yield started


def policy(provider: Provider, *children: str, attributes: str = "header-name='Authorization'") -> str:
    config = f"<openid-config url='{provider.url}/.well-known/openid-configuration'/>"
    return f"<validate-jwt {attributes}>{config}{''.join(children)}</validate-jwt>"


AUDIENCE = "<audiences><audience>api://other</audience><audience>api://audience</audience></audiences>"


async def answer(bench: Bench, token: str, scheme: str = "Bearer ") -> aiohttp.ClientResponse:
    return await bench.call(headers={"Authorization": f"{scheme}{token}"})


async def test_valid_token_is_let_in(gateway_bench: Bench, provider: Provider) -> None:
    gateway_bench.load(inbound(policy(provider, AUDIENCE)))

    assert (await answer(gateway_bench, sign(claims()))).status == 200


def tampered() -> str:
    head, body, signature = sign(claims()).split(".")
    flipped = ("A" if signature[10] != "A" else "B").join([signature[:10], signature[11:]])
    return f"{head}.{body}.{flipped}"


def other_payload() -> str:
    head, _, signature = sign(claims()).split(".")
    return f"{head}.{encode(json.dumps(claims(sub='admin')).encode())}.{signature}"


def unsigned(algorithm: str) -> str:
    return f"{encode(json.dumps({'alg': algorithm}).encode())}.{encode(json.dumps(claims()).encode())}."


def raw(payload: str, **fields: Any) -> str:
    return sign_text(payload, rsa("k1"), {"alg": "RS256", "kid": "k1"} | fields)


def text_of(**changes: Any) -> str:
    return json.dumps(claims(**changes))


def embedded_key() -> str:
    own = rsa("attacker")
    return sign(claims(), own, jwk=own.as_dict(private=False), kid="k1")


ATTACKS: dict[str, Any] = {
    "tampered signature": tampered,
    "payload of another token": other_payload,
    "alg none without signature": lambda: unsigned("none"),
    "alg None": lambda: unsigned("None"),
    "alg none with signature": lambda: unsigned("none") + "AA",
    "HS256 with the public key": lambda: confused(rsa("k1")),
    "key of somebody else under a known kid": lambda: sign(claims(), rsa("attacker"), kid="k1"),
    "unknown kid": lambda: sign(claims(), rsa("attacker")),
    "kid that is no string": lambda: forge({"alg": "RS256", "kid": 1}),
    "key in the header": embedded_key,
    "key URL in the header": lambda: sign(claims(), jku="https://evil.example.com/keys"),
    "certificate URL in the header": lambda: sign(claims(), x5u="https://evil.example.com/c"),
    "critical extension": lambda: forge({"alg": "RS256", "kid": "k1", "crit": ["exp"], "exp": 1}),
    "unencoded payload": lambda: forge({"alg": "RS256", "kid": "k1", "b64": False}),
    "algorithm outside the list": lambda: sign(claims(), alg="RS384"),
    "PS512": lambda: sign(claims(), alg="PS512"),
    "expired": lambda: sign(claims(exp=NOW)),
    "without exp": lambda: sign(claims(exp=None)),
    "exp that is a string": lambda: sign(claims(exp=str(NOW + 60))),
    "exp that is true": lambda: sign(claims(exp=True)),
    "exp that is null": lambda: raw(text_of(exp=0).replace('"exp": 0', '"exp": null')),
    "exp that overflows": lambda: raw(text_of(exp=0).replace('"exp": 0', '"exp": 1e999')),
    "exp that is Infinity": lambda: raw(text_of(exp=0).replace('"exp": 0', '"exp": Infinity')),
    "not valid yet": lambda: sign(claims(nbf=NOW + 1)),
    "valid after it expires": lambda: sign(claims(nbf=NOW + 90)),
    "wrong audience": lambda: sign(claims(aud="api://AUDIENCE")),
    "without audience": lambda: sign(claims(aud=None)),
    "audience in an object": lambda: sign(claims(aud={"api://audience": 1})),
    "wrong issuer": lambda: sign(claims(iss="https://issuer.example.com/")),
    "without issuer": lambda: sign(claims(iss=None)),
    "issuer in a list": lambda: sign(claims(iss=["https://issuer.example.com"])),
    "claim twice": lambda: raw(text_of()[:-1] + ', "aud": "x"}'),
    "member twice further in": lambda: raw(text_of()[:-1] + ', "x": {"a": 1, "a": 2}}'),
    "payload that is a list": lambda: raw("[]"),
    "payload that is no JSON": lambda: raw("{"),
    "payload that is not UTF-8": lambda: ".".join(
        [sign(claims()).split(".")[0], encode(b'{"sub":"\xff"}'), sign(claims()).split(".")[2]]
    ),
    "lone surrogate": lambda: raw(text_of()[:-1] + ', "x": "\\ud800"}'),
    "deep nesting": lambda: raw(text_of()[:-1] + ', "x": ' + "[" * 5000 + "]" * 5000 + "}"),
    "too long": lambda: sign(claims(pad="x" * 13_000)),
    "long header": lambda: sign(claims(), pad="x" * 600),
    "padded base64": lambda: sign(claims()) + "=",
    "base64 of the other alphabet": lambda: sign(claims()).replace("_", "/").replace("-", "+") + "+",
    "four parts": lambda: sign(claims()) + ".AA",
    "two parts": lambda: ".".join(sign(claims()).split(".")[:2]),
    "five parts, encrypted": lambda: sign(claims()) + ".AA.AA",
    "JSON serialization": lambda: json.dumps({"payload": "", "signatures": []}),
    "blank inside": lambda: sign(claims()).replace(".", ". "),
    "two tokens": lambda: f"{sign(claims())}, {sign(claims())}",
    "no token": lambda: "x",
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
async def test_attack_is_refused_and_never_reaches_the_backend(
    gateway_bench: Bench, provider: Provider, attack: Any
) -> None:
    gateway_bench.load(inbound(policy(provider, AUDIENCE)))

    response = await answer(gateway_bench, attack())

    assert (response.status, response.reason) == (401, "Unauthorized")
    assert await response.read() == INVALID
    assert response.headers["Content-Type"] == "application/json"
    assert "WWW-Authenticate" not in response.headers
    assert gateway_bench.backend.calls == []


def non_canonical(token: str) -> str:
    """Change bits of the last character that decoding drops."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


async def test_signature_has_one_spelling_only(gateway_bench: Bench, provider: Provider) -> None:
    gateway_bench.load(inbound(policy(provider)))
    token = sign(claims())  # 256 bytes leave two bits of padding

    assert (await answer(gateway_bench, token)).status == 200
    assert (await answer(gateway_bench, non_canonical(token))).status == 401


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="absent"),
        pytest.param([("Authorization", "")], id="empty"),
        pytest.param([("Authorization", "Bearer ")], id="scheme alone"),
    ],
)
async def test_absent_token_is_told(gateway_bench: Bench, provider: Provider, headers: list[tuple[str, str]]) -> None:
    gateway_bench.load(inbound(policy(provider)))

    response = await gateway_bench.call(headers=headers)

    assert response.status == 401
    assert await response.read() in {NOT_PRESENT, INVALID}
    assert gateway_bench.backend.calls == []


async def test_two_authorization_headers_are_refused(gateway_bench: Bench, provider: Provider) -> None:
    gateway_bench.load(inbound(policy(provider)))
    value = f"Bearer {sign(claims())}"

    response = await gateway_bench.call(headers=[("Authorization", value), ("Authorization", value)])

    assert await response.read() == INVALID


@pytest.mark.parametrize(
    ("scheme", "required", "status"),
    [
        ("Bearer ", "Bearer", 200),
        ("bearer ", "Bearer", 200),
        ("", None, 200),
        ("", "Bearer", 401),
        ("Basic ", "Bearer", 401),
        ("Basic ", None, 401),
        ("DPoP ", "DPoP", 200),
    ],
)
async def test_scheme(gateway_bench: Bench, provider: Provider, scheme: str, required: str | None, status: int) -> None:
    attributes = "header-name='Authorization'" + (f" require-scheme='{required}'" if required else "")
    gateway_bench.load(inbound(policy(provider, attributes=attributes)))

    assert (await answer(gateway_bench, sign(claims()), scheme)).status == status


async def test_token_from_the_query_or_an_expression(gateway_bench: Bench, provider: Provider) -> None:
    gateway_bench.load(inbound(policy(provider, attributes="query-parameter-name='t'")))
    assert (await gateway_bench.call(f"/api/models?t={sign(claims())}")).status == 200
    assert (await gateway_bench.call(f"/api/models?t={sign(claims())}&t=x")).status == 401
    assert await (await gateway_bench.call()).read() == NOT_PRESENT

    value = "@(context.Request.Headers.GetValueOrDefault(&quot;X-T&quot;, &quot;&quot;))"
    gateway_bench.load(inbound(policy(provider, attributes=f'token-value="{value}"')))
    assert (await gateway_bench.call(headers={"X-T": sign(claims())})).status == 200


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ('@("{url}" + "/.well-known/openid-configuration")', 200),
        ('@("https://idp.example.com/" + context.Request.Method)', 401),
        ('@("http://idp.example.com/" + context.Request.Method)', 500),
        ("@((string)null)", 500),
    ],
)
async def test_expression_may_name_the_provider(
    gateway_bench: Bench, provider: Provider, url: str, status: int
) -> None:
    config = f"<openid-config url='{url.replace('{url}', provider.url)}'/>"
    gateway_bench.load(inbound(f"<validate-jwt header-name='Authorization'>{config}</validate-jwt>"))

    assert (await answer(gateway_bench, sign(claims()))).status == status
    assert len(gateway_bench.backend.calls) == (status == 200)


async def test_own_code_and_message(gateway_bench: Bench, provider: Provider) -> None:
    attributes = (
        "header-name='Authorization' failed-validation-httpcode='403' "
        "failed-validation-error-message='Unauthorized. Access token is missing or invalid.'"
    )
    change = header("X-Why", '@(context.LastError.Source + "/" + context.LastError.Reason)')
    gateway_bench.load(inbound(policy(provider, AUDIENCE, attributes=attributes), on_error=change))

    response = await answer(gateway_bench, sign(claims(aud="x")))

    assert response.status == 403
    assert await response.read() == (
        b'{ "statusCode": 403, "message": "Unauthorized. Access token is missing or invalid." }'
    )
    assert response.headers["X-Why"] == "validate-jwt/TokenAudienceNotAllowed"


@pytest.mark.parametrize(
    ("claim", "value", "status"),
    [
        pytest.param("<claim name='roles'><value>a</value><value>b</value></claim>", ["b", "a", "c"], 200, id="all"),
        pytest.param("<claim name='roles'><value>a</value><value>b</value></claim>", ["a"], 401, id="not all"),
        pytest.param("<claim name='roles' match='any'><value>a</value><value>b</value></claim>", ["b"], 200, id="any"),
        pytest.param("<claim name='roles' match='any'><value>a</value></claim>", ["A"], 401, id="case"),
        pytest.param("<claim name='roles' separator=' '><value>b</value></claim>", "a b", 200, id="separator"),
        pytest.param("<claim name='roles'><value>b</value></claim>", "a b", 401, id="without separator"),
        pytest.param("<claim name='roles'><value>b</value></claim>", "abc", 401, id="part of a value"),
        pytest.param("<claim name='roles'/>", "x", 200, id="presence"),
        pytest.param("<claim name='roles'/>", None, 401, id="absence"),
        pytest.param("<claim name='roles'/>", [], 401, id="empty list"),
        pytest.param("<claim name='roles'><value>1</value></claim>", 1, 200, id="number"),
        pytest.param("<claim name='roles'><value>true</value></claim>", True, 200, id="boolean"),
        pytest.param("<claim name='roles'><value>a</value></claim>", {"a": 1}, 401, id="object"),
        pytest.param("<claim name='Roles'><value>a</value></claim>", "a", 401, id="case of the name"),
    ],
)
async def test_required_claims(
    gateway_bench: Bench, provider: Provider, claim: str, value: object, status: int
) -> None:
    gateway_bench.load(inbound(policy(provider, f"<required-claims>{claim}</required-claims>")))

    assert (await answer(gateway_bench, sign(claims(roles=value)))).status == status


async def test_clock_skew_is_exact(gateway_bench: Bench, provider: Provider) -> None:
    gateway_bench.load(inbound(policy(provider, attributes="header-name='Authorization' clock-skew='10'")))

    assert (await answer(gateway_bench, sign(claims(exp=NOW - 9)))).status == 200
    assert (await answer(gateway_bench, sign(claims(exp=NOW - 10)))).status == 401
    assert (await answer(gateway_bench, sign(claims(nbf=NOW + 10)))).status == 200
    assert (await answer(gateway_bench, sign(claims(nbf=NOW + 11)))).status == 401


async def test_expiration_may_be_optional_but_counts_when_present(gateway_bench: Bench, provider: Provider) -> None:
    attributes = "header-name='Authorization' require-expiration-time='false'"
    gateway_bench.load(inbound(policy(provider, attributes=attributes)))

    assert (await answer(gateway_bench, sign(claims(exp=None)))).status == 200
    assert (await answer(gateway_bench, sign(claims(exp=NOW - 1)))).status == 401


async def test_listed_issuers_replace_the_providers(gateway_bench: Bench, provider: Provider) -> None:
    issuers = "<issuers><issuer>https://listed.example.com</issuer></issuers>"
    gateway_bench.load(inbound(policy(provider, issuers)))

    assert (await answer(gateway_bench, sign(claims(iss="https://listed.example.com")))).status == 200
    assert (await answer(gateway_bench, sign(claims()))).status == 401


async def test_one_providers_key_does_not_vouch_for_anothers_issuer(gateway_bench: Bench, provider: Provider) -> None:
    async with running(Provider("https://second.example.com", [rsa("second")])) as second:
        other = f"<openid-config url='{second.url}/.well-known/openid-configuration'/>"
        gateway_bench.load(inbound(policy(provider, other)))

        assert (await answer(gateway_bench, sign(claims()))).status == 200
        assert (await answer(gateway_bench, sign(claims(iss=second.issuer), rsa("second")))).status == 200
        assert (await answer(gateway_bench, sign(claims(), rsa("second")))).status == 401


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS256", "ES256"])
async def test_asymmetric_algorithms(gateway_bench: Bench, provider: Provider, algorithm: str) -> None:
    key = elliptic("e1") if algorithm == "ES256" else rsa("k1")
    provider.keys = [rsa("k1"), elliptic("e1")]
    gateway_bench.load(inbound(policy(provider)))

    assert (await answer(gateway_bench, sign(claims(), key, alg=algorithm))).status == 200


async def test_token_without_kid_is_tried_with_each_key(gateway_bench: Bench, provider: Provider) -> None:
    provider.keys = [rsa("attacker"), rsa("k1")]
    gateway_bench.load(inbound(policy(provider)))

    assert (await answer(gateway_bench, sign(claims(), kid=None))).status == 200


async def test_keys_of_a_provider_that_are_symmetric_are_passed_over(gateway_bench: Bench, provider: Provider) -> None:
    secret = OctKey.import_key(SECRET, {"kid": "secret"})
    provider.keys = [rsa("k1"), secret]
    gateway_bench.load(inbound(policy(provider)))

    assert (await answer(gateway_bench, sign(claims(), secret, alg="HS256"))).status == 401


def inline(*keys: str, rest: str = "") -> str:
    listed = f"<issuer-signing-keys>{''.join(keys)}</issuer-signing-keys>"
    return f"<validate-jwt header-name='Authorization'>{listed}{rest}</validate-jwt>"


async def test_keys_in_the_policy(gateway_bench: Bench) -> None:
    public = rsa("k1").as_dict(private=False)
    secret = OctKey.import_key(SECRET, {"kid": "s"})
    symmetric = f"<key id='s'>{base64.b64encode(SECRET).decode()}</key>"
    gateway_bench.load(inbound(inline(symmetric, f"<key n='{public['n']}' e='{public['e']}'/>")))

    assert (await answer(gateway_bench, sign(claims(), secret, alg="HS256"))).status == 200
    assert (await answer(gateway_bench, sign(claims(), secret, alg="HS256", kid="unknown"))).status == 200
    assert (await answer(gateway_bench, sign(claims()))).status == 200
    assert (await answer(gateway_bench, confused(rsa("k1")))).status == 401
    assert (await answer(gateway_bench, sign(claims(), rsa("attacker")))).status == 401


async def test_output_variable_holds_the_token_until_one_is_refused(gateway_bench: Bench, provider: Provider) -> None:
    attributes = "header-name='Authorization' output-token-variable-name='jwt'"
    show = (
        '@(((Jwt)context.Variables["jwt"]).Subject + "|" + ((Jwt)context.Variables["jwt"]).Claims'
        '.GetValueOrDefault("roles", "none") + "|" + ((Jwt)context.Variables["jwt"]).Audiences.Contains("api://audience"))'
    )
    after = header("X-Had", '@(context.Variables.ContainsKey("jwt").ToString())')
    gateway_bench.load(inbound(policy(provider, attributes=attributes), header("X-Jwt", show), on_error=after))

    await answer(gateway_bench, sign(claims(roles=["a", "b"])))
    assert gateway_bench.backend.last.headers["X-Jwt"] == "caller|a,b|True"

    assert (await answer(gateway_bench, sign(claims(exp=1)))).headers["X-Had"] == "False"


async def test_metadata_is_fetched_once_an_hour(gateway_bench: Bench, provider: Provider) -> None:
    gateway_bench.load(inbound(policy(provider)))
    fetches = []
    for seconds in (0, 0, 3599, 1):
        gateway_bench.clock.advance(seconds)
        token = sign(claims(exp=gateway_bench.clock.now() + 60))
        assert (await answer(gateway_bench, token)).status == 200
        fetches.append(provider.fetches)

    assert fetches == [1, 1, 1, 2]


async def test_unknown_key_is_fetched_at_most_once_in_five_minutes(gateway_bench: Bench, provider: Provider) -> None:
    gateway_bench.load(inbound(policy(provider)))
    assert (await answer(gateway_bench, sign(claims()))).status == 200
    provider.keys.append(rsa("k2"))

    statuses = []
    for seconds in (1, 298, 1, 0):
        gateway_bench.clock.advance(seconds)
        token = sign(claims(exp=gateway_bench.clock.now() + 60), rsa("k2"))
        statuses.append((await answer(gateway_bench, token)).status)

    assert statuses == [401, 401, 200, 200]
    assert provider.fetches == 2


async def test_provider_that_does_not_answer_lets_nobody_in_and_is_asked_again_later(
    gateway_bench: Bench, provider: Provider
) -> None:
    provider.broken = True
    gateway_bench.load(inbound(policy(provider)))
    assert (await answer(gateway_bench, sign(claims()))).status == 401

    provider.broken = False
    gateway_bench.clock.advance(299)
    assert (await answer(gateway_bench, sign(claims(exp=NOW + 900)))).status == 401
    gateway_bench.clock.advance(1)
    assert (await answer(gateway_bench, sign(claims(exp=NOW + 900)))).status == 200


async def test_expired_metadata_is_not_used_when_the_provider_is_gone(gateway_bench: Bench, provider: Provider) -> None:
    gateway_bench.load(inbound(policy(provider)))
    assert (await answer(gateway_bench, sign(claims()))).status == 200

    provider.broken = True
    gateway_bench.clock.advance(3600)

    assert (await answer(gateway_bench, sign(claims(exp=NOW + 7200)))).status == 401


async def test_metadata_is_fetched_through_the_network_only(gateway_bench: Bench) -> None:
    gateway_bench.load(
        inbound(
            "<validate-jwt header-name='Authorization'><openid-config url='https://idp.example.com/c'/></validate-jwt>"
        )
    )

    response = await answer(gateway_bench, sign(claims()))

    assert await response.read() == INVALID
