"""Which calls are answered from the semantic cache, on a gateway that runs the policy of an API with one."""

from typing import Any

import pytest

from apim_emulator.model import Operation, Subscription
from apim_emulator.pulumi.deploy import DeployError
from apim_emulator.testing import PolicyBench, Reply, Request, Response, event_stream
from components import EntraProtectedApi, KeyAuthApi, ManagedIdentityApi
from components._api import policy_document
from components._cache import Cache
from components._caller import OF_ENTRA
from components._entra_token import entra_validation
from components._safety import NO_SAFETY, Safety
from components._traffic import DEFAULT, Traffic
from options import CacheOptions, EntraOptions, JwtOptions, ModelOptions, RedisOptions, SafetyOptions, VaryBy
from policies import Policy, RequiredClaim, SetBackendService
from tests.components.conftest import Azure, exporting
from tests.deployed import Deployed, deploy_component
from tests.judges import remarks_of

AUDIENCE = "api://openai"
TENANT = "22222222-0000-4000-8000-000000000002"
KEYS = {"one": "1" * 32, "two": "2" * 32}
HELLO = {"messages": [{"role": "user", "content": "Hello"}]}
CACHE: dict[str, Any] = {"score_threshold": 0.05, "duration": 60, "embeddings": "embed"}
BY_KEY = CacheOptions(**CACHE, vary_by=VaryBy.SUBSCRIPTION)
BY_CALLER = CacheOptions(**CACHE, vary_by=VaryBy.CALLER)
PARTITION = "openai-gateway-cache"


def embed(_request: Request) -> Reply:
    """A model to which all prompts mean the same: only partitions tell calls apart."""
    return Reply(json={"data": [{"embedding": [1.0, 0.0]}]})


def answer(request: Request) -> Reply:
    """An account that repeats what it got."""
    if b'"stream":true' in request.content:
        return event_stream({})
    return Reply(json={"choices": [{"message": {"content": request.text}}]})


class Gateway:
    """An API with a cache, and who calls it: subscriptions, or applications and users with tokens."""

    def __init__(
        self,
        cache: CacheOptions = BY_KEY,
        *,
        traffic: Traffic = DEFAULT,
        safety: Safety = NO_SAFETY,
        surface: str = "/deployments/{deployment-id}",
    ) -> None:
        by_token = cache.vary_by is VaryBy.CALLER
        validation: list[Policy] = entra_validation(EntraOptions(), TENANT, [AUDIENCE], keep_token=True)
        self.document = policy_document(
            validation if by_token else [],
            [SetBackendService(backend_id="openai")],
            cache=Cache(options=cache, caller=OF_ENTRA if by_token else None),
            embeddings_backend_id="embeddings",
            safety=safety.policies(None, "safety"),
            traffic=traffic,
            accounts=1,
            subscription_required=not by_token,
            sku=None,
        )
        backends = {"openai": answer, "embeddings": embed, "safety": _unsafe}
        self.bench = PolicyBench(None, backends=backends, tenant_id=TENANT)
        operations = tuple(
            Operation(name=name, method="POST", url_template=f"{surface}{path}")
            for name, path in (("chat", "/chat/completions"), ("embed", "/embeddings"), ("respond", "/responses"))
        )
        subscriptions = tuple(
            Subscription(id=name, scope="/apis", primary_key=key, secondary_key=key[::-1] + "0")
            for name, key in KEYS.items()
        )
        api = {"key_header": "api-key", "key_query": "api-key", "operations": operations}
        self.bench.load(self.document, api=api, **({} if by_token else {"subscriptions": subscriptions}))

    def chat(
        self,
        body: Any = HELLO,
        *,
        key: str | None = "one",
        claims: dict[str, Any] | None = None,
        path: str = "/deployments/chat/chat/completions",
        query: str = "",
    ) -> Response:
        headers = {} if claims is not None or key is None else {"api-key": KEYS[key]}
        if claims is not None:
            whole = {"tid": TENANT, "ver": "2.0", "azp": "app", "oid": "user", **claims}
            given = {name: value for name, value in whole.items() if value is not None}
            token = self.bench.entra.issue(audience=AUDIENCE, subject="subject", claims=given)
            headers["Authorization"] = f"Bearer {token}"
        return self.bench.post(path + query, headers=headers, json=body)


def _unsafe(request: Request) -> Reply:
    return Reply(json={"blocklistsMatch": [], "categoriesAnalysis": [{"category": "Hate", "severity": 4}]})


def asked(response: Response) -> list[str]:
    """Names of the backends that were called."""
    assert response.status_code == 200, response.text
    return [request.url.removeprefix("https://").partition(".")[0] for request in response.requests]


