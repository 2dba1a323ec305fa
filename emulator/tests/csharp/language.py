"""Expressions over what C# itself knows: operators and their promotions, conversions, text, choices and loops.

Operands are variables, as C# refuses constants that overflow. What C# does not compile is drawn too: no more may be
accepted here than there.
"""

import random
from collections.abc import Iterator
from functools import cache
from itertools import product

TYPED: dict[str, tuple[str, ...]] = {
    "sbyte": ("-128", "7", "-1"),
    "byte": ("255", "0", "9"),
    "short": ("-32768", "300"),
    "ushort": ("65535", "2"),
    "int": ("int.MaxValue", "int.MinValue", "-7", "3", "0"),
    "uint": ("uint.MaxValue", "5", "0"),
    "long": ("long.MaxValue", "long.MinValue", "-5", "10000000000"),
    "ulong": ("ulong.MaxValue", "6"),
    "char": ("'a'", "'\\uffff'", "'0'"),
    "double": ("2.5", "-0.5", "1e10", "0.0", "-3.0"),
    "bool": ("true", "false"),
    "string": ('"a"', '""', "null", '"B"'),
    "object": ("5", '"a"', "null", "2.5", "'c'"),
    "int?": ("4", "null", "-2"),
    "long?": ("4", "null"),
    "bool?": ("true", "null", "false"),
    "DateTime": ("new DateTime(2024, 2, 29)", "new DateTime(2023, 1, 1, 10, 0, 0)"),
    "TimeSpan": ("TimeSpan.FromMinutes(90)", "TimeSpan.FromDays(-1)"),
    "DateTimeOffset": ("DateTimeOffset.FromUnixTimeSeconds(1700000000)",),
    "DayOfWeek": ("DayOfWeek.Tuesday", "DayOfWeek.Sunday"),
    "JToken": ('JToken.Parse("5")', '(JToken)"t"', "null", 'JToken.Parse("[1]")', "(JToken)true", "(JToken)1.5"),
    "JObject": ('JObject.Parse("{\\"a\\":1}")', "null"),
    "string[]": ('new[] {"x"}', "null"),
    "Guid": ("Guid.Empty", "context.RequestId"),
}
"""Values by the type of the variable that holds one."""
NUMERIC = ("sbyte", "byte", "short", "ushort", "int", "uint", "long", "ulong", "char", "double")
_BINARY = ("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "==", "!=", "<", "<=", ">", ">=")
_FORMATS = ("", ",6", ",-6", ":F1", ":D4", ":X", ",8:N0", ":yyyy-MM-dd", ",3")


def _held(type_: str, name: str, value: str) -> str:
    return f"{type_} {name} = {value};"


def _two(one: tuple[str, str], other: tuple[str, str], result: str) -> str:
    return f"@{{ {_held(one[0], 'a', one[1])} {_held(other[0], 'b', other[1])} return {result}; }}"


def _operators(chance: random.Random) -> Iterator[str]:
    for symbol, one, other in product(_BINARY, TYPED, TYPED):
        both = one in NUMERIC and other in NUMERIC
        if both or one == other or chance.random() < 0.15:
            values = [(one, chance.choice(TYPED[one])), (other, chance.choice(TYPED[other]))]
            yield _two(values[0], values[1], f"a {symbol} b")
    for symbol, type_ in product(("&&", "||", "??"), TYPED):
        other = chance.choice((type_, type_.removesuffix("?"), "string", "bool"))
        for value in TYPED[type_]:
            yield _two((type_, value), (other, chance.choice(TYPED[other])), f"a {symbol} b")
    for symbol, type_ in product(("+", "-", "~", "!", "++", "--"), TYPED):
        for value in TYPED[type_][:3]:
            yield f"@{{ {_held(type_, 'a', value)} return {symbol}a; }}"
    for symbol, type_ in product(("++", "--"), TYPED):
        yield f"@{{ {_held(type_, 'a', TYPED[type_][0])} var b = a{symbol}; return new object[] {{ a, b }}; }}"
    for symbol, one, other in product(("+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="), TYPED, TYPED):
        if one == other or (one in NUMERIC and other in {"int", "byte", "long", "double"}) or chance.random() < 0.05:
            first, second = (one, chance.choice(TYPED[one])), (other, chance.choice(TYPED[other]))
            yield _two(first, second, "a").replace("return a", f"a {symbol} b; return a")


def _conversions(chance: random.Random) -> Iterator[str]:
    for target, source in product(TYPED, TYPED):
        for value in chance.sample(TYPED[source], min(2, len(TYPED[source]))):
            yield f"@{{ {_held(source, 'a', value)} return ({target})a; }}"
        yield f"@{{ {_held(source, 'a', chance.choice(TYPED[source]))} {target} b = a; return b; }}"
        if source in {"object", "JToken", "string", "int", "int?", target}:
            value = chance.choice(TYPED[source])
            yield f"@{{ {_held(source, 'a', value)} return a is {target}; }}"
            yield f"@{{ {_held(source, 'a', value)} return a as {target}; }}"
            yield f'@{{ {_held(source, "a", value)} return a is {target} n ? n.ToString() : "no"; }}'
    for type_, target in product(TYPED, NUMERIC):
        yield f"@{{ object a = {chance.choice(TYPED[type_])}; return ({target})a; }}"


def _texts(chance: random.Random) -> Iterator[str]:
    for type_, values in TYPED.items():
        for value in values:
            if value == "null" and type_ == "string[]":
                continue
            held = _held(type_, "a", value)
            yield f'@{{ {held} return "<" + a + ">"; }}'
            yield f'@{{ {held} return a + "" + a; }}'
            for form in chance.sample(_FORMATS, 3):
                yield f'@{{ {held} return $"[{{a{form}}}]"; }}'
            yield f'@{{ {held} return string.Format("{{0}}|{{0{chance.choice(_FORMATS)}}}", a); }}'
            yield f'@{{ {held} return $@"\\{{a}}""{{{{x}}}}"; }}'


def _choices(chance: random.Random) -> Iterator[str]:
    for one, other in product(TYPED, TYPED):
        if one == other or (one in NUMERIC and other in NUMERIC) or chance.random() < 0.2:
            flag = chance.choice(("true", "false"))
            first, second = (one, chance.choice(TYPED[one])), (other, chance.choice(TYPED[other]))
            yield _two(first, second, f'(bool)context.Variables["flag"] == {flag} ? a : b')
    members = {"string": "Length", "JToken": "Type", "JObject": "Count", "string[]": "Length", "int?": "Value",
               "object": "ToString()"}  # fmt: skip
    for type_, member in members.items():
        for value in TYPED[type_]:
            held = _held(type_, "a", value)
            yield f"@{{ {held} return a?.{member}; }}"
            yield f"@{{ {held} return a.{member}; }}"
            yield f'@{{ {held} return a?.{member}.ToString() ?? "none"; }}'
            yield f"@{{ {held} return (a?.{member} ?? a?.{member}) == null; }}"
    for type_, labels in {
        "int": ("3", "-7", "int.MaxValue"), "string": ('"a"', "null", '""'), "char": ("'a'", "'0'", "'b'"),
        "bool": ("true",), "DayOfWeek": ("DayOfWeek.Sunday", "DayOfWeek.Monday"), "byte": ("9", "255"),
        "long": ("-5", "0"), "int?": ("4", "null"),
    }.items():  # fmt: skip
        cases = " ".join(f'case {label}: r += "{place}"; break;' for place, label in enumerate(labels))
        for value in TYPED[type_]:
            held = _held(type_, "a", value)
            yield f'@{{ {held} var r = ""; switch (a) {{ {cases} default: r += "d"; break; }} return r; }}'
            yield f'@{{ {held} switch (a) {{ case {labels[0]}: return 1; default: return "other"; }} }}'


_LOOPS = (
    "var r = {zero}; for (int i = {low}; i < {high}; i++) {{ {body} }} return r;",
    "var r = {zero}; var i = {low}; while (i < {high}) {{ {body} i++; }} return r;",
    "var r = {zero}; var i = {low}; do {{ {body} i++; }} while (i < {high}); return r;",
    "var r = {zero}; foreach (var i in Enumerable.Range({low}, 3)) {{ {body} }} return r;",
    "var r = {zero}; foreach (var i in new List<int> {{ {low}, {high}, 1 }}) {{ {body} }} return r;",
    "var r = {zero}; for (int i = {high}, j = {low}; i > j; i--, j++) {{ {body} }} return r;",
)
_BODIES = (
    ("0", "r += i;"), ('""', "r += i;"), ("0", "if (i == 2) continue; r = r * 10 + i;"),
    ("1", "if (i > 2) break; r *= i + 2;"),
    ('""', "r = i + r;"), ("0L", "r += i * 1000000000;"), ("0", "r ^= i << i;"), ("0.5", "r /= i;"), ("'a'", "r++;"),
    ("(byte)250", "r += 3;"), ("0", "r += i % 2 == 0 ? i : -i;"), ('""', 'r += i == 1 ? "x" : null;'),
    ("0", "r += 10 / i;"),
    ("0u", "r -= 1;"), ("(short)0", "r -= 20000;"),
)  # fmt: skip


def _loops(_: random.Random) -> Iterator[str]:
    for loop, (zero, body), low in product(_LOOPS, _BODIES, ("0", "-1")):
        yield f"@{{ {loop.format(zero=zero, body=body, low=low, high='4')} }}"


_PARTS = {
    "operators": _operators,
    "conversions": _conversions,
    "texts": _texts,
    "choices": _choices,
    "loops": _loops,
}


@cache
def language() -> dict[str, tuple[str, ...]]:
    """Give the expressions of each part."""
    return {
        name: tuple(dict.fromkeys(part(random.Random(name))))  # noqa: S311 - not secret
        for name, part in _PARTS.items()
    }
