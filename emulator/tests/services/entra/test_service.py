import re
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.jwk import KeySet

from apim_emulator.clock import Clock
from apim_emulator.services.entra import Entra
from apim_emulator.services.entra.grants import TokenRequestError
from apim_emulator.services.signing import LIFETIME, InvalidTokenError, SigningKey, tamper, unverified_claims
from emulator.tests.services.fake_control_plane import (
    API,
    CLIENT,
    FOREIGN_API,
    IDENTITY,
    OTHER_TENANT,
    TENANT,
    UNKNOWN,
    USER,
    V1_API,
    FakeControlPlane,
)

pytestmark = pytest.mark.slow

COGNITIVE_SERVICES = "https://cognitiveservices.azure.com"
FORM = {
    "grant_type": "client_credentials",
    "client_id": CLIENT.client_id,
    "client_secret": "client-secret",
    "scope": f"{API.client_id}/.default",
}


async def request_token(
    http: ClientSession, login: TestServer, tenant: str = TENANT, **changes: str | None
) -> tuple[int, dict[str, Any]]:
    form = {name: value for name, value in {**FORM, **changes}.items() if value is not None}
    async with http.post(login.make_url(f"/{tenant}/oauth2/v2.0/token"), data=form) as response:
        return response.status, await response.json()


async def published_keys(http: ClientSession, login: TestServer, tenant: str = TENANT) -> KeySet:
    async with http.get(login.make_url(f"/{tenant}/discovery/v2.0/keys")) as response:
        return KeySet.import_key_set(await response.json())


def assigned(*roles: str, required: bool = False) -> FakeControlPlane:
    assignments = {CLIENT.service_principal_id: frozenset(roles)} if roles else {}
    return FakeControlPlane(apps=[CLIENT, replace(API, assignments=assignments, assignment_required=required)])


@pytest.mark.parametrize(
    ("path", "issuer", "keys"),
    [
        pytest.param(
            "v2.0/.well-known/openid-configuration",
            f"https://login.microsoftonline.com/{TENANT}/v2.0",
            f"https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys",
            id="v2.0",
        ),
        pytest.param(
            ".well-known/openid-configuration",
            f"https://sts.windows.net/{TENANT}/",
            f"https://login.microsoftonline.com/{TENANT}/discovery/keys",
            id="v1.0",
        ),
    ],
)
async def test_openid_configuration_refers_to_entra_and_its_keys_are_served(
    http: ClientSession, login: TestServer, path: str, issuer: str, keys: str
) -> None:
    async with http.get(login.make_url(f"/{TENANT.upper()}/{path}")) as response:
        configuration = await response.json()
    async with http.get(
        login.make_url(configuration["jwks_uri"].removeprefix("https://login.microsoftonline.com"))
    ) as response:
        key_set = await response.json()

    assert configuration["issuer"] == issuer
    assert configuration["jwks_uri"] == keys
    assert [key["kty"] for key in key_set["keys"]] == ["RSA"]


async def test_each_tenant_has_a_key_of_its_own(http: ClientSession, login: TestServer) -> None:
    ours, theirs = await published_keys(http, login), await published_keys(http, login, OTHER_TENANT)

    assert ours.keys[0].kid != theirs.keys[0].kid


@pytest.mark.parametrize(
    "path", ["v2.0/.well-known/openid-configuration", "discovery/v2.0/keys", ".well-known/openid-configuration"]
)
async def test_an_unknown_tenant_has_no_documents(http: ClientSession, login: TestServer, path: str) -> None:
    async with http.get(login.make_url(f"/{UNKNOWN}/{path}")) as response:
        body = await response.json()

    assert response.status == 400
    assert (body["error"], body["error_codes"]) == ("invalid_tenant", [90002])