def said(text: str = "Hello", **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **more}


def partition(response: Response) -> str:
    return str(response.variables[PARTITION])


def test_a_prompt_that_means_the_same_reaches_no_account() -> None:
    api = Gateway()

    first, second = api.chat(said("Hello")), api.chat(said("Hi there"))

    assert (asked(first), asked(second)) == (["embeddings", "openai"], ["embeddings"])
    assert second.text == first.text


def test_an_answer_is_forgotten_after_its_duration() -> None:
    api = Gateway()
    calls = [api.chat()]
    for seconds in (59, 1):
        api.bench.clock.advance(seconds)
        calls.append(api.chat())

    assert [asked(call)[1:] for call in calls] == [["openai"], [], ["openai"]]


@pytest.mark.parametrize(
    ("cache", "others"),
    [
        pytest.param(BY_KEY, [{"key": "one"}, {"key": "two"}], id="subscriptions"),
        pytest.param(
            BY_CALLER, [{"claims": {}}, {"claims": {"oid": "other"}}, {"claims": {"azp": "other"}}], id="tokens"
        ),
        pytest.param(
            BY_CALLER, [{"claims": {"azp": "a/b", "oid": "c"}}, {"claims": {"azp": "a", "oid": "b/c"}}], id="/"
        ),
    ],
)
def test_callers_get_no_answers_to_prompts_of_others(cache: CacheOptions, others: list[dict[str, Any]]) -> None:
    api = Gateway(cache)

    calls = [api.chat(**other) for other in others]

    assert [asked(call) for call in calls] == [["embeddings", "openai"]] * len(others)
    assert len({partition(call) for call in calls}) == len(others)
    assert [asked(api.chat(**other)) for other in others] == [["embeddings"]] * len(others)


def test_one_caller_has_one_cache_whichever_key_it_presents() -> None:
    """Of the same subscription: with `varyBy: subscription` both keys are the same caller."""
    api = Gateway()
    api.chat()

    response = api.bench.post(
        "/deployments/chat/chat/completions", headers={"api-key": KEYS["one"][::-1] + "0"}, json=HELLO
    )
    assert asked(response) == ["embeddings"]


def test_a_token_that_names_no_caller_is_answered_by_the_model_alone() -> None:
    api = Gateway(BY_CALLER)

    calls = [api.chat(claims={"oid": None, "azp": None}) for _ in range(2)]

    assert [asked(call) for call in calls] == [["openai"]] * 2


def test_strangers_are_refused_before_the_cache() -> None:
    api = Gateway()
    api.chat()

    stranger = api.chat(key=None)

    assert (stranger.status_code, stranger.requests) == (401, ())


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(said(stream=True), id="stream"),
        pytest.param(said(stream="true"), id="what may be a stream"),
        pytest.param(said(Stream=True), id="another spelling"),
        pytest.param(said(store=True), id="stored"),
        pytest.param(said(tools=[]), id="tools"),
        pytest.param(said(functions=[]), id="functions"),
        pytest.param({"messages": []}, id="no message"),
        pytest.param({"messages": "Hello"}, id="no list"),
        pytest.param({"messages": ["Hello"]}, id="no object"),
        pytest.param({"prompt": "Hello"}, id="no dialogue"),
        pytest.param({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]}, id="parts"),
        pytest.param({"messages": [*said()["messages"], {"role": "assistant", "content": None}]}, id="no text"),
        pytest.param({"messages": [{"role": "tool", "content": "1", "tool_call_id": "a"}]}, id="result of a tool"),
    ],
)
def test_what_needs_its_own_answer_is_neither_looked_up_nor_kept(body: Any) -> None:
    api = Gateway()

    assert [asked(api.chat(body)) for _ in range(2)] == [["openai"]] * 2


@pytest.mark.parametrize("path", ["/embeddings", "/responses"])
def test_only_chat_is_cached(path: str) -> None:
    api = Gateway(surface="")

    assert [asked(api.chat(said(input="Hello"), path=path)) for _ in range(2)] == [["openai"]] * 2


def test_a_body_that_is_no_json_is_left_to_the_account() -> None:
    api = Gateway()

    response = api.bench.post("/deployments/chat/chat/completions", headers={"api-key": KEYS["one"]}, data=b"{")

    assert asked(response) == ["openai"]


