"""How much work a member is, whatever a caller sends: counted in functions called and in steps, not in time."""

import ast
import functools
import importlib
import inspect
import math
import operator
import pkgutil
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import apim_emulator.csharp
import apim_emulator.gateway.context
from apim_emulator.csharp import EvaluationError, Type, compile_expression
from apim_emulator.csharp.runtime import meter, strings
from apim_emulator.csharp.runtime.exceptions import StoppedError
from emulator.tests.csharp.calls import CALL, context
from emulator.tests.csharp.matching import hostile, steps
from emulator.tests.tracing.test_work import functions_called

pytestmark = pytest.mark.attack


def patterns() -> Iterator[Any]:
    """Find the regular expressions of the modules that an expression reaches: named ones, and those in calls."""
    for package in (apim_emulator.csharp, apim_emulator.gateway.context):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".compiler." in found.name:
                continue
            module = importlib.import_module(found.name)
            short = found.name.rpartition(".")[2]
            for name, value in vars(module).items():
                if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                    yield pytest.param(value, id=f"{short}.{name}")
            for line, value in in_calls(inspect.getsource(module)):
                yield pytest.param(value, id=f"{short}:{line}")


def in_calls(source: str) -> "Iterator[tuple[int, re.Pattern[str]]]":
    """Find patterns that a call such as `re.sub(r"a+", ...)` has in it."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not ast.unparse(node.func).startswith("re."):
            continue
        first = node.args[0] if node.args else None
        if node.func.attr == "compile" or not isinstance(first, ast.Constant) or not isinstance(first.value, str):  # type: ignore[attr-defined]
            continue
        flags = [one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute) and one.attr.isupper()]
        yield (
            node.lineno,
            re.compile(
                first.value, functools.reduce(operator.or_, (re.RegexFlag[one] for one in flags), re.RegexFlag(0))
            ),
        )


def test_patterns_in_calls_are_found() -> None:
    assert [one.pattern for _, one in in_calls('re.sub(r"a+", "", re.match("b", x, re.DOTALL)[0])')] == ["a+", "b"]


@pytest.mark.parametrize("pattern", list(patterns()))
def test_pattern_finds_out_in_one_pass(pattern: "re.Pattern[str]") -> None:
    for few, many in zip(hostile(pattern, 40), hostile(pattern, 320), strict=True):
        assert steps(pattern, many) < steps(pattern, few) * 8 * 1.5, repr(few)


SENT: dict[str, tuple[str, Callable[[int], dict[str, Any]]]] = {
    "fields of a form": (
        "context.Request.Body.AsFormUrlEncodedContent().Count",
        lambda size: {"body": "&".join(f"n{number}=v" for number in range(size))},
    ),
    "names in a query": (
        "context.Request.Url.Query.Count",
        lambda size: {"query": "&".join(f"n{number}=v" for number in range(size))},
    ),
    "values in a query": (
        "context.Request.Url.Query.Values.First().Length",
        lambda size: {"query": "&".join(["n=v"] * size)},
    ),
    "headers": (
        "context.Request.Headers.Count",
        lambda size: {"headers": [[f"X-{number}", "v"] for number in range(size)]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", SENT)
def test_work_grows_no_faster_than_what_a_caller_sends(kind: str) -> None:
    text, made = SENT[kind]
    run = compile_expression(f"@({text})", Type.OBJECT)

    def work(size: int) -> int:
        sent = made(size)
        asked = dict(CALL["request"])
        asked["url"] = asked["url"] | {"query": sent.pop("query", "")}
        call = context({**CALL, "request": asked | sent})
        return functions_called(lambda: run(call))

    few, many = work(100), work(800)

    assert many < few * 8 * 1.5


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0" * 16_000 + "x", None),
        ("0" * 16_000, 0),
        (" " + "0" * 16_000 + "12 \0", 12),
        (" " * 16_000, None),
        ("-0", 0),
        ("-", None),
        ("-007", -7),
    ],
)
def test_integers_are_read_in_one_pass(text: str, value: int | None) -> None:
    call = context(CALL)
    call.variables["given"] = text
    run = compile_expression('@(int.Parse((string)context.Variables["given"]))', Type.INT)

    if value is not None:
        assert run(call) == value
        return
    with pytest.raises(EvaluationError) as caught:
        run(call)
    assert caught.value.exception == "FormatException"


TEXT = 'var s = (string)context.Variables["given"]; '
LIST = TEXT + "var l = s.Select(x => 7).ToList(); "
WORDS = TEXT + 'var l = s.Select(x => "w").ToList(); '
BYTES = TEXT + "var b = Encoding.UTF8.GetBytes(s); "
JSON = TEXT + "var o = new JArray(s.Select(x => 7).ToArray()); "
NODES = TEXT + 'var x = new XElement("r", s.Select(c => new XElement("e"))); '
PASSES = {
    "XElement.Parse": (TEXT, 'XElement.Parse("<a>" + s + "</a>").Value.Length', "a"),
    "text of XML": (TEXT, 'new XElement("a", s).ToString()', "a"),
    "Descendants": (NODES, 'x.Descendants("no").Count()', "a"),
    "Elements": (NODES, 'x.Element("no") == null', "a"),
    "nodes as text": (NODES, "x.ToString()", "a"),
    "a node's place": (NODES, "x.LastNode.PreviousNode", "a"),
    "a tree's copy": (NODES, "new XElement(x).IsEmpty", "a"),
    "Length": (TEXT, "s.Length", "é"),
    "index": (TEXT, "s[0]", "é"),
    "Substring": (TEXT, "s.Substring(1)", "a"),
    "Substring of wide characters": (TEXT, "s.Substring(2)", "😀"),
    "Contains": (TEXT, 's.Contains("b")', "a"),
    "IndexOf": (TEXT, 's.IndexOf("b")', "a"),
    "LastIndexOf": (TEXT, 's.LastIndexOf("ba")', "a"),
    "Replace": (TEXT, 's.Replace("b", "c")', "a"),
    "Replace characters": (TEXT, "s.Replace('a', 'c')", "a"),
    "Split": (TEXT, 's.Split(new[] {"aaab", "aab"}, StringSplitOptions.None)', "a"),
    "Trim": (TEXT, "s.Trim()", "a"),
    "ToUpper": (TEXT, "s.ToUpper()", "a"),
    "StartsWith": (TEXT, 's.StartsWith("b", StringComparison.OrdinalIgnoreCase)', "a"),
    "Compare": (TEXT, "string.CompareOrdinal(s, s + 1) < 0", "a"),
    "IsNullOrWhiteSpace": (TEXT, "string.IsNullOrWhiteSpace(s)", "a"),
    "List.IndexOf": (LIST, "l.IndexOf(8)", "a"),
    "List.Contains": (LIST, "l.Contains(8)", "a"),
    "List.Remove": (LIST, "l.Remove(8)", "a"),
    "Array.IndexOf": (LIST, "Array.IndexOf(l.ToArray(), 8)", "a"),
    "a list of texts": (WORDS, 'l.IndexOf("x")', "a"),
    "OrderBy": (LIST, "l.OrderBy(x => x).First()", "a"),
    "GetString": (BYTES, "Encoding.UTF8.GetString(b)", "a"),
    "ToBase64String": (BYTES, "Convert.ToBase64String(b)", "a"),
    "UrlEncode": (TEXT, "WebUtility.UrlEncode(s)", "é"),
    "HtmlEncode": (TEXT, "WebUtility.HtmlEncode(s)", "&"),
    "Regex.Escape": (TEXT, "Regex.Escape(s)", "."),
    "JSON text": (TEXT, "JsonConvert.SerializeObject(s)", "\n"),
    "JSON items": (JSON, "o.ToString()", "a"),
    "interpolation": (TEXT, '$"{s}{s}"', "a"),
    "Format": (TEXT, 'string.Format("{0}{0}", s)', "a"),
}


@pytest.mark.parametrize("kind", PASSES)
def test_pass_over_a_text_or_a_list_is_counted(kind: str) -> None:
    before, operation, character = PASSES[kind]

    def used(text: str, size: int) -> int:
        run = compile_expression(f"@{{ {before}{text} }}", Type.OBJECT)
        call = context(CALL)
        call.variables["given"] = character * size
        strings._units_of.cache_clear()
        run(call)
        return 64 * meter._METER.steps + meter._METER.size

    def added(size: int) -> int:
        return used(f"return (object)({operation});", size) - used("return null;", size)

    assert added(6_400) - added(640) >= 5_000


ATTACKS = {
    "removed one by one": (
        'var x = new XElement("r", Enumerable.Range(0, 20000).Select(i => new XElement("e")));'
        " while (x.LastNode != null) { x.LastNode.Remove(); } return 1;"
    ),
    "copies of copies": (
        'var x = new XElement("r"); for (var i = 0; i < 40; i++) { x.Add(new XElement(x)); } return x.Nodes().Count();'
    ),
    "LastIndexOf": (
        "var s = new string('a', 1000000); var p = \"ab\" + new string('a', 500000);"
        " var n = 0; for (var i = 0; i < 100; i++) { n += s.LastIndexOf(p, StringComparison.Ordinal); } return n;"
    ),
    "separators": (
        "var s = new string('a', 1000000); var p = new string('a', 500000) + \"b\";"
        " return s.Split(new[] { p }, StringSplitOptions.None).Length;"
    ),
    "trimmed characters": (
        "var s = new string('a', 1000000); return s.Trim(Enumerable.Range(0x4e00, 9000).Select(x => (char)x)"
        ".ToArray()).Length;"
    ),
    "List.IndexOf": (
        "var l = Enumerable.Range(0, 30000).ToList(); var n = 0;"
        " for (var i = 0; i < 30000; i++) { n += l.IndexOf(-1); } return n;"
    ),
    "Select(Substring)": (
        "var s = new string('a', 1000000); return Enumerable.Range(0, 4000).Select(i => s.Substring(i)).ToList().Count;"
    ),
    "short texts": (
        "var s = new string('a', 255); return Enumerable.Range(0, 400000).Select(i => s.Substring(1)).ToList().Count;"
    ),
    "OrderBy": (
        "var s = new string('a', 1000000);"
        " return Enumerable.Repeat(s, 3000).OrderBy(x => x, StringComparer.Ordinal).First().Length;"
    ),
    "OrderBy without a comparer": (
        "var s = new string('a', 1000000); return Enumerable.Repeat(s, 3000).OrderBy(x => x).First().Length;"
    ),
    "replaced by itself": (
        "var s = new string('a', 1000000); return Regex.Replace(s, \"^a+$\", "
        'string.Concat(Enumerable.Repeat("$&", 1000))).Length;'
    ),
    "holes of a format": (f"var s = new string('a', 1000000); return string.Format(\"{'{0}' * 1000}\", s).Length;"),
    "BitConverter": (
        "var b = new byte[1000000]; var n = 0;"
        " for (var i = 0; i < 100000; i++) { n += b.Length + Encoding.UTF8.GetString(b).Length; } return n;"
    ),
}


@pytest.mark.parametrize("kind", ATTACKS)
def test_what_would_take_long_or_much_is_given_up(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "MAX_SECONDS", math.inf)
    run = compile_expression(f"@{{ {ATTACKS[kind]} }}", Type.INT)

    with pytest.raises(StoppedError) as caught:
        run(context(CALL))

    assert caught.value.exception in {"TimeoutException", "InsufficientMemoryException"}


def test_text_outside_ascii_is_measured_once_for_a_loop() -> None:
    run = compile_expression(
        f"@{{ {TEXT} var n = 0; for (var i = 0; i < s.Length; i++) {{ if (s[i] == 'é') {{ n++; }} }} return n; }}",
        Type.INT,
    )
    call = context(CALL)
    call.variables["given"] = "é" * 20_000

    assert run(call) == 20_000
    assert meter._METER.steps < 30_000


COSTS = {
    "== of texts": 'var t = s + "b"; var u = s + "c"; return t == u;',
    "Equals": 'var t = s + "b"; var u = s + "c"; return t.Equals((object)u);',
    "HashSet": "var h = new HashSet<string>(); h.Add(s); return h.Contains(s);",
    "Dictionary": "var d = new Dictionary<string, int>(); d[s] = 1; return d.ContainsKey(s);",
    "Distinct": "return new[] { s, s }.Distinct().Count();",
    "GroupBy": "return new[] { s, s }.GroupBy(x => x).Count();",
    "SequenceEqual": 'return new[] { s }.SequenceEqual(new[] { s + "" });',
    "HtmlDecode": "return WebUtility.HtmlDecode(s);",
    "UrlDecode": "return WebUtility.UrlDecode(s);",
    "JSON in single quotes": 'return JToken.Parse("[\'" + s + "\']");',
    "a run of characters": 'return Regex.IsMatch(s, "^a*$");',
    "an array": "return new int[s.Length];",
}


@pytest.mark.parametrize("kind", COSTS)
def test_what_is_compared_or_decoded_is_counted(kind: str) -> None:
    run = compile_expression(f"@{{ {TEXT} {COSTS[kind]} }}", Type.OBJECT)

    def steps_for(size: int) -> int:
        call = context(CALL)
        call.variables["given"] = "a" * size
        run(call)
        return meter._METER.steps

    assert steps_for(64_000) - steps_for(640) >= 900


def test_round_of_a_loop_counts_for_all_that_is_written_in_it() -> None:
    def steps_with(statements: str) -> int:
        run = compile_expression(
            f"@{{ var n = 1; for (var i = 0; i < 100; i++) {{ {statements} }} return n; }}", Type.INT
        )
        run(context(CALL))
        return meter._METER.steps

    assert steps_with("n = n * 31 + i; " * 400) >= 30 * steps_with("n = n * 31 + i;")


SEARCH = 'Regex.IsMatch(new string(\'a\', 60) + "!", "^(a|aa)+$", RegexOptions.None, TimeSpan.FromSeconds(1))'
CAUGHT = "@{{ try {{ return {} ? 1 : 0; }} catch ({}) {{ return 2; }} }}"


@pytest.mark.parametrize("name", ["RegexMatchTimeoutException", "TimeoutException", "Exception"])
def test_search_with_a_limit_ends_as_in_net_and_the_expression_goes_on(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meter, "MAX_SECONDS", math.inf)
    assert compile_expression(CAUGHT.format(SEARCH, name), Type.INT)(context(CALL)) == 2


def test_search_that_takes_longer_than_its_limit_throws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "MAX_SECONDS", math.inf)
    with pytest.raises(EvaluationError) as caught:
        compile_expression(f"@({SEARCH})", Type.BOOL)(context(CALL))

    assert caught.value.exception == "RegexMatchTimeoutException"
    assert not isinstance(caught.value, StoppedError)


def test_search_within_its_limit_has_its_value() -> None:
    found = SEARCH.replace("'a', 60", "'a', 12")

    assert compile_expression(CAUGHT.format(found, "Exception"), Type.INT)(context(CALL)) == 0


def test_search_without_a_limit_is_given_up_with_its_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "MAX_SECONDS", math.inf)
    endless = SEARCH.replace(", RegexOptions.None, TimeSpan.FromSeconds(1)", "")

    with pytest.raises(StoppedError):
        compile_expression(CAUGHT.format(endless, "Exception"), Type.INT)(context(CALL))


def test_arrays_that_one_evaluation_holds_are_bounded_by_what_they_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "MAX_SECONDS", math.inf)
    run = compile_expression(
        "@{ var l = new List<int[]>(); for (var i = 0; i < 9; i++) { l.Add(new int[1000000]); } return l.Count; }",
        Type.INT,
    )

    with pytest.raises(StoppedError, match="InsufficientMemoryException"):
        run(context(CALL))
