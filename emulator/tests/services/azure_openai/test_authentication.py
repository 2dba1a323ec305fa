"""Who may call: keys, tokens, roles, and what a refusal says."""

from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from multidict import CIMultiDict

from apim_emulator.clock import Clock
from apim_emulator.services.azure_openai import AzureOpenAI
from apim_emulator.services.azure_openai.authentication import OPENAI_CONTRIBUTOR, OPENAI_USER
from apim_emulator.services.entra import Entra
from apim_emulator.services.signing import LIFETIME, SigningKey, tamper, unverified_claims
from emulator.tests.services.fake_control_plane import (
    ACCOUNT,
    ACCOUNT_ID,
    CLIENT,
    IDENTITY,
    KEYLESS_ACCOUNT,
    KEYS,
    TENANT,
    UNKNOWN,
    FakeControlPlane,
)

COGNITIVE_SERVICES = "https://cognitiveservices.azure.com"
CHAT = "openai/deployments/chat/chat/completions?api-version=2024-10-21"
HELLO = {"messages": [{"role": "user", "content": "Hello"}]}

INVALID_KEY = {
    "error": {
        "code": "401",
        "message": "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid "
        "key for an active subscription and use a correct regional API endpoint for your resource.",
    }
}
INVALID_TOKEN = {
    "statusCode": 401,
    "message": "Unauthorized. Access token is missing, invalid, audience is incorrect "
    "(https://cognitiveservices.azure.com), or have expired.",
}


async def post(http: ClientSession, endpoint: str, headers: Any, path: str = CHAT) -> tuple[int, Any]:
    async with http.post(endpoint + path, json=HELLO, headers=headers) as response:
        return response.status, await response.json()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def identity_token(entra: Entra, resource: str = COGNITIVE_SERVICES) -> str:
    return entra.managed_identity_token(IDENTITY.principal_id, resource)[0]


@pytest.mark.parametrize("key", KEYS, ids=["primary", "secondary"])
async def test_either_key_of_the_account_is_accepted(
    http: ClientSession, endpoint: str, service: AzureOpenAI, key: str
) -> None:
    status, _ = await post(http, endpoint, {"api-key": key})

    assert status == 200
    assert (service.received[-1].credential, service.received[-1].principal_id) == ("key", None)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param({"api-key": "wrong"}, INVALID_KEY, id="wrong key"),
        pytest.param({"api-key": ""}, INVALID_KEY, id="empty key"),
        pytest.param({"api-key": "schlüssel"}, INVALID_KEY, id="key beyond ASCII"),
        pytest.param({"api-key": KEYLESS_ACCOUNT.keys[0]}, INVALID_KEY, id="another account's key"),
        pytest.param(CIMultiDict([("api-key", KEYS[0]), ("api-key", "wrong")]), INVALID_KEY, id="right and wrong key"),
        pytest.param({}, INVALID_TOKEN, id="nothing"),
        pytest.param({"Ocp-Apim-Subscription-Key": KEYS[0]}, INVALID_TOKEN, id="key in another header"),
        pytest.param({"Authorization": f"Bearer {KEYS[0]}"}, INVALID_TOKEN, id="key as token"),
        pytest.param({"Authorization": "Basic dTpw"}, INVALID_TOKEN, id="another scheme"),
        pytest.param({"Authorization": "Bearer"}, INVALID_TOKEN, id="no token"),
    ],
)
async def test_a_request_without_a_valid_credential_is_refused(
    http: ClientSession, endpoint: str, service: AzureOpenAI, headers: Any, body: object
) -> None:
    assert await post(http, endpoint, headers) == (401, body)
    assert service.received[-1].status == 401


async def test_an_empty_key_of_an_account_opens_nothing(
    http: ClientSession, endpoint: str, directory: FakeControlPlane
) -> None:
    directory.openai = [replace(ACCOUNT, keys=("", ""))]

    assert await post(http, endpoint, {"api-key": ""}) == (401, INVALID_KEY)


async def test_an_account_without_local_authentication_refuses_its_own_key(http: ClientSession, endpoint: str) -> None:
    host = {"Host": KEYLESS_ACCOUNT.host, "api-key": KEYLESS_ACCOUNT.keys[0]}

    assert await post(http, endpoint, host) == (
        403,
        {
            "error": {
                "code": "AuthenticationTypeDisabled",
                "message": "Key based authentication is disabled for this resource.",
            }
        },
    )


@pytest.mark.parametrize("role", [OPENAI_USER, OPENAI_CONTRIBUTOR], ids=["user", "contributor"])
@pytest.mark.parametrize("resource", [COGNITIVE_SERVICES, COGNITIVE_SERVICES + "/"], ids=["plain", "slash"])
async def test_a_managed_identity_with_the_role_is_accepted(
    http: ClientSession,
    endpoint: str,
    service: AzureOpenAI,
    directory: FakeControlPlane,
    entra: Entra,
    *,
    role: str,
    resource: str,
) -> None:
    directory.roles = {(IDENTITY.principal_id, role, ACCOUNT_ID)}

    status, _ = await post(http, endpoint, bearer(identity_token(entra, resource)))

    assert status == 200
    assert (service.received[-1].credential, service.received[-1].principal_id) == ("token", IDENTITY.principal_id)


