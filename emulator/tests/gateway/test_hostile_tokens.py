"""Tokens that attackers would send: RFC 8725, the known mistakes of JWT libraries, and whatever a fuzzer makes."""

import base64
import hashlib
import hmac
import json
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from itertools import product
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, Key, OctKey, RSAKey

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.loading.plan import compile_plan
from apim_emulator.testing import EntraTenant, PolicyBench
from apim_emulator.testing.tokens import TENANT
from emulator.tests.gateway import test_validate_azure_ad_token as entra
from emulator.tests.gateway import test_validate_jwt as jwt
from emulator.tests.gateway.harness import NOW, Bench, gateway, inbound
from emulator.tests.gateway.oidc import Provider, claims, elliptic, encode, forge, rsa, running, sign, sign_text
from emulator.tests.gateway.tally import Tally

pytestmark = pytest.mark.attack

Attack = tuple[str, str]
"""Name and token."""
ORDER_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SECRET = b"0123456789abcdef0123456789abcdef"


@cache
def weak() -> RSAKey:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return RSAKey.generate_key(1024, {"kid": "weak"})


@cache
def curve() -> ECKey:
    return ECKey.generate_key("P-384", {"kid": "p384"})


def pinned() -> RSAKey:
    """Make a key whose owner says that it is for RS256."""
    return RSAKey.import_key({**rsa("pinned").as_dict(private=True), "alg": "RS256"})


KEYS: list[Callable[[], Key]] = [
    lambda: rsa("k1"), lambda: elliptic("e1"), pinned, weak, lambda: OctKey.import_key(SECRET, {"kid": "secret"}),
    curve,
]  # fmt: skip


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with running(Provider(keys=[make() for make in KEYS])) as started:
        yield started


def odd(*values: Any) -> tuple[Any, ...]:
    """List values of any types."""
    return values


def unsound_headers() -> Iterator[Attack]:
    """Headers that name no algorithm of the list, or bring a key or an extension of their own."""
    good = sign(claims())
    signature = good.split(".")[2]
    algorithms: list[object] = [
        "none", "None", "NONE", "nOnE", "none ", " none", "", None, True, 0, [], ["RS256"], {"alg": "RS256"}, "rs256",
        "RS256 ",
        "RS256\0", "RS256,none", "RSASSA", "RS384", "PS384", "PS512", "ES384", "ES512", "ES256K", "EdDSA", "dir",
        "RSA-OAEP", "A128KW", "A128GCM", "HS1", "HS256 ", "null", "undefined", "\u210f\u017f256", "R\u017f256",
    ]  # fmt: skip
    for algorithm, end in product(algorithms, ("", "AA", signature)):
        header = encode(json.dumps({"alg": algorithm, "kid": "k1"}).encode())
        yield f"alg {algorithm!r}, signature {end[:2]!r}", f"{header}.{good.split('.')[1]}.{end}"
    yield "without alg", forge({"kid": "k1"}, b"x")
    own = rsa("attacker")
    extras: dict[str, object] = {
        "jwk": own.as_dict(private=False), "jku": "https://evil.example.com/keys", "x5u": "https://evil.example.com/c",
        "x5c": ["MIIB"], "crit": ["exp"], "b64": False, "zip": "DEF", "enc": "A128GCM",
    }  # fmt: skip
    for (name, value), key in product(extras.items(), (own, rsa("k1"))):
        for member in (value, None):
            header = json.dumps({"alg": "RS256", "kid": "k1", name: member})
            yield f"{name} {member!r:.20} of {key.kid}", raw_header(header, key)
    yield "empty crit", raw_header('{"alg":"RS256","kid":"k1","crit":[]}', rsa("k1"))
    yield "b64 with crit", raw_header('{"alg":"RS256","kid":"k1","b64":true,"crit":["b64"]}', rsa("k1"))
    for text in (
        '{"alg":"none","alg":"RS256","kid":"k1"}', '{"alg":"RS256","alg":"none","kid":"k1"}',
        '{"alg":"RS256","\\u0061lg":"RS256","kid":"k1"}', '{"alg":"RS256","kid":"k1","kid":"attacker"}',
        '{"alg":"RS256","kid":"k1",}', "{'alg':'RS256','kid':'k1'}", '{"alg":"RS256","kid":"k1"}x', '[{"alg":"RS256"}]',
        '"RS256"', "null", "", "{", '\ufeff{"alg":"RS256","kid":"k1"}', '{"alg":"RS256","kid":"k1","x":NaN}',
        '{"alg":"RS256","kid":"k1","x":' + "[" * 100 + "]" * 100 + "}", '{"alg":"RS256","kid":"\\ud800"}',
        '{"alg":"RS256","kid":"k1"}\0', '{"alg":"RS256","kid":"k1","x":"' + "a" * 600 + '"}', "// {}",
    ):  # fmt: skip
        yield f"header {text[:40]!r}", raw_header(text, rsa("k1"))


