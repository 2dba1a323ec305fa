"""Reading the JSON body of an inference request, with OpenAI's refusals."""

import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
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
        body = json.loads(content, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise invalid_request(
            "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP"
            " library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)"
        ) from error
    if not isinstance(body, dict):
        raise wrong_type("body", "an object", body)
    return body


def _finite(text: str) -> float:
    """Read a number; what JSON has no numbers for would come back in answers."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def missing(param: str) -> AzureOpenAIError:
    """Refusal of a body without a parameter."""
    return invalid_request(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def wrong_type(param: str, expected: str, value: object) -> AzureOpenAIError:
    """Refusal of a parameter of another type."""
    got = next((name for kind, name in _KINDS if isinstance(value, kind)), "null")
    return invalid_request(
        f"Invalid type for '{param}': expected {expected}, but got {got} instead.", param=param, code="invalid_type"
    )


def unknown(param: str) -> AzureOpenAIError:
    """Refusal of a parameter that Azure does not know either."""
    return invalid_request(f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")


def unrecognized(param: str) -> AzureOpenAIError:
    """Refusal of a parameter that Azure does not know either, in the words of chat completions and embeddings."""
    return invalid_request(f"Unrecognized request argument supplied: {param}")


def not_by_model(param: str) -> AzureOpenAIError:
    """Refusal of a parameter that the deployment's model does not take."""
    return invalid_request(
        f"Unsupported parameter: '{param}' is not supported with this model.",
        param=param,
        code="unsupported_parameter",
    )


def lacking(param: str) -> AzureOpenAIError:
    """Refusal of what Azure takes and the stand-in does not; the words are its own."""
    return invalid_request(
        f"Unsupported parameter: '{param}' is not supported by the stand-in for Azure OpenAI.",
        param=param,
        code="unsupported_parameter",
    )


def invalid_value(param: str, value: object, supported: Collection[str]) -> AzureOpenAIError:
    """Refusal of a value that is none of the few that are supported."""
    *most, last = (f"'{each}'" for each in supported)
    listed = f"{', '.join(most)}{',' if len(most) > 1 else ''} and {last}" if most else last
    return invalid_request(
        f"Invalid value: '{value!s:.100}'. Supported values are: {listed}.", param=param, code="invalid_value"
    )


def refuse_others(
    body: Json,
    offered: Collection[str],
    lacked: Mapping[str, object],
    *,
    within: str = "",
    refusal: Callable[[str], AzureOpenAIError] = unknown,
) -> None:
    """Refuse what is not `offered`, so that nothing is ignored.

    `lacked` is what Azure takes and the stand-in does not, each with the value that asks for nothing, which passes as
    null does.
    """
    for name, value in body.items():
        if name in offered or value is None:
            continue
        if name not in lacked:
            raise refusal(f"{within}{name:.100}")
        if value != lacked[name]:
            raise lacking(f"{within}{name}")


def optional(body: Json, param: str, kind: type, expected: str, *, within: str = "") -> Any:
    """Return a parameter of a type, None where it is left out or null."""
    value = body.get(param)
    if value is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
        raise wrong_type(f"{within}{param}", expected, value)
    return value


def text(body: Json, param: str, *, within: str = "") -> str:
    """Return a string that is required."""
    value = optional(body, param, str, "a string", within=within)
    if value is None:
        raise missing(f"{within}{param}")
    return str(value)


def decimal(body: Json, param: str, least: float, most: float) -> float | None:
    """Return an optional number between two bounds."""
    value = body.get(param)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type(param, "a decimal number", value)
    for wrong, side, sign, bound in (
        (not value >= least, "below minimum", ">=", least),
        (not value <= most, "above maximum", "<=", most),
    ):
        if wrong:
            raise invalid_request(
                f"Invalid '{param}': decimal {side} value. Expected a value {sign} {bound}, but got {value} instead.",
                param=param,
                code=f"decimal_{side.replace('minimum', 'min').replace('maximum', 'max').replace(' ', '_')}_value",
            )
    return value


def at_most(param: str, value: Sequence[object], length: int) -> None:
    """Refuse an array that is too long."""
    if len(value) > length:
        raise invalid_request(
            f"Invalid '{param}': array too long. Expected an array with maximum length {length}, but got an array with"
            f" length {len(value)} instead.",
            param=param,
            code="array_above_max_length",
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


def whole_number(body: Json, param: str, *, at_least: int = 1, at_most: int | None = None) -> int | None:
    """Return an optional number within bounds."""
    value = body.get(param)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_type(param, "an integer", value)
    if value < at_least:
        raise invalid_request(
            f"Invalid '{param}': integer below minimum value. Expected a value >= {at_least}, but got {value} instead.",
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
