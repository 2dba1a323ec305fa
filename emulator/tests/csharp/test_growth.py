"""No supported member works more than n log n for n characters that a caller sends: counted in functions and steps."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from apim_emulator.csharp import EvaluationError, ExpressionError, Type, compile_expression
from apim_emulator.csharp.runtime import meter, strings
from emulator.tests.csharp.calls import CALL, context
from emulator.tests.csharp.members import Use, uses
from emulator.tests.csharp.values import values
from emulator.tests.tracing.test_work import functions_called

pytestmark = [pytest.mark.attack, pytest.mark.slow]

FEW, MANY = 64, 512
GIVEN = '((string)context.Variables["given"])'
LONG = {
    "string": GIVEN,
    "object": f"(object){GIVEN}",
    "string[]": f"{GIVEN}.Select(x => x.ToString()).ToArray()",
    "char[]": f"{GIVEN}.ToCharArray()",
    "byte[]": f"Encoding.UTF8.GetBytes({GIVEN})",
    "int[]": f"{GIVEN}.Select(x => 7).ToArray()",
    "List<string>": f"{GIVEN}.Select(x => x.ToString()).ToList()",
    "List<int>": f"{GIVEN}.Select(x => 7).ToList()",
    "HashSet<string>": f"new HashSet<string>({GIVEN}.Select((x, i) => x.ToString() + i))",
    "HashSet<int>": f"new HashSet<int>({GIVEN}.Select((x, i) => i))",
    "Dictionary<string, int>": f"{GIVEN}.Select((x, i) => i).ToDictionary(i => i.ToString(), i => i)",
    "IEnumerable<string>": f"{GIVEN}.Select(x => x.ToString())",
    "IEnumerable<int>": f"{GIVEN}.Select(x => 7)",
    "IEnumerable<double>": f"{GIVEN}.Select(x => 7.5)",
    "IEnumerable<JToken>": f"new JArray({GIVEN}.Select(x => 7).ToArray())",
    "JToken": f"(JToken)new JArray({GIVEN}.Select(x => 7).ToArray())",
    "JArray": f"new JArray({GIVEN}.Select(x => 7).ToArray())",
    "JObject": f"new JObject({GIVEN}.Select((x, i) => new JProperty(i.ToString(), i)))",
    "StringBuilder": f"new StringBuilder({GIVEN})",
    "XElement": f'new XElement("r", {GIVEN}.Select(x => new XElement("e")))',
    "IEnumerable<XElement>": f'{GIVEN}.Select(x => new XElement("e"))',
}
"""Values that are as long as what a caller sends."""
PIECES = ("a", "0", " ", "é", "%", "{0}", "[", "a=b&", "-1,", "<a>", "\\", "'", "YQ==")
"""What long texts repeat; each member gets some of them in turn."""
_TURNS = 3
MADE = {
    "string.Join<T>(string, IEnumerable<T>)": "the result is as long as the separator times the elements",
}
"""Members whose result, which is counted, is longer than n log n in .NET too."""
UNSEEN = {
    "new KeyValuePair(K, V)": "no object here",
}
"""Members of which no result is an object."""


def long_uses() -> Iterator[tuple[str, Use, int]]:
    for number, one in enumerate(uses()):
        if any(type_ in LONG for type_, _ in one.needs):
            yield one.signature, one, number


def work(text: str, given: str) -> int:
    """Count what it takes to evaluate an expression, whatever comes of it."""
    run = compile_expression(text, Type.OBJECT)
    call = context(CALL)
    call.variables["given"] = given
    strings._units_of.cache_clear()

    def evaluate() -> None:
        with suppress(EvaluationError):
            run(call)

    called = functions_called(evaluate)
    return called + meter._METER.steps + meter._METER.size // 64


def written(one: Use, turn: int) -> str | None:
    """Write a use whose values are long wherever they may be; None where C# does not take it."""
    chosen = []
    for place, (type_, role) in enumerate(one.needs):
        ordinary = values(one, place)
        is_long = type_ in LONG and not role
        chosen.append(LONG[type_] if is_long else ordinary[turn % len(ordinary)])
    text = one.written(chosen)
    try:
        compile_expression(text, Type.OBJECT)
    except ExpressionError:
        return None
    return text


@pytest.mark.parametrize("signature", dict.fromkeys(signature for signature, _, _ in long_uses()))
def test_work_of_a_member_grows_no_faster_than_what_a_caller_sends(signature: str) -> None:
    tried = 0
    for one, number in ((one, number) for found, one, number in long_uses() if found == signature):
        for turn in range(_TURNS):
            text = written(one, turn)
            if text is None:
                continue
            piece = PIECES[(number + turn) % len(PIECES)]
            few, many = (work(text, (piece * size)[:size]) for size in (FEW, MANY))
            tried += 1
            assert many < few * (MANY // FEW) * 1.5 or signature in MADE, (text, piece, few, many)
    assert bool(tried) is (signature not in UNSEEN)