def raw_header(header: str, key: RSAKey) -> str:
    """Sign any text in place of a header."""
    start = f"{encode(header.encode())}.{encode(json.dumps(claims()).encode())}"
    private = key.private_key
    assert private is not None
    return f"{start}.{encode(private.sign(start.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def confused_keys() -> Iterator[Attack]:
    """Signatures with a secret that everybody knows: the public key in each form, or nothing."""
    public = rsa("k1")
    pem = public.as_pem(private=False)
    parts = public.as_dict(private=False)
    secrets = {
        "PEM": pem, "PEM without its end": pem.rstrip(), "PEM with CRLF": pem.replace(b"\n", b"\r\n"),
        "DER": base64.b64decode(b"".join(pem.splitlines()[1:-1])), "JWK": json.dumps(parts).encode(),
        "sorted JWK": json.dumps(parts, sort_keys=True, separators=(",", ":")).encode(), "n": str(parts["n"]).encode(),
        "bytes of n": base64.urlsafe_b64decode(f"{parts['n']}=="), "kid": b"k1", "nothing": b"", "null byte": b"\0",
    }  # fmt: skip
    for (name, secret), size, kid in product(secrets.items(), (256, 384, 512), ("k1", "e1", "unknown", None)):
        header = {"alg": f"HS{size}"} | ({} if kid is None else {"kid": kid})
        start = forge(header, b"").rstrip(".")
        signature = hmac.new(secret, start.encode(), f"sha{size}").digest()
        yield f"HS{size} with {name}, kid {kid}", f"{start}.{encode(signature)}"
    symmetric = OctKey.import_key(SECRET, {"kid": "secret"})
    yield "HS256 with a symmetric key of the provider", sign(claims(), symmetric, alg="HS256")
    yield "RS256 with the elliptic key's ID", sign(claims(), rsa("attacker"), kid="e1")
    yield "ES256 with the RSA key's ID", sign(claims(), elliptic("attacker"), alg="ES256", kid="k1")
    yield "PS256 with a key for RS256", sign(claims(), rsa("pinned"), alg="PS256")
    yield "RS512 with a key for RS256", sign(claims(), rsa("pinned"), alg="RS512")
    yield "key of 1024 bits", sign(claims(), weak())
    yield "ES384 with its key", sign(claims(), curve(), alg="ES384")
    yield "ES256 with a key of P-384", forge({"alg": "ES256", "kid": "p384"}, b"x" * 64)
    for kid in (
        "../../../../dev/null", "/dev/null", "k1' OR '1'='1", "k1\0", "K1", " k1", "k1 ", "", "k1;ls", "${jndi:x}",
        "https://evil.example.com/keys", "file:///etc/passwd", "*", "k%31", "\u212a1", "k\u0661", "__proto__",
        "constructor",
    ):  # fmt: skip
        yield f"kid {kid!r}", sign(claims(), rsa("attacker"), kid=kid)
        start = forge({"alg": "HS256", "kid": kid}, b"").rstrip(".")
        yield f"kid {kid!r}, no secret", f"{start}.{encode(hmac.new(b'', start.encode(), 'sha256').digest())}"
    for text in ("null", "1", "true", '["k1"]', '{"k1":1}'):
        yield f"kid {text}", raw_header(f'{{"alg":"RS256","kid":{text}}}', rsa("k1"))