@pytest.mark.parametrize(
    ("path", "action", "operation"),
    [
        pytest.param(
            CHAT,
            "deployments/chat/completions/action",
            "POST /openai/deployments/{deployment-id}/chat/completions",
            id="chat",
        ),
        pytest.param(
            "openai/deployments/small/embeddings?api-version=2024-10-21",
            "deployments/embeddings/action",
            "POST /openai/deployments/{deployment-id}/embeddings",
            id="embeddings",
        ),
    ],
)
async def test_a_principal_without_the_role_is_told_which_action_it_lacks(
    http: ClientSession, endpoint: str, entra: Entra, *, path: str, action: str, operation: str
) -> None:
    assert await post(http, endpoint, bearer(identity_token(entra)), path) == (
        401,
        {
            "error": {
                "code": "PermissionDenied",
                "message": f"The principal `{IDENTITY.principal_id}` lacks the required data action "
                f"`Microsoft.CognitiveServices/accounts/OpenAI/{action}` to perform `{operation}` operation.",
            }
        },
    )


async def test_removing_the_role_closes_the_account_at_once(
    http: ClientSession, endpoint: str, directory: FakeControlPlane, entra: Entra
) -> None:
    headers = bearer(identity_token(entra))
    directory.roles = {(IDENTITY.principal_id, OPENAI_USER, ACCOUNT_ID)}
    before, _ = await post(http, endpoint, headers)
    directory.roles.clear()
    after, _ = await post(http, endpoint, headers)

    assert (before, after) == (200, 401)


async def test_a_role_on_one_account_does_not_open_another(
    http: ClientSession, endpoint: str, directory: FakeControlPlane, entra: Entra
) -> None:
    directory.roles = {(IDENTITY.principal_id, OPENAI_USER, ACCOUNT_ID)}

    status, body = await post(http, endpoint, bearer(identity_token(entra)) | {"Host": KEYLESS_ACCOUNT.host})

    assert (status, body["error"]["code"]) == (401, "PermissionDenied")


def caller_token(entra: Entra, **changes: Any) -> str:
    return entra.issue(
        COGNITIVE_SERVICES, **{"client_id": IDENTITY.client_id, "principal_id": IDENTITY.principal_id, **changes}
    )


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(lambda entra: identity_token(entra, "https://management.azure.com"), id="another resource"),
        pytest.param(lambda entra: caller_token(entra, claims={"aud": [COGNITIVE_SERVICES]}), id="list of audiences"),
        pytest.param(lambda entra: caller_token(entra, claims={"aud": None}), id="no audience"),
        pytest.param(lambda entra: caller_token(entra, claims={"oid": None}), id="no principal"),
        pytest.param(lambda entra: caller_token(entra, age=LIFETIME), id="expired"),
        pytest.param(lambda entra: caller_token(entra, tenant_id=UNKNOWN), id="unknown tenant"),
        pytest.param(lambda entra: tamper(caller_token(entra), oid=IDENTITY.principal_id), id="tampered"),
        pytest.param(lambda entra: SigningKey().sign(unverified_claims(caller_token(entra))), id="another key"),
    ],
)
async def test_a_bad_token_is_refused_even_where_the_principal_has_the_role(
    http: ClientSession, endpoint: str, directory: FakeControlPlane, entra: Entra, bad: Any
) -> None:
    directory.roles = {(IDENTITY.principal_id, OPENAI_USER, ACCOUNT_ID)}

    assert await post(http, endpoint, bearer(bad(entra))) == (401, INVALID_TOKEN)


async def test_a_token_expires_when_time_passes(
    http: ClientSession, endpoint: str, directory: FakeControlPlane, entra: Entra, clock: Clock
) -> None:
    directory.roles = {(IDENTITY.principal_id, OPENAI_USER, ACCOUNT_ID)}
    headers = bearer(identity_token(entra))
    clock.advance(LIFETIME)

    assert await post(http, endpoint, headers) == (401, INVALID_TOKEN)


async def test_a_wrong_key_beside_a_good_token_is_refused(
    http: ClientSession, endpoint: str, service: AzureOpenAI, directory: FakeControlPlane, entra: Entra
) -> None:
    directory.roles = {(IDENTITY.principal_id, OPENAI_USER, ACCOUNT_ID)}
    headers = bearer(identity_token(entra)) | {"api-key": "a subscription key that leaked"}

    assert await post(http, endpoint, headers) == (401, INVALID_KEY)
    assert {"api-key", "authorization"} <= service.received[-1].headers


async def test_a_registered_application_with_the_role_is_accepted(
    http: ClientSession, endpoint: str, directory: FakeControlPlane, entra: Entra
) -> None:
    directory.roles = {(CLIENT.service_principal_id, OPENAI_USER, ACCOUNT_ID)}
    token = caller_token(entra, client_id=CLIENT.client_id, principal_id=CLIENT.service_principal_id, tenant_id=TENANT)

    status, _ = await post(http, endpoint, bearer(token))

    assert status == 200


PUBLIC_ACCESS_DISABLED = {
    "error": {"code": "AccessDenied", "message": "Public access is disabled. Please configure private endpoint."}
}


@pytest.mark.parametrize("headers", [{"api-key": KEYS[0]}, {}], ids=["key", "nothing"])
async def test_an_account_without_public_access_refuses_the_internet_before_it_looks_at_the_call(
    http: ClientSession, endpoint: str, directory: FakeControlPlane, headers: dict[str, str]
) -> None:
    directory.openai = [replace(ACCOUNT, public_access=False)]

    assert await post(http, endpoint, headers) == (403, PUBLIC_ACCESS_DISABLED)


async def test_an_account_without_public_access_answers_those_who_come_by_its_private_endpoint(
    http: ClientSession, service: AzureOpenAI, directory: FakeControlPlane
) -> None:
    directory.openai = [replace(ACCOUNT, public_access=False)]

    async with TestServer(service.private_app) as server:
        endpoint = str(server.make_url("/"))
        assert (await post(http, endpoint, {"api-key": KEYS[0]}))[0] == 200
        assert (await post(http, endpoint, {"api-key": "wrong"}))[0] == 401
