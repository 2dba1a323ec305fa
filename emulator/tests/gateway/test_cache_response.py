"""Responses that the gateway keeps: cache-lookup and cache-store."""

from itertools import count
from typing import Any

import pytest

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.model import Subscription
from apim_emulator.testing import PolicyBench, Reply, Request

LOOKUP = '<cache-lookup vary-by-developer="false" vary-by-developer-groups="false" {}>{}</cache-lookup>'


def document(lookup: str = LOOKUP.format("", ""), store: str = '<cache-store duration="60"/>', more: str = "") -> str:
    return f"<policies><inbound>{more}{lookup}</inbound><outbound>{store}</outbound></policies>"


class Counting:
    """A backend whose answers differ."""

    def __init__(self, status: int = 200) -> None:
        self._numbers = count(1)
        self._status = status

    def __call__(self, _request: Request) -> Reply:
        headers = {"X-Number": "n", "Set-Cookie": "a=b"}
        return Reply(status_code=self._status, content=str(next(self._numbers)), headers=headers)


def bench(policy: str, status: int = 200) -> PolicyBench:
    return PolicyBench(policy, backend=Counting(status))


def test_second_call_gets_the_first_ones_response_without_its_cookies() -> None:
    found = bench(document())

    first, second = found.get("/a?x=1"), found.get("/a?x=1")

    assert (first.text, "Set-Cookie" in first.headers) == ("1", True)
    assert (second.status_code, second.text, second.headers["X-Number"]) == (200, "1", "n")
    assert (second.requests, "Set-Cookie" in second.headers) == ((), False)


def test_outbound_runs_for_a_response_of_the_cache_and_does_not_keep_it_anew() -> None:
    store = '<cache-store duration="60"/><set-header name="X-Out"><value>1</value></set-header>'
    found = bench(document(store=store))

    found.get()
    found.clock.advance(59)
    second = found.get()
    found.clock.advance(1)
    third = found.get()

    assert (second.text, second.headers["X-Out"], third.text) == ("1", "1", "2")


@pytest.mark.parametrize(
    ("children", "one", "other", "shared"),
    [
        pytest.param("", {"url": "/a"}, {"url": "/b"}, False, id="path"),
        pytest.param("", {"url": "/a?x=1"}, {"url": "/a?x=2"}, False, id="whole query where no parameter is named"),
        pytest.param("<vary-by-query-parameter>y</vary-by-query-parameter>", {"url": "/a?x=1&y=1"},
                     {"url": "/a?x=2&y=1"}, True, id="parameter that is not named"),
        pytest.param("<vary-by-query-parameter>z;x</vary-by-query-parameter>", {"url": "/a?x=1&y=1"},
                     {"url": "/a?x=2&y=1"}, False, id="one of several parameters"),
        pytest.param("", {"headers": {"Accept": "a"}}, {"headers": {"Accept": "b"}}, True, id="header"),
        pytest.param("<vary-by-header>Accept</vary-by-header>", {"headers": {"Accept": "a"}},
                     {"headers": {"Accept": "b"}}, False, id="header that is named"),
        pytest.param("<vary-by-header>Accept</vary-by-header>", {"headers": {"Accept": "a"}}, {}, False,
                     id="header that is missing"),
    ],
)  # fmt: skip
def test_calls_share_a_response_unless_they_differ_in_what_it_varies_by(
    children: str, one: dict[str, Any], other: dict[str, Any], shared: bool
) -> None:
    found = bench(document(LOOKUP.format("", children)))

    first, second = found.send("GET", **one), found.send("GET", **other)

    assert (first.text, second.text) == ("1", "1" if shared else "2")


def test_developers_do_not_share_where_it_varies_by_them() -> None:
    keys = [Subscription(id=name, scope="/apis", primary_key=name, secondary_key=f"{name}2") for name in ("a", "b")]
    lookup = '<cache-lookup vary-by-developer="true" vary-by-developer-groups="false"/>'
    found = PolicyBench(document(lookup), backend=Counting(), subscriptions=tuple(keys))

    texts = [found.get(headers={"Ocp-Apim-Subscription-Key": key}).text for key in ("a", "b", "a2")]

    assert texts == ["1", "2", "1"]


@pytest.mark.parametrize(
    ("options", "lookup"),
    [
        pytest.param({"method": "POST"}, LOOKUP.format("", ""), id="another method"),
        pytest.param({"headers": {"Authorization": "Bearer a"}}, LOOKUP.format("", ""), id="Authorization"),
        pytest.param({"headers": {"Authorization": "Bearer a"}},
                     LOOKUP.format('allow-private-response-caching="@(1 > 2)"', ""), id="expression"),
    ],
)  # fmt: skip
def test_what_may_be_personal_is_neither_looked_up_nor_kept(options: dict[str, Any], lookup: str) -> None:
    found = bench(document(lookup.replace(">", "&gt;", 1) if "@(1 >" in lookup else lookup))

    assert [found.send(**options).text, found.send(**options).text] == ["1", "2"]


def test_private_responses_are_kept_where_the_policy_allows_it() -> None:
    found = bench(document(LOOKUP.format('allow-private-response-caching="true"', "")))

    assert [found.get(headers={"Authorization": "Bearer a"}).text for _ in range(2)] == ["1", "1"]


@pytest.mark.parametrize(
    ("status", "store", "kept"),
    [
        (404, "", False),
        (404, 'cache-response="true"', True),
        (200, 'cache-response="false"', False),
        (404, 'cache-response="@(context.Response.StatusCode == 404)"', True),
    ],
)
def test_only_a_200_is_kept_unless_the_policy_says_otherwise(status: int, store: str, kept: bool) -> None:
    found = bench(document(store=f'<cache-store duration="60" {store}/>'), status)

    assert [found.get().text, found.get().text] == ["1", "1" if kept else "2"]


def test_value_under_the_same_key_is_no_response() -> None:
    key = '"cache-lookup [\\"policy\\", \\"/\\", \\"\\", [], null]"'
    found = bench(document(more=f"<cache-store-value key='@({key})' value='forged' duration='60'/>"))

    assert found.get().text == "1"


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (document(LOOKUP.format('downstream-caching-type="public"', "")), "only none is supported"),
        (document('<cache-lookup vary-by-developer-groups="false"/>'), "vary-by-developer: attribute is missing"),
        (document('<cache-lookup vary-by-developer="false" vary-by-developer-groups="true"/>'), "has no groups"),
        (document(store="<cache-store/>"), "duration: attribute is missing"),
        (document(store='<cache-store duration="1" caching-mode="x"/>'), "caching-mode: attribute is not supported"),
        (document(lookup='<cache-store duration="1"/>'), "may not stand in inbound"),
    ],
)
def test_what_they_do_not_take_is_refused(policy: str, reason: str) -> None:
    with pytest.raises(PolicyLoadError, match=reason):
        PolicyBench(policy)
