"""Tokens of other providers, from credential manager."""

from typing import Any

import pytest

from apim_emulator.model import Connection, ManagedIdentity
from apim_emulator.testing import PolicyBench, Response

OID = "11111111-2222-4000-8000-000000000001"
MANAGER = "https://azure-api.net/authorization-manager"
GITHUB = Connection(
    provider_id="github", id="main", access_token="gho_secret", claims={"scope": "repo", "expires_in": 3600}
)


def bench(attributes: str = "", after: str = "", **service: Any) -> PolicyBench:
    return PolicyBench(
        "<policies><inbound><get-authorization-context provider-id='github' authorization-id='main' "
        f"context-variable-name='auth' {attributes}/>{after}</inbound></policies>",
        **{"connections": (GITHUB,), **service},
    )


def reason(response: Response) -> str | None:
    return None if response.error is None else response.error.reason


def test_token_and_what_came_with_it_are_in_the_variable() -> None:
    read = "((Authorization)context.Variables[&quot;auth&quot;])"
    shown = (
        f'<set-variable name="shown" value="@({read}.AccessToken + {read}.Claims[&quot;scope&quot;] + '
        f"((long){read}.Claims[&quot;expires_in&quot;] + 1) + "
        f'{read}.Claims.GetValueOrDefault&lt;string&gt;(&quot;none&quot;, &quot;?&quot;))"/>'
    )

    assert bench(after=shown).get().variables["shown"] == "gho_secretrepo3601?"


def test_error_that_is_ignored_leaves_null() -> None:
    response = bench('ignore-error="true"', connections=()).get()

    assert (response.status_code, response.variables) == (200, {"auth": None})


def test_connection_of_another_provider_is_not_found() -> None:
    other = Connection(provider_id="spotify", id="main", access_token="x")
    response = bench(connections=(other,)).get()

    assert (response.status_code, reason(response), response.requests) == (500, "AuthorizationNotFound", ())


def test_identity_of_the_service_needs_access() -> None:
    identity = ManagedIdentity(principal_id=OID, client_id="c", system_assigned=True)
    named = Connection(provider_id="github", id="main", access_token="x", access=frozenset({OID}))

    assert bench(connections=(named,), identities=(identity,)).get().error is None
    assert reason(bench(connections=(named,)).get()) == "AuthorizationPermissionDenied"


def presented(tested: PolicyBench, **claims: Any) -> Response:
    audience = claims.pop("aud", MANAGER)
    return tested.get(headers={"X-Token": tested.entra.token(audience, **{"oid": OID, **claims})})


IDENTITY = "identity-type='jwt' identity='@(context.Request.Headers.GetValueOrDefault(\"X-Token\", \"\"))'"


@pytest.mark.parametrize(
    ("claims", "accepted"),
    [
        ({}, True),
        ({"oid": "11111111-2222-4000-8000-000000000002"}, False),
        ({"oid": None}, False),
        ({"tid": None}, False),
        ({"tid": "../evil"}, False),
        ({"aud": "https://management.azure.com"}, False),
        ({"age": 3600}, False),
    ],
)
def test_token_in_identity_is_checked(claims: dict[str, Any], accepted: bool) -> None:
    named = Connection(provider_id="github", id="main", access_token="x", access=frozenset({OID}))

    assert reason(presented(bench(IDENTITY, connections=(named,)), **claims)) == (
        None if accepted else "AuthorizationPermissionDenied"
    )


def test_token_in_identity_that_nobody_signed_is_refused() -> None:
    tested = bench(IDENTITY)
    token = tested.entra.token(MANAGER, oid=OID)
    response = tested.get(headers={"X-Token": f"{token.rpartition('.')[0]}.AAAA"})

    assert reason(response) == "AuthorizationPermissionDenied"


def test_identity_is_demanded_of_a_jwt_and_ignored_otherwise() -> None:
    assert reason(bench("identity-type='jwt'").get()) == "AuthorizationPermissionDenied"
    assert reason(bench("identity='whatever'").get()) is None


def test_token_of_a_connection_is_masked_wherever_it_turns_up() -> None:
    after = (
        '<set-variable name="copy" value="@(((Authorization)context.Variables[&quot;auth&quot;]).AccessToken)"/>'
        '<set-header name="X-Copy" exists-action="override">'
        "<value>@((string)context.Variables[&quot;copy&quot;])</value></set-header>"
    )
    response = bench(after=after).get()

    assert response.requests[0].headers["X-Copy"] == "gho_secret"
    assert "gho_secret" not in str(response.trace)
    assert "gho_secret" not in repr(GITHUB)
