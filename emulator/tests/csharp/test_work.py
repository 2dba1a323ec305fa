"""How much work a member is, whatever a caller sends: counted in functions called and in steps, not in time."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import apim_emulator.csharp
import apim_emulator.gateway.context
from apim_emulator.csharp import EvaluationError, Type, compile_expression
from emulator.tests.csharp.calls import CALL, context
from emulator.tests.csharp.matching import hostile, steps
from emulator.tests.tracing.test_work import functions_called


def patterns() -> Iterator[Any]:
    """Find the regular expressions of the modules that an expression reaches."""
    for package in (apim_emulator.csharp, apim_emulator.gateway.context):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for name, value in vars(importlib.import_module(found.name)).items():
                if isinstance(value, re.Pattern) and isinstance(value.pattern, str) and ".compiler." not in found.name:
                    yield pytest.param(value, id=f"{found.name.rpartition('.')[2]}.{name}")


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