def elliptic_signatures() -> Iterator[Attack]:
    """Signatures of ECDSA that are always or never right."""
    zero, order, one = bytes(32), ORDER_P256.to_bytes(32, "big"), (1).to_bytes(32, "big")
    big = b"\xff" * 32
    header = {"alg": "ES256", "kid": "e1"}
    for first, second in product((zero, order, one, big), repeat=2):
        yield f"r {first[:2].hex()} s {second[:2].hex()}", forge(header, first + second)
    good = sign(claims(), elliptic("e1"), alg="ES256")
    start, signature = good.rpartition(".")[0], base64.urlsafe_b64decode(good.rpartition(".")[2] + "==")
    der = b"\x30\x44\x02\x20" + signature[:32] + b"\x02\x20" + signature[32:]
    for name, changed in {
        "DER": der, "short": signature[:-1], "long": signature + b"\0", "empty": b"",
        "swapped": signature[32:] + signature[:32],
        "r alone": signature[:32], "zeros in front": bytes(2) + signature, "twice": signature * 2,
        "DER of zeros": bytes.fromhex("3006020100020100"),
    }.items():  # fmt: skip
        yield f"signature {name}", f"{start}.{encode(changed)}"


def spellings() -> Iterator[Attack]:
    """The same good token in another form: only one form is right."""
    good = sign(claims())
    head, body, signature = good.split(".")
    forms = {
        "two parts": f"{head}.{body}", "empty signature": f"{head}.{body}.", "four parts": f"{good}.",
        "four": f"{good}.AA",
        "five parts": f"{good}.AA.AA", "one part": head, "dots": "..", "no header": f".{body}.{signature}",
        "no payload": f"{head}..{signature}", "padded": f"{good}=", "padded twice": f"{good}==",
        "padded head": f"{head}=.{body}.{signature}",
        "other dots": good.replace(".", "\u3002"), "comma": good.replace(".", ","), "percent": good.replace(".", "%2E"),
        "other alphabet": good.replace("-", "+").replace("_", "/") + "+/", "blank behind the dot": good.replace(".",
        ". "),
        "blank in the middle": f"{head[:5]} {head[5:]}.{body}.{signature}", "tab": f"\t{good}", "quotes": f'"{good}"',
        "brackets": f"<{good}>", "scheme twice": f"Bearer {good}", "comma behind": f"{good},",
        "semicolon": f"{good};x=y",
        "two joined": f"{good}, Bearer {good}", "two joined tightly": f"{good},{good}",
        "scheme behind": f"{good} Bearer",
        "other letters": good.swapcase(),
        "signature of another": f"{head}.{body}.{sign(claims(sub='x')).split('.')[2]}",
        "payload of another": f"{head}.{sign(claims(sub='x')).split('.')[1]}.{signature}",
        "signature shortened": good[:-4],
        "signature longer": f"{good}AAAA", "JSON": json.dumps({"protected": head, "payload": body,
        "signature": signature}),
        "very long": f"{head}.{'A' * 17_000}.{signature}", "too long": sign(claims(pad="x" * 13_000)),
    }  # fmt: skip
    yield from forms.items()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spare = {2: 15, 3: 3}.get(len(signature) % 4, 0)
    for bits in range(1, spare + 1):
        last = alphabet[alphabet.index(signature[-1]) ^ bits]
        yield f"spare bits {bits}", f"{head}.{body}.{signature[:-1]}{last}"