SYSTEM = {"role": "system", "content": "Be kind."}
DEVELOPER = {"role": "developer", "content": "Be kind."}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"body": said(temperature=0)}, {"body": said(temperature=1)}, id="parameter"),
        pytest.param({"body": said(user="a")}, {"body": said(user="b")}, id="user"),
        pytest.param({"body": said(response_format={"type": "text"})}, {"body": said()}, id="format"),
        pytest.param({"body": said(stream=False)}, {"body": said()}, id="no stream"),
        pytest.param({}, {"path": "/deployments/small/chat/completions"}, id="deployment"),
        pytest.param({"query": "?api-version=2024-06-01"}, {"query": "?api-version=2024-10-21"}, id="version"),
        pytest.param({}, {"body": {"messages": [SYSTEM, *HELLO["messages"]]}}, id="system message"),
        pytest.param(
            {"body": {"messages": [SYSTEM, *HELLO["messages"]]}},
            {"body": {"messages": [{**SYSTEM, "content": "Be rude."}, *HELLO["messages"]]}},
            id="words of a system message",
        ),
        pytest.param(
            {"body": {"messages": [SYSTEM, *HELLO["messages"]]}},
            {"body": {"messages": [DEVELOPER, *HELLO["messages"]]}},
            id="developer message",
        ),
        pytest.param({}, {"body": {"messages": [{"role": "assistant", "content": "Hello"}]}}, id="role"),
        pytest.param({}, {"body": {"messages": HELLO["messages"] * 2}}, id="turns"),
    ],
)
def test_requests_that_ask_for_something_else_have_nothing_in_common(one: Any, other: Any) -> None:
    """The gateway is told so by `vary-by`, whatever else it may tell apart by itself."""
    api = Gateway()

    first, second = api.chat(**one), api.chat(**other)

    assert partition(first) != ""
    assert partition(second) not in {"", partition(first)}
    assert asked(second) == ["embeddings", "openai"]


def test_what_was_said_is_compared_by_meaning_alone() -> None:
    api = Gateway()

    assert partition(api.chat(said("Hello"))) == partition(api.chat(said("Goodbye")))


def test_nobody_can_write_a_request_that_looks_like_another_callers() -> None:
    api = Gateway()
    found = {
        partition(api.chat(key=key, query=f"?api-version={version}")) for key in KEYS for version in ("", "%0Aone")
    }

    assert len(found) == 4


def test_a_partition_does_not_grow_with_the_request() -> None:
    assert len(partition(Gateway().chat(said(user="x" * 100_000)))) == 32 * 3 - 1


@pytest.mark.parametrize("by_body", [False, True])
def test_an_alias_is_its_deployment(by_body: bool) -> None:
    """What an alias stands for may change; the answers of its former deployment stay behind."""
    traffic = Traffic(models=[ModelOptions(name="fast", deployment="small")], by_body=by_body)
    other = Traffic(models=[ModelOptions(name="fast", deployment="large")], by_body=by_body)
    call = (
        {"body": said(model="fast"), "path": "/chat/completions"}
        if by_body
        else {"path": "/deployments/fast/chat/completions"}
    )
    surface = "" if by_body else "/deployments/{deployment-id}"

    found = [partition(Gateway(traffic=one, surface=surface).chat(**call)) for one in (traffic, other)]

    assert found[0] != found[1]


def test_the_model_in_the_body_divides_the_cache() -> None:
    api = Gateway(surface="")

    calls = [api.chat(said(model=model), path="/chat/completions") for model in ("chat", "small", "chat")]

    assert [asked(call)[1:] for call in calls] == [["openai"], ["openai"], []]


def test_a_member_that_is_named_twice_is_answered_as_it_was_read() -> None:
    api = Gateway(surface="")
    body = b'{"model": "small", "model": "chat", "messages": [{"role": "user", "content": "Hello"}]}'
    first = api.bench.post("/chat/completions", headers={"api-key": KEYS["one"]}, data=body)

    assert first.requests[-1].text == '{"model":"chat","messages":[{"role":"user","content":"Hello"}]}'
    assert asked(api.chat(said(model="small"), path="/chat/completions")) == ["embeddings", "openai"]


def test_what_is_not_safe_is_not_looked_up() -> None:
    api = Gateway(safety=Safety(options=SafetyOptions(categories={"Hate": 4})))

    refused = api.chat()

    assert refused.status_code == 403
    assert [request.url for request in refused.requests if "embeddings" in request.url] == []


def test_the_official_schema_accepts_the_policy() -> None:
    for cache in (BY_KEY, BY_CALLER, CacheOptions(**CACHE, vary_by=VaryBy.API)):
        assert remarks_of(Gateway(cache).document) == []


def test_the_cache_comes_after_the_caller_and_safety_and_before_the_credentials() -> None:
    document = Gateway(BY_CALLER, safety=Safety(options=SafetyOptions(shield_prompt=True))).document

    order = [
        "<validate-azure-ad-token",
        "<llm-content-safety",
        "<llm-semantic-cache-lookup",
        'name="api-key" exists-action="delete"',
        "<set-backend-service",
        "<llm-semantic-cache-store",
    ]
    assert sorted(order, key=document.index) == order


