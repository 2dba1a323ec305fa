"""What metrics say, on a gateway that runs the policy of an API with them."""

from typing import Any
from xml.etree import ElementTree as ET

import pulumi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apim_emulator.pulumi.deploy import DeployError
from apim_emulator.testing import PolicyBench
from components import EntraProtectedApi, KeyAuthApi, ManagedIdentityApi
from components._api import policy_document
from components._caller import OF_OTHERS
from components._limits import Limits
from components._metrics import Metrics
from components._traffic import Traffic
from options import (
    EntraOptions,
    JwtOptions,
    LimitOptions,
    LimitPer,
    MetricsOptions,
    MetricSource,
    ModelOptions,
    TokenPolicies,
)
from policies import SetBackendService
from tests import judges
from tests.components.test_limits import AUDIENCE, PROMPT, answer, by_key, deploy, gateway, limit_options

EVERY: dict[str, MetricSource] = {
    source.name.title(): source for source in MetricSource if source is not MetricSource.APPLICATION
}


def own(**dimensions: str) -> MetricsOptions:
    found = {name: MetricSource(source) for name, source in dimensions.items()}
    return MetricsOptions(namespace="openai", dimensions=found)


def test_each_answer_says_how_many_tokens_it_took_and_for_whom() -> None:
    api = gateway(metrics=MetricsOptions(namespace="openai", dimensions=EVERY), models=["chat"])

    metrics = api.call("one").metrics

    assert {metric.name: metric.value for metric in metrics} == {
        "Total Tokens": 40,
        "Prompt Tokens": 10,
        "Completion Tokens": 30,
    }
    assert {metric.namespace for metric in metrics} == {"openai"}
    assert dict(metrics[0].dimensions) == {
        "Api": "policy",
        "Operation": "chat",
        "Product": "none",
        "Subscription": "one",
        "Model": "chat",
    }


def test_by_default_the_metrics_are_split_by_api() -> None:
    api = gateway(metrics=MetricsOptions(namespace="openai"))

    assert [dict(metric.dimensions) for metric in api.call("one").metrics] == [{"API ID": "policy"}] * 3


@pytest.mark.parametrize(
    ("claims", "application"),
    [({}, "app"), ({"azp": None, "appid": "older"}, "older"), ({"azp": None}, "none")],
    ids=["version 2", "version 1", "none"],
)
def test_the_application_is_the_tokens(claims: dict[str, Any], application: str) -> None:
    api = gateway(metrics=own(Application="application"), by_token=True, keys=False)

    metrics = api.call(claims=claims, headers={"azp": "another"}).metrics

    assert {metric.dimensions["Application"] for metric in metrics} == {application}


def test_the_application_of_another_provider_is_its_client() -> None:
    jwt = JwtOptions(openid_config_urls=["https://id.test/.well-known/openid-configuration"], audiences=[AUDIENCE])
    text = deploy(EntraProtectedApi, jwt=jwt, metrics=own(Application="application"))
    bench = PolicyBench(None, backends={"openai-backend": answer}, sku="Basic")
    issuer = bench.issuer("https://id.test")
    bench.load(text)
    token = issuer.issue(audience=AUDIENCE, subject="a", claims={"client_id": "client"})

    metrics = bench.post("/", headers={"Authorization": f"Bearer {token}"}, json=PROMPT).metrics

    assert {metric.dimensions["Application"] for metric in metrics} == {"client"}


def test_a_stream_is_reported_too() -> None:
    api = gateway(metrics=MetricsOptions(namespace="openai"))

    assert [metric.name for metric in api.call("one", stream=True).metrics] == [
        "Total Tokens",
        "Prompt Tokens",
        "Completion Tokens",
    ]


def test_what_is_refused_is_not_reported() -> None:
    api = gateway(by_key(requests_per_minute=1), metrics=own(Model="model"), models=["chat"])

    not_offered, answered, beyond = api.call("one", model="made-up"), api.call("one"), api.call("one")

    assert [not_offered.status_code, answered.status_code, beyond.status_code] == [403, 200, 429]
    assert not_offered.metrics == beyond.metrics == ()


