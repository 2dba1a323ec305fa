"""Embeddings: unit vectors that depend on the text alone, the nearer the more words two texts share."""

import base64
import hashlib
import math
import re
import struct
from array import array
from collections.abc import Mapping
from functools import lru_cache

from apim_emulator.model import ModelDeployment
from apim_emulator.services.azure_openai.exceptions import invalid_request
from apim_emulator.services.azure_openai.parameters import (
    Json,
    inputs,
    missing,
    optional,
    refuse_others,
    unrecognized,
    whole_number,
)

OFFERED = frozenset({"dimensions", "encoding_format", "input", "model", "user"})
LACKED: Mapping[str, object] = {"input_type": None}
_DIMENSIONS = {"text-embedding-3-large": 3072}
_DEFAULT_DIMENSIONS = 1536
_WORD = re.compile(r"\w+")
_MAX_WORDS = 256
"""Different words of a text that count."""


def embeddings(model: ModelDeployment, body: Json, _now: int) -> Json:
    """Embed each input."""
    refuse_others(body, OFFERED, LACKED, refusal=unrecognized)
    optional(body, "user", str, "a string")
    if body.get("input") is None:
        raise missing("input")
    texts = inputs("input", body["input"])
    if any(not text for text in texts):
        raise invalid_request("Invalid 'input': input cannot be an empty string.", param="input")
    full = _DIMENSIONS.get(model.model, _DEFAULT_DIMENSIONS)
    dimensions = whole_number(body, "dimensions", at_most=full)
    if dimensions is not None and model.model == "text-embedding-ada-002":
        raise invalid_request("This model does not support specifying dimensions.", param="dimensions")
    encoding = body.get("encoding_format", "float")
    if encoding not in ("float", "base64"):
        raise invalid_request(
            f"Invalid value: '{encoding}'. Supported values are: 'float' and 'base64'.",
            param="encoding_format",
            code="invalid_value",
        )
    vectors = [_unit_vector("".join(text), dimensions or full) for text in texts]
    used = sum(map(len, texts))
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": _base64(vector) if encoding == "base64" else vector}
            for index, vector in enumerate(vectors)
        ],
        "model": model.model,
        "usage": {"prompt_tokens": used, "total_tokens": used},
    }


def _unit_vector(text: str, dimensions: int) -> "array[float]":
    """Add up a direction for each word; one of fewer dimensions is a cut and rescaled one.

    An array, which is given back at once where millions of objects would keep every other thread waiting.
    """
    words = list(dict.fromkeys(_WORD.findall(text.lower())))[:_MAX_WORDS] or [text]
    raw = list(map(sum, zip(*(_direction(word, dimensions) for word in words), strict=True)))
    length = math.hypot(*raw)
    return array("d", (value / length for value in raw))


@lru_cache(maxsize=256)
def _direction(word: str, dimensions: int) -> tuple[int, ...]:
    """Direction that is as good as random, and the same for the same word."""
    digest = hashlib.shake_256(word.encode("utf-8", "surrogatepass")).digest(4 * dimensions)
    return struct.unpack(f"<{dimensions}i", digest)


def _base64(vector: "array[float]") -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
