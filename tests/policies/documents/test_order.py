"""In which order the policies of `inbound` stand, and which of them stand there once."""

from collections.abc import Callable

import pytest

from policies import (
    AzureOpenAISemanticCacheLookup,
    AzureOpenAITokenLimit,
    Base,
    Choose,
    Cors,
    Document,
    HarmCategory,
    IpFilter,
    IpFilterAction,
    LimitConcurrency,
    LlmContentSafety,
    LlmSemanticCacheLookup,
    LlmSemanticCacheStore,
    LlmTokenLimit,
    Policy,
    PolicyError,
    Quota,
    QuotaByKey,
    RateLimit,
    RateLimitByKey,
    RawElement,
    SafetyCategory,
    Scope,
    SetVariable,
    ValidateAzureAdToken,
    ValidateParameters,
    ValidationAction,
    Wait,
    When,
)

ENTRA = ValidateAzureAdToken(tenant_id="contoso.com", audiences=["api"])
CORS = Cors(allowed_origins=["https://a.example"])
FILTER = IpFilter(action=IpFilterAction.ALLOW, addresses=["10.0.0.1"])
STEP = SetVariable(name="a", value="b")
RATE = RateLimit(calls=1, renewal_period=1)
QUOTA = Quota(calls=1, renewal_period=0)
TOKENS = LlmTokenLimit(counter_key="k", tokens_per_minute=1, estimate_prompt_tokens=True)
SAFETY = LlmContentSafety(backend_id="b", categories=[SafetyCategory(name=HarmCategory.HATE, threshold=4)])
LOOKUP = LlmSemanticCacheLookup(score_threshold=0.05, embeddings_backend_id="b")
STORE = LlmSemanticCacheStore(duration=60)
PARAMETERS = ValidateParameters(
    specified_parameter_action=ValidationAction.PREVENT, unspecified_parameter_action=ValidationAction.PREVENT
)
SPEND = [
    RATE,
    RateLimitByKey(calls=1, renewal_period=1, counter_key="k"),
    QUOTA,
    QuotaByKey(calls=1, renewal_period=0, counter_key="k"),
    TOKENS,
    AzureOpenAITokenLimit(counter_key="k", tokens_per_minute=1, estimate_prompt_tokens=True),
]
ANSWER = [LOOKUP, AzureOpenAISemanticCacheLookup(score_threshold=0.05, embeddings_backend_id="b")]


def choose(*branches: list[Policy], otherwise: list[Policy] | None = None) -> Choose:
    return Choose(when=[When(condition=True, policies=branch) for branch in branches], otherwise=otherwise)


def late(tag: str, earlier: str) -> str:
    return (
        f"{tag} comes after {earlier}; put it before: limits and quotas come first, then llm-content-safety, "
        "then semantic cache look-ups"
    )


@pytest.mark.parametrize(
    "inbound",
    [
        pytest.param([Base(), ENTRA, TOKENS, SAFETY, LOOKUP, STEP], id="identity, spending, safety, answer"),
        pytest.param([Base(), CORS, FILTER, ENTRA, *SPEND, *SPEND[4:]], id="browsers and addresses before identity"),
        pytest.param([STEP, RATE, STEP, SAFETY, STEP, LOOKUP], id="others anywhere between"),
        pytest.param([choose([TOKENS, SAFETY], [TOKENS], [LOOKUP]), LOOKUP], id="branches do not follow each other"),
        pytest.param([RATE, choose([TOKENS], []), TOKENS, SAFETY], id="a branch comes no further than its policies"),
        pytest.param([SAFETY, LlmContentSafety(backend_id="b", shield_prompt=True)], id="several of a step"),
    ],
)
def test_policies_may_stand_in_this_order(inbound: list[Policy]) -> None:
    assert Document(inbound=inbound).inbound == inbound


