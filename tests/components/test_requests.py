"""What an API's policy reads and changes in a request, executed in front of an account that shows what it got."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apim_emulator.pulumi.deploy import DeployError
from apim_emulator.testing import PolicyBench, Reply, Request, Response
from components import ManagedIdentityApi
from components._api import policy_document
from components._limits import Limits
from components._requests import choose_backend
from components._routes import Route
from components._safety import Safety
from components._traffic import Traffic
from options import LimitOptions, LimitPer, ModelOptions, PolicyOptions, SafetyOptions
from options.models import targets
from policies import SetBackendService
from tests.components.conftest import Azure
from tests.deployed import deploy_component
from tests.judges import remarks_of

MODELS = [ModelOptions(name="gpt-4o"), ModelOptions(name="fast", deployment="gpt-4o-mini")]
OFFERED = "This API does not offer that model; it offers gpt-4o, fast."
CHAT = {"messages": [{"role": "user", "content": "Hello"}]}


def document(traffic: Traffic) -> str:
    credential = [SetBackendService(backend_id="account")]
    return policy_document([], credential, accounts=1, traffic=traffic, subscription_required=False, sku=None)


def bench(traffic: Traffic) -> PolicyBench:
    def account(request: Request) -> Reply:
        return Reply(json={"url": request.url, "body": request.text})

    return PolicyBench(document(traffic), backends={"account": account})


def arrived(response: Response) -> tuple[str, Any]:
    """URL without the host, and the body, as the account got them."""
    assert response.status_code == 200, response.text
    body = response.json()["body"]
    return response.json()["url"].removeprefix("https://account.test"), json.loads(body) if body else None


def refusal(response: Response) -> tuple[int, str, str]:
    assert response.requests == ()
    assert response.headers["Content-Type"] == "application/json"
    error = response.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", "model")
    return response.status_code, error["code"], error["message"]


TRAFFICS = {
    "path": Traffic(models=MODELS),
    "body": Traffic(models=MODELS, by_body=True),
    "usage": Traffic(include_usage=True),
    "path and usage": Traffic(models=MODELS, include_usage=True),
    "body and usage": Traffic(models=MODELS, include_usage=True, by_body=True),
    "timeout": Traffic(timeout=120),
}


@pytest.mark.parametrize("name", list(TRAFFICS))
def test_the_official_schema_accepts_the_policy(name: str) -> None:
    assert remarks_of(document(TRAFFICS[name])) == []


class TestByPath:
    bench = bench(Traffic(models=MODELS))

    def chat(self, deployment: str) -> Response:
        return self.bench.post(f"/deployments/{deployment}/chat/completions?api-version=2024-10-21&x=1", json=CHAT)

    def test_what_is_offered_arrives_as_it_is(self) -> None:
        assert arrived(self.chat("gpt-4o")) == (
            "/deployments/gpt-4o/chat/completions?api-version=2024-10-21&x=1",
            CHAT,
        )

    def test_an_alias_becomes_its_deployment_and_the_rest_stays(self) -> None:
        assert arrived(self.chat("fast")) == (
            "/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21&x=1",
            CHAT,
        )

    @pytest.mark.parametrize(
        "model",
        [
            pytest.param("gpt-4o-mini", id="the deployment behind an alias"),
            pytest.param("gpt-4", id="a beginning"),
            pytest.param("gpt-4o-2", id="a longer name"),
            pytest.param("GPT-4o", id="another case"),
            pytest.param("gpt-4o%20", id="a space"),
            pytest.param("deployments", id="the word before it"),
        ],
    )
    def test_all_else_is_refused_in_openais_format(self, model: str) -> None:
        assert refusal(self.chat(model)) == (403, "model_not_found", OFFERED)

    @pytest.mark.parametrize("model", ["gpt-4o%2Fx", "gpt-4%2F..%2Fgpt-4o", "gpt-4o%00", ""])
    def test_what_is_no_name_reaches_nobody(self, model: str) -> None:
        response = self.chat(model)

        assert (response.status_code in {403, 404}, response.requests) == (True, ())

    @pytest.mark.parametrize("path", ["/deployments/gpt-4/x/deployments/gpt-4o/chat", "/Deployments/gpt-4o/chat"])
    def test_a_path_that_could_be_read_in_two_ways_is_refused(self, path: str) -> None:
        assert refusal(self.bench.post(path, json=CHAT))[0] == 403

    def test_a_path_without_a_deployment_is_refused(self) -> None:
        assert refusal(self.bench.post("/batches", json={"model": "gpt-4o"})) == (403, "model_not_found", OFFERED)

    def test_the_model_in_the_body_has_no_say(self) -> None:
        response = self.bench.post("/deployments/gpt-4/chat/completions", json={"model": "gpt-4o"})

        assert refusal(response)[0] == 403


@pytest.mark.parametrize("by_body", [False, True])
def test_what_the_check_of_content_reads_is_what_the_account_gets(by_body: bool) -> None:
    checked: list[str] = []

    def safe(request: Request) -> Reply:
        checked.append(json.loads(request.text)["text"])
        return Reply(json={"categoriesAnalysis": [{"category": "Hate", "severity": 0}]})

    safety = Safety(options=SafetyOptions(categories={"Hate": 4})).policies(None, "safety")
    credential = [SetBackendService(backend_id="account")]
    policy = policy_document(
        [],
        credential,
        safety=safety,
        accounts=1,
        traffic=Traffic(by_body=by_body),
        subscription_required=False,
        sku=None,
    )
    account = PolicyBench(policy, backends={"account": lambda got: Reply(content=got.content), "safety": safe})

    got = account.post("/deployments/gpt-4o/chat/completions", data='{"prompt": "unread", "prompt": "read"}')

    assert (got.text, checked) == ('{"prompt":"read"}', ["read"])


class TestByBody:
    bench = bench(Traffic(models=MODELS, by_body=True))

    def send(self, body: str, path: str = "/chat/completions") -> Response:
        return self.bench.post(path, data=body, headers={"Content-Type": "application/json"})

    def test_what_is_offered_arrives_as_it_is(self) -> None:
        body = {"model": "gpt-4o", **CHAT, "temperature": 0.5, "n": 1}

        assert arrived(self.send(json.dumps(body))) == ("/chat/completions", body)

    @pytest.mark.parametrize("path", ["/chat/completions", "/responses", "/embeddings"])
    def test_an_alias_becomes_its_deployment(self, path: str) -> None:
        assert arrived(self.send('{"model": "fast", "input": "Hello"}', path)) == (
            path,
            {"model": "gpt-4o-mini", "input": "Hello"},
        )

    @pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-4", "gpt-4o-2", "GPT-4o", "gpt-4o ", "gpt-4o\u0000"])
    def test_all_else_is_refused_in_openais_format(self, model: str) -> None:
        assert refusal(self.send(json.dumps({"model": model}))) == (403, "model_not_found", OFFERED)

    @pytest.mark.parametrize(
        "body",
        ["", "{}", "[]", "nope", '{"model": null}', '{"model": ["gpt-4o"]}', '{"Model": "gpt-4o"}', '"gpt-4o"'],
    )
    def test_a_request_that_names_no_model_is_refused(self, body: str) -> None:
        assert refusal(self.send(body)) == (
            400,
            "missing_model",
            "The request needs a JSON body that names a model.",
        )

    def test_a_model_that_is_named_twice_is_sent_once_as_it_was_checked(self) -> None:
        first = self.send('{"model": "gpt-4", "model": "gpt-4o"}')
        last = self.send('{"model": "gpt-4o", "model": "gpt-4"}')

        assert first.json()["body"].count("model") == 1
        assert arrived(first) == ("/chat/completions", {"model": "gpt-4o"})
        assert refusal(last)[0] == 403

    @pytest.mark.parametrize("body", ['{"model": "gpt-4o", "Model": "gpt-4"}', '{"MODEL": "gpt-4", "model": "gpt-4o"}'])
    def test_a_model_that_is_named_in_two_spellings_is_named_by_neither(self, body: str) -> None:
        assert refusal(self.send(body))[:2] == (400, "missing_model")

    @pytest.mark.parametrize("deployment", ["gpt-image-1", "fast", "", "gpt-4o,gpt-image-1"])
    def test_no_header_brings_in_another_model_to_make_images_with(self, deployment: str) -> None:
        header = {"X-MS-OAI-Image-Generation-Deployment": deployment}

        response = self.bench.post("/responses", json={"model": "gpt-4o"}, headers=header)

        assert refusal(response) == (403, "model_not_found", "This API does not offer that image model.")

    def test_images_are_made_with_a_deployment_that_is_offered(self) -> None:
        header = {"x-ms-oai-image-generation-deployment": "gpt-4o-mini"}

        assert self.bench.post("/responses", json={"model": "gpt-4o"}, headers=header).status_code == 200

    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "/models"), ("GET", "/responses/resp_1"), ("DELETE", "/responses/resp_1")],
    )
    def test_reading_and_deleting_need_no_model(self, method: str, path: str) -> None:
        assert arrived(self.bench.send(method, path)) == (path, None)

    def test_cancelling_needs_no_model(self) -> None:
        assert arrived(self.bench.post("/responses/resp_1/cancel")) == ("/responses/resp_1/cancel", None)

    def test_the_path_has_no_say(self) -> None:
        assert refusal(self.send("{}", "/deployments/gpt-4o/chat/completions"))[0] == 400


@given(st.text() | st.sampled_from(["gpt-4o", "fast", "gpt-4o-mini"]), st.text(max_size=3), st.booleans())
def test_whatever_is_asked_for_only_what_is_offered_is_answered(name: str, more: str, nested: bool) -> None:
    model = name + more
    offered = targets(MODELS).get(model)
    value = {"model": {"model": model}} if nested else {"model": model}

    by_body = TestByBody.bench.post("/chat/completions", json=value)
    by_path = TestByPath.bench.post(f"/deployments/{quote(model, safe='')}/chat/completions", json=CHAT)

    for response, answered in ((by_body, None if nested else offered), (by_path, offered)):
        assert (response.status_code == 200) is (answered is not None)
        assert len(response.requests) == (answered is not None)
    if offered is not None:
        assert f"/deployments/{offered}/" in by_path.requests[0].url


class TestUsage:
    @pytest.mark.parametrize(
        ("traffic", "path", "model"),
        [
            pytest.param(Traffic(include_usage=True), "/deployments/gpt-4o/chat/completions", {}, id="dated"),
            pytest.param(
                Traffic(include_usage=True, models=MODELS),
                "/deployments/gpt-4o/chat/completions",
                {},
                id="dated, models",
            ),
            pytest.param(Traffic(include_usage=True, by_body=True), "/chat/completions", {"model": "gpt-4o"}, id="v1"),
            pytest.param(
                Traffic(include_usage=True, by_body=True, models=MODELS),
                "/chat/completions",
                {"model": "gpt-4o"},
                id="v1, models",
            ),
        ],
    )
    def test_a_stream_of_chat_is_asked_for_its_usage_and_nothing_else_is(
        self, traffic: Traffic, path: str, model: dict[str, str]
    ) -> None:
        gateway = bench(traffic)

        def sent(body: dict[str, Any], to: str = path) -> Any:
            return arrived(gateway.post(to, json={**model, **body}))[1]

        assert sent({**CHAT, "stream": True})["stream_options"] == {"include_usage": True}
        assert sent({"stream": True, "stream_options": {"include_usage": False, "include_obfuscation": False}})[
            "stream_options"
        ] == {"include_usage": True, "include_obfuscation": False}
        assert sent({"stream": True, "stream_options": None})["stream_options"] == {"include_usage": True}
        for body in (CHAT, {**CHAT, "stream": False}, {**CHAT, "stream": "yes"}):
            assert sent(body) == {**model, **body}
        if traffic.by_body:
            assert sent({"input": "Hello", "stream": True}, "/responses") == {**model, "input": "Hello", "stream": True}

    def test_a_body_that_is_no_json_is_left_to_the_account(self) -> None:
        response = bench(Traffic(include_usage=True)).post("/deployments/gpt-4o/chat/completions", data="nope")

        assert response.json()["body"] == "nope"


@pytest.mark.parametrize("by_body", [False, True], ids=["dated", "v1"])
def test_an_alias_has_no_amount_of_its_own_and_what_is_refused_uses_none(by_body: bool) -> None:
    models = [ModelOptions(name="gpt-4o"), ModelOptions(name="fast", deployment="gpt-4o")]
    limits = Limits(api="openai", limits=[LimitOptions(per=LimitPer.MODEL, requests_per_minute=2)])
    gateway = PolicyBench(
        policy_document(
            [], [SetBackendService(backend_id="account")],
            limits=limits, accounts=1, traffic=Traffic(models=models, by_body=by_body),
            subscription_required=False, sku=None,
        ),
        backends={"account": lambda _: Reply()},
    )  # fmt: skip

    def call(model: str) -> int:
        path = "/chat/completions" if by_body else f"/deployments/{model}/chat/completions"
        return gateway.post(path, json={"model": model, **CHAT}).status_code

    assert [call(model) for model in ("other", "other", "other", "gpt-4o", "fast", "fast", "gpt-4o")] == [
        *[403] * 3,
        *[200] * 2,
        *[429] * 2,
    ]


ROUTES = (
    Route(deployments=("gpt-4o",), accounts=("a", "b")),
    Route(deployments=("gpt-4o-mini",), accounts=("b",)),
)
BACKENDS = {"gpt-4o": "both", "gpt-4o-mini": "only-b"}
NOT_FOUND = (
    "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, "
)


class TestRoutes:
    """Two accounts, of which one alone has the second deployment."""

    def ask(self, traffic: Traffic, path: str, body: Any = None, *, method: str = "POST", **answers: Reply) -> Response:
        chosen = policy_document(
            [], choose_backend("all", BACKENDS), accounts=2, traffic=traffic, subscription_required=False, sku=None
        )
        assert remarks_of(chosen) == []
        named = {name: answers.get(name.replace("-", "_"), Reply(content=name)) for name in ("all", "both", "only-b")}
        gateway = PolicyBench(
            chosen,
            backends={name: lambda _, reply=reply: reply for name, reply in named.items()},  # type: ignore[misc]
        )
        return gateway.send(method, path, json=body)

    @pytest.mark.parametrize(("model", "backend"), BACKENDS.items())
    def test_a_call_goes_where_its_deployment_is(self, model: str, backend: str) -> None:
        by_path = self.ask(Traffic(routes=ROUTES), f"/deployments/{model}/chat/completions", CHAT)
        by_body = self.ask(Traffic(routes=ROUTES, by_body=True), "/responses", {"model": model, "input": "Hello"})

        assert by_path.text == by_body.text == backend

    @pytest.mark.parametrize("model", ["gpt-4", "gpt-4o-", "gpt-4o-mini-2", "both"])
    def test_a_deployment_that_no_account_has_is_not_found_as_in_azure(self, model: str) -> None:
        by_path = self.ask(Traffic(routes=ROUTES), f"/deployments/{model}/chat/completions", CHAT)
        by_body = self.ask(Traffic(routes=ROUTES, by_body=True), "/chat/completions", {"model": model, **CHAT})

        for response in (by_path, by_body):
            error = response.json()["error"]
            assert (response.status_code, error["code"], response.requests) == (404, "DeploymentNotFound", ())
            assert error["message"].startswith(NOT_FOUND)

    def test_an_alias_goes_where_its_deployment_is(self) -> None:
        models = [ModelOptions(name="fast", deployment="gpt-4o-mini")]

        by_path = self.ask(Traffic(routes=ROUTES, models=models), "/deployments/fast/chat/completions", CHAT)
        by_body = self.ask(Traffic(routes=ROUTES, models=models, by_body=True), "/responses", {"model": "fast"})

        assert by_path.text == by_body.text == "only-b"
        assert by_path.requests[0].url.startswith("https://only-b.test/deployments/gpt-4o-mini/")
        assert by_body.requests[0].json() == {"model": "gpt-4o-mini"}

    def test_what_names_no_model_goes_to_any_account(self) -> None:
        traffic = Traffic(routes=ROUTES, by_body=True)

        assert self.ask(traffic, "/models", method="GET").text == "all"
        assert self.ask(Traffic(routes=ROUTES), "/models", method="GET").text == "all"
        assert self.ask(traffic, "/responses", {"input": "Hello"}).status_code == 400

    def test_the_only_account_of_a_deployment_is_called_once(self) -> None:
        spent = Reply(status_code=429, headers={"Retry-After": "7", "x-ms-region": "Sweden Central"}, json={})

        path = "/deployments/{}/chat/completions"
        alone = self.ask(Traffic(routes=ROUTES), path.format("gpt-4o-mini"), CHAT, only_b=spent)
        shared = self.ask(Traffic(routes=ROUTES), path.format("gpt-4o"), CHAT, both=spent)

        assert (alone.status_code, alone.headers["Retry-After"], len(alone.requests)) == (429, "7", 1)
        assert "x-ms-region" not in alone.headers
        assert len(shared.requests) == 2


def test_the_time_to_wait_for_an_account_is_the_one_that_is_set() -> None:
    assert '<forward-request timeout="120" buffer-response="false" />' in document(Traffic(timeout=120))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"models": []}, "models: is empty; list at least one model", id="no models"),
        pytest.param(
            {"models": [ModelOptions(name="gpt 4")]}, r'models\[0\].name: "gpt 4" is not valid', id="name of a model"
        ),
        pytest.param(
            {"models": [{"name": "a1"}, {"name": "a1"}]}, r'models\[1\].name: "a1" is already used', id="one name twice"
        ),
        pytest.param({"timeout": 0}, "timeout: 0 is not valid; allowed: a whole number from 1 to 240", id="timeout"),
        pytest.param(
            {"include_usage": True, "policy": PolicyOptions(outbound='<set-body>{}</set-body>')},
            "include_usage: conflicts with policy.outbound, where set-body needs the whole response",
            id="a stream that would be held back",
        ),
        pytest.param({"retry": {"count": 1.0}}, "retry: has no effect on a single account", id="retry"),
        pytest.param({"breaker": {"trip": "10s"}}, 'breaker.trip: "10s" is not valid', id="breaker"),
    ],
)  # fmt: skip
def test_a_component_refuses_what_config_refuses(azure: Azure, given: dict[str, Any], message: str) -> None:
    args = azure.api_args(azure.account("oai-a"), **given)

    with pytest.raises(DeployError, match=message):
        deploy_component(lambda: ManagedIdentityApi("openai", args), azure.cloud)
