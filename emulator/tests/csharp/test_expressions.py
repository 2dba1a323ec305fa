from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from apim_emulator.csharp import EvaluationError, ExpressionError, Type, compile_expression
from apim_emulator.gateway.context.objects import (
    ApiInfo,
    Context,
    Jwt,
    LastError,
    Named,
    OperationInfo,
    Request,
    Response,
    Url,
)
from apim_emulator.gateway.context.query import Query

VALUES: dict[str, object] = {
    "text": "abc", "number": 7, "flag": True, "nothing": None,
    "jwt": Jwt({"alg": "RS256"}, {"sub": "me", "iss": "i", "jti": "j", "aud": ["a", "b"], "roles": ["x", "y"], "n": 5}),
}  # fmt: skip


def context(**changes: Any) -> Context:
    url = Url("http", "localhost", 8080, "/api/models", Query("a=1&b=2&a=3&s=x%20y"))
    request = Request(
        "POST", CIMultiDict([("X-One", "1"), ("X-Two", "a"), ("x-two", "b"), ("Authorization", "Bearer t o")]), url,
        "/models", Query("q=1"), "127.0.0.1", {"id": "gpt"}, "/openai",
    )  # fmt: skip
    known: dict[str, Any] = {
        "api": ApiInfo("openai", "openai", "v1/openai"),
        "operation": OperationInfo("chat", "POST", "/chat"),
        "subscription": Named("sub"),
        "response": Response(429, "Slow Down", CIMultiDict({"Retry-After": "7"})),
        "last_error": LastError("validate-jwt", "TokenExpired", "m", "api", "inbound", "p", "id"),
        "variables": dict(VALUES),
    }
    return Context("contoso", request, _request_id=UUID(int=255), **(known | changes))


def evaluate(text: str, result: Type = Type.OBJECT, **changes: Any) -> object:
    found: object = compile_expression(text, result)(context(**changes))
    return found