def publish(azure: Azure, kind: Any = ManagedIdentityApi, **given: Any) -> Deployed:
    args = {"embeddings_backend_id": "openai-backend", **given}
    build = exporting(lambda: kind("openai", azure.api_args(azure.account("oai"), **args)))
    return deploy_component(build, azure.cloud)


ENTRA: dict[str, Any] = {"roles": ["Chat.User"]}


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        pytest.param(ManagedIdentityApi, {"cache": BY_KEY}, id="identity"),
        pytest.param(KeyAuthApi, {"cache": {**CACHE, "vary_by": "subscription", "duration": 60.0}}, id="key, by host"),
        pytest.param(EntraProtectedApi, {"cache": BY_CALLER, "entra": EntraOptions(**ENTRA)}, id="entra"),
        pytest.param(
            EntraProtectedApi,
            {
                "cache": CacheOptions(**CACHE, vary_by=VaryBy.API),
                "entra": EntraOptions(
                    **ENTRA,
                    client_application_ids=["11111111-1111-4111-8111-111111111111"],
                    required_claims={"oid": RequiredClaim(values=["a"])},
                ),
            },
            id="one caller",
        ),
    ],
)
def test_an_api_gets_its_cache(azure: Azure, kind: Any, given: dict[str, Any]) -> None:
    policy = publish(azure, kind, **given).policy("openai")

    assert 'embeddings-backend-id="openai-backend"' in policy
    assert '<llm-semantic-cache-store duration="60" />' in policy


ONE_PROVIDER = ["https://login.example/.well-known/openid-configuration"]


@pytest.mark.parametrize(
    ("kind", "given", "told"),
    [
        pytest.param(
            ManagedIdentityApi, {"cache": BY_CALLER}, 'cache.vary_by: "caller" varies by .* auth', id="caller"
        ),
        pytest.param(
            EntraProtectedApi,
            {"cache": BY_KEY, "entra": EntraOptions(**ENTRA), "subscription_required": True},
            'cache.vary_by: "subscription" is wider',
            id="subscription",
        ),
        pytest.param(
            KeyAuthApi,
            {"cache": CacheOptions(**CACHE, vary_by=VaryBy.API)},
            'cache.vary_by: "api" is wider .* vary by subscription',
            id="all with keys",
        ),
        pytest.param(
            EntraProtectedApi,
            {"cache": CacheOptions(**CACHE, vary_by=VaryBy.API), "entra": EntraOptions(**ENTRA)},
            'cache.vary_by: "api" is wider .* vary by caller',
            id="all with tokens",
        ),
        pytest.param(
            EntraProtectedApi,
            {
                "cache": CacheOptions(**CACHE, vary_by=VaryBy.API),
                "jwt": JwtOptions(
                    openid_config_urls=[*ONE_PROVIDER, "https://other.example/.well-known/openid-configuration"],
                    audiences=["ai"],
                    required_claims={"sub": RequiredClaim(values=["a"])},
                ),
            },
            'cache.vary_by: "api" is wider',
            id="one subject of two providers",
        ),
        pytest.param(
            EntraProtectedApi,
            {
                "cache": CacheOptions(**CACHE, vary_by=VaryBy.API),
                "jwt": JwtOptions(
                    openid_config_urls=ONE_PROVIDER,
                    audiences=["ai"],
                    required_claims={"sub": RequiredClaim(values=["a"], separator=" ")},
                ),
            },
            'cache.vary_by: "api" is wider',
            id="a subject among others",
        ),
        pytest.param(
            ManagedIdentityApi,
            {
                "cache": BY_KEY,
                "policy": {"inbound": '<ip-filter action="allow"><address>1.2.3.4</address></ip-filter>'},
            },
            "cache: conflicts with policy.inbound",
            id="hook",
        ),
        pytest.param(
            ManagedIdentityApi,
            {"cache": BY_KEY, "embeddings_backend_id": None},
            "cache: needs embeddings_backend_id",
            id="no backend",
        ),
        pytest.param(
            ManagedIdentityApi,
            {"cache": CacheOptions(**CACHE, vary_by=VaryBy.SUBSCRIPTION, redis=RedisOptions())},
            "cache.redis: belongs to SemanticCache",
            id="redis",
        ),
        pytest.param(ManagedIdentityApi, {"cache": CACHE}, "vary_by", id="nobody said who shares"),
    ],
)
def test_options_that_cannot_be_are_refused(azure: Azure, kind: Any, given: dict[str, Any], told: str) -> None:
    with pytest.raises(DeployError, match=told):
        publish(azure, kind, **given)
