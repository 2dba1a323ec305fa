import itertools
import time

import pytest

from sandbox.expressions import EvaluationError, Type, compile_expression
from sandbox.expressions.errors import StoppedError
from tests.sandbox.expressions.calls import CALL, context

LONG = "".join(f"s{place} = s{place - 1} + s{place - 1}; " if place else "" for place in range(30))
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
        "@{ var o = new JArray(); for (var i = 0; i < 200; i++) { o = new JArray(o); } return o.ToString(); }",
        "",
        id="deep JSON",
    ),
]


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
    monkeypatch.setattr(time, "monotonic", lambda: next(seconds))
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
