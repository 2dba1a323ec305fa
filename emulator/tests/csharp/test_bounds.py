import gc
import itertools
import math
import time
import weakref
from typing import Any

import pytest

from apim_emulator.csharp import EvaluationError, Type, compile_expression
from apim_emulator.csharp.compiler import syntax
from apim_emulator.csharp.library import json as json_members
from apim_emulator.csharp.runtime import composite, regex
from apim_emulator.csharp.runtime.exceptions import StoppedError
from emulator.tests.csharp.calls import CALL, context

# To watch each line would take most of the time that an evaluation has.
pytestmark = pytest.mark.slow

LONG = "".join(f"s{place} = s{place - 1} + s{place - 1}; " if place else "" for place in range(30))
MILLION = "new string('a', 1000000)"
ENDLESS = [
    pytest.param("@{ while (true) { } }", "TimeoutException", id="loop"),
    pytest.param("@{ while (true) { try { while (true) { } } catch { } } }", "TimeoutException", id="loop in try"),
    pytest.param("@(Enumerable.Range(0, int.MaxValue).Count())", "TimeoutException", id="sequence"),
    pytest.param(
        "@{ foreach (var x in new int[5000]) { foreach (var y in new int[5000]) { } } return 1; }",
        "TimeoutException",
        id="nested loops",
    ),
    pytest.param("@{ int F(int n) => F(n + 1); return F(0); }", "InsufficientExecutionStackException", id="recursion"),
    pytest.param(
        '@{ var s = "xxxxxxxxxx"; for (;;) { s += s; } }', "InsufficientMemoryException", id="string that doubles"
    ),
    pytest.param("@(new int[int.MaxValue].Length)", "InsufficientMemoryException", id="array"),
    pytest.param('@("a".PadLeft(int.MaxValue))', "InsufficientMemoryException", id="padding"),
    pytest.param("@(new string('x', 2000000))", "InsufficientMemoryException", id="repeated character"),
    pytest.param('@(string.Format("{0,999999}", 1))', "NotSupportedException", id="alignment"),
    pytest.param(
        "@{ var l = new List<string>(); while (true) { l.Add(new string('x', 100000)); } }",
        "InsufficientMemoryException",
        id="many strings",
    ),
    pytest.param(
        '@(Regex.IsMatch(new string(\'a\', 60) + "!", "^(a|aa)+$"))', "TimeoutException", id="regular expression"
    ),
    pytest.param(
        "@{ var o = new JArray(); for (var i = 0; i < 200; i++) { var p = new JArray(); p.Add(o); o = p; }"
        " return o.ToString(); }",
        "",
        id="deep JSON",
    ),
    pytest.param(
        "@{ var o = new JArray(); for (;;) { var p = new JArray(); p.Add(o); p.Add(o); o = p; } }",
        "TimeoutException",
        id="JSON that doubles",
    ),
    pytest.param(
        "@{ var l = new List<object>(); l.Add(l); return JsonConvert.SerializeObject(l); }",
        "InsufficientExecutionStackException",
        id="list within itself",
    ),
    pytest.param("@(JToken.Parse(new string('[', 1000000)))", "NotSupportedException", id="brackets without end"),
    pytest.param(
        "@(JToken.Parse(\"1e\" + new string('9', 100000)))", "NotSupportedException", id="exponent without end"
    ),
    pytest.param(f'@({MILLION}.Replace("a", {MILLION}))', "InsufficientMemoryException", id="replacement"),
    pytest.param(
        f'@(string.Join({MILLION}, Enumerable.Repeat("x", 100000)))', "InsufficientMemoryException", id="separator"
    ),
    pytest.param(
        f"@(string.Concat(Enumerable.Repeat({MILLION}, 100000)))", "InsufficientMemoryException", id="concatenation"
    ),
    pytest.param(
        f"@(Enumerable.Range(0,100000).Aggregate({MILLION}, (a, b) => a + b))",
        "InsufficientMemoryException",
        id="aggregate",
    ),
    pytest.param(f'@(Regex.IsMatch({MILLION}, "a*a*a*b"))', "TimeoutException", id="quadratic pattern"),
    pytest.param(f'@(Regex.IsMatch({MILLION}, "(a|b)*c"))', "InsufficientExecutionStackException", id="deep pattern"),
    pytest.param("@(Enumerable.Range(0, int.MaxValue).ToList())", "TimeoutException", id="list of a sequence"),
    pytest.param("@(Enumerable.Range(0, int.MaxValue).OrderBy(x => -x).First())", "TimeoutException", id="sorting"),
    pytest.param("@(Enumerable.Range(0, int.MaxValue).Skip(2000000000).Any())", "TimeoutException", id="skipping"),
    pytest.param('@(string.Join(",", Enumerable.Range(0, int.MaxValue)))', "TimeoutException", id="joined sequence"),
    pytest.param(
        "@{ int F(int n) => n == 0 ? 0 : F(n - 1) + F(n - 1); return F(60); }", "TimeoutException", id="tree of calls"
    ),
    pytest.param(
        "@{ var l = new List<int[]>(); while (true) { l.Add(new int[100000]); } }",
        "InsufficientMemoryException",
        id="many arrays",
    ),
]


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let steps and sizes alone end an evaluation, however busy the machine is."""
    monkeypatch.setattr("apim_emulator.csharp.runtime.meter.MAX_SECONDS", math.inf)


@pytest.mark.parametrize(("text", "exception"), ENDLESS)
def test_evaluation_ends_whatever_the_expression_does(text: str, exception: str) -> None:
    run = compile_expression(text, Type.OBJECT)

    if not exception:
        assert isinstance(run(context(CALL)), str)
        return
    with pytest.raises(StoppedError) as caught:
        run(context(CALL))

    assert caught.value.exception == exception


def test_evaluation_takes_no_longer_than_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count(0.0, 0.5)
    monkeypatch.setattr("apim_emulator.csharp.runtime.meter.MAX_SECONDS", 2.0)
    monkeypatch.setattr(time, "thread_time", lambda: next(seconds))
    run = compile_expression("@{ var n = 0; for (var i = 0; i < 100000; i++) { n++; } return n; }", Type.INT)

    with pytest.raises(StoppedError, match=r"longer than 2\.0 seconds"):
        run(context(CALL))


def test_each_evaluation_has_its_own_bounds() -> None:
    run = compile_expression("@{ var n = 0; for (var i = 0; i < 400000; i++) { n++; } return n; }", Type.INT)

    assert [run(context(CALL)) for _ in range(3)] == [400000] * 3


def test_catch_does_not_see_what_ends_an_evaluation() -> None:
    text = "@{ try { return new DateTime(2024, 1, 1).AddSeconds(0.00001).Ticks; } catch (Exception) { return 0L; } }"
    run = compile_expression(text, Type("long"))

    with pytest.raises(EvaluationError) as caught:
        run(context(CALL))

    assert isinstance(caught.value, StoppedError)


def test_number_of_any_length_is_too_large_and_not_read() -> None:
    run = compile_expression("@(int.Parse(new string('9', 1000000)))", Type.INT)

    with pytest.raises(EvaluationError) as caught:
        run(context(CALL))

    assert caught.value.exception == "OverflowException"


def test_nothing_is_parsed_when_an_expression_is_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    text = r"""@{
        var found = Regex.Match("a-1", @"(\w)-(?<n>\d)", RegexOptions.IgnoreCase).Groups["n"].Value;
        var token = JObject.Parse("{\"a\":[{\"b\":5}]}").SelectToken("$.a[0].b");
        var when = new DateTime(2024, 1, 2).ToString("yyyy-MM-ddTHH:mm:ssZ");
        return string.Format("{0:D3}|{1,4}|{2}", int.Parse(found), token, when) + $"{7:X2}";
    }"""
    caches = (regex.compiled, composite.composite_parts, json_members._steps)
    run = compile_expression(text, Type.STRING)
    misses = [cache.cache_info().misses for cache in caches]
    monkeypatch.setattr(syntax, "_PARSER", None)

    assert run(context(CALL)) == "001|   5|2024-01-02T00:00:00Z07"
    assert [cache.cache_info().misses for cache in caches] == misses


def test_what_a_failed_evaluation_made_is_given_back_at_once() -> None:
    kept: list[weakref.ref[Any]] = []
    context_ = context(CALL)

    class Noted(str):
        __slots__ = ("__weakref__",)

    def given() -> Noted:
        found = Noted("x" * 100)
        kept.append(weakref.ref(found))
        return found

    run = compile_expression('@(int.Parse((string)context.Variables["given"]))', Type.INT)
    gc.disable()
    try:
        context_.variables["given"] = given()
        failed = None
        try:
            run(context_)
        except EvaluationError as error:
            failed = error
        context_.variables.clear()
        assert failed is not None
        assert kept[0]() is None
    finally:
        gc.enable()
