"""Reading the JSON body of an inference request, with OpenAI's refusals."""

import json
from typing import Any, TypeAlias

from apim_emulator.services.azure_openai.exceptions import AzureOpenAIError, invalid_request

Json: TypeAlias = dict[str, Any]

_KINDS = (
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a decimal number"),
    (str, "a string"),
    (list, "an array"),
    (dict, "an object"),
)

MAX_INPUTS = 2048
"""Inputs in one request."""


def parse(content: bytes) -> Json:
    """Body of a request; that Azure words the refusal as OpenAI does is inferred."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise invalid_request(
            "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP"
            " library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)"
        ) from error
    if not isinstance(body, dict):
        raise wrong_type("body", "an object", body)
    return body


def missing(param: str) -> AzureOpenAIError:
    """Refusal of a body without a parameter."""
    return invalid_request(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def wrong_type(param: str, expected: str, value: object) -> AzureOpenAIError:
    """Refusal of a parameter of another type."""
    got = next((name for kind, name in _KINDS if isinstance(value, kind)), "null")
    return invalid_request(
        f"Invalid type for '{param}': expected {expected}, but got {got} instead.", param=param, code="invalid_type"
    )


def array(param: str, expected: str, value: object) -> list[object]:
    """Return an array that is not empty."""
    if not isinstance(value, list):
        raise wrong_type(param, expected, value)
    if not value:
        raise invalid_request(
            f"Invalid '{param}': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            param=param,
            code="empty_array",
        )
    return value


def whole_number(body: Json, param: str, *, at_most: int | None = None) -> int | None:
    """Return an optional number of at least 1."""
    value = body.get(param)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_type(param, "an integer", value)
    if value < 1:
        raise invalid_request(
            f"Invalid '{param}': integer below minimum value. Expected a value >= 1, but got {value} instead.",
            param=param,
            code="integer_below_min_value",
        )
    if at_most is not None and value > at_most:
        raise invalid_request(
            f"Invalid '{param}': integer above maximum value. Expected a value <= {at_most}, but got {value} instead.",
            param=param,
            code="integer_above_max_value",
        )
    return value


def tokens(text: str) -> list[str]:
    """Split text into pieces of four characters, an estimate of the model's tokens."""
    return [text[start : start + 4] for start in range(0, len(text), 4)]


def inputs(param: str, value: object) -> list[list[str]]:
    """Tokens of each input: a string, strings, an array of token numbers, or several such arrays."""
    if isinstance(value, str):
        return [tokens(value)]
    items = array(param, "a string or an array", value)
    if len(items) > MAX_INPUTS:
        raise invalid_request(f"Invalid '{param}': array length must be {MAX_INPUTS} or less.", param=param)
    if all(_is_token(item) for item in items):
        return [[str(item) for item in items]]
    return [_input(f"{param}[{index}]", item) for index, item in enumerate(items)]


def _input(param: str, value: object) -> list[str]:
    if isinstance(value, str):
        return tokens(value)
    items = array(param, "a string", value)
    for index, item in enumerate(items):
        if not _is_token(item):
            raise wrong_type(f"{param}[{index}]", "an integer", item)
    return [str(item) for item in items]


def _is_token(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