SURE: list[tuple[str, object]] = [
    # literals
    ('"a\\n\\t\\"\\\\\\u0041\\x41\\0"', 'a\n\t"\\AA\0'),
    ('@"a""b\\n"', 'a"b\\n'),
    ('"\\uD83D\\uDE00"', "\U0001f600"),
    ("0x1F", 31),
    ("007", 7),
    ("2147483647", 2147483647),
    ("-2147483648", -(2**31)),
    ("true", True),
    ("null", None),
    ('"\\x414"', "Д"),
    ('"\\U0001F600"', "\U0001f600"),
    ('""', ""),
    # concatenation
    ('"a" + 1 + 2', "a12"),
    ('1 + 2 + "a"', "3a"),
    ('"a" + true', "aTrue"),
    ('"a" + null + "b"', "ab"),
    ('"a" + (string)null', "a"),
    ('"a" + context.Variables["number"]', "a7"),
    ('"n" + -1', "n-1"),
    ('"a" + context.Variables["nothing"]', "a"),
    ('"id " + context.RequestId', f"id {UUID(int=255)}"),
    ("\"a\" + 'b'", "ab"),
    # arithmetic and comparison
    ("7 / 2", 3),
    ("-7 / 2", -3),
    ("-7 % 3", -1),
    ("7 % -3", 1),
    ("2 + 3 * 4", 14),
    ("(2 + 3) * 4", 20),
    ("10 - 3 - 2", 5),
    ("- -1", 1),
    ("1 < 2", True),
    ("2 <= 2", True),
    ("2 > 2", False),
    ("2 >= 3", False),
    ('(int)context.Variables["number"] + 2147483647', -2147483642),
    ('-((int)context.Variables["number"] - 7 - int.MaxValue - 1)', -(2**31)),
    ('(int)context.Variables["number"] * 1000000000', -1589934592),
    # equality, logic, conditional
    ('"a" == "a"', True),
    ('"a" == "A"', False),
    ('"a" != null', True),
    ('(string)context.Variables["nothing"] == null', True),
    ('context.Variables["text"] == null', False),
    ("1 == 1", True),
    ("true != false", True),
    ("!true", False),
    ("false && true || true", True),
    ('true || 1 / (int)context.Variables["number"] == 0', True),
    ('false && ((string)context.Variables["absent"]).Length == 0', False),
    ('1 < 2 ? "y" : "n"', "y"),
    ('false ? "a" : true ? "b" : "c"', "b"),
    ('true ? null : "x"', None),
    ('(string)context.Variables["nothing"] ?? "d"', "d"),
    ('(string)context.Variables["text"] ?? "d"', "abc"),
    ('(string)null ?? (string)null ?? "z"', "z"),
    # variables and casts
    ('(string)context.Variables["text"]', "abc"),
    ('(int)context.Variables["number"]', 7),
    ('(bool)context.Variables["flag"]', True),
    ('(string)context.Variables["nothing"]', None),
    ('context.Variables["number"] as string', None),
    ('context.Variables["text"] as string', "abc"),
    ('context.Variables.GetValueOrDefault<string>("text")', "abc"),
    ('context.Variables.GetValueOrDefault<string>("absent")', None),
    ('context.Variables.GetValueOrDefault<string>("absent", "d")', "d"),
    ('context.Variables.GetValueOrDefault<int>("absent")', 0),
    ('context.Variables.GetValueOrDefault<bool>("absent")', False),
    ('context.Variables.GetValueOrDefault("text", "d")', "abc"),
    ('context.Variables.ContainsKey("flag")', True),
    ('context.Variables.GetValueOrDefault<object>("number")', 7),
    # context
    ('context.Request.Headers.GetValueOrDefault("x-two", "d")', "a,b"),
    ('context.Request.Headers.GetValueOrDefault("absent", "d")', "d"),
    ('context.Request.Headers.GetValueOrDefault("absent")', None),
    ('context.Request.Headers["X-Two"][1]', "b"),
    ('context.Request.Headers.ContainsKey("x-one")', True),
    ("context.Request.Method", "POST"),
    ("context.Request.IpAddress", "127.0.0.1"),
    ("context.Request.Url.Path", "/openai/models"),
    ("context.Request.Url.QueryString", "?q=1"),
    ("context.Request.OriginalUrl.Path", "/api/models"),
    ("context.Request.OriginalUrl.Host", "localhost"),
    ("context.Request.OriginalUrl.Port", 8080),
    ("context.Request.OriginalUrl.Scheme", "http"),
    ('context.Request.OriginalUrl.Query.GetValueOrDefault("a", "d")', "1,3"),
    ('context.Request.OriginalUrl.Query.GetValueOrDefault("S")', "x y"),
    ('context.Request.OriginalUrl.Query["b"][0]', "2"),
    ('context.Request.MatchedParameters["id"]', "gpt"),
    ("context.Response.StatusCode", 429),
    ("context.Response.StatusReason", "Slow Down"),
    ('context.Response.Headers.GetValueOrDefault("retry-after")', "7"),
    ("context.Api.Id + context.Api.Name + context.Api.Path", "openaiopenaiv1/openai"),
    ("context.Operation.Id", "chat"),
    ("context.Subscription?.Id", "sub"),
    ("context.Product?.Id", None),
    ('context.Product?.Id ?? "none"', "none"),
    ("context.RequestId.ToString()", str(UUID(int=255))),
    ("context.Deployment.GatewayId", "managed"),
    ("context.LastError.Source + context.LastError.Reason + context.LastError.PolicyId", "validate-jwtTokenExpiredid"),
    # tokens
    ('((Jwt)context.Variables["jwt"]).Subject', "me"),
    ('((Jwt)context.Variables["jwt"]).Issuer', "i"),
    ('((Jwt)context.Variables["jwt"]).Claims.GetValueOrDefault("roles", "d")', "x,y"),
    ('((Jwt)context.Variables["jwt"]).Claims["roles"][1]', "y"),
    ('((Jwt)context.Variables["jwt"]).Claims["roles"].Contains("x")', True),
    ('((Jwt)context.Variables["jwt"]).Audiences.Contains("b")', True),
    ('context.Variables.GetValueOrDefault<Jwt>("absent")?.Subject ?? "anonymous"', "anonymous"),
    # strings
    ('"abc".Contains("b")', True),
    ('"abc".StartsWith("ab")', True),
    ('"abc".EndsWith("ab")', False),
    ('"ABC".StartsWith("ab", StringComparison.OrdinalIgnoreCase)', True),
    ('"AbC".ToLower()', "abc"),
    ('"AbC".ToUpperInvariant()', "ABC"),
    ('"abc".Length', 3),
    ('"\\uD83D\\uDE00x".Length', 3),
    ('"\\uD83D\\uDE00x".Substring(2)', "x"),
    ('"abcd".Substring(1, 2)', "bc"),
    ('"abc".Substring(3)', ""),
    ('"aXbX".Replace("X", "")', "ab"),
    ('" a\\u00a0".Trim()', "a"),
    ('"\\u001ca".Trim()', "\x1ca"),
    ("\"a b c\".Split(' ')[1]", "b"),
    ("\"a b\".Split(' ').Length", 2),
    ('"a".Equals("A")', False),
    ('string.Equals("a", "A", StringComparison.OrdinalIgnoreCase)', True),
    ('string.IsNullOrEmpty("")', True),
    ('String.IsNullOrWhiteSpace(" \\t")', True),
    ('int.Parse(" -12 ")', -12),
    ('string.Empty + "x"', "x"),
    ("(1 + 2).ToString()", "3"),
    ("(1 == 1).ToString()", "True"),
    ("1 /* comment } */ + 2", 3),
    ("1 // comment )\n + 2", 3),
]


