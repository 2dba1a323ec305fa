"""Single operations on values drawn at random: numbers, text, JSON, regular expressions, formats."""

import math
import struct
import sys
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from emulator.tests.csharp.calls import CALL
from emulator.tests.csharp.judge.compiler import Case

Variables = dict[str, dict[str, Any]]


def _named(names: str) -> dict[str, str]:
    kinds = {"d": "double", "l": "long", "x": "int", "y": "int", "i": "int", "k": "int"}
    return {name: f'(({kinds.get(name, "string")})context.Variables["{name}"])' for name in names}


def _strings(**drawn: st.SearchStrategy[str]) -> st.SearchStrategy[Variables]:
    typed = {name: one.map(lambda value: {"t": "string", "v": value}) for name, one in drawn.items()}
    return st.fixed_dictionaries(typed)


_JSON_LEAVES = st.sampled_from(
    [
        *("1", "-2", "1.5", "1e3", "-0", "0.10", "1E-7", "true", "false", "null", "1.0", "123456789012345.6"),
        *('"s"', '"\\u0041\\n"', '"é\u2028"', '""', '"/"', '"<"', '"5"', '"true"', '"12:00"', "12345678901234567890"),
        *('"2024-01-02T03:04:05Z"', '"2024-01-02T03:04:05.5+02:00"', '"2024-01-02T03:04"'),
    ]
)
_JSON = st.recursive(
    _JSON_LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]"),
        st.lists(st.tuples(st.sampled_from("ab"), inner), max_size=3).map(
            lambda pairs: "{" + ", ".join(f'"{name}":{value}' for name, value in pairs) + "}"
        ),
    ),
    max_leaves=6,
)
_BROKEN = st.tuples(_JSON, st.integers(0, 40), st.sampled_from(" {}[]\",:1ae.\n-x'/")).map(
    lambda drawn: drawn[0][: drawn[1]] + drawn[2] + drawn[0][drawn[1] :]
)
_ATOMS = ["a", "b", "1", " ", ".", "\\d", "\\w", "\\s", "[ab]", "[^a]", "[a-c1]", "\\.", "\\W"]
_REPEATS = ["", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,1}", "*?", "+?", "??", "{1,}"]
_PATTERN = st.recursive(
    st.one_of(
        st.tuples(st.sampled_from(_ATOMS), st.sampled_from(_REPEATS)).map("".join), st.sampled_from(["^", "$", "\\b"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(st.sampled_from(["(", "(?:", "(?=", "(?!"]), inner).map(lambda drawn: drawn[0] + drawn[1] + ")"),
        st.tuples(inner, inner).map("|".join),
        st.tuples(inner, st.sampled_from(_REPEATS)).map(lambda drawn: f"({drawn[0]}){drawn[1]}"),
    ),
    max_leaves=6,
)
_SUBJECT = st.text(alphabet="aab1 b.c_\n", max_size=12)
_TEXT = st.text(alphabet="aAbB ,;=-1\t", max_size=9)
_DOUBLE = st.one_of(
    st.floats(-1000, 1000, allow_subnormal=False),
    st.integers(-(10**16), 10**16).map(float),
    st.tuples(st.sampled_from([1, 5, 25, 125, 3]), st.integers(-12, 18)).map(lambda drawn: drawn[0] * 10.0 ** drawn[1]),
    st.integers(0, 2**64 - 1)
    .map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0])
    .filter(lambda value: math.isfinite(value) and (value == 0 or abs(value) > sys.float_info.min)),
)
_INT = st.one_of(st.sampled_from([0, 1, -1, 31, 32, 2**31 - 1, -(2**31)]), st.integers(-(2**31), 2**31 - 1))
_LONG = st.one_of(st.sampled_from([0, 1, -1, 2**62, -(2**62)]), st.integers(-(2**63), 2**63 - 1))
_PIECES = [
    "{0}",
    "{1}",
    "{0:D3}",
    "{1,5}",
    "{0,-4}",
    "a",
    "{{",
    "}}",
    "{",
    "}",
    "{2}",
    "{0:X}",
    " ",
    "{0,}",
    "{0 }",
    "{0:}",
]