@pytest.mark.parametrize("secret", CLIENT.secrets)
async def test_client_credentials_give_a_v2_token(
    http: ClientSession, login: TestServer, clock: Clock, secret: str
) -> None:
    status, answer = await request_token(http, login, client_secret=secret)

    token = jwt.decode(answer["access_token"], await published_keys(http, login), algorithms=["RS256"])
    issued = int(clock.now())
    assert status == 200
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", LIFETIME - 1)
    assert token.claims.pop("uti")
    assert token.claims == {
        "aud": API.client_id,
        "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0",
        "iat": issued,
        "nbf": issued,
        "exp": issued + LIFETIME,
        "azp": CLIENT.client_id,
        "azpacr": "1",
        "idtyp": "app",
        "oid": CLIENT.service_principal_id,
        "sub": CLIENT.service_principal_id,
        "tid": TENANT,
        "ver": "2.0",
    }


@pytest.mark.parametrize("resource", [API.client_id, "api://openai"])
async def test_a_resource_is_named_by_client_id_or_identifier_uri(
    http: ClientSession, login: TestServer, resource: str
) -> None:
    _, answer = await request_token(http, login, scope=f"{resource}/.default")

    assert unverified_claims(answer["access_token"])["aud"] == API.client_id


async def test_an_application_with_v1_tokens_gets_them(http: ClientSession, login: TestServer) -> None:
    _, answer = await request_token(http, login, scope="api://legacy/.default")

    claims = jwt.decode(answer["access_token"], await published_keys(http, login), algorithms=["RS256"]).claims
    assert claims["aud"] == "api://legacy"
    assert claims["iss"] == f"https://sts.windows.net/{TENANT}/"
    assert (claims["appid"], claims["appidacr"], claims["ver"]) == (CLIENT.client_id, "1", "1.0")
    assert "azp" not in claims


@pytest.mark.parametrize("resource", [COGNITIVE_SERVICES, COGNITIVE_SERVICES + "/"])
async def test_a_first_party_audience_is_the_one_asked_for(
    http: ClientSession, login: TestServer, resource: str
) -> None:
    _, answer = await request_token(http, login, scope=f"{resource}/.default")

    claims = unverified_claims(answer["access_token"])
    assert (claims["aud"], claims["ver"]) == (resource, "1.0")


@pytest.mark.parametrize("directory", [assigned("Chat.User", "Chat.Admin", required=True)], ids=["two roles"])
async def test_assigned_roles_are_in_the_token(http: ClientSession, login: TestServer) -> None:
    _, answer = await request_token(http, login)

    assert unverified_claims(answer["access_token"])["roles"] == ["Chat.Admin", "Chat.User"]


async def test_a_role_that_is_taken_away_is_missing_from_the_next_token(
    http: ClientSession, login: TestServer, directory: FakeControlPlane
) -> None:
    directory.apps = assigned("Chat.User").apps
    _, before = await request_token(http, login)
    directory.apps = assigned().apps
    _, after = await request_token(http, login)

    assert unverified_claims(before["access_token"])["roles"] == ["Chat.User"]
    assert "roles" not in unverified_claims(after["access_token"])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"client_secret": "guessed-secret"}, (401, "invalid_client", [7000215]), id="wrong secret"),
        pytest.param({"client_secret": "sécret"}, (401, "invalid_client", [7000215]), id="secret beyond ASCII"),
        pytest.param({"client_secret": None}, (401, "invalid_client", [7000218]), id="no secret"),
        pytest.param({"client_id": UNKNOWN}, (400, "unauthorized_client", [700016]), id="unknown client"),
        pytest.param({"client_id": None}, (400, "invalid_request", [900144]), id="no client"),
        pytest.param(
            {"client_id": API.client_id}, (401, "invalid_client", [7000215]), id="client that has no secrets at all"
        ),
        pytest.param({"scope": "api://nobody/.default"}, (400, "invalid_resource", [500011]), id="unknown resource"),
        pytest.param({"scope": "api://foreign/.default"}, (400, "invalid_resource", [500011]), id="another tenant's"),
        pytest.param({"scope": "api://openai/Chat.User"}, (400, "invalid_scope", [1002012]), id="scope not default"),
        pytest.param({"scope": "a/.default b/.default"}, (400, "invalid_scope", [70011]), id="two scopes"),
        pytest.param({"scope": None}, (400, "invalid_request", [900144]), id="no scope"),
        pytest.param({"grant_type": "implicit"}, (400, "unsupported_grant_type", [70003]), id="other grant"),
        pytest.param({"grant_type": None}, (400, "invalid_request", [900144]), id="no grant"),
        pytest.param({"tenant": UNKNOWN}, (400, "invalid_tenant", [90002]), id="unknown tenant"),
        pytest.param({"tenant": OTHER_TENANT}, (400, "unauthorized_client", [700016]), id="client of another tenant"),
    ],
)
async def test_a_bad_token_request_is_refused(
    http: ClientSession, login: TestServer, changes: dict[str, Any], expected: tuple[int, str, list[int]]
) -> None:
    status, body = await request_token(http, login, **changes)

    assert (status, body["error"], body["error_codes"]) == expected
    assert re.fullmatch(
        rf"AADSTS{expected[2][0]}: .+ Trace ID: {body['trace_id']} Correlation ID: {body['correlation_id']}"
        rf" Timestamp: {body['timestamp']}",
        body["error_description"],
    )
    assert body["timestamp"] == "2025-06-15 15:06:40Z"
    assert "guessed-secret" not in str(body)