@pytest.mark.parametrize(("text", "value"), SURE, ids=[text for text, _ in SURE])
def test_expression_has_the_value_that_it_has_in_csharp(text: str, value: object) -> None:
    found = evaluate(f"@({text})")

    assert found == value
    assert type(found) is type(value)


BLOCKS: list[tuple[str, object]] = [
    ("return 1;", 1),
    ('var x = "a"; x = x + "b"; return x;', "ab"),
    ('string x = null; if (x == null) { return "none"; } return x;', "none"),
    ("int n = 3; bool big = n > 2; if (big) return 1; else return 2;", 1),
    ("if (false) { var a = 1; return a; } else if (true) { var a = 2; return a; } else { return 3; }", 2),
    ("var a = 1; { var b = a + 1; a = b; } return a;", 2),
    ("// first\n return 1 /* } */;", 1),
    ('object o = 1; if ((int)o == 1) { return "one"; } return null;', "one"),
    ("return 1; return 2;", 1),
]


@pytest.mark.parametrize(("text", "value"), BLOCKS, ids=[text for text, _ in BLOCKS])
def test_block_returns_what_it_returns_in_csharp(text: str, value: object) -> None:
    assert evaluate(f"@{{{text}}}") == value


THROWS = [
    ('(string)context.Variables["absent"]', "KeyNotFoundException"),
    ('(string)context.Variables["number"]', "InvalidCastException"),
    ('(int)context.Variables["text"]', "InvalidCastException"),
    ('(int)context.Variables["flag"]', "InvalidCastException"),
    ('(int)context.Variables["nothing"]', "NullReferenceException"),
    ('context.Variables.GetValueOrDefault<string>("number", "d")', "InvalidCastException"),
    ('context.Variables.GetValueOrDefault<string>("absent").Length', "NullReferenceException"),
    ("context.Product.Id", "NullReferenceException"),
    ('1 / ((int)context.Variables["number"] - 7)', "DivideByZeroException"),
    ('(int.MinValue + 0 * (int)context.Variables["number"]) / -1', "OverflowException"),
    ('context.Request.Headers["absent"]', "KeyNotFoundException"),
    ('context.Request.Headers["X-One"][1]', "IndexOutOfRangeException"),
    ('context.Request.MatchedParameters["absent"]', "KeyNotFoundException"),
    ('"abc".Substring(4)', "ArgumentOutOfRangeException"),
    ('"abc".Substring(1, -1)', "ArgumentOutOfRangeException"),
    ('"abc".Replace("", "x")', "ArgumentException"),
    ('"abc".Contains((string)context.Variables["nothing"])', "ArgumentNullException"),
    ('int.Parse("1.5")', "FormatException"),
    ('int.Parse("2147483648")', "OverflowException"),
    ('"é".ToUpper()', "NotSupportedException"),
    ('"é".StartsWith("e")', "NotSupportedException"),
    ('"\\uD83D\\uDE00".Substring(1)', "NotSupportedException"),
    ('context.Variables["nothing"].ToString()', "NullReferenceException"),
    ('context.Variables["jwt"].ToString()', "NotSupportedException"),
    # not sure when it is evaluated
    ('context.Variables["text"] == "abc"', "NotSupportedException"),
    ('"abc" != context.Variables["text"]', "NotSupportedException"),
    ('new[] {"a-b", "ab"}.OrderBy(x => x).First()', "NotSupportedException"),
    ('new HashSet<string>(StringComparer.OrdinalIgnoreCase).Add("é")', "NotSupportedException"),
]