@pytest.mark.parametrize("component", [KeyAuthApi, ManagedIdentityApi, EntraProtectedApi])
def test_every_kind_of_api_takes_metrics(component: type) -> None:
    more: dict[str, Any] = {"entra": EntraOptions(roles=["Chat.User"])} if component is EntraProtectedApi else {}

    text = deploy(component, metrics={"namespace": "openai", "dimensions": {"Team": "product"}}, **more)

    found = ET.fromstring(text).find("inbound/llm-emit-token-metric[@namespace='openai']/dimension")
    assert found is not None
    assert found.get("name") == "Team"


def test_the_policy_is_that_of_the_family_that_is_chosen() -> None:
    text = deploy(KeyAuthApi, metrics=MetricsOptions(namespace="openai"), token_policies=TokenPolicies.AZURE_OPENAI)

    assert "<azure-openai-emit-token-metric " in text


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        pytest.param(
            own(Model="model"),
            'metrics.dimensions.Model: "model" would have a value for each name that callers make up; list models',
            id="any model",
        ),
        pytest.param(
            own(App="application"),
            'metrics.dimensions.App: "application" comes from the validated token, but auth is not entra',
            id="no token",
        ),
        pytest.param(
            own(**{f"d{i}": "api" for i in range(6)}),
            "metrics.dimensions: has 6 dimensions of your own; allowed: up to 5",
            id="too many",
        ),
        pytest.param({"namespace": "a", "dimensions": {"Id": "@(context.RequestId)"}}, "dimensions.Id", id="unbounded"),
    ],
)
def test_dimensions_without_bounds_are_refused(metrics: Any, message: str) -> None:
    with pytest.raises((pulumi.RunError, DeployError)) as refused:
        deploy(KeyAuthApi, metrics=metrics)

    assert message in str(refused.value)


names = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8)
metric_options = st.builds(
    MetricsOptions,
    namespace=st.just("openai"),
    dimensions=st.dictionaries(names, st.sampled_from(MetricSource), min_size=1, max_size=5),
)
option_sets = st.tuples(st.lists(limit_options(), max_size=4), metric_options, st.sampled_from(["Basic", "BasicV2"]))
Options = tuple[list[LimitOptions], MetricsOptions, str]


@settings(max_examples=25)
@given(option_sets, st.booleans(), st.booleans())
def test_no_combination_of_limits_and_metrics_opens_an_api(options: Options, by_token: bool, keys: bool) -> None:
    limits, metrics, sku = options
    by_token = (
        by_token
        or MetricSource.APPLICATION in metrics.dimensions.values()
        or any(limit.per is LimitPer.CALLER for limit in limits)
    )
    keys = keys or not by_token or any(limit.per in {LimitPer.SUBSCRIPTION, LimitPer.PRODUCT} for limit in limits)

    api = gateway(*limits, metrics=metrics, models=["chat"], by_token=by_token, keys=keys, sku=sku)

    for stranger in ({}, {"api-key": "0" * 32}, {"Authorization": "Bearer none"}):
        refused = api.call(headers=stranger)
        assert (refused.status_code, refused.requests, refused.metrics) == (401, (), ())
    assert api.call("one" if keys else None, claims={} if by_token else None).status_code in {200, 403, 429}


def rendered(options: Options) -> str:
    limits, metrics, sku = options
    return policy_document(
        [],
        [SetBackendService(backend_id="openai")],
        limits=Limits(api="openai", limits=limits, caller=OF_OTHERS),
        metrics=Metrics(metrics=metrics, caller=OF_OTHERS),
        traffic=Traffic(models=[ModelOptions(name="chat")]),
        accounts=1,
        subscription_required=True,
        sku=sku,
    )


@settings(max_examples=40)
@given(option_sets)
def test_metrics_come_once_the_limits_let_a_call_pass_and_before_credentials_change(options: Options) -> None:
    inbound = ET.fromstring(rendered(options)).find("inbound")
    assert inbound is not None
    tags = [child.tag for child in inbound]

    limits = [i for i, tag in enumerate(tags) if tag in {"llm-token-limit", "rate-limit-by-key"}]
    assert max(limits, default=0) < tags.index("llm-emit-token-metric") < tags.index("set-header")


@settings(max_examples=40)
@given(option_sets)
def test_the_schema_accepts_whatever_is_rendered(options: Options) -> None:
    assert judges.errors_of(rendered(options), "v2" if options[2].endswith("V2") else "classic") == []
