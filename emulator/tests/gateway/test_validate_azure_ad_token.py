from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from emulator.tests.gateway.harness import NOW, Bench, header, inbound
from emulator.tests.gateway.oidc import Provider, confused, forge, rsa, running, sign

TENANT = "11111111-2222-3333-4444-555555555555"
OTHER_TENANT = "99999999-2222-3333-4444-555555555555"
CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"
CLIENT = "aaaaaaaa-0000-0000-0000-000000000001"
LOGIN = "https://login.microsoftonline.com"
INVALID = b'{ "statusCode": 401, "message": "Invalid JWT." }'
NOT_PRESENT = b'{ "statusCode": 401, "message": "JWT not present." }'


@pytest.fixture
async def entra(gateway_bench: Bench) -> AsyncIterator[Provider]:
    async with running(Provider(f"{LOGIN}/{TENANT}/v2.0")) as provider:
        gateway_bench.network.route("login.microsoftonline.com", provider.url)
        yield provider


def claims(**changes: Any) -> dict[str, Any]:
    tenant = changes.get("tid", TENANT)
    good = {
        "iss": f"{LOGIN}/{tenant}/v2.0", "tid": TENANT, "ver": "2.0", "aud": "api://audience", "azp": CLIENT,
        "roles": ["Chat.User"], "exp": NOW + 60,
    }  # fmt: skip
    return {name: value for name, value in (good | changes).items() if value is not None}


def v1(**changes: Any) -> dict[str, Any]:
    issuer = f"https://sts.windows.net/{TENANT}/"
    return claims(**({"ver": "1.0", "iss": issuer, "appid": CLIENT, "azp": None} | changes))


def policy(*children: str, tenant: str = TENANT, attributes: str = "") -> str:
    inner = "".join(children) or "<audiences><audience>api://audience</audience></audiences>"
    return f"<validate-azure-ad-token tenant-id='{tenant}' {attributes}>{inner}</validate-azure-ad-token>"


def clients(*ids: str) -> str:
    listed = "".join(f"<application-id>{client}</application-id>" for client in ids)
    return f"<client-application-ids>{listed}</client-application-ids>"


ROLE = "<audiences><audience>api://audience</audience></audiences><required-claims><claim name='roles' match='any'><value>Chat.User</value></claim></required-claims>"  # noqa: E501