def unsound_claims() -> Iterator[Attack]:
    """Claims that are signed and still not those of a good token."""
    far = "1" + "0" * 400
    for name, value in product(
        ("exp", "nbf", "iat"),
        ("null", "true", "false", '""', f'"{NOW + 60}"', "[]", "{}", f"[{NOW}]", far, f"-{far}", "1" + "0" * 5000,
        "1e308", "1e999",
         "-1e308", "NaN", "Infinity", "-Infinity", "9223372036854775808", "0x10", "1_0", "+1", "01", "."),
    ):  # fmt: skip
        yield (
            f"{name} {value[:12]}",
            raw_payload(json.dumps(claims(**{name: 0})).replace(f'"{name}": 0', f'"{name}": {value}')),
        )
    for value in odd(NOW, NOW - 1, 0, -1, -0.0, 0.5):
        yield f"exp {value}", sign(claims(exp=value))
    changed: dict[str, dict[str, Any]] = {
        "without exp": {"exp": None}, "not valid yet": {"nbf": NOW + 1}, "not valid for long": {"nbf": NOW + 0.5},
        "starts after its end": {"nbf": NOW + 90}, "without iss": {"iss": None}, "without aud": {"aud": None},
    }  # fmt: skip
    for name, changes in changed.items():
        yield name, sign(claims(**changes))
    audience, issuer = "api://audience", "https://issuer.example.com"
    for value in odd(
        audience.upper(), f"{audience} ", f" {audience}", f"{audience}/", f"{audience}\0", f"{audience},x",
        f"x,{audience}", f"x {audience}",
        "api://audienc\u0435", "api:\u2215\u2215audience", "api%3A//audience", "", [], [[audience]], {audience: 1},
        [{"a": audience}], 1, True, [None],
    ):  # fmt: skip
        yield f"aud {value!r}", sign(claims(aud=value))
    for value in odd(
        f"{issuer}/", issuer.upper(), f"{issuer}:443", f"{issuer}.", f" {issuer}", f"{issuer}\0", f"{issuer}#",
        f"{issuer}?", "http://issuer.example.com",
        "https://issuer.ex\u0430mple.com", "https://\u0456ssuer.example.com", "https://issuer\u2024example.com",
        "https://issuer.example.com@evil.com",
        "https://evil.com/https://issuer.example.com", f"{issuer}\u200b", "https://xn--issuer.example.com", "",
        [issuer], {"iss": issuer}, 1, True,
    ):  # fmt: skip
        yield f"iss {value!r}", sign(claims(iss=value))
    text = json.dumps(claims())
    for payload in (
        text[:-1] + ', "aud": "api://audience"}', text[:-1] + ', "\\u0061ud": "x"}',
        text[:-1] + ', "x": {"a": 1, "a": 1}}', f"[{text}]", f'"{text[:5]}"',
        f"{text}{text}", f"\ufeff{text}", f"{text}\0", text.replace('"', "'"), text[:-1] + ",}",
        text[:-1] + ', "x": "\\ud800"}', text[:-1] + ', "x": "\t"}',
        text[:-1] + ', "x": ' + "[" * 40 + "]" * 40 + "}", text[:-1] + ', "x": ' + '{"a":' * 900 + "1" + "}" * 901,
        "null", "1", "{}", "",
        text[:-1] + ', "x": ' + "[" * 5000 + "]" * 5000 + "}", text[:-1] + ', "x": 1e999}', text[:-1] + ', "x": NaN}',
    ):  # fmt: skip
        yield f"payload {payload[:12]}…{payload[-24:]!r}", raw_payload(payload)


def raw_payload(payload: str) -> str:
    return sign_text(payload, rsa("k1"), {"alg": "RS256", "kid": "k1"})


GROUPS = {
    "headers": unsound_headers, "keys": confused_keys, "elliptic signatures": elliptic_signatures,
    "spellings": spellings, "claims": unsound_claims,
}  # fmt: skip
LEAST = {"headers": 140, "keys": 170, "elliptic signatures": 25, "spellings": 36, "claims": 130}


