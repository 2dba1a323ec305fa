import pytest

from apim_emulator.clock import Clock
from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway import cache as cache_module
from apim_emulator.gateway.cache import ValueCache
from apim_emulator.gateway.loading.plan import compile_plan
from emulator.tests.gateway.harness import NOW, Bench, gateway, header, inbound, reply

FOUND = reply('@(context.Variables.ContainsKey("v") ? (string)context.Variables["v"] : "none")')
LOOKUP = "<cache-lookup-value key='k' variable-name='v' {}/>"
STORE = "<cache-store-value key='k' value='{}' duration='{}'/>"


async def value(bench: Bench, *policies: str, **changes: object) -> str:
    """Call and tell what the lookup found."""
    bench.load(inbound(*policies), **changes)
    return (await bench.call()).headers["X-Value"]


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        pytest.param([LOOKUP.format("")], "none", id="miss"),
        pytest.param([LOOKUP.format("default-value='d'")], "d", id="default"),
        pytest.param([STORE.format("a", 10), LOOKUP.format("default-value='d'")], "a", id="hit"),
        pytest.param([STORE.format("a", 10), STORE.format("b", 10), LOOKUP.format("")], "b", id="overwritten"),
        pytest.param([STORE.format("a", 10), "<cache-remove-value key='k'/>", LOOKUP.format("")], "none", id="removed"),
        pytest.param(["<cache-remove-value key='k'/>", LOOKUP.format("")], "none", id="nothing to remove"),
        pytest.param([STORE.format("a", 0), LOOKUP.format("")], "none", id="no duration"),
        pytest.param(
            [
                "<cache-store-value key='@(\"k\" + 1)' value='@(\"a\" + 1)' duration='@(5 + 5)' "
                "caching-type='internal'/>",
                "<cache-lookup-value key='@(\"k1\")' variable-name='v' caching-type='external'/>",
            ],
            "a1", id="expressions",
        ),
    ],
)  # fmt: skip
async def test_cache_value(gateway_bench: Bench, policies: list[str], expected: str) -> None:
    assert await value(gateway_bench, *policies, FOUND) == expected


async def test_fragment_stores_and_looks_up(gateway_bench: Bench) -> None:
    """As in Microsoft's guide "Central metadata cache for policy fragments"."""
    fragments = {"f": f"<fragment>{STORE.format('a', 10)}{LOOKUP.format('')}</fragment>"}

    assert await value(gateway_bench, "<include-fragment fragment-id='f'/>", FOUND, fragments=fragments) == "a"


async def test_value_stays_for_its_duration_and_for_other_calls(gateway_bench: Bench) -> None:
    first = f"<when condition='@(context.Request.Headers.ContainsKey(\"X-Store\"))'>{STORE.format('a', 10)}</when>"
    gateway_bench.load(inbound(f"<choose>{first}</choose>", LOOKUP.format(""), FOUND))

    seen = [(await gateway_bench.call(headers={"X-Store": "1"})).headers["X-Value"]]
    for seconds in (9.5, 0.5):
        gateway_bench.clock.advance(seconds)
        seen.append((await gateway_bench.call()).headers["X-Value"])

    assert seen == ["a", "a", "none"]


async def test_null_is_not_stored(gateway_bench: Bench) -> None:
    why = header("X-Why", "@(context.LastError.Reason)")
    gateway_bench.load(
        inbound("<cache-store-value key='k' value='@((string)null)' duration='1'/>", on_error=why),
    )

    assert (await gateway_bench.call()).headers["X-Why"] == "ExpressionValueEvaluationFailure"


async def test_value_keeps_its_type(gateway_bench: Bench) -> None:
    store = "<cache-store-value key='k' value='@(1 + 1)' duration='5'/>"

    assert (
        await value(gateway_bench, store, LOOKUP.format(""), reply('@("" + ((int)context.Variables["v"] + 1))')) == "3"
    )


def test_cache_gives_copies() -> None:
    cache, given = ValueCache(Clock(NOW)), {"a": [1]}
    cache.store("k", given, 10)
    given["a"].append(2)
    first = cache.lookup("k")
    assert first == (True, {"a": [1]})
    assert isinstance(first[1], dict)
    first[1].clear()

    assert cache.lookup("k") == (True, {"a": [1]})


def test_cache_is_bounded_in_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "MAX_ENTRIES", 3)
    cache = ValueCache(Clock(NOW))
    for key in "abc":
        cache.store(key, key, 10)
    cache.lookup("a")
    cache.store("d", "d", 10)

    assert [cache.lookup(key)[0] for key in "abcd"] == [True, False, True, True]
    assert len(cache) == 3


def test_cache_is_bounded_in_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "MAX_SIZE", 30)
    monkeypatch.setattr(cache_module, "MAX_VALUE", 20)
    cache = ValueCache(Clock(NOW))
    cache.store("a", "x" * 12, 10)
    cache.store("b", "x" * 12, 10)
    cache.store("c", "x" * 12, 10)
    cache.store("d", "x" * 30, 10)

    assert [cache.lookup(key)[0] for key in "abcd"] == [False, True, True, False]


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        pytest.param("<cache-lookup-value key='k'/>", "variable-name: attribute is missing", id="no variable"),
        pytest.param("<cache-lookup-value variable-name='v'/>", "key: attribute is missing", id="no key"),
        pytest.param(LOOKUP.format("caching-type='redis'"), "'redis' is not one of prefer-external", id="caching type"),
        pytest.param(STORE.format("a", -1), "is not a whole number", id="duration"),
        pytest.param("<cache-remove-value/>", "key: attribute is missing", id="nothing to remove"),
    ],
)
def test_cache_value_is_refused_with_the_reason(policy: str, message: str) -> None:
    with pytest.raises(PolicyLoadError, match=message):
        compile_plan(gateway(inbound(policy)))