async def answer(bench: Bench, token: str) -> aiohttp.ClientResponse:
    return await bench.call(headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("made", [claims, v1], ids=["v2", "v1"])
@pytest.mark.parametrize(
    "children", [clients(CLIENT.upper()), ROLE, clients("x", CLIENT) + ROLE], ids=["client", "audience", "both"]
)
async def test_valid_token_is_let_in(gateway_bench: Bench, entra: Provider, made: Any, children: str) -> None:
    gateway_bench.load(inbound(policy(children)))

    assert (await answer(gateway_bench, sign(made()))).status == 200
    assert entra.fetches == 1


ATTACKS: dict[str, Any] = {
    "unsigned": lambda: forge({"alg": "none"}, payload=claims()),
    "HS256 with the public key": lambda: confused(rsa("k1")),
    "somebody else's key": lambda: sign(claims(), rsa("attacker"), kid="k1"),
    "unknown key": lambda: sign(claims(), rsa("attacker")),
    "expired": lambda: sign(claims(exp=NOW)),
    "without exp": lambda: sign(claims(exp=None)),
    "not valid yet": lambda: sign(claims(nbf=NOW + 1)),
    "wrong audience": lambda: sign(claims(aud="api://other")),
    "without audience": lambda: sign(claims(aud=None)),
    "other tenant": lambda: sign(claims(tid=OTHER_TENANT)),
    "other tenant, right issuer": lambda: sign(claims(tid=OTHER_TENANT, iss=f"{LOGIN}/{TENANT}/v2.0")),
    "right tenant, other issuer": lambda: sign(claims(iss=f"{LOGIN}/{OTHER_TENANT}/v2.0")),
    "without tenant": lambda: sign(claims(tid=None)),
    "tenant that is no GUID": lambda: sign(claims(tid="contoso.onmicrosoft.com")),
    "issuer without its last part": lambda: sign(claims(iss=f"{LOGIN}/{TENANT}/")),
    "v1 issuer in a v2 token": lambda: sign(claims(iss=f"https://sts.windows.net/{TENANT}/")),
    "v2 issuer in a v1 token": lambda: sign(v1(iss=f"{LOGIN}/{TENANT}/v2.0")),
    "unknown version": lambda: sign(claims(ver="3.0")),
    "without version": lambda: sign(claims(ver=None)),
    "version that is a number": lambda: sign(claims(ver=2.0)),
    "other client": lambda: sign(claims(azp=TENANT)),
    "without client": lambda: sign(claims(azp=None)),
    "client in the claim of the other version": lambda: sign(claims(azp=None, appid=CLIENT)),
    "without the role": lambda: sign(claims(roles=["Chat.Admin"])),
    "without roles": lambda: sign(claims(roles=None)),
    "role as part of a text": lambda: sign(claims(roles="Chat.User Chat.Admin")),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
async def test_attack_is_refused_and_never_reaches_the_backend(
    gateway_bench: Bench, entra: Provider, attack: Any
) -> None:
    gateway_bench.load(inbound(policy(clients(CLIENT) + ROLE)))

    response = await answer(gateway_bench, attack())

    assert response.status == 401
    assert await response.read() == INVALID
    assert gateway_bench.backend.calls == []
    assert entra.issuer.endswith("/v2.0")


@pytest.mark.parametrize("value", [None, "", "Basic x", "Bearer", "token-without-scheme"])
async def test_bearer_scheme_is_required(gateway_bench: Bench, entra: Provider, value: str | None) -> None:
    gateway_bench.load(inbound(policy()))

    response = await gateway_bench.call(headers={} if value is None else {"Authorization": value})

    assert await response.read() == NOT_PRESENT
    assert entra.fetches == 0


@pytest.mark.parametrize("second", ["Authorization", "authorization"])
async def test_two_authorization_headers_are_refused(gateway_bench: Bench, entra: Provider, second: str) -> None:
    gateway_bench.load(inbound(policy()))
    value = f"Bearer {sign(claims())}"

    response = await gateway_bench.raw(
        "GET /api/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Authorization: {value}\r\n{second}: {value}\r\n\r\n"
    )

    assert response.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
    assert response.endswith(INVALID)
    assert entra.fetches == 0


@pytest.mark.parametrize(
    ("tenant", "tid", "status"),
    [
        pytest.param(TENANT.upper(), TENANT, 200, id="GUID in another case"),
        pytest.param(f"{LOGIN}/{TENANT}/", TENANT, 200, id="URL"),
        pytest.param("contoso.onmicrosoft.com", TENANT, 200, id="domain"),
        pytest.param("contoso.onmicrosoft.com", OTHER_TENANT, 401, id="domain of another tenant"),
        pytest.param("organizations", OTHER_TENANT, 200, id="any organization"),
        pytest.param("organizations", CONSUMERS, 401, id="personal account"),
        pytest.param("common", CONSUMERS, 200, id="anybody"),
        pytest.param(TENANT, OTHER_TENANT, 401, id="another tenant"),
    ],
)
async def test_tenant(gateway_bench: Bench, entra: Provider, tenant: str, tid: str, status: int) -> None:
    gateway_bench.load(inbound(policy(tenant=tenant)))

    assert (await answer(gateway_bench, sign(claims(tid=tid)))).status == status
    assert entra.fetches == 1


async def test_backend_application_ids_are_audiences(gateway_bench: Bench, entra: Provider) -> None:
    ids = f"<backend-application-ids><application-id>{OTHER_TENANT}</application-id></backend-application-ids>"
    gateway_bench.load(inbound(policy(clients(CLIENT) + ids)))

    assert (await answer(gateway_bench, sign(claims(aud=OTHER_TENANT)))).status == 200
    assert (await answer(gateway_bench, sign(claims(aud=f"api://{OTHER_TENANT}")))).status == 200
    assert (await answer(gateway_bench, sign(claims()))).status == 401
    assert entra.fetches == 1


async def test_own_message_and_reason(gateway_bench: Bench, entra: Provider) -> None:
    attributes = "failed-validation-httpcode='401' failed-validation-error-message='Unauthorized. Access token is missing or invalid.'"  # noqa: E501
    change = header("X-Why", '@(context.LastError.Source + "/" + context.LastError.Reason)')
    gateway_bench.load(inbound(policy(attributes=attributes), on_error=change))

    response = await answer(gateway_bench, sign(claims(exp=NOW - 1)))

    assert await response.read() == (
        b'{ "statusCode": 401, "message": "Unauthorized. Access token is missing or invalid." }'
    )
    assert response.headers["X-Why"] == "validate-azure-ad-token/TokenExpired"
    assert entra.fetches == 1


async def test_entra_that_does_not_answer_lets_nobody_in(gateway_bench: Bench, entra: Provider) -> None:
    entra.broken = True
    gateway_bench.load(inbound(policy()))

    assert (await answer(gateway_bench, sign(claims()))).status == 401