@pytest.mark.parametrize("group", GROUPS)
async def test_no_hostile_token_is_let_in(
    gateway_bench: Bench, provider: Provider, group: str, caplog: pytest.LogCaptureFixture
) -> None:
    gateway_bench.load(inbound(jwt.policy(provider, inline_secret(), jwt.AUDIENCE)))
    assert (await jwt.answer(gateway_bench, sign(claims()))).status == 200
    assert (await jwt.answer(gateway_bench, sign(claims(), elliptic("e1"), alg="ES256"))).status == 200
    gateway_bench.backend.calls.clear()
    tally = Tally(f"validate-jwt, {group}")

    for name, token in GROUPS[group]():
        raw = f"GET /api/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
        answer = await gateway_bench.raw(raw)
        status, calls = int(answer.split(b" ")[1]), len(gateway_bench.backend.calls)
        gateway_bench.backend.calls.clear()
        tally.note(name, through=status not in {400, 401}, crashed=status >= 500, upstream_calls=calls)

    tally.check(LEAST[group])
    assert "inside the gateway" not in caplog.text
    assert provider.fetches <= 2


def inline_secret() -> str:
    return f"<issuer-signing-keys><key id='own'>{base64.b64encode(SECRET[::-1]).decode()}</key></issuer-signing-keys>"


async def test_no_hostile_token_is_let_in_as_of_entra(gateway_bench: Bench) -> None:
    keys: list[Key] = [rsa("k1"), elliptic("e1")]
    tally = Tally("validate-azure-ad-token")
    async with running(Provider(f"{entra.LOGIN}/{entra.TENANT}/v2.0", keys)) as provider:
        gateway_bench.network.route("login.microsoftonline.com", provider.url)
        gateway_bench.load(inbound(entra.policy(entra.clients(entra.CLIENT) + entra.ROLE)))
        assert (await entra.answer(gateway_bench, sign(entra.claims()))).status == 200
        gateway_bench.backend.calls.clear()
        for name, token in [*((name, make()) for name, make in entra.ATTACKS.items()), *entra_claims()]:
            status = (await entra.answer(gateway_bench, token)).status
            calls = len(gateway_bench.backend.calls)
            gateway_bench.backend.calls.clear()
            tally.note(name, through=status != 401, crashed=status >= 500, upstream_calls=calls)

    tally.check(60)


def entra_claims() -> Iterator[Attack]:
    """Tokens that Entra could have signed for somebody else, and some that it never would."""
    own, other, login = entra.TENANT, entra.OTHER_TENANT, entra.LOGIN
    for value in odd("", "1", "2", "2.0 ", "2.00", "v2.0", "3.0", 2, 2.0, 1, True, ["2.0"], {}):
        yield f"ver {value!r}", sign(entra.claims(ver=value))
    for value in odd(
        "",
        own[:-1],
        f"{own} ",
        f"{{{own}}}",
        own.replace("-", ""),
        f"urn:uuid:{own}",
        "common",
        1,
        [own],
        {},
    ):
        yield f"tid {value!r}", sign(entra.claims(tid=value, iss=f"{login}/{own}/v2.0"))
    for value in odd(
        f"{login}/{own}/v2.0/", f"{login}/{own}", f"{login}/{own}/v1.0", f"{login}//{own}/v2.0",
        f"http://login.microsoftonline.com/{own}/v2.0",
        f"https://login.microsoftonline.us/{own}/v2.0", f"https://login.windows.net/{own}/v2.0",
        f"{login}.evil.com/{own}/v2.0",
        f"https://login.micr\u043esoftonline.com/{own}/v2.0", f"{login}/{{tenantid}}/v2.0",
        f"{login}/{other}/../{own}/v2.0",
        f"{login}/common/v2.0", f"{login}/{own}/v2.0#", f"{login.upper()}/{own}/v2.0",
        f"https://sts.windows.net/{own}/",
    ):  # fmt: skip
        yield f"iss {value}", sign(entra.claims(iss=value))
    for value in odd(
        "",
        entra.CLIENT[:-1],
        f"{entra.CLIENT} ",
        f"{{{entra.CLIENT}}}",
        [entra.CLIENT],
        1,
        {"a": entra.CLIENT},
    ):
        yield f"azp {value!r}", sign(entra.claims(azp=value))
    for value in odd("chat.user", ["chat.user"], "Chat.User,x", {"Chat.User": True}, [["Chat.User"]], ["Chat.User "]):
        yield f"roles {value!r}", sign(entra.claims(roles=value))