@pytest.mark.parametrize(("text", "exception"), THROWS, ids=[text for text, _ in THROWS])
def test_expression_throws_what_csharp_throws(text: str, exception: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluate(f"@({text})")

    assert caught.value.exception == exception


REFUSED = [
    # not C#
    ("@(1 +)", "not C#"),
    ("@()", "not C#"),
    ('@("a)', "not C#"),
    ("@(a b)", ""),
    ("@(1; 2)", ""),
    ("@{ return 1 }", "not C#"),
    ("@(1; } object N() => 2", "an expression is"),
    ("@(1; } object N() { return 2; } object O() => 3)", "not C#"),
    ("@{ return 1; } }", "not"),
    ("@{ return 1; } object N() { return 2; }", "not one expression"),
    ("@(\n#if true\n1\n#endif\n)", ""),
    ("plain", "an expression is"),
    ("@(1) x", "an expression is"),
    # reference comparison and other traps
    ('@(context.Variables["a"] == context.Variables["b"])', "object == object compares references"),
    ("@(1?.ToString())", "?. on int is not C#"),
    ("@(1?.Length)", "?. on int is not C#"),
    ("@(2147483647 + 1)", "overflows int"),
    ("@(int.MinValue - 1)", "overflows int"),
    ("@(1 / 0)", "constant division"),
    ('@(1 == "1")', "int == string is not supported"),
    ("@((1, 2) == null)", "(int, int) == <null> is not supported"),
    ("@(null == null)", "not supported"),
    ("@(!1)", "! on int"),
    ("@(true + 1)", "bool + int"),
    ("@(1 && true)", "int where bool"),
    ("@(1 ?? 2)", "int ?? int"),
    ("@(null ?? 1)", "<null> ?? int"),
    ('@(true ? 1 : "a")', "no common type"),
    ("@(DateTime.UtcNow())", "not supported"),
    ("@(Guid.NewGuid)", "not supported"),
    ("@(Math.Round(5))", "ambiguous in C#"),
    ("@(Math.Floor(5L))", "ambiguous in C#"),
    ("@(Math.Abs(5UL))", "ambiguous in C#"),
    ("@(true ? null : null)", "no common type"),
    ("@((string)1)", "cast from int to string"),
    ('@(context.Variables["a"] as int)', "object as int"),
    ('@("""x""")', "not supported"),
    ('@("x"u8)', "this string literal"),
    ('@("\\uD83D")', "this string literal"),
    ('@("\\q")', ""),
    ("@(x => x)", "not supported"),
    # names and members outside the allow-list
    ('@(System.IO.File.Exists("/"))', "not supported"),
    ("@(Environment.MachineName)", "Environment.MachineName is not supported"),
    ("@(typeof(string))", "not supported"),
    ("@(context.GetType())", "no supported method GetType"),
    ('@("a".__class__)', "no supported property __class__"),
    ("@(context.request)", "no supported property request"),
    ('@("a".Contains("a", StringComparison.Ordinal))', "is not supported"),
    ('@("a".Contains(value: "a"))', "Contains(string) is not supported"),
    ('@("a".Substring("1"))', "Substring(string) is not supported"),
    ("@(context.Variables[1])", "index of"),
    ('@(context.Variables["a", "b"])', "index of"),
    ('@(context.Variables.GetValueOrDefault<int>("a", "b"))', "GetValueOrDefault(string, string) is not supported"),
    ('@(context.Variables.Other<int>("a"))', "no supported method Other"),
    ("@(context())", "only methods"),
    ("@(context.Request = null)", "cannot be assigned"),
    ("@(checked(1))", "not supported"),
    # statements
    ("@{ if (true) { return 1; } }", "not every path"),
    ("@{ }", "not every path"),
    ("@{ return; }", "return needs a value"),
    ("@{ var x = null; return x; }", "var has no type"),
    ('@{ int x = "a"; return x; }', "string where int"),
    ("@{ var x = 1; var x = 2; return x; }", "already declared"),
    ("@{ var x = 1; { var x = 2; } return x; }", "already declared"),
    ("@{ var context = 1; return context; }", "already declared"),
    ("@{ { var x = 1; } return x; }", "name x is not supported"),
    ("@{ y = 1; return y; }", "y is not a local"),
    ('@{ var x = 1; x = "a"; return x; }', "string where int"),
    ("@{ throw null; }", "only exceptions can be thrown"),
    ("@{ if (1) { return 1; } return 2; }", "int where bool"),
    ('@{ context.Variables["a"] = 1; return 1; }', "cannot be assigned"),
    ("@{ if (true) var x = 1; return 1; }", ""),
    ("@{ return x = 1; }", "not a local variable"),
    ("@{ const int x = F(); return x; }", "only methods"),
    ("@{ int x; return x; }", "x may have no value"),
    ("@{ int x; if (true) { x = 1; } return x; }", "x may have no value"),
    ("@{ int x; while (context.Tracing) { x = 1; } return x; }", "x may have no value"),
    ('@(context.Tracing && int.TryParse("1", out var n) || n > 0)', "n may have no value"),
    ('@(context.Tracing ? int.TryParse("1", out var n) : n > 0)', "n may have no value"),
    ('@{ ((string)context.Variables["a"])?.TryParseJwt(out var j); return j; }', "j may have no value"),
    ('@{ try { int.Parse("1"); } catch { return 1; } }', "not every path"),
    ("@{ { var x = 1; } var x = 2; return x; }", "already declared"),
    ("@{ Func<int, int> f = x => x; var x = 1; return f(x); }", "already declared"),
    ("@{ foreach (var x in new[] {1}) { x = 2; } return 1; }", "variable of foreach"),
    ("@{ const int x = 1; x = 2; return x; }", "it is a constant"),
    ("@{ switch (1) { case 1: var y = 2; } return 1; }", "must end with break"),
    ("@{ switch (1) { case 1: return 1; case 1: return 2; } return 3; }", "appears twice"),
    ("@{ break; return 1; }", "break is not C# here"),
    ("@{ try { } catch (Exception) { } catch (FormatException) { } return 1; }", "catches it already"),
    ("@{ try { } finally { return 1; } }", "finally"),
    ("@{ throw new StackOverflowException(); }", "type StackOverflowException"),
    ("@{ goto a; a: return 1; }", "goto statement"),
    ("@{ using (var r = new Random()) { return 1; } }", "hash algorithms"),
    ("@{ var f = x => x; return 1; }", "Func with its types"),
    ("@{ int F() { return F; } return 1; }", "can only be called"),
    ("@{ 1 + 1; return 1; }", "not"),
    ('@(new[] {1, "a"}.Length)', "no common type"),
    # culture, and what versions of .NET do differently
    ('@(DateTime.UtcNow.ToString("D"))', "this format of a date"),
    ('@(1.5.ToString("C"))', "this format of a number"),
    ('@(5.ToString("#,#"))', "this format of a number"),
    ('@(string.Compare("a", "b"))', "CultureOrdering"),
    ('@(string.Compare("a", "b") < 0)', "CultureOrdering < int"),
    ('@("a".GetHashCode())', "no supported method GetHashCode"),
    ('@(Regex.IsMatch("a", "(?<=a)b"))', "a pattern with such a group"),
    ('@(Regex.IsMatch("a", "(a*)*"))', "repeats what may be empty"),
    ('@(Regex.IsMatch("a", "\\\\p{L}"))', "this escape"),
    ('@(JObject.Parse("{}").SelectToken("$..a"))', "this JSON path"),
    ("@(context.Request.Body.As<XNode>())", "a body as XNode"),
    ("@(context.Request.Body.As<int>())", "a body as int"),
    ("@(1.5m)", "int, long and double"),
    ("@(1.5f)", "int, long and double"),
    ("@(new[] {1}.Select(int.Parse))", ""),
    ("@(from x in new[] {1} select x)", "query expression"),
    ("@(1 switch { _ => 2 })", "switch expression"),
    ('@(context.Variables["a"] is not null)', ""),
    ("@(new[] {1}[^1])", "not supported"),
    ('@(System.IO.File.ReadAllText("a"))', "not supported"),
    ("@(Foo.Convert.ToInt32(1))", "not supported"),
    ("@(new System.Net.WebClient())", "not supported"),
    ("@(int.MinValue % -1)", "overflows int"),
    ("@((byte)300)", "overflows byte"),
    ('@((bool)"x")', "a cast from string to bool"),
    ("@{ try { return 1; } }", "needs catch or finally"),
    ("@{ var class = 1; return 1; }", "class is a keyword"),
    ("@(new[]{1}.Select(in => 2))", ""),
    ("@(new HashSet<int>(StringComparer.Ordinal))", "with these arguments is not supported"),
    ('@(DateTime.UtcNow.ToString("D"))', "a culture may change it"),
    ("@{ return new JObject; }", "new needs its arguments"),
    ('@($"{{{1:D3}}}")', "disagree on } after a format"),
    # bounds
    ("@(" + "(" * 200 + "1" + ")" * 200 + ")", "nested deeper"),
    ("@(" + "1 + " * 300 + "1)", "nested deeper"),
    ('@("' + "x" * 20_000 + '")', "longer than"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED, ids=[text[:60] for text, _ in REFUSED])
def test_what_is_not_surely_right_is_refused_when_loaded(text: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, Type.OBJECT)

    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("text", "result", "reason"),
    [
        ('@(context.Variables["a"])', Type.STRING, "object where string is needed; cast it with (string)"),
        ("@(1)", Type.STRING, "int where string is needed"),
        ('@("true")', Type.BOOL, "string where bool is needed"),
        ('@{ if (true) { return 1; } return "a"; }', Type.INT, "string where int is needed"),
    ],
)
def test_result_must_have_the_type_that_the_policy_needs(text: str, result: Type, reason: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, result)

    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("text", "place"),
    [("@(1 + x)", (1, 7)), ("@(1\n + x)", (2, 4)), ("@{\n  return x;\n}", (2, 10)), ('@("é" + x)', (1, 9))],
)
def test_refusal_tells_line_and_column(text: str, place: tuple[int, int]) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, Type.OBJECT)

    assert (caught.value.line, caught.value.column) == place


