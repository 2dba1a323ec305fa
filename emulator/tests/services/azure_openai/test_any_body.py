"""Whatever a caller sends, the stand-in answers or refuses; it never fails."""

import json
import sys
from contextlib import suppress
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apim_emulator.model import Account
from apim_emulator.services.azure_openai.exceptions import AzureOpenAIError
from apim_emulator.services.azure_openai.generation import Stream
from apim_emulator.services.azure_openai.operations import OPERATIONS, Call, Operation
from apim_emulator.services.azure_openai.responses import ResponseStore
from emulator.tests.services.azure_openai.sdk_calls import parameters
from emulator.tests.services.fake_control_plane import ACCOUNT

pytestmark = pytest.mark.slow

POSTS = [one for one in OPERATIONS if one.method == "POST"]
WORDS = sorted(
    {name for _, taken, lacked in parameters() for name in (*taken, *lacked)}
    | {"additionalProperties", "anyOf", "arguments", "call_id", "content", "detail", "enum", "format", "function"}
    | {"id", "image_url", "items", "json_schema", "name", "output", "parameters", "properties", "required", "role"}
    | {"schema", "strict", "tool_call_id", "tool_calls", "type", "url", "$ref", "$defs", "minItems", "minimum"}
)
VALUES = sorted(
    {"array", "assistant", "auto", "call_1", "chat", "function", "function_call", "function_call_output", "input_image"}
    | {"image_url", "input_text", "instruct", "integer", "json", "json_object", "json_schema", "message", "object"}
    | {"output_text", "required", "small", "string", "text", "tool", "user", "#", "https://example.com/"}
)
LEAVES = (
    st.none() | st.booleans() | st.integers(-3, 10**20) | st.floats() | st.text(max_size=5) | st.sampled_from(VALUES)
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=25,
)
BODIES = st.dictionaries(st.sampled_from(WORDS), JSON, max_size=5)


def answer(operation: Operation, body: Any, account: Account = ACCOUNT) -> Any:
    call = Call(account, "chat", json.dumps(body).encode(), {}, 1_750_000_000, ResponseStore())
    return operation.answer(call)


@pytest.mark.parametrize("operation", POSTS, ids=lambda one: one.path)
@given(body=BODIES)
def test_any_body_is_answered_or_refused(operation: Operation, body: dict[str, Any]) -> None:
    whole = {"model": "chat", "messages": [{"role": "user", "content": "x"}], "input": "x"}
    for tried in (body, {**whole, **body}, {"model": "chat", "input": "x", **body}):
        with suppress(AzureOpenAIError):
            said = answer(operation, tried)
            json.dumps(said.events if isinstance(said, Stream) else said)


def long_chat(size: int) -> dict[str, Any]:
    calls = [{"id": f"c{n}", "type": "function", "function": {"name": "f", "arguments": "{}"}} for n in range(size)]
    answers = [{"role": "tool", "tool_call_id": f"c{n}", "content": "x"} for n in reversed(range(size))]
    return {"messages": [{"role": "assistant", "tool_calls": calls}, *answers]}


def wide_schema(size: int) -> dict[str, Any]:
    choices = {"anyOf": [{"$ref": "#"}] * size}
    parameters = {
        "type": "object",
        "properties": {f"p{n}": choices for n in range(20)},
        "required": ["p0", *["p0"] * size],
    }
    function = {"name": "f", "parameters": parameters}
    return {
        "messages": [{"role": "user", "content": "f" * size}],
        "tools": [{"type": "function", "function": function}],
        "tool_choice": "required",
    }


def many_items(size: int) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": [{"type": "input_text", "text": "x"}] * 3}] * size}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/openai/v1/chat/completions", long_chat),
        ("/openai/v1/chat/completions", wide_schema),
        ("/openai/v1/responses", many_items),
    ],
    ids=["calls and answers", "a wide schema", "items"],
)
def test_a_body_four_times_as_long_takes_no_more_than_five_times_the_steps(path: str, body: Any) -> None:
    operation = next(one for one in POSTS if one.path == path)

    def steps(size: int) -> int:
        content = {"model": "chat", **body(size)}
        events = [0]

        def count(frame: FrameType, event: str, called: object) -> None:
            # What measures the tests takes steps of its own, in C.
            marks = event.startswith("c_") and str(getattr(called, "__module__", "")).startswith("slipcover")
            events[0] += not marks and frame.f_globals["__name__"].startswith("apim_emulator.")

        sys.setprofile(count)
        try:
            with suppress(AzureOpenAIError):
                answer(operation, content)
        finally:
            sys.setprofile(None)
        return events[0]

    assert steps(8000) < 5 * steps(2000)