@pytest.mark.parametrize("directory", [assigned(required=True)], ids=["assignment required"])
async def test_a_client_without_assignment_is_refused_where_one_is_required(
    http: ClientSession, login: TestServer
) -> None:
    status, body = await request_token(http, login)

    assert (status, body["error"], body["error_codes"]) == (400, "invalid_grant", [501051])
    assert CLIENT.client_id in body["error_description"]


@pytest.mark.parametrize("resource", [COGNITIVE_SERVICES, COGNITIVE_SERVICES + "/"])
async def test_a_managed_identity_gets_a_token(
    http: ClientSession, login: TestServer, entra: Entra, clock: Clock, resource: str
) -> None:
    token, expires = entra.managed_identity_token(IDENTITY.principal_id, resource)

    claims = jwt.decode(token, await published_keys(http, login), algorithms=["RS256"]).claims
    assert expires == claims["exp"] == int(clock.now()) + LIFETIME
    assert claims["aud"] == resource
    assert claims["oid"] == claims["sub"] == IDENTITY.principal_id
    assert (claims["appid"], claims["appidacr"]) == (IDENTITY.client_id, "2")
    assert (claims["iss"], claims["ver"]) == (f"https://sts.windows.net/{TENANT}/", "1.0")


def test_a_managed_identity_gets_its_roles_in_an_application(directory: FakeControlPlane, entra: Entra) -> None:
    directory.apps = [replace(API, assignments={IDENTITY.principal_id: frozenset({"Chat.User"})})]

    token, _ = entra.managed_identity_token(IDENTITY.principal_id, "api://openai")

    claims = unverified_claims(token)
    assert (claims["aud"], claims["roles"], claims["azp"]) == (API.client_id, ["Chat.User"], IDENTITY.client_id)


@pytest.mark.parametrize(
    ("principal", "resource", "message"),
    [
        pytest.param(UNKNOWN, COGNITIVE_SERVICES, f"No managed identity '{UNKNOWN}'", id="unknown identity"),
        pytest.param(
            IDENTITY.principal_id, "https://nobody.example", "https://nobody.example was not found", id="resource"
        ),
        pytest.param(IDENTITY.principal_id, "api://openai", "is not assigned to a role", id="not assigned"),
    ],
)
def test_a_managed_identity_is_refused_with_a_clear_reason(
    directory: FakeControlPlane, entra: Entra, principal: str, resource: str, message: str
) -> None:
    directory.apps = [replace(API, assignment_required=True)]

    with pytest.raises(TokenRequestError, match=re.escape(message)):
        entra.managed_identity_token(principal, resource)


def test_a_minted_token_is_what_the_token_endpoint_would_issue(directory: FakeControlPlane, entra: Entra) -> None:
    directory.apps = assigned("Chat.User").apps

    claims = entra.verify(mint(entra, directory.apps[1]))

    assert (claims["aud"], claims["azp"], claims["roles"]) == (API.client_id, CLIENT.client_id, ["Chat.User"])