@pytest.mark.parametrize("values", [2, 3])
async def test_several_authorization_headers_are_refused(gateway_bench: Bench, provider: Provider, values: int) -> None:
    """One good one and others, in any place: nobody may choose another than the gateway does."""
    tally = Tally(f"{values} Authorization headers")
    for policy in (
        jwt.policy(provider, jwt.AUDIENCE),
        jwt.policy(provider, attributes="header-name='authorization' require-scheme='Bearer'"),
    ):
        gateway_bench.load(inbound(policy))
        good = f"Bearer {sign(claims())}"
        for others in product(("", "x", "Basic eDp5", good), repeat=values - 1):
            for place in range(values):
                lines = [*others[:place], good, *others[place:]]
                text = "".join(f"{('Authorization', 'authorization')[i % 2]}: {one}\r\n" for i, one in enumerate(lines))
                raw = f"GET /api/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{text}\r\n"
                answer = await gateway_bench.raw(raw)
                calls = len(gateway_bench.backend.calls)
                gateway_bench.backend.calls.clear()
                tally.note(
                    repr(lines)[:80],
                    through=b" 401 " not in answer[:20],
                    crashed=b" 500 " in answer[:20],
                    upstream_calls=calls,
                )

    tally.check(16)


# Generated


def bench_of(policy: str = "") -> tuple[PolicyBench, EntraTenant]:
    audience = "<audiences><audience>api://audience</audience></audiences>"
    text = f"<validate-azure-ad-token tenant-id='{{{{tenant}}}}'>{audience}</validate-azure-ad-token>"
    bench = PolicyBench(inbound(policy or text), trace=False, named_values={"tenant": TENANT})
    return bench, bench.entra


@st.composite
def edits(draw: st.DrawFn) -> Callable[[str], str]:
    """Draw a change of a text: a piece cut out, put in, doubled or moved."""
    first, second = draw(st.floats(0, 1)), draw(st.floats(0, 1))
    piece = draw(
        st.one_of(
            st.sampled_from(["", ".", "=", "-", "_", "A", " ", "%2e", "\t", "..", "e30", "Bearer "]),
            st.text("AZaz09-_.=", max_size=4),
        )
    )
    doubled = draw(st.booleans())

    def apply(text: str) -> str:
        low, high = sorted((int(first * len(text)), int(second * len(text))))
        high = min(high, low + 12)
        return text[:low] + piece + (text[low:high] * 2 if doubled else "") + text[high:]

    return apply


