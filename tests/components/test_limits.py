"""What limits do, on a gateway that runs the policy of an API with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

import pulumi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apim_emulator.model import Operation, Product, Subscription
from apim_emulator.pulumi.deploy import DeployError
from apim_emulator.testing import PolicyBench, Reply, Request, Response, event_stream
from components import EntraProtectedApi, KeyAuthApi, ManagedIdentityApi
from components._api import policy_document
from components._caller import OF_ENTRA, OF_OTHERS
from components._entra_token import entra_validation
from components._hook import NO_HOOK, Hook
from components._limits import Limits
from components._metrics import Metrics
from components._traffic import Traffic
from options import (
    EntraOptions,
    JwtOptions,
    LimitOptions,
    LimitPer,
    MetricsOptions,
    ModelOptions,
    QuotaPeriod,
    TokenPolicies,
)
from policies import Policy, RawElement, SetBackendService
from tests import judges
from tests.components.conftest import Azure, exporting
from tests.deployed import deploy_component

AUDIENCE = "api://openai"
TENANT = "22222222-0000-4000-8000-000000000002"
KEYS = {"one": "1" * 32, "two": "2" * 32, "three": "3" * 32, "four": "4" * 32}
SUBSCRIBED = {"one": "/apis", "two": "/apis"}
"""Scopes of subscriptions, by name."""
PROMPT = {"messages": [{"role": "user", "content": "Hello"}]}


def answer(request: Request) -> Reply:
    """An account whose every answer costs 40 tokens, those of a stream too."""
    if b'"stream": true' in request.content:
        chunk = {"choices": [{"delta": {"content": "x" * 156}}]}
        return event_stream(chunk)
    return Reply(json={"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 30, "total_tokens": 40}})


@dataclass
class Gateway:
    """An API with limits, and who calls it: subscriptions, or applications and users with tokens."""

    bench: PolicyBench
    document: str

    def call(
        self, key: str | None = None, *, claims: Mapping[str, Any] | None = None, model: str = "chat", **more: Any
    ) -> Response:
        headers = dict(more.pop("headers", {}))
        if key is not None:
            headers["api-key"] = KEYS[key]
        if claims is not None:
            whole = {"tid": TENANT, "ver": "2.0", "azp": "app", "oid": "user", **claims}
            given_claims = {name: value for name, value in whole.items() if value is not None}
            token = self.bench.entra.issue(audience=AUDIENCE, subject="subject", claims=given_claims)
            headers["Authorization"] = f"Bearer {token}"
        url = f"/deployments/{model}/chat/completions"
        return self.bench.post(url, headers=headers, json={**PROMPT, **more})

    def statuses(self, count: int, key: str | None = None, **more: Any) -> list[int]:
        return [self.call(key, **more).status_code for _ in range(count)]


def gateway(
    *limits: LimitOptions,
    by_token: bool = False,
    keys: bool = True,
    sku: str = "Basic",
    hook: Hook = NO_HOOK,
    subscribed: Mapping[str, str] = SUBSCRIBED,
    metrics: MetricsOptions | None = None,
    models: Sequence[str] = (),
) -> Gateway:
    """A classic tier, unless a test is about another: its rates are those of the last 60 seconds."""
    found = Limits(api="openai", limits=limits, caller=OF_ENTRA if by_token else None)
    counted = Metrics(metrics=metrics, caller=OF_ENTRA if by_token else None)
    validation: list[Policy] = (
        entra_validation(EntraOptions(), TENANT, [AUDIENCE], keep_token=found.by_token or counted.by_token)
        if by_token
        else []
    )
    text = policy_document(
        validation,
        [SetBackendService(backend_id="openai")],
        limits=found,
        metrics=counted,
        traffic=Traffic(models=[ModelOptions(name=model) for model in models]),
        hook=hook,
        accounts=1,
        subscription_required=keys,
        sku=sku,
    )
    bench = PolicyBench(None, backends={"openai": answer}, tenant_id=TENANT, sku=sku)
    subscriptions = tuple(
        Subscription(id=name, scope=scope, primary_key=KEYS[name], secondary_key=KEYS[name][::-1] + "0")
        for name, scope in subscribed.items()
    )
    ids = {scope.removeprefix("/products/") for scope in subscribed.values() if scope.startswith("/products/")}
    products = tuple(Product(id=found, api_ids=frozenset({"policy"})) for found in sorted(ids))
    chat = Operation(name="chat", method="POST", url_template="/deployments/{deployment-id}/chat/completions")
    api: dict[str, Any] = {"key_header": "api-key", "key_query": "api-key", "operations": (chat,)}
    bench.load(text, api=api, **({"subscriptions": subscriptions, "products": products} if keys else {}))
    return Gateway(bench, text)


def by_key(**amounts: Any) -> LimitOptions:
    return LimitOptions(per=LimitPer.SUBSCRIPTION, **amounts)


def by_caller(**amounts: Any) -> LimitOptions:
    return LimitOptions(per=LimitPer.CALLER, **amounts)


def test_tokens_beyond_the_rate_are_refused_until_the_minute_is_over() -> None:
    api = gateway(by_key(tokens_per_minute=50))

    assert api.statuses(2, "one") == [200, 200], "the call that exceeds the amount still succeeds"
    refused = api.call("one")
    assert (refused.status_code, refused.requests) == (429, ())
    assert refused.headers["Retry-After"] == "60"
    api.bench.clock.advance(60)
    assert api.call("one").status_code == 200


def test_tokens_beyond_the_quota_are_refused_until_its_period_is_over() -> None:
    api = gateway(by_key(token_quota=50, token_quota_period=QuotaPeriod.HOURLY))

    assert api.statuses(3, "one") == [200, 200, 403]
    api.bench.clock.advance(3600)
    assert api.call("one").status_code == 200


def test_requests_beyond_the_rate_are_refused_with_the_time_to_wait() -> None:
    api = gateway(by_key(requests_per_minute=2))

    refused = [api.call("one") for _ in range(3)][-1]

    assert (refused.status_code, refused.headers["Retry-After"], refused.requests) == (429, "60", ())


def test_subscriptions_do_not_share_an_amount() -> None:
    api = gateway(by_key(requests_per_minute=1, tokens_per_minute=40))

    assert [api.call(key).status_code for key in ("one", "two", "one", "two")] == [200, 200, 429, 429]


def test_all_calls_of_an_api_share_its_amount() -> None:
    api = gateway(LimitOptions(per=LimitPer.API, tokens_per_minute=40))

    assert [api.call(key).status_code for key in ("one", "two")] == [200, 429]


@pytest.mark.parametrize(
    ("one", "two", "shared"),
    [
        pytest.param({"oid": "a"}, {"oid": "b"}, False, id="two users"),
        pytest.param({"azp": "a"}, {"azp": "b"}, False, id="two applications"),
        pytest.param({"oid": "a"}, {"oid": "a", "sub": "other", "name": "other"}, True, id="other claims"),
        pytest.param({"azp": "a"}, {"azp": None, "appid": "a"}, True, id="a token of version 1"),
        pytest.param({"azp": "a/b", "oid": "c"}, {"azp": "a", "oid": "b/c"}, False, id="a separator in a claim"),
    ],
)
def test_a_caller_is_the_application_and_the_user_of_the_token(
    one: dict[str, Any], two: dict[str, Any], shared: bool
) -> None:
    api = gateway(by_caller(requests_per_minute=1), by_token=True, keys=False)

    assert api.call(claims=one).status_code == 200
    assert api.call(claims=one).status_code == 429
    assert api.call(claims=two).status_code == (429 if shared else 200)


def test_no_header_makes_a_caller_another_one() -> None:
    api = gateway(by_caller(requests_per_minute=1), by_token=True, keys=False)
    api.call(claims={})

    names = ("azp", "oid", "x-ms-client-principal-id", "openai-gateway-token-caller", "X-Forwarded-For")
    tries = [api.call(claims={}, headers={name: "another"}).status_code for name in names]

    assert tries == [429] * len(names)


@pytest.mark.parametrize("claim", ["azp", "oid"])
def test_a_token_that_names_no_caller_is_refused(claim: str) -> None:
    api = gateway(by_caller(tokens_per_minute=100), by_token=True, keys=False)

    refused = api.call(claims={claim: None})

    assert (refused.status_code, refused.json()["message"]) == (401, "The token names no caller.")
    assert refused.requests == ()


def test_a_shadow_refuses_no_token_that_names_no_caller() -> None:
    api = gateway(by_caller(tokens_per_minute=100, shadow=True), by_token=True, keys=False)

    assert api.call(claims={"oid": None}).status_code == 200


@pytest.mark.parametrize("spelled", ["CHAT", "Chat", "%63hat"])
def test_a_model_has_one_amount_however_its_name_is_spelled(spelled: str) -> None:
    api = gateway(LimitOptions(per=LimitPer.MODEL, requests_per_minute=1))

    assert api.call("one").status_code == 200
    assert api.call("one", model=spelled).status_code == 429
    assert api.call("one", model="other-model").status_code == 200


def test_names_that_no_model_can_have_share_one_amount() -> None:
    api = gateway(LimitOptions(per=LimitPer.MODEL, requests_per_minute=1))

    assert [api.call("one", model=name).status_code for name in ("a%20b", "c%21", "d%2525")] == [200, 429, 429]


def test_the_account_gets_the_model_that_was_counted_and_no_other() -> None:
    limits = Limits(limits=[LimitOptions(per=LimitPer.MODEL, requests_per_minute=1)])
    document = policy_document(
        [],
        [SetBackendService(backend_id="account")],
        limits=limits,
        accounts=1,
        traffic=Traffic(by_body=True),
        subscription_required=False,
        sku=None,
    )
    bench = PolicyBench(document, backends={"account": lambda request: Reply(content=request.content)})

    answers = [bench.post("/responses", data=f'{{"model":"dear","model":"{name}"}}').text for name in "ab"]

    assert answers == ['{"model":"a"}', '{"model":"b"}']


def test_a_model_in_two_spellings_has_no_amount_of_its_own() -> None:
    api = gateway(LimitOptions(per=LimitPer.MODEL, requests_per_minute=1))
    chat = Operation(name="chat", method="POST", url_template="/chat/completions")
    api.bench.load(api.document, api={"key_header": "api-key", "key_query": "api-key", "operations": (chat,)})

    def call(body: str) -> int:
        return api.bench.post("/chat/completions", headers={"api-key": KEYS["one"]}, data=body).status_code

    assert [call(f'{{"model": "{name}", "Model": "chat"}}') for name in "ab"] == [200, 429]
    assert [call('{"model": "chat"}'), call('{"MODEL": "chat"}')] == [200, 429]


def test_on_the_v1_surface_the_model_is_in_the_body() -> None:
    api = gateway(LimitOptions(per=LimitPer.MODEL, requests_per_minute=1))
    chat = Operation(name="chat", method="POST", url_template="/chat/completions")
    api.bench.load(api.document, api={"key_header": "api-key", "key_query": "api-key", "operations": (chat,)})

    def call(body: str, content_type: str = "application/json") -> int:
        headers = {"api-key": KEYS["one"], "Content-Type": content_type}
        return api.bench.post("/chat/completions", headers=headers, data=body).status_code

    assert [call('{"model": "chat"}'), call('{"model": "CHAT"}', "text/plain"), call('{"model": "b"}')] == [
        200,
        429,
        200,
    ]
    assert [call("no JSON"), call('{"model": 1.5}'), call("[]"), call("{}"), call("")] == [200, 200, 429, 429, 429]


def test_subscriptions_of_a_product_share_its_amount() -> None:
    of_products = {"one": "/products/p1", "two": "/products/p1", "three": "/products/p2", "four": "/apis"}
    api = gateway(LimitOptions(per=LimitPer.PRODUCT, requests_per_minute=1), subscribed=of_products)

    assert [api.call(key).status_code for key in of_products] == [200, 429, 200, 200]


def test_callers_of_another_provider_are_told_apart_by_issuer_and_subject() -> None:
    jwt = JwtOptions(openid_config_urls=["https://id.test/.well-known/openid-configuration"], audiences=[AUDIENCE])
    deployed = deploy(EntraProtectedApi, jwt=jwt, limits=[by_caller(requests_per_minute=1)])
    bench = PolicyBench(None, backends={"openai-backend": answer}, tenant_id=TENANT, sku="Basic")
    issuer = bench.issuer("https://id.test")
    bench.load(deployed)

    def call(subject: str) -> int:
        token = issuer.issue(audience=AUDIENCE, subject=subject)
        return bench.post("/", headers={"Authorization": f"Bearer {token}"}, json=PROMPT).status_code

    assert [call(subject) for subject in ("a", "b", "a", "")] == [200, 200, 429, 401]


@pytest.mark.parametrize("tighter_first", [True, False])
def test_of_layered_limits_the_tighter_one_decides(tighter_first: bool) -> None:
    per_api = LimitOptions(per=LimitPer.API, tokens_per_minute=120)
    layers = [by_key(tokens_per_minute=40), per_api, by_key(tokens_per_minute=400)]

    api = gateway(*(layers if tighter_first else layers[::-1]))

    assert [api.call(key).status_code for key in ("one", "one", "two", "two")] == [200, 429, 200, 429]


def test_an_amount_for_all_ends_calls_that_each_callers_amount_allows() -> None:
    api = gateway(by_key(tokens_per_minute=1000), LimitOptions(per=LimitPer.API, tokens_per_minute=80))

    assert [api.call(key).status_code for key in ("one", "two", "one", "two")] == [200, 200, 429, 429]


@pytest.mark.parametrize("sku", ["Basic", "BasicV2"])
def test_streams_count_too(sku: str) -> None:
    api = gateway(by_key(tokens_per_minute=40), sku=sku)

    assert api.statuses(3, "one", stream=True)[-1] == 429


def test_a_prompt_that_exceeds_the_amount_is_refused_beforehand_where_it_is_estimated() -> None:
    long = [{"role": "user", "content": "word " * 400}]

    def call(*, estimate: bool) -> Response:
        api = gateway(by_key(tokens_per_minute=100, estimate_prompt=estimate))
        return api.call("one", messages=long)

    assert (call(estimate=True).status_code, call(estimate=True).requests) == (429, ())
    assert call(estimate=False).status_code == 200


def test_callers_learn_what_they_used_and_what_is_left() -> None:
    limit = by_key(
        tokens_per_minute=100, token_quota=1000, token_quota_period=QuotaPeriod.DAILY, requests_per_minute=10
    )

    response = gateway(limit).call("one")

    found = {name: value for name, value in response.headers.items() if name.lower().startswith("x-ratelimit-")}
    assert found == {
        "x-ratelimit-limit-subscription-requests": "10",
        "x-ratelimit-remaining-subscription-requests": "9",
        "x-ratelimit-remaining-subscription-tokens": "60",
        "x-ratelimit-remaining-subscription-daily-tokens": "960",
        "x-ratelimit-consumed-tokens": "40",
    }


@pytest.mark.parametrize("sku", ["Basic", "BasicV2"])
@pytest.mark.parametrize(
    ("amount", "minutes"),
    [
        pytest.param({"tokens_per_minute": 70}, 1, id="rate"),
        pytest.param({"token_quota": 70, "token_quota_period": QuotaPeriod.HOURLY}, 60, id="quota"),
    ],
)
def test_a_shadow_reports_what_it_would_have_refused_and_refuses_nothing(
    sku: str, amount: dict[str, Any], minutes: int
) -> None:
    api = gateway(by_key(**amount, shadow=True), sku=sku)

    first, second, third, fourth = (api.call("one") for _ in range(4))
    another = api.call("two")
    api.bench.clock.advance(60 * minutes)
    later = api.call("one")

    calls = [first, second, third, fourth, another, later]
    assert [call.status_code for call in calls] == [200] * 6
    assert [len(call.metrics) for call in calls] == [len(call.traces) for call in calls] == [0, 0, 1, 1, 0, 0]
    limit = f"70 tokens {'a minute' if minutes == 1 else 'hourly'} per subscription"
    (metric,), (trace,) = third.metrics, third.traces
    assert (metric.name, metric.value) == ("Calls beyond a shadow limit", 1)
    assert metric.dimensions["Limit"] == limit
    assert dict(trace.metadata) == {"limit": limit, "used": "80"}


@pytest.mark.parametrize(("sku", "reported"), [("Basic", 1), ("BasicV2", 0)])
def test_a_rate_in_shadow_looks_at_the_last_60_seconds_in_classic_tiers_and_at_the_clocks_minute_in_v2(
    sku: str, reported: int
) -> None:
    api = gateway(by_key(tokens_per_minute=70, shadow=True), sku=sku)
    api.statuses(2, "one")

    api.bench.clock.advance(45)  # to the next minute of the clock

    assert len(api.call("one").metrics) == reported


def test_a_tighter_amount_can_be_tried_in_shadow_beside_the_one_that_refuses() -> None:
    api = gateway(by_key(tokens_per_minute=80), by_key(tokens_per_minute=40, shadow=True))

    first, second, third = (api.call("one") for _ in range(3))

    assert [first.status_code, second.status_code, third.status_code] == [200, 200, 429]
    assert [len(call.metrics) for call in (first, second, third)] == [0, 1, 0]


def test_limits_come_before_the_hook_and_the_credentials() -> None:
    hook = Hook(inbound=[RawElement(xml='<set-header name="X-Own"><value>own</value></set-header>')])
    api = gateway(by_key(requests_per_minute=1), hook=hook)

    assert api.call("one").requests[0].headers["X-Own"] == "own"
    assert "openai-gateway-caller" not in api.call("one").variables, "refused before the hook's own preparations"


def deploy(component: type, *, azure: Azure | None = None, **more: Any) -> str:
    """Return the policy of the API `openai` of a component."""
    azure = azure or Azure()
    args = azure.api_args(azure.account("oai"), **more)
    return deploy_component(exporting(lambda: component("openai", args)), azure.cloud).policy("openai")


@pytest.mark.parametrize("component", [KeyAuthApi, ManagedIdentityApi, EntraProtectedApi])
def test_every_kind_of_api_takes_limits(component: type) -> None:
    more: dict[str, Any] = {"entra": EntraOptions(roles=["Chat.User"])} if component is EntraProtectedApi else {}

    text = deploy(component, limits=[LimitOptions(per=LimitPer.API, requests_per_minute=7)], **more)

    limit = ET.fromstring(text).find("inbound/rate-limit-by-key")
    assert limit is not None
    assert (limit.get("calls"), limit.get("renewal-period")) == ("7", "60")


def test_programs_in_other_languages_give_limits_as_mappings() -> None:
    text = deploy(KeyAuthApi, limits=[{"per": "subscription", "tokens_per_minute": 100.0}])

    assert ET.fromstring(text).find("inbound/llm-token-limit[@tokens-per-minute='100']") is not None


def test_the_policies_are_those_of_the_family_that_is_chosen() -> None:
    limits = [by_key(tokens_per_minute=10), by_key(tokens_per_minute=5, shadow=True)]

    text = deploy(KeyAuthApi, limits=limits, token_policies=TokenPolicies.AZURE_OPENAI)

    assert text.count("<azure-openai-token-limit ") == 2
    assert "<llm-token-limit" not in text


def test_two_apis_and_two_limits_have_no_counter_in_common() -> None:
    one, two = (
        [
            str(element.get("counter-key"))
            for element in ET.fromstring(policy_document([], [], limits=every, accounts=1, sku=None,
                                                         subscription_required=True)).iter()
            if element.get("counter-key") is not None
        ]
        for every in (Limits(api=name, limits=EVERYTHING, caller=OF_OTHERS) for name in ("openai", "openai-2"))
    )  # fmt: skip

    assert len(one) == 5 * len(LimitPer)
    assert len({*one, *two}) == len(one) + len(two)


EVERYTHING = [
    limit
    for per in LimitPer
    for limit in (
        LimitOptions(
            per=per, tokens_per_minute=5, requests_per_minute=5, token_quota=5, token_quota_period=QuotaPeriod.WEEKLY
        ),
        LimitOptions(per=per, tokens_per_minute=5, shadow=True, token_quota=5, token_quota_period=QuotaPeriod.WEEKLY),
    )
]


@pytest.mark.parametrize(
    ("component", "more", "message"),
    [
        pytest.param(
            KeyAuthApi,
            {"limits": [by_caller(tokens_per_minute=1)]},
            'limits[0].per: "caller" counts by the validated token, but auth is not entra, so no token is validated',
            id="no token",
        ),
        pytest.param(
            EntraProtectedApi,
            {"entra": EntraOptions(roles=["a"]), "limits": [by_key(tokens_per_minute=1)]},
            'limits[0].per: "subscription" counts by the subscription key, which is not required; set '
            "subscription_required to true",
            id="no subscription",
        ),
        pytest.param(
            KeyAuthApi, {"limits": [{"per": "subscription"}]}, "limits[0]: limits nothing; give at least one", id="none"
        ),
        pytest.param(
            ManagedIdentityApi,
            {"limits": [by_key(tokens_per_minute=1)], "sku": "Consumption"},
            "limits: conflicts with sku: llm-token-limit is not available in Consumption; use the tier",
            id="tier",
        ),
    ],
)
def test_limits_that_cannot_be_kept_are_refused(component: type, more: dict[str, Any], message: str) -> None:
    with pytest.raises((pulumi.RunError, DeployError)) as refused:
        deploy(component, **more)

    assert message in str(refused.value)


amounts = st.integers(1, 10**6)
quotas = st.tuples(amounts, st.sampled_from(QuotaPeriod)) | st.just((None, None))


@st.composite
def limit_options(draw: st.DrawFn) -> LimitOptions:
    shadow = draw(st.booleans())
    quota, period = draw(quotas)
    rate = draw(amounts if quota is None else amounts | st.none())
    return LimitOptions(
        per=draw(st.sampled_from(LimitPer)),
        tokens_per_minute=rate,
        token_quota=quota,
        token_quota_period=period,
        requests_per_minute=None if shadow else draw(amounts | st.none()),
        estimate_prompt=False if shadow else draw(st.booleans()),
        shadow=shadow,
    )


option_sets = st.tuples(st.lists(limit_options(), max_size=6), st.sampled_from(["Basic", "BasicV2", "Premium"]))


@settings(max_examples=25)
@given(option_sets, st.booleans(), st.booleans())
def test_no_combination_opens_an_api(options: tuple[list[LimitOptions], str], by_token: bool, keys: bool) -> None:
    limits, sku = options
    by_token, keys = by_token or any(limit.per is LimitPer.CALLER for limit in limits), keys or not by_token
    keys = keys or any(limit.per in {LimitPer.SUBSCRIPTION, LimitPer.PRODUCT} for limit in limits)

    api = gateway(*limits, by_token=by_token, keys=keys, sku=sku)

    for stranger in ({}, {"api-key": "0" * 32}, {"Authorization": "Bearer none"}):
        refused = api.call(headers=stranger)
        assert (refused.status_code, refused.requests) == (401, ())
    assert api.call("one" if keys else None, claims={} if by_token else None).status_code in {200, 403, 429}


@settings(max_examples=40)
@given(option_sets)
def test_whatever_is_rendered_counts_before_it_changes_anything(options: tuple[list[LimitOptions], str]) -> None:
    limits, sku = options
    found = Limits(api="openai", limits=limits, caller=OF_OTHERS)

    text = policy_document([], [SetBackendService(backend_id="openai")], limits=found, accounts=1, sku=sku,
                           subscription_required=True)  # fmt: skip

    inbound = ET.fromstring(text).find("inbound")
    assert inbound is not None
    tags = [child.tag for child in inbound]
    counting = [i for i, tag in enumerate(tags) if tag in {"rate-limit-by-key", "llm-token-limit"}]
    stripped = tags.index("set-header")
    assert all(1 < i < stripped for i in counting), "after the key is asked for, before credentials change"
    keys = [str(inbound[i].get("counter-key")) for i in counting]
    refusing = ["/shadow/" not in key for key in keys]
    assert refusing == sorted(refusing, reverse=True), "a shadow sees only calls that are not refused"


@settings(max_examples=40)
@given(option_sets)
def test_the_schema_accepts_whatever_is_rendered(options: tuple[list[LimitOptions], str]) -> None:
    limits, sku = options
    text = policy_document(
        [],
        [SetBackendService(backend_id="openai")],
        limits=Limits(api="openai", limits=limits, caller=OF_OTHERS),
        accounts=1,
        subscription_required=True,
        sku=sku,
    )

    assert judges.errors_of(text, "v2" if sku.endswith("V2") else "classic") == []
