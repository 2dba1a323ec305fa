from typing import Any

import pytest

from apim_emulator.gateway.standalone import API, standalone
from apim_emulator.gateway.tokens.requirements import TokenRequirement, token_requirements


def policy(validation: str) -> str:
    return f"<policies><inbound><base />{validation}</inbound></policies>"


def demanded(text: str | None, **service: Any) -> tuple[TokenRequirement, ...]:
    return token_requirements(standalone(text, "http://127.0.0.1", **service), API)


@pytest.mark.parametrize("text", [None, policy("")], ids=["no policy", "no validation"])
def test_policy_without_validation_demands_no_token(text: str | None) -> None:
    assert demanded(text) == ()


def test_validate_azure_ad_token_is_read() -> None:
    text = policy(
        '<validate-azure-ad-token tenant-id="t"><client-application-ids><application-id> c </application-id>'
        "</client-application-ids><audiences><audience>a</audience><audience>b</audience></audiences>"
        "</validate-azure-ad-token>"
    )

    assert demanded(text) == (
        TokenRequirement(audience="a", openid_config_urls=(), issuer=None, client_ids=("c",), claims={}, tenant="t"),
    )


def test_validate_jwt_is_read() -> None:
    text = policy(
        '<validate-jwt><openid-config url="https://one/x" /><openid-config url="https://two/x" />'
        "<issuers><issuer>i</issuer></issuers></validate-jwt>"
    )

    assert demanded(text) == (
        TokenRequirement(
            audience="", openid_config_urls=("https://one/x", "https://two/x"), issuer="i", client_ids=(), claims={}
        ),
    )


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        pytest.param('<claim name="c" match="any"><value>a</value><value>b</value></claim>', "a", id="any"),
        pytest.param('<claim name="c" match="all"><value>a</value><value>b</value></claim>', ["a", "b"], id="all"),
        pytest.param('<claim name="c"><value>a</value><value>b</value></claim>', ["a", "b"], id="all by default"),
        pytest.param(
            '<claim name="c" separator=" "><value>a</value><value>b</value></claim>', "a b", id="all, separated"
        ),
        pytest.param('<claim name="c"><value>a</value></claim>', "a", id="one"),
        pytest.param('<claim name="c" />', "emulator", id="whatever it is"),
    ],
)
def test_claims_satisfy_what_is_required(claim: str, value: Any) -> None:
    (found,) = demanded(policy(f"<validate-jwt><required-claims>{claim}</required-claims></validate-jwt>"))

    assert found.claims == {"c": value}


def test_demands_come_in_order_from_every_scope_with_fragments_and_named_values() -> None:
    def validation(audience: str) -> str:
        return f"<validate-jwt><audiences><audience>{audience}</audience></audiences></validate-jwt>"

    condition = '@(context.Request.Method == "GET" && true)'
    inner = f'<choose><when condition="{condition}">{validation("{{second}}")}</when></choose>'
    found = demanded(
        policy(f'{inner}<include-fragment fragment-id="f" />'),
        global_policy=policy(validation("first")).replace("<base />", ""),
        fragments={"f": f"<fragment>{validation('third')}</fragment>"},
        named_values={"second": "2nd"},
    )

    assert [one.audience for one in found] == ["first", "2nd", "third"]


@pytest.mark.parametrize(
    ("attributes", "header"),
    [
        pytest.param('header-name="X-Token"', "X-Token", id="header"),
        pytest.param("", "Authorization", id="default"),
        pytest.param('query-parameter-name="token"', None, id="query"),
        pytest.param('token-value="@(context.RequestId.ToString())"', None, id="expression"),
    ],
)
def test_place_of_the_token_is_told(attributes: str, header: str | None) -> None:
    (found,) = demanded(policy(f"<validate-jwt {attributes} />"))

    assert found.header == header


def test_what_an_expression_accepts_is_not_known() -> None:
    audiences = "<audiences><audience>@(context.Api.Id)</audience><audience>b</audience></audiences>"
    (found,) = demanded(policy(f"<validate-jwt>{audiences}</validate-jwt>"))

    assert found.audience == "b"
