"""Validation of tokens inside `choose`: no call passes it without exactly one."""

import pytest

from policies import (
    Base,
    CheckHeader,
    Choose,
    Cors,
    Document,
    LimitConcurrency,
    Policy,
    PolicyError,
    RawElement,
    ReturnResponse,
    SetStatus,
    SetVariable,
    ValidateAzureAdToken,
    ValidateJwt,
    When,
)

ENTRA = ValidateAzureAdToken(tenant_id="contoso.com", audiences=["api"])
JWT = ValidateJwt(openid_config_urls=["https://login.example.com"], audiences=["api"])
STEP = SetVariable(name="a", value="b")
REFUSE = ReturnResponse(status=SetStatus(code=401, reason="Unauthorized"))
RAW = RawElement(xml="<choose><when condition='true'><set-variable name='a' value='b'/></when></choose>")


def choose(*branches: list[Policy], otherwise: list[Policy] | None) -> Choose:
    return Choose(when=[When(condition=True, policies=branch) for branch in branches], otherwise=otherwise)


@pytest.mark.parametrize(
    "chosen",
    [
        pytest.param(choose([ENTRA], [JWT], otherwise=[REFUSE]), id="one in each branch"),
        pytest.param(choose([ENTRA, STEP, choose([STEP], otherwise=None)], otherwise=[REFUSE, STEP]), id="more behind"),
    ],
)
def test_a_validation_may_stand_in_every_branch_of_a_choice_that_refuses_the_rest(chosen: Choose) -> None:
    assert Document(inbound=[Base(), Cors(allowed_origins=["https://a.example"]), chosen, STEP]).render()


@pytest.mark.parametrize(
    "chosen",
    [
        pytest.param(choose([ENTRA], otherwise=None), id="the rest passes"),
        pytest.param(choose([ENTRA], otherwise=[]), id="the rest passes as well"),
        pytest.param(choose([ENTRA], otherwise=[STEP, REFUSE]), id="something before the refusal"),
        pytest.param(choose([ENTRA], otherwise=[CheckHeader(name="a")]), id="another refusal"),
        pytest.param(choose([ENTRA], otherwise=[choose([REFUSE], otherwise=None)]), id="a refusal in a branch"),
        pytest.param(choose([ENTRA], otherwise=[JWT]), id="a validation of the rest"),
        pytest.param(choose([ENTRA], [], otherwise=[REFUSE]), id="a branch without one"),
        pytest.param(choose([ENTRA], [STEP, JWT], otherwise=[REFUSE]), id="a branch with something before it"),
        pytest.param(choose([ENTRA, JWT], otherwise=[REFUSE]), id="two in a branch"),
        pytest.param(choose([ENTRA, choose([JWT], otherwise=[REFUSE])], otherwise=[REFUSE]), id="another one inside"),
        pytest.param(choose([choose([JWT], otherwise=[REFUSE])], otherwise=[REFUSE]), id="a choice in a branch"),
        pytest.param(LimitConcurrency(key="k", max_count=1, policies=[JWT]), id="inside another policy"),
        pytest.param(
            LimitConcurrency(key="k", max_count=1, policies=[choose([JWT], otherwise=[REFUSE])]), id="a choice inside"
        ),
    ],
)
def test_a_validation_that_could_be_passed_by_is_refused(chosen: Policy) -> None:
    with pytest.raises(PolicyError, match="could be passed by; put it directly into inbound, or begin each when"):
        Document(inbound=[Base(), chosen])


def test_nothing_runs_before_the_choice() -> None:
    chosen = choose([ENTRA], otherwise=[REFUSE])

    with pytest.raises(PolicyError, match=r"^choose comes after set-variable; put it before every policy but base"):
        Document(inbound=[Base(), STEP, chosen])


def test_a_choice_that_validates_nothing_stands_anywhere() -> None:
    assert Document(inbound=[STEP, choose([STEP], otherwise=[REFUSE]), RAW]).render()