@pytest.mark.parametrize(
    ("api", "changes", "expected"),
    [
        pytest.param(API, {"claims": {"aud": "other"}}, {"aud": "other"}, id="wrong audience"),
        pytest.param(API, {"client_id": UNKNOWN}, {"azp": UNKNOWN}, id="other client"),
        pytest.param(API, {"claims": {"azp": None}}, {"azp": None}, id="no client"),
        pytest.param(API, {"claims": {"roles": ["x"]}}, {"roles": ["x"]}, id="other roles"),
        pytest.param(
            API,
            {"tenant_id": OTHER_TENANT},
            {"tid": OTHER_TENANT, "iss": f"https://login.microsoftonline.com/{OTHER_TENANT}/v2.0"},
            id="other tenant",
        ),
        pytest.param(V1_API, {}, {"aud": "api://legacy", "iss": f"https://sts.windows.net/{TENANT}/"}, id="v1.0"),
        pytest.param(FOREIGN_API, {}, {"tid": OTHER_TENANT}, id="application of another tenant"),
        pytest.param(COGNITIVE_SERVICES, {}, {"aud": COGNITIVE_SERVICES, "tid": TENANT}, id="first party"),
    ],
)
def test_a_minted_token_can_be_changed(
    entra: Entra, api: Any, changes: dict[str, Any], expected: dict[str, object]
) -> None:
    claims = entra.verify(mint(entra, api, **changes))

    assert {name: claims.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        pytest.param(lambda entra: mint(entra, API, age=LIFETIME + 1), "expired", id="expired"),
        pytest.param(lambda entra: mint(entra, API, age=-60), "not valid yet", id="from the future"),
        pytest.param(lambda entra: tamper(mint(entra, API), roles=["Chat.Admin"]), "signature", id="tampered"),
        pytest.param(lambda entra: mint(entra, API, tenant_id=UNKNOWN), "not a known tenant", id="unknown tenant"),
        pytest.param(lambda entra: mint(entra, API, claims={"iss": None}), "not a known tenant", id="no issuer"),
        pytest.param(
            lambda entra: SigningKey().sign(unverified_claims(mint(entra, API))), "signature", id="another issuer's key"
        ),
        pytest.param(
            lambda entra: mint(entra, API, claims={"iss": f"https://login.microsoftonline.com/{OTHER_TENANT}/v2.0"}),
            "signature",
            id="another tenant's issuer",
        ),
        pytest.param(lambda _: "not.a.token", "not a JSON Web Token", id="not a token"),
    ],
)
def test_a_token_that_is_not_valid_is_refused(entra: Entra, bad: Any, reason: str) -> None:
    with pytest.raises(InvalidTokenError, match=reason):
        entra.verify(bad(entra))


def test_a_token_expires_when_time_passes(entra: Entra, clock: Clock) -> None:
    token = mint(entra, API)
    clock.advance(LIFETIME)

    with pytest.raises(InvalidTokenError, match="expired"):
        entra.verify(token)


def mint(entra: Entra, api: Any, **changes: Any) -> str:
    return entra.issue(api, **{"client_id": CLIENT.client_id, "principal_id": CLIENT.service_principal_id, **changes})


FOR_USER = {
    "grant_type": "password",
    "username": USER.name,
    "password": USER.password,
    "scope": f"{API.client_id}/chat openid profile",
}


def assigned_user(*roles: str, required: bool = False) -> FakeControlPlane:
    assignments = {USER.object_id: frozenset(roles)} if roles else {}
    return FakeControlPlane(apps=[CLIENT, replace(API, assignments=assignments, assignment_required=required)])


