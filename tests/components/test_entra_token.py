"""Whose tokens of Microsoft Entra ID open an API, said by the policy that is rendered."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apim_emulator.testing import PolicyBench
from components._entra_token import entra_validation
from options import EntraOptions
from policies import Base, Document, RequiredClaim, Scope

AUDIENCE = "api-client-id"
OID, PAIRWISE = "11111111-0000-4000-8000-000000000001", "pairwise-subject"
MESSAGE = "Unauthorized. Access token is missing or invalid."

USER: dict[str, Any] = {"oid": OID, "sub": PAIRWISE}
APPLICATION: dict[str, Any] = {"oid": OID, "sub": OID}
ABSENT: dict[str, Any] = {}


def bench(entra: EntraOptions) -> PolicyBench:
    tenant = "22222222-0000-4000-8000-000000000002"
    document = Document(inbound=[Base(), *entra_validation(entra, tenant, [AUDIENCE])]).render("StandardV2", Scope.API)
    return PolicyBench(document, tenant_id=tenant)


def call(where: PolicyBench, claims: dict[str, Any]) -> tuple[int, str]:
    whole = {"tid": where.entra.tenant_id, "ver": "2.0", "azp": "client", **claims}
    token = where.entra.issue(audience=AUDIENCE, subject=claims.get("sub", "nobody"), claims=whole)
    response = where.get("/", headers={"Authorization": f"Bearer {token}"})
    reached = "the backend" if response.requests else response.json()["message"]
    return response.status_code, reached


PASSES, REFUSED = (200, "the backend"), (401, MESSAGE)
BOTH = EntraOptions(roles=["Chat.User", "Chat.Admin"], scopes=["access_as_user", "embed"])
SCOPES = EntraOptions(scopes=["access_as_user", "embed"])
ROLES = EntraOptions(roles=["Chat.User", "Chat.Admin"])

CALLERS = {
    # What is presented, and whom the options let in: both lists, scopes alone, roles alone.
    "a user's scope": ({**USER, "scp": "access_as_user"}, PASSES, PASSES, REFUSED),
    "a user's scope among others": ({**USER, "scp": "openid embed profile"}, PASSES, PASSES, REFUSED),
    "a user's scope and role": ({**USER, "scp": "embed", "roles": ["Chat.User"]}, PASSES, PASSES, PASSES),
    "a user's role without the scope": ({**USER, "scp": "profile", "roles": ["Chat.User"]}, REFUSED, REFUSED, PASSES),
    "a user's role in an ID token": ({**USER, "roles": ["Chat.User"]}, REFUSED, REFUSED, PASSES),
    "an application's role": ({**APPLICATION, "roles": ["Chat.User"]}, PASSES, REFUSED, PASSES),
    "an application's second role": ({**APPLICATION, "roles": ["Other", "Chat.Admin"]}, PASSES, REFUSED, PASSES),
    "an application without roles": (APPLICATION, REFUSED, REFUSED, REFUSED),
    "an application's other role": ({**APPLICATION, "roles": ["Chat.Reader"]}, REFUSED, REFUSED, REFUSED),
    "a longer role": ({**APPLICATION, "roles": ["Chat.User2"]}, REFUSED, REFUSED, REFUSED),
    "a role in another case": ({**APPLICATION, "roles": ["chat.user"]}, REFUSED, REFUSED, REFUSED),
    "roles as one text": ({**APPLICATION, "roles": "Chat.User Chat.Admin"}, REFUSED, REFUSED, REFUSED),
    "roles as an object": ({**APPLICATION, "roles": {"Chat.User": True}}, REFUSED, REFUSED, REFUSED),
    "no roles in the list": ({**APPLICATION, "roles": []}, REFUSED, REFUSED, REFUSED),
    "a scope among the roles": ({**APPLICATION, "roles": ["access_as_user"]}, REFUSED, REFUSED, REFUSED),
    "a longer scope": ({**USER, "scp": "access_as_user2"}, REFUSED, REFUSED, REFUSED),
    "parts of a scope": ({**USER, "scp": "access_as_userX access as_user"}, REFUSED, REFUSED, REFUSED),
    "a scope in capitals": ({**USER, "scp": "ACCESS_AS_USER"}, REFUSED, REFUSED, REFUSED),
    "scopes with a comma": ({**USER, "scp": "access_as_user,embed"}, REFUSED, REFUSED, REFUSED),
    "scopes with a tab": ({**USER, "scp": "access_as_user\tembed"}, REFUSED, REFUSED, REFUSED),
    "an empty scope": ({**USER, "scp": ""}, REFUSED, REFUSED, REFUSED),
    "a blank scope": ({**USER, "scp": " "}, REFUSED, REFUSED, REFUSED),
    "a role among the scopes": ({**USER, "scp": "Chat.User"}, REFUSED, REFUSED, REFUSED),
    "a number for a scope": ({**USER, "scp": 1}, REFUSED, REFUSED, REFUSED),
    "a user without either": (USER, REFUSED, REFUSED, REFUSED),
    "no subject": ({"oid": OID, "roles": ["Chat.Reader"]}, REFUSED, REFUSED, REFUSED),
    "nobody": (ABSENT, REFUSED, REFUSED, REFUSED),
}


@pytest.mark.parametrize("claims, both, scopes, roles", CALLERS.values(), ids=CALLERS)  # noqa: PT006 - one a line
def test_a_users_token_needs_a_scope_and_an_applications_a_role(
    claims: dict[str, Any], both: tuple[int, str], scopes: tuple[int, str], roles: tuple[int, str]
) -> None:
    assert (call(bench(BOTH), claims), call(bench(SCOPES), claims), call(bench(ROLES), claims)) == (
        both,
        scopes,
        roles,
    )


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({**USER, "scp": ["access_as_user", "embed"]}, id="scopes as a list"),
        pytest.param({**USER, "scp": [], "roles": ["Chat.User"]}, id="no scopes in a list, and a role"),
        pytest.param({**USER, "scp": None, "roles": ["Chat.User"]}, id="no scope at all, and a role"),
        pytest.param(
            {**APPLICATION, "scp": "profile", "roles": ["Chat.User"]}, id="an application's role with a scope"
        ),
        pytest.param({"sub": OID, "roles": ["Chat.User"]}, id="no object ID"),
        pytest.param({"oid": "", "sub": PAIRWISE, "roles": ["Chat.User"]}, id="an empty object ID"),
        pytest.param({"oid": [OID, OID], "sub": OID, "roles": ["Chat.User"]}, id="two object IDs"),
    ],
)
def test_a_token_whose_kind_is_doubtful_is_refused(claims: dict[str, Any]) -> None:
    assert call(bench(BOTH), claims) == REFUSED


def test_a_token_that_is_not_valid_opens_nothing_whatever_it_says() -> None:
    where = bench(BOTH)

    assert call(where, {**USER, "scp": "access_as_user", "aud": "other"}) == REFUSED
    assert call(where, {**APPLICATION, "roles": ["Chat.User"], "exp": 1}) == REFUSED


def test_further_claims_are_demanded_of_both_kinds() -> None:
    role = RequiredClaim(values=["Chat.User"])
    where = bench(EntraOptions(roles=["Chat.User", "Chat.Admin"], scopes=["embed"], required_claims={"roles": role}))

    assert call(where, {**USER, "scp": "embed"}) == REFUSED
    assert call(where, {**USER, "scp": "embed", "roles": ["Chat.User"]}) == PASSES
    assert call(where, {**APPLICATION, "roles": ["Chat.Admin"]}) == REFUSED
    assert call(where, {**APPLICATION, "roles": ["Chat.User"]}) == PASSES


# What Entra takes for a role or a scope, quotes and backslashes beside it: the component is one door, a test another.
VALUES = st.text(alphabet=[chr(code) for code in range(33, 127)] + ["é", "\u2028", "😀"], min_size=1, max_size=12)


@given(role=VALUES, scope=VALUES, other=VALUES)
def test_each_value_stands_for_itself(role: str, scope: str, other: str) -> None:
    where = bench(EntraOptions(roles=[role], scopes=[scope]))

    assert call(where, {**USER, "scp": scope}) == PASSES
    assert call(where, {**APPLICATION, "roles": [role]}) == PASSES
    assert call(where, {**USER, "scp": other}) == (PASSES if other == scope else REFUSED)
    assert call(where, {**APPLICATION, "roles": [other]}) == (PASSES if other == role else REFUSED)