@pytest.mark.parametrize(
    ("inbound", "message"),
    [
        *(
            pytest.param([ENTRA, SAFETY, policy], late(policy.tag, SAFETY.tag), id=f"{policy.tag} after safety")
            for policy in SPEND
        ),
        *(
            pytest.param([policy, SAFETY], late(SAFETY.tag, policy.tag), id=f"safety after {policy.tag}")
            for policy in ANSWER
        ),
        pytest.param([LOOKUP, STEP, TOKENS], late(TOKENS.tag, LOOKUP.tag), id="spending after an answer"),
        pytest.param([choose([LOOKUP], [STEP]), TOKENS], late(TOKENS.tag, LOOKUP.tag), id="after a branch"),
        pytest.param([SAFETY, choose([STEP], [TOKENS])], late(TOKENS.tag, SAFETY.tag), id="in a branch"),
        pytest.param([choose([STEP], otherwise=[LOOKUP, SAFETY])], late(SAFETY.tag, LOOKUP.tag), id="inside a branch"),
        pytest.param(
            [LimitConcurrency(key="k", max_count=1, policies=[LOOKUP]), SAFETY],
            late(SAFETY.tag, LOOKUP.tag),
            id="after limit-concurrency",
        ),
        pytest.param([Wait(policies=[choose([LOOKUP])]), SAFETY], late(SAFETY.tag, LOOKUP.tag), id="after wait"),
        pytest.param(
            [
                SAFETY,
                RawElement(
                    xml='<cache-value key="k" variable-name="v"><value><quota calls="1"/></value></cache-value>'
                ),
            ],
            late("quota", SAFETY.tag),
            id="in a raw element",
        ),
        pytest.param(
            [TOKENS, ENTRA],
            "validate-azure-ad-token comes after llm-token-limit; "
            "put it before every policy but base, cors and ip-filter",
            id="identity after spending",
        ),
        pytest.param(
            [choose([CORS])], "cors is not allowed inside choose; put it directly into inbound", id="cors in a branch"
        ),
    ],
)
def test_policies_may_not_stand_in_this_order(inbound: list[Policy], message: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        Document(inbound=inbound)

    assert str(refusal.value) == message


def test_raw_cors_is_refused_inside_a_raw_element() -> None:
    with pytest.raises(PolicyError, match="holds cors; put Cors directly into the section"):
        RawElement(xml="<cache-value><value><cors/></value></cache-value>")


@pytest.mark.parametrize(
    ("section", "policy"),
    [*(("inbound", policy) for policy in (CORS, RATE, QUOTA, LOOKUP, PARAMETERS)), ("outbound", STORE)],
    ids=lambda value: getattr(value, "tag", value),
)
def test_policy_that_stands_once_may_not_stand_twice(section: str, policy: Policy) -> None:
    place: Callable[..., Document] = Document
    tag = next(policy.placements()).tag

    with pytest.raises(PolicyError) as refusal:
        place(**{section: [Base(), policy, policy]})
    assert str(refusal.value) == f"{section} has more than one {tag}; it is allowed there once; merge them"


def test_raw_elements_keep_the_order_of_their_types() -> None:
    limit = RawElement(xml='<rate-limit calls="1" renewal-period="1"/>')

    with pytest.raises(PolicyError, match=r"^rate-limit comes after llm-content-safety; put it before"):
        Document(inbound=[SAFETY, limit])
    with pytest.raises(PolicyError, match=r"^validate-azure-ad-token comes after rate-limit; put it before"):
        Document(inbound=[limit, ENTRA])


def test_raw_elements_stand_once_where_their_types_do() -> None:
    limit = RawElement(xml='<rate-limit calls="1" renewal-period="1"/>')

    with pytest.raises(PolicyError, match=r"^inbound has more than one rate-limit; "):
        Document(inbound=[limit, RATE])
    with pytest.raises(PolicyError, match=r"^rate-limit is not allowed at global scope; "):
        Document(inbound=[limit]).render(scope=Scope.GLOBAL)


def test_a_raw_ip_filter_may_stand_before_token_validation() -> None:
    address = RawElement(xml='<ip-filter action="allow"><address>10.0.0.1</address></ip-filter>')

    assert Document(inbound=[Base(), address, ENTRA])