async def test_a_client_gets_a_users_token_with_what_it_was_granted(
    http: ClientSession, login: TestServer, clock: Clock
) -> None:
    status, answer = await request_token(http, login, **FOR_USER)

    token = jwt.decode(answer["access_token"], await published_keys(http, login), algorithms=["RS256"])
    issued = int(clock.now())
    assert (status, answer["scope"]) == (200, f"{API.client_id}/chat {API.client_id}/embed")
    assert token.claims.pop("uti")
    assert token.claims.pop("sub") != USER.object_id
    assert token.claims == {
        "aud": API.client_id,
        "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0",
        "iat": issued,
        "nbf": issued,
        "exp": issued + LIFETIME,
        "azp": CLIENT.client_id,
        "azpacr": "1",
        "name": "ada",
        "oid": USER.object_id,
        "preferred_username": USER.name,
        "scp": "chat embed",
        "tid": TENANT,
        "ver": "2.0",
    }


async def test_a_users_token_of_v1_has_the_same_scopes(http: ClientSession, login: TestServer) -> None:
    _, answer = await request_token(http, login, **{**FOR_USER, "scope": "api://legacy/.default"})

    claims = unverified_claims(answer["access_token"])
    assert claims.items() >= {"aud": "api://legacy", "appid": CLIENT.client_id, "scp": "chat", "ver": "1.0"}.items()
    assert claims.items() >= {"upn": USER.name, "unique_name": USER.name, "amr": ["pwd"]}.items()
    assert not {"azp", "preferred_username", "idtyp"} & claims.keys()


@pytest.mark.parametrize("directory", [assigned_user("Chat.User", required=True)], ids=["one role"])
async def test_a_users_roles_are_in_the_token(http: ClientSession, login: TestServer) -> None:
    _, answer = await request_token(http, login, **FOR_USER)

    assert unverified_claims(answer["access_token"])["roles"] == ["Chat.User"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"username": "eve@contoso.com"}, ("invalid_grant", [50034]), id="unknown user"),
        pytest.param({"password": "guessed"}, ("invalid_grant", [50126]), id="wrong password"),
        pytest.param({"password": "pässword"}, ("invalid_grant", [50126]), id="password beyond ASCII"),
        pytest.param({"username": None}, ("invalid_request", [900144]), id="no user"),
        pytest.param({"password": None}, ("invalid_request", [900144]), id="no password"),
        pytest.param({"client_secret": "guessed"}, ("invalid_client", [7000215]), id="wrong client secret"),
        pytest.param({"scope": "api://openai/admin"}, ("invalid_grant", [65001]), id="not consented"),
        pytest.param({"scope": "api://openai/chat2"}, ("invalid_client", [650053]), id="unknown scope"),
        pytest.param({"scope": "api://openai/chat api://legacy/chat"}, ("invalid_scope", [70011]), id="two resources"),
        pytest.param({"scope": "api://openai/chat chat"}, ("invalid_scope", [70011]), id="scope of nothing"),
        pytest.param({"scope": "openid"}, ("invalid_scope", [70011]), id="no scope of a resource"),
        pytest.param({"scope": "api://foreign/chat"}, ("invalid_resource", [500011]), id="another tenant's"),
        pytest.param({"scope": f"{COGNITIVE_SERVICES}/.default"}, ("invalid_grant", [65001]), id="Azure OpenAI"),
    ],
)
async def test_a_bad_request_for_a_users_token_is_refused(
    http: ClientSession, login: TestServer, changes: dict[str, str | None], expected: tuple[str, list[int]]
) -> None:
    form: dict[str, Any] = {**FOR_USER, **changes}
    _, body = await request_token(http, login, **form)

    assert (body["error"], body["error_codes"]) == expected
    assert USER.password not in str(body)


@pytest.mark.parametrize("directory", [assigned_user(required=True)], ids=["assignment required"])
async def test_a_user_without_assignment_is_refused_where_one_is_required(
    http: ClientSession, login: TestServer
) -> None:
    _, body = await request_token(http, login, **FOR_USER)

    assert (body["error"], body["error_codes"]) == ("invalid_grant", [50105])


def test_a_users_token_can_be_minted(entra: Entra) -> None:
    claims = entra.verify(mint(entra, API, user=USER, scopes=["embed", "chat"]))

    assert (claims["oid"], claims["scp"], claims["azp"]) == (USER.object_id, "chat embed", CLIENT.client_id)
    assert "idtyp" not in claims