def test_strings_cannot_grow_without_bound() -> None:
    doubling = "".join("x = x + x; " for _ in range(40))

    with pytest.raises(EvaluationError, match="InsufficientMemoryException"):
        evaluate(f'@{{ var x = "0123456789"; {doubling} return x; }}')


def test_calls_do_not_share_locals() -> None:
    run = compile_expression('@{ var x = (string)context.Variables["text"]; x = x + "!"; return x; }', Type.STRING)

    assert [run(context()), run(context())] == ["abc!", "abc!"]


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n\x85\u2028\u2029"), max_size=30))
def test_verbatim_and_escaped_literals_hold_any_text(text: str) -> None:
    verbatim = text.replace('"', '""')
    escaped = "".join(f"\\U{ord(letter):08x}" for letter in text)

    assert evaluate(f'@("{escaped}")') == text
    if "\0" not in text:
        assert evaluate(f'@(@"{verbatim}")') == text


@given(st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1), st.sampled_from("+-*"))
def test_integers_wrap_as_int32(left: int, right: int, operator: str) -> None:
    text = f'@((int)context.Variables["a"] {operator} (int)context.Variables["b"])'
    exact = {"+": left + right, "-": left - right, "*": left * right}[operator]

    found = evaluate(text, variables={"a": left, "b": right})

    assert found == int.from_bytes((exact % 2**32).to_bytes(4, "big"), "big", signed=True)


@given(st.text(max_size=200))
def test_any_text_is_compiled_or_refused(text: str) -> None:
    for whole in (f"@({text})", f"@{{{text}}}"):
        with suppress(ExpressionError):
            assert callable(compile_expression(whole, Type.OBJECT))