@settings(max_examples=250, deadline=None)
@given(changes=st.lists(edits(), min_size=1, max_size=3))
def test_a_token_that_was_changed_anywhere_is_refused(changes: list[Callable[[str], str]]) -> None:
    bench, tenant = bench_of()
    good = tenant.token("api://audience")
    changed = good
    for change in changes:
        changed = change(changed)

    response = bench.get(headers={"Authorization": f"Bearer {changed}"})

    expected = 200 if changed.strip(" ") == good else 401
    assert (response.status_code, len(response.requests)) == (expected, int(expected == 200))


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=250, deadline=None)
@given(name=st.sampled_from(["exp", "nbf", "iat", "aud", "iss", "tid", "ver"]), value=ANY_JSON)
def test_a_claim_of_any_shape_is_refused_unless_it_is_right(name: str, value: object) -> None:
    bench, tenant = bench_of()
    given_claims: dict[str, Any] = {name: value}
    issued = tenant.token("api://audience", **given_claims)
    now = bench.clock.now()
    is_time = isinstance(value, int | float) and not isinstance(value, bool) and -253_402_300_799 <= value < 2**63
    # A claim that the tenant is told to leave out.
    left_out = value is None
    right = {
        "exp": not left_out and is_time and isinstance(value, int | float) and value > now,
        "nbf": left_out or (is_time and isinstance(value, int | float) and value <= now),
        "iat": left_out or is_time,
    }.get(name, False)

    response = bench.get(headers={"Authorization": f"Bearer {issued}"})

    assert response.status_code == (200 if right else 401)
    assert len(response.requests) == int(right)


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(max_size=60)
    | st.binary(max_size=60).map(encode)
    | st.lists(st.binary(max_size=20).map(encode), max_size=6).map(".".join)
)
def test_noise_is_refused(text: str) -> None:
    bench, _ = bench_of(
        "<validate-jwt token-value='@(context.Request.Body.As&lt;string&gt;())'>" + inline_secret() + "</validate-jwt>"
    )

    response = bench.post(data=text.encode("utf-8", "surrogatepass"))

    assert response.status_code == 401
    assert response.error is not None
    assert response.error.reason in {"TokenNotPresent", "JwtInvalid", "TokenSignatureInvalid"}
    assert response.requests == ()


# Keys in the policy


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        pytest.param(f"<key>{base64.b64encode(SECRET[:31]).decode()}</key>", "32 bytes or more", id="31 bytes"),
        pytest.param("<key></key>", "32 bytes or more", id="empty"),
        pytest.param("<key>not base64!</key>", "32 bytes or more", id="not Base64"),
        pytest.param(
            f"<key n='{weak().as_dict(private=False)['n']}' e='AQAB'/>", "2048 bits or more", id="RSA of 1024 bits"
        ),
        pytest.param("<key n='AQAB' e='AQAB'/>", "2048 bits or more", id="RSA of 24 bits"),
        pytest.param(
            f"<key n='{rsa('k1').as_dict(private=False)['n']}' e='AQ'/>", "2048 bits or more", id="exponent 1"
        ),
        pytest.param("<key certificate-id='c'/>", "certificate-id", id="certificate"),
    ],
)
def test_weak_key_is_refused_when_the_policy_is_loaded(key: str, reason: str) -> None:
    policy = (
        f"<validate-jwt header-name='Authorization'><issuer-signing-keys>{key}</issuer-signing-keys></validate-jwt>"
    )

    with pytest.raises(PolicyLoadError, match=reason):
        compile_plan(gateway(inbound(policy)))


@pytest.mark.parametrize(("size", "accepted"), [(32, {256}), (48, {256, 384}), (64, {256, 384, 512})])
def test_symmetric_key_signs_with_no_longer_a_hash_than_itself(size: int, accepted: set[int]) -> None:
    secret = hashlib.shake_256(b"x").digest(size)
    keys = f"<issuer-signing-keys><key>{base64.b64encode(secret).decode()}</key></issuer-signing-keys>"
    bench = PolicyBench(inbound(f"<validate-jwt header-name='Authorization'>{keys}</validate-jwt>"))
    found = set()
    for bits in (256, 384, 512):
        start = forge({"alg": f"HS{bits}"}, b"").rstrip(".")
        token = f"{start}.{encode(hmac.new(secret, start.encode(), f'sha{bits}').digest())}"
        if bench.get(headers={"Authorization": token}).status_code == 200:
            found.add(bits)

    assert found == accepted


async def test_jws_in_json_or_several_tokens_in_a_query_are_refused(gateway_bench: Bench, provider: Provider) -> None:
    gateway_bench.load(inbound(jwt.policy(provider, attributes="query-parameter-name='t'")))
    good = sign(claims())

    statuses = [
        (await gateway_bench.call(f"/api/models?{query}")).status
        for query in (f"t={good}&t={good}", f"T={good}&t=x", f"t={good},{good}")
    ]

    assert statuses == [401, 401, 401]
    assert gateway_bench.backend.calls == []