def _numbers(kind: str, drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return drawn.map(
        # Mono does not read every double exactly.
        lambda value: (
            {"t": kind, "v": value, "bits": struct.unpack("<q", struct.pack("<d", value))[0]}
            if kind == "double"
            else {"t": kind, "v": value}
        )
    )


OPERATIONS: list[tuple[st.SearchStrategy[Variables], str, tuple[str, ...]]] = [
    (
        st.fixed_dictionaries({"d": _numbers("double", _DOUBLE)}),
        "d",
        (
            "{d}.ToString()",
            '{d}.ToString("F2")',
            '{d}.ToString("N1")',
            '{d}.ToString("0.0##")',
            "(int){d}",
            "(long){d}",
            "new JArray({d}).ToString(Formatting.None)",
            "Convert.ToInt32({d})",
            "Math.Floor({d})",
            "Math.Ceiling({d})",
            "{d} % 7.5",
            "Math.Truncate({d})",
            "TimeSpan.FromSeconds({d})",
            "new DateTime(2024, 1, 1).AddHours({d})",
            '"" + {d}',
            "{d} / 0",
        ),
    ),
    (
        st.fixed_dictionaries({"x": _numbers("int", _INT), "y": _numbers("int", _INT), "l": _numbers("long", _LONG)}),
        "xyl",
        (
            "{x} + {y}",
            "{x} * {y}",
            "{x} / {y}",
            "{x} % {y}",
            "{x} << {y}",
            "{x} >> {y}",
            "{l} * {x}",
            "{l} / {y}",
            "{l} << {y}",
            "(byte){x}",
            "(short){l}",
            "(uint){x} + 1",
            "(ulong){l}",
            "(char)({x} % 200 + 300)",
            '{x}.ToString("X")',
            "-{x}",
            "~{l}",
            '{l}.ToString("x8")',
            '{x}.ToString("N0")',
            '{x}.ToString("D6")',
            "{x} ^ {y} & 255",
            "Math.Abs({x})",
            "{x} > {l}",
            "(double){l}",
            "(int)({l} / 3)",
            "Convert.ToInt32({l})",
            "new DateTime({l})",
            "TimeSpan.FromTicks({l}).ToString()",
            "DateTimeOffset.FromUnixTimeSeconds({x})",
            "BitConverter.GetBytes({l})",
            "(uint){x} >> 3",
            "{x}.CompareTo({y})",
            'new DateTime(2024, 1, 31).AddMonths({x} % 1000).AddDays({y} % 1000).ToString("yyyy-MM-dd ddd")',
        ),
    ),
    (
        st.fixed_dictionaries(
            {
                **{name: _TEXT.map(lambda value: {"t": "string", "v": value}) for name in "ab"},
                "c": st.sampled_from("aA ,").map(lambda value: {"t": "string", "v": value}),
                "i": _numbers("int", st.integers(-2, 8)),
                "k": _numbers("int", st.integers(-1, 5)),
            }
        ),
        "abcik",
        (
            "{a}.Substring({i})",
            "{a}.Substring({i}, {k})",
            "{a}.IndexOf({b})",
            "{a}.IndexOf({b}, StringComparison.Ordinal)",
            "{a}.LastIndexOf({b}, StringComparison.Ordinal)",
            "{a}.Split({c}[0])",
            "{a}.Split(new[] {{{c}[0], ','}}, {k})",
            "{a}[{i}]",
            "{a}.Split(new[] {{{c}[0], ','}}, {k}, StringSplitOptions.RemoveEmptyEntries)",
            "{a}.Remove({i})",
            "{a}.Split()",
            "{a}.Split(new[] {{{b}, {c}}}, {k}, StringSplitOptions.RemoveEmptyEntries)",
            "{a}.Remove({i}, {k})",
            "int.Parse({a})",
            "{a}.Replace({b}, {c})",
            "{a}.Trim({c}[0], 'a')",
            "{a}.StartsWith({b})",
            "{a}.Insert({i}, {b})",
            "{a}.PadLeft({i}, 'x')",
            "{a}.EndsWith({b}, StringComparison.OrdinalIgnoreCase)",
            "string.Compare({a}, {b}, StringComparison.Ordinal) < 0",
            "string.Compare({a}, {b}, StringComparison.OrdinalIgnoreCase) > 0",
            "string.Compare({a}, {b}) == 0",
            "double.Parse({a})",
            "{a}.IndexOf({c}[0], {k})",
            "bool.Parse({a})",
            "Uri.EscapeDataString({a})",
            "WebUtility.UrlEncode({a})",
            "{a}.ToUpper()",
            "WebUtility.UrlDecode({a})",
            'new StringBuilder({a}).Insert({i}, {b}).Replace({c}, "zz").Length',
        ),
    ),
    (
        _strings(j=st.one_of(_JSON, _BROKEN)),
        "j",
        (
            "JToken.Parse({j}).ToString(Formatting.None)",
            "JObject.Parse({j}).ToString()",
            'JToken.Parse({j})["a"]',
            "JArray.Parse({j}).Select(x => x.Type)",
            '(string)JObject.Parse({j})["a"]',
            '(int)JObject.Parse({j})["a"]',
            'JObject.Parse({j}).Value<bool>("a")',
            'JObject.Parse({j}).Value<double>("b")',
            "JToken.Parse({j}).ToString()",
            'JToken.Parse({j}).Select(x => x.Type + "")',
            '(bool)JObject.Parse({j})["b"]',
            '(long?)JObject.Parse({j})["b"]',
            'JObject.Parse({j}).Value<string>("a")',
            'JToken.Parse({j}).SelectToken("a[0].b")',
            "JToken.Parse({j}).HasValues",
        ),
    ),
    (
        _strings(t=_SUBJECT, p=_PATTERN),
        "tp",
        (
            "Regex.Matches({t}, {p}).Cast<Match>().Select(m => m.Value + m.Index + m.Groups[1] + m.Groups[2].Success)",
            'Regex.Replace({t}, {p}, "<$0>")',
            "Regex.IsMatch({t}, {p}, RegexOptions.IgnoreCase | RegexOptions.Multiline)",
            "Regex.Match({t}, {p}, RegexOptions.Singleline).Groups[1].Index",
            "Regex.Split({t}, {p})",
        ),
    ),
    (
        _strings(f=st.lists(st.sampled_from(_PIECES), max_size=4).map("".join)),
        "f",
        ('string.Format({f}, 7, "s")',),
    ),
]
"""What is drawn, the names of it, and the operations on it."""


def cases(drawn: Mapping[int, list[Variables]]) -> list[Case]:
    """Make one case of each operation, evaluated with everything that was drawn for it."""
    found = []
    for place, (_, names, operations) in enumerate(OPERATIONS):
        scenarios = tuple({**CALL, "variables": variables} for variables in drawn[place])
        found += [Case(f"@({operation.format(**_named(names))})", scenarios) for operation in operations]
    return found
