from typing import Any

import pytest

from sandbox.demands import Demand, demand


def policy(validation: str) -> str:
    return f"<policies><inbound><base />{validation}</inbound></policies>"


@pytest.mark.parametrize("text", [None, "", policy("")], ids=["no policy", "empty", "no validation"])
def test_policy_without_validation_demands_no_token(text: str | None) -> None:
    assert demand(text) is None


def test_validate_azure_ad_token_is_read() -> None:
    text = policy(
        '<validate-azure-ad-token tenant-id="t"><client-application-ids><application-id> c </application-id>'
        "</client-application-ids><audiences><audience>a</audience><audience>b</audience></audiences>"
        "</validate-azure-ad-token>"
    )

    assert demand(text) == Demand(audience="a", openid_config_urls=(), issuer=None, client_ids=("c",), claims={})


def test_validate_jwt_is_read() -> None:
    text = policy(
        '<validate-jwt><openid-config url="https://one/x" /><openid-config url="https://two/x" />'
        "<issuers><issuer>i</issuer></issuers></validate-jwt>"
    )

    assert demand(text) == Demand(
        audience="", openid_config_urls=("https://one/x", "https://two/x"), issuer="i", client_ids=(), claims={}
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
        pytest.param('<claim name="c" />', "sandbox", id="whatever it is"),
    ],
)
def test_claims_satisfy_what_is_required(claim: str, value: Any) -> None:
    found = demand(policy(f"<validate-jwt><required-claims>{claim}</required-claims></validate-jwt>"))

    assert found is not None
    assert found.claims == {"c": value}
