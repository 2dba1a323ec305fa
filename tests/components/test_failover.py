"""What an API's policy does where accounts cannot answer, in front of the backends that are really deployed."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apim_emulator.csharp import Type, compile_expression
from apim_emulator.gateway.context import Context, Query, Url
from apim_emulator.gateway.context import Request as CallersRequest
from apim_emulator.model import Backend
from apim_emulator.testing import PolicyBench, Reply, Request, Response, event_stream
from components._api import policy_document
from components._failover import _RETRYABLE, forwarding
from components._traffic import DEFAULT, Traffic
from options import AccountOptions, BreakerOptions, OpenAIOptions, RetryOptions
from policies import SetBackendService
from tests.components.conftest import Azure
from tests.components.test_openai_backend import deploy

pytestmark = pytest.mark.slow

SPENT = {
    "error": {
        "code": "NoCapacity",
        "message": "No account can take the call at the moment. "
        "Retry after the number of seconds in the Retry-After header.",
    }
}
PROMPT = {"messages": [{"role": "user", "content": "Hello"}]}


def throttled(seconds: int | str | None) -> Reply:
    """What an account says whose quota is spent, in its own words and with its own headers."""
    headers = {"x-ms-region": "Sweden Central", "Server": "oai-a", "apim-request-id": "oai-a"}
    if seconds is not None:
        headers["Retry-After"] = str(seconds)
    return Reply(
        status_code=429, headers=headers, json={"error": {"code": "429", "message": "oai-a, retry"}}, reason="oai-a"
    )


def deploy_backends(
    priorities: tuple[int | None, ...], sku: str | None, breaker: BreakerOptions
) -> tuple[str, tuple[Backend, ...]]:
    more: dict[str, Any] = {} if sku is None else {"sku": sku}
    azure = Azure()
    options = [AccountOptions(name=f"oai-{chr(97 + i)}", priority=priority) for i, priority in enumerate(priorities)]
    deployed = deploy(azure, OpenAIOptions(accounts=options, breaker=breaker), **more)
    return deployed.outputs["backend_id"], azure.cloud.gateways()[0].backends


@cache
def deployed_backends(priorities: tuple[int | None, ...], sku: str | None) -> tuple[str, tuple[Backend, ...]]:
    """Backends with the default circuit breaker."""
    return deploy_backends(priorities, sku, BreakerOptions())


class Accounts:
    """Accounts behind the gateway, each with the answer that a test gives it; 200 until then."""

    def __init__(
        self,
        *priorities: int | None,
        sku: str | None = None,
        global_policy: str | None = None,
        traffic: Traffic = DEFAULT,
    ) -> None:
        self.backend_id, backends = (
            deployed_backends(priorities, sku)
            if traffic.breaker == BreakerOptions()
            else deploy_backends(priorities, sku, traffic.breaker)
        )
        document = policy_document(
            [], [SetBackendService(backend_id=self.backend_id)],
            accounts=len(priorities), traffic=traffic, subscription_required=False, sku=sku,
        )  # fmt: skip
        self.answers: dict[str, Reply | Exception] = {}
        self.bench = PolicyBench(
            document, hosts={"*.openai.azure.com": self._answer}, entities=backends, global_policy=global_policy
        )

    def _answer(self, request: Request) -> Reply:
        name = (request.headers["Host"] or "").removesuffix(".openai.azure.com")
        answer = self.answers.get(name[-1], Reply(content=name))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def call(self, **answers: Reply | Exception) -> Response:
        self.answers |= answers
        return self.bench.post("/deployments/gpt-4o/chat/completions", json=PROMPT)

    def asked(self, response: Response) -> str:
        """Last letters of the accounts that were called, in order."""
        return "".join(request.headers["Host"].split(".")[0][-1] for request in response.requests)


def names_in(response: Response) -> set[str]:
    """Whatever of the accounts a caller can see."""
    seen = f"{response.reason} {dict(response.headers)} {response.text}"
    return {name for name in ("oai-", "openai-", "ai-pool", "ai-backend", "Sweden", "azure.com") if name in seen}


def test_a_throttled_account_gives_way_to_the_next_priority_within_the_call() -> None:
    accounts = Accounts(1, 2)

    response = accounts.call(a=throttled(20))

    assert (response.status_code, response.text) == (200, "oai-b")
    assert accounts.asked(response) == "ab"


def test_the_request_arrives_whole_at_the_second_account() -> None:
    first, second = Accounts(1, 2).call(a=throttled(20)).requests

    assert first.json() == second.json() == PROMPT


def test_an_account_is_left_alone_for_as_long_as_it_asked() -> None:
    accounts = Accounts(1, 2)
    accounts.call(a=throttled(20))
    accounts.answers.clear()

    assert accounts.asked(accounts.call()) == "b"
    accounts.bench.clock.advance(19)
    assert accounts.asked(accounts.call()) == "b"
    accounts.bench.clock.advance(1)
    assert accounts.asked(accounts.call()) == "a"


@pytest.mark.parametrize("said", [None, "soon", "Tue, 14 Nov 2023 22:13:55 GMT", ""], ids=str)
def test_an_account_that_asks_for_no_seconds_is_tried_again_soon(said: str | None) -> None:
    response = Accounts(1, 2).call(a=throttled(said), b=throttled(said))

    assert response.headers["Retry-After"] == "10"


def test_when_all_throttle_within_a_call_the_caller_gets_429_and_the_shortest_wait() -> None:
    accounts = Accounts(1, 2)

    response = accounts.call(a=throttled(5), b=throttled(20))

    assert accounts.asked(response) == "ab"
    assert (response.status_code, response.headers["Retry-After"], response.json()) == (429, "5", SPENT)
    assert response.headers["Content-Type"] == "application/json"
    assert names_in(response) == set()


def test_a_spent_pool_answers_503_without_calling_anybody_until_an_account_is_back() -> None:
    accounts = Accounts(1, 2)
    accounts.call(a=throttled(20), b=throttled(30))
    accounts.bench.clock.advance(15)

    response = accounts.call()

    assert response.requests == ()
    assert (response.status_code, response.headers["Retry-After"], response.json()) == (503, "5", SPENT)
    assert names_in(response) == set()
    accounts.answers.clear()
    accounts.bench.clock.advance(5)
    assert accounts.call().text == "oai-a"


@pytest.mark.parametrize("failure", [ConnectionError(), TimeoutError()], ids=["refused", "timed out"])
def test_accounts_out_of_reach_are_a_clean_503(failure: Exception) -> None:
    response = Accounts(1, 2).call(a=failure, b=failure)

    assert (response.status_code, response.headers["Retry-After"], response.json()) == (503, "10", SPENT)
    assert names_in(response) == set()


def test_an_account_out_of_reach_gives_way_to_the_next_and_is_spared() -> None:
    accounts = Accounts(1, 2)

    response = accounts.call(a=ConnectionError())

    assert (response.text, accounts.asked(response)) == ("oai-b", "ab")
    assert accounts.asked(accounts.call()) == "b"


def test_a_connection_that_leaves_no_response_is_tried_again_too() -> None:
    url = Url("http", "gateway.test", 80, "/", Query(""))
    request = CallersRequest("POST", {}, url, "/", Query(""), "127.0.0.1", {})  # type: ignore[arg-type]

    assert compile_expression(_RETRYABLE, Type.BOOL)(Context("apim", request)) is True


def test_an_accounts_own_error_reaches_the_caller_and_takes_it_out_of_the_pool() -> None:
    accounts = Accounts(1, 2)

    response = accounts.call(a=Reply(status_code=500, json={"error": "mine"}))

    assert (response.status_code, response.json(), accounts.asked(response)) == (500, {"error": "mine"}, "a")
    assert accounts.asked(accounts.call()) == "b"
    accounts.bench.clock.advance(10)
    assert accounts.asked(accounts.call()) == "a"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408])
def test_a_mistake_of_the_caller_is_told_by_the_first_account_which_stays_in_service(status: int) -> None:
    accounts = Accounts(1, 2)

    response = accounts.call(a=Reply(status_code=status, content="no"))

    assert (response.status_code, response.text, accounts.asked(response)) == (status, "no", "a")
    assert accounts.asked(accounts.call()) == "a"


def test_one_call_tries_no_more_than_three_accounts() -> None:
    accounts = Accounts(*[None] * 5)
    answers: Mapping[str, Reply] = {name: throttled(60) for name in "abcde"}

    first = accounts.call(**answers)
    second = accounts.call()

    assert (first.status_code, accounts.asked(first)) == (429, "abc")
    assert (second.status_code, accounts.asked(second)) == (503, "de")
    assert names_in(first) == names_in(second) == set()


def test_without_circuit_breakers_accounts_of_one_priority_still_stand_in_for_each_other() -> None:
    accounts = Accounts(None, None, sku="Consumption")

    response = accounts.call(a=throttled(20))

    assert (response.text, accounts.asked(response)) == ("oai-b", "ab")


def test_events_reach_the_caller_one_by_one_also_from_the_second_account() -> None:
    response = Accounts(1, 2).call(a=throttled(20), b=event_stream({"delta": "Hel"}, {"delta": "lo"}))

    assert len(response.chunks) == 3


def test_what_another_scope_refuses_is_no_spent_pool() -> None:
    limit = '<rate-limit-by-key calls="1" renewal-period="60" counter-key="all" />'
    accounts = Accounts(1, 2, global_policy=f"<policies><inbound>{limit}</inbound></policies>")
    accounts.call()

    response = accounts.call()

    assert response.status_code == 429
    assert response.json()["message"].startswith("Rate limit is exceeded.")


@pytest.mark.parametrize("reply", [throttled(7), Reply(status_code=500, content="mine"), Reply(status_code=503)])
def test_one_account_alone_answers_for_itself(reply: Reply) -> None:
    accounts = Accounts(None)

    for _ in range(3):
        response = accounts.call(a=reply)

        assert (response.status_code, accounts.asked(response)) == (reply.status_code, "a")
        assert response.headers.get("Retry-After") == dict(reply.headers).get("Retry-After")


@pytest.mark.parametrize(("accounts", "retries"), [(2, "1"), (3, "2"), (4, "2"), (30, "2")])
def test_retries_fit_the_pool_and_are_bounded(accounts: int, retries: str) -> None:
    (policy,) = forwarding(accounts)

    assert policy.element().get("count") == retries


def test_a_breaker_opens_after_the_failures_and_for_the_time_that_it_is_given() -> None:
    accounts = Accounts(1, 2, traffic=Traffic(breaker=BreakerOptions(count=2, trip="PT1M", accept_retry_after=False)))

    first = accounts.call(a=throttled(5))
    accounts.bench.clock.advance(59)
    second = accounts.call()

    # The one account of the first priority is called again while its circuit breaker counts.
    assert (accounts.asked(first), first.status_code) == ("aa", 429)
    assert (accounts.asked(second), second.text) == ("b", "oai-b")
    accounts.bench.clock.advance(1)
    assert accounts.asked(accounts.call(a=Reply(content="fine"))) == "a"


def test_failures_that_lie_further_apart_than_the_interval_do_not_add_up() -> None:
    breaker = BreakerOptions(count=2, interval="PT30S")
    accounts = Accounts(1, 2, traffic=Traffic(breaker=breaker, retry=RetryOptions(count=0)))

    for _ in range(2):
        assert accounts.asked(accounts.call(a=throttled(5))) == "a"
        accounts.bench.clock.advance(31)


def test_only_the_status_codes_that_are_listed_open_a_breaker() -> None:
    accounts = Accounts(1, 2, traffic=Traffic(breaker=BreakerOptions(status_codes=["404", "502-503"])))

    assert accounts.asked(accounts.call(a=Reply(status_code=500))) == "a"
    assert accounts.asked(accounts.call(a=Reply(status_code=404))) == "a"
    assert accounts.asked(accounts.call()) == "b"


def test_without_retry_the_pool_still_moves_on_with_the_next_call() -> None:
    accounts = Accounts(1, 2, traffic=Traffic(retry=RetryOptions(count=0)))

    response = accounts.call(a=throttled(7))

    assert accounts.asked(response) == "a"
    assert (response.status_code, response.headers["Retry-After"], response.json()) == (429, "7", SPENT)
    assert accounts.call().text == "oai-b"


def test_an_api_may_try_more_accounts_than_by_default() -> None:
    accounts = Accounts(*[None] * 5, traffic=Traffic(retry=RetryOptions(count=4, interval=1)))

    response = accounts.call(**{name: throttled(60) for name in "abcd"})

    assert (response.text, accounts.asked(response)) == ("oai-e", "abcde")


def test_provisioned_throughput_comes_first_and_the_rest_shares_what_overflows() -> None:
    accounts = Accounts(1, 2, 2)

    assert {accounts.asked(accounts.call()) for _ in range(4)} == {"a"}
    accounts.call(a=throttled(60))
    assert {accounts.asked(accounts.call()) for _ in range(4)} == {"b", "c"}


ANSWERS = st.sampled_from(
    [
        Reply(content="fine"),
        Reply(status_code=400),
        Reply(status_code=500),
        Reply(status_code=503),
        ConnectionError(),
        TimeoutError(),
    ]
) | st.integers(0, 90).map(throttled)


@given(
    priorities=st.sampled_from([(1, 2), (2, 1), (1, 1), (1, 2, 2), (1, 2, 3, 3)]),
    rounds=st.lists(st.tuples(st.lists(ANSWERS, min_size=4, max_size=4), st.integers(0, 40)), min_size=1, max_size=4),
)
def test_whatever_happens_callers_are_told_when_to_come_back_and_never_by_whom(
    priorities: tuple[int, ...], rounds: list[tuple[list[Reply | Exception], int]]
) -> None:
    accounts = Accounts(*priorities)
    for answers, seconds in rounds:
        response = accounts.call(**dict(zip("abcd", answers, strict=True)))

        assert len(response.requests) <= min(len(priorities), 3)
        assert response.status_code in {200, 400, 429, 500, 503}
        if response.status_code in {429, 503}:
            assert int(response.headers["Retry-After"]) <= 90
            assert response.json() == SPENT
            assert names_in(response) == set()
        accounts.bench.clock.advance(seconds)
